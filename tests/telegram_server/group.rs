//! Chats and the people in them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use shared::time::{SECOND, Timestamp};

use crate::World;
use crate::server::locked;

/// A group.
#[derive(Debug)]
pub(crate) struct Chat {
    id: i64,
    messages: BTreeMap<i64, Value>,
    last_message_id: i64,
}

impl Chat {
    /// An empty group whose first message has the id after `last_message_id`.
    pub(crate) fn new(id: i64, last_message_id: i64) -> Self {
        Self { id, messages: BTreeMap::new(), last_message_id }
    }

    pub(crate) fn message(&self, message_id: i64) -> Option<&Value> {
        self.messages.get(&message_id)
    }

    /// Adds a text. A message that it answers is shown as Telegram does: whole, but without what that one answers.
    pub(crate) fn add(&mut self, from: &Value, text: &str, reply_to: Option<i64>, now: Timestamp) -> &Value {
        self.last_message_id += 1;
        let message_id = self.last_message_id;
        let mut message = json!({
            "message_id": message_id, "from": from, "date": now.0 / SECOND, "text": text,
            "chat": {"id": self.id, "type": "supergroup", "title": "Support"},
        });
        if let Some(answered) = reply_to.and_then(|id| self.messages.get(&id)) {
            let mut answered = answered.clone();
            if let Some(fields) = answered.as_object_mut() {
                fields.remove("reply_to_message");
            }
            message["reply_to_message"] = answered;
        }
        self.messages.entry(message_id).or_insert(message)
    }

    fn change(&mut self, message_id: i64, text: &str, now: Timestamp) -> Option<&Value> {
        let message = self.messages.get_mut(&message_id)?;
        message["text"] = text.into();
        message["edit_date"] = (now.0 / SECOND).into();
        Some(message)
    }
}

/// A member of a group. What they do becomes an update that waits for its delivery.
pub struct Operator {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) chat_id: i64,
    pub(crate) user: Value,
}

impl Operator {
    /// Writes to the group; answers the message's id.
    pub fn writes(&self, text: &str) -> i64 {
        self.add(text, None)
    }

    /// Answers a message of the group; answers the new message's id.
    pub fn replies(&self, message_id: i64, text: &str) -> i64 {
        self.add(text, Some(message_id))
    }

    /// Changes a message of their own.
    pub fn edits(&self, message_id: i64, text: &str) {
        let mut world = locked(&self.world);
        let now = world.clock.now();
        let chat = world.chats.get_mut(&self.chat_id).expect("the group exists");
        let message = chat.change(message_id, text, now).expect("the message exists").clone();
        world.enqueue(self.chat_id, json!({"edited_message": message}));
    }

    fn add(&self, text: &str, reply_to: Option<i64>) -> i64 {
        let mut world = locked(&self.world);
        let now = world.clock.now();
        let chat = world.chats.get_mut(&self.chat_id).expect("the group exists");
        let message = chat.add(&self.user, text, reply_to, now).clone();
        let message_id = message["message_id"].as_i64().expect("a number");
        world.enqueue(self.chat_id, json!({"message": message}));
        message_id
    }
}
