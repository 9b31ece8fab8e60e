//! Chats: their messages, topics and members.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::time::{SECOND, Timestamp};

use crate::{BOT_ID, FIRST_MESSAGE_ID};

/// Ids of supergroups are below this.
const SUPERGROUPS: i64 = -1_000_000_000_000;

/// What an administrator may do, as far as Parley cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// `can_manage_topics`.
    pub manage_topics: bool,
    /// `can_delete_messages`.
    pub delete_messages: bool,
}

/// What the bot is in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// It may do these things.
    Administrator(Rights),
    /// One of many; in a private chat, somebody who was started.
    Member,
    /// It was never there, or went; in a private chat, nobody pressed "Start" yet.
    Left,
    /// It was removed; in a private chat, it was blocked.
    Kicked,
}

/// A topic of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// The colour of its icon, when it has no emoji.
    pub icon_color: i64,
    /// The emoji of its icon.
    pub icon: Option<String>,
    /// Nobody but administrators writes here.
    pub is_closed: bool,
    /// The bot cannot reach it any more, though it is there.
    pub is_lost: bool,
    pub(crate) icon_custom_emoji_id: String,
    pub(crate) creator: i64,
}

/// A chat.
#[derive(Debug)]
pub(crate) struct Chat {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) is_forum: bool,
    pub(crate) messages: BTreeMap<i64, Value>,
    pub(crate) topics: BTreeMap<i64, Topic>,
    /// `status` of everybody but the bot.
    pub(crate) members: BTreeMap<i64, &'static str>,
    pub(crate) bot: Membership,
    pub(crate) migrated_to: Option<i64>,
    last_message_id: i64,
}

/// What is about to be added to a chat.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) from: Value,
    pub(crate) sender_chat: Option<Value>,
    /// `text`, `photo` and so on.
    pub(crate) content: Value,
    pub(crate) reply_to: Option<i64>,
    pub(crate) thread_id: Option<i64>,
}

impl Chat {
    /// A group without topics, whose administrator the bot is.
    pub(crate) fn group(id: i64) -> Self {
        let rights = Rights { manage_topics: true, delete_messages: true };
        Self::new(id, "Support", Membership::Administrator(rights))
    }

    /// What a group becomes: the same people, and messages that are counted anew.
    pub(crate) fn successor(&self, id: i64) -> Self {
        let new = Self::new(id, &self.title, self.bot);
        Self { is_forum: self.is_forum, members: self.members.clone(), last_message_id: 0, ..new }
    }

    /// A chat between a person and the bot, which was not started yet.
    pub(crate) fn private(user: &Value) -> Self {
        let id = user["id"].as_i64().unwrap_or_default();
        Self::new(id, user["first_name"].as_str().unwrap_or_default(), Membership::Left)
    }

    fn new(id: i64, title: &str, bot: Membership) -> Self {
        Self {
            id,
            title: title.to_owned(),
            is_forum: false,
            messages: BTreeMap::new(),
            topics: BTreeMap::new(),
            members: BTreeMap::new(),
            bot,
            migrated_to: None,
            last_message_id: FIRST_MESSAGE_ID,
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self.id {
            1.. => "private",
            SUPERGROUPS..1 => "group",
            _ => "supergroup",
        }
    }

    pub(crate) fn is_private(&self) -> bool {
        self.id > 0
    }

    /// As messages and updates show it.
    pub(crate) fn to_json(&self) -> Value {
        let mut chat = json!({"id": self.id, "type": self.kind()});
        chat[if self.is_private() { "first_name" } else { "title" }] = self.title.clone().into();
        if self.is_forum {
            chat["is_forum"] = true.into();
        }
        chat
    }

    pub(crate) fn rights(&self) -> Option<Rights> {
        match self.bot {
            Membership::Administrator(rights) => Some(rights),
            _ => None,
        }
    }

    /// The topic that a message is in.
    pub(crate) fn topic_of(&self, message_id: i64) -> Option<i64> {
        let message = self.messages.get(&message_id)?;
        message["message_thread_id"].as_i64().filter(|_| message["is_topic_message"] == true)
    }

    /// Adds a message. One that it answers is shown as Telegram does: whole, but without what that one answers. In a topic,
    /// a message that answers nothing is shown as an answer to the topic's first one. A reply outside of topics carries the
    /// id of its chain, which is no topic's.
    pub(crate) fn add(&mut self, draft: Draft, now: Timestamp) -> Value {
        self.last_message_id += 1;
        let message_id = self.last_message_id;
        let mut message = json!({
            "message_id": message_id, "from": draft.from, "date": now.0 / SECOND, "chat": self.to_json(),
        });
        if let Some(sender_chat) = draft.sender_chat {
            message["sender_chat"] = sender_chat;
        }
        if let Some(thread_id) = draft.thread_id {
            message["message_thread_id"] = thread_id.into();
            message["is_topic_message"] = true.into();
        }
        if let Some(answered) = draft.reply_to.or(draft.thread_id).and_then(|id| self.messages.get(&id)) {
            if draft.thread_id.is_none() && self.kind() == "supergroup" {
                let chain = answered["message_thread_id"].as_i64().or(draft.reply_to);
                message["message_thread_id"] = chain.into();
            }
            let mut answered = answered.clone();
            if let Some(fields) = answered.as_object_mut() {
                fields.remove("reply_to_message");
            }
            message["reply_to_message"] = answered;
        }
        if let (Some(message), Value::Object(content)) = (message.as_object_mut(), draft.content) {
            message.extend(content.into_iter().filter(|(_, value)| !value.is_null()));
        }
        self.messages.insert(message_id, message.clone());
        message
    }

    /// Changes a message's content; answers it as it is now.
    pub(crate) fn change(&mut self, message_id: i64, content: &Value, now: Timestamp) -> Option<Value> {
        let message = self.messages.get_mut(&message_id)?;
        for (name, value) in content.as_object()? {
            message[name] = value.clone();
        }
        message.as_object_mut()?.retain(|_, value| !value.is_null());
        message["edit_date"] = (now.0 / SECOND).into();
        Some(message.clone())
    }

    pub(crate) fn is_of_bot(&self, message_id: i64) -> bool {
        self.messages.get(&message_id).is_some_and(|message| message["from"]["id"] == BOT_ID)
    }
}
