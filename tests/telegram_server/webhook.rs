//! Updates on their way to the webhook: one queue for each chat, strictly one at a time, repeated until a 2xx.

use std::net::SocketAddr;

use serde_json::Value;
use shared::time::{DAY, SECOND, Timestamp};

use crate::World;
use crate::http::{header, post};
use crate::server::{TelegramServer, locked};

/// Pauses are at most so long; Telegram draws one between 60 and 120 s.
const LONGEST_PAUSE: i64 = 60 * SECOND;
/// A `Retry-After` of ours is honoured up to this.
const LONGEST_RETRY_AFTER: i64 = 3_600;
/// Telegram gives an update up after this.
const LIFETIME: i64 = DAY;

/// Where updates go.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    address: SocketAddr,
    path: String,
    secret: String,
}

impl Webhook {
    /// Telegram proper takes `https` only; a Bot API server of one's own takes `http` to any address as well.
    pub(crate) fn new(url: &str, secret: &str) -> Option<Self> {
        let (address, path) = url.strip_prefix("http://")?.split_once('/')?;
        Some(Self { address: address.parse().ok()?, path: format!("/{path}"), secret: secret.into() })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }
}

/// An update that waits.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    update_id: i64,
    body: Vec<u8>,
    tries: u32,
    not_before: Timestamp,
    expires_at: Timestamp,
}

impl World {
    /// Adds an update to a chat's queue, with the next `update_id`.
    pub(crate) fn enqueue(&mut self, chat_id: i64, mut update: Value) {
        update["update_id"] = self.next_update_id.into();
        self.enqueue_raw(chat_id, update.to_string().into_bytes());
    }

    pub(crate) fn enqueue_raw(&mut self, chat_id: i64, body: Vec<u8>) {
        let now = self.clock.now();
        let update_id = self.next_update_id;
        self.next_update_id += 1;
        let queued = Queued { update_id, body, tries: 0, not_before: now, expires_at: now.plus(LIFETIME) };
        self.queues.entry(chat_id).or_default().push_back(queued);
    }

    /// The first update of some chat, if it is due.
    fn due(&mut self) -> Option<(Webhook, i64, Queued)> {
        let now = self.clock.now();
        for queue in self.queues.values_mut() {
            while queue.front().is_some_and(|first| first.expires_at <= now) {
                queue.pop_front();
                self.dropped += 1;
            }
        }
        let webhook = self.webhook.clone()?;
        let first = |(chat_id, queue): (&i64, &std::collections::VecDeque<Queued>)| {
            queue.front().filter(|first| first.not_before <= now).map(|first| (*chat_id, first.clone()))
        };
        self.queues.iter().find_map(first).map(|(chat_id, queued)| (webhook, chat_id, queued))
    }

    /// Notes how a delivery ended.
    fn delivered(&mut self, chat_id: i64, update_id: i64, ok: bool, retry_after: Option<i64>) {
        let now = self.clock.now();
        let heard = ok && self.unheard == 0;
        if ok && self.unheard > 0 {
            self.unheard -= 1;
        }
        let Some(queue) = self.queues.get_mut(&chat_id) else { return };
        if heard {
            queue.pop_front();
        } else if let Some(first) = queue.front_mut().filter(|first| first.update_id == update_id) {
            let wait =
                retry_after.map_or_else(|| pause(first.tries), |seconds| seconds.min(LONGEST_RETRY_AFTER) * SECOND);
            first.tries += 1;
            first.not_before = now.plus(wait);
        }
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
            let Some((webhook, chat_id, queued)) = locked(&self.world).due() else { return statuses };
            let secret = [("X-Telegram-Bot-Api-Secret-Token", webhook.secret.as_str())];
            let answer = post(webhook.address, &webhook.path, &secret, &queued.body).await;
            let (status, head, _) = answer.unwrap_or_default();
            let ok = (200..300).contains(&status);
            let retry_after = header(&head, "retry-after").and_then(|seconds| seconds.parse().ok());
            locked(&self.world).delivered(chat_id, queued.update_id, ok, retry_after);
            statuses.push(status);
        }
    }
}
