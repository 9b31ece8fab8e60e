//! What ties Telegram's ids to ours.

use async_trait::async_trait;

use super::db::{Error, Result, Row, query};
use super::rows::{from_json, json, maybe_string, number, string};
use super::{SqlStore, optional, text};
use crate::store::{Sight, StoreResult, TelegramLink, TelegramLinks, TelegramMirror};
use crate::time::Timestamp;

const LINK: &str = "insert into telegram_link (chat_id, message_id, conversation_id, seq)
    select $1, $2, c.conversation_id, $4 from conversation c where c.conversation_id = $3
    on conflict (chat_id, message_id) do nothing";
const LINKED: &str = "select * from telegram_link where chat_id = $1 and message_id = $2";
pub(super) const LINKS_OF: &str = "select * from telegram_link where conversation_id = $1 and chat_id = $2
    order by message_id desc limit $3";
const MIRROR: &str = "select mirror from telegram_mirror where conversation_id = $1";
const SAVE_MIRROR: &str = "insert into telegram_mirror (conversation_id, mirror)
    select c.conversation_id, $2 from conversation c where c.conversation_id = $1
    on conflict (conversation_id) do update set mirror = $2 returning conversation_id";
const UNBIND_CHAT: &str = "update conversation set visitor_chat_id = null where visitor_chat_id = $1";
const BIND_CHAT: &str = "update conversation set visitor_chat_id = $1 where conversation_id = $2";
const CHAT: &str = "select conversation_id from conversation where visitor_chat_id = $1";
const PUT_START: &str = "insert into telegram_start (token_hash, conversation_id, expires_at)
    select $1, c.conversation_id, $3 from conversation c where c.conversation_id = $2
    on conflict (token_hash) do update set expires_at = $3";
const TAKE_START: &str = "delete from telegram_start where token_hash = $1 returning conversation_id, expires_at";
const FIRST_SIGHT: &str = "insert into telegram_update (update_id, expires_at, answer, aside) values ($1, $3, $4, $5)
    on conflict (update_id) do update set expires_at = $3, answer = $4, aside = $5
    where telegram_update.expires_at <= $2
    returning update_id";
const SIGHT: &str = "select answer, aside from telegram_update where update_id = $1 and expires_at > $2";

fn link(row: &Row) -> Result<TelegramLink> {
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
        self.write_once(&link.conversation_id, link.clone(), |link, tx| {
            let query =
                query(LINK).bind(link.chat_id).bind(link.message_id).bind(text(&link.conversation_id)).bind(link.seq);
            Box::pin(async move { query.execute(tx).await.map(|_| ()) })
        })
        .await
    }

    async fn linked(&self, chat_id: i64, message_id: i64) -> StoreResult<Option<TelegramLink>> {
        let query = query(LINKED).bind(chat_id).bind(message_id);
        let row = query.fetch_optional(&self.readers).await?;
        Ok(row.as_ref().map(link).transpose()?)
    }

    async fn links_of(&self, conversation_id: &str, chat_id: i64, limit: i64) -> StoreResult<Vec<TelegramLink>> {
        let query = query(LINKS_OF).bind(text(conversation_id)).bind(chat_id).bind(limit.max(0));
        let rows = query.fetch_all(&self.readers).await?;
        Ok(rows.iter().map(link).collect::<Result<_>>()?)
    }

    async fn mirror(&self, conversation_id: &str) -> StoreResult<Option<TelegramMirror>> {
        let row = query(MIRROR).bind(text(conversation_id)).fetch_optional(&self.readers).await?;
        Ok(row.map(|row| from_json(&string(&row, "mirror")?)).transpose()?)
    }

    async fn save_mirror(&self, mirror: &TelegramMirror) -> StoreResult<bool> {
        self.write_once(&mirror.conversation_id, mirror.clone(), |mirror, tx| {
            Box::pin(async move {
                let query = query(SAVE_MIRROR).bind(text(&mirror.conversation_id)).bind(text(&json(mirror)?));
                query.fetch_optional(tx).await.map(|row| row.is_some())
            })
        })
        .await
    }

    async fn bind_chat(&self, chat_id: i64, conversation_id: &str) -> StoreResult<bool> {
        self.write(conversation_id, (chat_id, text(conversation_id)), |(chat_id, conversation_id), tx| {
            Box::pin(async move {
                query(UNBIND_CHAT).bind(chat_id).execute(&mut *tx).await?;
                let bound = query(BIND_CHAT).bind(chat_id).bind(conversation_id).execute(tx).await?;
                Ok(bound > 0)
            })
        })
        .await
    }

    async fn unbind_chat(&self, chat_id: i64) -> StoreResult<()> {
        self.write_once("telegram_chat", chat_id, |chat_id, tx| {
            let query = query(UNBIND_CHAT).bind(chat_id);
            Box::pin(async move { query.execute(tx).await.map(|_| ()) })
        })
        .await
    }

    async fn chat_conversation(&self, chat_id: i64) -> StoreResult<Option<String>> {
        let row = query(CHAT).bind(chat_id).fetch_optional(&self.readers).await?;
        Ok(row.as_ref().map(|row| string(row, "conversation_id")).transpose()?)
    }

    async fn put_start(&self, token_hash: &str, conversation_id: &str, expires_at: Timestamp) -> StoreResult<()> {
        let args = (text(token_hash), text(conversation_id), expires_at.0);
        self.write_once(conversation_id, args, |(hash, conversation_id, expires_at), tx| {
            let query = query(PUT_START).bind(hash).bind(conversation_id).bind(expires_at);
            Box::pin(async move { query.execute(tx).await.map(|_| ()) })
        })
        .await
    }

    async fn take_start(&self, token_hash: &str, now: Timestamp) -> StoreResult<Option<String>> {
        self.take_once(TAKE_START, token_hash, "conversation_id", now).await
    }

    async fn first_sight(
        &self,
        update_id: i64,
        sight: &Sight,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> StoreResult<bool> {
        let args = (update_id, sight.clone(), now.0, expires_at.0);
        self.write_once("telegram_update", args, |(update_id, sight, now, expires_at), tx| {
            let query = query(FIRST_SIGHT)
                .bind(update_id)
                .bind(now)
                .bind(expires_at)
                .bind(optional(sight.answer.as_deref()))
                .bind(optional(sight.aside.as_deref()));
            Box::pin(async move { query.fetch_optional(tx).await.map(|row| row.is_some()) })
        })
        .await
    }

    async fn sight(&self, update_id: i64, now: Timestamp) -> StoreResult<Option<Sight>> {
        let row = query(SIGHT).bind(update_id).bind(now.0).fetch_optional(&self.readers).await?;
        let sight = |row: &Row| Ok(Sight { answer: maybe_string(row, "answer")?, aside: maybe_string(row, "aside")? });
        Ok(row.as_ref().map(sight).transpose().map_err(|error: Error| error)?)
    }
}
