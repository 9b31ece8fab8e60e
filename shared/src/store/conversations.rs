//! Conversations and their messages.

use async_trait::async_trait;

use super::{Page, PageRequest, StoreResult};
use crate::model::{Activity, Conversation, Message, Note, Reader, Status};
use crate::rate_limit::Rate;
use crate::time::Timestamp;

/// A conversation about to be.
#[derive(Clone, Debug)]
pub struct NewConversation {
    /// Its head, with nothing said yet: `head_seq` 0, no tags.
    pub conversation: Conversation,
    /// [`crate::id::Secret::hash`] of the resume token.
    pub resume_hash: String,
}

/// Which conversations a list shows; every given part must hold.
#[derive(Clone, Debug, Default)]
pub struct ConversationFilter {
    /// In this state.
    pub status: Option<Status>,
    /// With this tag.
    pub tag: Option<String>,
    /// Of this site.
    pub site: Option<String>,
    /// Terms ([`crate::search::terms`]), each the beginning of a word of the visitor's name or of a message.
    pub terms: Vec<String>,
}

/// Conversations: heads, tags, read marks, the list.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// Stores a new conversation and its `ConversationOpened` event in one step. The same id again changes nothing.
    async fn create(&self, new: &NewConversation) -> StoreResult<()>;
    /// One conversation, `online` included.
    async fn conversation(&self, conversation_id: &str, now: Timestamp) -> StoreResult<Option<Conversation>>;
    /// The conversation if `resume_hash` is its resume token's hash; a wrong token and an unknown id look the same.
    async fn conversation_by_token(
        &self,
        conversation_id: &str,
        resume_hash: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Conversation>>;
    /// A page of the list, by `last_activity_at`, newest first. With terms an empty page with a cursor may occur.
    async fn conversations(
        &self,
        filter: &ConversationFilter,
        page: &PageRequest,
        now: Timestamp,
    ) -> StoreResult<Page<Conversation>>;
    /// Closes or reopens, with the event. `None`: no such conversation. The flag tells whether anything changed.
    /// Closing ends waiting (`waiting_since` becomes `None`).
    async fn set_status(
        &self,
        conversation_id: &str,
        status: Status,
        now: Timestamp,
    ) -> StoreResult<Option<(Conversation, bool)>>;
    /// Moves a side's read mark forward to `seq`, but not past `head_seq`. `Some(mark)` when it moved, `None` when not. The line
    /// of the audit trail goes with a move; on SQL in one step.
    async fn mark_read(
        &self,
        conversation_id: &str,
        reader: Reader,
        seq: i64,
        line: Option<&Activity>,
    ) -> StoreResult<Option<i64>>;
    /// Adds a tag; answers all tags, or `None` without such a conversation.
    async fn add_tag(&self, conversation_id: &str, tag: &str) -> StoreResult<Option<Vec<String>>>;
    /// Takes a tag away; answers the rest, or `None` without such a conversation.
    async fn remove_tag(&self, conversation_id: &str, tag: &str) -> StoreResult<Option<Vec<String>>>;
    /// Takes a conversation on, with the event. The first claim wins: of any number of racing callers one changes anything.
    /// `None`: no such conversation. The flag tells whether this call changed anything; the conversation says who has it.
    async fn claim(
        &self,
        conversation_id: &str,
        name: &str,
        now: Timestamp,
    ) -> StoreResult<Option<(Conversation, bool)>>;
    /// Ends a claim, whoever has it, with the event. The flag tells whether there was one.
    async fn release(&self, conversation_id: &str, now: Timestamp) -> StoreResult<Option<(Conversation, bool)>>;
    /// Adds a note with the next dense `seq` (the given one is ignored), with the event. The same `id` again answers the first
    /// note and `false`. `None`: no such conversation.
    async fn add_note(&self, note: &Note) -> StoreResult<Option<(Note, bool)>>;
    /// The newest 100 notes of a conversation, oldest first.
    async fn notes(&self, conversation_id: &str) -> StoreResult<Vec<Note>>;
    /// Erases the conversation and every row that belongs to it (messages, tags, notes, index, links, mirror, attachments,
    /// statistics, waiting events; live connections stay but are unbound; audit rows stay: they hold ids only), leaving one
    /// `ConversationDeleted` event, whose `seq` is the topic of its mirror (0 = none).
    /// `false` without such a conversation.
    async fn delete(&self, conversation_id: &str, now: Timestamp) -> StoreResult<bool>;
    /// Ids of closed conversations without activity since `before`, oldest first, at most `limit`.
    async fn closed_before(&self, before: Timestamp, limit: i64) -> StoreResult<Vec<String>>;
}

/// How [`Messages::append`] ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Appended {
    /// Stored: the message with its `seq`, and who is to hear of it.
    Stored {
        /// As stored.
        message: Message,
        /// The live connections at the moment of storing.
        audience: Audience,
    },
    /// This `client_id` was stored before: the first message, unchanged. Nothing was taken from the bucket.
    Duplicate(Message),
    /// The conversation is closed.
    Closed,
    /// There is no such conversation.
    NotFound,
    /// The bucket is empty.
    RateLimited {
        /// Until the next token, in milliseconds.
        retry_after_ms: i64,
    },
}

/// The live connections that a frame of one conversation goes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// The visitor's, bound to this conversation.
    pub visitor: Vec<String>,
    /// Every admin's.
    pub admins: Vec<String>,
}

impl Audience {
    /// Both sides.
    pub fn everyone(self) -> Vec<String> {
        [self.visitor, self.admins].concat()
    }
}

/// Places of a conversation: `after < seq < before`, the first of them, or the last when `newest`.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Behind this one.
    pub after: i64,
    /// Before this one.
    pub before: i64,
    /// The last ones rather than the first.
    pub newest: bool,
}

/// Messages: append exactly once, read by place.
#[async_trait]
pub trait Messages: Conversations {
    /// Appends in one atomic step: the next dense `seq` and the `id` that goes with it (whatever is given), the `client_id`, the bucket
    /// `message:{conversation_id}` when `rate` is given, the head (`head_seq`, `last_message`, `last_activity_at`,
    /// `waiting_since`; an admin's message also moves `admin_read`, a visitor's `visitor_read`), the statistics, and the
    /// `MessageStored` event. A visitor's message gets the conversation's `visitor_name` as its author, whatever is given.
    /// The order of tests is: conversation exists, duplicate, open, bucket.
    async fn append(&self, message: &Message, rate: Option<Rate>) -> StoreResult<Appended>;
    /// As [`Self::append`], of somebody of the team, with the line of the audit trail that tells of it and of its `seq`; on SQL
    /// in one step. There is no line of what was not stored.
    async fn append_told(&self, message: &Message, line: &Activity) -> StoreResult<Appended>;
    /// As [`Self::append`], of a visitor's socket that [`super::ConnectionRows::recent_connection`] told of. `None`: the
    /// conversation does not have that socket, or is gone, and nothing was changed.
    async fn append_from(&self, socket: &str, message: &Message, rate: Option<Rate>) -> StoreResult<Option<Appended>> {
        let _ = socket;
        self.append(message, rate).await.map(Some)
    }
    /// As [`Self::append`], of whoever presents a resume token. `None`: it does not open the conversation, or there is none, and
    /// nothing was changed.
    async fn append_by_token(
        &self,
        resume_hash: &str,
        message: &Message,
        rate: Option<Rate>,
    ) -> StoreResult<Option<Appended>> {
        match self.conversation_by_token(&message.conversation_id, resume_hash, message.created_at).await? {
            Some(_) => self.append(message, rate).await.map(Some),
            None => Ok(None),
        }
    }
    /// Replaces a message's text and sets `edited_at`, with the event; adjusts the head's preview. `None`: no such message.
    async fn edit(
        &self,
        conversation_id: &str,
        seq: i64,
        content: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Message>>;
    /// Sets or takes away the reaction to a message, without an event. The flag tells whether it changed. `None`: no such
    /// message.
    async fn react(
        &self,
        conversation_id: &str,
        seq: i64,
        reaction: Option<&str>,
    ) -> StoreResult<Option<(Message, bool)>>;
    /// One message by its own id.
    async fn message(&self, id: &str) -> StoreResult<Option<Message>>;
    /// One message by the `client_id` of its sender.
    async fn message_by_client_id(&self, conversation_id: &str, client_id: &str) -> StoreResult<Option<Message>>;
    /// Messages with `after < seq < before`, ascending: the first `limit` of them, or the last when `newest`.
    async fn messages(
        &self,
        conversation_id: &str,
        after: i64,
        before: i64,
        newest: bool,
        limit: i64,
    ) -> StoreResult<Vec<Message>>;
    /// [`Self::messages`] together with their conversation, whose particulars (language, page, browser) may be missing: what
    /// people read, as cheap as the store can. A text that was edited within the last second may still be the old one.
    async fn history(
        &self,
        conversation_id: &str,
        place: Place,
        limit: i64,
        now: Timestamp,
    ) -> StoreResult<Option<(Conversation, Vec<Message>)>> {
        let Some(conversation) = self.conversation(conversation_id, now).await? else { return Ok(None) };
        let Place { after, before, newest } = place;
        Ok(Some((conversation, self.messages(conversation_id, after, before, newest, limit).await?)))
    }
}
