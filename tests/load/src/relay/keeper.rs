//! What the relay keeps, and how: everything that waits goes into one commit, and frames leave after it.

use std::time::Duration;

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
const MESSAGES: &str = "insert into message (conversation_id, seq, client_id, sender, content)
    select * from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[])";
const SESSIONS: &str = "insert into session (conversation_id, token) select * from unnest($1::text[], $2::text[])";

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

    /// One statement for all messages that wait, which is one commit.
    async fn write(self, mut jobs: UnboundedReceiver<Job>) -> Result<()> {
        let mut batch = Vec::with_capacity(BATCH);
        while jobs.recv_many(&mut batch, BATCH).await > 0 {
            self.commit(&batch).await?;
            batch.drain(..).for_each(Job::deliver);
        }
        Ok(())
    }

    async fn commit(&self, batch: &[Job]) -> Result<()> {
        let messages: Vec<_> = batch
            .iter()
            .filter_map(|job| match &job.row {
                Row::Message(row) => Some(row),
                Row::Session(_) => None,
            })
            .collect();
        let sessions: Vec<_> = batch
            .iter()
            .filter_map(|job| match &job.row {
                Row::Session(row) => Some(row),
                Row::Message(_) => None,
            })
            .collect();
        if !messages.is_empty() {
            let ids: Vec<_> = messages.iter().map(|row| row.conversation_id.as_str()).collect();
            let seqs: Vec<_> = messages.iter().map(|row| row.seq).collect();
            let client_ids: Vec<_> = messages.iter().map(|row| row.client_id.as_str()).collect();
            let senders: Vec<_> = messages.iter().map(|row| row.sender).collect();
            let contents: Vec<_> = messages.iter().map(|row| row.content.as_str()).collect();
            self.client.execute(&self.messages, &[&ids, &seqs, &client_ids, &senders, &contents]).await?;
        }
        if !sessions.is_empty() {
            let ids: Vec<_> = sessions.iter().map(|row| row.conversation_id.as_str()).collect();
            let tokens: Vec<_> = sessions.iter().map(|row| row.token.as_str()).collect();
            self.client.execute(&self.sessions, &[&ids, &tokens]).await?;
        }
        Ok(())
    }
}
