//! What ties Telegram's ids to ours.
//!
//! A link is two items: `T#` leads to the conversation, `L#` stands with the conversation, so that its deletion finds both.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::DynamoStore;
use super::batch::Range;
use super::item::{Item, Key, conversation, millis, nonce, read, s, t, text, ttl};
use super::table::{Terms, Written};
use crate::store::{Sight, StoreResult, TelegramLink, TelegramLinks, TelegramMirror};
use crate::time::Timestamp;

#[derive(PartialEq, Serialize, Deserialize)]
struct LinkItem {
    chat_id: i64,
    message_id: i64,
    conversation_id: String,
    seq: i64,
}

#[derive(Serialize, Deserialize)]
struct UpdateItem {
    #[serde(with = "millis")]
    expires_at: Timestamp,
    /// The attempt that saw it first.
    by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aside: Option<String>,
    ttl: i64,
}

/// A number as a text that sorts like it.
fn sortable(number: i64) -> String {
    format!("{:020}", number.cast_unsigned() ^ (1 << 63))
}

fn telegram_key(chat_id: i64, message_id: i64) -> Key {
    Key::new(format!("T#{chat_id}#{message_id}"), "LINK")
}

fn chat(chat_id: i64) -> String {
    format!("L#{chat_id}#")
}

fn conversation_key(link: &LinkItem) -> Key {
    let sk = chat(link.chat_id) + &sortable(link.message_id);
    Key::new(conversation(&link.conversation_id), sk)
}

fn update_key(update_id: i64) -> Key {
    Key::alone("UPDATE", &update_id.to_string())
}

impl LinkItem {
    fn link(self) -> TelegramLink {
        let Self { chat_id, message_id, conversation_id, seq } = self;
        TelegramLink { chat_id, message_id, conversation_id, seq }
    }
}

/// The key of the other item of a link, for the deletion that has found its `L#` item.
pub(super) fn telegram_key_of(item: Item) -> StoreResult<Key> {
    let link: LinkItem = read(item)?;
    Ok(telegram_key(link.chat_id, link.message_id))
}

#[async_trait]
impl TelegramLinks for DynamoStore {
    async fn link(&self, link: &TelegramLink) -> StoreResult<()> {
        let link = LinkItem {
            chat_id: link.chat_id,
            message_id: link.message_id,
            conversation_id: text(&link.conversation_id),
            seq: link.seq,
        };
        let (by_message, by_conversation) = (telegram_key(link.chat_id, link.message_id), conversation_key(&link));
        // This one first: what the deletion of the conversation does not find would stay for ever.
        self.put(by_conversation.item(&link)?, Terms::default()).await?;
        if let Written::Refused(first) = self.put(by_message.item(&link)?, Terms::absent()).await? {
            match first.map(read::<LinkItem>).transpose()? {
                Some(first) if first == link => {}
                Some(first) if first.conversation_id == link.conversation_id => {
                    return self.put(by_conversation.item(&first)?, Terms::default()).await.map(|_| ());
                }
                _ => return self.remove_all(&[by_conversation]).await,
            }
        }
        if self.head(&link.conversation_id).await?.is_none() {
            return self.remove_all(&[by_message, by_conversation]).await;
        }
        Ok(())
    }

    async fn linked(&self, chat_id: i64, message_id: i64) -> StoreResult<Option<TelegramLink>> {
        let item = self.get(&telegram_key(chat_id, message_id), true).await?;
        Ok(item.map(read).transpose()?.map(LinkItem::link))
    }

    async fn links_of(&self, conversation_id: &str, chat_id: i64, limit: i64) -> StoreResult<Vec<TelegramLink>> {
        let Some(limit) = usize::try_from(limit).ok().filter(|limit| *limit > 0) else { return Ok(Vec::new()) };
        let mut next = Some(Range::of(conversation(conversation_id)).beginning(chat(chat_id)).backwards().consistent());
        let mut links = Vec::new();
        while let Some(range) = next.filter(|_| links.len() < limit) {
            let (items, rest) = self.page(range.limit(limit - links.len())).await?;
            for item in items {
                links.push(read::<LinkItem>(item)?.link());
            }
            next = rest;
        }
        Ok(links)
    }

    async fn mirror(&self, conversation_id: &str) -> StoreResult<Option<TelegramMirror>> {
        self.read_mirror(conversation_id).await
    }

    async fn save_mirror(&self, mirror: &TelegramMirror) -> StoreResult<bool> {
        self.store_mirror(mirror).await
    }

    async fn bind_chat(&self, chat_id: i64, conversation_id: &str) -> StoreResult<bool> {
        self.bind_to_chat(chat_id, conversation_id).await
    }

    async fn unbind_chat(&self, chat_id: i64) -> StoreResult<()> {
        self.unbind_from_chat(chat_id).await
    }

    async fn chat_conversation(&self, chat_id: i64) -> StoreResult<Option<String>> {
        self.conversation_of_chat(chat_id).await
    }

    async fn put_start(&self, token_hash: &str, conversation_id: &str, expires_at: Timestamp) -> StoreResult<()> {
        self.store_start(token_hash, conversation_id, expires_at).await
    }

    async fn take_start(&self, token_hash: &str, now: Timestamp) -> StoreResult<Option<String>> {
        self.take_start_once(token_hash, now).await
    }

    async fn first_sight(
        &self,
        update_id: i64,
        sight: &Sight,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> StoreResult<bool> {
        let by = nonce()?;
        let terms = Terms::when("attribute_not_exists(pk) OR expires_at <= :now OR #by = :by")
            .name("#by", "by")
            .value(":by", s(&by))
            .value(":now", t(now));
        let (answer, aside) = (sight.answer.as_deref().map(text), sight.aside.as_deref().map(text));
        let item = UpdateItem { expires_at, by, answer, aside, ttl: ttl(expires_at) };
        Ok(self.put(update_key(update_id).item(&item)?, terms).await?.stands())
    }

    async fn sight(&self, update_id: i64, now: Timestamp) -> StoreResult<Option<Sight>> {
        let item = self.get(&update_key(update_id), true).await?.map(read::<UpdateItem>).transpose()?;
        let item = item.filter(|item| item.expires_at > now);
        Ok(item.map(|item| Sight { answer: item.answer, aside: item.aside }))
    }
}
