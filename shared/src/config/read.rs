//! From text to [`Config`], with every mistake in one list.

use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;

use super::{Config, DatabaseUrl, NotifyOn, OnDelete, Origins, Place, TelegramConfig};
use crate::id::Secret;

/// Everything that is wrong with the environment, one line each.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistakes(pub Vec<String>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "The configuration has {} mistake(s):", self.0.len())?;
        self.0.iter().try_for_each(|line| writeln!(f, "  - {line}"))
    }
}

impl std::error::Error for Mistakes {}

struct Reader<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    mistakes: Vec<String>,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> Option<String> {
        (self.variable)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn wrong(&mut self, name: &str, rule: &str) {
        self.mistakes.push(format!("{name} {rule}"));
    }

    fn parsed<T: FromStr>(&mut self, name: &str, default: T, rule: &str) -> T {
        match self.text(name).map(|text| text.parse()) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(_)) => {
                self.wrong(name, rule);
                default
            }
        }
    }

    fn number(&mut self, name: &str, default: i64, least: i64, most: i64) -> i64 {
        let rule = format!("must be a whole number from {least} to {most}");
        let value = self.parsed(name, default, &rule);
        if (least..=most).contains(&value) {
            return value;
        }
        self.wrong(name, &rule);
        default
    }

    fn networks(&mut self, name: &str) -> Vec<IpNet> {
        let text = self.text(name).unwrap_or_default();
        let mut networks = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.parse().or_else(|_| part.parse().map(|ip: std::net::IpAddr| ip.into())) {
                Ok(network) => networks.push(network),
                Err(_) => self.wrong(name, "must be a comma-separated list of addresses or CIDR networks"),
            }
        }
        networks
    }

    fn people(&mut self, name: &str) -> Vec<i64> {
        let text = self.text(name).unwrap_or_default();
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let ids: Vec<Option<i64>> = parts.map(|part| part.parse().ok().filter(|id| *id > 0)).collect();
        if ids.contains(&None) {
            self.wrong(name, "must be a comma-separated list of Telegram user ids, such as 123456789");
        }
        ids.into_iter().flatten().collect()
    }

    fn attachment_url(&mut self, place: Place) -> Option<String> {
        let default = (place == Place::Gateway).then(|| "data/attachments".to_owned());
        let url = self.text("ATTACHMENT_URL").or(default)?;
        if url.starts_with("s3://") || url.starts_with("file://") || !url.contains("://") {
            return Some(url);
        }
        self.wrong("ATTACHMENT_URL", "must be a folder, file:///folder or s3://bucket/prefix");
        None
    }

    fn http_url(&mut self, name: &str, default: String) -> String {
        let text = self.text(name).unwrap_or(default);
        let ok = url::Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !ok {
            self.wrong(name, "must be an http:// or https:// address");
        }
        text.trim_end_matches('/').to_owned()
    }

    fn telegram(&mut self) -> Option<TelegramConfig> {
        let api_url = self.http_url("TELEGRAM_API_URL", "https://api.telegram.org".into());
        let notify_on = match self.text("TELEGRAM_NOTIFY_ON").as_deref() {
            None | Some("join") => NotifyOn::Join,
            Some("first_message") => NotifyOn::FirstMessage,
            Some(_) => {
                self.wrong("TELEGRAM_NOTIFY_ON", "must be join or first_message");
                NotifyOn::Join
            }
        };
        let on_delete = match self.text("TELEGRAM_ON_DELETE").as_deref() {
            None | Some("delete") => OnDelete::Delete,
            Some("close") => OnDelete::Close,
            Some(_) => {
                self.wrong("TELEGRAM_ON_DELETE", "must be delete or close");
                OnDelete::Delete
            }
        };
        let admin_ids = self.people("TELEGRAM_ADMIN_IDS");
        let names = ["TELEGRAM_BOT_TOKEN", "TELEGRAM_DEFAULT_CHAT_ID", "TELEGRAM_WEBHOOK_SECRET"];
        let [Some(token), Some(chat), Some(secret)] = names.map(|name| self.text(name)) else {
            let missing: Vec<_> = names.into_iter().filter(|name| self.text(name).is_none()).collect();
            if missing.len() < names.len() {
                let rule = "must be set as well: Telegram needs all three of its variables, or none";
                for name in missing {
                    self.wrong(name, rule);
                }
            }
            return None;
        };
        if !is_bot_token(&token) {
            self.wrong("TELEGRAM_BOT_TOKEN", "must look like 123456:ABC…, as @BotFather gives it");
        }
        let chat_id = chat.parse().unwrap_or_default();
        if chat_id == 0 {
            self.wrong("TELEGRAM_DEFAULT_CHAT_ID", "must be a chat's number, such as -1001234567890");
        }
        if !(1..=256).contains(&secret.len()) || !secret.bytes().all(is_token_byte) {
            self.wrong("TELEGRAM_WEBHOOK_SECRET", "must be 1 to 256 of A-Z a-z 0-9 _ -");
        }
        let (bot_token, webhook_secret) = (Secret::presented(token), Secret::presented(secret));
        let timeout = crate::telegram::TIMEOUT;
        Some(TelegramConfig { bot_token, chat_id, webhook_secret, notify_on, on_delete, admin_ids, api_url, timeout })
    }

    fn database_url(&mut self, place: Place) -> DatabaseUrl {
        let url = self.text("DATABASE_URL").unwrap_or_else(|| match place {
            Place::Gateway => "sqlite://data/parley.db".into(),
            Place::Lambda => String::new(),
        });
        let known = ["sqlite:", "postgres://", "postgresql://", "dynamodb://"];
        if url.is_empty() {
            self.wrong("DATABASE_URL", "must be set");
        } else if !known.iter().any(|scheme| url.starts_with(scheme)) {
            self.wrong("DATABASE_URL", "must begin with sqlite://, postgres:// or dynamodb://");
        }
        DatabaseUrl::new(url)
    }

    fn secret(&mut self, name: &str, least: usize) -> Option<Secret> {
        let secret = self.text(name);
        if secret.as_ref().is_some_and(|text| text.chars().count() < least) {
            self.wrong(name, &format!("must have at least {least} characters"));
        }
        secret.map(Secret::presented)
    }

    fn origins(&mut self, public_url: &str, own: bool) -> Origins {
        let origins = match self.text("ALLOWED_ORIGINS") {
            Some(text) => Origins::parse(&text),
            None if own => Origins::parse(&format!("{public_url},{}", public_url.replace("127.0.0.1", "localhost"))),
            None => Origins::parse(public_url),
        };
        origins.unwrap_or_else(|origin| {
            let rule =
                format!("has {origin:?}, which is no origin (such as https://example.com or https://*.example.com)");
            self.wrong("ALLOWED_ORIGINS", &rule);
            Origins::default()
        })
    }
}

pub(super) fn config(place: Place, variable: &dyn Fn(&str) -> Option<String>) -> Result<Config, Mistakes> {
    let mut read = Reader { variable, mistakes: Vec::new() };
    let listen_addr = read.parsed(
        "LISTEN_ADDR",
        std::net::SocketAddr::from(([127, 0, 0, 1], 8000)),
        "must be an address and a port, such as 127.0.0.1:8000",
    );
    let own_url = format!("http://{listen_addr}");
    let public_url = read.http_url("PUBLIC_URL", own_url.clone());
    let allowed_origins = read.origins(&public_url, public_url == own_url);
    let config = Config {
        database_url: read.database_url(place),
        listen_addr,
        public_url,
        allowed_origins,
        websocket_endpoint: read.text("WEBSOCKET_ENDPOINT").map(|_| read.http_url("WEBSOCKET_ENDPOINT", String::new())),
        telegram: read.telegram(),
        attachment_url: read.attachment_url(place),
        otp_hash_salt: read.secret("OTP_HASH_SALT", 32),
        admin_ip_whitelist: read.networks("ADMIN_IP_WHITELIST"),
        telegram_webhook_ip_whitelist: read.networks("TELEGRAM_WEBHOOK_IP_WHITELIST"),
        trusted_proxies: read.networks("TRUSTED_PROXIES"),
        origin_secret: read.secret("ORIGIN_SECRET", 16),
        admin_code_ttl_seconds: read.number("ADMIN_CODE_TTL_SECONDS", 300, 30, 3_600),
        admin_session_ttl_hours: read.number("ADMIN_SESSION_TTL_HOURS", 24, 1, 24 * 30),
        session_idle_timeout_minutes: read.number("SESSION_IDLE_TIMEOUT_MINUTES", 30, 1, 60 * 24 * 30),
        session_rotate_seconds: read.number("SESSION_ROTATE_SECONDS", 300, 0, 86_400),
        session_bind_ip: read.parsed("SESSION_BIND_IP", false, "must be true or false"),
        max_message_len: to_size(read.number("MAX_MESSAGE_LEN", 2_000, 1, 6_000)),
        max_request_size: to_size(read.number("MAX_REQUEST_SIZE", 1_048_576, 65_536, 10_485_760)),
        ws_user_msgs_per_sec: read.number("WS_USER_MSGS_PER_SEC", 1, 1, 1_000),
        ws_user_burst: read.number("WS_USER_BURST", 5, 1, 10_000),
        api_req_per_5min: read.number("API_REQ_PER_5MIN", 100, 1, 1_000_000),
        api_admin_req_per_5min: read.number("API_ADMIN_REQ_PER_5MIN", 600, 1, 1_000_000),
        ws_max_clients: read.number("WS_MAX_CLIENTS", 1_000, 1, 1_000_000),
        ws_max_admins: read.number("WS_MAX_ADMINS", 100, 1, 10_000),
        default_locale: read.text("DEFAULT_LOCALE").unwrap_or_else(|| "en".into()),
        retention_days: read.number("RETENTION_DAYS", 0, 0, 36_500),
        rust_log: read.text("RUST_LOG").unwrap_or_else(|| "info".into()),
    };
    if !crate::i18n::is_known(&config.default_locale) {
        read.wrong("DEFAULT_LOCALE", "must be en or tr");
    }
    if place == Place::Lambda && config.websocket_endpoint.is_none() {
        read.wrong("WEBSOCKET_ENDPOINT", "must be set to the @connections address of the WebSocket API");
    }
    if read.mistakes.is_empty() { Ok(config) } else { Err(Mistakes(read.mistakes)) }
}

fn to_size(number: i64) -> usize {
    usize::try_from(number).unwrap_or_default()
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn is_bot_token(text: &str) -> bool {
    text.split_once(':').is_some_and(|(id, key)| {
        !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) && key.len() >= 8 && key.bytes().all(is_token_byte)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(place: Place, settings: &[(&str, &str)]) -> Result<Config, Mistakes> {
        Config::read(place, |name| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into()))
    }

    #[test]
    fn the_gateway_needs_no_setting_at_all() {
        let config = read(Place::Gateway, &[]).unwrap();

        assert_eq!(config.public_url, "http://127.0.0.1:8000");
        assert_eq!(config.database_url.reveal(), "sqlite://data/parley.db");
        assert!(config.telegram.is_none());
        assert!(config.allowed_origins.allow("http://127.0.0.1:8000"));
        assert!(config.allowed_origins.allow("http://localhost:8000"));
    }

    #[test]
    fn every_mistake_is_listed_at_once() {
        let mistakes = read(
            Place::Lambda,
            &[
                ("LISTEN_ADDR", "here"),
                ("TELEGRAM_BOT_TOKEN", "1:abcdefgh"),
                ("ADMIN_IP_WHITELIST", "10.0.0.0/33"),
                ("SESSION_BIND_IP", "perhaps"),
                ("MAX_MESSAGE_LEN", "0"),
                ("ALLOWED_ORIGINS", "example.com"),
                ("OTP_HASH_SALT", "short"),
                ("ORIGIN_SECRET", "short"),
                ("DEFAULT_LOCALE", "xx"),
            ],
        )
        .unwrap_err();

        for name in [
            "LISTEN_ADDR",
            "TELEGRAM_DEFAULT_CHAT_ID",
            "TELEGRAM_WEBHOOK_SECRET",
            "ADMIN_IP_WHITELIST",
            "SESSION_BIND_IP",
            "MAX_MESSAGE_LEN",
            "ALLOWED_ORIGINS",
            "OTP_HASH_SALT",
            "ORIGIN_SECRET",
            "DEFAULT_LOCALE",
            "DATABASE_URL",
            "WEBSOCKET_ENDPOINT",
        ] {
            assert!(mistakes.0.iter().any(|line| line.starts_with(name)), "{name} is missing in {mistakes}");
        }
    }

    #[test]
    fn the_example_names_every_variable_in_order_with_its_default() {
        let example = include_str!("../../../.env.example");
        let lines: Vec<(&str, &str)> = example.lines().filter_map(|line| line.split_once('=')).collect();
        let lines: Vec<_> = lines.into_iter().filter(|(name, _)| !name.starts_with('#')).collect();

        assert_eq!(lines.iter().map(|(name, _)| *name).collect::<Vec<_>>(), crate::config::VARIABLES);
        let (as_written, unset) = (read(Place::Gateway, &lines).unwrap(), read(Place::Gateway, &[]).unwrap());
        assert_eq!(format!("{as_written:?}"), format!("{unset:?}"));
    }

    #[test]
    fn nothing_is_read_that_is_not_named() {
        let asked = std::cell::RefCell::new(std::collections::BTreeSet::new());
        let config = Config::read(Place::Gateway, |name| {
            asked.borrow_mut().insert(name.to_owned());
            None
        });

        assert!(config.is_ok());
        assert_eq!(asked.into_inner(), crate::config::VARIABLES.iter().map(|name| (*name).to_owned()).collect());
    }

    #[test]
    fn secrets_do_not_show_in_the_debug_form() {
        let config = read(
            Place::Gateway,
            &[
                ("DATABASE_URL", "postgres://parley:hunter2@db/parley"),
                ("TELEGRAM_BOT_TOKEN", "1:hunter2hunter2"),
                ("TELEGRAM_DEFAULT_CHAT_ID", "-100"),
                ("TELEGRAM_WEBHOOK_SECRET", "hunter2"),
                ("OTP_HASH_SALT", "hunter2hunter2hunter2hunter2hunter2"),
                ("ORIGIN_SECRET", "hunter2hunter2hunter2"),
            ],
        )
        .unwrap();

        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
