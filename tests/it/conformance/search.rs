//! Searching messages.

use futures::future::join_all;
use shared::model::Sender;
use shared::search::terms;
use shared::store::Store;
use shared::time::SECOND;

use super::make::{START, after, begin, first, say};
use crate::stores::for_each_store;

/// Says and indexes.
async fn write(store: &dyn Store, conversation_id: &str, content: &str, second: i64) {
    let seq = say(store, conversation_id, Sender::Visitor, content, START.plus(second * SECOND)).await.seq;
    store.index(conversation_id, seq).await.unwrap();
}

async fn found(store: &dyn Store, text: &str) -> Vec<String> {
    let page = store.search(&terms(text), &first(100)).await.unwrap();
    page.items.into_iter().map(|(message, _)| message.content).collect()
}

#[tokio::test]
async fn every_term_begins_some_word_newest_first() {
    for_each_store(|store| async move {
        let (ada, bob) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        write(&*store, &ada, "The payment expired", 1).await;
        write(&*store, &bob, "Expired again, what now?", 3).await;
        write(&*store, &ada, "EXPIRING soon", 2).await;

        assert_eq!(found(&*store, "expir").await, ["Expired again, what now?", "EXPIRING soon", "The payment expired"]);
        assert_eq!(found(&*store, "expired pay").await, ["The payment expired"]);
        assert_eq!(found(&*store, "p").await, ["The payment expired"]);
        assert_eq!(found(&*store, "expirings").await, [""; 0]);
        assert_eq!(found(&*store, "pired").await, [""; 0]);
        assert_eq!(found(&*store, "").await, [""; 0]);
        let hit = store.search(&terms("again"), &first(9)).await.unwrap().items.remove(0);
        assert_eq!(hit.1, "Bob");
        assert_eq!(Some(hit.0.clone()), store.message(&hit.0.id).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn words_are_found_by_every_length_of_their_beginning() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        let word = "Uluslararasılaştırma";
        write(&*store, &id, word, 1).await;
        write(&*store, &id, "日本語で İĞÜŞÖÇ", 2).await;

        for length in 1..=word.chars().count() {
            let beginning: String = word.chars().take(length).collect();
            assert_eq!(found(&*store, &beginning).await, [word], "{beginning}");
        }
        assert_eq!(found(&*store, "uluslararasilasxirma").await, [""; 0]);
        assert_eq!(found(&*store, "本 igusoc").await, ["日本語で İĞÜŞÖÇ"]);
        assert_eq!(found(&*store, &"u".repeat(500)).await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn pages_of_results_follow_each_other() {
    for_each_store(|store| async move {
        let (ada, bob) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        let contents: Vec<_> =
            (0..250).map(|n| if n % 50 == 0 { format!("needle {n}") } else { format!("needs {n}") }).collect();
        for (some, first) in contents.chunks(25).zip((0..).step_by(25)) {
            let writes = some.iter().zip(first..);
            join_all(writes.map(|(content, n)| write(&*store, if n % 2 == 0 { &ada } else { &bob }, content, n / 10)))
                .await;
        }

        let (mut seen, mut cursor, mut calls) = (Vec::new(), None, 0);
        loop {
            let page = store.search(&terms("nee"), &after(100, cursor)).await.unwrap();
            seen.extend(page.items.into_iter().map(|(message, _)| message));
            calls += 1;
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }

        assert_eq!(seen.len(), 250);
        assert!(calls <= 4);
        assert!(seen.windows(2).all(|two| two[0].created_at >= two[1].created_at));
        let mut ids: Vec<_> = seen.into_iter().map(|one| one.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 250);
        assert_eq!(found(&*store, "needle").await.len(), 5);
    })
    .await;
}

/// More messages with `word` than one call looks through: many on SQL, on DynamoDB many words.
async fn haystack(store: &dyn Store, id: &str, word: &str) {
    let (messages, words) = if store.name() == "dynamodb" { (150, 200) } else { (1_100, 1) };
    let hay = (1..words).map(|n| format!("{n:ა>64}")).collect::<Vec<_>>().join(" ");
    let content = format!("{word} {hay}");
    for first in (0..messages).step_by(10) {
        join_all((1..=10).map(|n| write(store, id, &content, first + n))).await;
    }
}

#[tokio::test]
async fn a_call_does_bounded_work_and_its_cursor_goes_on() {
    for_each_store(|store| async move {
        let (id, hay) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        write(&*store, &id, "abcdefgh needle", 0).await;
        haystack(&*store, &hay, "abcdefgh").await;

        let one = store.search(&terms("abcdefgh needle"), &first(10)).await.unwrap();
        let two = store.search(&terms("abcdefgh needle"), &after(10, one.next_cursor.clone())).await.unwrap();

        assert!(one.items.is_empty() && one.next_cursor.is_some());
        assert_eq!(two.items.len(), 1);
        assert_eq!(two.next_cursor, None);
    })
    .await;
}

#[tokio::test]
async fn the_index_follows_edits_and_forgets_what_is_gone() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        write(&*store, &id, "before", 1).await;
        store.edit(&id, 1, "after", START).await.unwrap();

        store.index(&id, 1).await.unwrap();
        store.index(&id, 1).await.unwrap();
        store.index(&id, 2).await.unwrap();
        store.index("nobody", 1).await.unwrap();

        assert_eq!(found(&*store, "before").await, [""; 0]);
        assert_eq!(found(&*store, "after").await, ["after"]);
        store.delete(&id, START).await.unwrap();
        store.index(&id, 1).await.unwrap();
        store.index(&id, 0).await.unwrap();
        assert_eq!(found(&*store, "after").await, [""; 0]);
    })
    .await;
}
