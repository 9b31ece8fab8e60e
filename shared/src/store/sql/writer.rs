//! Group commit: writes that wait together become durable together.
//!
//! A writer takes all that waits: messages, which are stored together, and jobs, which it runs in one transaction. It answers
//! each after the commit. One commit then costs one `fsync` however many callers share it, and the more of them share it, the
//! less each costs: there is one writer for whatever is brief. What may take long has another on PostgreSQL, so that no message
//! waits for it; SQLite knows only one at a time. Within a transaction the jobs run in the order of their keys, so that two
//! transactions take the rows that both want in the same order.

use async_trait::async_trait;
use futures::executor::block_on;
use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use super::Database;
use super::append::{self, Memory, Order};
use super::db::{Client, Result, transaction};
use super::failure::{copy, is_conflict, is_lost, stopped};
use super::kept::Kept;
use crate::model::Conversation;
use crate::store::{Appended, StoreError, StoreResult};

/// The most jobs of one transaction.
const BATCH: usize = 256;
/// So many callers may wait in a writer's queue; the next ones wait before it.
const QUEUE: usize = 1_024;
/// How often a job that lost a conflict is tried in all.
const TRIES: usize = 5;

/// A job's work, which gets its arguments and the transaction; it runs again after a conflict.
pub(super) type Run<A, T> = for<'c> fn(&'c A, &'c mut Client) -> BoxFuture<'c, Result<T>>;

/// What is known of a job before it runs.
#[derive(Default)]
pub(super) struct How {
    /// It is one statement on PostgreSQL, or one that writes and what reads after it.
    pub(super) one_statement: bool,
    /// It makes this conversation.
    pub(super) begins: Option<Conversation>,
    /// It may take long, or waits for what does.
    pub(super) long: bool,
}

#[async_trait]
trait Job: Send {
    fn key(&self) -> &str;
    fn how(&self) -> &How;
    async fn run(&mut self, client: &mut Client) -> Result<()>;
    fn answer(self: Box<Self>, outcome: StoreResult<()>);
}

struct Call<A, T> {
    key: String,
    args: A,
    run: Run<A, T>,
    how: How,
    answer: Option<T>,
    caller: oneshot::Sender<StoreResult<T>>,
}

#[async_trait]
impl<A: Send + Sync, T: Send> Job for Call<A, T> {
    fn key(&self) -> &str {
        &self.key
    }

    fn how(&self) -> &How {
        &self.how
    }

    async fn run(&mut self, client: &mut Client) -> Result<()> {
        self.answer = Some((self.run)(&self.args, client).await?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: StoreResult<()>) {
        let Self { answer, caller, .. } = *self;
        // A caller that has gone away does not want to know.
        let _ = caller.send(outcome.and_then(|()| answer.ok_or_else(stopped)));
    }
}

/// A message that waits to be stored.
struct Letter {
    order: Order,
    caller: oneshot::Sender<StoreResult<Appended>>,
}

enum Work {
    Letter(Box<Letter>),
    Job(Box<dyn Job>),
}

/// The queues of the writers, which end when this is dropped.
pub(super) struct Writers {
    brief: mpsc::Sender<Work>,
    long: mpsc::Sender<Work>,
}

impl Writers {
    /// Starts one writer, on a thread of its own, where whatever it does blocks nobody.
    pub(super) fn on_a_thread(client: Client) -> std::io::Result<Self> {
        let (queue, work) = mpsc::channel(QUEUE);
        let writer = Writer::new(Kept::Here(client), Database::Sqlite);
        std::thread::Builder::new().name("writer".into()).spawn(move || block_on(writer.work(work)))?;
        Ok(Self { brief: queue.clone(), long: queue })
    }

    /// So many connections [`Self::of_pool`] keeps, one for each queue.
    pub(super) const IN_A_POOL: u32 = 2;

    /// Starts both on connections of a pool.
    pub(super) fn of_pool(pool: &sqlx::PgPool) -> Self {
        let start = || {
            let (queue, work) = mpsc::channel(QUEUE);
            tokio::spawn(Writer::new(Kept::of(pool), Database::Postgres).work(work));
            queue
        };
        Self { brief: start(), long: start() }
    }

    /// Stores a message and waits for the commit.
    pub(super) async fn append(&self, order: Order) -> StoreResult<Appended> {
        let (caller, answer) = oneshot::channel();
        self.brief.send(Work::Letter(Box::new(Letter { order, caller }))).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Puts a job into a queue and waits for its commit.
    pub(super) async fn write<A, T>(&self, key: &str, args: A, run: Run<A, T>, how: How) -> StoreResult<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let queue = if how.long { &self.long } else { &self.brief };
        let job = Call { key: key.to_owned(), args, run, how, answer: None, caller };
        queue.send(Work::Job(Box::new(job))).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

struct Writer {
    kept: Kept,
    database: Database,
    memory: Memory,
}

impl Writer {
    fn new(kept: Kept, database: Database) -> Self {
        Self { kept, database, memory: Memory::default() }
    }

    async fn work(mut self, mut queue: mpsc::Receiver<Work>) {
        let mut work = Vec::with_capacity(BATCH);
        while queue.recv_many(&mut work, BATCH).await > 0 {
            let (mut letters, mut jobs) = (Vec::new(), Vec::new());
            for one in work.drain(..) {
                match one {
                    Work::Letter(letter) => letters.push(*letter),
                    Work::Job(job) => jobs.push(job),
                }
            }
            if !letters.is_empty() {
                letters.sort_by(|a, b| a.order.message.conversation_id.cmp(&b.order.message.conversation_id));
                self.store(letters).await;
            }
            if !jobs.is_empty() {
                jobs.sort_by(|a, b| a.key().cmp(b.key()));
                self.run(jobs).await;
            }
        }
    }

    async fn store(&mut self, letters: Vec<Letter>) {
        let orders: Vec<_> = letters.iter().map(|letter| &letter.order).collect();
        match self.append(&orders).await {
            Ok(answers) => {
                for (letter, answer) in letters.into_iter().zip(answers) {
                    // A caller that has gone away does not want to know.
                    let _ = letter.caller.send(Ok(answer));
                }
            }
            Err(error) if is_lost(&error) => {
                for letter in letters {
                    let _ = letter.caller.send(Err(copy(&error)));
                }
            }
            Err(_) => self.store_each(letters).await,
        }
    }

    async fn store_each(&mut self, letters: Vec<Letter>) {
        for letter in letters {
            let mut outcome = self.append(&[&letter.order]).await;
            for _ in 1..TRIES {
                match &outcome {
                    Err(error) if is_conflict(error) => outcome = self.append_alone(&letter.order).await,
                    _ => break,
                }
            }
            let answer = outcome.map_err(StoreError::from).and_then(|mut answers| answers.pop().ok_or_else(stopped));
            let _ = letter.caller.send(answer);
        }
    }

    async fn append(&mut self, orders: &[&Order]) -> Result<Vec<Appended>> {
        let client = self.kept.client().await?;
        let stored = append::append(client, self.database, &mut self.memory, orders).await;
        self.kept.done(stored)
    }

    async fn append_alone(&mut self, order: &Order) -> Result<Vec<Appended>> {
        let client = self.kept.client().await?;
        let stored = append::append_alone(client, self.database, &mut self.memory, order).await;
        self.kept.done(stored)
    }

    async fn run(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        match self.commit(&mut jobs).await {
            Ok(()) => jobs.drain(..).for_each(|job| job.answer(Ok(()))),
            Err(error) if is_lost(&error) => jobs.drain(..).for_each(|job| job.answer(Err(copy(&error)))),
            Err(_) => self.run_each(jobs).await,
        }
    }

    /// One bad job must not fail the others that it shared a transaction with.
    async fn run_each(&mut self, jobs: Vec<Box<dyn Job>>) {
        for job in jobs {
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

    async fn commit(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<()> {
        let client = self.kept.client().await?;
        let committed = transact(client, self.database, jobs).await;
        if committed.is_ok() {
            jobs.iter().filter_map(|job| job.how().begins.as_ref()).for_each(|begun| self.memory.begin(begun));
        }
        self.kept.done(committed)
    }
}

async fn transact(client: &mut Client, database: Database, jobs: &mut [Box<dyn Job>]) -> Result<()> {
    // A statement is a transaction by itself, and each of the two around it is a trip to PostgreSQL.
    if let (Database::Postgres, [job]) = (database, &mut *jobs)
        && job.how().one_statement
    {
        return job.run(client).await;
    }
    transaction(client, database, async |client| {
        for job in jobs {
            job.run(client).await?;
        }
        Ok(())
    })
    .await
}
