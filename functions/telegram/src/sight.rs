//! Each update is handled once; what cannot be handled is kept aside.

use serde_json::Value;
use shared::store::Sight;
use shared::telegram::update::Update;
use shared::time::{DAY, HOUR};
use shared::{App, Error};

use crate::route;

/// Telegram repeats an update for a day; its id is remembered for two.
const UPDATE_TTL: i64 = 2 * DAY + HOUR;
/// So much of an update is kept aside.
const ASIDE_BYTES: usize = 64 * 1024;

/// Handles an update unless it has been handled; answers what Telegram is to do about it, the same each time.
///
/// It is marked afterwards: should we die between the two, Telegram's repetition is handled, and what was stored already is
/// recognised by its `client_id`.
pub async fn once(app: &App, body: &[u8], request_id: &str) -> Result<Option<Value>, Error> {
    let Some(update_id) = Update::id_of(body) else {
        tracing::warn!(request_id, bytes = body.len(), "an update without an id");
        return Ok(None);
    };
    if let Some(sight) = app.store.sight(update_id, app.now()).await? {
        return Ok(sight.answer.and_then(|answer| serde_json::from_str(&answer).ok()));
    }
    let (answer, is_handled) = handle(app, update_id, body, request_id).await?;
    let aside = (!is_handled).then(|| String::from_utf8_lossy(&body[..body.len().min(ASIDE_BYTES)]).into_owned());
    let sight = Sight { answer: answer.as_ref().map(Value::to_string), aside };
    let now = app.now();
    app.store.first_sight(update_id, &sight, now, now.plus(UPDATE_TTL)).await?;
    Ok(answer)
}

/// The answer, and whether the update could be handled. An error: the store is away.
async fn handle(app: &App, update_id: i64, body: &[u8], request_id: &str) -> Result<(Option<Value>, bool), Error> {
    let Some(update) = Update::read(body).filter(Update::is_understood) else {
        // Why would quote what somebody wrote.
        tracing::warn!(update_id, request_id, "update not understood; it is kept aside");
        return Ok((None, false));
    };
    match route::act(app, update).await {
        Ok(answer) => Ok((answer, true)),
        Err(error @ Error::Unavailable(_)) => Err(error),
        Err(error) => {
            error.log(request_id);
            tracing::error!(update_id, request_id, code = error.code(), "update not handled; it is kept aside");
            Ok((None, false))
        }
    }
}
