//! The table's stream, as far as it tells events.

use super::head::Head;
use super::item::conversation_of;
use crate::event::{EVENT_VERSION, Event};

/// The event that a change of the table was, and its place among its conversation's events.
///
/// `image` is the record's `NewImage`. `None` for changes that are no event, and for rows that are no head.
pub fn event_of(image: serde_dynamo::Item) -> Option<(Event, i64)> {
    let text = |name: &str| match image.get(name) {
        Some(serde_dynamo::AttributeValue::S(text)) => Some(text.clone()),
        _ => None,
    };
    let (pk, sk) = (text("pk")?, text("sk")?);
    let conversation_id = conversation_of(&pk)?.to_owned();
    let head: Head = (sk == "HEAD").then(|| serde_dynamo::from_item(image).ok())??;
    let kind = head.kind.filter(|_| head.is_event == 1)?;
    let event = Event { v: EVENT_VERSION, kind, conversation_id, seq: head.about, at: head.event_at };
    Some((event, head.event_seq))
}
