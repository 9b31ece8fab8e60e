//! How far a conversation is mirrored, as the panel shows it.

use super::chat::{PAUSE, chat_id, pause_of};
use crate::app::App;
use crate::error::Error;
use crate::store::TelegramMirror;
use crate::time::Timestamp;
use crate::wire::{MirrorFailure, TelegramStatus};

/// The status of a conversation.
pub async fn status(app: &App, conversation_id: &str) -> Result<TelegramStatus, Error> {
    let now = app.now();
    let conversation = app.store.conversation(conversation_id, now).await?.ok_or(Error::ConversationNotFound)?;
    let in_telegram = conversation.visitor_chat_id.is_some();
    let Some(chat_id) = chat_id(app).await? else {
        return Ok(TelegramStatus { in_telegram, ..TelegramStatus::default() });
    };
    let mirror = app.store.mirror(conversation_id).await?.unwrap_or_default();
    let all = app.store.leased_until(PAUSE, now).await?;
    let chat = app.store.leased_until(&pause_of(chat_id), now).await?;
    Ok(of(&mirror, all.max(chat), in_telegram))
}

/// What a mirror says.
pub fn of(mirror: &TelegramMirror, paused_until: Option<Timestamp>, in_telegram: bool) -> TelegramStatus {
    let failures = mirror.failures.iter().map(|(seq, reason)| MirrorFailure { seq: *seq, reason: reason.clone() });
    TelegramStatus { enabled: true, sent_seq: mirror.sent_seq, failures: failures.collect(), paused_until, in_telegram }
}
