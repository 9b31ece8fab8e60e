//! Settings: read from the environment once, checked as a whole, passed on as a value. (Protocol section 7.)

mod network;
mod read;

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

pub use network::{Origins, admits, client_ip, limit_key};
pub use read::Mistakes;

use ipnet::IpNet;

use crate::id::Secret;

/// Where Parley runs, since a few defaults differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// One process on one machine.
    Gateway,
    /// A function on AWS.
    Lambda,
}

/// Where the data lives. `Debug` and `Display` show the scheme only, since the rest may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// Wraps a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The URL, password included; for the adapter that connects.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// `sqlite`, `postgres`, `dynamodb` …
    pub fn scheme(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://…", self.scheme())
    }
}

/// When Telegram hears of a new visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifyOn {
    /// As soon as a visitor joins.
    Join,
    /// With the first message.
    FirstMessage,
}

/// What becomes of a topic when its conversation is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDelete {
    /// It goes as well.
    Delete,
    /// It stays, closed.
    Close,
}

/// Telegram, when it is set up.
#[derive(Clone, Debug)]
pub struct TelegramConfig {
    /// `TELEGRAM_BOT_TOKEN`.
    pub bot_token: Secret,
    /// `TELEGRAM_DEFAULT_CHAT_ID`: the operators' chat.
    pub chat_id: i64,
    /// `TELEGRAM_WEBHOOK_SECRET`.
    pub webhook_secret: Secret,
    /// `TELEGRAM_NOTIFY_ON`.
    pub notify_on: NotifyOn,
    /// `TELEGRAM_ON_DELETE`.
    pub on_delete: OnDelete,
    /// `TELEGRAM_ADMIN_IDS`: whom login codes go to privately; empty = the operators' chat.
    pub admin_ids: Vec<i64>,
    /// `TELEGRAM_API_URL`, without a slash at its end.
    pub api_url: String,
    /// How long an answer is waited for: [`crate::telegram::TIMEOUT`].
    pub timeout: Duration,
}

/// Every setting, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// `DATABASE_URL`.
    pub database_url: DatabaseUrl,
    /// `LISTEN_ADDR`; the gateway's own.
    pub listen_addr: SocketAddr,
    /// `PUBLIC_URL`, without a slash at its end.
    pub public_url: String,
    /// `ALLOWED_ORIGINS`.
    pub allowed_origins: Origins,
    /// `WEBSOCKET_ENDPOINT`; Lambda's own.
    pub websocket_endpoint: Option<String>,
    /// The four `TELEGRAM_*` that make the mirror, or none.
    pub telegram: Option<TelegramConfig>,
    /// `ATTACHMENT_URL`: where files are kept, `file:///folder` or `s3://bucket/prefix`.
    pub attachment_url: Option<String>,
    /// `OTP_HASH_SALT`; the gateway puts its own in place of an absent one. On Lambda the functions that make codes need it.
    pub otp_hash_salt: Option<Secret>,
    /// `ADMIN_IP_WHITELIST`; empty = everybody.
    pub admin_ip_whitelist: Vec<IpNet>,
    /// `TELEGRAM_WEBHOOK_IP_WHITELIST`; empty = everybody.
    pub telegram_webhook_ip_whitelist: Vec<IpNet>,
    /// `TRUSTED_PROXIES`.
    pub trusted_proxies: Vec<IpNet>,
    /// `ORIGIN_SECRET`: what the front presents; absent = there is none.
    pub origin_secret: Option<Secret>,
    /// `ADMIN_CODE_TTL_SECONDS`.
    pub admin_code_ttl_seconds: i64,
    /// `ADMIN_SESSION_TTL_HOURS`.
    pub admin_session_ttl_hours: i64,
    /// `SESSION_IDLE_TIMEOUT_MINUTES`.
    pub session_idle_timeout_minutes: i64,
    /// `SESSION_ROTATE_SECONDS`; 0 = with each request.
    pub session_rotate_seconds: i64,
    /// `SESSION_BIND_IP`.
    pub session_bind_ip: bool,
    /// `MAX_MESSAGE_LEN`, in Unicode scalar values.
    pub max_message_len: usize,
    /// `MAX_REQUEST_SIZE`, in bytes; at least 64 KiB, so that no update of Telegram's is refused for its size.
    pub max_request_size: usize,
    /// `WS_USER_MSGS_PER_SEC`.
    pub ws_user_msgs_per_sec: i64,
    /// `WS_USER_BURST`.
    pub ws_user_burst: i64,
    /// `API_REQ_PER_5MIN`.
    pub api_req_per_5min: i64,
    /// `API_ADMIN_REQ_PER_5MIN`.
    pub api_admin_req_per_5min: i64,
    /// `WS_MAX_CLIENTS`.
    pub ws_max_clients: i64,
    /// `WS_MAX_ADMINS`.
    pub ws_max_admins: i64,
    /// `DEFAULT_LOCALE`.
    pub default_locale: String,
    /// `RETENTION_DAYS`; 0 = keep.
    pub retention_days: i64,
    /// `RUST_LOG`.
    pub rust_log: String,
}

/// The variables that Parley reads, in the order of `.env.example` and the README.
pub const VARIABLES: [&str; 34] = [
    "DATABASE_URL",
    "LISTEN_ADDR",
    "PUBLIC_URL",
    "ALLOWED_ORIGINS",
    "WEBSOCKET_ENDPOINT",
    "TELEGRAM_BOT_TOKEN",
    "TELEGRAM_DEFAULT_CHAT_ID",
    "TELEGRAM_WEBHOOK_SECRET",
    "TELEGRAM_NOTIFY_ON",
    "TELEGRAM_ON_DELETE",
    "TELEGRAM_ADMIN_IDS",
    "TELEGRAM_API_URL",
    "ATTACHMENT_URL",
    "OTP_HASH_SALT",
    "ADMIN_IP_WHITELIST",
    "TELEGRAM_WEBHOOK_IP_WHITELIST",
    "TRUSTED_PROXIES",
    "ORIGIN_SECRET",
    "ADMIN_CODE_TTL_SECONDS",
    "ADMIN_SESSION_TTL_HOURS",
    "SESSION_IDLE_TIMEOUT_MINUTES",
    "SESSION_ROTATE_SECONDS",
    "SESSION_BIND_IP",
    "MAX_MESSAGE_LEN",
    "MAX_REQUEST_SIZE",
    "WS_USER_MSGS_PER_SEC",
    "WS_USER_BURST",
    "API_REQ_PER_5MIN",
    "API_ADMIN_REQ_PER_5MIN",
    "WS_MAX_CLIENTS",
    "WS_MAX_ADMINS",
    "DEFAULT_LOCALE",
    "RETENTION_DAYS",
    "RUST_LOG",
];

impl Config {
    /// Reads and checks the process's environment.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_env(place: Place) -> Result<Self, Mistakes> {
        Self::read(place, |name| std::env::var(name).ok())
    }

    /// Reads and checks settings from anywhere. An empty value counts as absent.
    pub fn read(place: Place, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Mistakes> {
        read::config(place, &variable)
    }
}

/// What Lambda sets for every function: who it is to AWS, and where.
#[derive(Clone)]
#[cfg(feature = "dynamodb")]
pub struct AwsEnvironment {
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: String,
    /// `AWS_SESSION_TOKEN`.
    pub session_token: Option<String>,
    /// `AWS_REGION`.
    pub region: String,
}

#[cfg(feature = "dynamodb")]
impl AwsEnvironment {
    /// Reads it; the error names what is missing.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_env() -> Result<Self, String> {
        let need = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
        Ok(Self {
            access_key_id: need("AWS_ACCESS_KEY_ID")?,
            secret_access_key: need("AWS_SECRET_ACCESS_KEY")?,
            session_token: std::env::var("AWS_SESSION_TOKEN").ok(),
            region: need("AWS_REGION")?,
        })
    }
}
