//! The store on SQLite and PostgreSQL: one SQL text for both.
//!
//! Every write is a job of [`writer`], which puts the jobs that wait into one transaction; reads go to a pool of their own.

mod append;
mod attachments;
mod backup;
mod buckets;
mod connections;
mod conversations;
mod db;
mod failure;
mod index;
mod kept;
mod leases;
mod links;
mod list;
mod live;
mod messages;
mod notes;
mod open;
mod outbox;
#[cfg(test)]
mod plans;
mod records;
mod rows;
mod search;
mod sessions;
mod statistics;
mod upkeep;
mod words;
mod writer;

use std::sync::Arc;

use tokio::sync::Mutex;

use super::StoreResult;
use crate::event::Lane;
use crate::time::Timestamp;
pub use backup::back_up;
use db::{Readers, query};
use writer::{How, Run};

/// How a [`SqlStore`] is to work.
#[derive(Clone, Debug, Default)]
pub struct SqlOptions {
    /// The outbox lanes that are filled; whoever names one has to drain it.
    pub lanes: Vec<Lane>,
}

/// A store on SQLite or PostgreSQL. Its writers end when it is dropped.
pub struct SqlStore {
    readers: Readers,
    live: live::Live,
    operators: Arc<Mutex<connections::Operators>>,
    short_buckets: buckets::ShortBuckets,
    sessions: Arc<Mutex<sessions::Known>>,
    leases: Arc<Mutex<leases::Leases>>,
    writers: writer::Writers,
    lanes: Arc<[Lane]>,
    database: Database,
}

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    /// How a transaction that writes begins.
    fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "begin immediate",
            Self::Postgres => "begin",
        }
    }
}

/// A statement that has no common text: over the elements of a JSON array, or over what SQLite keeps in another way.
#[derive(Clone, Copy)]
struct PerDatabase {
    sqlite: &'static str,
    postgres: &'static str,
}

impl PerDatabase {
    fn on(self, database: Database) -> &'static str {
        match database {
            Database::Sqlite => self.sqlite,
            Database::Postgres => self.postgres,
        }
    }
}

impl SqlStore {
    /// Runs a write: `run` gets `args` and the transaction, and may run again after a conflict. What it answers is given out
    /// after the commit. A key names what the job locks first.
    async fn write<A, T>(&self, key: &str, args: A, run: Run<A, T>) -> StoreResult<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.writers.write(key, args, run, How::default()).await
    }

    /// [`Self::write`] of what writes with one statement on PostgreSQL, and reads nothing before it.
    async fn write_once<A, T>(&self, key: &str, args: A, run: Run<A, T>) -> StoreResult<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.writers.write(key, args, run, How { one_statement: true, ..How::default() }).await
    }

    /// [`Self::write`] of what takes the longer, the more there is, or has to wait for such a job.
    async fn write_long<A, T>(&self, key: &str, args: A, run: Run<A, T>) -> StoreResult<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.writers.write(key, args, run, How { long: true, ..How::default() }).await
    }

    /// Takes what works once by its hash: `taking` removes the row and answers `column` and `expires_at`. Of racing callers one
    /// gets it, unless it has expired.
    async fn take_once(
        &self,
        taking: &'static str,
        hash: &str,
        column: &'static str,
        now: Timestamp,
    ) -> StoreResult<Option<String>> {
        self.write_once(hash, (taking, text(hash), column, now), |(taking, hash, column, now), tx| {
            let query = query(taking).bind(hash);
            Box::pin(async move {
                let Some(row) = query.fetch_optional(tx).await? else { return Ok(None) };
                let live = rows::time(&row, "expires_at")? > *now;
                Ok(if live { Some(rows::string(&row, column)?) } else { None })
            })
        })
        .await
    }
}

/// A statement over the elements of the JSON array $1, each of them `value`: what stands before, and what follows.
macro_rules! over_json {
    ($before:literal, $after:literal) => {
        $crate::store::sql::PerDatabase {
            sqlite: concat!($before, "json_each($1)", $after),
            postgres: concat!($before, "json_array_elements($1::json)", $after),
        }
    };
}
use over_json;

/// The text as both databases can keep it: PostgreSQL knows no NUL.
fn text(value: &str) -> String {
    value.replace('\0', "\u{fffd}")
}

/// [`text`] of what may be absent.
fn optional(value: Option<&str>) -> Option<String> {
    value.map(text)
}
