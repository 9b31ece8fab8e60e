//! Limits: what may be done how often, by whom. One page of policy; the buckets are kept in the store.

use crate::config::Config;
use crate::error::Error;
use crate::store::{Buckets, Taken};
use crate::time::{DAY, HOUR, MINUTE, SECOND, Timestamp};

/// Between two announced wrong codes there are so many that are not: each tenth is told.
pub const UNANNOUNCED_FAILURES: i64 = 9;

/// A token bucket's shape: `burst` tokens when full, one more every `interval_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Tokens in a full bucket, at least 1.
    pub burst: i64,
    /// Milliseconds for one token, at least 1.
    pub interval_ms: i64,
}

impl Rate {
    /// `count` in each `period_ms`, all of which may come at once.
    pub const fn per(count: i64, period_ms: i64) -> Self {
        let interval_ms = if count > 0 { period_ms / count } else { period_ms };
        Self { burst: count, interval_ms: if interval_ms > 0 { interval_ms } else { 1 } }
    }

    /// As long as a bucket is full again by then, it has a token at `now`.
    pub fn last_grant(self, now: Timestamp) -> Timestamp {
        now.plus(self.interval().saturating_mul(self.burst.max(1) - 1))
    }

    /// When a bucket that is empty at `now` is full again. A moment further away was left by a clock that stepped back since.
    pub fn empty(self, now: Timestamp) -> Timestamp {
        now.plus(self.interval().saturating_mul(self.burst.max(1)))
    }

    /// Milliseconds for one token, at least 1.
    pub fn interval(self) -> i64 {
        self.interval_ms.max(1)
    }

    /// Takes one token from a bucket that is full again at `full_at`, and tells when it is full again from then on: without a
    /// token as before, but for a bucket that a clock filled which has stepped back since. That one is empty from now on.
    pub fn take(self, full_at: Timestamp, now: Timestamp) -> (Taken, Timestamp) {
        let (full_at, last_grant) = (full_at.min(self.empty(now)), self.last_grant(now));
        if full_at > last_grant {
            return (Taken::Denied { retry_after_ms: full_at.since(last_grant) }, full_at);
        }
        (Taken::Granted, full_at.max(now).plus(self.interval()))
    }
}

/// A limit of protocol section 6, with the key that it counts by.
#[derive(Clone, Debug)]
pub enum Limit<'a> {
    /// Joins from an address.
    Join(&'a str),
    /// REST requests from an address.
    Rest(&'a str),
    /// REST requests of a session.
    RestOfSession(&'a str),
    /// Login codes asked for from an address.
    RequestOtp(&'a str),
    /// Login codes asked for in all.
    RequestOtpInAll,
    /// Wrong codes from an address.
    Login(&'a str),
    /// Wrong codes in all.
    LoginInAll,
    /// Wrong codes that nobody is told of; the next one is announced.
    LoginUnannounced,
    /// `typing` that is passed on, by conversation and side.
    Typing(&'a str, &'static str),
    /// Files of a conversation's visitor.
    Files(&'a str),
    /// Asking whether a login has been approved, from an address.
    Approval(&'a str),
    /// Wrong resume tokens from an address.
    Resume(&'a str),
}

impl Limit<'_> {
    fn key(&self) -> String {
        match self {
            Self::Join(ip) => format!("join:{ip}"),
            Self::Rest(ip) => format!("rest:{ip}"),
            Self::RestOfSession(session) => format!("session:{session}"),
            Self::RequestOtp(ip) => format!("otp:{ip}"),
            Self::RequestOtpInAll => "otp".into(),
            Self::Login(ip) => format!("login:{ip}"),
            Self::LoginInAll => "login".into(),
            Self::LoginUnannounced => "login:unannounced".into(),
            Self::Typing(conversation, side) => format!("typing:{side}:{conversation}"),
            Self::Files(conversation) => format!("files:{conversation}"),
            Self::Approval(ip) => format!("approval:{ip}"),
            Self::Resume(ip) => format!("resume:{ip}"),
        }
    }

    fn rate(&self, config: &Config) -> Rate {
        match self {
            Self::Join(_) => Rate { burst: 3, interval_ms: MINUTE / 12 },
            Self::Rest(_) => Rate::per(config.api_req_per_5min, 5 * MINUTE),
            Self::RestOfSession(_) => Rate::per(config.api_admin_req_per_5min, 5 * MINUTE),
            Self::RequestOtp(_) => Rate::per(3, 10 * MINUTE),
            Self::RequestOtpInAll => Rate::per(30, HOUR),
            Self::Login(_) => Rate::per(5, 15 * MINUTE),
            Self::LoginInAll => Rate::per(100, DAY),
            Self::LoginUnannounced => Rate { burst: UNANNOUNCED_FAILURES, interval_ms: DAY },
            Self::Typing(..) => Rate { burst: 1, interval_ms: 3 * SECOND },
            Self::Files(_) => Rate { burst: 10, interval_ms: MINUTE },
            // A browser that waits asks every other second.
            Self::Approval(_) => Rate::per(300, 5 * MINUTE),
            Self::Resume(_) => Rate::per(30, 5 * MINUTE),
        }
    }
}

/// How often one conversation's visitor may write.
pub fn visitor_messages(config: &Config) -> Rate {
    Rate { burst: config.ws_user_burst, interval_ms: (1_000 / config.ws_user_msgs_per_sec).max(1) }
}

/// Takes one token, or answers `rate_limited`.
pub async fn take(buckets: &dyn Buckets, config: &Config, limit: &Limit<'_>, now: Timestamp) -> Result<(), Error> {
    match buckets.take(&limit.key(), limit.rate(config), now).await? {
        Taken::Granted => Ok(()),
        Taken::Denied { retry_after_ms } => Err(Error::RateLimited { retry_after_ms }),
    }
}

/// Puts a token back that turned out not to be due.
pub async fn give_back(buckets: &dyn Buckets, config: &Config, limit: &Limit<'_>, now: Timestamp) -> Result<(), Error> {
    Ok(buckets.give_back(&limit.key(), limit.rate(config), now).await?)
}
