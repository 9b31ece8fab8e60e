//! What a text may hold, and what becomes of messages later.

use serde_json::{Value, json};
use shared::time::{HOUR, MINUTE};
use telegram_server::{Membership, Rights};

use super::super::stage::GROUP;
use super::bot;

fn with(text: &str, more: &Value) -> Value {
    let mut parameters = json!({"chat_id": GROUP, "text": text});
    parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    parameters
}

fn bold(offset: i64, length: i64) -> Value {
    json!({"entities": [{"type": "bold", "offset": offset, "length": length}]})
}

#[tokio::test]
async fn entities_count_utf_16_and_stay_within_the_text() {
    let bot = bot().await;
    // 🙂 has two units.
    for (entities, words) in [
        (bold(0, 4), "entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 4"),
        (bold(4, 1), "entity begins after the end of the text at UTF-16 offset 4"),
        (bold(-1, 1), "receive an entity with incorrect offset -1"),
        (bold(0, -1), "receive an entity with incorrect length -1"),
        (bold(1, 2), "entity begins in a middle of a UTF-16 symbol at UTF-16 offset 1"),
        (bold(0, 1), "entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol"),
        (
            json!({"entities": [{"type": "loud", "offset": 0, "length": 2}]}),
            "can't parse MessageEntity: Unsupported type specified",
        ),
        (
            json!({"entities": [{"type": "text_link", "offset": 0, "length": 2, "url": "http://localhost/"}]}),
            "entity URL 'http://localhost/' is invalid: Wrong HTTP URL",
        ),
    ] {
        let told = bot.refused("sendMessage", &with("🙂a", &entities)).await;
        assert_eq!(told, format!("Bad Request: {words}"));
    }
    bot.done("sendMessage", &with("🙂a", &bold(0, 2))).await;
    bot.done("sendMessage", &with("\n 🙂a", &bold(2, 2))).await;

    let sent = bot.telegram.sent();
    assert_eq!((&sent[0].text, &sent[0].entities), (&sent[1].text, &sent[1].entities), "entities move with the text");
}

#[tokio::test]
async fn html_has_few_tags_and_each_is_closed() {
    let bot = bot().await;
    let html = json!({"parse_mode": "HTML"});
    for (text, words) in [
        ("<b>x", "Can't find end tag corresponding to start tag \"b\" at byte offset 0"),
        ("a<script>x</script>", "Unsupported start tag \"script\" at byte offset 1"),
        ("<b><i>x</b></i>", "Unmatched end tag at byte offset 7, expected \"</i>\", found \"</b>\""),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("1 < 2", "Unclosed start tag at byte offset 2"),
    ] {
        let told = bot.refused("sendMessage", &with(text, &html)).await;
        assert_eq!(told, format!("Bad Request: can't parse entities: {words}"));
    }
    let told = bot.refused("sendMessage", &with("x", &json!({"parse_mode": "BBCode"}))).await;
    assert_eq!(told, "Bad Request: unsupported parse_mode");

    let whole = format!("<b>{}</b>", "x".repeat(4_096));
    bot.done("sendMessage", &with(&whole, &html)).await;
    let sent = bot.done("sendMessage", &with("🙂<b>&lt;1&gt; &amp; <i>2</i></b> &copy;", &html)).await;
    assert_eq!(sent["text"], "🙂<1> & 2 &copy;");
    let entities = json!([{"type": "italic", "offset": 8, "length": 1}, {"type": "bold", "offset": 2, "length": 7}]);
    assert_eq!(sent["entities"], entities);
}

#[tokio::test]
async fn an_edit_must_change_something_of_the_bots_own() {
    let bot = bot().await;
    let keyboard = json!({"inline_keyboard": [[{"text": "Claim", "callback_data": "claim"}]]});
    let sent = bot.done("sendMessage", &with("hello", &json!({"reply_markup": keyboard}))).await;
    let edit = |text: &str, more: &Value| {
        let mut edit = with(text, more);
        edit["message_id"] = sent["message_id"].clone();
        edit
    };

    let unchanged = bot.refused("editMessageText", &edit("hello", &json!({"reply_markup": keyboard}))).await;
    assert!(unchanged.starts_with("Bad Request: message is not modified: "), "{unchanged}");
    bot.done("editMessageText", &edit("hello", &json!({}))).await;
    assert!(bot.telegram.edits()[0].buttons.is_empty(), "buttons that are not given go");
    bot.done("editMessageReplyMarkup", &edit("", &json!({"reply_markup": keyboard}))).await;
    let edits = bot.telegram.edits();
    assert_eq!((edits[1].text.as_str(), edits[1].buttons[0].data.as_deref()), ("hello", Some("claim")));

    let olgas = bot.telegram.operator(GROUP, 501, "Olga", "").writes("mine");
    for (message_id, words) in [(olgas, "message can't be edited"), (5, "message to edit not found")] {
        let mut foreign = edit("x", &json!({}));
        foreign["message_id"] = message_id.into();
        assert_eq!(bot.refused("editMessageText", &foreign).await, format!("Bad Request: {words}"));
    }
}

#[tokio::test]
async fn messages_can_be_deleted_for_two_days() {
    let bot = bot().await;
    let olga = bot.telegram.operator(GROUP, 501, "Olga", "");
    let send = async || bot.done("sendMessage", &with("hello", &json!({}))).await["message_id"].as_i64().unwrap();
    let about = |message_id: i64| json!({"chat_id": GROUP, "message_id": message_id});
    let (old, young, olgas) = (send().await, send().await, olga.writes("mine"));

    bot.done("deleteMessage", &about(young)).await;
    let words = bot.refused("deleteMessage", &about(young)).await;
    assert_eq!(words, "Bad Request: message to delete not found");
    let rights = Rights { manage_topics: true, delete_messages: false };
    bot.telegram.set_bot(GROUP, Membership::Administrator(rights));
    assert_eq!(bot.refused("deleteMessage", &about(olgas)).await, "Bad Request: message can't be deleted");

    bot.clock.advance(48 * HOUR);
    let words = bot.refused("deleteMessage", &about(old)).await;
    assert_eq!(words, "Bad Request: message can't be deleted for everyone");
    let several = [send().await, send().await];
    bot.clock.advance(MINUTE);
    let known_and_not = json!({"chat_id": GROUP, "message_ids": [several[0], several[1], 5]});
    bot.done("deleteMessages", &known_and_not).await;
    let left: Vec<_> = bot.telegram.messages(GROUP, None).iter().map(|message| message["message_id"].clone()).collect();
    assert_eq!(left, [old, olgas]);
}
