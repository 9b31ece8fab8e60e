//! A group with topics: each conversation is one.

use serde_json::json;
use shared::chat;
use shared::event::Lane;
use shared::store::TelegramLink;
use shared::telegram::chat::bot_changed;
use shared::time::{HOUR, MINUTE, SECOND};
use telegram_server::{Fault, Membership, Rights, Sent, Topic};

use super::bench::{Bench, for_each_bench};
use super::stage::{GROUP, Office, START, for_each_office};
use crate::stores::Home;

fn topic(bench: &Bench, name: &str) -> (i64, Topic) {
    let topics = bench.telegram.topics(GROUP);
    topics.into_iter().rev().find(|(_, topic)| topic.name.starts_with(name)).expect("a topic")
}

/// What the bot wrote into a topic.
fn posts(bench: &Bench, thread_id: i64) -> Vec<Sent> {
    bench.telegram.sent().into_iter().filter(|sent| sent.thread_id == Some(thread_id)).collect()
}

fn texts(bench: &Bench, thread_id: i64) -> Vec<String> {
    posts(bench, thread_id).into_iter().map(|sent| sent.text).collect()
}

/// Lets the limits recover, and every event be told.
async fn settle(bench: &Bench) {
    bench.clock.advance(MINUTE);
    bench.drain_all().await;
}

#[tokio::test]
async fn a_visitor_is_a_topic_from_the_first_message_to_the_last() {
    for_each_office(&[], async |office: &Office| {
        office.telegram.set_forum(GROUP, true);
        let mut ada = office.visitor("Ada").await;
        ada.says("hello").await;
        office.mirrored().await;

        let (thread_id, topic) = office.telegram.topics(GROUP).pop().unwrap();
        assert!(topic.name.starts_with("Ada #"), "{}", topic.name);
        assert_eq!((topic.icon.as_deref(), topic.is_closed), (Some("❓"), false));
        let sent = office.telegram.sent();
        assert!(sent.iter().all(|sent| sent.thread_id == Some(thread_id) && sent.reply_to.is_none()));
        assert!(sent[0].text.starts_with("Ada has come to the chat. What you write in this topic"), "{}", sent[0].text);
        assert!(sent[0].text.ends_with(&format!("/admin?c={}", ada.conversation_id)));
        let buttons: Vec<_> = sent[0].buttons.iter().map(|button| button.text.as_str()).collect();
        assert_eq!(buttons, ["Claim", "Close", "Ban"]);
        assert_eq!(sent[1].text, "Ada: hello");
        assert_eq!((&sent[1].entities[0]["type"], &sent[1].entities[0]["length"]), (&json!("bold"), &json!(3)));

        ada.send(&json!({"type": "end"})).await;
        ada.frame("conversation_closed").await;
        office.mirrored().await;
        assert!(office.telegram.topics(GROUP)[0].1.is_closed);
    })
    .await;
}

#[tokio::test]
async fn the_icon_shows_the_state_and_changes_only_with_it() {
    for_each_bench(|bench| async move {
        bench.telegram.set_forum(GROUP, true);
        let ada = bench.join("Ada").await;
        bench.say(&ada, "hello").await;
        settle(&bench).await;
        assert_eq!(topic(&bench, "Ada").1.icon.as_deref(), Some("❓"));

        bench.answer(&ada, "good day").await;
        settle(&bench).await;
        assert_eq!(topic(&bench, "Ada").1.icon.as_deref(), Some("✅"));
        bench.answer(&ada, "how can I help?").await;
        settle(&bench).await;
        assert_eq!(bench.telegram.requests("editForumTopic").len(), 1, "it says so already");

        chat::close(&bench.app, &ada).await.unwrap();
        settle(&bench).await;
        let (thread_id, closed) = topic(&bench, "Ada");
        assert_eq!((closed.icon.as_deref(), closed.is_closed), (Some("🏁"), true));

        chat::reopen(&bench.app, &ada).await.unwrap();
        settle(&bench).await;
        let (same, open) = topic(&bench, "Ada");
        assert_eq!((same, open.icon.as_deref(), open.is_closed), (thread_id, Some("✅"), false));
        let told = texts(&bench, thread_id);
        assert_eq!(told[4..], ["The conversation with Ada is closed.", "The conversation with Ada is open again."]);
    })
    .await;
}

#[tokio::test]
async fn two_of_one_name_have_topics_that_can_be_told_apart() {
    for_each_bench(|bench| async move {
        bench.telegram.set_forum(GROUP, true);
        let long = "x".repeat(80);
        for name in ["Ada", "Ada", &long] {
            bench.join(name).await;
        }
        bench.drain_all().await;

        let names: Vec<_> = bench.telegram.topics(GROUP).into_iter().map(|(_, topic)| topic.name).collect();
        let adas: Vec<_> = names.iter().filter(|name| name.starts_with("Ada #")).collect();
        assert!(names.len() == 3 && adas.len() == 2 && adas[0] != adas[1], "{names:?}");
    })
    .await;
}

#[tokio::test]
async fn a_topic_that_vanished_is_made_anew_with_what_was_said_before() {
    for_each_bench(|bench| async move {
        bench.telegram.set_forum(GROUP, true);
        let ada = bench.join("Ada").await;
        for n in 1..=30 {
            bench.say(&ada, &format!("line {n}")).await;
        }
        settle(&bench).await;
        let (old, _) = topic(&bench, "Ada");

        bench.telegram.lose_topic(GROUP, old);
        bench.say(&ada, "anybody there?").await;
        settle(&bench).await;

        let (new, _) = topic(&bench, "Ada");
        assert_ne!(new, old);
        let told = texts(&bench, new);
        assert!(told[0].starts_with("Ada has come to the chat."), "{told:?}");
        let replayed: Vec<_> = told[1].lines().collect();
        assert_eq!((replayed[0], replayed[1], replayed.len()), ("What was said before:", "Ada: line 11", 21));
        assert_eq!(told[2..], ["Ada: anybody there?"]);
        for thread_id in [old, new] {
            let link = bench.app.store.linked(GROUP, thread_id).await.unwrap().expect("a link");
            assert_eq!(
                (link.conversation_id.as_str(), link.seq),
                (ada.as_str(), 0),
                "a reply there finds the conversation"
            );
        }

        bench.say(&ada, "hello?").await;
        settle(&bench).await;
        assert_eq!(texts(&bench, new)[3..], ["Ada: hello?"], "and nothing is told twice");
    })
    .await;
}

#[tokio::test]
async fn a_topic_that_an_operator_deletes_and_one_that_is_closed_by_hand_lose_nothing() {
    for_each_bench(|bench| async move {
        bench.telegram.set_forum(GROUP, true);
        let olga = bench.telegram.operator(GROUP, 501, "Olga", "");
        let ada = bench.join("Ada").await;
        bench.say(&ada, "one").await;
        settle(&bench).await;
        olga.closes_topic(topic(&bench, "Ada").0);
        bench.say(&ada, "two").await;
        settle(&bench).await;
        assert_eq!(bench.arrived("Ada"), ["one", "two"]);

        olga.deletes_topic(topic(&bench, "Ada").0);
        chat::close(&bench.app, &ada).await.unwrap();
        settle(&bench).await;
        let (thread_id, closed) = topic(&bench, "Ada");
        assert_eq!(texts(&bench, thread_id)[1], "What was said before:\nAda: one\ntwo");
        assert_eq!(texts(&bench, thread_id)[2], "The conversation with Ada is closed.");
        assert!(closed.is_closed);
    })
    .await;
}

#[tokio::test]
async fn a_bot_without_the_right_says_so_and_goes_on_when_it_has_it() {
    for_each_bench(|bench| async move {
        bench.telegram.set_forum(GROUP, true);
        let rights = |manage_topics| Membership::Administrator(Rights { manage_topics, delete_messages: true });
        bench.telegram.set_bot(GROUP, rights(false));
        let ada = bench.join("Ada").await;
        bench.say(&ada, "hello").await;
        let mut calls = 0;
        for _ in 0..10 {
            calls += bench.calls().await;
            bench.clock.advance(MINUTE);
        }
        assert!(calls <= 6, "{calls} calls in ten minutes");
        assert_eq!(bench.alert().await.as_deref(), Some("telegram_rights"));
        let status = shared::telegram::status(&bench.app, &ada).await.unwrap();
        assert!(status.sent_seq == 0 && status.paused_until.is_some(), "{status:?}");

        bench.telegram.set_bot(GROUP, rights(true));
        bot_changed(&bench.app).await.unwrap();
        assert!(bench.drain_all().await <= MINUTE);
        assert_eq!((bench.arrived("Ada"), bench.alert().await), (vec!["hello".to_owned()], None));
        let status = shared::telegram::status(&bench.app, &ada).await.unwrap();
        assert_eq!((status.sent_seq, status.paused_until), (1, None));
    })
    .await;
}

#[tokio::test]
async fn a_topic_goes_with_its_conversation() {
    for_each_bench(|bench| async move {
        bench.telegram.set_forum(GROUP, true);
        let (ada, bob) = (bench.join("Ada").await, bench.join("Bob").await);
        settle(&bench).await;
        chat::delete(&bench.app, &ada).await.unwrap();
        settle(&bench).await;
        let names: Vec<_> = bench.telegram.topics(GROUP).into_iter().map(|(_, topic)| topic.name).collect();
        assert!(names.len() == 1 && names[0].starts_with("Bob"), "{names:?}");

        bench
            .telegram
            .set_bot(GROUP, Membership::Administrator(Rights { manage_topics: true, delete_messages: false }));
        chat::delete(&bench.app, &bob).await.unwrap();
        bench.clock.advance(MINUTE);
        bench.drain().await;
        assert!(topic(&bench, "Bob").1.is_closed, "as long as it cannot be deleted");
        assert_eq!(bench.alert().await.as_deref(), Some("telegram_rights"));
        let eve = bench.join("Eve").await;
        bench.say(&eve, "hello").await;
        bench.clock.advance(MINUTE);
        bench.drain().await;
        assert_eq!(bench.arrived("Eve"), ["hello"], "and others are served");

        bench.telegram.set_bot(GROUP, Membership::Administrator(Rights { manage_topics: true, delete_messages: true }));
        bench.clock.advance(HOUR);
        bench.drain_all().await;
        assert!(bench.telegram.topics(GROUP).iter().all(|(_, topic)| topic.name.starts_with("Eve")));
    })
    .await;
}

#[tokio::test]
async fn a_number_that_is_another_conversations_by_now_is_left_alone() {
    for_each_bench(|bench| async move {
        bench.telegram.set_forum(GROUP, true);
        let (ada, bob) = (bench.join("Ada").await, bench.join("Bob").await);
        settle(&bench).await;
        let (message_id, _) = topic(&bench, "Ada");
        chat::delete(&bench.app, &ada).await.unwrap();
        let link = TelegramLink { chat_id: GROUP, message_id, conversation_id: bob, seq: 0 };
        bench.app.store.link(&link).await.unwrap();
        settle(&bench).await;

        assert_eq!(bench.telegram.requests("deleteForumTopic").len(), 0);
    })
    .await;
}

#[tokio::test]
async fn an_erasure_that_has_not_come_to_the_links_yet_keeps_no_topic_open() {
    let home = Home::on_dynamodb().await;
    let bench = Bench::on(home.open().await).await;
    let table = home.table().unwrap();
    bench.telegram.set_forum(GROUP, true);
    let ada = bench.join("Ada").await;
    settle(&bench).await;
    let links: Vec<_> = table.items().await.into_iter().filter(|item| item["sk"]["S"] == "LINK").collect();
    assert!(!links.is_empty());

    chat::delete(&bench.app, &ada).await.unwrap();
    for link in &links {
        table.put(link).await;
    }
    settle(&bench).await;

    assert_eq!(bench.telegram.requests("deleteForumTopic").len(), 1);
    home.leave().await;
}

#[tokio::test]
async fn a_topic_may_outlive_its_conversation_closed() {
    for_each_office(&[("TELEGRAM_ON_DELETE", "close")], async |office: &Office| {
        office.telegram.set_forum(GROUP, true);
        let ada = office.visitor("Ada").await;
        office.mirrored().await;
        let app = office.running.app().unwrap();
        chat::delete(app, &ada.conversation_id).await.unwrap();
        office.telegram.until("the topic is closed", |telegram| telegram.topics(GROUP)[0].1.is_closed).await;
    })
    .await;
}

#[tokio::test]
async fn a_group_may_get_topics_later_and_lose_them_again() {
    for_each_bench(|bench| async move {
        let ada = bench.join("Ada").await;
        bench.say(&ada, "one").await;
        settle(&bench).await;
        assert!(bench.telegram.sent().iter().all(|sent| sent.thread_id.is_none()));

        bench.telegram.set_forum(GROUP, true);
        bench.clock.advance(HOUR);
        bench.say(&ada, "two").await;
        settle(&bench).await;
        let (thread_id, _) = topic(&bench, "Ada");
        assert_eq!(texts(&bench, thread_id)[1..], ["What was said before:\nAda: one", "Ada: two"]);

        bench.telegram.set_forum(GROUP, false);
        bench.say(&ada, "three").await;
        settle(&bench).await;
        let last = bench.telegram.requests("sendMessage").pop().unwrap().parameters;
        assert_eq!((&last["text"], &last["message_thread_id"]), (&json!("Ada: three"), &json!(null)));
        assert!(last["reply_parameters"].is_object(), "a chain again");
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_lost_while_a_topic_is_made_leaves_one_empty_topic() {
    for_each_bench(|bench| async move {
        bench.telegram.set_forum(GROUP, true);
        bench.telegram.fail_calls("createForumTopic", 0, &[Fault::LostAnswer]);
        let ada = bench.join("Ada").await;
        bench.say(&ada, "hello").await;
        bench.drain_all().await;

        let topics = bench.telegram.topics(GROUP);
        assert_eq!(topics.len(), 2);
        assert_eq!(texts(&bench, topics[0].0), [""; 0], "nobody knows of the first");
        assert_eq!(texts(&bench, topics[1].0).len(), 2);
        let link = bench.app.store.linked(GROUP, topics[1].0).await.unwrap();
        assert_eq!(link.map(|link| link.conversation_id), Some(ada));
    })
    .await;
}

#[tokio::test]
async fn what_the_team_does_is_told_in_the_topic() {
    for_each_bench(|bench| async move {
        bench.telegram.set_forum(GROUP, true);
        let ada = bench.join("Ada").await;
        bench.say(&ada, "helo").await;
        settle(&bench).await;
        let (thread_id, _) = topic(&bench, "Ada");
        chat::claim(&bench.app, &ada, "Ben").await.unwrap();
        settle(&bench).await;
        chat::release(&bench.app, &ada).await.unwrap();
        settle(&bench).await;
        for (id, via) in [("n1", shared::model::Via::Web), ("n2", shared::model::Via::Telegram)] {
            let note = shared::model::Note {
                conversation_id: ada.clone(),
                seq: 0,
                id: id.into(),
                author: "Ben".into(),
                via,
                content: "a regular".into(),
                created_at: START,
            };
            chat::add_note(&bench.app, &note).await.unwrap();
        }
        settle(&bench).await;
        let told = texts(&bench, thread_id);
        assert_eq!(
            told[2..],
            [
                "Ben has taken on the conversation with Ada.",
                "The conversation with Ada is free again.",
                "📝 Ben: a regular",
            ],
            "a note that was written in Telegram is there"
        );

        chat::edit(&bench.app, &ada, 1, "hello").await.unwrap();
        settle(&bench).await;
        let said = posts(&bench, thread_id)[1].message_id;
        assert_eq!(bench.telegram.message(GROUP, said).unwrap()["text"], "Ada: hello");
        assert_eq!(bench.app.store.backlog(Lane::Telegram).await.unwrap().0, 0);
        assert!(bench.app.now().since(START) > SECOND);
    })
    .await;
}
