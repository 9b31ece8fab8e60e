//! Topics.

use serde_json::{Value, json};
use telegram_server::{Membership, Rights};

use super::super::stage::GROUP;
use super::{Bot, bot};

async fn forum() -> Bot {
    let bot = bot().await;
    bot.telegram.set_forum(GROUP, true);
    bot
}

impl Bot {
    async fn topic(&self, name: &str) -> i64 {
        let made = self.done("createForumTopic", &json!({"chat_id": GROUP, "name": name})).await;
        made["message_thread_id"].as_i64().unwrap()
    }
}

fn about(thread_id: i64) -> Value {
    json!({"chat_id": GROUP, "message_thread_id": thread_id})
}

fn text(thread_id: i64, text: &str) -> Value {
    json!({"chat_id": GROUP, "message_thread_id": thread_id, "text": text})
}

fn may(manage_topics: bool, delete_messages: bool) -> Membership {
    Membership::Administrator(Rights { manage_topics, delete_messages })
}

#[tokio::test]
async fn a_topics_id_is_that_of_the_message_which_tells_of_it() {
    let bot = forum().await;

    let thread_id = bot.topic("Ada").await;
    let told = bot.telegram.message(GROUP, thread_id).unwrap();
    let sent = bot.done("sendMessage", &text(thread_id, "hello")).await;

    assert_eq!(told["forum_topic_created"]["name"], "Ada");
    assert_eq!((&sent["message_thread_id"], &sent["is_topic_message"]), (&json!(thread_id), &json!(true)));
    assert_eq!(sent["reply_to_message"]["message_id"], thread_id, "what answers nothing answers the topic itself");
    assert_eq!(bot.telegram.sent()[0].thread_id, Some(thread_id));
}

#[tokio::test]
async fn a_topic_has_a_name_of_1_to_128_characters_and_one_of_telegrams_icons() {
    let bot = forum().await;
    let icons = bot.done("getForumTopicIconStickers", &json!({})).await;
    let icon = icons.as_array().unwrap().iter().find(|icon| icon["emoji"] == "✅").unwrap();

    for (more, words) in [
        (json!({"name": " "}), "title must be non-empty"),
        (json!({"name": "x".repeat(129)}), "TOPIC_TITLE_TOO_LONG"),
        (json!({"name": "x", "icon_color": 1}), "invalid icon color specified"),
        (json!({"name": "x", "icon_custom_emoji_id": "1"}), "DOCUMENT_INVALID"),
    ] {
        let mut asked = json!({"chat_id": GROUP});
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(bot.refused("createForumTopic", &asked).await, format!("Bad Request: {words}"));
    }
    let name = "ğ".repeat(128);
    let asked = json!({"chat_id": GROUP, "name": name, "icon_custom_emoji_id": icon["custom_emoji_id"]});
    bot.done("createForumTopic", &asked).await;

    let topics = bot.telegram.topics(GROUP);
    assert_eq!((topics.len(), &topics[0].1.name, topics[0].1.icon.as_deref()), (1, &name, Some("✅")));
}

#[tokio::test]
async fn what_changes_nothing_about_a_topic_is_refused() {
    let bot = forum().await;
    let thread_id = bot.topic("Ada").await;
    let called = |name: &str| json!({"chat_id": GROUP, "message_thread_id": thread_id, "name": name});

    let unchanged = "Bad Request: TOPIC_NOT_MODIFIED";
    assert_eq!(bot.refused("editForumTopic", &called("Ada")).await, unchanged);
    bot.done("editForumTopic", &called("Ada Lovelace")).await;
    assert_eq!(bot.refused("reopenForumTopic", &about(thread_id)).await, unchanged);
    bot.done("closeForumTopic", &about(thread_id)).await;
    assert_eq!(bot.refused("closeForumTopic", &about(thread_id)).await, unchanged);
    let (_, topic) = &bot.telegram.topics(GROUP)[0];
    assert_eq!((topic.name.as_str(), topic.is_closed), ("Ada Lovelace", true));
    bot.done("reopenForumTopic", &about(thread_id)).await;
    assert!(!bot.telegram.topics(GROUP)[0].1.is_closed);
}

#[tokio::test]
async fn the_general_topic_and_those_that_went_are_no_threads_to_write_to() {
    let bot = forum().await;
    let (gone, lost, deleted) = (bot.topic("gone").await, bot.topic("lost").await, bot.topic("deleted").await);
    bot.telegram.operator(GROUP, 501, "Olga", "").deletes_topic(gone);
    bot.telegram.lose_topic(GROUP, lost);
    bot.done("deleteForumTopic", &about(deleted)).await;

    for thread_id in [1, 77, gone, lost, deleted] {
        let words = bot.refused("sendMessage", &text(thread_id, "hello")).await;
        assert_eq!(words, "Bad Request: message thread not found", "{thread_id}");
        for method in ["closeForumTopic", "reopenForumTopic", "editForumTopic", "deleteForumTopic"] {
            assert_eq!(bot.refused(method, &about(thread_id)).await, "Bad Request: TOPIC_ID_INVALID");
        }
    }
    let general = bot.done("sendMessage", &json!({"chat_id": GROUP, "text": "hello"})).await;
    assert!(general["message_thread_id"].is_null());
    assert_eq!(bot.telegram.messages(GROUP, Some(deleted)), [0_i64; 0]);
}

#[tokio::test]
async fn topics_need_a_forum_and_rights() {
    let bot = forum().await;
    let new = json!({"chat_id": GROUP, "name": "Ada"});
    let own = bot.topic("own").await;
    let olgas = bot.telegram.operator(GROUP, 501, "Olga", "").opens_topic("Olga's");

    bot.telegram.set_bot(GROUP, may(false, false));
    assert_eq!(bot.refused("createForumTopic", &new).await, "Bad Request: not enough rights to create a topic");
    let words = bot.refused("closeForumTopic", &about(olgas)).await;
    assert_eq!(words, "Bad Request: not enough rights to edit the topic");
    let words = bot.refused("deleteForumTopic", &about(own)).await;
    assert_eq!(words, "Bad Request: not enough rights to delete the topic");
    bot.done("closeForumTopic", &about(own)).await;
    assert_eq!(bot.refused("sendMessage", &text(own, "hello")).await, "Bad Request: TOPIC_CLOSED");

    bot.telegram.set_bot(GROUP, may(true, true));
    bot.done("sendMessage", &text(own, "hello")).await;
    bot.done("deleteForumTopic", &about(own)).await;
    bot.telegram.set_forum(GROUP, false);
    assert_eq!(bot.refused("createForumTopic", &new).await, "Bad Request: the chat is not a forum");
    let words = bot.refused("sendMessage", &text(olgas, "hello")).await;
    assert_eq!(words, "Bad Request: message thread not found");
}

#[tokio::test]
async fn an_answer_stays_in_the_topic_of_what_it_answers() {
    let bot = forum().await;
    let (one, other) = (bot.topic("one").await, bot.topic("other").await);
    let asked = bot.done("sendMessage", &text(one, "hello")).await["message_id"].clone();
    let reply = |thread_id: Option<i64>| {
        let mut reply = json!({"chat_id": GROUP, "text": "x",
            "reply_parameters": {"message_id": asked, "allow_sending_without_reply": true}});
        if let Some(thread_id) = thread_id {
            reply["message_thread_id"] = thread_id.into();
        }
        reply
    };

    let words = bot.refused("sendMessage", &reply(Some(other))).await;
    assert_eq!(words, "Bad Request: message to be replied not found");
    bot.done("sendMessage", &reply(Some(one))).await;
    assert_eq!(bot.done("sendMessage", &reply(None)).await["message_thread_id"], one);
}
