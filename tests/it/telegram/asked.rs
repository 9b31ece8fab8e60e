//! What the stories of the operators' chat begin with, and how the webhook's answers are looked at.

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use telegram_server::Person;

use super::stage::{GROUP, Office, Page, SECRET};
use crate::people::Browser;

/// An office that people reach under another address than the one it listens at.
pub const ELSEWHERE: &[(&str, &str)] =
    &[("PUBLIC_URL", "https://chat.example"), ("ALLOWED_ORIGINS", "http://127.0.0.1:8000")];

/// A visitor whose conversation operators can answer, and the message to answer.
pub async fn asked(office: &Office) -> (Page, i64) {
    let mut ada = office.visitor("Ada").await;
    ada.says("hello").await;
    office.mirrored().await;
    let sent = office.telegram.sent();
    (ada, sent.iter().rev().find(|sent| sent.text.contains("hello")).expect("it is mirrored").message_id)
}

/// The highest `seq` of a conversation.
pub async fn head(page: &mut Page) -> i64 {
    page.send(&json!({"type": "ping"})).await;
    page.frame("pong").await["head_seq"].as_i64().unwrap()
}

/// What the webhook answered a message with.
#[track_caller]
pub fn told(office: &Office, own: i64) -> String {
    let replies = office.telegram.webhook_replies();
    let reply = replies.iter().rev().find(|reply| reply.parameters["reply_parameters"]["message_id"] == own);
    reply.expect("an answer").parameters["text"].as_str().unwrap().to_owned()
}

/// Somebody answers a message, Telegram delivers it, and the webhook answers it.
pub async fn commands(office: &Office, person: &Person, message_id: i64, text: &str) -> String {
    let own = person.replies(message_id, text);
    assert_eq!(office.telegram.deliver().await, [200], "{text}");
    told(office, own)
}

/// Somebody answers a message, Telegram delivers it, and the webhook says nothing.
pub async fn does(office: &Office, person: &Person, message_id: i64, text: &str) {
    let before = office.telegram.webhook_replies().len();
    person.replies(message_id, text);
    assert_eq!(office.telegram.deliver().await, [200], "{text}");
    let replies = office.telegram.webhook_replies();
    assert_eq!(replies.len(), before, "{text}: {:?}", replies.last());
}

/// Telegram delivers an update past all queues; answers what the webhook answered.
pub async fn update(office: &Office, update: &Value) -> Value {
    let secret = [("X-Telegram-Bot-Api-Secret-Token", SECRET)];
    let (status, _, answer) = office.post("/telegram/webhook", &secret, update).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// The press of a button under some message of the operators' chat.
pub fn press(update_id: i64, user_id: i64, name: &str, data: &str) -> Value {
    let message = json!({"message_id": 1, "date": 0, "chat": {"id": GROUP, "type": "supergroup"}});
    let from = json!({"id": user_id, "is_bot": false, "first_name": name});
    json!({"update_id": update_id, "callback_query": {
        "id": format!("press-{update_id}"), "from": from, "message": message, "data": data}})
}

/// The panel's browser, for what it asks beside its socket.
pub fn browser(office: &Office, token: &str) -> Browser {
    // The office logs in without one.
    Browser::new(office.address(), Ipv4Addr::LOCALHOST).without("user-agent").bearing(token)
}
