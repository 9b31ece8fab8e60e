//! Scheduled care of the store: what has expired goes, what is old is erased.

use serde::Serialize;
use shared::time::{DAY, MINUTE};
use shared::{App, Error, auth, chat};

/// Conversations erased in one run at most; the next run goes on.
const RETENTION_BATCH: i64 = 100;

/// Whoever stores a message has done so within a function's 29 s; the rest is for clocks that differ.
const SETTLED: i64 = MINUTE;
/// Fewer messages than these are searched without the index.
const WORTH_INDEXING: usize = 256;

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Rows of dead sockets.
    pub connections: i64,
    /// Ended sessions, codes and tickets.
    pub sessions: i64,
    /// Full buckets, free leases, old sights of updates.
    pub others: i64,
    /// Sockets closed because their session had ended.
    pub sockets_closed: usize,
    /// Closed conversations erased by `RETENTION_DAYS`.
    pub conversations_erased: usize,
    /// Messages that the search index took in.
    pub messages_indexed: usize,
}

/// One run; safe to repeat and to run beside another.
pub async fn handle(app: &App) -> Result<Report, Error> {
    let sockets_closed = close_ended_sessions(app).await?;
    let conversations_erased = erase_old(app).await?;
    let swept = app.store.sweep(app.now()).await?;
    let messages_indexed = index(app).await?;
    let report = Report {
        connections: swept.connections,
        sessions: swept.sessions,
        others: swept.others,
        sockets_closed,
        conversations_erased,
        messages_indexed,
    };
    tracing::info!(?report, "maintenance done");
    Ok(report)
}

/// Closes the sockets of sessions that have ended, expired or idled out; answers how many.
pub async fn close_ended_sessions(app: &App) -> Result<usize, Error> {
    auth::close_ended(app).await
}

/// Takes what was written into the search index, as far as that is worth it; answers how many messages.
pub async fn index(app: &App) -> Result<usize, Error> {
    let mut indexed = 0;
    loop {
        match app.store.index(app.now().plus(-SETTLED), WORTH_INDEXING).await? {
            0 => return Ok(indexed),
            more => indexed += more,
        }
    }
}

async fn erase_old(app: &App) -> Result<usize, Error> {
    if app.config.retention_days == 0 {
        return Ok(0);
    }
    let before = app.now().plus(-app.config.retention_days * DAY);
    let old = app.store.closed_before(before, RETENTION_BATCH).await?;
    for conversation_id in &old {
        match chat::delete(app, conversation_id).await {
            Ok(()) | Err(Error::ConversationNotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(old.len())
}
