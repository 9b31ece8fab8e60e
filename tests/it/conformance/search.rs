//! Searching messages: before the index has taken them in, and after.

use futures::future::join_all;
use shared::model::Sender;
use shared::search::terms;
use shared::store::Store;
use shared::time::SECOND;

use super::make::{START, after, begin, first, index, say};
use crate::stores::for_each_store;

async fn write(store: &dyn Store, conversation_id: &str, content: &str, second: i64) {
    say(store, conversation_id, Sender::Visitor, content, START.plus(second * SECOND)).await;
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
        write(&*store, &bob, "EXPIRING soon", 2).await;
        write(&*store, &ada, "Expired again, what now?", 3).await;

        for _ in ["behind the index", "in the index"] {
            let all = ["Expired again, what now?", "EXPIRING soon", "The payment expired"];
            assert_eq!(found(&*store, "expir").await, all);
            assert_eq!(found(&*store, "expired pay").await, ["The payment expired"]);
            assert_eq!(found(&*store, "p").await, ["The payment expired"]);
            assert_eq!(found(&*store, "expirings").await, [""; 0]);
            assert_eq!(found(&*store, "pired").await, [""; 0]);
            assert_eq!(found(&*store, "").await, [""; 0]);
            let hit = store.search(&terms("again"), &first(9)).await.unwrap().items.remove(0);
            assert_eq!(hit.1, "Ada");
            assert_eq!(Some(hit.0.clone()), store.message(&hit.0.id).await.unwrap());
            index(&*store).await;
        }
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

        for _ in ["behind the index", "in the index"] {
            for length in 1..=word.chars().count() {
                let beginning: String = word.chars().take(length).collect();
                assert_eq!(found(&*store, &beginning).await, [word], "{beginning}");
            }
            assert_eq!(found(&*store, "uluslararasilasxirma").await, [""; 0]);
            assert_eq!(found(&*store, "本 igusoc").await, ["日本語で İĞÜŞÖÇ"]);
            assert_eq!(found(&*store, &"u".repeat(500)).await, [""; 0]);
            index(&*store).await;
        }
    })
    .await;
}

#[tokio::test]
async fn pages_of_results_follow_each_other() {
    for_each_store(|store| async move {
        let (ada, bob) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        let contents: Vec<_> =
            (0..250).map(|n| if n % 50 == 0 { format!("needle {n}") } else { format!("needs {n}") }).collect();
        for (content, n) in contents.iter().zip(0..) {
            write(&*store, if n % 2 == 0 { &ada } else { &bob }, content, n).await;
            if n == 99 || n == 174 {
                // Two blocks, and the rest behind them.
                index(&*store).await;
            }
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

#[tokio::test]
async fn what_is_written_after_the_newest_was_erased_is_found() {
    for_each_store(|store| async move {
        let (ada, bob) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        write(&*store, &ada, "needle one", 1).await;
        write(&*store, &bob, "needle two", 2).await;
        index(&*store).await;

        assert!(store.delete(&bob, START.plus(3 * SECOND)).await.unwrap());
        write(&*store, &ada, "needle three", 4).await;

        for _ in ["behind the index", "in the index"] {
            assert_eq!(found(&*store, "needle").await, ["needle three", "needle one"]);
            assert_eq!(found(&*store, "three").await, ["needle three"]);
            index(&*store).await;
        }
    })
    .await;
}

/// More messages with `word` than one call looks through: many on SQL, on DynamoDB many words.
async fn haystack(store: &dyn Store, id: &str, word: &str) {
    let (messages, words) = if store.name() == "dynamodb" { (150, 200) } else { (1_500, 1) };
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

        for _ in ["behind the index", "in the index"] {
            let mut page = store.search(&terms("abcdefgh needle"), &first(10)).await.unwrap();
            assert!(page.items.is_empty() && page.next_cursor.is_some());
            let mut calls = 1;
            while page.items.is_empty() {
                let next = Some(page.next_cursor.expect("the needle is still to come"));
                page = store.search(&terms("abcdefgh needle"), &after(10, next)).await.unwrap();
                calls += 1;
            }

            assert_eq!((page.items.len(), page.next_cursor), (1, None));
            assert!(calls <= 5, "{calls}");
            index(&*store).await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_index_follows_edits_and_forgets_what_is_gone() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        write(&*store, &id, "before", 1).await;
        write(&*store, &id, "beside", 2).await;
        index(&*store).await;
        write(&*store, &id, "behind", 3).await;

        store.edit(&id, 1, "after, not beside", START).await.unwrap();
        store.edit(&id, 3, "ahead", START).await.unwrap();

        for _ in ["before the next block", "after it"] {
            assert_eq!(found(&*store, "before").await, [""; 0]);
            assert_eq!(found(&*store, "behind").await, [""; 0]);
            assert_eq!(found(&*store, "after").await, ["after, not beside"]);
            assert_eq!(found(&*store, "beside").await, ["beside", "after, not beside"]);
            assert_eq!(found(&*store, "ahead").await, ["ahead"]);
            index(&*store).await;
        }
        store.delete(&id, START).await.unwrap();
        assert_eq!(found(&*store, "a").await, [""; 0]);
        assert_eq!(found(&*store, "beside").await, [""; 0]);
        index(&*store).await;
        assert_eq!(found(&*store, "a").await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn the_index_waits_until_there_is_enough_and_takes_nothing_that_may_still_come() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        for second in 0..10 {
            write(&*store, &id, "word", second).await;
        }

        let settled = START.plus(5 * SECOND);
        assert!(store.index(settled, 100).await.unwrap() <= 5);
        store.index(settled, 5).await.unwrap();
        assert_eq!(store.index(settled, 1).await.unwrap(), 0);
        write(&*store, &id, "late word", 6).await;
        index(&*store).await;

        let found = found(&*store, "word").await;
        assert_eq!(found.len(), 11);
        assert!(found.contains(&"late word".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn edits_and_deletions_that_race_with_the_index_are_seen_by_it() {
    for_each_store(|store| async move {
        let (ada, bob) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        for second in 0..40 {
            write(&*store, &ada, "old words", second).await;
            write(&*store, &bob, "gone words", second).await;
        }

        let edits = async {
            for seq in 1..=40 {
                store.edit(&ada, seq, "new text", START.plus(seq)).await.unwrap();
            }
            store.delete(&bob, START).await.unwrap();
        };
        futures::join!(edits, index(&*store), index(&*store));
        index(&*store).await;

        for (word, count) in [("old", 0), ("words", 0), ("gone", 0), ("new", 40), ("text", 40)] {
            assert_eq!(found(&*store, word).await.len(), count, "{word}");
        }
    })
    .await;
}
