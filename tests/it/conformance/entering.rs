//! On DynamoDB the index is kept by whoever searches, and by the schedule.

use futures::future::join_all;
use shared::event::{EventKind, Lane};
use shared::model::{Message, Sender};
use shared::search::terms;
use shared::store::dynamodb::DynamoStore;
use shared::store::{ConversationFilter, Messages, Records, Store};
use shared::time::{DAY, MINUTE, SECOND, Timestamp};

use super::make::{START, after, begin, first, message, say};
use crate::stores::{Home, Storm, Table};

/// After everything.
const LATER: Timestamp = Timestamp(START.0 + DAY);

/// Every message that a search finds.
async fn found(store: &dyn Store, text: &str) -> Vec<Message> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.search(&terms(text), &after(100, cursor)).await.unwrap();
        found.extend(page.items.into_iter().map(|(message, _)| message));
        let Some(next) = page.next_cursor else { return found };
        cursor = Some(next);
    }
}

/// How many conversations the list by terms shows.
async fn listed(store: &dyn Store, text: &str) -> usize {
    let filter = ConversationFilter { terms: terms(text), ..ConversationFilter::default() };
    store.conversations(&filter, &first(100), START).await.unwrap().items.len()
}

/// Items in partitions whose name begins so.
async fn items(table: &Table, partition: &str) -> usize {
    let items = table.items().await;
    items.iter().filter(|item| item["pk"]["S"].as_str().unwrap().starts_with(partition)).count()
}

async fn said(store: &dyn Store, id: &str, count: i64) {
    for n in 1..=count {
        say(store, id, Sender::Visitor, &format!("needle number{n}"), START.plus(n * SECOND)).await;
    }
}

#[tokio::test]
async fn a_search_enters_what_it_finds_and_the_next_one_has_nothing_to_enter() {
    let home = Home::on_dynamodb().await;
    let (store, table) = (DynamoStore::open(&home.url).unwrap(), home.table().unwrap());
    let id = begin(&store, "Ada").await;
    said(&store, &id, 40).await;
    assert_eq!((items(table, "WORDS#").await, items(table, "UNDONE").await), (0, 1));

    assert_eq!(found(&store, "needle").await.len(), 40);

    assert_eq!(items(table, "UNDONE").await, 0);
    assert!((1..=4).contains(&items(table, "WORDS#").await), "messages share their items");
    let before = store.consumed().written;
    assert_eq!(found(&DynamoStore::open(&home.url).unwrap(), "number7").await.len(), 1);
    assert_eq!((found(&store, "needle").await.len(), listed(&store, "ada").await), (40, 1));
    assert!((store.consumed().written - before).abs() < 0.1, "nothing was written");
    say(&store, &id, Sender::Visitor, "a needle more", START).await;
    assert_eq!(found(&store, "needle").await.len(), 41, "whatever its time is");
    assert_eq!(items(table, "UNDONE").await, 0);
    home.leave().await;
}

#[tokio::test]
async fn edits_are_found_at_once_be_they_many_or_old() {
    let home = Home::on_dynamodb().await;
    let (store, table) = (DynamoStore::open(&home.url).unwrap(), home.table().unwrap());
    let id = begin(&store, "Ada").await;
    said(&store, &id, 40).await;
    store.edit(&id, 3, "haystack early", START).await.unwrap();
    assert_eq!((found(&store, "needle").await.len(), found(&store, "haystack").await.len()), (39, 1));

    for seq in [40, 2, 39, 1] {
        store.edit(&id, seq, "haystack", START).await.unwrap();
        assert_eq!(items(table, "UNDONE").await, 1, "{seq}");
        assert_eq!(listed(&store, "haystack").await, 1);
    }
    store.edit(&id, 3, "!", START).await.unwrap();
    assert_eq!((found(&store, "haystack").await.len(), listed(&store, "early").await), (4, 0));
    for seq in 5..=30 {
        store.edit(&id, seq, "haystack too", START).await.unwrap();
    }

    assert_eq!((found(&store, "haystack").await.len(), found(&store, "too").await.len()), (30, 26));
    assert_eq!((found(&store, "needle").await.len(), items(table, "UNDONE").await), (9, 0));
    home.leave().await;
}

#[tokio::test]
async fn the_schedule_enters_what_is_old_enough_when_it_is_enough() {
    let home = Home::on_dynamodb().await;
    let (store, table) = (DynamoStore::open(&home.url).unwrap(), home.table().unwrap());
    let (ada, bob) = (begin(&store, "Ada").await, begin(&store, "Bob").await);
    said(&store, &ada, 10).await;
    said(&store, &bob, 5).await;
    let fourth = START.plus(4 * SECOND);

    assert_eq!(store.index(fourth, 7).await.unwrap(), 0, "six are fewer than seven");
    assert_eq!(items(table, "WORDS#").await, 0);
    assert_eq!(store.index(fourth, 6).await.unwrap(), 6, "those before the fourth of either");
    assert_eq!(store.index(fourth, 1).await.unwrap(), 0);
    assert_eq!((items(table, "WORDS#").await, items(table, "UNDONE").await), (2, 2));
    assert_eq!(store.index(LATER, 9).await.unwrap(), 9);
    assert_eq!(items(table, "UNDONE").await, 0);
    assert_eq!(store.index(LATER, 0).await.unwrap(), 0);
    assert_eq!((found(&store, "needle").await.len(), found(&store, "number10").await.len()), (15, 1));
    home.leave().await;
}

#[tokio::test]
async fn a_conversation_longer_than_one_step_is_entered_whole() {
    let home = Home::on_dynamodb().await;
    let store = DynamoStore::open(&home.url).unwrap();
    let id = begin(&store, "Ada").await;
    said(&store, &id, 230).await;

    assert_eq!(found(&store, "needle").await.len(), 230);
    home.leave().await;
}

#[tokio::test]
async fn whatever_is_said_and_edited_while_others_search_is_found() {
    let home = Home::on_dynamodb().await;
    let stores: Vec<_> = (0..4).map(|_| DynamoStore::open(&home.url).unwrap()).collect();
    let ids = [begin(&stores[0], "Ada").await, begin(&stores[0], "Bob").await];

    let writing = join_all(stores.iter().zip(&ids).map(|(store, id)| async move {
        for round in 0..6 {
            let one = say(store, id, Sender::Visitor, "before", START.plus(round)).await;
            store.edit(id, one.seq, "between", START).await.unwrap();
            let old = (one.seq / 2).max(1);
            store.edit(id, old, "after", START).await.unwrap();
            let id_of = |one: &Message| (one.conversation_id.clone(), one.seq);
            let there: Vec<_> = found(store, "after").await.iter().map(id_of).collect();
            assert!(there.contains(&(id.clone(), old)), "what was answered is found");
        }
    }));
    let searching = join_all(stores[2..].iter().map(|store| async move {
        for _ in 0..8 {
            found(store, "between").await;
            store.index(LATER, 1).await.unwrap();
        }
    }));
    futures::join!(writing, searching);

    for id in &ids {
        for one in stores[0].messages(id, 0, i64::MAX, false, 100).await.unwrap() {
            assert!(found(&stores[3], &one.content).await.contains(&one), "{one:?}");
        }
    }
    assert_eq!(found(&stores[3], "before").await, []);
    assert_eq!(items(home.table().unwrap(), "UNDONE").await, 0);
    home.leave().await;
}

#[tokio::test]
async fn searches_that_race_with_the_deletion_leave_nothing_of_it() {
    let home = Home::on_dynamodb().await;
    let (store, other) = (home.open().await, DynamoStore::open(&home.url).unwrap());
    for round in 0..8 {
        let id = begin(&*store, "Zelda").await;
        said(&*store, &id, 5 + 5 * round).await;
        let deleting = async {
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            assert!(store.delete(&id, START).await.unwrap());
        };
        let searching = join_all((0..3).map(|_| found(&other, "needle")));
        let writing = async {
            for n in 0..10 {
                other.append(&message(&id, Sender::Visitor, "needle", START.plus(n)), None).await.unwrap();
                other.edit(&id, 1, "needle", START).await.unwrap();
            }
        };

        futures::join!(deleting, searching, writing);

        assert_eq!((found(&*store, "needle").await, listed(&*store, "zelda").await), (Vec::new(), 0));
        let left = home.table().unwrap().items().await;
        let left: Vec<_> = left.iter().filter(|item| item.to_string().contains(&id)).collect();
        assert!(left.is_empty(), "{left:?}");
    }
    let told = store.due(Lane::Telegram, LATER, 100).await.unwrap();
    assert_eq!(told.iter().filter(|one| one.event.kind == EventKind::ConversationDeleted).count(), 8);
    drop(store);
    home.leave().await;
}

#[tokio::test]
async fn what_is_said_edited_and_entered_in_a_storm_is_found_when_it_is_over() {
    for seed in [1, 22] {
        let home = Home::on_dynamodb().await;
        let (fair, table) = (DynamoStore::open(&home.url).unwrap(), home.table().unwrap());
        let weather = Storm::before(table.server(), seed).await;
        let store = DynamoStore::open(&table.url_at(weather.url())).unwrap();
        let id = begin(&fair, "Ada").await;
        let mut failed = 0;
        for n in 0..12 {
            let one = message(&id, Sender::Visitor, &format!("needle number{n}"), START.plus(n));
            failed += i32::from(store.append(&one, None).await.is_err());
            if n % 4 == 0 {
                let text = format!("needle edited {n}");
                failed += i32::from(store.edit(&id, 1 + n / 3, &text, START.plus(n)).await.is_err());
                failed += i32::from(store.index(LATER, 1).await.is_err());
            }
        }
        weather.calm();
        eprintln!("seed {seed}: {failed} calls failed");

        let kept = fair.messages(&id, 0, i64::MAX, false, 100).await.unwrap();
        let mut needles = found(&fair, "needle").await;
        needles.sort_by_key(|one| one.seq);
        assert_eq!(needles, kept);
        let (edited, as_said): (Vec<_>, Vec<_>) = kept.into_iter().partition(|one| one.edited_at.is_some());
        assert_eq!(found(&fair, "edited").await.len(), edited.len());
        assert_eq!(found(&fair, "number").await.len(), as_said.len());
        assert_eq!(items(table, "UNDONE").await, 0);
        home.leave().await;
    }
}

/// As after the death of whoever was about to write: the conversation is in the list for something that never came.
#[tokio::test]
async fn what_was_announced_in_vain_does_not_stay_in_the_list() {
    let home = Home::on_dynamodb().await;
    let (store, table) = (DynamoStore::open(&home.url).unwrap(), home.table().unwrap());
    let id = begin(&store, "Ada").await;
    for item in table.items().await {
        if item["pk"]["S"].as_str().unwrap().starts_with("C#") {
            table.forget(&item).await;
        }
    }

    store.index(START.plus(-MINUTE), 0).await.unwrap();
    assert_eq!(items(table, "UNDONE").await, 1, "it may still be about to begin");
    assert_eq!(found(&store, "ada").await, []);
    store.index(LATER, 0).await.unwrap();

    assert_eq!(items(table, "UNDONE").await, 0, "{id}");
    home.leave().await;
}
