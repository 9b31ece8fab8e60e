//! What somebody waits for: login codes and their like. It goes at once, unless nothing may go.

use super::chat::{Gate, Urgency};
use super::send::Post;
use super::text::Text;
use super::{Telegram, TelegramError};
use crate::app::App;

/// Puts a message into a chat; answers its id.
pub async fn post_now(app: &App, telegram: &Telegram, chat_id: i64, post: &Post<'_>) -> Result<i64, TelegramError> {
    Gate::open(app, telegram).await?.post(chat_id, Urgency::Now, post).await
}

/// Puts a text into the operators' chat; answers the new message's id.
pub async fn tell(app: &App, telegram: &Telegram, text: &str, reply_to: Option<i64>) -> Result<i64, TelegramError> {
    let mut gate = Gate::open(app, telegram).await?;
    let text = Text::plain(text);
    let post = Post { reply_to, ..Post::new(&text) };
    match gate.post(gate.chat_id, Urgency::Now, &post).await {
        Err(TelegramError::Migrated(moved)) => gate.post(moved, Urgency::Now, &post).await,
        sent => sent,
    }
}
