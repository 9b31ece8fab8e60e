//! What Telegram is to do about an update: a call in the webhook's own answer, which costs no call of ours.

use serde_json::{Value, json};
use shared::telegram::text::{Text, split};
use shared::telegram::update::{CallbackQuery, TelegramMessage};

/// `answerCallbackQuery` takes so many characters.
const PRESS_CHARACTERS: usize = 200;

/// Answers a message where it stands.
pub fn say(message: &TelegramMessage, text: &str) -> Value {
    let mut answer = json!({
        "method": "sendMessage",
        "chat_id": message.chat.id,
        // Whoever asked for a few lines needs no second message of them.
        "text": split(&Text::plain(text)).into_iter().next().map(|piece| piece.text).unwrap_or_default(),
        "link_preview_options": {"is_disabled": true},
        "reply_parameters": {"message_id": message.message_id, "allow_sending_without_reply": true},
    });
    // General's thread must not be named.
    if let Some(thread_id) = message.topic() {
        answer["message_thread_id"] = thread_id.into();
    }
    answer
}

/// The same with one button under it.
pub fn say_with_button(message: &TelegramMessage, text: &str, label: &str, data: &str) -> Value {
    let mut answer = say(message, text);
    answer["reply_markup"] = json!({"inline_keyboard": [[{"text": label, "callback_data": data}]]});
    answer
}

/// Answers the press of a button; `alert` in a window that has to be closed.
pub fn pressed(query: &CallbackQuery, text: &str, alert: bool) -> Value {
    let text: String = text.chars().take(PRESS_CHARACTERS).collect();
    json!({"method": "answerCallbackQuery", "callback_query_id": query.id, "text": text, "show_alert": alert})
}

/// Shows that a message was taken for a note.
pub fn noted(message: &TelegramMessage) -> Value {
    json!({
        "method": "setMessageReaction", "chat_id": message.chat.id, "message_id": message.message_id,
        "reaction": [{"type": "emoji", "emoji": "✍"}],
    })
}
