//! Who may act as an admin: codes, sessions, tickets. (Protocol sections 3, 4 and 6.)

mod approval;
mod code;

pub use approval::{approve, deny, login_approved};
pub use code::{LoggedIn, Requested, login, request_code};

use serde_json::{Value, json};

use crate::app::App;
use crate::chat;
use crate::config;
use crate::error::Error;
use crate::http::Call;
use crate::id::{self, Secret};
use crate::model::{Activity, Session};
use crate::rate_limit::{self, Limit};
use crate::time::{HOUR, MINUTE, SECOND, Timestamp};

/// A token that was replaced works for so long, so that parallel requests of one panel do not log it out.
const ROTATION_GRACE: i64 = 60 * SECOND;
/// A socket ticket is worth something for so long.
const TICKET_TTL: i64 = 30 * SECOND;
/// `last_used_at` is written at most this often.
const TOUCH_EVERY: i64 = 30 * SECOND;

/// An admin who is logged in and acting.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The session.
    pub session: Session,
    /// The address that acts now.
    pub ip: String,
    /// The token that replaces the presented one, when it is time.
    pub new_token: Option<Secret>,
}

/// Somebody of the team who does something, in the panel or in Telegram.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The name shown as `author`.
    pub name: String,
    /// The session; absent for operators in Telegram.
    pub session_id: Option<String>,
    /// The address; `telegram` for operators there.
    pub ip: String,
}

impl Actor {
    /// An operator who acts in Telegram.
    pub fn in_telegram(name: impl Into<String>) -> Self {
        Self { name: name.into(), session_id: None, ip: "telegram".into() }
    }

    fn of_session(session: &Session, ip: &str) -> Self {
        Self { name: session.name.clone(), session_id: Some(session.session_id.clone()), ip: ip.to_owned() }
    }
}

impl Admin {
    /// Who acts.
    pub fn actor(&self) -> Actor {
        Actor::of_session(&self.session, &self.ip)
    }
}

/// Refuses addresses that are not on `ADMIN_IP_WHITELIST`, before anything else is done for them.
pub fn check_address(app: &App, ip: &str) -> Result<(), Error> {
    if config::admits(&app.config.admin_ip_whitelist, ip) { Ok(()) } else { Err(Error::Forbidden) }
}

/// The admin behind a request's session token; counts the request, notes the use, rotates the token when it is time.
pub async fn authenticate(app: &App, call: &Call) -> Result<Admin, Error> {
    check_address(app, &call.ip)?;
    let now = app.now();
    let Some((found, token_hash)) = presented_session(app, call, now).await? else {
        rate_limit::take(&*app.store, &app.config, &Limit::Rest(&call.ip_key), now).await?;
        return Err(Error::Unauthorized);
    };
    let session = found.session;
    rate_limit::take(&*app.store, &app.config, &Limit::RestOfSession(&session.session_id), now).await?;
    touch(app, &session, now).await?;
    let due = now.since(session.rotated_at) >= app.config.session_rotate_seconds * SECOND;
    let new_token = if found.current && due { rotate(app, &session, &token_hash, now).await? } else { None };
    Ok(Admin { session, ip: call.ip.clone(), new_token })
}

async fn presented_session(
    app: &App,
    call: &Call,
    now: Timestamp,
) -> Result<Option<(crate::store::SessionToken, String)>, Error> {
    let Some(token) = call.bearer() else { return Ok(None) };
    let token_hash = token.hash();
    let Some(found) = app.store.session_by_token(&token_hash, now).await? else { return Ok(None) };
    let session = &found.session;
    if is_idle(app, session, now) || session.user_agent_hash != user_agent_hash(call.user_agent()) {
        return Ok(None);
    }
    if session.ip != call.ip {
        tracing::warn!(session_id = session.session_id, ip = call.ip, "session used from another address");
        if app.config.session_bind_ip {
            return Ok(None);
        }
    }
    Ok(Some((found, token_hash)))
}

/// A live session by id, for frames of a socket: refused at once when it has ended. `used` notes a person's act.
pub async fn session_of_socket(app: &App, session_id: &str, used: bool) -> Result<Session, Error> {
    let now = app.now();
    let session = app.store.session(session_id, now).await?.filter(|session| !is_idle(app, session, now));
    let session = session.ok_or(Error::Unauthorized)?;
    if used {
        touch(app, &session, now).await?;
    }
    Ok(session)
}

/// The idle limit's edge: a session last used before it has ended.
pub fn idle_since(app: &App, now: Timestamp) -> Timestamp {
    now.plus(-app.config.session_idle_timeout_minutes * MINUTE)
}

fn is_idle(app: &App, session: &Session, now: Timestamp) -> bool {
    session.last_used_at < idle_since(app, now)
}

async fn touch(app: &App, session: &Session, now: Timestamp) -> Result<(), Error> {
    if now.since(session.last_used_at) < TOUCH_EVERY {
        return Ok(());
    }
    let expires_at = now.plus(app.config.admin_session_ttl_hours * HOUR);
    Ok(app.store.touch_session(&session.session_id, now, expires_at).await?)
}

async fn rotate(app: &App, session: &Session, old_hash: &str, now: Timestamp) -> Result<Option<Secret>, Error> {
    let token = Secret::random()?;
    let grace = now.plus(ROTATION_GRACE);
    let won = app.store.rotate_session(&session.session_id, old_hash, &token.hash(), now, grace).await?;
    Ok(won.then_some(token))
}

/// Ends a session and closes its sockets.
pub async fn logout(app: &App, admin: &Admin) -> Result<(), Error> {
    let session_id = &admin.session.session_id;
    let sockets = app.store.session_connections(session_id, app.now()).await?;
    app.store.end_session(session_id).await?;
    audit(app, &admin.actor(), "logout", None, json!({})).await?;
    close_sockets(app, &sockets).await
}

/// Closes admin sockets whose session has ended, expired or idled out; answers how many.
pub async fn close_ended(app: &App) -> Result<usize, Error> {
    let now = app.now();
    let orphans = app.store.orphaned_admin_connections(idle_since(app, now), now).await?;
    close_sockets(app, &orphans).await?;
    Ok(orphans.len())
}

async fn close_sockets(app: &App, connection_ids: &[String]) -> Result<(), Error> {
    for connection_id in connection_ids {
        app.connections.close(connection_id).await;
        chat::left(app, connection_id).await?;
    }
    Ok(())
}

/// A new single-use ticket for the admin socket, and its end.
pub async fn ticket(app: &App, admin: &Admin) -> Result<(Secret, Timestamp), Error> {
    let ticket = Secret::random()?;
    let expires_at = app.now().plus(TICKET_TTL);
    app.store.put_ticket(&ticket.hash(), &admin.session.session_id, expires_at).await?;
    Ok((ticket, expires_at))
}

/// The session behind a ticket, which is used up by asking.
pub async fn redeem_ticket(app: &App, ticket: &str, ip: &str) -> Result<Session, Error> {
    check_address(app, ip)?;
    let hash = Secret::presented(ticket).hash();
    let session_id = app.store.take_ticket(&hash, app.now()).await?.ok_or(Error::Unauthorized)?;
    session_of_socket(app, &session_id, true).await
}

/// What a session remembers of the browser that logged in.
pub fn user_agent_hash(user_agent: Option<&str>) -> String {
    Secret::presented(user_agent.unwrap_or_default()).hash()
}

/// Adds what somebody of the team did to the audit trail.
pub async fn audit(
    app: &App,
    by: &Actor,
    action: &str,
    conversation_id: Option<&str>,
    details: Value,
) -> Result<(), Error> {
    record(app, Some(by), &by.ip, action, conversation_id, details).await
}

/// Adds a line to the audit trail.
async fn record(
    app: &App,
    by: Option<&Actor>,
    ip: &str,
    action: &str,
    conversation_id: Option<&str>,
    details: Value,
) -> Result<(), Error> {
    Ok(app.store.record(&line(app, by, ip, action, conversation_id, details)).await?)
}

/// A line of the audit trail that is yet to be stored; without an actor when nobody is logged in yet.
pub fn line(
    app: &App,
    by: Option<&Actor>,
    ip: &str,
    action: &str,
    conversation_id: Option<&str>,
    details: Value,
) -> Activity {
    Activity {
        id: id::sortable_id(),
        created_at: app.now(),
        session_id: by.and_then(|by| by.session_id.clone()),
        name: by.map(|by| by.name.clone()),
        ip: ip.to_owned(),
        action: action.into(),
        conversation_id: conversation_id.map(Into::into),
        details,
    }
}
