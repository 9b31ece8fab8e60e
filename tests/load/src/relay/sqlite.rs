//! The relay's `SQLite`: one thread that writes, one transaction for all that wait.

use rusqlite::{Connection, params};
use tokio::sync::mpsc::UnboundedReceiver;

use super::keeper::{BATCH, Job, Row};
use crate::Result;

/// As durable as Parley's, and nobody else opens the file.
const OPEN: &str = "pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full;
    create table message (id integer primary key, conversation_id text not null, seq integer not null,
        client_id text not null, sender text not null, content text not null);
    create table session (conversation_id text primary key, token text not null) without rowid";
const MESSAGE: &str =
    "insert into message (conversation_id, seq, client_id, sender, content) values (?1, ?2, ?3, ?4, ?5)";
const SESSION: &str = "insert into session (conversation_id, token) values (?1, ?2)";

pub(super) fn start(file: &str, jobs: UnboundedReceiver<Job>) -> Result<()> {
    let connection = Connection::open(file)?;
    connection.execute_batch(OPEN)?;
    std::thread::Builder::new().name("writer".into()).spawn(move || write(connection, jobs))?;
    Ok(())
}

/// Ends when the relay does, or with the first thing that cannot be kept: those who wait for it then say so.
fn write(mut connection: Connection, mut jobs: UnboundedReceiver<Job>) -> rusqlite::Result<()> {
    let mut batch = Vec::with_capacity(BATCH);
    while jobs.blocking_recv_many(&mut batch, BATCH) > 0 {
        let transaction = connection.transaction()?;
        for job in &batch {
            match &job.row {
                Row::Message(row) => transaction.prepare_cached(MESSAGE)?.execute(params![
                    row.conversation_id,
                    row.seq,
                    row.client_id,
                    row.sender,
                    row.content
                ])?,
                Row::Session(row) => {
                    transaction.prepare_cached(SESSION)?.execute(params![row.conversation_id, row.token])?
                }
            };
        }
        transaction.commit()?;
        batch.drain(..).for_each(Job::deliver);
    }
    Ok(())
}
