//! What a database must promise. Nine nouns, one trait each, and [`Store`] for all of them.
//!
//! Adapters: `sql` (SQLite and PostgreSQL). One conformance suite holds every method of every trait on all of them.
//!
//! Promises that hold for every method: what it answered is durable; it is safe to call again after a lost answer;
//! rows whose `expires_at` has passed are never answered, whether swept or not; `now` is an argument.

#[cfg(feature = "sql")]
pub mod sql;

use std::sync::Arc;

use async_trait::async_trait;

use crate::config::Config;
use crate::event::{Event, Lane};
use crate::model::{Activity, Connection, Conversation, Message, Reader, Session, Status};
use crate::rate_limit::Rate;
use crate::time::Timestamp;

/// Why a store did not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is full or busy; trying again later may help.
    #[error("the store is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database answered something that must not be; trying again will not help.
    #[error("the store failed")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What a store method answers.
pub type StoreResult<T> = Result<T, StoreError>;

/// One page of a list, newest first unless the method says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, at most as many as asked for.
    pub items: Vec<T>,
    /// Hands to the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// Where a page begins: a limit (1–100) and the cursor of the page before.
///
/// A cursor is an opaque string of `[A-Za-z0-9_-]`; one that no store made is answered like an absent one would be after
/// the last item: an empty page.
#[derive(Clone, Debug, Default)]
pub struct PageRequest {
    /// At most so many items.
    pub limit: i64,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

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
    /// A page of the list, by `last_activity_at`, newest first.
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
    /// Moves a side's read mark forward to `seq`, but not past `head_seq`. `Some(mark)` when it moved, `None` when not.
    async fn mark_read(&self, conversation_id: &str, reader: Reader, seq: i64) -> StoreResult<Option<i64>>;
    /// Adds a tag; answers all tags, or `None` without such a conversation.
    async fn add_tag(&self, conversation_id: &str, tag: &str) -> StoreResult<Option<Vec<String>>>;
    /// Takes a tag away; answers the rest, or `None` without such a conversation.
    async fn remove_tag(&self, conversation_id: &str, tag: &str) -> StoreResult<Option<Vec<String>>>;
    /// Erases the conversation and every row that belongs to it (messages, tags, index, links, statistics, waiting events;
    /// live connections stay but are unbound; audit rows stay: they hold ids only), leaving one `ConversationDeleted` event.
    /// `false` without such a conversation.
    async fn delete(&self, conversation_id: &str, now: Timestamp) -> StoreResult<bool>;
    /// Ids of closed conversations without activity since `before`, oldest first, at most `limit`.
    async fn closed_before(&self, before: Timestamp, limit: i64) -> StoreResult<Vec<String>>;
}

/// How [`Messages::append`] ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Appended {
    /// Stored: the message with its `seq`, the head after it, and who is to hear of it.
    Stored {
        /// As stored.
        message: Message,
        /// After the message; `online` is not filled in here.
        conversation: Box<Conversation>,
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

/// Messages: append exactly once, read by place.
#[async_trait]
pub trait Messages: Send + Sync {
    /// Appends in one atomic step: the next dense `seq` (the given one is ignored), the `client_id`, the bucket
    /// `message:{conversation_id}` when `rate` is given, the head (`head_seq`, `last_message`, `last_activity_at`,
    /// `waiting_since`; an admin's message also moves `admin_read`, a visitor's `visitor_read`), the statistics, and the
    /// `MessageStored` event. A visitor's message gets the conversation's `visitor_name` as its author, whatever is given.
    /// The order of tests is: conversation exists, duplicate, open, bucket.
    async fn append(&self, message: &Message, rate: Option<Rate>) -> StoreResult<Appended>;
    /// Replaces a message's text and sets `edited_at`, with the event; adjusts the head's preview. `None`: no such message.
    async fn edit(
        &self,
        conversation_id: &str,
        seq: i64,
        content: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Message>>;
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
}

/// How many sockets there may be at once.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionCaps {
    /// Of this side.
    pub side: i64,
    /// From one address, both sides together.
    pub ip: i64,
}

/// How [`Connections::connect`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connected {
    /// The row stands.
    Stored,
    /// A cap is reached; nothing was stored.
    Full,
}

/// What the end of a connection changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnected {
    /// The row that is gone.
    pub connection: Connection,
    /// It was the conversation's (or the session's) last live one.
    pub last: bool,
}

/// Rows of live sockets. (Sending to them is [`crate::connections::Connections`].)
#[async_trait]
pub trait ConnectionRows: Send + Sync {
    /// Stores a connection unless a cap is reached. Racing callers never pass a cap together by more than their number
    /// minus one on DynamoDB, and not at all on SQL.
    async fn connect(&self, connection: &Connection, caps: ConnectionCaps) -> StoreResult<Connected>;
    /// One live connection.
    async fn connection(&self, connection_id: &str, now: Timestamp) -> StoreResult<Option<Connection>>;
    /// Binds a visitor's connection to a conversation (moving it from another one). `None`: no such connection.
    /// The flag: the conversation had no other live connection before.
    async fn bind(&self, connection_id: &str, conversation_id: &str, now: Timestamp) -> StoreResult<Option<bool>>;
    /// Forgets a connection.
    async fn disconnect(&self, connection_id: &str, now: Timestamp) -> StoreResult<Option<Disconnected>>;
    /// The connections that hear of a conversation.
    async fn audience(&self, conversation_id: &str, now: Timestamp) -> StoreResult<Audience>;
    /// Every admin's live connections.
    async fn admin_connections(&self, now: Timestamp) -> StoreResult<Vec<String>>;
    /// Every visitor's live, bound connections.
    async fn visitor_connections(&self, now: Timestamp) -> StoreResult<Vec<String>>;
    /// The live connections of one session.
    async fn session_connections(&self, session_id: &str, now: Timestamp) -> StoreResult<Vec<String>>;
    /// Sessions with at least one live connection.
    async fn admins_online(&self, now: Timestamp) -> StoreResult<i64>;
    /// Live admin connections whose session has ended or expired; for the sweep that closes them.
    async fn orphaned_admin_connections(&self, idle_since: Timestamp, now: Timestamp) -> StoreResult<Vec<String>>;
    /// Forgets all: for a gateway that starts, since its sockets died with the process before.
    async fn forget_connections(&self) -> StoreResult<()>;
}

/// A login code, waiting to be entered.
#[derive(Clone, Debug)]
pub struct LoginCode {
    /// Hash of the challenge that the asking browser holds in its cookie.
    pub challenge_hash: String,
    /// HMAC of challenge and code.
    pub code_hash: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// After this it is worth nothing.
    pub expires_at: Timestamp,
}

/// How [`Sessions::redeem_code`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// The code was right, is used up, and the session stands.
    Session,
    /// The code was wrong; the try was counted.
    Wrong,
    /// Unknown, expired, used up or out of tries: nothing was compared.
    Refused,
}

/// A session's token, found by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionToken {
    /// The session.
    pub session: Session,
    /// The token is the present one; otherwise it is the one before, in its grace.
    pub current: bool,
}

/// Logins: codes, sessions, tickets.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Stores a code. A second code for the same challenge replaces the first.
    async fn put_code(&self, code: &LoginCode) -> StoreResult<()>;
    /// Counts a try (at most `max_tries`, counted before comparing), then compares; a right code is used up and `session`
    /// with `token_hash` is stored in the same atomic step. Of any number of racing right codes exactly one wins.
    async fn redeem_code(
        &self,
        challenge_hash: &str,
        code_hash: &str,
        max_tries: i64,
        session: &Session,
        token_hash: &str,
    ) -> StoreResult<Redeemed>;
    /// The live session whose present token (or, before its grace ended, the one before) hashes to `token_hash`.
    /// Idle limit and `User-Agent` are the caller's to judge.
    async fn session_by_token(&self, token_hash: &str, now: Timestamp) -> StoreResult<Option<SessionToken>>;
    /// A live session by id.
    async fn session(&self, session_id: &str, now: Timestamp) -> StoreResult<Option<Session>>;
    /// Notes that a session was used and moves its end.
    async fn touch_session(&self, session_id: &str, now: Timestamp, expires_at: Timestamp) -> StoreResult<()>;
    /// Replaces the token if `old_hash` is still the present one; the old one works until `grace_until`. Of racing callers
    /// one wins (`true`).
    async fn rotate_session(
        &self,
        session_id: &str,
        old_hash: &str,
        new_hash: &str,
        now: Timestamp,
        grace_until: Timestamp,
    ) -> StoreResult<bool>;
    /// Ends a session and its tickets. `false`: there was none.
    async fn end_session(&self, session_id: &str) -> StoreResult<bool>;
    /// Stores a socket ticket.
    async fn put_ticket(&self, ticket_hash: &str, session_id: &str, expires_at: Timestamp) -> StoreResult<()>;
    /// Takes a ticket: its session's id, once. Of racing callers one gets it.
    async fn take_ticket(&self, ticket_hash: &str, now: Timestamp) -> StoreResult<Option<String>>;
}

/// What a bucket answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A token was taken.
    Granted,
    /// There was none.
    Denied {
        /// Until the next one, in milliseconds.
        retry_after_ms: i64,
    },
}

/// Token buckets that every instance counts together, and leases.
#[async_trait]
pub trait Buckets: Send + Sync {
    /// Takes one token from `key`; racing callers never take more than there are.
    async fn take(&self, key: &str, rate: Rate, now: Timestamp) -> StoreResult<Taken>;
    /// Puts one token back, never above the burst.
    async fn give_back(&self, key: &str, rate: Rate, now: Timestamp) -> StoreResult<()>;
    /// Takes or renews the lease `name` for `owner` until `until`, if it is free, expired or already theirs.
    async fn lease(&self, name: &str, owner: &str, now: Timestamp, until: Timestamp) -> StoreResult<bool>;
    /// Until when somebody has the lease `name`; `None` when it is free or expired.
    async fn leased_until(&self, name: &str, now: Timestamp) -> StoreResult<Option<Timestamp>>;
}

/// An event that waits in a lane of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The event.
    pub event: Event,
    /// Its place among its conversation's events: ascending, dense or not.
    pub position: i64,
    /// Failed tries so far.
    pub tries: i64,
    /// Not to be tried before this.
    pub not_before: Timestamp,
}

/// Events that wait to be delivered. (DynamoDB has its stream instead for what fits there.)
#[async_trait]
pub trait Outbox: Send + Sync {
    /// The oldest waiting events of a lane, oldest first, at most `limit`; of one conversation always in `position` order,
    /// and none that stands behind an event of its conversation that is not due (`not_before > now`).
    async fn due(&self, lane: Lane, now: Timestamp, limit: i64) -> StoreResult<Vec<Pending>>;
    /// Removes delivered events.
    async fn delivered(&self, lane: Lane, events: &[Pending]) -> StoreResult<()>;
    /// Notes a failed try and when to try again.
    async fn postpone(&self, lane: Lane, event: &Pending, not_before: Timestamp) -> StoreResult<()>;
    /// How many events wait, and since when the oldest does.
    async fn backlog(&self, lane: Lane) -> StoreResult<(i64, Option<Timestamp>)>;
}

/// A message in Telegram that stands for one of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelegramLink {
    /// The chat.
    pub chat_id: i64,
    /// The message there.
    pub message_id: i64,
    /// Our conversation.
    pub conversation_id: String,
    /// Our message; 0 for the announcement of the conversation.
    pub seq: i64,
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
    /// `true` the first time an `update_id` is seen before `expires_at` of its first sight.
    async fn first_sight(&self, update_id: i64, now: Timestamp, expires_at: Timestamp) -> StoreResult<bool>;
    /// Whether an `update_id` has been seen and its sight has not ended.
    async fn seen(&self, update_id: i64, now: Timestamp) -> StoreResult<bool>;
}

/// Daily figures, as far as a store counts them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// Days since 1970-01-01, UTC.
    pub day: i64,
    /// Conversations begun.
    pub conversations: i64,
    /// Messages of visitors.
    pub messages_visitor: i64,
    /// Messages of admins.
    pub messages_admin: i64,
    /// Median of the day's answer times (all answers), in milliseconds.
    pub median_response_ms: Option<i64>,
}

/// Figures over a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Open conversations now.
    pub active_conversations: i64,
    /// Conversations with a live visitor socket now.
    pub visitors_online: i64,
    /// Messages kept in all.
    pub messages_total: i64,
    /// Median of the first answers of the period, in milliseconds.
    pub median_first_response_ms: Option<i64>,
    /// Median of all answers of the period, in milliseconds.
    pub median_response_ms: Option<i64>,
    /// The days of the period that have anything, ascending.
    pub days: Vec<Day>,
}

/// The audit trail, search and statistics.
#[async_trait]
pub trait Records: Send + Sync {
    /// Adds a line to the audit trail.
    async fn record(&self, activity: &Activity) -> StoreResult<()>;
    /// The audit trail, newest first.
    async fn activity(&self, page: &PageRequest) -> StoreResult<Page<Activity>>;
    /// (Re)builds the index entries of one message, or of the visitor's name with `seq` 0. Nothing for what is gone.
    async fn index(&self, conversation_id: &str, seq: i64) -> StoreResult<()>;
    /// Messages in which every term is the beginning of some word, newest first. An empty page with a cursor may occur.
    async fn search(&self, terms: &[String], page: &PageRequest) -> StoreResult<Page<(Message, String)>>;
    /// Figures from `from_day` to `to_day`, both included.
    async fn figures(&self, from_day: i64, to_day: i64, now: Timestamp) -> StoreResult<Figures>;
}

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Dead connections.
    pub connections: i64,
    /// Ended sessions, codes, tickets.
    pub sessions: i64,
    /// Full buckets, free leases, old sights of updates.
    pub others: i64,
}

/// Care of the store as a whole.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Answers when the store can read.
    async fn ping(&self) -> StoreResult<()>;
    /// Removes what has expired.
    async fn sweep(&self, now: Timestamp) -> StoreResult<Swept>;
    /// `sqlite`, `postgres` or `dynamodb`.
    fn name(&self) -> &'static str;
}

/// Everything at once.
pub trait Store:
    Conversations + Messages + ConnectionRows + Sessions + Buckets + Outbox + TelegramLinks + Records + Upkeep
{
}

impl<T> Store for T where
    T: Conversations + Messages + ConnectionRows + Sessions + Buckets + Outbox + TelegramLinks + Records + Upkeep
{
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// This build has no adapter for the scheme of `DATABASE_URL`.
    #[error("DATABASE_URL begins with {0}:, and this build of Parley has no store for that")]
    NoAdapter(String),
    /// The adapter could not open it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens the store that `DATABASE_URL` names.
#[cfg_attr(not(feature = "sql"), expect(clippy::unused_async, reason = "each adapter awaits; this build has none"))]
pub async fn open(config: &Config) -> Result<Arc<dyn Store>, OpenError> {
    match config.database_url.scheme() {
        #[cfg(feature = "sql")]
        "sqlite" | "postgres" | "postgresql" => {
            let mut lanes = vec![Lane::Index];
            lanes.extend(config.telegram.as_ref().map(|_| Lane::Telegram));
            let options = sql::SqlOptions { lanes };
            Ok(Arc::new(sql::SqlStore::open(&config.database_url, options).await?))
        }
        scheme => Err(OpenError::NoAdapter(scheme.to_owned())),
    }
}
