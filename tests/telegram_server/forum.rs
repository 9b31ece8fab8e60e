//! Topics of a group, as the bot keeps them.

use serde_json::{Value, json};

use crate::api::{Answer, Outcome, bot_user, whole};
use crate::chats::{Chat, Draft, Topic};
use crate::icons::{COLOURS, emoji};
use crate::{BOT_ID, World};

/// The longest name, in characters.
const MAX_NAME: usize = 128;

impl Chat {
    /// The topic to write to; the general one is named by no id at all.
    pub(crate) fn writable_thread(&self, thread_id: Option<i64>) -> Result<Option<i64>, Answer> {
        let Some(thread_id) = thread_id else { return Ok(None) };
        let topic = self.topics.get(&thread_id).filter(|topic| self.is_forum && !topic.is_lost);
        let topic = topic.ok_or_else(|| Answer::bad("message thread not found"))?;
        if topic.is_closed && !self.rights().is_some_and(|rights| rights.manage_topics) {
            return Err(Answer::bad("TOPIC_CLOSED"));
        }
        Ok(Some(thread_id))
    }

    fn forum(&mut self) -> Result<&mut Self, Answer> {
        if self.is_forum { Ok(self) } else { Err(Answer::bad("the chat is not a forum")) }
    }

    /// A topic of which the bot may change something: its own, or any with the right.
    fn own_topic(&mut self, parameters: &Value) -> Result<(i64, &mut Topic), Answer> {
        let may = self.forum()?.rights().is_some_and(|rights| rights.manage_topics);
        let thread_id = whole(parameters, "message_thread_id").unwrap_or_default();
        let topic = self.topics.get_mut(&thread_id).filter(|topic| !topic.is_lost);
        let topic = topic.ok_or_else(|| Answer::bad("TOPIC_ID_INVALID"))?;
        if !may && topic.creator != BOT_ID {
            return Err(Answer::bad("not enough rights to edit the topic"));
        }
        Ok((thread_id, topic))
    }

    /// What Telegram itself writes into a topic.
    pub(crate) fn note(&mut self, from: Value, thread_id: i64, content: Value, now: shared::time::Timestamp) -> Value {
        self.add(Draft { from, content, thread_id: Some(thread_id), ..Draft::default() }, now)
    }

    /// Opens a topic; answers the message that tells of it, whose id is the topic's.
    pub(crate) fn open_topic(&mut self, from: Value, topic: Topic, now: shared::time::Timestamp) -> Value {
        let mut told = json!({"name": topic.name, "icon_color": topic.icon_color});
        if !topic.icon_custom_emoji_id.is_empty() {
            told["icon_custom_emoji_id"] = topic.icon_custom_emoji_id.clone().into();
        }
        let mut message =
            self.add(Draft { from, content: json!({"forum_topic_created": told}), ..Draft::default() }, now);
        let thread_id = message["message_id"].as_i64().unwrap_or_default();
        message["message_thread_id"] = thread_id.into();
        message["is_topic_message"] = true.into();
        self.messages.insert(thread_id, message.clone());
        self.topics.insert(thread_id, topic);
        message
    }
}

impl World {
    pub(crate) fn create_forum_topic(&mut self, parameters: &Value) -> Outcome {
        let now = self.clock.now();
        let chat = self.chat(parameters)?.forum()?;
        if !chat.rights().is_some_and(|rights| rights.manage_topics) {
            return Err(Answer::bad("not enough rights to create a topic"));
        }
        let name = checked_name(&parameters["name"])?;
        let icon_color = parameters["icon_color"].as_i64().unwrap_or(COLOURS[0]);
        if !COLOURS.contains(&icon_color) {
            return Err(Answer::bad("invalid icon color specified"));
        }
        let icon_custom_emoji_id = checked_icon(&parameters["icon_custom_emoji_id"])?;
        let icon = emoji(&icon_custom_emoji_id);
        let topic =
            Topic { name, icon_color, icon, is_closed: false, is_lost: false, icon_custom_emoji_id, creator: BOT_ID };
        let message = chat.open_topic(bot_user(), topic, now);
        let mut told = message["forum_topic_created"].clone();
        told["message_thread_id"] = message["message_id"].clone();
        Ok(told)
    }

    pub(crate) fn edit_forum_topic(&mut self, parameters: &Value) -> Outcome {
        let now = self.clock.now();
        let chat = self.chat(parameters)?;
        let (thread_id, topic) = chat.own_topic(parameters)?;
        let mut told = json!({});
        if !parameters["name"].is_null() && parameters["name"] != "" {
            let name = checked_name(&parameters["name"])?;
            if topic.name != name {
                told["name"] = name.clone().into();
                topic.name = name;
            }
        }
        if !parameters["icon_custom_emoji_id"].is_null() {
            let icon = checked_icon(&parameters["icon_custom_emoji_id"])?;
            if topic.icon_custom_emoji_id != icon {
                told["icon_custom_emoji_id"] = icon.clone().into();
                topic.icon = emoji(&icon);
                topic.icon_custom_emoji_id = icon;
            }
        }
        if told == json!({}) {
            return Err(Answer::bad("TOPIC_NOT_MODIFIED"));
        }
        chat.note(bot_user(), thread_id, json!({"forum_topic_edited": told}), now);
        Ok(json!(true))
    }

    /// Closes a topic, or opens it again.
    pub(crate) fn close_forum_topic(&mut self, parameters: &Value, is_closed: bool) -> Outcome {
        let now = self.clock.now();
        let chat = self.chat(parameters)?;
        let (thread_id, topic) = chat.own_topic(parameters)?;
        if topic.is_closed == is_closed {
            return Err(Answer::bad("TOPIC_NOT_MODIFIED"));
        }
        topic.is_closed = is_closed;
        let told = if is_closed { "forum_topic_closed" } else { "forum_topic_reopened" };
        chat.note(bot_user(), thread_id, json!({ told: {} }), now);
        Ok(json!(true))
    }

    pub(crate) fn delete_forum_topic(&mut self, parameters: &Value) -> Outcome {
        let chat = self.chat(parameters)?.forum()?;
        let thread_id = whole(parameters, "message_thread_id").unwrap_or_default();
        if chat.topics.get(&thread_id).is_none_or(|topic| topic.is_lost) {
            return Err(Answer::bad("TOPIC_ID_INVALID"));
        }
        if !chat.rights().is_some_and(|rights| rights.delete_messages) {
            return Err(Answer::bad("not enough rights to delete the topic"));
        }
        chat.remove_topic(thread_id);
        Ok(json!(true))
    }
}

impl Chat {
    /// A topic ends with its messages.
    pub(crate) fn remove_topic(&mut self, thread_id: i64) {
        self.topics.remove(&thread_id);
        self.messages.retain(|_, message| message["message_thread_id"] != thread_id);
    }
}

fn checked_name(name: &Value) -> Result<String, Answer> {
    let name = name.as_str().unwrap_or_default().trim();
    match name.chars().count() {
        0 => Err(Answer::bad("title must be non-empty")),
        1..=MAX_NAME => Ok(name.to_owned()),
        _ => Err(Answer::bad("TOPIC_TITLE_TOO_LONG")),
    }
}

/// Only Telegram's own icons are for everybody.
fn checked_icon(id: &Value) -> Result<String, Answer> {
    let id = id.as_str().unwrap_or_default();
    if id.is_empty() || emoji(id).is_some() { Ok(id.to_owned()) } else { Err(Answer::bad("DOCUMENT_INVALID")) }
}
