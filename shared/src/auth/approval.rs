//! Logging in without typing: the code's receivers approve the waiting browser.

use serde_json::json;

use super::code::{LoggedIn, forget_code, logged_in, new_session, session_name};
use super::{Actor, audit, check_address};
use crate::app::App;
use crate::error::Error;
use crate::http::Call;
use crate::id::Secret;
use crate::rate_limit::{self, Limit};
use crate::store::Redeemed;

/// Lets the browser in that holds the challenge. `false`: it asked too long ago, or is in already.
pub async fn approve(app: &App, challenge_hash: &str, by: &Actor) -> Result<bool, Error> {
    let approved = app.store.approve_code(challenge_hash, app.now()).await?;
    if approved {
        audit(app, by, "login_approved", None, json!({})).await?;
    }
    Ok(approved)
}

/// Takes the code's worth away, so that the browser that asked for it has to begin again.
pub async fn deny(app: &App, challenge_hash: &str, by: &Actor) -> Result<(), Error> {
    forget_code(app, challenge_hash.to_owned(), app.now()).await?;
    audit(app, by, "login_denied", None, json!({})).await
}

/// What the waiting browser asks again and again: `None` until somebody has approved, then its session, once. Denied,
/// expired and used challenges all give the same answer, `Unauthorized`.
pub async fn login_approved(app: &App, call: &Call, name: Option<&str>) -> Result<Option<LoggedIn>, Error> {
    check_address(app, &call.ip)?;
    let now = app.now();
    let name = session_name(app, name)?;
    rate_limit::take(&*app.store, &app.config, &Limit::Approval(&call.ip_key), now).await?;
    let challenge = Secret::presented(call.cookie("otp_challenge").unwrap_or_default());
    let token = Secret::random()?;
    let session = new_session(app, call, name, now);
    match app.store.redeem_approval(&challenge.hash(), &session, &token.hash()).await? {
        Redeemed::Session => {
            logged_in(app, call, &session, "approval").await?;
            Ok(Some(LoggedIn { token, session }))
        }
        Redeemed::Wrong => Ok(None),
        Redeemed::Refused => Err(Error::Unauthorized),
    }
}
