//! Topics of a forum.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::{Telegram, TelegramError};

/// A topic's name has 1–128 characters.
pub const MAX_TITLE: usize = 128;

#[derive(Serialize)]
struct CreateForumTopic<'a> {
    chat_id: i64,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon_custom_emoji_id: Option<&'a str>,
}

#[derive(Serialize)]
struct EditForumTopic<'a> {
    chat_id: i64,
    message_thread_id: i64,
    #[serde(rename = "icon_custom_emoji_id")]
    icon: &'a str,
}

#[derive(Serialize)]
struct TopicOf {
    chat_id: i64,
    message_thread_id: i64,
}

#[derive(Deserialize)]
struct ForumTopic {
    message_thread_id: i64,
}

/// A sticker that may be a topic's icon.
#[derive(Clone, Debug, Deserialize)]
pub struct IconSticker {
    /// The emoji it stands for.
    #[serde(default)]
    pub emoji: String,
    /// What names it to Telegram.
    #[serde(default)]
    pub custom_emoji_id: String,
}

impl Telegram {
    /// Makes a topic and answers its id. Not idempotent: each call makes another one.
    pub async fn create_topic(&self, chat_id: i64, name: &str, icon: Option<&str>) -> Result<i64, TelegramError> {
        let body = CreateForumTopic { chat_id, name, icon_custom_emoji_id: icon };
        self.call::<ForumTopic>("createForumTopic", &body).await.map(|topic| topic.message_thread_id)
    }

    /// Gives a topic another icon.
    pub async fn set_topic_icon(&self, chat_id: i64, thread_id: i64, icon: &str) -> Result<(), TelegramError> {
        let body = EditForumTopic { chat_id, message_thread_id: thread_id, icon };
        done(self.call("editForumTopic", &body).await)
    }

    /// Closes a topic; a closed one stays so.
    pub async fn close_topic(&self, chat_id: i64, thread_id: i64) -> Result<(), TelegramError> {
        done(self.call("closeForumTopic", &TopicOf { chat_id, message_thread_id: thread_id }).await)
    }

    /// Opens a closed topic again; an open one stays so.
    pub async fn reopen_topic(&self, chat_id: i64, thread_id: i64) -> Result<(), TelegramError> {
        done(self.call("reopenForumTopic", &TopicOf { chat_id, message_thread_id: thread_id }).await)
    }

    /// Deletes a topic with every message in it.
    pub async fn delete_topic(&self, chat_id: i64, thread_id: i64) -> Result<(), TelegramError> {
        done(self.call("deleteForumTopic", &TopicOf { chat_id, message_thread_id: thread_id }).await)
    }

    /// The stickers that every bot may use as icons of topics.
    pub async fn topic_icons(&self) -> Result<Vec<IconSticker>, TelegramError> {
        self.call("getForumTopicIconStickers", &serde_json::json!({})).await
    }
}

/// A topic that is as it should be is as good as changed.
fn done(answer: Result<IgnoredAny, TelegramError>) -> Result<(), TelegramError> {
    match answer {
        Err(error) if error.bad_request().is_some_and(|words| words.contains("TOPIC_NOT_MODIFIED")) => Ok(()),
        answer => answer.map(|_| ()),
    }
}

/// Whether a refusal says that there is no such topic, or none that the bot can reach any more.
pub fn is_gone(error: &TelegramError) -> bool {
    const WORDS: [&str; 4] = ["message thread not found", "TOPIC_DELETED", "TOPIC_ID_INVALID", "topic not found"];
    error.bad_request().is_some_and(|words| WORDS.iter().any(|word| words.contains(word)))
}

/// Whether a refusal says that the topic is closed, to the bot as well.
pub fn is_closed(error: &TelegramError) -> bool {
    error.bad_request().is_some_and(|words| words.contains("TOPIC_CLOSED"))
}

/// Whether a refusal says that the group has no topics.
pub fn is_no_forum(error: &TelegramError) -> bool {
    error.bad_request().is_some_and(|words| words.contains("not a forum") || words.contains("FORUM_DISABLED"))
}
