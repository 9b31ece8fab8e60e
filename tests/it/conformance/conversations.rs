//! Conversations: beginning, tokens, states, read marks, tags, age.

use futures::future::join_all;
use shared::event::EventKind::{ConversationClosed, ConversationOpened, ConversationReopened, MessageStored};
use shared::event::Lane;
use shared::model::{Reader, Sender, Status};
use shared::store::NewConversation;
use shared::time::{HOUR, SECOND};

use super::make::{NO_CAPS, START, begin, begin_as, conversation, head, resume_hash, say, visitor_socket};
use crate::stores::for_each_store;

#[tokio::test]
async fn a_conversation_is_kept_as_it_began_and_only_once() {
    for_each_store(|store| async move {
        let begun = begin_as(&*store, conversation("Ada \u{1f642} <b>")).await;
        let mut again = begun.clone();
        again.visitor_name = "Eve".into();
        let resume_hash = resume_hash("something else");
        store.create(&NewConversation { conversation: again, resume_hash }).await.unwrap();

        assert_eq!(head(&*store, &begun.conversation_id, START).await, begun);
        assert_eq!(store.conversation("nobody", START).await.unwrap(), None);
        let events = store.due(Lane::Telegram, START, 10).await.unwrap();
        assert_eq!(events.iter().map(|one| one.event.kind).collect::<Vec<_>>(), [ConversationOpened]);
        assert_eq!((events[0].event.at, events[0].event.seq), (START, 0));
    })
    .await;
}

#[tokio::test]
async fn only_its_own_token_opens_a_conversation() {
    for_each_store(|store| async move {
        let (ada, bob) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);

        let right = store.conversation_by_token(&ada, &resume_hash(&ada), START).await.unwrap();

        assert_eq!(right.map(|one| one.visitor_name).as_deref(), Some("Ada"));
        for (id, hash) in
            [(&ada, resume_hash(&bob)), (&"nobody".to_owned(), resume_hash("nobody")), (&ada, String::new())]
        {
            assert_eq!(store.conversation_by_token(id, &hash, START).await.unwrap(), None);
        }
    })
    .await;
}

#[tokio::test]
async fn text_that_postgres_cannot_keep_is_no_failure() {
    for_each_store(|store| async move {
        let mut odd = conversation("A\0da");
        odd.page_url = Some("https://shop.example/\0".into());
        let odd = begin_as(&*store, odd).await;

        let kept = head(&*store, &odd.conversation_id, START).await;

        assert_eq!(kept.visitor_name, "A\u{fffd}da");
        assert_eq!(store.conversation("\0", START).await.unwrap(), None);
        assert_eq!(store.add_tag("\0", "\0").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn online_means_a_live_bound_socket() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        let socket = visitor_socket("192.0.2.1");
        store.connect(&socket, NO_CAPS).await.unwrap();
        assert!(!head(&*store, &id, START).await.online);

        store.bind(&socket.connection_id, &id, START).await.unwrap();

        assert!(head(&*store, &id, START).await.online);
        let hash = resume_hash(&id);
        assert!(store.conversation_by_token(&id, &hash, START).await.unwrap().is_some_and(|one| one.online));
        assert!(!head(&*store, &id, socket.expires_at).await.online, "an expired socket is none");
    })
    .await;
}

#[tokio::test]
async fn closing_and_reopening_tell_whether_anything_changed() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        say(&*store, &id, Sender::Visitor, "hello", START.plus(SECOND)).await;
        assert!(head(&*store, &id, START).await.waiting_since.is_some());

        let (closed, changed) = store.set_status(&id, Status::Closed, START.plus(HOUR)).await.unwrap().unwrap();
        let (_, again) = store.set_status(&id, Status::Closed, START.plus(2 * HOUR)).await.unwrap().unwrap();
        let (open, reopened) = store.set_status(&id, Status::Open, START.plus(3 * HOUR)).await.unwrap().unwrap();

        assert!(changed && !again && reopened);
        assert_eq!((closed.status, closed.waiting_since), (Status::Closed, None));
        assert_eq!(closed.last_activity_at, START.plus(HOUR));
        assert_eq!((open.status, open.last_activity_at), (Status::Open, START.plus(3 * HOUR)));
        assert_eq!(store.set_status("nobody", Status::Open, START).await.unwrap(), None);
        let kinds: Vec<_> = store.due(Lane::Telegram, START.plus(HOUR * 9), 10).await.unwrap();
        let kinds: Vec<_> = kinds.iter().map(|one| one.event.kind).collect();
        assert_eq!(kinds, [ConversationOpened, MessageStored, ConversationClosed, ConversationReopened]);
    })
    .await;
}

#[tokio::test]
async fn of_racing_closes_one_changes_something() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;

        let closes = join_all((0..50).map(|_| store.set_status(&id, Status::Closed, START))).await;

        let changes = closes.into_iter().filter(|one| one.as_ref().unwrap().as_ref().unwrap().1).count();
        assert_eq!(changes, 1);
    })
    .await;
}

#[tokio::test]
async fn read_marks_move_forward_up_to_the_head() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        for n in 0..4 {
            say(&*store, &id, Sender::System, "note", START.plus(n)).await;
        }

        for reader in [Reader::Visitor, Reader::Admin] {
            assert_eq!(store.mark_read(&id, reader, 2, None).await.unwrap(), Some(2));
            assert_eq!(store.mark_read(&id, reader, 2, None).await.unwrap(), None);
            assert_eq!(store.mark_read(&id, reader, 1, None).await.unwrap(), None);
            assert_eq!(store.mark_read(&id, reader, -7, None).await.unwrap(), None);
            assert_eq!(store.mark_read(&id, reader, i64::MAX, None).await.unwrap(), Some(4));
            assert_eq!(store.mark_read("nobody", reader, 1, None).await.unwrap(), None);
        }

        let head = head(&*store, &id, START).await;
        assert_eq!((head.visitor_read, head.admin_read), (4, 4));
    })
    .await;
}

#[tokio::test]
async fn tags_are_a_sorted_set_under_racing_changes() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        let names: Vec<_> = (0..20).map(|n| format!("tag-{n:02}")).collect();

        join_all(names.iter().chain(&names).map(|name| store.add_tag(&id, name))).await;
        let left = store.remove_tag(&id, "tag-07").await.unwrap().unwrap();

        let expected: Vec<_> = names.iter().filter(|name| *name != "tag-07").cloned().collect();
        assert_eq!(left, expected);
        assert_eq!(store.remove_tag(&id, "never there").await.unwrap(), Some(expected.clone()));
        assert_eq!(head(&*store, &id, START).await.tags, expected);
        assert_eq!(store.add_tag("nobody", "x").await.unwrap(), None);
        assert_eq!(store.remove_tag("nobody", "x").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn closed_conversations_are_found_by_age() {
    for_each_store(|store| async move {
        let mut ids = Vec::new();
        for n in 0..4 {
            let id = begin(&*store, "Ada").await;
            store.set_status(&id, Status::Closed, START.plus(n * HOUR)).await.unwrap();
            ids.push(id);
        }
        store.set_status(&ids[1], Status::Open, START.plus(HOUR)).await.unwrap();

        assert_eq!(store.closed_before(START.plus(3 * HOUR), 9).await.unwrap(), [ids[0].clone(), ids[2].clone()]);
        assert_eq!(store.closed_before(START.plus(9 * HOUR), 1).await.unwrap(), [ids[0].clone()]);
    })
    .await;
}
