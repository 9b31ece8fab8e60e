//! What a person has to know of Telegram, and mostly to mend: shown to admins, logged, gone with the next success.

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::chat;
use crate::connections::Frame;
use crate::store::{StoreError, StoreResult};
use crate::time::Timestamp;
use crate::wire::{Alert, Outgoing};

/// The setting that remembers it.
pub(super) const NAME: &str = "telegram:alert";
/// One lost answer is no news.
const TRIES_BEFORE_DOWN: u32 = 3;

/// A trouble in a row of calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    code: String,
    detail: String,
    since: Timestamp,
    /// How often it was met in a row.
    pub tries: u32,
    /// The chat that it is about; absent for all of Telegram.
    pub chat_id: Option<i64>,
}

impl Trouble {
    /// What admins see of it, if anything yet.
    pub fn alert(&self) -> Option<Alert> {
        let shown = self.code != "telegram_down" || self.tries >= TRIES_BEFORE_DOWN;
        shown.then(|| Alert { code: self.code.clone(), detail: self.detail.clone(), since: self.since })
    }
}

pub(super) fn parse(json: &str) -> Option<Trouble> {
    serde_json::from_str(json).ok()
}

/// The trouble there is.
pub(super) async fn trouble(app: &App) -> StoreResult<Option<Trouble>> {
    Ok(app.store.setting(NAME).await?.as_deref().and_then(parse))
}

/// What admins have to know now.
pub async fn current(app: &App) -> StoreResult<Option<Alert>> {
    Ok(trouble(app).await?.and_then(|trouble| trouble.alert()))
}

/// Notes a trouble, and tells everybody when it is news.
pub(super) async fn raise(
    app: &App,
    before: Option<Trouble>,
    code: &str,
    detail: &str,
    chat_id: Option<i64>,
) -> StoreResult<Trouble> {
    let known = before.as_ref().and_then(Trouble::alert);
    let same = before.filter(|before| before.code == code && before.chat_id == chat_id);
    let trouble = match same {
        Some(before) => Trouble { tries: before.tries.saturating_add(1), ..before },
        None => Trouble { code: code.into(), detail: detail.into(), since: app.now(), tries: 1, chat_id },
    };
    let json = serde_json::to_string(&trouble).map_err(|error| StoreError::Broken(error.into()))?;
    app.store.set_setting(NAME, Some(&json)).await?;
    if let Some(alert) = trouble.alert().filter(|alert| known.as_ref() != Some(alert)) {
        tracing::error!(code, detail, "Telegram needs somebody's attention");
        show(app, Some(&alert)).await;
    }
    Ok(trouble)
}

/// The trouble is over.
pub(super) async fn clear(app: &App, trouble: &Trouble) -> StoreResult<()> {
    app.store.set_setting(NAME, None).await?;
    if trouble.alert().is_some() {
        tracing::info!(code = trouble.code, "Telegram is well again");
        show(app, None).await;
    }
    Ok(())
}

/// Shows every admin what is wrong now. Who cannot be told sees it with the next look at the list.
async fn show(app: &App, alert: Option<&Alert>) {
    let shown = async {
        let frame = Frame::new(&Outgoing::Alert { alert })?;
        chat::push(app, &app.store.admin_connections(app.now()).await?, &frame).await
    };
    if let Err(error) = shown.await {
        tracing::warn!(cause = %error.cause(), "admins not told of Telegram's state");
    }
}
