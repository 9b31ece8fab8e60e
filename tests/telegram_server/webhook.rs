//! Updates on their way to the webhook: one queue for each chat's messages and others for other things, each strictly one
//! at a time, repeated until a 2xx.

use std::collections::VecDeque;
use std::net::SocketAddr;

use serde_json::{Value, json};
use shared::time::{DAY, SECOND, Timestamp};

use crate::World;
use crate::api::{Answer, Outcome};
use crate::http::{header, post};
use crate::server::{TelegramServer, locked};

/// What is added to an id to name another queue than the one of a chat's messages.
pub(crate) const CALLBACKS: i64 = 3 << 33;
pub(crate) const MEMBERS: i64 = 5 << 33;
pub(crate) const REACTIONS: i64 = 8 << 33;
/// Pauses are at most so long; Telegram draws one between 60 and 120 s.
const LONGEST_PAUSE: i64 = 60 * SECOND;
/// A `Retry-After` of ours is honoured up to this.
const LONGEST_RETRY_AFTER: i64 = 3_600;
/// Telegram gives an update up after this.
const LIFETIME: i64 = DAY;
/// Kinds that come only to a bot which asks for them.
const UNASKED: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

/// Where updates go; nowhere while the address is empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hooked {
    url: String,
    secret: String,
    /// `None` is everything but [`UNASKED`].
    allowed: Option<Vec<String>>,
    last_error: Option<(Timestamp, String)>,
}

impl Hooked {
    pub(crate) fn new(url: &str, secret: &str, allowed: Option<Vec<String>>) -> Self {
        Self { url: url.to_owned(), secret: secret.to_owned(), allowed, last_error: None }
    }

    /// An address that this server can speak to: `http` and a number.
    fn target(&self) -> Option<(SocketAddr, String)> {
        let (address, path) = self.url.strip_prefix("http://")?.split_once('/')?;
        Some((address.parse().ok()?, format!("/{path}")))
    }

    fn takes(&self, kind: &str) -> bool {
        self.allowed.as_ref().map_or_else(|| !UNASKED.contains(&kind), |kinds| kinds.iter().any(|known| known == kind))
    }
}

/// An update that waits.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    update_id: i64,
    body: Vec<u8>,
    tries: u32,
    /// How often its answer was lost.
    lost: usize,
    not_before: Timestamp,
    expires_at: Timestamp,
}

impl World {
    /// An update of a kind that the bot may have asked for.
    pub(crate) fn tell(&mut self, kind: &str, queue: i64, what: &Value) {
        self.tell_for(kind, queue, what, LIFETIME);
    }

    /// As [`World::tell`], given up after `lifetime`.
    pub(crate) fn tell_for(&mut self, kind: &str, queue: i64, what: &Value, lifetime: i64) {
        if self.hooked.takes(kind) {
            let update = json!({"update_id": self.next_update_id, kind: what});
            self.push(queue, update.to_string().into_bytes(), lifetime);
        }
    }

    /// Adds an update to a queue, with the next `update_id`.
    pub(crate) fn enqueue(&mut self, queue: i64, mut update: Value) {
        update["update_id"] = self.next_update_id.into();
        self.enqueue_raw(queue, update.to_string().into_bytes());
    }

    pub(crate) fn enqueue_raw(&mut self, queue: i64, body: Vec<u8>) {
        self.push(queue, body, LIFETIME);
    }

    fn push(&mut self, queue: i64, body: Vec<u8>, lifetime: i64) {
        let now = self.clock.now();
        let update_id = self.next_update_id;
        self.next_update_id += 1;
        let queued = Queued { update_id, body, tries: 0, lost: 0, not_before: now, expires_at: now.plus(lifetime) };
        self.queues.entry(queue).or_default().push_back(queued);
    }

    /// The first update of some queue, if it is due.
    fn due(&mut self) -> Option<(Hooked, i64, Queued)> {
        let now = self.clock.now();
        for queue in self.queues.values_mut() {
            while queue.front().is_some_and(|first| first.expires_at <= now) {
                queue.pop_front();
                self.dropped += 1;
            }
        }
        if self.hooked.url.is_empty() {
            return None;
        }
        let first = |(key, queue): (&i64, &VecDeque<Queued>)| {
            queue.front().filter(|first| first.not_before <= now).map(|first| (*key, first.clone()))
        };
        self.queues.iter().find_map(first).map(|(key, queued)| (self.hooked.clone(), key, queued))
    }

    /// Notes how a delivery ended. What the answer asks for is done when it was taken.
    fn delivered(&mut self, queue: i64, update_id: i64, answer: Option<(u16, String, String)>) {
        let now = self.clock.now();
        let (status, head, body) = answer.unwrap_or_default();
        let ok = (200..300).contains(&status);
        let taken = ok && !self.loses_answer(queue, update_id);
        if taken {
            self.perform_reply(body.as_bytes());
        } else {
            let why = if status == 0 {
                "Connection refused".into()
            } else {
                format!("Wrong response from the webhook: {status}")
            };
            self.hooked.last_error = Some((now, why));
        }
        let Some(waiting) = self.queues.get_mut(&queue) else { return };
        let Some(first) = waiting.front_mut().filter(|first| first.update_id == update_id) else { return };
        if taken {
            waiting.pop_front();
            return;
        }
        let asked = header(&head, "retry-after").and_then(|seconds| seconds.parse::<i64>().ok());
        let wait = asked.map_or_else(|| pause(first.tries), |seconds| seconds.min(LONGEST_RETRY_AFTER) * SECOND);
        first.tries += 1;
        first.not_before = now.plus(wait);
    }

    /// Whether the answer to an update is to be lost.
    fn loses_answer(&mut self, queue: i64, update_id: i64) -> bool {
        if self.unheard > 0 {
            self.unheard -= 1;
            return true;
        }
        let first = self.queues.get_mut(&queue).and_then(VecDeque::front_mut);
        let Some(first) = first.filter(|first| first.update_id == update_id && first.lost < self.unheard_each) else {
            return false;
        };
        first.lost += 1;
        true
    }

    pub(crate) fn set_webhook(&mut self, parameters: &Value) -> Outcome {
        let url = parameters["url"].as_str().unwrap_or_default();
        let secret = parameters["secret_token"].as_str().unwrap_or_default();
        if secret.len() > 256 || !secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) {
            return Err(Answer::bad("secret token contains unallowed characters"));
        }
        let is_http = url.starts_with("http://") && !self.https_only;
        if !url.is_empty() && !url.starts_with("https://") && !is_http {
            return Err(Answer::bad("bad webhook: An HTTPS URL must be provided for webhook"));
        }
        if parameters["drop_pending_updates"] == true {
            self.queues.clear();
        }
        // Not given, the list stays as it was; an empty one is the list of the beginning.
        let kinds = parameters["allowed_updates"].as_array();
        let named =
            kinds.map(|kinds| kinds.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect::<Vec<_>>());
        let allowed = named.map_or_else(|| self.hooked.allowed.clone(), |kinds| (!kinds.is_empty()).then_some(kinds));
        self.hooked = Hooked::new(url, secret, allowed);
        Ok(json!(true))
    }

    pub(crate) fn delete_webhook(&mut self, parameters: &Value) -> Value {
        if parameters["drop_pending_updates"] == true {
            self.queues.clear();
        }
        self.hooked.url.clear();
        json!(true)
    }

    /// What waits, oldest first; none of it counts as taken, since no offset is heeded.
    pub(crate) fn get_updates(&self) -> Outcome {
        if !self.hooked.url.is_empty() {
            let words = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
            return Err(Answer::error(409, words));
        }
        let mut waiting: Vec<_> = self.queues.values().flatten().collect();
        waiting.sort_by_key(|queued| queued.update_id);
        Ok(waiting.iter().filter_map(|queued| serde_json::from_slice::<Value>(&queued.body).ok()).take(100).collect())
    }

    pub(crate) fn webhook_info(&self) -> Value {
        let pending: usize = self.queues.values().map(VecDeque::len).sum();
        let mut info = json!({
            "url": self.hooked.url, "has_custom_certificate": false, "pending_update_count": pending,
            "max_connections": 40,
        });
        if let Some(kinds) = &self.hooked.allowed {
            info["allowed_updates"] = kinds.clone().into();
        }
        if let Some((at, why)) = &self.hooked.last_error {
            info["last_error_date"] = (at.0 / SECOND).into();
            info["last_error_message"] = why.clone().into();
        }
        info
    }
}

/// The first retry comes at once, then after 2, 4, 8 … s.
fn pause(failed_before: u32) -> i64 {
    match failed_before {
        0 => 0,
        n => (SECOND << n.min(10)).min(LONGEST_PAUSE),
    }
}

impl TelegramServer {
    /// Delivers every update that is due; answers the status of each try (0 = no answer), in order.
    pub async fn deliver(&self) -> Vec<u16> {
        let mut statuses = Vec::new();
        loop {
            let Some((hooked, queue, queued)) = locked(&self.world).due() else { return statuses };
            let secret = [("X-Telegram-Bot-Api-Secret-Token", hooked.secret.as_str())];
            let answer = match hooked.target() {
                Some((address, path)) => post(address, &path, &secret, &queued.body).await,
                None => None,
            };
            statuses.push(answer.as_ref().map_or(0, |(status, _, _)| *status));
            locked(&self.world).delivered(queue, queued.update_id, answer);
            self.changed.notify_waiters();
        }
    }
}
