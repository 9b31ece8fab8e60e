//! A connection that its only user keeps: a pool would ask the database how it is whenever it is given back.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection};
use tokio::time::Instant;

use super::Database;
use super::failure::is_lost;

/// A connection that was not used for so long is asked whether it still is one.
const QUIET: Duration = Duration::from_secs(1);

/// One connection of a pool.
pub(super) struct Kept {
    pool: AnyPool,
    connection: Option<PoolConnection<Any>>,
    used: Instant,
    /// Whether there is nothing to be asked: SQLite is no server.
    local: bool,
    /// Whether others may need the connection, as with a database in memory, which has one.
    shared: bool,
}

impl Kept {
    pub(super) fn new(pool: &AnyPool, database: Database, shared: bool) -> Self {
        let local = database == Database::Sqlite;
        Self { pool: pool.clone(), connection: None, used: Instant::now(), local, shared }
    }

    /// The connection; [`Self::done`] is to be called after its use.
    pub(super) async fn connection(&mut self) -> sqlx::Result<&mut AnyConnection> {
        let quiet = !self.local && self.used.elapsed() > QUIET;
        if let Some(kept) = &mut self.connection
            && quiet
            && kept.ping().await.is_err()
        {
            kept.close_on_drop();
            self.connection = None;
        }
        let connection = match self.connection.take() {
            Some(kept) => kept,
            None => self.pool.acquire().await?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Passes a result on; a connection that is gone is not kept.
    pub(super) fn done<T>(&mut self, result: sqlx::Result<T>) -> sqlx::Result<T> {
        self.used = Instant::now();
        match (&result, &mut self.connection) {
            (Err(error), Some(connection)) if is_lost(error) => {
                connection.close_on_drop();
                self.connection = None;
            }
            _ if self.shared => self.connection = None,
            _ => {}
        }
        result
    }
}
