//! How much a bot may say: about one message a second in a chat, twenty a minute in a group, thirty a second in all.
//!
//! The laws are switched on by [`crate::TelegramServer::enforce_limits`]. Messages, their edits and new topics count.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::time::{MINUTE, SECOND, Timestamp};

use crate::World;
use crate::api::{Answer, whole};

/// Short bursts into one chat pass.
const CHAT: Law = Law { interval: SECOND, burst: 5 };
const GROUP: Law = Law { interval: MINUTE / 20, burst: 20 };
const ALL: Law = Law { interval: SECOND / 30, burst: 30 };

/// One call each `interval` milliseconds; `burst` at once after a rest.
#[derive(Clone, Copy)]
struct Law {
    interval: i64,
    burst: i64,
}

/// When a bucket will be full again.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket(Timestamp);

impl Bucket {
    /// How long until it has a token.
    fn wait(self, law: Law, now: Timestamp) -> i64 {
        (self.0.since(now) - (law.burst - 1) * law.interval).max(0)
    }

    fn take(&mut self, law: Law, now: Timestamp) {
        self.0 = self.0.max(now).plus(law.interval);
    }
}

/// Every bucket, and how often one was empty.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    chats: BTreeMap<i64, Bucket>,
    groups: BTreeMap<i64, Bucket>,
    all: Bucket,
    pub(crate) violations: usize,
}

impl World {
    /// Refuses what is too much, and everything to that chat until the wait is over.
    pub(crate) fn within_limits(&mut self, method: &str, parameters: &Value) -> Result<(), Answer> {
        let counted = method.starts_with("send") && method != "sendChatAction"
            || method.starts_with("editMessage")
            || method == "createForumTopic";
        let (Some(limits), Some(chat_id), true) = (&mut self.limits, whole(parameters, "chat_id"), counted) else {
            return Ok(());
        };
        let now = self.clock.now();
        let chat = limits.chats.entry(chat_id).or_default();
        let mut wait = chat.wait(CHAT, now).max(limits.all.wait(ALL, now));
        if chat_id < 0 {
            wait = wait.max(limits.groups.entry(chat_id).or_default().wait(GROUP, now));
        }
        if wait > 0 {
            limits.violations += 1;
            let seconds = (wait + SECOND - 1) / SECOND;
            self.chat_floods.insert(chat_id, now.plus(seconds * SECOND));
            return Err(Answer::flood(seconds));
        }
        chat.take(CHAT, now);
        limits.all.take(ALL, now);
        if let Some(group) = limits.groups.get_mut(&chat_id) {
            group.take(GROUP, now);
        }
        Ok(())
    }
}
