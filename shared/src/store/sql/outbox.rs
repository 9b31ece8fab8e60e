//! Events: written in the transaction of their fact, read lane by lane.

use async_trait::async_trait;

use super::db::{Client, Result, Row, query};
use super::rows::{from_word, maybe_time, number, string, time, word};
use super::{SqlStore, text};
use crate::event::{EVENT_VERSION, Event, EventKind, Lane};
use crate::store::{Outbox, Pending, StoreResult};
use crate::time::Timestamp;

const INSERT: &str = "insert into outbox (lane, conversation_id, position, kind, seq, at, tries, not_before)
    values ($1, $2, $3, $4, $5, $6, 0, $6) on conflict (lane, conversation_id, position) do nothing";
const INSERT_BOTH: &str = "insert into outbox (lane, conversation_id, position, kind, seq, at, tries, not_before)
    values ($1, $2, $3, $4, $5, $6, 0, $6), ($7, $2, $3, $4, $5, $6, 0, $6)
    on conflict (lane, conversation_id, position) do nothing";
const OLDER: &str = "delete from outbox where lane = $1 and conversation_id = $2 and position < $3";
/// What is postponed has been tried, and there is an index of that.
pub(super) const DUE: &str = "with postponed as materialized (select conversation_id, position from outbox
        where lane = $1 and tries > 0 and not_before > $2)
    select o.* from outbox o where o.lane = $1 and o.not_before <= $2 and not exists (select 1 from postponed p
        where p.conversation_id = o.conversation_id and p.position < o.position)
    order by o.at, o.conversation_id, o.position limit $3";
const DELIVERED: &str = "delete from outbox where lane = $1 and conversation_id = $2 and position = $3";
const POSTPONE: &str = "update outbox set tries = tries + 1, not_before = $4
    where lane = $1 and conversation_id = $2 and position = $3";
pub(super) const BACKLOG: &str = "select count(*) as waiting, min(at) as oldest from outbox where lane = $1";

/// Writes an event into every filled lane that takes it.
pub(super) async fn put(connection: &mut Client, lanes: &[Lane], event: &Event, position: i64) -> Result<()> {
    let taking: Vec<&str> = lanes.iter().filter(|lane| lane.takes(event.kind)).map(|lane| lane.as_str()).collect();
    let statement = match *taking {
        [] => return Ok(()),
        [_] => INSERT,
        _ => INSERT_BOTH,
    };
    let query = query(statement)
        .bind(taking.first().copied())
        .bind(&event.conversation_id)
        .bind(position)
        .bind(word(event.kind)?)
        .bind(event.seq)
        .bind(event.at.0);
    let query = if let Some(second) = taking.get(1) { query.bind(*second) } else { query };
    query.execute(connection).await.map(|_| ())
}

/// An event that happened now, with its place, from a conversation's row that was just moved by it.
pub(super) fn of_row(row: &Row, kind: EventKind, seq: i64) -> Result<(Event, i64)> {
    let (conversation_id, at) = (string(row, "conversation_id")?, time(row, "event_at")?);
    Ok((Event { v: EVENT_VERSION, kind, conversation_id, seq, at }, number(row, "event_seq")?))
}

fn pending(row: &Row) -> Result<Pending> {
    let event = Event {
        v: EVENT_VERSION,
        kind: from_word(string(row, "kind")?)?,
        conversation_id: string(row, "conversation_id")?,
        seq: number(row, "seq")?,
        at: time(row, "at")?,
    };
    let (position, tries) = (number(row, "position")?, number(row, "tries")?);
    Ok(Pending { event, position, tries, not_before: time(row, "not_before")? })
}

#[async_trait]
impl Outbox for SqlStore {
    async fn accept(&self, lane: Lane, event: &Event, position: i64) -> StoreResult<()> {
        self.write(&event.conversation_id, (lane, event.clone(), position), |(lane, event, position), tx| {
            Box::pin(async move {
                if event.kind == EventKind::ConversationDeleted {
                    let older = query(OLDER).bind(lane.as_str()).bind(text(&event.conversation_id)).bind(position);
                    older.execute(&mut *tx).await?;
                }
                put(tx, &[*lane], event, *position).await
            })
        })
        .await
    }

    async fn due(&self, lane: Lane, now: Timestamp, limit: i64) -> StoreResult<Vec<Pending>> {
        let query = query(DUE).bind(lane.as_str()).bind(now.0).bind(limit.max(0));
        let rows = query.fetch_all(&self.readers).await?;
        Ok(rows.iter().map(pending).collect::<Result<_>>()?)
    }

    async fn delivered(&self, lane: Lane, events: &[Pending]) -> StoreResult<()> {
        if events.is_empty() {
            return Ok(());
        }
        let keys: Vec<_> = events.iter().map(|one| (one.event.conversation_id.clone(), one.position)).collect();
        self.write(lane.as_str(), (lane, keys), |(lane, keys), tx| {
            Box::pin(async move {
                for (conversation_id, position) in keys {
                    let query = query(DELIVERED).bind(lane.as_str()).bind(text(conversation_id)).bind(position);
                    query.execute(&mut *tx).await?;
                }
                Ok(())
            })
        })
        .await
    }

    async fn postpone(&self, lane: Lane, event: &Pending, not_before: Timestamp) -> StoreResult<()> {
        let args = (lane, text(&event.event.conversation_id), event.position, not_before.0);
        self.write_once(lane.as_str(), args, |(lane, conversation_id, position, not_before), tx| {
            let query = query(POSTPONE).bind(lane.as_str()).bind(conversation_id).bind(position).bind(not_before);
            Box::pin(async move { query.execute(tx).await.map(|_| ()) })
        })
        .await
    }

    async fn backlog(&self, lane: Lane) -> StoreResult<(i64, Option<Timestamp>)> {
        let row = query(BACKLOG).bind(lane.as_str()).fetch_one(&self.readers).await?;
        Ok((number(&row, "waiting")?, maybe_time(&row, "oldest")?))
    }
}
