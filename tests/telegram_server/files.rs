//! Files of messages: `getFile` and the download, whose address holds the bot's token.

use serde_json::{Value, json};
use shared::time::{HOUR, Timestamp};

use crate::World;
use crate::api::{Answer, Outcome};

/// A bot gets no larger file than this, in bytes.
pub const MAX_DOWNLOAD: i64 = 20_000_000;
/// A link works for so long.
const LINK_TIME: i64 = HOUR;

/// A file of somebody's message.
#[derive(Debug)]
pub(crate) struct File {
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

    pub(crate) fn download(&mut self, path: &str) -> Answer {
        let now = self.clock.now();
        let file = self.files.values().find(|file| file.path == path && now < file.linked_until);
        file.map_or_else(|| Answer::error(404, "Not Found"), |file| Answer::page(200, &file.bytes))
    }
}
