//! Attachments apart from their bytes, and settings.

use async_trait::async_trait;

use super::db::{Result, Row, query};
use super::rows::{from_json, json, maybe_string, number, string};
use super::{SqlStore, optional, text};
use crate::model::Attachment;
use crate::store::{Attachments, Settings, StoreResult};

const PUT: &str = "insert into attachment (conversation_id, id, source, name, mime, size, state)
    select c.conversation_id, $2, $3, $4, $5, $6, $7 from conversation c where c.conversation_id = $1
    on conflict (conversation_id, id) do update set source = $3, name = $4, mime = $5, size = $6, state = $7
    returning id";
const ONE: &str = "select * from attachment where conversation_id = $1 and id = $2";
const SETTING: &str = "select value from setting where name = $1";
const SET: &str = "insert into setting (name, value) values ($1, $2) on conflict (name) do update set value = $2";
const UNSET: &str = "delete from setting where name = $1";
/// No comparison and no order: PostgreSQL's are those of a language.
const SETTINGS: &str = "select name, value from setting where substr(name, 1, length($1)) = $1";

fn attachment(row: &Row) -> Result<Attachment> {
    Ok(Attachment {
        conversation_id: string(row, "conversation_id")?,
        id: string(row, "id")?,
        source: maybe_string(row, "source")?,
        name: string(row, "name")?,
        mime: string(row, "mime")?,
        size: number(row, "size")?,
        state: from_json(&string(row, "state")?)?,
    })
}

#[async_trait]
impl Attachments for SqlStore {
    async fn put_attachment(&self, attachment: &Attachment) -> StoreResult<bool> {
        self.write(&attachment.conversation_id, attachment.clone(), |one, tx| {
            Box::pin(async move {
                let query = query(PUT)
                    .bind(text(&one.conversation_id))
                    .bind(text(&one.id))
                    .bind(optional(one.source.as_deref()))
                    .bind(text(&one.name))
                    .bind(text(&one.mime))
                    .bind(one.size)
                    .bind(text(&json(&one.state)?));
                query.fetch_optional(tx).await.map(|row| row.is_some())
            })
        })
        .await
    }

    async fn attachment(&self, conversation_id: &str, id: &str) -> StoreResult<Option<Attachment>> {
        let query = query(ONE).bind(text(conversation_id)).bind(text(id));
        let row = query.fetch_optional(&self.readers).await?;
        Ok(row.as_ref().map(attachment).transpose()?)
    }
}

#[async_trait]
impl Settings for SqlStore {
    async fn setting(&self, name: &str) -> StoreResult<Option<String>> {
        let row = query(SETTING).bind(text(name)).fetch_optional(&self.readers).await?;
        Ok(row.as_ref().map(|row| string(row, "value")).transpose()?)
    }

    async fn set_setting(&self, name: &str, value: Option<&str>) -> StoreResult<()> {
        self.write_once("setting", (text(name), optional(value)), |(name, value), tx| {
            let query = match value {
                Some(value) => query(SET).bind(name).bind(value),
                None => query(UNSET).bind(name),
            };
            Box::pin(async move { query.execute(tx).await.map(|_| ()) })
        })
        .await
    }

    async fn settings(&self, prefix: &str) -> StoreResult<Vec<(String, String)>> {
        let rows = query(SETTINGS).bind(text(prefix)).fetch_all(&self.readers).await?;
        let pair = |row: &Row| Ok((string(row, "name")?, string(row, "value")?));
        let mut pairs = rows.iter().map(pair).collect::<Result<Vec<_>>>()?;
        pairs.sort_unstable();
        Ok(pairs)
    }
}
