//! Messages of the bot's: sent, edited, deleted.

use serde_json::{Value, json};
use shared::time::{HOUR, SECOND, Timestamp};

use crate::api::{Answer, Outcome, bot_user, whole};
use crate::chats::{Chat, Draft};
use crate::markup::{self, Button, buttons};
use crate::{World, entities, files};

/// A message is deleted within this time or never.
const DELETABLE: i64 = 48 * HOUR;
/// `deleteMessages` takes so many.
const MOST_AT_ONCE: usize = 100;

/// A message that the bot put into a chat, or what it made of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Where.
    pub chat_id: i64,
    /// Its id there.
    pub message_id: i64,
    /// As it arrived; under a file what is written there.
    pub text: String,
    /// What Telegram takes its file for, and what names that.
    pub file: Option<(String, String)>,
    /// The message that it answers.
    pub reply_to: Option<i64>,
    /// The topic that it is in.
    pub thread_id: Option<i64>,
    /// What stands out in the text.
    pub entities: Vec<Value>,
    /// What stands under it.
    pub buttons: Vec<Button>,
    /// When.
    pub at: Timestamp,
}

impl Sent {
    fn of(chat_id: i64, message: &Value, reply_to: Option<i64>, at: Timestamp) -> Self {
        Self {
            chat_id,
            message_id: message["message_id"].as_i64().unwrap_or_default(),
            text: ["text", "caption"].iter().find_map(|part| message[part].as_str()).unwrap_or_default().to_owned(),
            file: files::file_of(message),
            reply_to,
            thread_id: message["message_thread_id"].as_i64().filter(|_| message["is_topic_message"] == true),
            entities: ["entities", "caption_entities"]
                .iter()
                .find_map(|part| message[part].as_array().cloned())
                .unwrap_or_default(),
            buttons: buttons(message),
            at,
        }
    }
}

impl World {
    pub(crate) fn send_message(&mut self, parameters: &Value) -> Outcome {
        self.chat(parameters)?;
        let content = entities::text(parameters)?;
        self.send(parameters, content)
    }

    /// Puts a message of the bot's into a chat.
    pub(crate) fn send(&mut self, parameters: &Value, mut content: Value) -> Outcome {
        let now = self.clock.now();
        let chat = self.chat(parameters)?;
        content["reply_markup"] = markup::checked(parameters)?.unwrap_or_default();
        let asked = chat.writable_thread(whole(parameters, "message_thread_id"))?;
        let (reply_to, thread_id) = answered(chat, &parameters["reply_parameters"], asked)?;
        let message = chat.add(Draft { from: bot_user(), content, reply_to, thread_id, sender_chat: None }, now);
        let sent = Sent::of(chat.id, &message, reply_to, now);
        self.sent.push(sent);
        Ok(message)
    }

    pub(crate) fn edit_message_text(&mut self, parameters: &Value) -> Outcome {
        let mut content = entities::text(parameters)?;
        content["reply_markup"] = markup::checked(parameters)?.unwrap_or_default();
        self.edit(parameters, "text", &content)
    }

    pub(crate) fn edit_message_caption(&mut self, parameters: &Value) -> Outcome {
        let mut content = entities::caption(parameters)?;
        content["reply_markup"] = markup::checked(parameters)?.unwrap_or_default();
        self.edit(parameters, "caption", &content)
    }

    pub(crate) fn edit_message_reply_markup(&mut self, parameters: &Value) -> Outcome {
        let content = json!({"reply_markup": markup::checked(parameters)?});
        self.edit(parameters, "message", &content)
    }

    /// A message has a text or a caption; `part` is the one that is to be changed.
    fn edit(&mut self, parameters: &Value, part: &str, content: &Value) -> Outcome {
        let now = self.clock.now();
        let chat = self.chat(parameters)?;
        let message_id = whole(parameters, "message_id").unwrap_or_default();
        let Some(message) = chat.messages.get(&message_id) else {
            return Err(Answer::bad("message to edit not found"));
        };
        if !chat.is_of_bot(message_id) {
            return Err(Answer::bad("message can't be edited"));
        }
        if (part == "text") == message["text"].is_null() && part != "message" {
            return Err(Answer::bad(&format!("there is no {part} in the message to edit")));
        }
        let same = content.as_object().is_some_and(|fields| fields.iter().all(|(name, value)| message[name] == *value));
        if same {
            let words = "message is not modified: specified new message content and reply markup are exactly the same as \
                         a current content and reply markup of the message";
            return Err(Answer::bad(words));
        }
        let message = chat.change(message_id, content, now).unwrap_or_default();
        let reply_to = message["reply_to_message"]["message_id"].as_i64();
        let edited = Sent::of(chat.id, &message, reply_to, now);
        self.edits.push(edited);
        Ok(message)
    }

    pub(crate) fn delete_message(&mut self, parameters: &Value) -> Outcome {
        let now = self.clock.now();
        let chat = self.chat(parameters)?;
        let message_id = whole(parameters, "message_id").unwrap_or_default();
        check_deletable(chat, message_id, now)?;
        chat.messages.remove(&message_id);
        Ok(json!(true))
    }

    /// Those that cannot be found are passed over.
    pub(crate) fn delete_messages(&mut self, parameters: &Value) -> Outcome {
        let now = self.clock.now();
        let chat = self.chat(parameters)?;
        let ids = parameters["message_ids"].as_array().map(Vec::as_slice).unwrap_or_default();
        if ids.is_empty() || ids.len() > MOST_AT_ONCE {
            return Err(Answer::bad("message identifiers are not specified"));
        }
        let there: Vec<_> = ids.iter().filter_map(Value::as_i64).filter(|id| chat.messages.contains_key(id)).collect();
        there.iter().try_for_each(|id| check_deletable(chat, *id, now))?;
        chat.messages.retain(|id, _| !there.contains(id));
        Ok(json!(true))
    }

    pub(crate) fn set_message_reaction(&mut self, parameters: &Value) -> Outcome {
        let chat = self.chat(parameters)?;
        let message_id = whole(parameters, "message_id").unwrap_or_default();
        let message = chat.messages.get_mut(&message_id).ok_or_else(|| Answer::bad("message to react not found"))?;
        let reactions = parameters["reaction"].as_array().cloned().unwrap_or_default();
        if reactions.len() > 1 {
            return Err(Answer::bad("REACTIONS_TOO_MANY"));
        }
        message["bot_reaction"] = reactions.first().map(|reaction| reaction["emoji"].clone()).unwrap_or_default();
        Ok(json!(true))
    }
}

/// The message that a new one answers, and the topic that it goes to.
fn answered(chat: &Chat, reply: &Value, thread_id: Option<i64>) -> Result<(Option<i64>, Option<i64>), Answer> {
    let Some(asked) = reply["message_id"].as_i64() else { return Ok((None, thread_id)) };
    let not_found = Err(Answer::bad("message to be replied not found"));
    if !chat.messages.contains_key(&asked) {
        let may = reply["allow_sending_without_reply"] == true;
        return if may { Ok((None, thread_id)) } else { not_found };
    }
    let there = chat.topic_of(asked);
    if thread_id.is_some() && there != thread_id { not_found } else { Ok((Some(asked), there)) }
}

fn check_deletable(chat: &Chat, message_id: i64, now: Timestamp) -> Result<(), Answer> {
    let Some(message) = chat.messages.get(&message_id) else {
        return Err(Answer::bad("message to delete not found"));
    };
    let age = now.0 - message["date"].as_i64().unwrap_or_default() * SECOND;
    let may = chat.is_of_bot(message_id) || chat.is_private() || chat.rights().is_some_and(|had| had.delete_messages);
    match (may, age < DELETABLE) {
        (true, true) => Ok(()),
        (true, false) => Err(Answer::bad("message can't be deleted for everyone")),
        (false, _) => Err(Answer::bad("message can't be deleted")),
    }
}
