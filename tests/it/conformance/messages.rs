//! Messages: reading by place and by id, editing.

use shared::event::{EventKind, Lane};
use shared::model::{File, MessageType, Sender, Via};
use shared::store::{Appended, Place};
use shared::time::SECOND;

use super::make::{START, begin, head, message, say, stored};
use crate::stores::for_each_store;

#[tokio::test]
async fn a_message_is_kept_with_every_part() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        let mut one = message(&id, Sender::Admin, "line\n\ttwo \u{1f642} ' \" ; -- <b>", START);
        one.via = Via::Telegram;
        one.message_type = MessageType::Image;
        one.file = Some(File {
            name: "a\"\0b.png".into(),
            size: 7,
            mime: "image/png".into(),
            url: "/f/1".into(),
            album: Some("a1".into()),
        });

        let kept = stored(store.append(&one, None).await.unwrap());

        one.seq = 1;
        one.id.clone_from(&kept.id);
        assert_eq!(kept, one);
        assert_eq!(store.message(&one.id).await.unwrap(), Some(kept.clone()));
        assert_eq!(store.message_by_client_id(&id, &one.client_id).await.unwrap(), Some(kept));
        assert_eq!(store.message("nothing").await.unwrap(), None);
        assert_eq!(store.message_by_client_id(&id, "nothing").await.unwrap(), None);
        assert_eq!(store.message_by_client_id("nobody", &one.client_id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn the_same_client_id_is_another_message_in_another_conversation() {
    for_each_store(|store| async move {
        let (ada, bob) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        let one = message(&ada, Sender::Visitor, "x", START);
        let mut other = message(&bob, Sender::Visitor, "y", START);
        other.client_id.clone_from(&one.client_id);

        stored(store.append(&one, None).await.unwrap());
        let kept = stored(store.append(&other, None).await.unwrap());

        assert_eq!((kept.seq, kept.content.as_str()), (1, "y"));
    })
    .await;
}

#[tokio::test]
async fn messages_are_read_from_either_end_of_a_range() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        for n in 0..10 {
            say(&*store, &id, Sender::Visitor, "x", START.plus(n)).await;
        }
        let read = |after, before, newest, limit| {
            let (store, id) = (store.clone(), id.clone());
            async move {
                let found = store.messages(&id, after, before, newest, limit).await.unwrap();
                found.into_iter().map(|one| one.seq).collect::<Vec<_>>()
            }
        };

        assert_eq!(read(0, i64::MAX, false, 3).await, [1, 2, 3]);
        assert_eq!(read(0, i64::MAX, true, 3).await, [8, 9, 10]);
        assert_eq!(read(3, 8, false, 100).await, [4, 5, 6, 7]);
        assert_eq!(read(3, 8, true, 2).await, [6, 7]);
        assert_eq!(read(10, i64::MAX, false, 5).await, [0; 0]);
        assert_eq!(read(0, i64::MAX, false, 0).await, [0; 0]);
        assert_eq!(read(i64::MIN, i64::MAX, true, -5).await, [0; 0]);
        assert!(store.messages("nobody", 0, i64::MAX, false, 10).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_range_has_its_messages_wherever_it_begins_and_ends() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        for n in 0..34 {
            say(&*store, &id, Sender::Visitor, "x", START.plus(n)).await;
        }
        let places = [-1, 0, 1, 15, 16, 17, 32, 33, 34, 35, i64::MAX];
        for (after, before) in places.iter().flat_map(|after| places.map(|before| (*after, before))) {
            let all: Vec<_> = (1..=34).filter(|seq| *seq > after && *seq < before).collect();
            for (limit, newest) in [(1_usize, false), (1, true), (17, false), (17, true)] {
                let many = i64::try_from(limit).unwrap();
                let found = store.messages(&id, after, before, newest, many).await.unwrap();

                let left_out = all.len().saturating_sub(limit);
                let expected = if newest { &all[left_out..] } else { &all[..all.len() - left_out] };
                let found: Vec<_> = found.iter().map(|one| one.seq).collect();
                assert_eq!(found, expected, "{limit} between {after} and {before}, the newest: {newest}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_edit_keeps_the_place_and_changes_the_preview_of_the_newest_only() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        let old = say(&*store, &id, Sender::Admin, "helo", START).await;
        say(&*store, &id, Sender::Admin, "wrld", START).await;

        let edited = store.edit(&id, 1, "hello", START.plus(SECOND)).await.unwrap().unwrap();
        let preview = head(&*store, &id, START).await.last_message.unwrap().preview;
        store.edit(&id, 2, "world", START.plus(SECOND)).await.unwrap().unwrap();

        assert_eq!((edited.seq, edited.content.as_str()), (1, "hello"));
        assert_eq!((edited.created_at, edited.edited_at), (old.created_at, Some(START.plus(SECOND))));
        assert_eq!(preview, "wrld");
        let last = head(&*store, &id, START).await.last_message.unwrap();
        assert_eq!((last.preview.as_str(), last.created_at), ("world", START));
        for nowhere in [-1, 0, 3] {
            assert_eq!(store.edit(&id, nowhere, "x", START).await.unwrap(), None);
        }
        assert_eq!(store.edit("nobody", 1, "x", START).await.unwrap(), None);
        let events = store.due(Lane::Telegram, START.plus(SECOND), 10).await.unwrap();
        let edits: Vec<_> = events.iter().filter(|one| one.event.kind == EventKind::MessageEdited).collect();
        assert_eq!(edits.iter().map(|one| one.event.seq).collect::<Vec<_>>(), [1, 2]);
    })
    .await;
}

#[tokio::test]
async fn a_long_conversation_is_whole_and_remembers_every_client_id() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        let mut said = Vec::new();
        for n in 0..180_i64 {
            let length = if n == 90 { 24_000 } else { usize::try_from(n * 37 % 300).unwrap() + 1 };
            let sender = if n % 3 == 0 { Sender::Admin } else { Sender::Visitor };
            said.push(message(&id, sender, &"x".repeat(length), START.plus(n * SECOND)));
            stored(store.append(&said[said.len() - 1], None).await.unwrap());
        }

        let edited = store.edit(&id, 3, "edited", START.plus(SECOND)).await.unwrap().unwrap();

        let kept = store.messages(&id, 0, i64::MAX, false, 200).await.unwrap();
        assert_eq!(kept.iter().map(|one| one.seq).collect::<Vec<_>>(), (1..=180).collect::<Vec<_>>());
        assert_eq!(kept[2], edited);
        for n in [0, 2, 60, 90, 170, 179] {
            assert_eq!(store.append(&said[n], None).await.unwrap(), Appended::Duplicate(kept[n].clone()));
            assert_eq!(store.message(&kept[n].id).await.unwrap().as_ref(), Some(&kept[n]));
        }
        for (after, before, newest) in [(0, i64::MAX, true), (0, 100, true), (70, i64::MAX, false), (70, 95, false)] {
            let mut expected: Vec<_> = kept.iter().filter(|one| one.seq > after && one.seq < before).cloned().collect();
            if newest {
                expected.drain(..expected.len().saturating_sub(50));
            }
            expected.truncate(50);
            assert_eq!(store.messages(&id, after, before, newest, 50).await.unwrap(), expected);
            let read = store.history(&id, Place { after, before, newest }, 50, START).await.unwrap().unwrap();
            assert_eq!((read.0.head_seq, read.1), (180, expected));
        }
        assert!(
            store.history("nobody", Place { after: 0, before: 9, newest: true }, 50, START).await.unwrap().is_none()
        );
    })
    .await;
}

#[tokio::test]
async fn a_reaction_is_set_replaced_and_taken_away_without_an_event() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        for number in 1..=40 {
            say(&*store, &id, Sender::Visitor, &format!("{number} {}", "x".repeat(80)), START.plus(number)).await;
        }
        let before = store.backlog(Lane::Telegram).await.unwrap();

        // One that is old, one that is new.
        for seq in [2, 40] {
            let react = async |to: Option<&str>| store.react(&id, seq, to).await.unwrap().unwrap();
            let (message, changed) = react(Some("👍")).await;
            assert!(changed && message.seq == seq && message.reaction.as_deref() == Some("👍"));
            assert_eq!(react(Some("👍")).await, (message, false));
            let (message, changed) = react(Some("❤")).await;
            assert!(changed);
            let read = store.messages(&id, seq - 1, seq + 1, false, 1).await.unwrap();
            assert_eq!(read, [message]);
            let (message, changed) = react(None).await;
            assert!(changed && message.reaction.is_none());
            assert!(!react(None).await.1);
        }
        assert_eq!(store.react(&id, 41, Some("👍")).await.unwrap(), None);
        assert_eq!(store.react(&id, 0, Some("👍")).await.unwrap(), None);
        assert_eq!(store.react("nobody", 1, Some("👍")).await.unwrap(), None);
        assert_eq!(store.backlog(Lane::Telegram).await.unwrap(), before);
        assert_eq!(say(&*store, &id, Sender::Visitor, "next", START.plus(99)).await.seq, 41);
    })
    .await;
}
