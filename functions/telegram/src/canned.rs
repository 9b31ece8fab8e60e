//! `/canned`: texts that the team sends again and again.

use serde_json::{Value, json};
use shared::auth::audit;
use shared::model::Via;
use shared::telegram::update::TelegramMessage;
use shared::{App, Error, canned, desk};

use crate::answer::say;
use crate::operators::{Operator, client_id, remember, told};

/// `/canned` lists them, `/canned name` sends one, `/canned name = text` saves one, `/canned name =` forgets it.
pub async fn command(
    app: &App,
    operator: &Operator,
    message: &TelegramMessage,
    rest: &str,
    conversation_id: Option<&str>,
) -> Result<Option<Value>, Error> {
    let text = match (rest.split_once('='), conversation_id) {
        _ if rest.is_empty() => list(app).await,
        (Some((name, text)), _) => save(app, operator, name.trim(), text.trim()).await,
        (None, Some(id)) => send(app, operator, message, rest, id).await,
        (None, None) => Ok(app.catalogue.text(None, "telegram.answer.needs_conversation", &[("command", "/canned")])),
    };
    match text {
        Ok(text) => Ok(Some(say(message, &text))),
        Err(Error::InvalidMessage(_)) => Ok(Some(say(message, &told(app, "telegram.answer.canned_name")))),
        Err(error) => Err(error),
    }
}

async fn list(app: &App) -> Result<String, Error> {
    let all = canned::all(app).await?;
    let mut lines =
        vec![told(app, if all.is_empty() { "telegram.answer.canned_none" } else { "telegram.answer.canned_list" })];
    lines.extend(all.iter().map(|one| format!("{} – {}", one.name, one.content.replace('\n', " "))));
    Ok(lines.join("\n"))
}

async fn save(app: &App, operator: &Operator, name: &str, text: &str) -> Result<String, Error> {
    let by = &operator.actor;
    if text.is_empty() {
        canned::remove(app, name).await?;
        audit(app, by, "canned_removed", None, json!({"name": name})).await?;
        return Ok(app.catalogue.text(None, "telegram.answer.canned_removed", &[("name", name)]));
    }
    let saved = canned::put(app, name, text).await?;
    audit(app, by, "canned", None, json!({"name": saved.name})).await?;
    Ok(app.catalogue.text(None, "telegram.answer.canned_saved", &[("name", &saved.name)]))
}

/// What the visitor got is shown in the answer: an operator's own messages are not mirrored.
async fn send(
    app: &App,
    operator: &Operator,
    message: &TelegramMessage,
    name: &str,
    id: &str,
) -> Result<String, Error> {
    let Some(text) = canned::get(app, name).await? else {
        return Ok(app.catalogue.text(None, "telegram.answer.canned_unknown", &[("name", name)]));
    };
    let sent = desk::send(app, &operator.actor, Via::Telegram, id, text, Some(&client_id(message))).await?;
    remember(app, message, id, sent.message.seq).await?;
    Ok(app.catalogue.text(None, "telegram.answer.canned_sent", &[("text", &sent.message.content)]))
}
