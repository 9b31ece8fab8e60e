//! What was answered is there after the store was dropped and opened again.

use futures::future::join_all;
use shared::config::DatabaseUrl;
use shared::event::Lane;
use shared::model::Sender;
use shared::store::StoreError;
use shared::store::sql::{SqlOptions, SqlStore};
use sqlx::Connection;

use super::make::{START, begin, head, message, say};
use crate::people::eventually;
use crate::stores::Home;

#[tokio::test]
async fn confirmed_messages_survive_a_restart() {
    for home in Home::lasting().await {
        let store = home.open().await;
        let id = begin(&*store, "Ada").await;
        let messages: Vec<_> = (0..50).map(|n| message(&id, Sender::Visitor, &format!("{n}"), START.plus(n))).collect();
        for answer in join_all(messages.iter().map(|one| store.append(one, None))).await {
            answer.unwrap();
        }
        let before = store.messages(&id, 0, i64::MAX, false, 100).await.unwrap();
        drop(store);

        let again = home.open().await;

        assert_eq!(again.messages(&id, 0, i64::MAX, false, 100).await.unwrap(), before);
        assert_eq!(before.len(), 50);
        assert_eq!(say(&*again, &id, Sender::Visitor, "next", START).await.seq, 51);
        assert_eq!(again.backlog(Lane::Telegram).await.unwrap().0, 52);
        drop(again);
        home.leave().await;
    }
}

#[tokio::test]
async fn what_was_stored_before_messages_stood_in_runs_is_found() {
    let home = Home::in_a_file();
    let store = home.open().await;
    let mut before = Vec::new();
    for length in [0, 1, 15, 16, 17, 48, 50] {
        let id = begin(&*store, "Ada").await;
        for n in 0..length {
            say(&*store, &id, Sender::Visitor, &format!("{n}"), START.plus(n)).await;
        }
        let messages = store.messages(&id, 0, i64::MAX, false, 100).await.unwrap();
        before.push((id, messages));
    }
    drop(store);
    let mut connection = home.connection().await;
    for statement in [
        "drop table message_run",
        "alter table conversation drop column newest",
        "create unique index message_by_place on message (conversation_id, seq)",
        "delete from _sqlx_migrations where version = 1008",
    ] {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();

    let again = home.open().await;

    for (id, messages) in &before {
        let length = i64::try_from(messages.len()).unwrap();
        assert_eq!(&again.messages(id, 0, i64::MAX, false, 100).await.unwrap(), messages);
        assert_eq!(say(&*again, id, Sender::Admin, "next", START).await.seq, length + 1);
        let newest = again.messages(id, 0, i64::MAX, true, 2).await.unwrap();
        assert_eq!(newest.last().map(|one| (one.seq, one.content.as_str())), Some((length + 1, "next")));
        assert!(again.delete(id, START).await.unwrap());
    }
    assert_eq!(home.number("select count(*) from message").await, 0);
    drop(again);
    home.leave().await;
}

#[tokio::test]
async fn two_stores_on_one_database_count_together() {
    for home in Home::lasting().await {
        let (one, two) = (home.open().await, home.open().await);
        let id = begin(&*one, "Ada").await;
        let messages: Vec<_> = (0..64).map(|n| message(&id, Sender::Visitor, "x", START.plus(n))).collect();

        let both = messages.iter().flat_map(|each| [one.append(each, None), two.append(each, None)]);
        for answer in join_all(both).await {
            answer.unwrap();
        }

        let kept = two.messages(&id, 0, i64::MAX, false, 100).await.unwrap();
        assert_eq!(kept.iter().map(|each| each.seq).collect::<Vec<_>>(), (1..=64).collect::<Vec<_>>());
        assert_eq!(head(&*one, &id, START).await.head_seq, 64);
        assert_eq!(one.backlog(Lane::Telegram).await.unwrap().0, 65);
        drop((one, two));
        home.leave().await;
    }
}

#[tokio::test]
async fn callers_dropped_at_any_moment_leave_a_dense_sequence_behind() {
    for home in Home::lasting().await {
        let store = home.open().await;
        let id = begin(&*store, "Ada").await;
        for polls in 0..60 {
            let one = message(&id, Sender::Visitor, "dropped", START);
            let mut call = Box::pin(store.append(&one, None));
            for _ in 0..polls {
                if futures::poll!(&mut call).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        say(&*store, &id, Sender::Visitor, "last", START).await;
        drop(store);

        let again = home.open().await;

        let kept = again.messages(&id, 0, i64::MAX, false, 100).await.unwrap();
        let head = head(&*again, &id, START).await.head_seq;
        assert_eq!(kept.iter().map(|each| each.seq).collect::<Vec<_>>(), (1..=head).collect::<Vec<_>>());
        assert_eq!(again.backlog(Lane::Telegram).await.unwrap().0, head + 1, "one event for each message");
        drop(again);
        home.leave().await;
    }
}

/// On PostgreSQL, where another writer takes what may take long.
#[tokio::test]
async fn no_message_waits_for_an_erasure_that_takes_long() {
    let Some(home) = Home::on_sql().await.into_iter().find(|home| home.file().is_none()) else { return };
    let store = home.open().await;
    let (gone, kept) = (begin(&*store, "Ada").await, begin(&*store, "Bora").await);
    say(&*store, &gone, Sender::Visitor, "erase me", START).await;
    let mut other = home.connection().await;
    sqlx::raw_sql("begin; update turnstile set turns = turns where name = 'search'").execute(&mut other).await.unwrap();

    let (erased, ()) = futures::join!(store.delete(&gone, START), async {
        let waiting = "select count(*) from pg_locks where not granted and relation is null and pid in
            (select pid from pg_locks where relation = 'turnstile'::regclass)";
        eventually("the erasure waits", async || (home.number(waiting).await > 0).then_some(())).await;
        assert_eq!(say(&*store, &kept, Sender::Visitor, "I am here", START).await.seq, 1);
        sqlx::raw_sql("rollback").execute(&mut other).await.unwrap();
    });

    assert!(erased.unwrap(), "it goes on");
    assert_eq!(home.traces(&gone).await, 0);
    other.close().await.unwrap();
    drop(store);
    home.leave().await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_only_and_its_folder_is_made() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::in_a_file();

    let store = home.open().await;
    begin(&*store, "Ada").await;

    for suffix in ["", "-wal"] {
        let path = format!("{}{suffix}", home.file().unwrap().display());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{path}");
    }
    drop(store);
    home.leave().await;
}

#[tokio::test]
async fn a_failure_to_open_does_not_tell_the_password() {
    for url in
        ["postgres://ada:hunter2@127.0.0.1:1/none", "postgres://ada:hunter2@[/none", "sqlite://hunter2/\0?x=hunter2"]
    {
        let options = SqlOptions { lanes: Vec::new() };
        let Err(error) = SqlStore::open(&DatabaseUrl::new(url), options).await else { panic!("{url} opened") };
        let (StoreError::Unavailable(cause) | StoreError::Broken(cause)) = &error;
        let told = format!("{error} {error:?} {cause} {cause:?}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}
