//! Login codes: asking for one, entering it.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use super::{Actor, check_address, record, user_agent_hash};
use crate::app::App;
use crate::error::Error;
use crate::http::Call;
use crate::id::{self, Secret};
use crate::model::Session;
use crate::rate_limit::{self, Limit};
use crate::store::{LoginCode, Redeemed};
use crate::time::{HOUR, SECOND, Timestamp};
use crate::wire;

/// A code may be tried so often, right or wrong.
const MAX_TRIES: i64 = 5;

/// What asking for a code brought.
#[derive(Debug)]
pub struct Requested {
    /// What the asking browser keeps in its cookie; the code is worth nothing without it.
    pub challenge: Secret,
    /// Where the code went: `terminal`, `telegram` or `telegram_private`; from there it can also be approved.
    pub channel: &'static str,
    /// How long the code lives, in seconds.
    pub expires_in_seconds: i64,
}

/// What entering a code brought.
#[derive(Debug)]
pub struct LoggedIn {
    /// The session token, given once.
    pub token: Secret,
    /// The session.
    pub session: Session,
}

/// Makes a code, sends it to the operators and ties it to the asking browser.
///
/// The address list and the limits come first, so that nobody outside can keep admins out cheaply.
pub async fn request_code(app: &App, call: &Call) -> Result<Requested, Error> {
    check_address(app, &call.ip)?;
    let now = app.now();
    for limit in [Limit::Rest(&call.ip_key), Limit::RequestOtp(&call.ip_key), Limit::RequestOtpInAll] {
        rate_limit::take(&*app.store, &app.config, &limit, now).await?;
    }
    let challenge = Secret::random()?;
    let code = random_code()?;
    let ttl = app.config.admin_code_ttl_seconds;
    let row = LoginCode {
        challenge_hash: challenge.hash(),
        code_hash: code_hash(app, &challenge, &code)?,
        created_at: now,
        expires_at: now.plus(ttl * SECOND),
    };
    forget_code_before(app, call, now).await?;
    app.store.put_code(&row).await?;
    let channel = app.send_code(&code, &row.challenge_hash, &call.ip, call.user_agent().unwrap_or_default()).await?;
    record(app, None, &call.ip, "request_otp", None, json!({"channel": channel})).await?;
    Ok(Requested { challenge, channel, expires_in_seconds: ttl })
}

/// The code that the same browser asked for before is worth nothing once it asks for another.
async fn forget_code_before(app: &App, call: &Call, now: Timestamp) -> Result<(), Error> {
    let Some(challenge) = call.cookie("otp_challenge").filter(|value| !value.is_empty()) else { return Ok(()) };
    forget_code(app, Secret::presented(challenge).hash(), now).await
}

/// Takes a code's worth away.
pub(super) async fn forget_code(app: &App, challenge_hash: String, now: Timestamp) -> Result<(), Error> {
    let expired = LoginCode { challenge_hash, code_hash: String::new(), created_at: now, expires_at: now };
    Ok(app.store.put_code(&expired).await?)
}

/// Turns a right code into a session. Wrong, used, expired and foreign codes all give the same answer.
pub async fn login(app: &App, call: &Call, code: &str, name: Option<&str>) -> Result<LoggedIn, Error> {
    check_address(app, &call.ip)?;
    let now = app.now();
    let code = code.trim();
    if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::field("code", "must be 6 digits"));
    }
    let name = session_name(app, name)?;
    rate_limit::take(&*app.store, &app.config, &Limit::Rest(&call.ip_key), now).await?;
    let (by_address, in_all) = (Limit::Login(&call.ip_key), Limit::LoginInAll);
    rate_limit::take(&*app.store, &app.config, &by_address, now).await?;
    rate_limit::take(&*app.store, &app.config, &in_all, now).await?;

    let challenge = Secret::presented(call.cookie("otp_challenge").unwrap_or_default());
    let token = Secret::random()?;
    let session = new_session(app, call, name, now);
    let hash = code_hash(app, &challenge, code)?;
    match app.store.redeem_code(&challenge.hash(), &hash, MAX_TRIES, &session, &token.hash()).await? {
        Redeemed::Session => {
            rate_limit::give_back(&*app.store, &app.config, &by_address, now).await?;
            rate_limit::give_back(&*app.store, &app.config, &in_all, now).await?;
            logged_in(app, call, &session, "code").await?;
            Ok(LoggedIn { token, session })
        }
        Redeemed::Wrong | Redeemed::Refused => {
            record(app, None, &call.ip, "login_failed", None, json!({})).await?;
            announce_failures(app, now).await?;
            Err(Error::Unauthorized)
        }
    }
}

/// Tells the operators of every tenth wrong code.
async fn announce_failures(app: &App, now: Timestamp) -> Result<(), Error> {
    let silent = Limit::LoginUnannounced;
    let Err(Error::RateLimited { .. }) = rate_limit::take(&*app.store, &app.config, &silent, now).await else {
        return Ok(());
    };
    for _ in 0..rate_limit::UNANNOUNCED_FAILURES {
        rate_limit::give_back(&*app.store, &app.config, &silent, now).await?;
    }
    app.announce("telegram.login_failures", &[]).await;
    Ok(())
}

/// The name that a session shows, as its owner gives it.
pub(super) fn session_name(app: &App, name: Option<&str>) -> Result<String, Error> {
    let name = wire::display_name("name", name)?;
    Ok(name.unwrap_or_else(|| app.catalogue.text(None, "system.support", &[])))
}

/// Notes a login and tells the operators of it.
pub(super) async fn logged_in(app: &App, call: &Call, session: &Session, by: &str) -> Result<(), Error> {
    record(app, Some(&Actor::of_session(session, &call.ip)), &call.ip, "login", None, json!({"by": by})).await?;
    let browser = call.user_agent().unwrap_or_default();
    let values = [("name", session.name.as_str()), ("ip", &call.ip), ("browser", browser)];
    app.announce("telegram.login.announced", &values).await;
    Ok(())
}

pub(super) fn new_session(app: &App, call: &Call, name: String, now: Timestamp) -> Session {
    Session {
        session_id: id::sortable_id(),
        name,
        ip: call.ip.clone(),
        user_agent_hash: user_agent_hash(call.user_agent()),
        created_at: now,
        expires_at: now.plus(app.config.admin_session_ttl_hours * HOUR),
        last_used_at: now,
        rotated_at: now,
    }
}

/// Six digits, each code equally likely, from the operating system.
fn random_code() -> Result<String, Error> {
    const CODES: u32 = 1_000_000;
    const FAIR: u32 = u32::MAX - u32::MAX % CODES;
    loop {
        let number = getrandom::u32()?;
        if number < FAIR {
            return Ok(format!("{:06}", number % CODES));
        }
    }
}

/// HMAC-SHA256 with `OTP_HASH_SALT` over challenge and code.
///
/// Six digits can be searched, so a plain hash would give a reader of the database the code; the key is not in the
/// database. ASVS 6.5.2 asks for a slow password hash; a keyed one with five tries in five minutes is our deviation.
fn code_hash(app: &App, challenge: &Secret, code: &str) -> Result<String, Error> {
    let salt = app.config.otp_hash_salt.as_ref().ok_or_else(|| Error::internal("OTP_HASH_SALT is not set"))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(salt.reveal().as_bytes()).map_err(Error::internal)?;
    mac.update(challenge.reveal().as_bytes());
    mac.update(b":");
    mac.update(code.as_bytes());
    Ok(HEXLOWER.encode(&mac.finalize().into_bytes()))
}
