//! The icons of topics: which of Telegram's stickers shows which state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::TelegramError;
use super::chat::{Gate, Urgency};
use super::topic::IconSticker;
use crate::app::App;
use crate::model::{Conversation, Status};
use crate::store::StoreError;
use crate::time::{DAY, Timestamp};

/// The setting that remembers them,
const NAME: &str = "telegram:icons";
/// for so long.
const AGE: i64 = DAY;
/// What shows a state, the best first. Telegram's list of icons may change; a state of which none is in it shows none.
const STATES: [(&str, [&str; 3]); 3] =
    [("waiting", ["❓", "❗", "‼"]), ("answered", ["✅", "💬", "👀"]), ("closed", ["🏁", "📁", "🎬"])];

#[derive(Serialize, Deserialize)]
struct Icons {
    asked_at: Timestamp,
    ids: BTreeMap<String, String>,
}

/// The state that a topic's icon shows.
pub fn state(conversation: &Conversation) -> &'static str {
    let answered = conversation.head_seq > 0 && conversation.waiting_since.is_none();
    match conversation.status {
        Status::Closed => "closed",
        Status::Open if answered => "answered",
        Status::Open => "waiting",
    }
}

/// The icon that shows a state, if Telegram has one.
pub async fn icon(app: &App, gate: &mut Gate<'_>, state: &str) -> Result<Option<String>, TelegramError> {
    let known = app.store.setting(NAME).await?.and_then(|json| serde_json::from_str::<Icons>(&json).ok());
    let fresh = known.filter(|icons| app.now().since(icons.asked_at) < AGE);
    if let Some(icons) = fresh {
        return Ok(icons.ids.get(state).cloned());
    }
    let telegram = gate.telegram;
    let stickers = match gate.ask(gate.chat_id, Urgency::Free, telegram.topic_icons()).await {
        Err(TelegramError::Refused { .. }) => Vec::new(),
        answer => answer?,
    };
    let icons = Icons { asked_at: app.now(), ids: choose(&stickers) };
    let json = serde_json::to_string(&icons).map_err(|error| StoreError::Broken(error.into()))?;
    app.store.set_setting(NAME, Some(&json)).await?;
    Ok(icons.ids.get(state).cloned())
}

fn choose(stickers: &[IconSticker]) -> BTreeMap<String, String> {
    // An emoji may come with or without the mark that asks for its colours.
    let found = |emoji: &str| stickers.iter().find(|sticker| sticker.emoji.trim_end_matches('\u{fe0f}') == emoji);
    let chosen = STATES.iter().filter_map(|(state, emojis)| {
        let sticker = emojis.iter().find_map(|emoji| found(emoji))?;
        Some(((*state).to_owned(), sticker.custom_emoji_id.clone()))
    });
    chosen.collect()
}
