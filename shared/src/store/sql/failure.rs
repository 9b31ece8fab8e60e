//! Which database errors pass and which do not.

use std::borrow::Cow;

use sqlx::Error;

use crate::store::StoreError;

/// A failure that several callers hear of, since they shared a transaction.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Shared(String);

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        if passes(&error) { Self::Unavailable(Box::new(error)) } else { Self::Broken(Box::new(error)) }
    }
}

/// Whoever would answer has ended, as at the end of the store.
pub(super) fn stopped() -> StoreError {
    StoreError::Unavailable("the store has stopped".into())
}

/// The same failure for one more caller.
pub(super) fn copy(error: &Error) -> StoreError {
    let cause = Box::new(Shared(error.to_string()));
    if passes(error) { StoreError::Unavailable(cause) } else { StoreError::Broken(cause) }
}

/// A transaction that lost against another one and may simply run again: the database says so, or a row that was there a
/// statement ago is gone, or one that was not is there.
pub(super) fn is_conflict(error: &Error) -> bool {
    matches!(error, Error::RowNotFound)
        || matches!(code(error).as_deref(), Some("40001" | "40P01"))
        || error
            .as_database_error()
            .is_some_and(|error| error.is_unique_violation() || error.is_foreign_key_violation())
}

/// The connection is gone, so that nothing is known about what it did last.
pub(super) fn is_lost(error: &Error) -> bool {
    match error {
        Error::Io(_)
        | Error::Tls(_)
        | Error::Protocol(_)
        | Error::PoolTimedOut
        | Error::PoolClosed
        | Error::WorkerCrashed
        | Error::BeginFailed => true,
        other => code(other).is_some_and(|code| code.starts_with("57") || code.starts_with("08")),
    }
}

fn passes(error: &Error) -> bool {
    is_lost(error)
        || matches!(code(error).as_deref(), Some("40001" | "40P01"))
        || code(error).is_some_and(|code| is_busy_or_full(&code))
}

fn code(error: &Error) -> Option<String> {
    error.as_database_error()?.code().map(Cow::into_owned)
}

/// PostgreSQL's class 53, or SQLite's extended codes whose low byte is 5 (busy), 6 (locked), 10 (I/O), 13 (full) or 14
/// (cannot open).
fn is_busy_or_full(code: &str) -> bool {
    let sqlite = (code.len() < 5).then(|| code.parse::<i64>().ok()).flatten();
    code.starts_with("53") && code.len() == 5 || sqlite.is_some_and(|code| matches!(code & 0xff, 5 | 6 | 10 | 13 | 14))
}
