//! Updates: which kinds there are, in what order they come, and what a webhook may answer.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use telegram_server::{Membership, Rights};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::stage::{GROUP, SECRET};
use super::{Bot, bot};

/// A webhook that answers every update with the same body; answers its address and what it heard.
async fn webhook(answer: Value) -> (String, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = heard.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut read = Vec::new();
            let update = loop {
                let mut chunk = [0; 4096];
                let count = stream.read(&mut chunk).await.unwrap();
                read.extend_from_slice(&chunk[..count]);
                let text = String::from_utf8_lossy(&read).into_owned();
                if let Some(update) = text.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok())
                {
                    break update;
                }
            };
            log.lock().unwrap().push(update);
            let body = answer.to_string();
            let told = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(told.as_bytes()).await.unwrap();
        }
    });
    (url, heard)
}

impl Bot {
    async fn asks_for(&self, url: &str, kinds: &Value) {
        let asked = json!({"url": url, "secret_token": SECRET, "allowed_updates": kinds});
        self.done("setWebhook", &asked).await;
    }
}

fn kinds(heard: &Mutex<Vec<Value>>) -> Vec<String> {
    let kind = |update: &Value| {
        let fields = update.as_object().unwrap().keys();
        fields.filter(|name| *name != "update_id").cloned().collect::<String>()
    };
    heard.lock().unwrap().iter().map(kind).collect()
}

#[tokio::test]
async fn only_the_kinds_that_were_asked_for_come_and_reactions_only_when_they_were() {
    let bot = bot().await;
    let (url, heard) = webhook(json!({"ok": true})).await;
    let olga = bot.telegram.operator(GROUP, 501, "Olga", "");
    let everything = || {
        let own = olga.writes("hello");
        olga.edits(own, "Hello");
        olga.reacts(own, "👍");
        bot.telegram.set_bot(GROUP, bot.telegram.membership(GROUP));
    };

    bot.asks_for(&url, &json!([])).await;
    everything();
    bot.telegram.deliver().await;
    assert_eq!(kinds(&heard), ["message", "edited_message", "my_chat_member"]);

    bot.asks_for(&url, &json!(["message_reaction"])).await;
    bot.asks_for(&url, &json!(null)).await;
    heard.lock().unwrap().clear();
    everything();
    bot.telegram.deliver().await;
    assert_eq!(kinds(&heard), ["message_reaction"], "a list that is not given stays");
    let told = bot.done("getWebhookInfo", &json!({})).await;
    assert_eq!(told["allowed_updates"], json!(["message_reaction"]));
}

#[tokio::test]
async fn a_webhooks_answer_may_be_a_call_whose_result_nobody_sees() {
    let bot = bot().await;
    let (url, _) = webhook(json!({"method": "sendMessage", "chat_id": GROUP, "text": "noted"})).await;
    bot.asks_for(&url, &json!(["message"])).await;
    let olga = bot.telegram.operator(GROUP, 501, "Olga", "");

    olga.writes("hello");
    bot.telegram.lose_webhook_answers(1);
    assert_eq!(bot.telegram.deliver().await, [200, 200]);

    assert_eq!(bot.telegram.sent().len(), 1, "an answer that was lost asked for nothing");
    assert_eq!((bot.telegram.webhook_replies().len(), bot.telegram.requests("sendMessage").len()), (1, 0));
}

#[tokio::test]
async fn a_webhooks_answer_may_not_ask_for_anything() {
    let bot = bot().await;
    let olga = bot.telegram.operator(GROUP, 501, "Olga", "");
    for body in [
        json!({"method": "deleteWebhook"}),
        json!({"method": "setWebhook", "url": ""}),
        json!({"method": "getChat", "chat_id": GROUP}),
        json!({"ok": true}),
    ] {
        let (url, _) = webhook(body).await;
        bot.asks_for(&url, &json!(["message"])).await;
        olga.writes("hello");
        assert_eq!(bot.telegram.deliver().await, [200]);
        assert_eq!(bot.done("getWebhookInfo", &json!({})).await["url"], url);
    }
    assert_eq!(bot.telegram.webhook_replies(), []);
}

#[tokio::test]
async fn one_chats_messages_keep_their_order_and_hold_up_nothing_else() {
    let bot = bot().await;
    bot.telegram.set_webhook("http://127.0.0.1:1/hook", SECRET);
    let olga = bot.telegram.operator(GROUP, 501, "Olga", "");
    olga.writes("one");
    assert_eq!(bot.telegram.deliver().await, [0, 0], "nobody is there");
    let (url, heard) = webhook(json!({"ok": true})).await;
    bot.telegram.set_webhook(&url, SECRET);

    let two = olga.writes("two");
    olga.reacts(two, "👍");
    olga.privately().starts("");
    bot.telegram.deliver().await;
    assert_eq!(kinds(&heard), ["message_reaction", "message"], "the reaction and her private message");
    bot.clock.advance(2_000);
    bot.telegram.deliver().await;

    let heard = heard.lock().unwrap();
    assert_eq!((&heard[2]["message"]["text"], &heard[3]["message"]["text"]), (&json!("one"), &json!("two")));
}

#[tokio::test]
async fn a_webhook_needs_an_address_that_telegram_can_trust() {
    let bot = bot().await;
    bot.telegram.require_https();
    let set = |url: &str| json!({"url": url, "secret_token": SECRET, "drop_pending_updates": false});

    let words = bot.refused("setWebhook", &set("http://chat.example.com/telegram/webhook")).await;
    assert_eq!(words, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook");
    bot.done("setWebhook", &set("https://chat.example.com/telegram/webhook")).await;
    let olga = bot.telegram.operator(GROUP, 501, "Olga", "");
    olga.writes("hello");
    bot.telegram.deliver().await;
    let told = bot.done("getWebhookInfo", &json!({})).await;
    assert_eq!((&told["pending_update_count"], &told["last_error_message"]), (&json!(1), &json!("Connection refused")));

    assert!(bot.refused("getUpdates", &json!({})).await.starts_with("Conflict: can't use getUpdates"));
    bot.done("deleteWebhook", &json!({})).await;
    assert_eq!(bot.done("getUpdates", &json!({})).await[0]["message"]["text"], "hello");
    bot.done("deleteWebhook", &json!({"drop_pending_updates": true})).await;
    let told = bot.done("getWebhookInfo", &json!({})).await;
    assert_eq!((&told["url"], &told["pending_update_count"]), (&json!(""), &json!(0)));
}

#[tokio::test]
async fn a_message_carries_what_people_did_to_it() {
    let bot = bot().await;
    bot.telegram.set_forum(GROUP, true);
    let (url, heard) = webhook(json!({"ok": true})).await;
    bot.telegram.set_webhook(&url, SECRET);
    let olga = bot.telegram.operator(GROUP, 501, "Olga", "Petrova");
    let topic = olga.opens_topic("Ada");

    let said = olga.in_topic(topic).writes("/claim now");
    let general = olga.writes("by the way");
    olga.replies(general, "in General");
    olga.anonymously().in_topic(topic).replies(said, "hidden");
    olga.forwards("Ada", "her words");
    let rights = Rights { manage_topics: true, delete_messages: true };
    bot.telegram.set_bot(GROUP, Membership::Administrator(rights));
    bot.telegram.deliver().await;

    let heard = heard.lock().unwrap();
    let message = |at: usize| &heard[at]["message"];
    assert_eq!(message(0)["forum_topic_created"]["name"], "Ada");
    assert_eq!(message(1)["entities"], json!([{"type": "bot_command", "offset": 0, "length": 6}]));
    assert_eq!(message(1)["reply_to_message"]["forum_topic_created"]["name"], "Ada");
    assert_eq!(message(3)["message_thread_id"], general, "a chain's id outside of topics is no topic's");
    assert!(message(3)["is_topic_message"].is_null());
    assert_eq!((&message(4)["from"]["id"], &message(4)["sender_chat"]["id"]), (&json!(1_087_968_824), &json!(GROUP)));
    assert_eq!(message(5)["forward_origin"]["sender_user_name"], "Ada");
    assert_eq!(heard[6]["my_chat_member"]["new_chat_member"]["status"], "administrator");
}
