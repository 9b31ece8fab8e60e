//! *Approve* and *Deny* under a login code.

use serde_json::Value;
use shared::auth::{self, Actor};
use shared::error::chain;
use shared::telegram::chat::{Gate, Urgency};
use shared::telegram::login::Decision;
use shared::telegram::text::Text;
use shared::telegram::update::CallbackQuery;
use shared::time::SECOND;
use shared::{App, Error};

use crate::answer::pressed;
use crate::operators::{Operator, told};

/// Carries a decision out. Only those may decide whom codes go to, and the first of them does.
pub async fn decide(app: &App, query: &CallbackQuery, decision: &Decision) -> Result<Value, Error> {
    let may = app.config.telegram.as_ref().is_some_and(|telegram| telegram.admin_ids.contains(&query.from.id));
    if !may {
        return Ok(pressed(query, &told(app, "telegram.login.not_yours"), true));
    }
    let by = Operator::named(app, query.from.id, &query.from.name()).actor;
    let key = outcome(app, query, decision, &by).await?;
    let values = [("name", by.name.as_str()), ("time", &app.now().minute_of_day())];
    let text = app.catalogue.text(None, key, &values);
    show(app, query, &text).await;
    Ok(pressed(query, &text, false))
}

async fn outcome(app: &App, query: &CallbackQuery, decision: &Decision, by: &Actor) -> Result<&'static str, Error> {
    let (hash, now) = (decision.challenge_hash.as_str(), app.now());
    let until = now.plus(app.config.admin_code_ttl_seconds * SECOND);
    // The press that decides holds it: what another one says afterwards would not be true.
    if !app.store.lease(&format!("login:{hash}"), &query.id, now, until).await? {
        return Ok("telegram.login.over");
    }
    if !decision.approved {
        auth::deny(app, hash, by).await?;
        return Ok("telegram.login.denied");
    }
    let approved = auth::approve(app, hash, by).await?;
    Ok(if approved { "telegram.login.approved" } else { "telegram.login.over" })
}

/// Says in place of the code, which is worth nothing any more, what has become of it; where from stays. If Telegram does not
/// take it, so be it: the press is answered.
async fn show(app: &App, query: &CallbackQuery, text: &str) {
    let (Some(message), Some(telegram)) = (&query.message, &app.telegram) else { return };
    let particulars = message.text.as_deref().and_then(|text| text.split_once('\n')).map_or("", |(_, rest)| rest);
    let text = Text::plain(format!("{text}\n{particulars}").trim());
    let (chat_id, message_id) = (message.chat.id, message.message_id);
    let shown = async {
        let edit = telegram.edit_message_text(chat_id, message_id, &text, None);
        Gate::open(app, telegram).await?.ask(chat_id, Urgency::Now, edit).await
    };
    if let Err(error) = shown.await {
        tracing::warn!(cause = %chain(&error), "login message not changed");
    }
}
