//! Telegram's Bot API, as far as Parley speaks it. Takes a base URL, so that tests talk to a server of their own.

mod identity;
pub mod setup;
pub mod status;
pub mod update;

use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::app::App;
use crate::config::TelegramConfig;
use crate::id::Secret;
use crate::outgoing;
use crate::store::StoreError;
use crate::time::{DAY, SECOND};

/// `sendMessage` takes 1–4096 UTF-16 code units after entity parsing.
pub const MAX_TEXT: usize = 4096;

/// Connecting and answering take at most so long: an answer of 20 s is slow, but still says that a message arrived, while
/// one that is not waited for makes it arrive twice. API Gateway waits 29 s for those who call from a request.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(25);
/// The lease that stands for a wait that Telegram asked for.
const FLOOD: &str = "telegram:flood";
/// Telegram asks for seconds, rarely for hours.
const LONGEST_FLOOD: i64 = DAY / SECOND;

/// Why a call brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum TelegramError {
    /// 429: not before so many seconds.
    #[error("Telegram asks to wait {0} s")]
    RetryAfter(i64),
    /// 400 with `migrate_to_chat_id`: the group became a supergroup with this id.
    #[error("the group has moved to {0}")]
    Migrated(i64),
    /// Any other answer that says no. The description is Telegram's own.
    #[error("Telegram refused with {code}: {description}")]
    Refused {
        /// As HTTP has it.
        code: i64,
        /// Telegram's words.
        description: String,
    },
    /// No answer: whether the call took effect is not known.
    #[error("Telegram did not answer")]
    NoAnswer(#[source] reqwest::Error),
    /// The store could not tell whether Telegram may be called.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TelegramError {
    /// Whether Telegram will never take this message, whatever becomes of the bot and its chat. Everything else passes by
    /// itself, or when a person mends the token, the chat or the bot's rights in it.
    pub fn is_the_messages_own(&self) -> bool {
        const THE_CHATS: [&str; 5] = ["chat not found", "rights", "CHAT_", "upgraded", "kicked"];
        match self {
            Self::Refused { code: 400 | 413, description } => !THE_CHATS.iter().any(|word| description.contains(word)),
            _ => false,
        }
    }
}

/// A bot.
#[derive(Debug)]
pub struct Telegram {
    http: reqwest::Client,
    api_url: String,
    token: Secret,
    /// The operators' chat.
    pub chat_id: i64,
    /// The bot's own user id: a token begins with it.
    pub bot_id: i64,
}

#[derive(Serialize)]
struct SendMessage<'a> {
    chat_id: i64,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_parameters: Option<ReplyParameters>,
    link_preview_options: LinkPreviewOptions,
}

#[derive(Serialize)]
struct ReplyParameters {
    message_id: i64,
    allow_sending_without_reply: bool,
}

#[derive(Serialize)]
struct LinkPreviewOptions {
    is_disabled: bool,
}

#[derive(Deserialize)]
struct SentMessage {
    message_id: i64,
}

#[derive(Deserialize)]
struct Answer<T> {
    result: Option<T>,
    error_code: Option<i64>,
    description: Option<String>,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Parameters {
    retry_after: Option<i64>,
    migrate_to_chat_id: Option<i64>,
}

impl Telegram {
    /// A client for a bot; no call is made yet.
    pub fn new(config: &TelegramConfig) -> crate::Result<Self> {
        let http = outgoing::client(CONNECT_TIMEOUT, TIMEOUT)?.build().map_err(crate::Error::internal)?;
        let token = config.bot_token.clone();
        let bot_id = token.reveal().split(':').next().and_then(|id| id.parse().ok()).unwrap_or_default();
        Ok(Self { http, api_url: config.api_url.clone(), token, chat_id: config.chat_id, bot_id })
    }

    /// Sends plain text (no parse mode, no link preview) and answers the new message's id. `text` must fit [`MAX_TEXT`];
    /// see [`split`].
    pub async fn send_message(&self, chat_id: i64, text: &str, reply_to: Option<i64>) -> Result<i64, TelegramError> {
        let reply_parameters =
            reply_to.map(|message_id| ReplyParameters { message_id, allow_sending_without_reply: true });
        let link_preview_options = LinkPreviewOptions { is_disabled: true };
        let body = SendMessage { chat_id, text, reply_parameters, link_preview_options };
        self.call::<SentMessage>("sendMessage", &body).await.map(|sent| sent.message_id)
    }

    async fn call<T: DeserializeOwned>(&self, method: &str, body: &impl Serialize) -> Result<T, TelegramError> {
        let url = format!("{}/bot{}/{method}", self.api_url, self.token.reveal());
        // The URL holds the token, so errors are stripped of it.
        let no_answer = |error: reqwest::Error| TelegramError::NoAnswer(error.without_url());
        let response = self.http.post(url).json(body).send().await.map_err(no_answer)?;
        let status = i64::from(response.status().as_u16());
        let answer: Answer<T> = match response.json().await {
            Ok(answer) => answer,
            Err(error) if error.is_decode() => {
                return Err(TelegramError::Refused {
                    code: status,
                    description: "not an answer of the Bot API".into(),
                });
            }
            Err(error) => return Err(no_answer(error)),
        };
        match (answer.result, answer.parameters) {
            (Some(result), _) => Ok(result),
            (None, Some(Parameters { retry_after: Some(seconds), .. })) => {
                Err(TelegramError::RetryAfter(seconds.clamp(1, LONGEST_FLOOD)))
            }
            (None, Some(Parameters { migrate_to_chat_id: Some(id), .. })) => Err(TelegramError::Migrated(id)),
            (None, _) => Err(TelegramError::Refused {
                code: answer.error_code.unwrap_or(status),
                description: answer.description.unwrap_or_default(),
            }),
        }
    }
}

/// Puts a text into the operators' chat; answers the new message's id.
///
/// What Telegram asks one caller to wait, all wait: no call is made before.
pub async fn tell(app: &App, telegram: &Telegram, text: &str, reply_to: Option<i64>) -> Result<i64, TelegramError> {
    let now = app.now();
    if let Some(until) = app.store.leased_until(FLOOD, now).await? {
        return Err(TelegramError::RetryAfter((until.since(now) + SECOND - 1) / SECOND));
    }
    let sent = telegram.send_message(telegram.chat_id, text, reply_to).await;
    if let Err(TelegramError::RetryAfter(seconds)) = &sent {
        let now = app.now();
        app.store.lease(FLOOD, FLOOD, now, now.plus(seconds * SECOND)).await?;
    }
    sent
}

/// Cuts a text into pieces of at most [`MAX_TEXT`] UTF-16 code units, at a line's or word's end where there is one in the
/// second half of a piece; never within a character.
pub fn split(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(end) = overflow(rest) {
        let piece = &rest[..end];
        let cut = piece.rfind('\n').or_else(|| piece.rfind(' ')).filter(|cut| *cut > end / 2).unwrap_or(end);
        pieces.push(rest[..cut].trim_end());
        rest = rest[cut..].trim_start();
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

/// Where a text passes [`MAX_TEXT`], if it does.
fn overflow(text: &str) -> Option<usize> {
    let mut units = 0;
    text.char_indices().find_map(|(at, c)| {
        units += c.len_utf16();
        (units > MAX_TEXT).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_by_utf_16_units_and_never_within_a_character() {
        let text = "🙂".repeat(3_000);

        let pieces = split(&text);

        assert_eq!(pieces.iter().map(|piece| piece.encode_utf16().count()).collect::<Vec<_>>(), [4096, 1904]);
        assert_eq!(pieces.concat(), text);
    }

    #[test]
    fn a_long_text_is_cut_between_words() {
        let text = "word ".repeat(1_000);

        let pieces = split(text.trim());

        assert!(pieces.iter().all(|piece| piece.len() <= MAX_TEXT && piece.ends_with("word")));
        assert_eq!(pieces.join(" "), text.trim());
    }
}
