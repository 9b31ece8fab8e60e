//! Everything that people see, for the sandbox's page.

use serde_json::{Value, json};

use crate::chats::{Chat, Membership, Topic};
use crate::server::{TelegramServer, locked};
use crate::{BOT_ID, BOT_NAME, World};

/// Of each chat so many of the newest messages are shown.
const MOST_MESSAGES: usize = 600;

impl TelegramServer {
    /// Every chat with its topics, messages and commands, and what people who pressed buttons were told.
    pub fn view(&self) -> Value {
        let world = locked(&self.world);
        let chats = world.chats.values().filter(|chat| chat.migrated_to.is_none()).map(|chat| world.view_of(chat));
        let answers = world.pressed.iter().filter_map(|(id, pressed)| {
            let answer = pressed.answer.as_ref()?;
            Some(json!({"id": id, "text": answer.text, "alert": answer.show_alert}))
        });
        json!({
            "bot": {"id": BOT_ID, "username": BOT_NAME}, "chats": chats.collect::<Vec<_>>(),
            "answers": answers.collect::<Vec<_>>(), "down": world.outage.is_some(),
            "waits_until": world.chat_floods.values().map(|until| until.0).max(),
        })
    }

    /// A file that somebody sent.
    pub fn file(&self, file_id: &str) -> Option<Vec<u8>> {
        locked(&self.world).files.get(file_id).map(|file| file.bytes.clone())
    }
}

impl World {
    fn view_of(&self, chat: &Chat) -> Value {
        let topic = |(id, topic): (&i64, &Topic)| {
            json!({
                "id": id, "name": topic.name, "icon": topic.icon, "color": topic.icon_color,
                "is_closed": topic.is_closed,
            })
        };
        let topics: Vec<_> = chat.topics.iter().map(topic).collect();
        let hidden = chat.messages.len().saturating_sub(MOST_MESSAGES);
        let commands = |language: &str| self.offered(chat.id, language);
        json!({
            "id": chat.id, "kind": chat.kind(), "title": chat.title, "is_forum": chat.is_forum, "topics": topics,
            "messages": chat.messages.values().skip(hidden).collect::<Vec<_>>(),
            "commands": {"en": commands("en"), "tr": commands("tr")},
            "bot": match chat.bot {
                Membership::Administrator(_) => "administrator",
                Membership::Member => "member",
                Membership::Left => "left",
                Membership::Kicked => "kicked",
            },
        })
    }
}
