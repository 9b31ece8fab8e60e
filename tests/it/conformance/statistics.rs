//! Figures over a period.

use shared::model::{Sender, Status};
use shared::store::{Day, Figures};
use shared::time::{DAY, MINUTE, SECOND, Timestamp};

use super::make::{NO_CAPS, START, begin, begin_as, conversation, say, visitor_socket};
use crate::stores::for_each_store;

#[tokio::test]
async fn an_empty_store_has_nothing_to_tell() {
    for_each_store(|store| async move {
        assert_eq!(store.figures(0, 99_999, START).await.unwrap(), Figures::default());
        assert_eq!(store.figures(i64::MIN, i64::MAX, START).await.unwrap(), Figures::default());
    })
    .await;
}

#[tokio::test]
async fn messages_conversations_and_answers_are_counted_by_day() {
    for_each_store(|store| async move {
        let morning = Timestamp(START.day() * DAY);
        let at = |day: i64, second: i64| morning.plus(day * DAY + second * SECOND);
        let mut ids = Vec::new();
        for _ in 0..3 {
            let mut one = conversation("Ada");
            (one.created_at, one.last_activity_at) = (at(0, 0), at(0, 0));
            ids.push(begin_as(&*store, one).await.conversation_id);
        }
        say(&*store, &ids[0], Sender::Admin, "nobody waited", at(0, 1)).await;
        say(&*store, &ids[0], Sender::Visitor, "one", at(0, 10)).await;
        say(&*store, &ids[0], Sender::Visitor, "two", at(0, 15)).await;
        say(&*store, &ids[0], Sender::Admin, "after 20 s", at(0, 30)).await;
        say(&*store, &ids[0], Sender::Admin, "and more", at(0, 31)).await;
        say(&*store, &ids[0], Sender::System, "note", at(0, 32)).await;
        say(&*store, &ids[0], Sender::Visitor, "three", at(0, 60)).await;
        say(&*store, &ids[0], Sender::Admin, "after 60 s", at(0, 120)).await;
        say(&*store, &ids[1], Sender::Visitor, "hello", at(1, 0)).await;
        say(&*store, &ids[1], Sender::Admin, "after 10 s", at(1, 10)).await;
        store.set_status(&ids[2], Status::Closed, at(1, 0)).await.unwrap();

        let today = START.day();
        let figures = store.figures(today, today + 1, START).await.unwrap();

        assert_eq!((figures.active_conversations, figures.messages_total), (2, 10));
        assert_eq!(figures.median_first_response_ms, Some(15_000), "of 20 s and 10 s");
        assert_eq!(figures.median_response_ms, Some(20_000), "of 20 s, 60 s and 10 s");
        let first = Day {
            day: today,
            conversations: 3,
            messages_visitor: 3,
            messages_admin: 4,
            median_response_ms: Some(40_000),
        };
        let second = Day {
            day: today + 1,
            conversations: 0,
            messages_visitor: 1,
            messages_admin: 1,
            median_response_ms: Some(10_000),
        };
        assert_eq!(figures.days, [first, second.clone()]);
        let later = store.figures(today + 1, today + 9, START).await.unwrap();
        assert_eq!(later.days, [second]);
        assert_eq!(later.median_first_response_ms, Some(10_000));
        assert_eq!(later.messages_total, 10);
    })
    .await;
}

#[tokio::test]
async fn visitors_online_are_conversations_with_a_live_socket() {
    for_each_store(|store| async move {
        let (ada, bob) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        for (id, minutes) in [(Some(&ada), 10), (Some(&ada), 10), (Some(&bob), 1), (None, 10)] {
            let mut socket = visitor_socket("192.0.2.1");
            socket.expires_at = START.plus(minutes * MINUTE);
            store.connect(&socket, NO_CAPS).await.unwrap();
            if let Some(id) = id {
                store.bind(&socket.connection_id, id, START).await.unwrap();
            }
        }

        assert_eq!(store.figures(0, 1, START).await.unwrap().visitors_online, 2);
        assert_eq!(store.figures(0, 1, START.plus(MINUTE)).await.unwrap().visitors_online, 1);
    })
    .await;
}
