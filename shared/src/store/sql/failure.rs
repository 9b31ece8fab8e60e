//! Which database errors pass and which do not.

use super::db::Error;
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

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Error::from(error).into()
    }
}

/// Why a file could not be opened, in words that help.
pub(super) fn not_opened(error: Error) -> StoreError {
    match error {
        Error::Sqlite(error) if sqlite(&error).is_some_and(|code| code & 0xff == BUSY) => {
            StoreError::Unavailable("another program has the database's file".into())
        }
        error => error.into(),
    }
}

/// Whoever would answer has ended, as at the end of the store.
pub(super) fn stopped() -> StoreError {
    Error::Stopped.into()
}

/// The same failure for one more caller.
pub(super) fn copy(error: &Error) -> StoreError {
    let cause = Box::new(Shared(error.to_string()));
    if passes(error) { StoreError::Unavailable(cause) } else { StoreError::Broken(cause) }
}

/// A transaction that lost against another one and may simply run again: the database says so, or a row that was there a
/// statement ago is gone, or one that was not is there.
pub(super) fn is_conflict(error: &Error) -> bool {
    match error {
        Error::Moved => true,
        Error::Sqlite(error) => matches!(sqlite(error), Some(UNIQUE | PRIMARY_KEY | FOREIGN_KEY)),
        Error::Postgres(error) => matches!(postgres(error).as_deref(), Some("40001" | "40P01" | "23505" | "23503")),
        Error::Value(_) | Error::Stopped => false,
    }
}

/// The connection is gone, so that nothing is known about what it did last.
pub(super) fn is_lost(error: &Error) -> bool {
    match error {
        Error::Stopped => true,
        Error::Sqlite(_) | Error::Moved | Error::Value(_) => false,
        Error::Postgres(error) => match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed => true,
            other => postgres(other).is_some_and(|code| code.starts_with("57") || code.starts_with("08")),
        },
    }
}

/// PostgreSQL has no other way to end a statement by what it finds.
pub(super) fn divides_by_zero(error: &Error) -> bool {
    matches!(error, Error::Postgres(error) if postgres(error).as_deref() == Some("22012"))
}

fn passes(error: &Error) -> bool {
    is_lost(error)
        || match error {
            // Busy, locked, I/O, full, cannot open.
            Error::Sqlite(error) => sqlite(error).is_some_and(|code| matches!(code & 0xff, 5 | 6 | 10 | 13 | 14)),
            Error::Postgres(error) => {
                postgres(error).is_some_and(|code| matches!(code.as_str(), "40001" | "40P01") || code.starts_with("53"))
            }
            Error::Moved => true,
            Error::Value(_) | Error::Stopped => false,
        }
}

/// SQLite's code for a lock that somebody else has.
const BUSY: i32 = 5;
/// SQLite's extended codes.
const UNIQUE: i32 = 2067;
const PRIMARY_KEY: i32 = 1555;
const FOREIGN_KEY: i32 = 787;

fn sqlite(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}

fn postgres(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(std::borrow::Cow::into_owned)
}
