//! Private chats in which visitors go on, and the links that lead there.
//!
//! A chat's item and the head of its conversation name each other. They change together, so that neither ever names one that
//! names another.

use serde::{Deserialize, Serialize};

use super::DynamoStore;
use super::failure::CHANGE;
use super::item::{Key, conversation, millis, read, s, short, text, ttl};
use super::table::Terms;
use crate::store::StoreResult;
use crate::time::Timestamp;

/// What the places of start links in the partition of their conversation begin with.
const STARTS: &str = "START#";

/// The item of a chat.
#[derive(Serialize, Deserialize)]
struct ChatItem {
    conversation_id: String,
}

#[derive(Serialize, Deserialize)]
struct StartItem {
    conversation_id: String,
    #[serde(with = "millis")]
    expires_at: Timestamp,
    ttl: i64,
}

/// The key of a chat's item.
pub(super) fn chat_key(chat_id: i64) -> Key {
    Key::alone("CHAT", &chat_id.to_string())
}

fn start_key(token_hash: &str) -> Key {
    Key::alone("START", token_hash)
}

/// The key of a start link that its conversation's item at this place tells of.
pub(super) fn start_key_at(place: &str) -> Option<Key> {
    place.strip_prefix(STARTS).map(start_key)
}

/// On condition that a chat is still that of a conversation.
pub(super) fn while_bound_to(conversation_id: &str) -> Terms {
    Terms::when("conversation_id = :conversation").value(":conversation", s(text(conversation_id)))
}

impl DynamoStore {
    async fn chat(&self, chat_id: i64) -> StoreResult<Option<ChatItem>> {
        self.get(&chat_key(chat_id), true).await?.map(read).transpose()
    }

    /// [`crate::store::TelegramLinks::bind_chat`].
    pub(super) async fn bind_to_chat(&self, chat_id: i64, conversation_id: &str) -> StoreResult<bool> {
        let mut patience = self.patience(CHANGE);
        loop {
            let before = self.chat(chat_id).await?.map(|chat| chat.conversation_id);
            if let Some(before) = before.filter(|before| *before != text(conversation_id)) {
                self.forget_chat(&before, chat_id).await?;
            }
            if let Some(bound) = self.take_chat(chat_id, conversation_id).await? {
                return Ok(bound);
            }
            patience.again().await?;
        }
    }

    /// Binds a chat that is free; `None` when it is not, or somebody was faster.
    async fn take_chat(&self, chat_id: i64, conversation_id: &str) -> StoreResult<Option<bool>> {
        let mut turn = self.turn(conversation_id).await?;
        let Some(mut next) = turn.next(self).await? else { return Ok(Some(false)) };
        if next.visitor_chat == Some(chat_id) && !turn.is_fresh() {
            turn.refresh(self).await?;
            let Some(newest) = turn.next(self).await? else { return Ok(Some(false)) };
            next = newest;
        }
        if next.visitor_chat == Some(chat_id) {
            return Ok(Some(true));
        }
        let bound = ChatItem { conversation_id: text(conversation_id) };
        let mut parts = vec![self.to_put(chat_key(chat_id).item(&bound)?, Terms::absent())?];
        if let Some(other) = next.visitor_chat.replace(chat_id) {
            parts.push(self.to_remove(&chat_key(other), while_bound_to(conversation_id))?);
        }
        Ok(turn.commit_with(self, &next, parts).await?.then_some(true))
    }

    /// Frees a chat from its conversation.
    async fn forget_chat(&self, conversation_id: &str, chat_id: i64) -> StoreResult<()> {
        let mut turn = self.turn(conversation_id).await?;
        loop {
            let Some(mut next) = turn.next(self).await? else {
                let key = chat_key(chat_id);
                return self.remove(&key, while_bound_to(conversation_id)).await.map(|_| ());
            };
            if next.visitor_chat != Some(chat_id) {
                if turn.is_fresh() {
                    return Ok(());
                }
                turn.refresh(self).await?;
                continue;
            }
            next.visitor_chat = None;
            let part = self.to_remove(&chat_key(chat_id), while_bound_to(conversation_id))?;
            if turn.commit_with(self, &next, vec![part]).await? {
                return Ok(());
            }
        }
    }

    /// [`crate::store::TelegramLinks::unbind_chat`].
    pub(super) async fn unbind_from_chat(&self, chat_id: i64) -> StoreResult<()> {
        match self.chat(chat_id).await? {
            Some(chat) => self.forget_chat(&chat.conversation_id, chat_id).await,
            None => Ok(()),
        }
    }

    /// [`crate::store::TelegramLinks::chat_conversation`].
    pub(super) async fn conversation_of_chat(&self, chat_id: i64) -> StoreResult<Option<String>> {
        let Some(chat) = self.chat(chat_id).await? else { return Ok(None) };
        let head = self.head(&chat.conversation_id).await?;
        let named = head.is_some_and(|head| head.visitor_chat == Some(chat_id));
        Ok(named.then_some(chat.conversation_id))
    }

    /// [`crate::store::TelegramLinks::put_start`].
    pub(super) async fn store_start(
        &self,
        token_hash: &str,
        conversation_id: &str,
        expires_at: Timestamp,
    ) -> StoreResult<()> {
        let start = StartItem { conversation_id: text(conversation_id), expires_at, ttl: ttl(expires_at) };
        let by_conversation = Key::new(conversation(conversation_id), format!("{STARTS}{}", short(token_hash)));
        // This one first: what the deletion of the conversation does not find would outlive it.
        self.put(by_conversation.item(&start)?, Terms::default()).await?;
        self.put(start_key(token_hash).item(&start)?, Terms::default()).await?;
        self.stays(conversation_id, &[start_key(token_hash), by_conversation]).await.map(|_| ())
    }

    /// [`crate::store::TelegramLinks::take_start`].
    pub(super) async fn take_start_once(&self, token_hash: &str, now: Timestamp) -> StoreResult<Option<String>> {
        let taken = self.take_once::<StartItem>(&start_key(token_hash), now).await?;
        let Some(StartItem { conversation_id: id, .. }) = taken else { return Ok(None) };
        Ok(self.head(&id).await?.map(|_| id))
    }

    /// Whether a conversation is there for what was just written of it; takes it away again otherwise.
    pub(super) async fn stays(&self, conversation_id: &str, keys: &[Key]) -> StoreResult<bool> {
        let stays = self.head(conversation_id).await?.is_some();
        if !stays {
            self.remove_all(keys).await?;
        }
        Ok(stays)
    }
}
