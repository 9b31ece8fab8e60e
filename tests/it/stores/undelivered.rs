//! What a gateway that reads a table's stream has still to do. Its outbox is empty before it has read a record, too; so what
//! happened and what was delivered is told by the stream itself.

use std::collections::HashSet;

use aws_lambda_events::dynamodb::EventRecord;
use gateway::stream::StreamReader;
use shared::event::stream::{Told, told};
use shared::event::{EventKind, Lane};
use tokio::sync::Mutex;

/// A conversation, and the place of an event among its own.
type Place = (String, i64);

/// Events of the lane to Telegram that wait, wherever they do.
pub struct Undelivered(Mutex<Seen>);

struct Seen {
    stream: StreamReader,
    waiting: HashSet<Place>,
    /// Delivered before they were seen to happen: records of two items come in any order.
    early: HashSet<Place>,
}

impl Undelivered {
    /// All that the stream tells from its beginning.
    pub fn on(stream: StreamReader) -> Self {
        Self(Mutex::new(Seen { stream, waiting: HashSet::new(), early: HashSet::new() }))
    }

    /// How many there are.
    pub async fn count(&self) -> usize {
        let mut seen = self.0.lock().await;
        loop {
            let records = seen.stream.next().await.expect("the stream can be read");
            if records.is_empty() {
                return seen.waiting.len();
            }
            for record in &records {
                seen.take(record);
            }
        }
    }
}

impl Seen {
    fn take(&mut self, record: &EventRecord) {
        if let Told::Happened(event, position) = told(record) {
            if event.kind == EventKind::ConversationDeleted {
                self.waiting.retain(|(conversation_id, _)| *conversation_id != event.conversation_id);
            }
            let place = (event.conversation_id, position);
            if Lane::Telegram.takes(event.kind) && !self.early.remove(&place) {
                self.waiting.insert(place);
            }
        } else if record.event_name == "REMOVE"
            && let Some(place) = removed(record)
            && !self.waiting.remove(&place)
        {
            self.early.insert(place);
        }
    }
}

/// The place of an event that has left the lane.
fn removed(record: &EventRecord) -> Option<Place> {
    let keys = serde_json::to_value(&record.change.keys).expect("an item's key");
    let place = keys["sk"]["S"].as_str().filter(|_| keys["pk"]["S"] == "OUT#telegram")?;
    let (conversation_id, position) = place.split_once('#')?.1.rsplit_once('#')?;
    Some((conversation_id.to_owned(), position.parse().ok()?))
}
