//! Who may write to whom.

use serde_json::{Value, json};
use telegram_server::{BOT_ID, Membership, Rights};

use super::super::stage::{GROUP, SECRET};
use super::bot;

fn hello(chat_id: i64) -> Value {
    json!({"chat_id": chat_id, "text": "hello"})
}

#[tokio::test]
async fn a_person_must_have_pressed_start_and_may_block_the_bot() {
    let bot = bot().await;
    assert_eq!(bot.refused("sendMessage", &hello(601)).await, "Bad Request: chat not found");
    let ada = bot.telegram.person(601, "Ada", "");

    let words = bot.refused("sendMessage", &hello(601)).await;
    assert_eq!(words, "Forbidden: bot can't initiate conversation with a user");
    ada.starts("");
    bot.done("sendMessage", &hello(601)).await;
    ada.blocks();
    assert_eq!(bot.refused("sendMessage", &hello(601)).await, "Forbidden: bot was blocked by the user");
    ada.starts("again");
    bot.done("sendMessage", &hello(601)).await;
}

#[tokio::test]
async fn a_bot_that_was_removed_is_told_so_by_every_method() {
    let bot = bot().await;
    bot.telegram.set_forum(GROUP, true);

    for (place, words) in [
        (Membership::Kicked, "Forbidden: bot was kicked from the supergroup chat"),
        (Membership::Left, "Forbidden: bot is not a member of the supergroup chat"),
    ] {
        bot.telegram.set_bot(GROUP, place);
        for method in ["sendMessage", "getChat", "createForumTopic", "closeForumTopic", "deleteMessage"] {
            assert_eq!(bot.refused(method, &hello(GROUP)).await, words);
        }
    }
}

#[tokio::test]
async fn a_chat_says_what_it_is_and_who_is_in_it() {
    let bot = bot().await;
    bot.telegram.operator(GROUP, 501, "Olga", "");
    bot.telegram.person(601, "Ada", "");
    bot.telegram.set_forum(GROUP, true);
    let status = async |user_id: i64| {
        bot.done("getChatMember", &json!({"chat_id": GROUP, "user_id": user_id})).await["status"].clone()
    };

    let chat = bot.done("getChat", &json!({"chat_id": GROUP.to_string()})).await;
    assert_eq!(
        (&chat["type"], &chat["is_forum"], &chat["title"]),
        (&json!("supergroup"), &json!(true), &json!("Support"))
    );
    assert_eq!((status(501).await, status(601).await), (json!("member"), json!("left")));
    bot.telegram.set_status(GROUP, 501, "kicked");
    assert_eq!(status(501).await, "kicked");
    let nobody = json!({"chat_id": GROUP, "user_id": 999});
    assert_eq!(bot.refused("getChatMember", &nobody).await, "Bad Request: user not found");

    let rights = Rights { manage_topics: false, delete_messages: true };
    bot.telegram.set_bot(GROUP, Membership::Administrator(rights));
    let me = bot.done("getChatMember", &json!({"chat_id": GROUP, "user_id": BOT_ID})).await;
    assert_eq!((&me["can_manage_topics"], &me["can_delete_messages"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn a_member_with_privacy_sees_only_what_is_meant_for_it() {
    let bot = bot().await;
    bot.telegram.set_webhook("http://127.0.0.1:1/hook", SECRET);
    let olga = bot.telegram.operator(GROUP, 501, "Olga", "");
    bot.telegram.set_bot(GROUP, Membership::Member);
    let heard = bot.telegram.pending();
    let hello = bot.done("sendMessage", &hello(GROUP)).await["message_id"].as_i64().unwrap();

    let own = olga.writes("among us");
    olga.replies(own, "quite");
    olga.reacts(hello, "👍");
    assert_eq!(bot.telegram.pending(), heard);
    olga.writes("/help");
    olga.replies(hello, "thanks");
    assert_eq!(bot.telegram.pending(), heard + 2);
    assert_eq!(bot.done("getMe", &json!({})).await["can_read_all_group_messages"], false);

    bot.telegram.set_privacy(false);
    olga.writes("to all");
    assert_eq!(bot.telegram.pending(), heard + 3);
}

#[tokio::test]
async fn a_group_that_became_a_supergroup_answers_with_its_new_id_ever_after() {
    let bot = bot().await;
    bot.telegram.set_webhook("http://127.0.0.1:1/hook", SECRET);
    let new = GROUP - 5;
    let hello_there = bot.done("sendMessage", &hello(GROUP)).await;

    bot.telegram.migrate(GROUP, new);

    for method in ["sendMessage", "getChat", "createForumTopic"] {
        let (status, answer) = bot.call(method, &hello(GROUP)).await;
        assert_eq!((status, &answer["parameters"]["migrate_to_chat_id"]), (400, &json!(new)));
        assert_eq!(answer["description"], "Bad Request: group chat was upgraded to a supergroup chat");
    }
    let mut reply = hello(new);
    reply["reply_parameters"] = json!({"message_id": hello_there["message_id"]});
    let words = bot.refused("sendMessage", &reply).await;
    assert_eq!(words, "Bad Request: message to be replied not found", "old messages are gone");
    bot.done("sendMessage", &hello(new)).await;
    assert_eq!(bot.telegram.pending(), 2, "both sides tell of it");
}
