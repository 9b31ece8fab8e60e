//! Conversations and their messages.

use lambda_http::{Body, Response};
use serde_json::json;
use shared::auth::Admin;
use shared::http::{Call, json};
use shared::model::{Status, Via};
use shared::store::{ConversationFilter, PageRequest};
use shared::wire::Outgoing;
use shared::{App, Error, chat, desk, search, telegram, wire};

/// The `limit` and `cursor` of a request.
pub fn page(call: &Call) -> Result<PageRequest, Error> {
    Ok(PageRequest { limit: call.number("limit", 1..=100)?.unwrap_or(50), cursor: call.query("cursor") })
}

pub async fn list(app: &App, call: &Call) -> Result<Response<Body>, Error> {
    let status = match call.query("status").as_deref() {
        None | Some("all") => None,
        Some("open") => Some(Status::Open),
        Some("closed") => Some(Status::Closed),
        Some(_) => return Err(Error::field("status", "must be open, closed or all")),
    };
    let tag = call.query("tag").map(|tag| wire::tag(&tag)).transpose()?;
    let site = call.query("site").map(|site| wire::site(Some(&site))).transpose()?;
    let terms = search::terms(&call.query("q").unwrap_or_default());
    let filter = ConversationFilter { status, tag, site, terms };
    let (items, next_cursor) = chat::list(app, &filter, page(call)?).await?;
    json(&json!({"items": items, "next_cursor": next_cursor}))
}

pub async fn one(app: &App, id: &str) -> Result<Response<Body>, Error> {
    json(&chat::item(app, id).await?)
}

pub async fn delete(app: &App, admin: &Admin, id: &str) -> Result<Response<Body>, Error> {
    desk::delete(app, &admin.actor(), id).await?;
    json(&json!({"ok": true}))
}

pub async fn read(app: &App, call: &Call, admin: &Admin, id: &str) -> Result<Response<Body>, Error> {
    let seq = wire::require(call.body(app)?.seq, "seq")?;
    desk::read(app, &admin.actor(), id, seq).await?;
    json(&json!({"ok": true}))
}

pub async fn close(app: &App, admin: &Admin, id: &str) -> Result<Response<Body>, Error> {
    json(&desk::close(app, &admin.actor(), id).await?)
}

pub async fn reopen(app: &App, admin: &Admin, id: &str) -> Result<Response<Body>, Error> {
    json(&desk::reopen(app, &admin.actor(), id).await?)
}

pub async fn add_tag(app: &App, admin: &Admin, id: &str, tag: &str) -> Result<Response<Body>, Error> {
    json(&json!({"tags": desk::add_tag(app, &admin.actor(), id, tag).await?}))
}

pub async fn remove_tag(app: &App, admin: &Admin, id: &str, tag: &str) -> Result<Response<Body>, Error> {
    json(&json!({"tags": desk::remove_tag(app, &admin.actor(), id, tag).await?}))
}

/// Newest page first, each page oldest first; the cursor is the `seq` that the next page ends before.
pub async fn messages(app: &App, call: &Call, id: &str) -> Result<Response<Body>, Error> {
    let page = page(call)?;
    let before = page.cursor.as_deref().map(str::parse::<i64>).transpose();
    let before = before.map_err(|_| Error::field("cursor", "is not one of ours"))?.unwrap_or(i64::MAX);
    chat::item(app, id).await?;
    let found = app.store.messages(id, 0, before, true, page.limit).await?;
    let items = wire::fit(found, true);
    let next_cursor = items.first().filter(|first| first.seq > 1).map(|first| first.seq.to_string());
    let items: Vec<_> = items.iter().map(Outgoing::Message).collect();
    json(&json!({"items": items, "next_cursor": next_cursor}))
}

pub async fn read_message(app: &App, admin: &Admin, id: &str) -> Result<Response<Body>, Error> {
    let message = app.store.message(id).await?.ok_or(Error::NotFound)?;
    desk::read(app, &admin.actor(), &message.conversation_id, message.seq).await?;
    json(&json!({"ok": true}))
}

pub async fn send(app: &App, call: &Call, admin: &Admin) -> Result<Response<Body>, Error> {
    let body = call.body(app)?;
    let conversation_id = wire::require(body.conversation_id, "conversation_id")?;
    let content = wire::require(body.content, "content")?;
    let sent = desk::send(app, &admin.actor(), Via::Api, &conversation_id, content, body.client_id.as_deref()).await?;
    json(&json!({"ok": true, "message": Outgoing::Message(&sent.message)}))
}

pub async fn claim(app: &App, admin: &Admin, id: &str) -> Result<Response<Body>, Error> {
    json(&desk::claim(app, &admin.actor(), id).await?)
}

pub async fn release(app: &App, admin: &Admin, id: &str) -> Result<Response<Body>, Error> {
    json(&desk::release(app, &admin.actor(), id).await?)
}

pub async fn ban(app: &App, admin: &Admin, id: &str) -> Result<Response<Body>, Error> {
    json(&desk::ban(app, &admin.actor(), id).await?)
}

pub async fn unban(app: &App, admin: &Admin, id: &str) -> Result<Response<Body>, Error> {
    json(&desk::unban(app, &admin.actor(), id).await?)
}

pub async fn notes(app: &App, id: &str) -> Result<Response<Body>, Error> {
    chat::item(app, id).await?;
    json(&json!({"items": app.store.notes(id).await?}))
}

pub async fn add_note(app: &App, call: &Call, admin: &Admin, id: &str) -> Result<Response<Body>, Error> {
    let body = call.body(app)?;
    let content = wire::require(body.content, "content")?;
    let note = desk::add_note(app, &admin.actor(), Via::Web, id, &content, body.client_id.as_deref()).await?;
    json(&json!({"note": note}))
}

/// How far the conversation is mirrored in Telegram.
pub async fn telegram(app: &App, id: &str) -> Result<Response<Body>, Error> {
    json(&telegram::status::status(app, id).await?)
}
