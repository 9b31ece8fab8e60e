//! How far a conversation is mirrored in Telegram, and the private chats in which visitors go on.

use shared::store::{Store, TelegramMirror};
use shared::time::{MINUTE, SECOND};

use super::make::{START, begin, head, race};
use crate::stores::{Home, for_each_store};

fn mirror(conversation_id: &str) -> TelegramMirror {
    TelegramMirror {
        conversation_id: conversation_id.into(),
        chat_id: -1_001_234_567_890,
        thread_id: Some(42),
        title: "Ada 🙂".into(),
        icon: "waiting".into(),
        is_closed: true,
        sent_seq: 7,
        sent_at: START,
        failures: vec![(3, "message is too long".into()), (5, "forbidden".into())],
        ..TelegramMirror::default()
    }
}

#[tokio::test]
async fn a_mirror_is_kept_with_its_conversation_and_replaced_as_a_whole() {
    for_each_store(|store| async move {
        let (ada, bob) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        assert_eq!(store.mirror(&ada).await.unwrap(), None);

        assert!(store.save_mirror(&mirror(&ada)).await.unwrap());
        assert_eq!(store.mirror(&ada).await.unwrap(), Some(mirror(&ada)));
        let without_topic = TelegramMirror { thread_id: None, failures: Vec::new(), sent_seq: 8, ..mirror(&ada) };
        assert!(store.save_mirror(&without_topic).await.unwrap());

        assert_eq!(store.mirror(&ada).await.unwrap(), Some(without_topic));
        assert_eq!(store.mirror(&bob).await.unwrap(), None);
        store.delete(&ada, START).await.unwrap();
        assert!(!store.save_mirror(&mirror(&ada)).await.unwrap());
        assert!(!store.save_mirror(&mirror("nobody")).await.unwrap());
        assert_eq!(store.mirror(&ada).await.unwrap(), None);
    })
    .await;
}

/// What a chat leads to, and which chat each conversation names.
async fn bound(store: &dyn Store, chats: &[i64], ids: &[&str]) -> (Vec<Option<String>>, Vec<Option<i64>>) {
    let (mut conversations, mut named) = (Vec::new(), Vec::new());
    for chat in chats {
        conversations.push(store.chat_conversation(*chat).await.unwrap());
    }
    for id in ids {
        named.push(head(store, id, START).await.visitor_chat_id);
    }
    (conversations, named)
}

#[tokio::test]
async fn a_chat_has_one_conversation_and_a_conversation_one_chat() {
    for_each_store(|store| async move {
        let (ada, bob) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        let (some, none) = (|id: &String| Some(id.clone()), None);
        let now = async || bound(&*store, &[7, 8], &[&ada, &bob]).await;
        assert_eq!(now().await, (vec![none.clone(), none.clone()], vec![None, None]));

        assert!(store.bind_chat(7, &ada).await.unwrap());
        assert!(store.bind_chat(7, &ada).await.unwrap(), "the same again");
        assert_eq!(now().await, (vec![some(&ada), none.clone()], vec![Some(7), None]));
        assert!(store.bind_chat(7, &bob).await.unwrap());
        assert_eq!(now().await, (vec![some(&bob), none.clone()], vec![None, Some(7)]), "it moves to another one");
        assert!(store.bind_chat(8, &bob).await.unwrap());
        assert_eq!(now().await, (vec![none.clone(), some(&bob)], vec![None, Some(8)]), "which moves to another chat");
        store.unbind_chat(7).await.unwrap();
        assert_eq!(now().await.0, [none.clone(), some(&bob)]);
        store.unbind_chat(8).await.unwrap();
        assert_eq!(now().await, (vec![none.clone(), none], vec![None, None]));
        assert!(store.bind_chat(7, &ada).await.unwrap());
        store.delete(&ada, START).await.unwrap();
        assert!(!store.bind_chat(8, &ada).await.unwrap());
        assert_eq!(bound(&*store, &[7, 8], &[]).await.0, [None, None]);
        assert!(store.bind_chat(7, &bob).await.unwrap(), "a chat outlives its conversation");
    })
    .await;
}

#[tokio::test]
async fn racing_bindings_leave_one_that_both_sides_know() {
    for home in Home::lasting().await {
        let (one, two) = (home.open().await, home.open().await);
        let mut ids = Vec::new();
        for number in 0..5 {
            ids.push(begin(&*one, &format!("visitor {number}")).await);
        }

        let racers = (0..8_usize).map(|n| match n % 4 {
            0 => one.bind_chat(7, &ids[n % 5]),
            1 => two.bind_chat(7, &ids[n % 5]),
            2 => one.bind_chat(8, &ids[n % 5]),
            _ => two.bind_chat(8, &ids[n % 5]),
        });
        let answers = race(racers).await;

        assert!(answers.into_iter().all(|answer| answer.unwrap()));
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        let (conversations, named) = bound(&*one, &[7, 8], &ids).await;
        for (chat, conversation) in [7, 8].into_iter().zip(conversations) {
            let naming: Vec<_> = ids.iter().zip(&named).filter(|(_, named)| **named == Some(chat)).collect();
            assert_eq!(conversation.as_deref(), naming.first().map(|(id, _)| **id));
            assert!(naming.len() < 2, "{naming:?}");
        }
        drop((one, two));
        home.leave().await;
    }
}

#[tokio::test]
async fn a_start_link_is_taken_once_and_in_time() {
    for_each_store(|store| async move {
        let (ada, bob) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        let end = START.plus(10 * MINUTE);
        for (hash, id) in [("start", &ada), ("late", &ada), ("erased", &bob)] {
            store.put_start(hash, id, end).await.unwrap();
        }
        store.delete(&bob, START).await.unwrap();
        store.put_start("after", &bob, end).await.unwrap();

        let takes = race((0..100).map(|_| store.take_start("start", START.plus(SECOND)))).await;

        let winners: Vec<_> = takes.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(winners, [ada]);
        assert_eq!(store.take_start("late", end).await.unwrap(), None);
        for hash in ["erased", "after", "unknown"] {
            assert_eq!(store.take_start(hash, START).await.unwrap(), None, "{hash}");
        }
    })
    .await;
}
