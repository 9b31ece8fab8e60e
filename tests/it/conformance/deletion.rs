//! Deleting a conversation leaves no row of it, in whatever tables there are.

use serde_json::{Value, json};
use shared::event::{EventKind, Lane};
use shared::model::{Activity, Sender, Side};
use shared::search::terms;
use shared::store::{ConversationFilter, Store, TelegramLink, TelegramMirror};
use shared::time::{DAY, HOUR, SECOND};
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::make::{
    GENEROUS, NO_CAPS, START, activity, attachment, begin, first, index, message, note, say, stored, visitor_socket,
};
use crate::stores::{Home, for_each_store};

/// The topic of every conversation here.
const TOPIC: i64 = 77;

/// A conversation with a row in every table that can have one of it; answers its socket.
async fn fill(store: &dyn Store, id: &str) -> String {
    let socket = visitor_socket("192.0.2.1");
    store.connect(&socket, NO_CAPS).await.unwrap();
    store.bind(&socket.connection_id, id, START).await.unwrap();
    say(store, id, Sender::Visitor, "yesterday", START.plus(-DAY)).await;
    stored(store.append(&message(id, Sender::Visitor, "needle", START), Some(GENEROUS)).await.unwrap());
    say(store, id, Sender::Admin, "answer", START.plus(SECOND)).await;
    store.edit(id, 3, "better answer", START.plus(SECOND)).await.unwrap();
    store.add_tag(id, "vip").await.unwrap();
    index(store).await;
    say(store, id, Sender::Admin, "behind the index", START.plus(2 * SECOND)).await;
    for n in 0..12 {
        say(store, id, Sender::Visitor, "and more", START.plus(n * SECOND)).await;
    }
    let message_id = i64::from(id.bytes().map(u32::from).sum::<u32>());
    store.link(&TelegramLink { chat_id: 1, message_id, conversation_id: id.into(), seq: 1 }).await.unwrap();
    store.claim(id, "Oya", START).await.unwrap();
    store.add_note(&note(id, "n1", "a needle among notes")).await.unwrap();
    assert!(store.put_attachment(&attachment(id, "photo")).await.unwrap());
    let mirror = TelegramMirror { conversation_id: id.into(), thread_id: Some(TOPIC), ..TelegramMirror::default() };
    assert!(store.save_mirror(&mirror).await.unwrap());
    assert!(store.bind_chat(message_id, id).await.unwrap());
    store.put_start(&format!("start of {id}"), id, START.plus(DAY)).await.unwrap();
    let line = Activity { conversation_id: Some(id.into()), ..activity("send") };
    store.record(&line).await.unwrap();
    socket.connection_id
}

/// The tables of the schema that have a `conversation_id`.
async fn tables(connection: &mut AnyConnection, store: &str) -> Vec<String> {
    let statement = match store {
        "sqlite" => {
            "select m.name as name from sqlite_master m join pragma_table_info(m.name) c
             where m.type = 'table' and c.name = 'conversation_id' order by m.name"
        }
        _ => {
            "select cast(table_name as text) as name from information_schema.columns
             where table_schema = current_schema() and column_name = 'conversation_id' order by table_name"
        }
    };
    let rows = sqlx::query(statement).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get("name")).collect()
}

async fn count(connection: &mut AnyConnection, table: &str, id: &str) -> i64 {
    let statement = format!("select count(*) as n from {table} where conversation_id = $1");
    sqlx::query(AssertSqlSafe(statement)).bind(id).fetch_one(connection).await.unwrap().get("n")
}

#[tokio::test]
async fn every_row_of_a_deleted_conversation_is_gone_and_no_other() {
    for home in Home::on_sql().await {
        let store = home.open().await;
        let (ada, bob) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        fill(&*store, &ada).await;
        fill(&*store, &bob).await;
        let mut connection = home.connection().await;
        let tables = tables(&mut connection, store.name()).await;
        assert!(tables.len() >= 10, "{tables:?}");
        let words = "select count(*) from search_words";
        assert!(home.number(words).await > 10);
        let mut before = Vec::new();
        for table in &tables {
            let rows = count(&mut connection, table, &ada).await;
            assert!(rows > 0, "the story has to fill {table} too");
            before.push(rows);
        }

        assert!(store.delete(&ada, START.plus(SECOND)).await.unwrap());

        for (table, before) in tables.iter().zip(before) {
            let expected = match table.as_str() {
                "activity" => 1,
                // That it was deleted, for both lanes.
                "outbox" => 2,
                _ => 0,
            };
            assert_eq!(count(&mut connection, table, &ada).await, expected, "{table}");
            assert_eq!(count(&mut connection, table, &bob).await, before, "{table}");
        }
        store.delete(&bob, START.plus(SECOND)).await.unwrap();
        assert_eq!(home.number(words).await, 0, "no list of the index holds anything of either");
        drop(connection);
        drop(store);
        home.leave().await;
    }
}

#[tokio::test]
async fn no_item_of_the_table_speaks_of_a_deleted_conversation() {
    let home = Home::on_dynamodb().await;
    let store = home.open().await;
    let (ada, bob) = (begin(&*store, "Zelda").await, begin(&*store, "Bob").await);
    for n in 0..40 {
        // More than a head holds, on two days.
        say(&*store, &ada, Sender::Visitor, &format!("haystack {n}"), START.plus(n * HOUR)).await;
    }
    fill(&*store, &bob).await;
    let others = speak_of(&home, &bob).await.len();
    fill(&*store, &ada).await;
    assert!(speak_of(&home, &ada).await.len() > 50);
    assert!(speak_of(&home, "haystack").await.len() > 10);
    store.due(Lane::Telegram, START, 100).await.unwrap();

    assert!(store.delete(&ada, START.plus(DAY)).await.unwrap());
    store.due(Lane::Telegram, START, 100).await.unwrap();

    let left: Vec<_> = speak_of(&home, &ada).await.into_iter().map(|item| item["pk"]["S"].clone()).collect();
    assert_eq!(left, ["ACTIVITY", "OUT#files", "OUT#telegram"], "the trail, and the event that tells both lanes of it");
    assert!(speak_of(&home, "haystack").await.is_empty());
    assert!(speak_of(&home, "Zelda").await.is_empty());
    assert!(speak_of(&home, &bob).await.len() >= others);
    home.leave().await;
}

#[tokio::test]
async fn an_erasure_that_died_at_its_end_is_finished_and_still_told() {
    let home = Home::on_dynamodb().await;
    let store = home.open().await;
    let ada = begin(&*store, "Ada").await;
    fill(&*store, &ada).await;
    store.delete(&ada, START).await.unwrap();
    assert_eq!(store.backlog(Lane::Telegram).await.unwrap().0, 1);

    let begun =
        json!({"pk": {"S": "UNDONE"}, "sk": {"S": format!("ERASE#{ada}")}, "begun_at": {"N": START.0.to_string()}});
    home.table().unwrap().put(&begun).await;
    store.index(START.plus(HOUR), 1).await.unwrap();

    assert_eq!(store.backlog(Lane::Telegram).await.unwrap().0, 1, "its topic is still to go");
    let left = speak_of(&home, &ada).await;
    assert!(left.iter().all(|item| item["pk"]["S"] != "UNDONE"));
    home.leave().await;
}

/// Calls `write` again and again while the conversation is being deleted, and a little longer.
async fn write_until_gone(write: impl AsyncFn(i64) -> bool) {
    let mut number = 0;
    while write(number).await {
        number += 1;
        assert!(number < 10_000, "the conversation goes in the end");
    }
}

#[tokio::test]
async fn what_races_with_the_deletion_leaves_nothing_behind() {
    for home in Home::lasting().await {
        let store = home.open().await;
        let id = begin(&*store, "Ada").await;
        store.add_note(&note(&id, "first", "x")).await.unwrap();
        let deleting = async {
            tokio::task::yield_now().await;
            store.delete(&id, START).await.unwrap()
        };
        let noting =
            write_until_gone(async |n| store.add_note(&note(&id, &n.to_string(), "x")).await.unwrap().is_some());
        let filing = write_until_gone(async |n| store.put_attachment(&attachment(&id, &n.to_string())).await.unwrap());
        let mirroring = write_until_gone(async |n| {
            let thread_id = Some(n + 1);
            let mirror = TelegramMirror { conversation_id: id.clone(), thread_id, ..TelegramMirror::default() };
            store.save_mirror(&mirror).await.unwrap()
        });
        let binding = write_until_gone(async |n| store.bind_chat(7 + n % 2, &id).await.unwrap());
        let starting = write_until_gone(async |n| {
            store.put_start(&n.to_string(), &id, START.plus(DAY)).await.unwrap();
            store.conversation(&id, START).await.unwrap().is_some()
        });

        let (deleted, ..) = futures::join!(deleting, noting, filing, mirroring, binding, starting);

        assert!(deleted);
        for lane in [Lane::Files, Lane::Telegram] {
            assert_eq!(store.backlog(lane).await.unwrap().0, 1, "the event that tells of it");
        }
        if let Some(table) = home.table() {
            let left: Vec<_> = table.items().await.into_iter().filter(|item| item.to_string().contains(&id)).collect();
            assert_eq!(left.len(), 2, "{left:?}");
        }
        assert_eq!(store.chat_conversation(7).await.unwrap(), None);
        drop(store);
        home.leave().await;
    }
}

/// The items in which a text occurs.
async fn speak_of(home: &Home, text: &str) -> Vec<Value> {
    let items = home.table().expect("a table").items().await;
    items.into_iter().filter(|item| item.to_string().contains(text)).collect()
}

#[tokio::test]
async fn a_deleted_conversation_answers_like_one_that_never_was() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        let socket = fill(&*store, &id).await;

        assert!(store.delete(&id, START).await.unwrap());

        assert!(!store.delete(&id, START).await.unwrap());
        assert_eq!(store.conversation(&id, START).await.unwrap(), None);
        assert!(store.messages(&id, 0, i64::MAX, false, 100).await.unwrap().is_empty());
        assert_eq!(store.search(&terms("needle"), &first(9)).await.unwrap().items, []);
        let listed = store.conversations(&ConversationFilter::default(), &first(9), START).await.unwrap();
        assert!(listed.items.is_empty());
        let live = store.connection(&socket, START).await.unwrap().unwrap();
        assert_eq!(live.side, Side::Visitor { conversation_id: None }, "the socket lives on, unbound");
        let late = store.append(&message(&id, Sender::Visitor, "late", START), None).await.unwrap();
        assert_eq!(late, shared::store::Appended::NotFound);
        let figures = store.figures(0, 99_999, START).await.unwrap();
        assert_eq!((figures.messages_total, figures.days.len(), figures.median_response_ms), (0, 0, None));
        let events = store.due(Lane::Telegram, START.plus(DAY), 10).await.unwrap();
        let told: Vec<_> = events.iter().map(|one| (one.event.kind, one.event.seq)).collect();
        assert_eq!(told, [(EventKind::ConversationDeleted, TOPIC)], "whose topic is to go");
        assert_eq!(store.notes(&id).await.unwrap(), []);
        assert_eq!(store.attachment(&id, "photo").await.unwrap(), None);
        assert_eq!(store.mirror(&id).await.unwrap(), None);
        assert_eq!(store.take_start(&format!("start of {id}"), START).await.unwrap(), None);
        let chat = i64::from(id.bytes().map(u32::from).sum::<u32>());
        assert_eq!(store.chat_conversation(chat).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn messages_that_race_with_the_deletion_leave_nothing_behind() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        let messages: Vec<_> = (0..40).map(|n| message(&id, Sender::Visitor, "x", START.plus(n))).collect();

        let appends = futures::future::join_all(messages.iter().map(|one| store.append(one, None)));
        let (answers, deleted) = futures::join!(appends, store.delete(&id, START));

        assert!(deleted.unwrap());
        assert!(answers.into_iter().all(|one| one.is_ok()));
        assert!(store.messages(&id, 0, i64::MAX, false, 100).await.unwrap().is_empty());
        assert_eq!(store.backlog(Lane::Telegram).await.unwrap().0, 1);
        assert_eq!(store.backlog(Lane::Files).await.unwrap().0, 1);
    })
    .await;
}
