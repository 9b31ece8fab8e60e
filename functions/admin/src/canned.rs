//! Saved replies.

use lambda_http::{Body, Response};
use serde_json::json;
use shared::auth::{self, Admin};
use shared::http::{Call, json};
use shared::{App, Error, canned, wire};

pub async fn all(app: &App) -> Result<Response<Body>, Error> {
    json(&json!({"items": canned::all(app).await?}))
}

pub async fn put(app: &App, call: &Call, admin: &Admin, name: &str) -> Result<Response<Body>, Error> {
    let content = wire::require(call.body(app)?.content, "content")?;
    let saved = canned::put(app, name, &content).await?;
    auth::audit(app, &admin.actor(), "canned", None, json!({"name": saved.name})).await?;
    json(&saved)
}

pub async fn remove(app: &App, admin: &Admin, name: &str) -> Result<Response<Body>, Error> {
    canned::remove(app, name).await?;
    auth::audit(app, &admin.actor(), "canned_removed", None, json!({"name": name})).await?;
    json(&json!({"ok": true}))
}
