//! Attachments apart from their bytes, and settings that are made while Parley runs.

use async_trait::async_trait;

use super::StoreResult;
use crate::model::Attachment;

/// Files of conversations; their bytes are in the attachment store.
#[async_trait]
pub trait Attachments: Send + Sync {
    /// Stores an attachment, in place of the one with its id. `false`: its conversation is gone, and nothing was stored.
    async fn put_attachment(&self, attachment: &Attachment) -> StoreResult<bool>;
    /// One attachment of a conversation.
    async fn attachment(&self, conversation_id: &str, id: &str) -> StoreResult<Option<Attachment>>;
}

/// Few small values by name (1–100 of `[A-Za-z0-9_:-]`, 8 KiB each).
#[async_trait]
pub trait Settings: Send + Sync {
    /// A value.
    async fn setting(&self, name: &str) -> StoreResult<Option<String>>;
    /// Sets a value, or takes it away.
    async fn set_setting(&self, name: &str, value: Option<&str>) -> StoreResult<()>;
    /// Names and values whose name begins so, by name.
    async fn settings(&self, prefix: &str) -> StoreResult<Vec<(String, String)>>;
}
