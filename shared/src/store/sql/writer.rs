//! Group commit: writes that wait together become durable together.
//!
//! A writer takes all jobs that wait, runs them in one transaction and answers each after the commit. One commit then costs
//! one `fsync` however many callers share it. SQLite has one writer; PostgreSQL several, among which a job is chosen by
//! its key. Within a transaction the jobs run in the order of their keys, so that two transactions take the rows that both
//! want in the same order.

use std::hash::{DefaultHasher, Hash, Hasher};

use async_trait::async_trait;
use futures::future::BoxFuture;
use sqlx::{AnyConnection, AnyPool};
use tokio::sync::{mpsc, oneshot};

use super::failure::{copy, is_conflict, is_lost};
use crate::store::{StoreError, StoreResult};

/// The most jobs of one transaction.
const BATCH: usize = 256;
/// So many callers may wait in a writer's queue; the next ones wait before it.
const QUEUE: usize = 1_024;
/// How often a job that lost a conflict is tried in all.
const TRIES: usize = 5;

type Run<A, T> = for<'c> fn(&'c A, &'c mut AnyConnection) -> BoxFuture<'c, sqlx::Result<T>>;

#[async_trait]
trait Job: Send {
    fn key(&self) -> &str;
    async fn run(&mut self, connection: &mut AnyConnection) -> sqlx::Result<()>;
    fn answer(self: Box<Self>, outcome: StoreResult<()>);
}

struct Call<A, T> {
    key: String,
    args: A,
    run: Run<A, T>,
    answer: Option<T>,
    caller: oneshot::Sender<StoreResult<T>>,
}

#[async_trait]
impl<A: Send + Sync, T: Send> Job for Call<A, T> {
    fn key(&self) -> &str {
        &self.key
    }

    async fn run(&mut self, connection: &mut AnyConnection) -> sqlx::Result<()> {
        self.answer = Some((self.run)(&self.args, connection).await?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: StoreResult<()>) {
        let Self { answer, caller, .. } = *self;
        // A caller that has gone away does not want to know.
        let _ = caller.send(outcome.and_then(|()| answer.ok_or_else(stopped)));
    }
}

/// The queues of the writers, which end when this is dropped.
pub(super) struct Writers(Vec<mpsc::Sender<Box<dyn Job>>>);

impl Writers {
    /// Starts `count` writers on `pool`, each beginning its transactions with `begin`.
    pub(super) fn start(pool: &AnyPool, count: u32, begin: &'static str) -> Self {
        let start = |_| {
            let (queue, jobs) = mpsc::channel(QUEUE);
            tokio::spawn(Writer { pool: pool.clone(), begin }.work(jobs));
            queue
        };
        Self((0..count).map(start).collect())
    }

    /// Puts a job into its key's queue and waits for its commit.
    pub(super) async fn write<A, T>(&self, key: &str, args: A, run: Run<A, T>) -> StoreResult<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let job = Call { key: key.to_owned(), args, run, answer: None, caller };
        self.queue(key).ok_or_else(stopped)?.send(Box::new(job)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    fn queue(&self, key: &str) -> Option<&mpsc::Sender<Box<dyn Job>>> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let count = u64::try_from(self.0.len()).unwrap_or(1).max(1);
        self.0.get(usize::try_from(hasher.finish() % count).unwrap_or_default())
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the store's writer has stopped".into())
}

struct Writer {
    pool: AnyPool,
    begin: &'static str,
}

impl Writer {
    async fn work(self, mut queue: mpsc::Receiver<Box<dyn Job>>) {
        let mut jobs = Vec::with_capacity(BATCH);
        while queue.recv_many(&mut jobs, BATCH).await > 0 {
            jobs.sort_by(|a, b| a.key().cmp(b.key()));
            match self.commit(&mut jobs).await {
                Ok(()) => jobs.drain(..).for_each(|job| job.answer(Ok(()))),
                Err(error) if is_lost(&error) => jobs.drain(..).for_each(|job| job.answer(Err(copy(&error)))),
                Err(_) => self.commit_each(&mut jobs).await,
            }
        }
    }

    /// One bad job must not fail the others that it shared a transaction with.
    async fn commit_each(&self, jobs: &mut Vec<Box<dyn Job>>) {
        for job in jobs.drain(..) {
            let mut alone = [job];
            let mut outcome = self.commit(&mut alone).await;
            for _ in 1..TRIES {
                match &outcome {
                    Err(error) if is_conflict(error) => outcome = self.commit(&mut alone).await,
                    _ => break,
                }
            }
            let [job] = alone;
            job.answer(outcome.map_err(StoreError::from));
        }
    }

    async fn commit(&self, jobs: &mut [Box<dyn Job>]) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin_with(self.begin).await?;
        for job in jobs {
            if let Err(error) = job.run(&mut transaction).await {
                // Awaited, so that the next transaction of this writer does not wait behind a connection that is cleaned up.
                let _ = transaction.rollback().await;
                return Err(error);
            }
        }
        transaction.commit().await
    }
}
