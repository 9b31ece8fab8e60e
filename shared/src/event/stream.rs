//! The table's stream: which of its records say something to the notifier, and what.

use aws_lambda_events::dynamodb::EventRecord;
use serde::Deserialize;
use serde_dynamo::AttributeValue;

use super::{EVENT_VERSION, Event, EventKind, Lane};
use crate::time::Timestamp;

/// What the keys of the leases [`wake`] begin with. The template's second mapping filters by them.
const WAKE_KEYS: &str = "LEASE#wake:";

/// The lease whose every renewal comes by the stream, some time later: the timer of a lane in which something waits while
/// nothing runs. Its `until` only has to differ from the one before.
pub fn wake(lane: Lane) -> String {
    format!("wake:{}", lane.as_str())
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Something happened, at this place among its conversation's events.
    Happened(Event, i64),
    /// Look after the lanes: something waits there.
    Wake,
    /// Nothing for the notifier; the filters of the mappings leave such records out.
    Nothing,
}

/// Reads a record. Whatever is not as the `DynamoDB` adapter writes it says nothing.
pub fn told(record: &EventRecord) -> Told {
    let key = |name: &str| match record.change.keys.get(name) {
        Some(AttributeValue::S(text)) => text.as_str(),
        _ => "",
    };
    match (key("pk").strip_prefix("C#"), key("sk")) {
        (Some(conversation_id), "HEAD") => head(conversation_id, record).unwrap_or(Told::Nothing),
        _ if key("pk").starts_with(WAKE_KEYS) && record.event_name != "REMOVE" => Told::Wake,
        _ => Told::Nothing,
    }
}

/// What a head says of the change that wrote it; the names are the adapter's.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "e", default)]
    is_event: i64,
    #[serde(rename = "i")]
    kind: EventKind,
    #[serde(rename = "j", default)]
    about: i64,
    #[serde(rename = "p")]
    place: i64,
    #[serde(rename = "o")]
    at: i64,
}

fn head(conversation_id: &str, record: &EventRecord) -> Option<Told> {
    let head: Head = serde_dynamo::from_item(record.change.new_image.clone()).ok()?;
    let event = Event {
        v: EVENT_VERSION,
        kind: head.kind,
        conversation_id: conversation_id.to_owned(),
        seq: head.about,
        at: Timestamp(head.at),
    };
    (head.is_event == 1).then_some(Told::Happened(event, head.place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, pk: &str, sk: &str, image: &str) -> EventRecord {
        let text = format!(
            r#"{{"awsRegion":"local","eventID":"1","eventName":"{name}","dynamodb":{{"SizeBytes":1,
                "Keys":{{"pk":{{"S":"{pk}"}},"sk":{{"S":"{sk}"}}}},"NewImage":{image}}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    const STORED: &str = r#"{"e":{"N":"1"},"i":{"S":"message_stored"},"j":{"N":"7"},"p":{"N":"9"},"o":{"N":"1000"},
        "k":{"M":{}},"t":{"B":"AAEC"},"l":{"L":[{"M":{"x":{"S":"text"}}}]}}"#;

    #[test]
    fn a_heads_change_is_an_event_when_it_says_so() {
        let event = Event {
            v: EVENT_VERSION,
            kind: EventKind::MessageStored,
            conversation_id: "c1".into(),
            seq: 7,
            at: Timestamp(1_000),
        };

        assert_eq!(told(&record("MODIFY", "C#c1", "HEAD", STORED)), Told::Happened(event.clone(), 9));
        let noted = Event { kind: EventKind::NoteAdded, ..event };
        let note = STORED.replace("message_stored", "note_added");
        assert_eq!(told(&record("MODIFY", "C#c1", "HEAD", &note)), Told::Happened(noted, 9));
        let quiet = STORED.replace(r#""e":{"N":"1"},"#, "");
        assert_eq!(told(&record("MODIFY", "C#c1", "HEAD", &quiet)), Told::Nothing);
        assert_eq!(told(&record("REMOVE", "C#c1", "HEAD", "null")), Told::Nothing);
        assert_eq!(told(&record("INSERT", "C#c1", "A#000000000001", STORED)), Told::Nothing);
    }

    #[test]
    fn a_lane_is_woken_by_its_lease_but_not_by_the_leases_end() {
        let pk = format!("LEASE#{}", wake(Lane::Telegram));

        assert_eq!(told(&record("INSERT", &pk, "-", "{}")), Told::Wake);
        assert_eq!(told(&record("REMOVE", &pk, "-", "null")), Told::Nothing);
        assert_eq!(told(&record("MODIFY", "LEASE#pause:telegram", "-", "{}")), Told::Nothing);
    }
}
