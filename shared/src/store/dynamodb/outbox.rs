//! Events that wait. They come by the table's stream; a row's place is its age, so that a lane is read oldest first.

use std::collections::HashSet;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::DynamoStore;
use super::batch::Range;
use super::item::{Item, Key, millis, n, read, t};
use super::table::Terms;
use crate::event::{EVENT_VERSION, Event, EventKind, Lane};
use crate::store::{Outbox, Pending, StoreResult};
use crate::time::Timestamp;

/// A row of a lane.
#[derive(Serialize, Deserialize)]
struct Row {
    kind: EventKind,
    conversation_id: String,
    seq: i64,
    #[serde(with = "millis")]
    at: Timestamp,
    position: i64,
    tries: i64,
    #[serde(with = "millis")]
    not_before: Timestamp,
}

fn lane_of(lane: Lane) -> String {
    format!("OUT#{}", lane.as_str())
}

fn key(lane: Lane, event: &Event, position: i64) -> Key {
    Key::new(lane_of(lane), format!("{:013}#{}#{position:012}", event.at.0.max(0), event.conversation_id))
}

impl From<Row> for Pending {
    fn from(row: Row) -> Self {
        let Row { kind, conversation_id, seq, at, .. } = row;
        let event = Event { v: EVENT_VERSION, kind, conversation_id, seq, at };
        Self { event, position: row.position, tries: row.tries, not_before: row.not_before }
    }
}

impl DynamoStore {
    async fn waiting(&self, lane: Lane) -> StoreResult<Vec<Item>> {
        self.all(Range::of(lane_of(lane)).consistent()).await
    }

    /// Takes the events of a conversation that wait before a place out of a lane.
    pub(super) async fn drop_events(&self, lane: Lane, conversation_id: &str, before: i64) -> StoreResult<()> {
        let mut older = Vec::new();
        for item in self.waiting(lane).await? {
            let key = Key::of(&item)?;
            let row: Row = read(item)?;
            if row.conversation_id == conversation_id && row.position < before {
                older.push(key);
            }
        }
        self.remove_all(&older).await
    }
}

#[async_trait]
impl Outbox for DynamoStore {
    async fn accept(&self, lane: Lane, event: &Event, position: i64) -> StoreResult<()> {
        let id = &event.conversation_id;
        if event.kind == EventKind::ConversationDeleted {
            self.drop_events(lane, id, position).await?;
        }
        // Where the stream is behind, it tells of what has been erased: whoever delivers that finds nothing to tell.
        if lane.takes(event.kind) {
            let Event { kind, seq, at, .. } = *event;
            let row = Row { kind, conversation_id: id.clone(), seq, at, position, tries: 0, not_before: at };
            self.put(key(lane, event, position).item(&row)?, Terms::absent()).await?;
        }
        Ok(())
    }

    async fn due(&self, lane: Lane, now: Timestamp, limit: i64) -> StoreResult<Vec<Pending>> {
        let limit = usize::try_from(limit).unwrap_or(0);
        let (mut due, mut held) = (Vec::new(), HashSet::new());
        let mut next = Some(Range::of(lane_of(lane)).consistent());
        while let Some(range) = next.filter(|_| due.len() < limit) {
            let (items, rest) = self.page(range).await?;
            next = rest;
            for item in items {
                let pending = Pending::from(read::<Row>(item)?);
                let id = &pending.event.conversation_id;
                if pending.not_before > now {
                    held.insert(id.clone());
                } else if !held.contains(id) {
                    due.push(pending);
                }
            }
        }
        due.truncate(limit);
        Ok(due)
    }

    async fn delivered(&self, lane: Lane, events: &[Pending]) -> StoreResult<()> {
        let keys: Vec<_> = events.iter().map(|one| key(lane, &one.event, one.position)).collect();
        self.remove_all(&keys).await
    }

    async fn postpone(&self, lane: Lane, event: &Pending, not_before: Timestamp) -> StoreResult<()> {
        // The same moment again is the same failure, told again.
        let terms = Terms::change("SET tries = tries + :one, not_before = :until")
            .only_when("attribute_exists(pk) AND not_before <> :until")
            .value(":one", n(1))
            .value(":until", t(not_before));
        self.update(&key(lane, &event.event, event.position), terms).await?;
        Ok(())
    }

    async fn backlog(&self, lane: Lane) -> StoreResult<(i64, Option<Timestamp>)> {
        let rows = self.waiting(lane).await?;
        let waiting = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let oldest = rows.into_iter().next().map(read::<Row>).transpose()?;
        Ok((waiting, oldest.map(|row| row.at)))
    }
}
