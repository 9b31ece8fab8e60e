//! Updates, read leniently: our own few fields, all optional, so that no new kind or field of Telegram's ever fails.

use serde::Deserialize;

/// One update of the webhook.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Update {
    /// Unique; repeated when our answer was lost.
    pub update_id: Option<i64>,
    /// Somebody wrote.
    pub message: Option<TelegramMessage>,
    /// Somebody changed what they wrote.
    pub edited_message: Option<TelegramMessage>,
}

/// A message in Telegram.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TelegramMessage {
    /// Unique within its chat.
    pub message_id: i64,
    /// Where.
    pub chat: Chat,
    /// Who.
    pub from: Option<User>,
    /// Its text, when it is one.
    pub text: Option<String>,
    /// The message that it answers.
    pub reply_to_message: Option<Box<TelegramMessage>>,
}

/// A chat.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Chat {
    /// Up to 52 bits.
    pub id: i64,
}

/// A person or bot.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct User {
    /// Unique in all of Telegram.
    pub id: i64,
    /// Whether it is a bot.
    pub is_bot: bool,
    /// Never empty with Telegram.
    pub first_name: String,
    /// Often absent.
    pub last_name: Option<String>,
}

impl User {
    /// The name that visitors see.
    pub fn name(&self) -> String {
        let full = format!("{} {}", self.first_name, self.last_name.as_deref().unwrap_or_default());
        full.trim().to_owned()
    }
}
