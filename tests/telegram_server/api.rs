//! The methods of the Bot API that Parley calls, and what becomes of a call.

use serde_json::{Value, json};
use shared::time::{SECOND, Timestamp};

use crate::{BOT_ID, BOT_NAME, Fault, World};

/// A call of the bot's, or one that it put into its webhook's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Such as `sendMessage`.
    pub method: String,
    /// Its body.
    pub parameters: Value,
    /// When.
    pub at: Timestamp,
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<i64>,
    pub(crate) body: Vec<u8>,
}

/// What a method answers: its result, or why not.
pub(crate) type Outcome = Result<Value, Answer>;

impl Answer {
    fn with(status: u16, body: &Value) -> Self {
        Self { status, retry_after: None, body: body.to_string().into_bytes() }
    }

    fn ok(result: &Value) -> Self {
        Self::with(200, &json!({"ok": true, "result": result}))
    }

    pub(crate) fn error(code: u16, description: &str) -> Self {
        Self::with(code, &json!({"ok": false, "error_code": code, "description": description}))
    }

    /// 400 with Telegram's words.
    pub(crate) fn bad(words: &str) -> Self {
        Self::error(400, &format!("Bad Request: {words}"))
    }

    pub(crate) fn flood(seconds: i64) -> Self {
        let body = json!({
            "ok": false, "error_code": 429, "description": format!("Too Many Requests: retry after {seconds}"),
            "parameters": {"retry_after": seconds},
        });
        Self { retry_after: Some(seconds), ..Self::with(429, &body) }
    }

    pub(crate) fn migrated(chat_id: i64) -> Self {
        let body = json!({
            "ok": false, "error_code": 400,
            "description": "Bad Request: group chat was upgraded to a supergroup chat",
            "parameters": {"migrate_to_chat_id": chat_id},
        });
        Self::with(400, &body)
    }

    pub(crate) fn page(status: u16, body: &[u8]) -> Self {
        Self { status, retry_after: None, body: body.to_vec() }
    }
}

/// What becomes of a call.
pub(crate) enum Fate {
    /// It is answered.
    Answered(Answer),
    /// It is answered when the test lets it.
    Delayed(Answer),
    /// It is answered when it is time.
    Late(Answer, Timestamp),
    /// The connection ends without an answer.
    Unanswered,
}

impl World {
    /// Answers `/bot<token>/<method>` and `/file/bot<token>/<path>`.
    pub(crate) fn call(&mut self, path: &str, token: &str, body: &[u8]) -> Fate {
        self.calls += 1;
        if let Some((bot, file)) = path.strip_prefix("/file/bot").and_then(|rest| rest.split_once('/')) {
            let known = bot == token;
            return self.faulty("file", None, |world| if known { world.download(file) } else { not_found() });
        }
        let Some((bot, method)) = path.strip_prefix("/bot").and_then(|rest| rest.split_once('/')) else {
            return Fate::Answered(not_found());
        };
        if bot != token {
            return Fate::Answered(Answer::error(401, "Unauthorized"));
        }
        let Ok(parameters) = serde_json::from_slice::<Value>(if body.is_empty() { b"{}" } else { body }) else {
            return Fate::Answered(Answer::bad("can't parse parameters JSON object"));
        };
        self.requests.push(Request { method: method.to_owned(), parameters: parameters.clone(), at: self.clock.now() });
        let chat_id = whole(&parameters, "chat_id").filter(|_| !method.starts_with("get"));
        self.faulty(method, chat_id, |world| world.perform(method, &parameters))
    }

    /// Does what a webhook's answer asks for, unless Telegram would not: the result is seen by nobody.
    pub(crate) fn perform_reply(&mut self, body: &[u8]) {
        const NEVER: [&str; 4] = ["setWebhook", "deleteWebhook", "close", "logOut"];
        let Ok(parameters) = serde_json::from_slice::<Value>(body) else { return };
        let Some(method) = parameters["method"].as_str().map(ToOwned::to_owned) else { return };
        if method.starts_with("get") || NEVER.contains(&method.as_str()) {
            return;
        }
        self.perform(&method, &parameters);
        self.hook_replies.push(Request { method, parameters, at: self.clock.now() });
    }

    fn perform(&mut self, method: &str, parameters: &Value) -> Answer {
        if let Err(refused) = self.within_limits(method, parameters) {
            return refused;
        }
        let done = match method {
            "getMe" => Ok(self.me()),
            "sendMessage" => self.send_message(parameters),
            "sendPhoto" => self.send_file("photo", parameters),
            "sendVoice" => self.send_file("voice", parameters),
            "sendAudio" => self.send_file("audio", parameters),
            "sendAnimation" => self.send_file("animation", parameters),
            "sendVideo" => self.send_file("video", parameters),
            "sendVideoNote" => self.send_file("video_note", parameters),
            "sendDocument" => self.send_file("document", parameters),
            "editMessageCaption" => self.edit_message_caption(parameters),
            "editMessageText" => self.edit_message_text(parameters),
            "editMessageReplyMarkup" => self.edit_message_reply_markup(parameters),
            "deleteMessage" => self.delete_message(parameters),
            "deleteMessages" => self.delete_messages(parameters),
            "sendChatAction" => self.chat(parameters).map(|_| Value::Bool(true)),
            "setMessageReaction" => self.set_message_reaction(parameters),
            "createForumTopic" => self.create_forum_topic(parameters),
            "editForumTopic" => self.edit_forum_topic(parameters),
            "closeForumTopic" => self.close_forum_topic(parameters, true),
            "reopenForumTopic" => self.close_forum_topic(parameters, false),
            "deleteForumTopic" => self.delete_forum_topic(parameters),
            "getForumTopicIconStickers" => Ok(crate::icons::icon_stickers()),
            "getChat" => self.get_chat(parameters),
            "getChatMember" => self.get_chat_member(parameters),
            "answerCallbackQuery" => self.answer_callback_query(parameters),
            "setMyCommands" => self.set_my_commands(parameters),
            "getMyCommands" => self.get_my_commands(parameters),
            "deleteMyCommands" => self.delete_my_commands(parameters),
            "getFile" => self.get_file(parameters),
            "setWebhook" => self.set_webhook(parameters),
            "deleteWebhook" => Ok(self.delete_webhook(parameters)),
            "getUpdates" => self.get_updates(),
            "getWebhookInfo" => Ok(self.webhook_info()),
            _ => Err(Answer::error(404, "Not Found: method not found")),
        };
        match done {
            Ok(result) => Answer::ok(&result),
            Err(refused) => refused,
        }
    }

    fn faulty(&mut self, method: &str, chat_id: Option<i64>, act: impl FnOnce(&mut Self) -> Answer) -> Fate {
        if let Some(refused) = self.flooded(chat_id) {
            return Fate::Answered(refused);
        }
        let next = self.faults.get_mut(method).and_then(std::collections::VecDeque::pop_front);
        let Some(fault) = next.unwrap_or_else(|| self.outage.clone()) else {
            return Fate::Answered(act(self));
        };
        let now = self.clock.now();
        let until = |seconds: i64| now.plus(seconds * SECOND);
        match (&fault, chat_id) {
            (Fault::Flood(seconds), _) => self.flood_until = until(*seconds),
            (Fault::ChatFlood(seconds), Some(chat_id)) => {
                let until = until(*seconds);
                self.chat_floods.insert(chat_id, until);
            }
            _ => {}
        }
        let answer = if fault.applies() { act(self) } else { fault.refusal() };
        match fault {
            Fault::LostAnswer => {
                self.lost_answers += 1;
                Fate::Unanswered
            }
            Fault::Cut => Fate::Unanswered,
            Fault::Slow => Fate::Delayed(answer),
            Fault::Late(seconds) => Fate::Late(answer, until(seconds)),
            _ => Fate::Answered(answer),
        }
    }

    /// Who came too early is told how long is left, and noticed.
    fn flooded(&mut self, chat_id: Option<i64>) -> Option<Answer> {
        let chat_id = chat_id?;
        let own = self.chat_floods.get(&chat_id).copied().unwrap_or_default();
        let left = self.flood_until.max(own).since(self.clock.now());
        if left <= 0 {
            return None;
        }
        self.calls_in_flood += 1;
        Some(Answer::flood((left + SECOND - 1) / SECOND))
    }

    fn me(&self) -> Value {
        let mut me = bot_user();
        me["can_join_groups"] = true.into();
        me["can_read_all_group_messages"] = (!self.privacy).into();
        me["supports_inline_queries"] = false.into();
        me
    }
}

fn not_found() -> Answer {
    Answer::error(404, "Not Found")
}

pub(crate) fn bot_user() -> Value {
    json!({"id": BOT_ID, "is_bot": true, "first_name": "Parley", "username": BOT_NAME})
}

/// A whole number, which Telegram also takes as a string.
pub(crate) fn whole(parameters: &Value, name: &str) -> Option<i64> {
    let value = &parameters[name];
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}
