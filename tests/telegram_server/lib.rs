//! A Bot API server that keeps Telegram's laws, for tests: a group with its operators, one bot, one webhook.
//!
//! Time is a [`Clock`] that the test turns. Nothing happens by itself: calls are answered as they come, and updates are
//! delivered when the test asks for it ([`TelegramServer::deliver`]), by Telegram's retry schedule.

#![expect(clippy::missing_panics_doc, reason = "a test that meets what it did not expect may end there")]

mod api;
mod faults;
mod group;
mod http;
mod server;
mod webhook;

pub use api::Sent;
pub use faults::Fault;
pub use group::Operator;
pub use http::{header, post};
pub use server::TelegramServer;

use std::collections::{BTreeMap, VecDeque};

use shared::time::{Clock, Timestamp};

use group::Chat;
use webhook::{Queued, Webhook};

/// The token of the one bot; its number is [`BOT_ID`].
pub const BOT_TOKEN: &str = "700100200:fake-bot-token-of-the-tests";
/// The bot's own user id.
pub const BOT_ID: i64 = 700_100_200;

/// Everything the server knows.
struct World {
    clock: std::sync::Arc<dyn Clock>,
    chats: BTreeMap<i64, Chat>,
    sent: Vec<Sent>,
    calls: usize,
    faults: VecDeque<Option<Fault>>,
    outage: Option<Fault>,
    flood_until: Timestamp,
    calls_in_flood: usize,
    lost_answers: usize,
    webhook: Option<Webhook>,
    queues: BTreeMap<i64, VecDeque<Queued>>,
    next_update_id: i64,
    unheard: usize,
    dropped: usize,
}
