//! Buttons and commands.

use serde_json::{Value, json};
use shared::time::SECOND;
use telegram_server::CallbackAnswer;

use super::super::stage::GROUP;
use super::{Bot, bot};

fn keyboard(button: &Value) -> Value {
    json!({"chat_id": GROUP, "text": "x", "reply_markup": {"inline_keyboard": [[button]]}})
}

#[tokio::test]
async fn a_button_has_words_and_a_little_data_or_an_address() {
    let bot = bot().await;
    let wrong = "can't parse inline keyboard button: ";
    for (button, words) in [
        (json!({"text": "x", "callback_data": "ğ".repeat(33)}), "BUTTON_DATA_INVALID".to_owned()),
        (json!({"text": "x"}), format!("{wrong}Text buttons are unallowed in the inline keyboard")),
        (json!({"text": "", "callback_data": "x"}), format!("{wrong}Field \"text\" must be of type String")),
        (
            json!({"text": "x", "url": "http://localhost:8000/admin"}),
            "inline keyboard button URL 'http://localhost:8000/admin' is invalid: Wrong HTTP URL".to_owned(),
        ),
        (
            json!({"text": "x", "url": "ftp://example.com"}),
            "inline keyboard button URL 'ftp://example.com' is invalid: Unsupported URL protocol".to_owned(),
        ),
    ] {
        assert_eq!(bot.refused("sendMessage", &keyboard(&button)).await, format!("Bad Request: {words}"));
    }
    for button in [
        json!({"text": "x", "callback_data": "ğ".repeat(32)}),
        json!({"text": "x", "url": "http://127.0.0.1:8000/admin"}),
    ] {
        bot.done("sendMessage", &keyboard(&button)).await;
    }
}

/// Olga has pressed a button; answers the id of that.
async fn pressed(bot: &Bot) -> String {
    let button = json!({"text": "Claim", "callback_data": "claim:1"});
    let sent = bot.done("sendMessage", &keyboard(&button)).await;
    bot.telegram.set_webhook("http://127.0.0.1:1/hook", "secret");
    let olga = bot.telegram.operator(GROUP, 501, "Olga", "");
    olga.presses(sent["message_id"].as_i64().unwrap(), "Claim")
}

#[tokio::test]
async fn a_press_is_answered_once_and_soon() {
    let bot = bot().await;
    let id = pressed(&bot).await;
    let answer = |text: &str| json!({"callback_query_id": id, "text": text});

    let told = bot.refused("answerCallbackQuery", &answer(&"x".repeat(201))).await;
    assert_eq!(told, "Bad Request: MESSAGE_TOO_LONG");
    bot.done("answerCallbackQuery", &answer("It is yours")).await;
    let shown = CallbackAnswer { text: "It is yours".into(), show_alert: false };
    assert_eq!(bot.telegram.answer_of(&id), Some(shown));
    let late = "Bad Request: query is too old and response timeout expired or query ID is invalid";
    assert_eq!(bot.refused("answerCallbackQuery", &answer("again")).await, late);

    let id = pressed(&bot).await;
    bot.clock.advance(150 * SECOND);
    assert_eq!(bot.refused("answerCallbackQuery", &json!({"callback_query_id": id})).await, late);
}

#[tokio::test]
async fn a_press_that_nobody_took_is_given_up_after_150_seconds() {
    let bot = bot().await;
    pressed(&bot).await;

    bot.clock.advance(150 * SECOND - 1);
    assert_eq!(bot.telegram.deliver().await, [0, 0]);
    assert_eq!((bot.telegram.pending(), bot.telegram.dropped()), (1, 0));
    bot.clock.advance(1);
    bot.telegram.deliver().await;
    assert_eq!((bot.telegram.pending(), bot.telegram.dropped()), (0, 1));
}

#[tokio::test]
async fn commands_are_offered_by_chat_and_language() {
    let bot = bot().await;
    let list = |name: &str| json!([{"command": name, "description": "Does it"}]);
    let here = json!({"type": "chat", "chat_id": GROUP});
    for (commands, scope, language) in [
        (list("help"), json!(null), ""),
        (list("claim"), here.clone(), ""),
        (list("ustlen"), here.clone(), "tr"),
        (list("start"), json!({"type": "all_private_chats"}), ""),
    ] {
        let asked = json!({"commands": commands, "scope": scope, "language_code": language});
        bot.done("setMyCommands", &asked).await;
    }

    for (chat_id, language, name) in
        [(GROUP, "tr", "ustlen"), (GROUP, "de", "claim"), (501, "tr", "start"), (-5, "en", "help")]
    {
        assert_eq!(bot.telegram.commands(chat_id, language), list(name));
    }
    let asked = json!({"scope": here, "language_code": "tr"});
    assert_eq!(bot.done("getMyCommands", &asked).await, list("ustlen"));
    bot.done("deleteMyCommands", &asked).await;
    assert_eq!(bot.telegram.commands(GROUP, "tr"), list("claim"));
}

#[tokio::test]
async fn a_list_of_commands_keeps_its_form() {
    let bot = bot().await;
    let list = |name: &str, description: &str| json!([{"command": name, "description": description}]);
    let many: Vec<_> = (0..101).map(|n| json!({"command": format!("c{n}"), "description": "x"})).collect();
    for (commands, language, words) in [
        (list("Claim", "x"), "", "BOT_COMMAND_INVALID"),
        (list(&"x".repeat(33), "x"), "", "BOT_COMMAND_INVALID"),
        (list("claim", ""), "", "BOT_COMMAND_DESCRIPTION_INVALID"),
        (list("claim", &"x".repeat(257)), "", "BOT_COMMAND_DESCRIPTION_INVALID"),
        (json!(many), "", "too many commands specified"),
        (list("claim", "x"), "english", "invalid language_code specified"),
    ] {
        let asked = json!({"commands": commands, "language_code": language});
        assert_eq!(bot.refused("setMyCommands", &asked).await, format!("Bad Request: {words}"));
    }
}
