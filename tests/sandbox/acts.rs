//! The people of the sandbox, and what the person before the page has them do.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use telegram_server::{Fault, Media, Membership, Person, Rights, TelegramServer};

use crate::GROUP;

/// How long Telegram asks the bot to wait when the page says so.
const FLOOD_SECONDS: i64 = 30;

/// Two operators, and a visitor who has Telegram.
pub(crate) struct Cast {
    telegram: Arc<TelegramServer>,
    people: BTreeMap<i64, Player>,
}

struct Player {
    person: Person,
    name: &'static str,
    role: &'static str,
}

impl Cast {
    pub(crate) fn new(telegram: Arc<TelegramServer>) -> Self {
        let player = |person, name, role| Player { person, name, role };
        let players = [
            player(telegram.operator(GROUP, 501, "Olga", "Petrova"), "Olga Petrova", "operator"),
            player(telegram.operator(GROUP, 502, "Deniz", "Kaya"), "Deniz Kaya", "operator"),
            player(telegram.person(601, "Ada", "Lovelace"), "Ada Lovelace", "visitor"),
        ];
        let people = players.into_iter().map(|player| (player.person.id(), player)).collect();
        Self { telegram, people }
    }

    /// Everything that the page shows.
    pub(crate) fn view(&self) -> Value {
        let mut view = self.telegram.view();
        let people = self.people.iter().map(|(id, player)| json!({"id": id, "name": player.name, "role": player.role}));
        view["people"] = people.collect();
        view["group"] = GROUP.into();
        view
    }

    /// A file and the type that a page may show it as.
    pub(crate) fn file(&self, file_id: &str) -> Option<(&'static str, Vec<u8>)> {
        let bytes = self.telegram.file(file_id)?;
        Some((shown_as(&bytes), bytes))
    }

    /// Does one thing; the error is a sentence for the person before the page.
    pub(crate) fn act(&self, asked: &Value) -> Result<(), String> {
        let what = asked["do"].as_str().unwrap_or_default();
        if let Some(trouble) = what.strip_prefix("telegram_") {
            return self.weather(trouble);
        }
        let person = self.person(asked)?;
        let text = asked["text"].as_str().unwrap_or_default();
        let message_id = asked["message"].as_i64();
        let thread_id = asked["thread"].as_i64();
        match (what, message_id, thread_id) {
            ("write", Some(message_id), _) => drop(person.replies(self.known(asked, message_id)?, text)),
            ("write", None, _) => drop(person.writes(text)),
            ("edit", Some(message_id), _) => person.edits(self.known(asked, message_id)?, text),
            ("react", Some(message_id), _) => person.reacts(self.known(asked, message_id)?, text),
            ("press", Some(message_id), _) => {
                person.presses(self.with_button(asked, message_id, text)?, text);
            }
            ("start", _, _) => drop(person.starts(text)),
            ("block", _, _) => person.blocks(),
            ("open_topic", _, _) if !text.is_empty() => drop(person.opens_topic(text)),
            ("close_topic", _, Some(thread_id)) => person.closes_topic(self.topic(thread_id)?),
            ("reopen_topic", _, Some(thread_id)) => person.reopens_topic(self.topic(thread_id)?),
            ("delete_topic", _, Some(thread_id)) => person.deletes_topic(self.topic(thread_id)?),
            _ => return Err("There is no such act.".into()),
        }
        Ok(())
    }

    /// Sends a file.
    pub(crate) fn send(&self, asked: &Value, bytes: &[u8]) -> Result<(), String> {
        let name = asked["name"].as_str().unwrap_or("file");
        let mime = asked["mime"].as_str().unwrap_or("application/octet-stream");
        let media = match asked["kind"].as_str() {
            Some("photo") => Media::photo(bytes),
            Some("voice") => Media::voice(bytes),
            Some("audio") => Media::audio(name, bytes),
            Some("video") => Media::video(bytes),
            _ => Media::document(name, mime, bytes),
        };
        let caption = asked["text"].as_str().filter(|text| !text.is_empty());
        let media = caption.map_or(media.clone(), |caption| media.caption(caption));
        let person = self.person(asked)?;
        match asked["message"].as_i64() {
            Some(message_id) => drop(person.replies_with(self.known(asked, message_id)?, &media)),
            None => drop(person.sends(&media)),
        }
        Ok(())
    }

    /// What goes wrong at Telegram.
    fn weather(&self, trouble: &str) -> Result<(), String> {
        let rights = Rights { manage_topics: true, delete_messages: true };
        match trouble {
            "up" => self.telegram.outage(None),
            "down" => self.telegram.outage(Some(Fault::Broken)),
            "flood" => self.telegram.fail(&[Fault::ChatFlood(FLOOD_SECONDS)]),
            "kick" => self.telegram.set_bot(GROUP, Membership::Kicked),
            "invite" => self.telegram.set_bot(GROUP, Membership::Administrator(rights)),
            _ => return Err("There is no such weather.".into()),
        }
        Ok(())
    }

    /// Who acts, and where.
    fn person(&self, asked: &Value) -> Result<Person, String> {
        let player = asked["as"].as_i64().and_then(|id| self.people.get(&id)).ok_or("There is no such person.")?;
        let person = &player.person;
        let chat_id = asked["chat"].as_i64().unwrap_or_default();
        let mut person = match (chat_id, player.role) {
            (GROUP, "operator") => person.clone(),
            _ if chat_id == person.id() => person.privately(),
            _ => return Err("They are not in that chat.".into()),
        };
        if let Some(thread_id) = asked["thread"].as_i64() {
            person = person.in_topic(self.topic(thread_id)?);
        }
        Ok(if asked["anonymous"] == true { person.anonymously() } else { person })
    }

    fn topic(&self, thread_id: i64) -> Result<i64, String> {
        let is_there = self.telegram.topics(GROUP).iter().any(|(id, _)| *id == thread_id);
        is_there.then_some(thread_id).ok_or_else(|| "That topic is gone.".into())
    }

    fn known(&self, asked: &Value, message_id: i64) -> Result<i64, String> {
        let chat_id = asked["chat"].as_i64().unwrap_or_default();
        let is_there = self.telegram.message(chat_id, message_id).is_some();
        is_there.then_some(message_id).ok_or_else(|| "That message is gone.".into())
    }

    fn with_button(&self, asked: &Value, message_id: i64, data: &str) -> Result<i64, String> {
        let chat_id = asked["chat"].as_i64().unwrap_or_default();
        let message = self.telegram.message(chat_id, self.known(asked, message_id)?).unwrap_or_default();
        let rows = message["reply_markup"]["inline_keyboard"].as_array().cloned().unwrap_or_default();
        let mut buttons = rows.iter().filter_map(Value::as_array).flatten();
        let is_there = buttons.any(|button| button["callback_data"] == data);
        is_there.then_some(message_id).ok_or_else(|| "That button is gone.".into())
    }
}

/// By its first bytes; whatever is no picture and no sound is bytes.
fn shown_as(bytes: &[u8]) -> &'static str {
    let is = |at: usize, magic: &[u8]| bytes.get(at..at + magic.len()) == Some(magic);
    match () {
        () if is(0, b"\x89PNG") => "image/png",
        () if is(0, b"\xff\xd8\xff") => "image/jpeg",
        () if is(0, b"GIF8") => "image/gif",
        () if is(8, b"WEBP") => "image/webp",
        () if is(0, b"OggS") => "audio/ogg",
        () if is(0, b"ID3") || is(0, b"\xff\xfb") => "audio/mpeg",
        () if is(8, b"WAVE") => "audio/wav",
        () if is(4, b"ftyp") => "video/mp4",
        () if is(0, b"\x1a\x45\xdf\xa3") => "audio/webm",
        () => "application/octet-stream",
    }
}
