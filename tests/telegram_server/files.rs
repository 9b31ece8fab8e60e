//! Files of messages: `getFile` and the download, whose address holds the bot's token, and what the bot sends on.

use serde_json::{Value, json};
use shared::time::{HOUR, Timestamp};

use crate::api::{Answer, Outcome};
use crate::{World, entities};

/// A bot gets no larger file than this, in bytes.
pub const MAX_DOWNLOAD: i64 = 20_000_000;
/// A link works for so long.
const LINK_TIME: i64 = HOUR;

/// What Telegram takes a file for: its name in messages, and in words.
const KINDS: [(&str, &str); 7] = [
    ("photo", "Photo"),
    ("voice", "VoiceNote"),
    ("audio", "Audio"),
    ("animation", "Animation"),
    ("video", "Video"),
    ("video_note", "VideoNote"),
    ("document", "Document"),
];

/// A file of somebody's message.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) kind: &'static str,
    /// As messages show it.
    pub(crate) told: Value,
    pub(crate) bytes: Vec<u8>,
    /// What Telegram says it has.
    pub(crate) size: i64,
    pub(crate) path: String,
    /// Until when its link works; there is none before `getFile`.
    pub(crate) linked_until: Timestamp,
}

impl World {
    pub(crate) fn get_file(&mut self, parameters: &Value) -> Outcome {
        let now = self.clock.now();
        let id = parameters["file_id"].as_str().unwrap_or_default();
        let missing = || Answer::bad("wrong file_id or the file is temporarily unavailable");
        let file = self.files.get_mut(id).ok_or_else(missing)?;
        if file.size > MAX_DOWNLOAD {
            return Err(Answer::bad("file is too big"));
        }
        file.linked_until = now.plus(LINK_TIME);
        Ok(
            json!({"file_id": id, "file_unique_id": format!("unique_{id}"), "file_size": file.size, "file_path": file.path}),
        )
    }

    /// Sends a file again that is here already; as what it is, and as nothing else.
    pub(crate) fn send_file(&mut self, kind: &str, parameters: &Value) -> Outcome {
        self.chat(parameters)?;
        let id = parameters[kind].as_str().unwrap_or_default();
        if id.is_empty() {
            return Err(Answer::bad(&format!("there is no {kind} in the request")));
        }
        let file = self.files.get(id).ok_or_else(|| Answer::bad("wrong remote file identifier specified"))?;
        if file.kind != kind {
            let (is, asked) = (in_words(file.kind), in_words(kind));
            return Err(Answer::bad(&format!("can't use file of type {is} as {asked}")));
        }
        let told = if kind == "photo" { json!([file.told]) } else { file.told.clone() };
        // Nothing can be written under a round film.
        let mut content = if kind == "video_note" { json!({}) } else { entities::caption(parameters)? };
        content[kind] = told;
        self.send(parameters, content)
    }

    pub(crate) fn download(&mut self, path: &str) -> Answer {
        let now = self.clock.now();
        let file = self.files.values().find(|file| file.path == path && now < file.linked_until);
        file.map_or_else(|| Answer::error(404, "Not Found"), |file| Answer::page(200, &file.bytes))
    }
}

fn in_words(kind: &str) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("Sticker", |(_, words)| words)
}

/// What a message's file is taken for, and what names it.
pub(crate) fn file_of(message: &Value) -> Option<(String, String)> {
    KINDS.iter().find_map(|(kind, _)| {
        let found = &message[kind];
        let file = found.as_array().and_then(|sizes| sizes.last()).unwrap_or(found);
        Some(((*kind).to_owned(), file["file_id"].as_str()?.to_owned()))
    })
}
