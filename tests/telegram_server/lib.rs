//! A Bot API server that keeps Telegram's laws, for tests and for the sandbox: groups with topics and operators, private
//! chats, one bot, one webhook.
//!
//! Time is a [`Clock`] that the test turns. Nothing happens by itself: calls are answered as they come, and updates are
//! delivered when the test asks for it ([`TelegramServer::deliver`]), by Telegram's retry schedule.
//!
//! Reading order: [`TelegramServer`] (what a test asks of it), [`Person`] (what people do), `api` (the methods) and the
//! modules of its laws, `webhook` (updates).

#![expect(clippy::missing_panics_doc, reason = "a test that meets what it did not expect may end there")]

mod acts;
mod api;
mod callbacks;
mod chats;
mod commands;
mod controls;
mod entities;
mod faults;
mod files;
mod forum;
mod html;
mod http;
mod icons;
mod limits;
mod markup;
mod media;
mod members;
mod messages;
mod people;
mod server;
mod view;
mod webhook;

pub use api::Request;
pub use callbacks::CallbackAnswer;
pub use chats::{Membership, Rights, Topic};
pub use faults::Fault;
pub use files::MAX_DOWNLOAD;
pub use http::{header, post};
pub use markup::Button;
pub use media::Media;
pub use messages::Sent;
pub use people::Person;
pub use server::TelegramServer;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;
use shared::time::{Clock, Timestamp};

use callbacks::Pressed;
use chats::Chat;
use files::File;
use limits::Limits;
use webhook::{Hooked, Queued};

/// The token of the one bot; its number is [`BOT_ID`].
pub const BOT_TOKEN: &str = "700100200:fake-bot-token-of-the-tests";
/// The bot's own user id.
pub const BOT_ID: i64 = 700_100_200;
/// The bot's name in links.
pub const BOT_NAME: &str = "parley_test_bot";
/// Ids begin somewhere, so that none of ours is taken for one of Telegram's.
const FIRST_MESSAGE_ID: i64 = 40_000;
const FIRST_UPDATE_ID: i64 = 900_000_000;

/// Everything the server knows.
struct World {
    clock: Arc<dyn Clock>,
    chats: BTreeMap<i64, Chat>,
    users: BTreeMap<i64, Value>,
    sent: Vec<Sent>,
    edits: Vec<Sent>,
    calls: usize,
    connections: usize,
    requests: Vec<Request>,
    hook_replies: Vec<Request>,
    /// By method; `None` is a call that goes well.
    faults: BTreeMap<String, VecDeque<Option<Fault>>>,
    outage: Option<Fault>,
    flood_until: Timestamp,
    chat_floods: BTreeMap<i64, Timestamp>,
    calls_in_flood: usize,
    lost_answers: usize,
    limits: Option<Limits>,
    files: BTreeMap<String, File>,
    commands: BTreeMap<(String, String), Value>,
    pressed: BTreeMap<String, Pressed>,
    /// Whether the bot sees only what is meant for it where it is no administrator.
    privacy: bool,
    https_only: bool,
    hooked: Hooked,
    queues: BTreeMap<i64, VecDeque<Queued>>,
    next_update_id: i64,
    unheard: usize,
    unheard_each: usize,
    dropped: usize,
}

impl World {
    fn new(clock: Arc<dyn Clock>, groups: &[i64]) -> Self {
        Self {
            clock,
            chats: groups.iter().map(|id| (*id, Chat::group(*id))).collect(),
            users: BTreeMap::new(),
            sent: Vec::new(),
            edits: Vec::new(),
            calls: 0,
            connections: 0,
            requests: Vec::new(),
            hook_replies: Vec::new(),
            faults: BTreeMap::new(),
            outage: None,
            flood_until: Timestamp::default(),
            chat_floods: BTreeMap::new(),
            calls_in_flood: 0,
            lost_answers: 0,
            limits: None,
            files: BTreeMap::new(),
            commands: BTreeMap::new(),
            pressed: BTreeMap::new(),
            privacy: true,
            https_only: false,
            hooked: Hooked::default(),
            queues: BTreeMap::new(),
            next_update_id: FIRST_UPDATE_ID,
            unheard: 0,
            unheard_each: 0,
            dropped: 0,
        }
    }
}
