//! What the relay keeps, and how: everything that waits goes into one commit, and frames leave after it.

use std::time::Duration;

use futures::future::try_join_all;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_postgres::{Client, NoTls, Statement};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{Queue, sqlite};
use crate::Result;

/// The most rows of one commit, as in Parley.
pub(super) const BATCH: usize = 256;
/// A server that has just been started may still be coming up.
const CONNECT_TIME: Duration = Duration::from_secs(10);
const SCHEMA: &str =
    "create table message (id bigserial primary key, conversation_id text not null, seq bigint not null,
        client_id text not null, sender text not null, content text not null);
    create table session (conversation_id text primary key, token text not null)";
const MESSAGES: &str =
    "insert into message (conversation_id, seq, client_id, sender, content) values ($1, $2, $3, $4, $5)";
const SESSIONS: &str = "insert into session (conversation_id, token) values ($1, $2)";

/// A message to keep.
pub(super) struct MessageRow {
    pub(super) conversation_id: String,
    pub(super) seq: i64,
    pub(super) client_id: String,
    pub(super) sender: &'static str,
    pub(super) content: String,
}

/// A visitor to keep.
pub(super) struct SessionRow {
    pub(super) conversation_id: String,
    pub(super) token: String,
}

/// One thing to keep.
pub(super) enum Row {
    Message(MessageRow),
    Session(SessionRow),
}

/// What is said, and to whom, once the row is safe.
pub(super) struct Job {
    pub(super) row: Row,
    pub(super) frame: Utf8Bytes,
    pub(super) to: Vec<Queue>,
}

impl Job {
    pub(super) fn deliver(self) {
        for queue in self.to {
            // Whoever has left meanwhile hears nothing.
            let _ = queue.send(self.frame.clone());
        }
    }
}

/// Keeps nothing, or hands everything to the one who writes.
pub(super) enum Keeper {
    Nothing,
    Writer(UnboundedSender<Job>),
}

impl Keeper {
    pub(super) async fn open(store: &str) -> Result<Self> {
        if store == "bare" {
            return Ok(Self::Nothing);
        }
        let (queue, jobs) = unbounded_channel();
        match store.strip_prefix("sqlite:") {
            Some(file) => sqlite::start(file, jobs)?,
            None => drop(tokio::spawn(Postgres::open(store).await?.write(jobs))),
        }
        Ok(Self::Writer(queue))
    }

    pub(super) fn keep(&self, job: Job) -> Result<()> {
        match self {
            Self::Nothing => job.deliver(),
            Self::Writer(queue) => queue.send(job).map_err(|_| "the writer has stopped")?,
        }
        Ok(())
    }
}

struct Postgres {
    client: Client,
    messages: Statement,
    sessions: Statement,
}

impl Postgres {
    async fn open(url: &str) -> Result<Self> {
        let (client, connection) = tokio::time::timeout(CONNECT_TIME, tokio_postgres::connect(url, NoTls)).await??;
        tokio::spawn(connection);
        client.batch_execute(SCHEMA).await?;
        let (messages, sessions) = (client.prepare(MESSAGES).await?, client.prepare(SESSIONS).await?);
        Ok(Self { client, messages, sessions })
    }

    async fn write(self, mut jobs: UnboundedReceiver<Job>) -> Result<()> {
        let mut batch = Vec::with_capacity(BATCH);
        while jobs.recv_many(&mut batch, BATCH).await > 0 {
            self.commit(&batch).await?;
            batch.drain(..).for_each(Job::deliver);
        }
        Ok(())
    }

    /// Everything is on its way before the first answer has come back.
    async fn commit(&self, batch: &[Job]) -> Result<()> {
        let rows = try_join_all(batch.iter().map(|job| self.insert(&job.row)));
        let (begin, rows, commit) =
            futures::join!(self.client.batch_execute("begin"), rows, self.client.batch_execute("commit"));
        begin?;
        rows?;
        Ok(commit?)
    }

    async fn insert(&self, row: &Row) -> std::result::Result<u64, tokio_postgres::Error> {
        match row {
            Row::Message(row) => {
                let MessageRow { conversation_id, seq, client_id, sender, content } = row;
                self.client.execute(&self.messages, &[conversation_id, seq, client_id, sender, content]).await
            }
            Row::Session(row) => self.client.execute(&self.sessions, &[&row.conversation_id, &row.token]).await,
        }
    }
}
