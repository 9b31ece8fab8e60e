//! Telegram's Bot API, as far as Parley speaks it. Takes a base URL, so that tests talk to a server of their own.
//!
//! [`Telegram`] makes the calls; the rules of when one may be made, and what follows from its answer, are in [`chat`].

pub mod alert;
pub mod chat;
mod file;
pub mod icons;
mod identity;
pub mod login;
pub mod media;
mod now;
pub mod send;
pub mod setup;
pub mod status;
pub mod text;
pub mod topic;
pub mod update;

use std::time::Duration;

use reqwest::redirect::Policy;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::config::TelegramConfig;
use crate::id::Secret;
use crate::outgoing;
use crate::store::StoreError;
use crate::time::{DAY, SECOND, Timestamp};

pub use chat::chat_id;
pub use now::tell;
pub use send::{Button, Entity, Keyboard, Post};
pub use status::status;
pub use text::{MAX_CAPTION, MAX_TEXT};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// An answer is waited for so long: one that takes 20 s is slow, but still says that a message arrived, while one that is
/// not waited for makes it arrive twice. API Gateway waits 29 s for those who call from a request.
pub const TIMEOUT: Duration = Duration::from_secs(25);
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
    /// The call was not made, or failed as the next one would: nothing goes there before `until`.
    #[error("nothing goes to Telegram before {until}")]
    Paused {
        /// The end of the pause.
        until: Timestamp,
        /// No chat is called; otherwise this one alone is not.
        everywhere: bool,
    },
    /// The call was not made: it would be one too many before `until`.
    #[error("Telegram's limits leave room again at {until}")]
    Paced {
        /// When there is room.
        until: Timestamp,
    },
    /// The store could not tell whether Telegram may be called.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TelegramError {
    /// Telegram's words, when it refused with 400.
    pub fn bad_request(&self) -> Option<&str> {
        match self {
            Self::Refused { code: 400, description } => Some(description),
            _ => None,
        }
    }
}

/// A bot.
#[derive(Debug)]
pub struct Telegram {
    http: reqwest::Client,
    api_url: String,
    token: Secret,
    /// The operators' chat as it is configured; [`chat_id`] tells the one in force.
    pub chat_id: i64,
    /// The bot's own user id: a token begins with it.
    pub bot_id: i64,
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
        let http = outgoing::client(CONNECT_TIMEOUT, config.timeout)?
            .redirect(Policy::none())
            .build()
            .map_err(crate::Error::internal)?;
        let token = config.bot_token.clone();
        let bot_id = token.reveal().split(':').next().and_then(|id| id.parse().ok()).unwrap_or_default();
        Ok(Self { http, api_url: config.api_url.clone(), token, chat_id: config.chat_id, bot_id })
    }

    /// One call of the Bot API, whatever the limits and pauses say.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        body: &impl Serialize,
    ) -> Result<T, TelegramError> {
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
