//! Updates, read leniently: our own few fields, each optional and each read on its own, so that no new kind, field or
//! value of Telegram's ever makes the rest unreadable.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::Value;

use super::media::Media;
use super::setup::ChatMember;

/// One update of the webhook. Of a kind that is not listed here nothing is set but its id.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Update {
    /// Unique; repeated when our answer was lost.
    #[serde(deserialize_with = "lenient")]
    pub update_id: Option<i64>,
    /// Somebody wrote, or something happened in a chat.
    #[serde(deserialize_with = "lenient")]
    pub message: Option<TelegramMessage>,
    /// Somebody changed what they wrote.
    #[serde(deserialize_with = "lenient")]
    pub edited_message: Option<TelegramMessage>,
    /// Somebody pressed a button of ours.
    #[serde(deserialize_with = "lenient")]
    pub callback_query: Option<CallbackQuery>,
    /// Somebody changed their reaction to a message.
    #[serde(deserialize_with = "lenient")]
    pub message_reaction: Option<ReactionChange>,
    /// The bot's own standing in a chat changed.
    #[serde(deserialize_with = "lenient")]
    pub my_chat_member: Option<Standing>,
}

impl Update {
    /// Reads a request's body. `None`: it is no JSON object.
    pub fn read(body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        // A derived struct would also take an array, field by field.
        if value.is_object() { Self::deserialize(value).ok() } else { None }
    }

    /// The id alone, which is found in bodies too that cannot be read as a whole.
    pub fn id_of(body: &[u8]) -> Option<i64> {
        #[derive(Deserialize)]
        struct Head {
            update_id: i64,
        }
        Some(serde_json::from_slice::<Head>(body).ok()?.update_id)
    }

    /// Whether it is of a kind that we know, and could be read.
    pub fn is_understood(&self) -> bool {
        self.message.is_some()
            || self.edited_message.is_some()
            || self.callback_query.is_some()
            || self.message_reaction.is_some()
            || self.my_chat_member.is_some()
    }
}

/// A message in Telegram, or what it tells of a chat.
#[derive(Debug, Default, Deserialize)]
pub struct TelegramMessage {
    /// Unique within its chat.
    pub message_id: i64,
    /// Where.
    pub chat: Chat,
    /// The thread; of a topic only if [`Self::is_topic_message`].
    #[serde(default, deserialize_with = "lenient")]
    pub message_thread_id: Option<i64>,
    /// Whether [`Self::message_thread_id`] is a topic's. Otherwise it is a reply's, and means nothing to us.
    #[serde(default, deserialize_with = "lenient_or_default")]
    pub is_topic_message: bool,
    /// Who. A channel's or an anonymous administrator's message names a stand-in here.
    #[serde(default, deserialize_with = "lenient")]
    pub from: Option<User>,
    /// The chat in whose name it was written: the group's own for its anonymous administrators.
    #[serde(default, deserialize_with = "lenient")]
    pub sender_chat: Option<Chat>,
    /// An anonymous administrator's title.
    #[serde(default, deserialize_with = "lenient")]
    pub author_signature: Option<String>,
    /// A linked channel's post, brought here by Telegram.
    #[serde(default, deserialize_with = "lenient_or_default")]
    pub is_automatic_forward: bool,
    /// Its text, when it is one.
    #[serde(default, deserialize_with = "lenient")]
    pub text: Option<String>,
    /// The message that it answers.
    #[serde(default, deserialize_with = "lenient")]
    pub reply_to_message: Option<Answered>,
    /// What it holds besides text.
    #[serde(flatten)]
    pub media: Media,
    /// The topic was closed.
    #[serde(default, deserialize_with = "lenient")]
    pub forum_topic_closed: Option<Happened>,
    /// The topic was opened again.
    #[serde(default, deserialize_with = "lenient")]
    pub forum_topic_reopened: Option<Happened>,
    /// The group became the supergroup of this id.
    #[serde(default, deserialize_with = "lenient")]
    pub migrate_to_chat_id: Option<i64>,
    /// The supergroup was the group of this id.
    #[serde(default, deserialize_with = "lenient")]
    pub migrate_from_chat_id: Option<i64>,
}

impl TelegramMessage {
    /// The topic that it stands in.
    pub fn topic(&self) -> Option<i64> {
        self.message_thread_id.filter(|_| self.is_topic_message)
    }
}

/// As much of a message that another one answers as matters.
#[derive(Debug, Default, Deserialize)]
pub struct Answered {
    /// Unique within its chat.
    pub message_id: i64,
    /// Who wrote it.
    #[serde(default, deserialize_with = "lenient")]
    pub from: Option<User>,
}

/// Something that has no particulars.
#[derive(Debug, Deserialize)]
pub struct Happened {}

/// A chat.
#[derive(Debug, Default, Deserialize)]
pub struct Chat {
    /// Up to 52 bits; a person's private chat has the person's own.
    pub id: i64,
    /// `private`, `group`, `supergroup`, `channel` or what else there may be.
    #[serde(default, rename = "type", deserialize_with = "lenient")]
    pub kind: Option<String>,
}

impl Chat {
    /// Whether it is a person's chat with the bot.
    pub fn is_private(&self) -> bool {
        self.kind.as_deref() == Some("private")
    }
}

/// A person or bot.
#[derive(Debug, Default, Deserialize)]
pub struct User {
    /// Unique in all of Telegram.
    pub id: i64,
    /// Whether it is a bot.
    #[serde(default, deserialize_with = "lenient_or_default")]
    pub is_bot: bool,
    /// Never empty with Telegram.
    #[serde(default, deserialize_with = "lenient_or_default")]
    pub first_name: String,
    /// Often absent.
    #[serde(default, deserialize_with = "lenient")]
    pub last_name: Option<String>,
    /// The language of the person's Telegram, as an IETF tag.
    #[serde(default, deserialize_with = "lenient")]
    pub language_code: Option<String>,
}

impl User {
    /// The name that visitors see.
    pub fn name(&self) -> String {
        let full = format!("{} {}", self.first_name, self.last_name.as_deref().unwrap_or_default());
        full.trim().to_owned()
    }
}

/// A press of a button.
#[derive(Debug, Default, Deserialize)]
pub struct CallbackQuery {
    /// What an answer names.
    pub id: String,
    /// Who.
    pub from: User,
    /// The message with the button; Telegram leaves its particulars out when it is old.
    #[serde(default, deserialize_with = "lenient")]
    pub message: Option<TelegramMessage>,
    /// What the button says, at most 64 bytes of ours. A client can send others.
    #[serde(default, deserialize_with = "lenient")]
    pub data: Option<String>,
}

/// A change of one person's reactions to one message.
#[derive(Debug, Default, Deserialize)]
pub struct ReactionChange {
    /// Where.
    pub chat: Chat,
    /// To which message.
    pub message_id: i64,
    /// Who, unless anonymously.
    #[serde(default, deserialize_with = "lenient")]
    pub user: Option<User>,
    /// What it was.
    #[serde(default, deserialize_with = "lenient_each")]
    pub old_reaction: Vec<Reaction>,
    /// What it is.
    #[serde(default, deserialize_with = "lenient_each")]
    pub new_reaction: Vec<Reaction>,
}

/// A reaction.
#[derive(Debug, Default, Deserialize)]
pub struct Reaction {
    /// The emoji; a custom one has none.
    #[serde(default, deserialize_with = "lenient")]
    pub emoji: Option<String>,
}

/// The bot's standing in a chat.
#[derive(Debug, Default, Deserialize)]
pub struct Standing {
    /// Where.
    pub chat: Chat,
    /// What it is now.
    #[serde(default, deserialize_with = "lenient")]
    pub new_chat_member: Option<ChatMember>,
}

/// A part, or nothing where it is not what we expect.
pub fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(T::deserialize(Value::deserialize(deserializer)?).ok())
}

fn lenient_or_default<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(d: D) -> Result<T, D::Error> {
    Ok(lenient(d)?.unwrap_or_default())
}

/// The parts of a list that are what we expect.
pub(super) fn lenient_each<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let parts: Option<Vec<Value>> = lenient(deserializer)?;
    Ok(parts.unwrap_or_default().into_iter().filter_map(|part| T::deserialize(part).ok()).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(update: &Value) -> Update {
        Update::read(update.to_string().as_bytes()).expect("an object")
    }

    #[test]
    fn a_part_that_is_not_understood_takes_nothing_else_with_it() {
        let update = read(&json!({"update_id": 7, "message": {
            "message_id": 3, "chat": {"id": -100, "type": {"of": "2031"}}, "text": "hello", "date": "soon",
            "from": {"id": 5, "first_name": ["Olga"], "is_bot": "no"}, "reply_to_message": "of 2031",
            "message_thread_id": "3", "is_topic_message": 1, "entities": 7,
        }, "callback_query": [], "message_reaction": {"chat": {"id": -100}, "message_id": 3, "new_reaction": [
            7, {"type": "emoji", "emoji": "👍"}, {"type": "of_2031", "emoji": 8}]}}));

        let message = update.message.unwrap();
        assert_eq!((update.update_id, message.text.as_deref(), message.chat.id), (Some(7), Some("hello"), -100));
        assert_eq!((message.from.unwrap().id, message.chat.kind.as_deref()), (5, None));
        assert!(message.reply_to_message.is_none() && !message.is_topic_message && update.callback_query.is_none());
        let reactions = update.message_reaction.unwrap().new_reaction;
        assert_eq!(reactions.iter().map(|one| one.emoji.as_deref()).collect::<Vec<_>>(), [Some("👍"), None]);
    }

    #[test]
    fn the_id_is_found_in_what_cannot_be_read() {
        let surrogate = br#"{"message":{"text":"\ud800"},"update_id":7}"#;
        let deep = format!(r#"{{"update_id":8,"x":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));

        assert!(Update::read(surrogate).is_none() && Update::read(deep.as_bytes()).is_none());
        assert_eq!((Update::id_of(surrogate), Update::id_of(deep.as_bytes())), (Some(7), Some(8)));
        assert_eq!((Update::id_of(b"{}"), Update::id_of(br#"{"update_id":"7"}"#)), (None, None));
    }

    #[test]
    fn an_unknown_kind_is_told_from_a_known_one() {
        assert!(!read(&json!({"update_id": 1, "of_2031": {"message_id": 1}})).is_understood());
        assert!(!read(&json!({"update_id": 1, "message": 7})).is_understood());
        assert!(read(&json!({"update_id": 1, "message": {"message_id": 1, "chat": {"id": 1}}})).is_understood());
    }
}
