//! The Bot API server of these stories keeps Telegram's laws; without that they would prove nothing.

mod buttons;
mod files;
mod limits;
mod members;
mod texts;
mod topics;
mod updates;

use std::sync::Arc;

use serde_json::{Value, json};
use shared::time::{DAY, HOUR, ManualClock, SECOND};
use telegram_server::{BOT_ID, BOT_TOKEN, Fault, TelegramServer, header, post};

use super::stage::{GROUP, SECRET, START};

struct Bot {
    telegram: TelegramServer,
    clock: Arc<ManualClock>,
}

async fn bot() -> Bot {
    let clock = Arc::new(ManualClock::new(START));
    Bot { telegram: TelegramServer::start(clock.clone(), &[GROUP]).await, clock }
}

impl Bot {
    /// A call that must go well; answers its result.
    async fn done(&self, method: &str, parameters: &Value) -> Value {
        let (status, answer) = self.call(method, parameters).await;
        assert_eq!(status, 200, "{method} {parameters}: {answer}");
        answer["result"].clone()
    }

    /// Telegram's words for a call that must be refused.
    async fn refused(&self, method: &str, parameters: &Value) -> String {
        let (status, answer) = self.call(method, parameters).await;
        assert_eq!((answer["ok"].as_bool(), answer["error_code"].as_u64()), (Some(false), Some(status.into())));
        answer["description"].as_str().unwrap().to_owned()
    }

    /// The status of a call's answer; `None` when there was none.
    async fn try_call(&self, method: &str, parameters: &Value) -> Option<u16> {
        let address = self.telegram.url()["http://".len()..].parse().unwrap();
        let path = format!("/bot{BOT_TOKEN}/{method}");
        let answer = post(address, &path, &[], parameters.to_string().as_bytes()).await;
        answer.map(|(status, _, _)| status)
    }

    async fn call(&self, method: &str, parameters: &Value) -> (u16, Value) {
        self.call_as(BOT_TOKEN, method, parameters).await
    }

    async fn call_as(&self, token: &str, method: &str, parameters: &Value) -> (u16, Value) {
        let address = self.telegram.url()["http://".len()..].parse().unwrap();
        let path = format!("/bot{token}/{method}");
        let (status, head, body) = post(address, &path, &[], parameters.to_string().as_bytes()).await.unwrap();
        let answer: Value = serde_json::from_str(&body).unwrap();
        let waits = header(&head, "retry-after").map(|seconds| seconds.parse::<i64>().unwrap());
        assert_eq!(answer["parameters"]["retry_after"].as_i64(), waits);
        (status, answer)
    }
}

#[tokio::test]
async fn a_refused_call_is_told_why_as_telegram_does() {
    let bot = bot().await;
    let text = |text: &str| json!({"chat_id": GROUP, "text": text});
    let reply = |sure: bool| {
        json!({"chat_id": GROUP, "text": "x",
        "reply_parameters": {"message_id": 1, "allow_sending_without_reply": sure}})
    };

    for (parameters, status, description) in [
        (text(&"🙂".repeat(2_048)), 200, ""),
        (text(&"x".repeat(4_097)), 400, "Bad Request: message is too long"),
        (text(&format!("x{}", "🙂".repeat(2_048))), 400, "Bad Request: message is too long"),
        (text(" \n "), 400, "Bad Request: message text is empty"),
        (json!({"chat_id": 5, "text": "x"}), 400, "Bad Request: chat not found"),
        (reply(false), 400, "Bad Request: message to be replied not found"),
        (reply(true), 200, ""),
    ] {
        let (answered, answer) = bot.call("sendMessage", &parameters).await;
        assert_eq!(answered, status, "{answer}");
        assert_eq!(answer["description"].as_str().unwrap_or_default(), description);
        assert_eq!(answer["ok"], status == 200);
    }
    assert_eq!(bot.call_as("700100200:other", "getMe", &json!({})).await.0, 401);
    assert_eq!(bot.call("getMe", &json!({})).await.1["result"]["id"], BOT_ID);
    assert_eq!(bot.call("sendPigeon", &json!({})).await.0, 404);
}

#[tokio::test]
async fn a_flood_ends_to_the_second_and_an_impatient_bot_is_noticed() {
    let bot = bot().await;
    bot.telegram.fail(&[Fault::Flood(3)]);
    let hello = json!({"chat_id": GROUP, "text": "hello"});

    for (wait, left) in [(0, 3), (0, 3), (1, 3), (1_999, 1), (999, 1)] {
        bot.clock.advance(wait);
        let (status, answer) = bot.call("sendMessage", &hello).await;
        assert_eq!((status, &answer["parameters"]["retry_after"]), (429, &json!(left)));
    }
    bot.clock.advance(1);
    assert_eq!(bot.call("sendMessage", &hello).await.0, 200);
    assert_eq!(bot.telegram.calls_in_flood(), 4);
}

#[tokio::test]
async fn an_update_is_repeated_by_the_schedule_for_a_day_and_holds_its_chat_up() {
    let bot = bot().await;
    // A port where nobody listens, and which nobody is given.
    let url = "http://127.0.0.1:1/hook";
    let set = json!({"url": url, "secret_token": SECRET});
    assert_eq!(bot.call("setWebhook", &json!({"url": url, "secret_token": "no spaces"})).await.0, 400);
    assert_eq!(bot.call("setWebhook", &set).await.0, 200);
    let olga = bot.telegram.operator(GROUP, 501, "Olga", "");
    olga.writes("one");
    olga.writes("two");

    assert_eq!(bot.telegram.deliver().await, [0, 0], "the first retry comes at once");
    for pause in [2, 4, 8, 16, 32, 60, 60] {
        bot.clock.advance(pause * SECOND - 1);
        assert_eq!(bot.telegram.deliver().await, [0_u16; 0], "before {pause} s");
        bot.clock.advance(1);
        assert_eq!(bot.telegram.deliver().await, [0], "after {pause} s");
    }
    let (_, info) = bot.call("getWebhookInfo", &json!({})).await;
    assert_eq!((&info["result"]["url"], &info["result"]["pending_update_count"]), (&json!(url), &json!(2)));

    bot.clock.advance(DAY - HOUR);
    bot.telegram.deliver().await;
    assert_eq!((bot.telegram.dropped(), bot.telegram.pending()), (0, 2));
    bot.clock.advance(HOUR);
    bot.telegram.deliver().await;
    assert_eq!((bot.telegram.dropped(), bot.telegram.pending()), (2, 0));
}
