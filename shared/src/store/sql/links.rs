//! What ties Telegram's ids to ours.

use async_trait::async_trait;
use sqlx::any::AnyRow;

use super::rows::{number, string};
use super::{SqlStore, text};
use crate::store::{StoreResult, TelegramLink, TelegramLinks};
use crate::time::Timestamp;

const LINK: &str = "insert into telegram_link (chat_id, message_id, conversation_id, seq)
    select $1, $2, c.conversation_id, $4 from conversation c where c.conversation_id = $3
    on conflict (chat_id, message_id) do nothing";
const LINKED: &str = "select * from telegram_link where chat_id = $1 and message_id = $2";
pub(super) const LINKS_OF: &str = "select * from telegram_link where conversation_id = $1 and chat_id = $2
    order by message_id desc limit $3";
const FIRST_SIGHT: &str = "insert into telegram_update (update_id, expires_at) values ($1, $3)
    on conflict (update_id) do update set expires_at = $3 where telegram_update.expires_at <= $2
    returning update_id";
const SEEN: &str = "select update_id from telegram_update where update_id = $1 and expires_at > $2";

fn link(row: &AnyRow) -> sqlx::Result<TelegramLink> {
    Ok(TelegramLink {
        chat_id: number(row, "chat_id")?,
        message_id: number(row, "message_id")?,
        conversation_id: string(row, "conversation_id")?,
        seq: number(row, "seq")?,
    })
}

#[async_trait]
impl TelegramLinks for SqlStore {
    async fn link(&self, link: &TelegramLink) -> StoreResult<()> {
        self.write(&link.conversation_id, link.clone(), |link, tx| {
            let query = sqlx::query(LINK)
                .bind(link.chat_id)
                .bind(link.message_id)
                .bind(text(&link.conversation_id))
                .bind(link.seq);
            Box::pin(async move { query.execute(tx).await.map(|_| ()) })
        })
        .await
    }

    async fn linked(&self, chat_id: i64, message_id: i64) -> StoreResult<Option<TelegramLink>> {
        let query = sqlx::query(LINKED).bind(chat_id).bind(message_id);
        let row = query.fetch_optional(&self.readers).await?;
        Ok(row.as_ref().map(link).transpose()?)
    }

    async fn links_of(&self, conversation_id: &str, chat_id: i64, limit: i64) -> StoreResult<Vec<TelegramLink>> {
        let query = sqlx::query(LINKS_OF).bind(text(conversation_id)).bind(chat_id).bind(limit.max(0));
        let rows = query.fetch_all(&self.readers).await?;
        Ok(rows.iter().map(link).collect::<sqlx::Result<_>>()?)
    }

    async fn first_sight(&self, update_id: i64, now: Timestamp, expires_at: Timestamp) -> StoreResult<bool> {
        let args = (update_id, now.0, expires_at.0);
        self.write("telegram_update", args, |(update_id, now, expires_at), tx| {
            let query = sqlx::query(FIRST_SIGHT).bind(update_id).bind(now).bind(expires_at);
            Box::pin(async move { query.fetch_optional(tx).await.map(|row| row.is_some()) })
        })
        .await
    }

    async fn seen(&self, update_id: i64, now: Timestamp) -> StoreResult<bool> {
        let query = sqlx::query(SEEN).bind(update_id).bind(now.0);
        Ok(query.fetch_optional(&self.readers).await?.is_some())
    }
}
