//! Connections that stay out of their pool: it would ask the server how one is whenever it gives it out or takes it back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::db::{Client, Error, Query, Result, Row, Server, Wanted};
use super::failure::is_lost;

/// A connection that was not used for so long is asked whether it still is one.
const QUIET: Duration = Duration::from_secs(1);

/// A caller waits this long for a connection before it hears that the store is not available.
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that one keeps.
pub(super) enum Kept {
    /// To a file, or to memory: always there.
    Here(Client),
    /// One of a pool's, as long as it holds.
    There {
        /// Where the next one comes from.
        pool: PgPool,
        /// What is there.
        client: Option<Client>,
        /// When it was last used.
        used: Instant,
    },
}

impl Kept {
    /// One of a pool's connections.
    pub(super) fn of(pool: &PgPool) -> Self {
        Self::There { pool: pool.clone(), client: None, used: Instant::now() }
    }

    /// The connection; [`Self::done`] is to be called after its use.
    pub(super) async fn client(&mut self) -> Result<&mut Client> {
        let (pool, client, used) = match self {
            Self::Here(client) => return Ok(client),
            Self::There { pool, client, used } => (pool, client, used),
        };
        if let Some(Client::Postgres(server)) = client
            && used.elapsed() > QUIET
            && !server.answers().await
        {
            server.0.close_on_drop();
            *client = None;
        }
        let kept = match client.take() {
            Some(kept) => kept,
            None => Client::Postgres(Server(pool.acquire().await?)),
        };
        Ok(client.insert(kept))
    }

    /// Passes a result on; a connection that is gone is not kept.
    pub(super) fn done<T>(&mut self, result: Result<T>) -> Result<T> {
        if let Self::There { client, used, .. } = self {
            *used = Instant::now();
            if let (Err(error), Some(Client::Postgres(server))) = (&result, &mut *client)
                && is_lost(error)
            {
                server.0.close_on_drop();
                *client = None;
            }
        }
        result
    }

    async fn fetch(&mut self, query: Query, wanted: Wanted) -> Result<Vec<Row>> {
        let rows = match self.client().await {
            Ok(client) => client.fetch(query, wanted).await,
            Err(error) => Err(error),
        };
        self.done(rows)
    }
}

/// Connections that readers share, as many as their pool has.
#[derive(Clone)]
pub(super) struct Shared(Arc<Inner>);

struct Inner {
    pool: PgPool,
    idle: Mutex<Vec<Kept>>,
    /// As many as there are connections.
    free: Semaphore,
}

impl Shared {
    /// So many of a pool's connections.
    pub(super) fn of(pool: PgPool, count: u32) -> Self {
        let free = Semaphore::new(usize::try_from(count).unwrap_or(1));
        Self(Arc::new(Inner { pool, idle: Mutex::default(), free }))
    }

    /// What a query finds. One whose caller goes away meanwhile leaves its connection to the pool.
    pub(super) async fn fetch(&self, query: Query, wanted: Wanted) -> Result<Vec<Row>> {
        let free = timeout(ACQUIRE_TIMEOUT, self.0.free.acquire());
        let _permit = free.await.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| Error::Stopped)?;
        let idle = self.idle(Vec::pop);
        let was_there = idle.is_some();
        let mut kept = idle.unwrap_or_else(|| Kept::of(&self.0.pool));
        let mut rows = kept.fetch(query.clone(), wanted).await;
        // The server may have ended the connection since it was used last, and to read again changes nothing.
        if was_there && rows.as_ref().is_err_and(is_lost) {
            rows = kept.fetch(query, wanted).await;
        }
        self.idle(|idle| idle.push(kept));
        rows
    }

    fn idle<T>(&self, act: impl FnOnce(&mut Vec<Kept>) -> T) -> T {
        act(&mut self.0.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
