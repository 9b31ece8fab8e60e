//! The methods of the Bot API that Parley calls, with Telegram's own answers.

use serde_json::{Value, json};
use shared::time::{SECOND, Timestamp};

use crate::webhook::Webhook;
use crate::{BOT_ID, Fault, World};

/// The longest text, in UTF-16 code units.
const MAX_TEXT: usize = 4_096;

/// A message that the bot put into a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Where.
    pub chat_id: i64,
    /// Its id there.
    pub message_id: i64,
    /// As it arrived.
    pub text: String,
    /// The message that it answers.
    pub reply_to: Option<i64>,
    /// When.
    pub at: Timestamp,
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<i64>,
    pub(crate) body: String,
}

impl Answer {
    fn ok(result: &Value) -> Self {
        Self { status: 200, retry_after: None, body: json!({"ok": true, "result": result}).to_string() }
    }

    pub(crate) fn error(code: u16, description: &str) -> Self {
        let body = json!({"ok": false, "error_code": code, "description": description});
        Self { status: code, retry_after: None, body: body.to_string() }
    }

    pub(crate) fn flood(seconds: i64) -> Self {
        let body = json!({
            "ok": false, "error_code": 429, "description": format!("Too Many Requests: retry after {seconds}"),
            "parameters": {"retry_after": seconds},
        });
        Self { status: 429, retry_after: Some(seconds), body: body.to_string() }
    }

    pub(crate) fn migrated(chat_id: i64) -> Self {
        let body = json!({
            "ok": false, "error_code": 400,
            "description": "Bad Request: group chat was upgraded to a supergroup chat",
            "parameters": {"migrate_to_chat_id": chat_id},
        });
        Self { status: 400, retry_after: None, body: body.to_string() }
    }

    pub(crate) fn page(status: u16, body: &str) -> Self {
        Self { status, retry_after: None, body: body.into() }
    }
}

/// What becomes of a call.
pub(crate) enum Outcome {
    /// It is answered.
    Answered(Answer),
    /// It is answered when the test lets it.
    Delayed(Answer),
    /// The connection ends without an answer.
    Unanswered,
}

impl World {
    /// Answers `/bot<token>/<method>`.
    pub(crate) fn call(&mut self, path: &str, token: &str, body: &[u8]) -> Outcome {
        self.calls += 1;
        let Some((bot, method)) = path.strip_prefix("/bot").and_then(|rest| rest.split_once('/')) else {
            return Outcome::Answered(Answer::error(404, "Not Found"));
        };
        if bot != token {
            return Outcome::Answered(Answer::error(401, "Unauthorized"));
        }
        let Ok(parameters) = serde_json::from_slice::<Value>(if body.is_empty() { b"{}" } else { body }) else {
            return Outcome::Answered(Answer::error(400, "Bad Request: can't parse parameters JSON object"));
        };
        if method == "sendMessage" {
            return self.faulty(|world| world.send_message(&parameters));
        }
        Outcome::Answered(match method {
            "getMe" => Answer::ok(&bot_user()),
            "setWebhook" => self.set_webhook(&parameters),
            "deleteWebhook" => {
                self.webhook = None;
                Answer::ok(&json!(true))
            }
            "getWebhookInfo" => Answer::ok(&self.webhook_info()),
            _ => Answer::error(404, "Not Found: method not found"),
        })
    }

    fn faulty(&mut self, act: impl FnOnce(&mut Self) -> Answer) -> Outcome {
        let now = self.clock.now();
        let left = self.flood_until.since(now);
        if left > 0 {
            self.calls_in_flood += 1;
            return Outcome::Answered(Answer::flood((left + SECOND - 1) / SECOND));
        }
        let Some(fault) = self.faults.pop_front().unwrap_or_else(|| self.outage.clone()) else {
            return Outcome::Answered(act(self));
        };
        if let Fault::Flood(seconds) = fault {
            self.flood_until = now.plus(seconds * SECOND);
        }
        let answer = if fault.applies() { act(self) } else { fault.refusal() };
        match fault {
            Fault::LostAnswer => {
                self.lost_answers += 1;
                Outcome::Unanswered
            }
            Fault::Cut => Outcome::Unanswered,
            Fault::Slow => Outcome::Delayed(answer),
            _ => Outcome::Answered(answer),
        }
    }

    fn send_message(&mut self, parameters: &Value) -> Answer {
        let now = self.clock.now();
        let Some(chat_id) = parameters["chat_id"].as_i64() else {
            return Answer::error(400, "Bad Request: chat_id is empty");
        };
        let text = parameters["text"].as_str().unwrap_or_default().trim();
        let reply = &parameters["reply_parameters"];
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Answer::error(400, "Bad Request: chat not found");
        };
        if text.is_empty() {
            return Answer::error(400, "Bad Request: message text is empty");
        }
        if text.encode_utf16().count() > MAX_TEXT {
            return Answer::error(400, "Bad Request: message is too long");
        }
        let asked = reply["message_id"].as_i64();
        let reply_to = asked.filter(|message_id| chat.message(*message_id).is_some());
        if asked.is_some() && reply_to.is_none() && reply["allow_sending_without_reply"] != true {
            return Answer::error(400, "Bad Request: message to be replied not found");
        }
        let message = chat.add(&bot_user(), text, reply_to, now).clone();
        let message_id = message["message_id"].as_i64().unwrap_or_default();
        self.sent.push(Sent { chat_id, message_id, text: text.into(), reply_to, at: now });
        Answer::ok(&message)
    }

    fn set_webhook(&mut self, parameters: &Value) -> Answer {
        let secret = parameters["secret_token"].as_str().unwrap_or_default();
        if secret.len() > 256 || !secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) {
            return Answer::error(400, "Bad Request: secret token contains unallowed characters");
        }
        match Webhook::new(parameters["url"].as_str().unwrap_or_default(), secret) {
            Some(webhook) => {
                self.webhook = Some(webhook);
                Answer::ok(&json!(true))
            }
            None => Answer::error(400, "Bad Request: bad webhook: invalid URL"),
        }
    }

    fn webhook_info(&self) -> Value {
        let pending: usize = self.queues.values().map(std::collections::VecDeque::len).sum();
        json!({
            "url": self.webhook.as_ref().map(Webhook::url).unwrap_or_default(),
            "has_custom_certificate": false, "pending_update_count": pending, "max_connections": 40,
        })
    }
}

fn bot_user() -> Value {
    json!({"id": BOT_ID, "is_bot": true, "first_name": "Parley", "username": "parley_test_bot"})
}
