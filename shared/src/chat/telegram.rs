//! Going on in a private chat with the bot.

use crate::app::App;
use crate::error::Error;
use crate::id::Secret;
use crate::time::{MINUTE, Timestamp};

/// A link is worth something for so long.
const LINK_TTL: i64 = 10 * MINUTE;

/// A one-time link that takes a conversation to its visitor's private chat with the bot, and its end.
///
/// The secret is 24 of `[A-Za-z0-9_-]` (a start parameter may have 64), stored as a hash. `NotFound` while Telegram is off.
pub async fn telegram_link(app: &App, conversation_id: &str) -> Result<(String, Timestamp), Error> {
    let telegram = app.telegram.as_ref().ok_or(Error::NotFound)?;
    let username = telegram.username(app).await?;
    let secret: String = Secret::random()?.reveal().chars().take(24).collect();
    let expires_at = app.now().plus(LINK_TTL);
    app.store.put_start(&Secret::presented(secret.as_str()).hash(), conversation_id, expires_at).await?;
    Ok((format!("https://t.me/{username}?start={secret}"), expires_at))
}
