//! Appending: exactly once, in order, without a gap.

use futures::future::join_all;
use serde_json::json;
use shared::model::{LastMessage, Reader, Sender, Status};
use shared::rate_limit::Rate;
use shared::store::Appended;
use shared::time::{DAY, HOUR, SECOND};

use super::make::{
    GENEROUS, NO_CAPS, START, activity, admin_socket, begin, first, head, message, resume_hash, say, session, stored,
    visitor_socket,
};
use crate::stores::for_each_store;

#[tokio::test]
async fn sixty_four_writers_with_repeated_client_ids_leave_a_dense_sequence() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        let messages: Vec<_> =
            (0..32).map(|n| message(&id, Sender::Visitor, &format!("message {n}"), START.plus(n))).collect();

        let twice = messages.iter().chain(&messages).map(|one| store.append(one, Some(GENEROUS)));
        let answers: Vec<_> = join_all(twice).await.into_iter().map(Result::unwrap).collect();

        let first = answers.iter().filter(|one| matches!(one, Appended::Stored { .. })).count();
        let again = answers.iter().filter(|one| matches!(one, Appended::Duplicate(_))).count();
        assert_eq!((first, again), (32, 32));
        let kept = store.messages(&id, 0, i64::MAX, false, 100).await.unwrap();
        assert_eq!(kept.iter().map(|one| one.seq).collect::<Vec<_>>(), (1..=32).collect::<Vec<_>>());
        for (number, answer) in answers.iter().enumerate() {
            let (Appended::Stored { message, .. } | Appended::Duplicate(message)) = answer else { panic!() };
            assert_eq!(message.client_id, messages[number % 32].client_id);
            assert!(kept.contains(message), "the answer is what is kept");
        }
    })
    .await;
}

#[tokio::test]
async fn a_message_moves_the_head() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        let long = "x".repeat(200);

        say(&*store, &id, Sender::Visitor, "hello", START.plus(5)).await;
        let one = head(&*store, &id, START).await;
        say(&*store, &id, Sender::Admin, &long, START.plus(9)).await;
        let two = head(&*store, &id, START).await;

        assert_eq!(one.waiting_since, Some(START.plus(5)));
        assert_eq!((one.head_seq, one.visitor_read, one.admin_read), (1, 1, 0));
        let expected =
            LastMessage { seq: 2, sender: Sender::Admin, preview: "x".repeat(140), created_at: START.plus(9) };
        assert_eq!(two.last_message, Some(expected));
        assert_eq!((two.head_seq, two.visitor_read, two.admin_read), (2, 1, 2));
        assert_eq!((two.waiting_since, two.last_activity_at), (None, START.plus(9)));
    })
    .await;
}

#[tokio::test]
async fn activity_never_goes_back_even_when_the_clock_does() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        say(&*store, &id, Sender::Visitor, "later", START.plus(60 * SECOND)).await;

        let earlier = say(&*store, &id, Sender::Visitor, "earlier", START).await;

        assert_eq!((earlier.seq, earlier.created_at), (2, START));
        assert_eq!(head(&*store, &id, START).await.last_activity_at, START.plus(60 * SECOND));
    })
    .await;
}

#[tokio::test]
async fn waiting_begins_with_the_oldest_unanswered_message_and_the_system_does_not_answer() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        say(&*store, &id, Sender::Visitor, "first", START.plus(1)).await;
        say(&*store, &id, Sender::Visitor, "second", START.plus(2)).await;
        say(&*store, &id, Sender::System, "note", START.plus(3)).await;

        let waiting = head(&*store, &id, START).await;

        assert_eq!(waiting.waiting_since, Some(START.plus(1)));
        assert_eq!((waiting.visitor_read, waiting.admin_read), (2, 0));
    })
    .await;
}

#[tokio::test]
async fn the_order_of_tests_is_existence_duplicate_open_bucket() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        let strict = Rate { burst: 1, interval_ms: 10 * SECOND };

        let unknown = store.append(&message("nobody", Sender::Visitor, "x", START), Some(strict)).await.unwrap();
        assert_eq!(unknown, Appended::NotFound);
        let first = message(&id, Sender::Visitor, "x", START);
        let kept = stored(store.append(&first, Some(strict)).await.unwrap());
        assert_eq!(store.append(&first, Some(strict)).await.unwrap(), Appended::Duplicate(kept.clone()));
        let second = store.append(&message(&id, Sender::Visitor, "y", START), Some(strict)).await.unwrap();
        assert_eq!(second, Appended::RateLimited { retry_after_ms: 10 * SECOND });
        let next = START.plus(10 * SECOND);
        let third = store.append(&message(&id, Sender::Visitor, "z", next), Some(strict)).await.unwrap();
        assert_eq!(stored(third).seq, 2, "one token was taken, not more");
        store.set_status(&id, Status::Closed, START).await.unwrap();
        assert_eq!(store.append(&first, Some(strict)).await.unwrap(), Appended::Duplicate(kept));
        let closed = store.append(&message(&id, Sender::Visitor, "late", next), Some(strict)).await.unwrap();
        assert_eq!(closed, Appended::Closed);
        assert_eq!(head(&*store, &id, START).await.head_seq, 2, "nothing was stored with an error");
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_steps_back_costs_a_visitor_one_bucket_at_most() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        let rate = Rate { burst: 2, interval_ms: SECOND };
        let say = |at| {
            let one = message(&id, Sender::Visitor, "hello", START.plus(at));
            let store = &store;
            async move { store.append(&one, Some(rate)).await.unwrap() }
        };
        stored(say(DAY).await);

        assert_eq!(say(0).await, Appended::RateLimited { retry_after_ms: SECOND });
        assert_eq!(stored(say(SECOND).await).seq, 2);
    })
    .await;
}

#[tokio::test]
async fn the_audience_is_who_is_connected() {
    for_each_store(|store| async move {
        let (id, other) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        let (mine, theirs) = (visitor_socket("192.0.2.1"), visitor_socket("192.0.2.2"));
        let admin = admin_socket(&session("Oya").session_id, "192.0.2.3");
        let mut gone = visitor_socket("192.0.2.4");
        gone.expires_at = START.plus(1);
        for socket in [&mine, &theirs, &admin, &gone] {
            store.connect(socket, NO_CAPS).await.unwrap();
        }
        store.bind(&mine.connection_id, &id, START).await.unwrap();
        store.bind(&gone.connection_id, &id, START).await.unwrap();
        store.bind(&theirs.connection_id, &other, START).await.unwrap();

        let answer = store.append(&message(&id, Sender::Visitor, "hello", START.plus(1)), None).await.unwrap();

        let Appended::Stored { audience, .. } = answer else { panic!("{answer:?}") };
        assert_eq!(audience.visitor, [mine.connection_id]);
        assert_eq!(audience.admins, [admin.connection_id]);
        assert_eq!(store.audience(&id, START.plus(1)).await.unwrap(), audience);
    })
    .await;
}

#[tokio::test]
async fn callers_that_go_away_leave_no_gap() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        for round in 0..40 {
            let one = message(&id, Sender::Visitor, "dropped", START.plus(DAY));
            let mut call = Box::pin(store.append(&one, None));
            for _ in 0..round % 4 {
                if futures::poll!(&mut call).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(call);
        }

        let last = say(&*store, &id, Sender::Visitor, "kept", START.plus(DAY)).await;

        let kept = store.messages(&id, 0, i64::MAX, false, 100).await.unwrap();
        assert_eq!(kept.iter().map(|one| one.seq).collect::<Vec<_>>(), (1..=last.seq).collect::<Vec<_>>());
        assert_eq!(head(&*store, &id, START).await.head_seq, last.seq);
    })
    .await;
}

#[tokio::test]
async fn what_the_team_does_is_in_the_trail_once() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        let asked = say(&*store, &id, Sender::Visitor, "hello", START).await;
        let (answer, sent, read) =
            (message(&id, Sender::Admin, "hi", START.plus(SECOND)), activity("send"), activity("read"));

        for _ in ["stored", "a duplicate"] {
            store.mark_read(&id, Reader::Admin, asked.seq, Some(&read)).await.unwrap();
            store.append_told(&answer, &sent).await.unwrap();
        }
        let other = message(&id, Sender::Admin, "anything else?", START.plus(2 * SECOND));
        let appended = store.append_told(&other, &activity("send")).await.unwrap();
        store.append_told(&message("nobody", Sender::Admin, "x", START), &activity("send")).await.unwrap();

        assert_eq!(stored(appended).seq, 3);
        let trail = store.activity(&first(9)).await.unwrap().items;
        let mut lines: Vec<_> = trail.iter().map(|line| (line.action.as_str(), line.details.clone())).collect();
        lines.sort_by_key(|(action, details)| (*action, details["seq"].as_i64()));
        assert_eq!(lines, [("read", read.details), ("send", json!({"seq": 2})), ("send", json!({"seq": 3}))]);
    })
    .await;
}

#[tokio::test]
async fn a_resume_token_writes_to_its_own_conversation_only() {
    for_each_store(|store| async move {
        let (ada, bob) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        let rate = Some(Rate { burst: 1, interval_ms: HOUR });
        let write = async |id: &str, hash: &str| {
            store.append_by_token(hash, &message(id, Sender::Visitor, "x", START), rate).await.unwrap()
        };

        let first = stored(write(&ada, &resume_hash(&ada)).await.unwrap());

        assert_eq!((first.seq, first.author.as_str()), (1, "Ada"));
        for (id, hash) in [(&ada, resume_hash(&bob)), (&bob, resume_hash(&ada)), (&bob, String::new())] {
            assert_eq!(write(id, &hash).await, None);
        }
        assert_eq!(write("nobody", &resume_hash("nobody")).await, None);
        assert!(matches!(write(&ada, &resume_hash(&ada)).await, Some(Appended::RateLimited { .. })));
        assert_eq!((head(&*store, &ada, START).await.head_seq, head(&*store, &bob, START).await.head_seq), (1, 0));
        store.delete(&ada, START).await.unwrap();
        assert_eq!(write(&ada, &resume_hash(&ada)).await, None, "erased");
    })
    .await;
}
