//! What serves the rest: buckets and leases, the outbox, the trail, search and figures.

use async_trait::async_trait;

use super::{Page, PageRequest, StoreResult};
use crate::event::{Event, Lane};
use crate::model::{Activity, Message};
use crate::rate_limit::Rate;
use crate::time::Timestamp;

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

/// Events that wait to be delivered. SQL writes them with their fact; on DynamoDB they come by the table's stream and are
/// put here by whoever reads it.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Puts an event that came by a stream into a lane; the same place in the same conversation again changes nothing.
    /// `ConversationDeleted` takes those of its conversation that wait before it out of the lane.
    async fn accept(&self, lane: Lane, event: &Event, position: i64) -> StoreResult<()>;
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
    /// Takes messages that were made before `until` into the index, oldest first, unless there are fewer than `least` of them;
    /// answers how many. `until` must lie so far back that none of them is still on its way into the store.
    ///
    /// A search finds what the index does not know yet as well; the index is what keeps that cheap. On DynamoDB this also ends
    /// deletions that were begun before `until` and whose function died.
    async fn index(&self, until: Timestamp, least: usize) -> StoreResult<usize>;
    /// Messages in which every term is the beginning of some word, newest first. An empty page with a cursor may occur.
    async fn search(&self, terms: &[String], page: &PageRequest) -> StoreResult<Page<(Message, String)>>;
    /// Figures from `from_day` to `to_day`, both included.
    async fn figures(&self, from_day: i64, to_day: i64, now: Timestamp) -> StoreResult<Figures>;
}
