//! What a database must promise. Eleven nouns, one trait each, and [`Store`] for all of them.
//!
//! Adapters: `sql` (SQLite and PostgreSQL) and `dynamodb`. One conformance suite holds every method of every trait on all of them.
//!
//! Promises that hold for every method: what it answered is durable; it is safe to call again after a lost answer;
//! rows whose `expires_at` has passed are never answered, whether swept or not; `now` is an argument.

mod access;
mod attachments;
mod conversations;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
#[cfg(any(feature = "sql", feature = "dynamodb"))]
mod page;
mod service;
#[cfg(feature = "sql")]
pub mod sql;
mod telegram;

use std::sync::Arc;

use async_trait::async_trait;

use crate::config::Config;
use crate::time::Timestamp;

pub use access::{
    Connected, ConnectionCaps, ConnectionRows, Disconnected, LoginCode, Redeemed, SessionToken, Sessions,
};
pub use attachments::{Attachments, Settings};
pub use conversations::{Appended, Audience, ConversationFilter, Conversations, Messages, NewConversation, Place};
pub use service::{Buckets, Day, Figures, Outbox, Pending, Records, Taken};
pub use telegram::{MirrorPost, Sight, TelegramLink, TelegramLinks, TelegramMirror, VisitorMirror};

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
    Conversations
    + Messages
    + Attachments
    + ConnectionRows
    + Sessions
    + Buckets
    + Outbox
    + TelegramLinks
    + Records
    + Settings
    + Upkeep
{
}

impl<T> Store for T where
    T: Conversations
        + Messages
        + Attachments
        + ConnectionRows
        + Sessions
        + Buckets
        + Outbox
        + TelegramLinks
        + Records
        + Settings
        + Upkeep
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
            use crate::event::Lane;
            let mut lanes = vec![Lane::Files];
            lanes.extend(config.telegram.as_ref().map(|_| Lane::Telegram));
            let options = sql::SqlOptions { lanes };
            Ok(Arc::new(sql::SqlStore::open(&config.database_url, options).await?))
        }
        #[cfg(feature = "dynamodb")]
        "dynamodb" => Ok(Arc::new(dynamodb::DynamoStore::open(&config.database_url)?)),
        scheme => Err(OpenError::NoAdapter(scheme.to_owned())),
    }
}
