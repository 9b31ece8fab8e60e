//! Who is on a socket: asked for each frame, and therefore together for all frames that wait.

use sqlx::AnyPool;
use sqlx::any::AnyRow;
use tokio::sync::{mpsc, oneshot};

use super::failure::{copy, stopped};
use super::kept::Kept;
use super::rows::{self, elements, string};
use super::{Database, PerDatabase, over_json, text};
use crate::model::Connection;
use crate::store::StoreResult;
use crate::time::Timestamp;

/// The most questions that are asked together; so many more may wait.
const BATCH: usize = 256;

/// Each element is an id.
pub(super) const ROWS: PerDatabase =
    over_json!("select n.* from ", " i join connection n on n.connection_id = i.value ->> 0");

struct Question {
    connection_id: String,
    now: Timestamp,
    asker: oneshot::Sender<StoreResult<Option<Connection>>>,
}

/// Where questions go; whoever answers them ends when this is dropped.
pub(super) struct Lookup(mpsc::Sender<Question>);

impl Lookup {
    pub(super) fn start(pool: &AnyPool, database: Database, shared: bool) -> Self {
        let (questions, queue) = mpsc::channel(BATCH);
        tokio::spawn(answer(Kept::new(pool, database, shared), database, queue));
        Self(questions)
    }

    /// The row of a live socket.
    pub(super) async fn connection(&self, connection_id: &str, now: Timestamp) -> StoreResult<Option<Connection>> {
        let (asker, answer) = oneshot::channel();
        let question = Question { connection_id: text(connection_id), now, asker };
        self.0.send(question).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

async fn answer(mut kept: Kept, database: Database, mut queue: mpsc::Receiver<Question>) {
    let mut questions = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut questions, BATCH).await > 0 {
        match rows(&mut kept, database, &questions).await {
            Ok(rows) => questions.drain(..).for_each(|one| {
                let _ = one.asker.send(find(&rows, &one.connection_id, one.now));
            }),
            Err(error) => questions.drain(..).for_each(|one| {
                let _ = one.asker.send(Err(copy(&error)));
            }),
        }
    }
}

async fn rows(kept: &mut Kept, database: Database, questions: &[Question]) -> sqlx::Result<Vec<AnyRow>> {
    let ids = elements(questions.iter().map(|one| &one.connection_id))?;
    let rows = sqlx::query(ROWS.on(database)).bind(ids).fetch_all(kept.connection().await?).await;
    kept.done(rows)
}

fn find(rows: &[AnyRow], connection_id: &str, now: Timestamp) -> StoreResult<Option<Connection>> {
    for row in rows {
        if string(row, "connection_id")? == connection_id {
            let connection = rows::connection(row)?;
            return Ok(Some(connection).filter(|one| one.expires_at > now));
        }
    }
    Ok(None)
}
