//! Which writes of the table invoke a second function: the template's filter, held against what the stream really says.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::event::stream::{Told, told};
use shared::event::{EventKind, Lane};
use shared::model::{Reader, Sender, Status};
use shared::search::terms;

use super::make::{START, begin, first, note, say};
use crate::stores::Home;

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// The patterns of the mapping that delivers events: with Telegram, and without.
pub(super) fn patterns() -> (Value, Value) {
    let template: Value = serde_saphyr::from_str(TEMPLATE).unwrap();
    let events = &template["Resources"]["NotifierFunction"]["Properties"]["Events"];
    let pattern = &events["Stream"]["Properties"]["FilterCriteria"]["Filters"][0]["Pattern"];
    let chosen = |place: usize| serde_json::from_str(pattern[place].as_str().unwrap()).unwrap();
    assert_eq!(pattern[0], "HasTelegram");
    (chosen(1), chosen(2))
}

/// Whether Lambda's filter lets a record pass, as far as the pattern's language is used here.
pub(super) fn passes(pattern: &Value, record: &Value) -> bool {
    match pattern {
        Value::Object(parts) => parts.iter().all(|(name, part)| record.get(name).is_some_and(|one| passes(part, one))),
        Value::Array(allowed) => allowed.contains(record),
        other => panic!("a pattern has no {other}"),
    }
}

#[tokio::test]
async fn without_telegram_only_a_deletion_invokes_the_notifier() {
    let home = Home::on_dynamodb().await;
    let (store, mut stream) = (home.open().await, home.stream().await.unwrap());
    let (with_telegram, without) = patterns();

    let id = begin(&*store, "Ada").await;
    for n in 0..20 {
        say(&*store, &id, Sender::Visitor, &"x".repeat(100), START.plus(n)).await;
    }
    store.edit(&id, 1, "edited", START).await.unwrap();
    store.mark_read(&id, Reader::Admin, 20, None).await.unwrap();
    store.add_note(&note(&id, "n1", "x")).await.unwrap();
    assert_eq!(store.search(&terms("edited"), &first(9)).await.unwrap().items.len(), 1);
    store.set_status(&id, Status::Closed, START).await.unwrap();
    store.delete(&id, START).await.unwrap();

    let (mut events, mut quiet) = (BTreeMap::new(), 0);
    loop {
        let records = stream.next().await.unwrap();
        if records.is_empty() {
            break;
        }
        for record in records {
            let written = serde_json::to_value(&record).unwrap();
            let Told::Happened(event, _) = told(&record) else {
                assert!(!passes(&with_telegram, &written) && !passes(&without, &written), "{written}");
                quiet += 1;
                continue;
            };
            assert!(passes(&with_telegram, &written), "{written}");
            assert_eq!(passes(&without, &written), Lane::Files.takes(event.kind), "{written}");
            *events.entry(format!("{:?}", event.kind)).or_insert(0) += 1;
        }
    }
    assert_eq!(events[&format!("{:?}", EventKind::MessageStored)], 20);
    assert_eq!(events[&format!("{:?}", EventKind::ConversationDeleted)], 1);
    assert!(quiet > 20, "{quiet}");
    drop(store);
    home.leave().await;
}
