//! What ties Telegram to conversations.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::StoreResult;
use crate::time::Timestamp;

/// A message in Telegram that stands for one of ours, or for the topic of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelegramLink {
    /// The chat.
    pub chat_id: i64,
    /// The message there; a topic's is the one that made it, whose id is the topic's own.
    pub message_id: i64,
    /// Our conversation.
    pub conversation_id: String,
    /// Our message; 0 for what stands for the conversation: its announcement, its topic.
    pub seq: i64,
}

/// How far a conversation is mirrored in the operators' chat. Written by the notifier only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct TelegramMirror {
    /// Our conversation.
    pub conversation_id: String,
    /// The chat; one that differs from the present one makes the rest void.
    pub chat_id: i64,
    /// The conversation's topic there; absent in a chat without topics.
    pub thread_id: Option<i64>,
    /// The topic's name.
    pub title: String,
    /// The state that the topic's icon shows.
    pub icon: String,
    /// Whether the topic is closed.
    pub is_closed: bool,
    /// Whether the chat has been told of the conversation.
    pub is_announced: bool,
    /// Whether what was said before is still to be repeated, since the place there is new.
    pub is_replaying: bool,
    /// Whether admins were told that something hinders it.
    pub is_troubled: bool,
    /// Every message up to this one has been sent, but for [`Self::failures`].
    pub sent_seq: i64,
    /// When a visitor's message was last sent.
    pub sent_at: Timestamp,
    /// Messages that Telegram will never take, and why. The newest 20.
    pub failures: Vec<(i64, String)>,
    /// How much is there of what comes next.
    pub pieces: usize,
    /// The place of the last event that is there.
    pub position: i64,
    /// What was posted, oldest first. The newest 20.
    pub posts: Vec<MirrorPost>,
    /// The visitor's private chat.
    pub visitor: Option<VisitorMirror>,
}

/// How far a conversation is in its visitor's private chat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VisitorMirror {
    /// The chat; another one begins anew.
    pub chat_id: i64,
    /// Whether what was said before is there.
    pub is_greeted: bool,
    /// Every message of the other side's up to this one is there.
    pub sent_seq: i64,
    /// How much is there of what comes next.
    pub pieces: usize,
    /// The place of the last event that is there.
    pub position: i64,
    /// What was posted, oldest first. The newest 20.
    pub posts: Vec<MirrorPost>,
}

/// A message in Telegram and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorPost {
    /// Its id there.
    pub message_id: i64,
    /// The first of our messages in it,
    pub from: i64,
    /// and the last. A long one of ours may be in several.
    pub to: i64,
    /// Whether it is a file, with the message under it.
    #[serde(default)]
    pub is_file: bool,
}

/// What is known of an update that was handled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// What Telegram was answered.
    pub answer: Option<String>,
    /// The update itself, where it could not be handled.
    pub aside: Option<String>,
}

/// What ties Telegram's ids to ours.
#[async_trait]
pub trait TelegramLinks: Send + Sync {
    /// Stores a link; the same again changes nothing. Links of a conversation that is gone are not stored.
    async fn link(&self, link: &TelegramLink) -> StoreResult<()>;
    /// The link of a Telegram message.
    async fn linked(&self, chat_id: i64, message_id: i64) -> StoreResult<Option<TelegramLink>>;
    /// The links of one conversation in a chat, newest `message_id` first, at most `limit`.
    async fn links_of(&self, conversation_id: &str, chat_id: i64, limit: i64) -> StoreResult<Vec<TelegramLink>>;
    /// A conversation's mirror.
    async fn mirror(&self, conversation_id: &str) -> StoreResult<Option<TelegramMirror>>;
    /// Stores a mirror in place of the one before. `false`: the conversation is gone, and nothing was stored.
    async fn save_mirror(&self, mirror: &TelegramMirror) -> StoreResult<bool>;
    /// Makes a visitor's private chat the place where a conversation goes on; a chat has one conversation at most, a
    /// conversation one chat. `false`: the conversation is gone.
    async fn bind_chat(&self, chat_id: i64, conversation_id: &str) -> StoreResult<bool>;
    /// Unbinds a private chat.
    async fn unbind_chat(&self, chat_id: i64) -> StoreResult<()>;
    /// The conversation that goes on in a private chat.
    async fn chat_conversation(&self, chat_id: i64) -> StoreResult<Option<String>>;
    /// Stores the hash of a one-time start link. Those of a conversation that is gone are not stored.
    async fn put_start(&self, token_hash: &str, conversation_id: &str, expires_at: Timestamp) -> StoreResult<()>;
    /// Takes a start link: its conversation, once. Of racing callers one gets it.
    async fn take_start(&self, token_hash: &str, now: Timestamp) -> StoreResult<Option<String>>;
    /// `true` the first time an `update_id` is seen before `expires_at` of its first sight, which keeps `sight`.
    async fn first_sight(
        &self,
        update_id: i64,
        sight: &Sight,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> StoreResult<bool>;
    /// The first sight of an `update_id`, while it has not ended.
    async fn sight(&self, update_id: i64, now: Timestamp) -> StoreResult<Option<Sight>>;
}
