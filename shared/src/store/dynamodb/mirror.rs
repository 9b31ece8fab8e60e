//! How far a conversation is mirrored in Telegram: one item with it.

use super::DynamoStore;
use super::item::{Item, Key, conversation, n, read, text};
use super::table::Terms;
use crate::store::{StoreResult, TelegramMirror};

/// The key of a conversation's mirror.
pub(super) fn mirror_key(conversation_id: &str) -> Key {
    Key::new(conversation(conversation_id), "MIRROR")
}

/// On condition that a mirror has this topic, or that there is neither.
pub(super) fn while_topic_is(thread_id: Option<i64>) -> Terms {
    match thread_id {
        Some(thread_id) => Terms::when("thread_id = :thread").value(":thread", n(thread_id)),
        None => Terms::when("attribute_not_exists(thread_id)"),
    }
}

fn item(mirror: &TelegramMirror) -> StoreResult<Item> {
    let mirror = TelegramMirror {
        conversation_id: text(&mirror.conversation_id),
        title: text(&mirror.title),
        icon: text(&mirror.icon),
        failures: mirror.failures.iter().map(|(seq, reason)| (*seq, text(reason))).collect(),
        ..mirror.clone()
    };
    let mut item = mirror_key(&mirror.conversation_id).item(&mirror)?;
    item.retain(|_, value| !value.is_null());
    Ok(item)
}

impl DynamoStore {
    /// [`crate::store::TelegramLinks::mirror`].
    pub(super) async fn read_mirror(&self, conversation_id: &str) -> StoreResult<Option<TelegramMirror>> {
        self.get(&mirror_key(conversation_id), true).await?.map(read).transpose()
    }

    /// [`crate::store::TelegramLinks::save_mirror`].
    pub(super) async fn store_mirror(&self, mirror: &TelegramMirror) -> StoreResult<bool> {
        self.put(item(mirror)?, Terms::default()).await?;
        self.stays(&mirror.conversation_id, &[mirror_key(&mirror.conversation_id)]).await
    }
}
