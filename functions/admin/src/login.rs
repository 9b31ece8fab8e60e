//! Coming and going: codes, sessions, tickets.

use lambda_http::http::header;
use lambda_http::{Body, Response};
use serde_json::{Value, json};
use shared::auth::{self, Admin, LoggedIn};
use shared::http::{Call, json, set};
use shared::{App, Error, desk, wire};

/// Seconds between two codes that one address may ask for, when the three of ten minutes are spread evenly.
const RETRY_AFTER_SECONDS: i64 = 30;

pub async fn request_otp(app: &App, call: &Call) -> Result<Response<Body>, Error> {
    let requested = auth::request_code(app, call).await?;
    let mut response = json(&json!({
        "sent": true,
        "channel": requested.channel,
        "approval": requested.channel == "telegram_private",
        "expires_in_seconds": requested.expires_in_seconds,
        "retry_after_seconds": RETRY_AFTER_SECONDS,
    }))?;
    set_challenge(app, &mut response, requested.challenge.reveal(), requested.expires_in_seconds);
    Ok(response)
}

pub async fn login(app: &App, call: &Call) -> Result<Response<Body>, Error> {
    let body = call.body(app)?;
    let code = wire::require(body.code, "code")?;
    let logged_in = auth::login(app, call, &code, body.name.as_deref()).await?;
    enter(app, &logged_in, json!({}))
}

/// Asked again and again by a browser whose login somebody may approve in Telegram.
pub async fn approval(app: &App, call: &Call) -> Result<Response<Body>, Error> {
    let name = call.body(app)?.name;
    match auth::login_approved(app, call, name.as_deref()).await? {
        Some(logged_in) => enter(app, &logged_in, json!({"approved": true})),
        None => json(&json!({"approved": false})),
    }
}

/// Hands the session over, and takes the challenge's cookie back.
fn enter(app: &App, logged_in: &LoggedIn, mut answer: Value) -> Result<Response<Body>, Error> {
    let LoggedIn { token, session } = logged_in;
    answer["token"] = token.reveal().into();
    answer["expires_at"] = json!(session.expires_at);
    answer["name"] = session.name.as_str().into();
    let mut response = json(&answer)?;
    set_challenge(app, &mut response, "", 0);
    Ok(response)
}

pub async fn logout(app: &App, admin: &Admin) -> Result<Response<Body>, Error> {
    auth::logout(app, admin).await?;
    json(&json!({"ok": true}))
}

pub async fn ws_ticket(app: &App, admin: &Admin) -> Result<Response<Body>, Error> {
    let (ticket, expires_at) = auth::ticket(app, admin).await?;
    json(&json!({"ticket": ticket.reveal(), "expires_at": expires_at}))
}

pub async fn session(app: &App, admin: &Admin) -> Result<Response<Body>, Error> {
    let (session, alert) = (&admin.session, desk::alert(app).await?);
    let telegram = app.telegram.is_some();
    json(&json!({"name": session.name, "expires_at": session.expires_at, "telegram": telegram, "alert": alert}))
}

/// The cookie that ties a code to the browser that asked for it.
fn set_challenge(app: &App, response: &mut Response<Body>, value: &str, max_age: i64) {
    let secure = if app.config.public_url.starts_with("https://") { "; Secure" } else { "" };
    let cookie =
        format!("otp_challenge={value}; Path=/api/admin; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}");
    set(response, header::SET_COOKIE, &cookie);
}
