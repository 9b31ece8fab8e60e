//! Buttons under what the mirror posts. Only members of the operators' chat may press them.

use serde_json::Value;
use shared::error::chain;
use shared::model::Status;
use shared::telegram::chat::{Gate, Urgency};
use shared::telegram::update::CallbackQuery;
use shared::time::MINUTE;
use shared::{App, Error, chat, desk};

use crate::answer::pressed as answer;
use crate::operators::{Operator, told};
use crate::route::is_operators;

/// Somebody who is a member is taken for one so long, since each press would ask Telegram.
const MEMBER: i64 = 10 * MINUTE;
/// A second press of *Ban* within this means it.
const SURE: i64 = MINUTE;

/// Handles a press; the answer ends the button's spinner in any case.
pub async fn pressed(app: &App, query: &CallbackQuery) -> Result<Value, Error> {
    let say = |key: &str| Ok(answer(query, &told(app, key), false));
    let (Some(message), Some((act, id))) =
        (&query.message, query.data.as_deref().and_then(|data| data.split_once(':')))
    else {
        return say("telegram.press.unknown");
    };
    if !is_operators(app, message.chat.id).await? {
        return say("telegram.press.stranger");
    }
    match is_member(app, message.chat.id, query.from.id).await? {
        Some(true) => {}
        Some(false) => return say("telegram.press.stranger"),
        None => return say("telegram.press.unsure"),
    }
    let operator = Operator::named(app, query.from.id, &query.from.name());
    match carry_out(app, &operator, query, act, id).await {
        Ok(answer) => Ok(answer),
        Err(Error::ConversationNotFound) => say("telegram.press.gone"),
        Err(error) => Err(error),
    }
}

async fn carry_out(app: &App, operator: &Operator, query: &CallbackQuery, act: &str, id: &str) -> Result<Value, Error> {
    let by = &operator.actor;
    let say = |key: &str, values: &[(&str, &str)]| Ok(answer(query, &app.catalogue.text(None, key, values), false));
    match act {
        "claim" => {
            let item = desk::claim(app, by, id).await?;
            match item.claimed_by {
                Some(name) if name != by.name => say("telegram.press.claimed_by", &[("name", &name)]),
                _ => say("telegram.press.claimed", &[]),
            }
        }
        "close" | "reopen" => {
            let (status, key) = match act {
                "close" => (Status::Closed, "telegram.press.closed"),
                _ => (Status::Open, "telegram.press.reopened"),
            };
            if chat::item(app, id).await?.status != status {
                match status {
                    Status::Closed => desk::close(app, by, id).await?,
                    Status::Open => desk::reopen(app, by, id).await?,
                };
            }
            say(key, &[])
        }
        "ban" => ban(app, operator, query, id).await,
        _ => say("telegram.press.unknown", &[]),
    }
}

/// Asks once more: only one method fits into an answer, so that a second press of the same button is what confirms.
async fn ban(app: &App, operator: &Operator, query: &CallbackQuery, id: &str) -> Result<Value, Error> {
    let item = chat::item(app, id).await?;
    let name = [("name", item.visitor_name.as_str())];
    let (lease, now) = (format!("ban?:{}:{id}", operator.key), app.now());
    // The press that asked holds it: its own repetition asks again.
    if app.store.lease(&lease, &query.id, now, now.plus(SURE)).await? {
        return Ok(answer(query, &app.catalogue.text(None, "telegram.press.ban_sure", &name), true));
    }
    desk::ban(app, &operator.actor, id).await?;
    Ok(answer(query, &app.catalogue.text(None, "telegram.press.banned", &name), false))
}

/// Whether somebody is a member of the operators' chat; `None`: Telegram does not say.
async fn is_member(app: &App, chat_id: i64, user_id: i64) -> Result<Option<bool>, Error> {
    let Some(telegram) = &app.telegram else { return Ok(Some(false)) };
    let (lease, now) = (format!("member:{user_id}"), app.now());
    if app.store.leased_until(&lease, now).await?.is_some() {
        return Ok(Some(true));
    }
    let asked = async {
        let call = telegram.get_chat_member(chat_id, user_id);
        Gate::open(app, telegram).await?.ask(chat_id, Urgency::Free, call).await
    };
    let member = match asked.await {
        Ok(member) => member.is_there(),
        Err(error) => {
            tracing::warn!(cause = %chain(&error), "member not looked up");
            return Ok(None);
        }
    };
    if member {
        app.store.lease(&lease, &lease, now, now.plus(MEMBER)).await?;
    }
    Ok(Some(member))
}
