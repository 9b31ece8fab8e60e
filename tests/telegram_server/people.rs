//! People: who they are, where they are, and what becomes of what they write.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::chats::{Chat, Draft, Membership};
use crate::server::locked;
use crate::{BOT_ID, TelegramServer, World};

/// Whom Telegram shows in the place of an administrator who hides behind the group.
const ANONYMOUS: i64 = 1_087_968_824;

/// Somebody in a chat: an operator in a group, or anybody in their private chat with the bot. What they do becomes an
/// update that waits for its delivery.
#[derive(Clone)]
pub struct Person {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) chat_id: i64,
    pub(crate) user: Value,
    pub(crate) thread_id: Option<i64>,
    pub(crate) is_anonymous: bool,
}

impl TelegramServer {
    /// A person of a group.
    pub fn operator(&self, chat_id: i64, id: i64, first_name: &str, last_name: &str) -> Person {
        let person = self.person(id, first_name, last_name);
        if let Some(chat) = locked(&self.world).chats.get_mut(&chat_id) {
            chat.members.insert(id, "member");
        }
        Person { chat_id, ..person }
    }

    /// A person in their private chat with the bot. Until they press "Start" the bot may not write to them.
    pub fn person(&self, id: i64, first_name: &str, last_name: &str) -> Person {
        let mut user = json!({"id": id, "is_bot": false, "first_name": first_name, "language_code": "en"});
        if !last_name.is_empty() {
            user["last_name"] = last_name.into();
        }
        let mut world = locked(&self.world);
        world.users.insert(id, user.clone());
        world.chats.entry(id).or_insert_with(|| Chat::private(&user));
        Person { world: self.world.clone(), chat_id: id, user, thread_id: None, is_anonymous: false }
    }
}

impl Person {
    /// The same person in a topic of the group.
    #[must_use]
    pub fn in_topic(&self, thread_id: i64) -> Self {
        Self { thread_id: Some(thread_id), ..self.clone() }
    }

    /// The same person in their private chat with the bot.
    #[must_use]
    pub fn privately(&self) -> Self {
        Self { chat_id: self.id(), thread_id: None, is_anonymous: false, ..self.clone() }
    }

    /// The same person as an administrator who hides behind the group.
    #[must_use]
    pub fn anonymously(&self) -> Self {
        Self { is_anonymous: true, ..self.clone() }
    }

    /// Their user id.
    pub fn id(&self) -> i64 {
        self.user["id"].as_i64().unwrap_or_default()
    }

    pub(crate) fn from(&self) -> Value {
        if self.is_anonymous {
            let name = "GroupAnonymousBot";
            return json!({"id": ANONYMOUS, "is_bot": true, "first_name": "Group", "username": name});
        }
        self.user.clone()
    }

    /// Puts a message into the chat and tells the bot, if the bot may see it; answers the message's id.
    pub(crate) fn add(&self, content: Value, reply_to: Option<i64>) -> i64 {
        let mut world = locked(&self.world);
        let now = world.clock.now();
        let chat = world.chats.get_mut(&self.chat_id).expect("the chat exists");
        if chat.is_private() && chat.bot == Membership::Left {
            chat.bot = Membership::Member;
        }
        let thread_id = self.thread_id.or_else(|| chat.topic_of(reply_to?));
        let sender_chat = self.is_anonymous.then(|| chat.to_json());
        let message = chat.add(Draft { from: self.from(), sender_chat, content, reply_to, thread_id }, now);
        let message_id = message["message_id"].as_i64().expect("a number");
        if world.bot_sees(self.chat_id, &message) {
            world.tell("message", self.chat_id, &message);
        }
        message_id
    }
}

impl World {
    /// A bot that is no administrator sees commands, answers to its own messages and what Telegram itself writes, unless
    /// its privacy mode is off.
    pub(crate) fn bot_sees(&self, chat_id: i64, message: &Value) -> bool {
        let Some(chat) = self.chats.get(&chat_id) else { return false };
        match chat.bot {
            Membership::Administrator(_) => true,
            Membership::Left | Membership::Kicked => false,
            Membership::Member => {
                let is_command = message["text"].as_str().is_some_and(|text| text.starts_with('/'));
                let is_service = message.as_object().is_some_and(|fields| {
                    fields.keys().any(|name| name.starts_with("forum_topic_") || name.starts_with("migrate_"))
                });
                let answers_bot = message["reply_to_message"]["from"]["id"] == BOT_ID
                    && message["reply_to_message"]["forum_topic_created"].is_null();
                chat.is_private() || !self.privacy || is_command || is_service || answers_bot
            }
        }
    }

    /// The bot's place in a chat changes, and the bot hears of it.
    pub(crate) fn move_bot(&mut self, chat_id: i64, by: &Value, to: Membership) {
        let now = self.clock.now();
        let me = crate::api::bot_user();
        let chat = self.chats.get_mut(&chat_id).expect("the chat exists");
        let old = crate::members::of_bot(&me, chat.bot);
        chat.bot = to;
        let update = json!({
            "chat": chat.to_json(), "from": by, "date": now.0 / shared::time::SECOND, "old_chat_member": old,
            "new_chat_member": crate::members::of_bot(&me, to),
        });
        self.tell("my_chat_member", chat_id + crate::webhook::MEMBERS, &update);
    }
}
