//! Telegram's webhook: operators act in their chat, visitors go on in private ones.
//!
//! Telegram sends one chat's updates strictly one at a time and repeats one that we refuse for up to a day, so whatever is
//! not ours to handle is answered 200 as well. Never 410: after a day of it Telegram closes the webhook.

mod answer;
mod buttons;
mod canned;
mod commands;
mod login;
mod media;
mod operators;
mod private;
mod reactions;
mod reports;
mod route;
mod sight;

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use serde_json::json;
use shared::config::{TelegramConfig, admits};
use shared::http::{Call, json, respond};
use shared::id::Secret;
use shared::{App, Error};

/// Answers a request.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(app, request);
    respond(webhook(app, &call).await, &call.request_id)
}

async fn webhook(app: &App, call: &Call) -> Result<Response<Body>, Error> {
    call.check_front(app)?;
    let segments = call.segments();
    match (call.method(), segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice()) {
        (&Method::POST, ["telegram", "webhook"]) => {}
        (_, ["telegram", "webhook"]) => return Err(Error::MethodNotAllowed),
        _ => return Err(Error::NotFound),
    }
    let config = app.config.telegram.as_ref().ok_or(Error::NotFound)?;
    check_sender(app, call, config)?;
    // Whatever its size: a refusal would come again for a day.
    match Box::pin(sight::once(app, call.request.body(), &call.request_id)).await {
        Ok(None) => json(&json!({"ok": true})),
        Ok(Some(mut answer)) => {
            answer["ok"] = true.into();
            json(&answer)
        }
        // The store is away: Telegram comes again.
        Err(error @ Error::Unavailable(_)) => Err(error),
        // No repetition would mend it, and it would hold up the whole group.
        Err(error) => {
            error.log(&call.request_id);
            json(&json!({"ok": true}))
        }
    }
}

/// The secret is compared in constant time before anything is parsed; the address list is a second fence.
fn check_sender(app: &App, call: &Call, config: &TelegramConfig) -> Result<(), Error> {
    use subtle::ConstantTimeEq;
    if !admits(&app.config.telegram_webhook_ip_whitelist, &call.ip) {
        return Err(Error::Forbidden);
    }
    // Hashes have one length, so that the comparison tells nothing of the secret's.
    let presented = Secret::presented(call.header("x-telegram-bot-api-secret-token").unwrap_or_default()).hash();
    let expected = config.webhook_secret.hash();
    if bool::from(presented.as_bytes().ct_eq(expected.as_bytes())) { Ok(()) } else { Err(Error::Unauthorized) }
}
