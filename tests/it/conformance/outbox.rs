//! Events that wait: order, postponing, lanes.

use shared::event::EventKind::{
    ConversationClosed, ConversationOpened, ConversationReopened, MessageEdited, MessageStored,
};
use shared::event::{EVENT_VERSION, EventKind, Lane};
use shared::model::{Sender, Status};
use shared::store::Pending;
use shared::time::{HOUR, SECOND};

use super::make::{START, begin, message, say, stored};
use crate::stores::{TestStore, for_each_store};

async fn due(store: &TestStore, now: i64) -> Vec<Pending> {
    store.due(Lane::Telegram, START.plus(now), 100).await.unwrap()
}

#[tokio::test]
async fn events_come_oldest_first_and_in_order_within_a_conversation() {
    for_each_store(|store| async move {
        let ada = begin(&*store, "Ada").await;
        let bob = begin(&*store, "Bob").await;
        say(&*store, &ada, Sender::Visitor, "one", START.plus(30 * SECOND)).await;
        say(&*store, &ada, Sender::Visitor, "two, by a clock that stepped back", START.plus(SECOND)).await;
        say(&*store, &bob, Sender::Visitor, "three", START.plus(10 * SECOND)).await;

        let events = due(&store, HOUR).await;

        let of = |id: &str| events.iter().filter(|one| one.event.conversation_id == id).cloned().collect::<Vec<_>>();
        assert_eq!(of(&ada).iter().map(|one| one.event.seq).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(of(&bob).iter().map(|one| one.event.seq).collect::<Vec<_>>(), [0, 1]);
        assert!(of(&ada).windows(2).all(|two| two[0].position < two[1].position));
        assert!(events.windows(2).all(|two| two[0].event.at <= two[1].event.at), "oldest first");
        assert!(events.iter().all(|one| one.event.v == EVENT_VERSION && one.tries == 0));
        assert_eq!(store.due(Lane::Telegram, START.plus(HOUR), 2).await.unwrap(), events[..2]);
        assert_eq!(store.due(Lane::Telegram, START.plus(HOUR), 0).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_postponed_event_holds_up_its_conversation_and_no_other() {
    for_each_store(|store| async move {
        let (ada, bob) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        say(&*store, &ada, Sender::Visitor, "hello", START).await;
        let first = due(&store, 0).await.into_iter().find(|one| one.event.conversation_id == ada).unwrap();

        store.postpone(Lane::Telegram, &first, START.plus(30 * SECOND)).await.unwrap();
        store.postpone(Lane::Telegram, &first, START.plus(40 * SECOND)).await.unwrap();

        let events = due(&store, 39 * SECOND).await;
        assert!(events.iter().all(|one| one.event.conversation_id == bob) && !events.is_empty());
        let events = due(&store, 40 * SECOND).await;
        let retried = events.iter().find(|one| one.position == first.position && one.event == first.event).unwrap();
        assert_eq!((retried.tries, retried.not_before), (2, START.plus(40 * SECOND)));
        assert_eq!(events.len(), 3);
        store.delete(&bob, START.plus(SECOND)).await.unwrap();
        let files = store.due(Lane::Files, START.plus(SECOND), 100).await.unwrap();
        assert_eq!(files.len(), 1, "lanes do not hold each other up");
    })
    .await;
}

#[tokio::test]
async fn delivered_events_are_gone_from_their_lane_only() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        say(&*store, &id, Sender::Visitor, "hello", START.plus(SECOND)).await;
        assert_eq!(store.backlog(Lane::Telegram).await.unwrap(), (2, Some(START)));
        let events = due(&store, HOUR).await;

        store.delivered(Lane::Telegram, &events[..1]).await.unwrap();
        store.delivered(Lane::Telegram, &events[..1]).await.unwrap();
        store.delivered(Lane::Telegram, &[]).await.unwrap();

        assert_eq!(due(&store, HOUR).await, events[1..]);
        assert_eq!(store.backlog(Lane::Telegram).await.unwrap(), (1, Some(START.plus(SECOND))));
        store.delete(&id, START.plus(SECOND)).await.unwrap();
        let events = due(&store, HOUR).await;
        store.delivered(Lane::Telegram, &events).await.unwrap();
        assert_eq!(store.backlog(Lane::Telegram).await.unwrap(), (0, None));
        assert_eq!(store.backlog(Lane::Files).await.unwrap(), (1, Some(START.plus(SECOND))));
    })
    .await;
}

#[tokio::test]
async fn each_lane_holds_the_kinds_it_takes() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        say(&*store, &id, Sender::Visitor, "helo", START).await;
        store.edit(&id, 1, "hello", START).await.unwrap();
        store.set_status(&id, Status::Closed, START).await.unwrap();
        store.set_status(&id, Status::Open, START).await.unwrap();

        let kinds = |events: Vec<Pending>| events.into_iter().map(|one| one.event.kind).collect::<Vec<_>>();

        let telegram = kinds(due(&store, 0).await);
        let all = [ConversationOpened, MessageStored, MessageEdited, ConversationClosed, ConversationReopened];
        assert_eq!(telegram, all);
        assert_eq!(kinds(store.due(Lane::Files, START, 100).await.unwrap()), []);
        store.delete(&id, START).await.unwrap();
        assert_eq!(kinds(due(&store, 0).await), [EventKind::ConversationDeleted]);
        assert_eq!(kinds(store.due(Lane::Files, START, 100).await.unwrap()), [EventKind::ConversationDeleted]);
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_not_stored_leaves_no_event() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        let one = message(&id, Sender::Visitor, "hello", START);
        stored(store.append(&one, None).await.unwrap());

        store.append(&one, None).await.unwrap();
        store.set_status(&id, Status::Closed, START).await.unwrap();
        store.append(&message(&id, Sender::Visitor, "late", START), None).await.unwrap();

        assert_eq!(store.backlog(Lane::Telegram).await.unwrap().0, 3, "opened, stored, closed");
    })
    .await;
}
