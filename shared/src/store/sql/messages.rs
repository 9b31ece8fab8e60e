//! Messages: reading by place, editing; storing is in [`super::append`].

use std::sync::Arc;

use async_trait::async_trait;

use super::append::Order;
use super::db::{Client, Result, query};
use super::{Database, SqlStore, index, optional, outbox, rows, text};
use crate::event::{EventKind, Lane};
use crate::model::{Activity, Message};
use crate::rate_limit::Rate;
use crate::store::{Appended, Messages, StoreResult};
use crate::time::Timestamp;
use crate::wire::preview;

const EDIT: &str =
    "update message set content = $3, edited_at = $4 where conversation_id = $1 and seq = $2 returning *";
const EDITED: &str = "update conversation set
        event_seq = event_seq + 1,
        event_at = case when event_at > $2 then event_at else $2 end,
        last_preview = case when head_seq = $3 then $4 else last_preview end
    where conversation_id = $1 returning *";
const REACT: &str = "update message set reaction = $3 where conversation_id = $1 and seq = $2
    and coalesce(reaction, '') <> coalesce($3, '') returning *";
pub(super) const ONE: &str = "select * from message where conversation_id = $1 and seq = $2";
pub(super) const BY_CLIENT_ID: &str = "select * from message where conversation_id = $1 and client_id = $2";
pub(super) const OLDEST: &str = "select * from message where conversation_id = $1 and seq > $2 and seq < $3
    order by seq limit $4";
pub(super) const NEWEST: &str = "select * from message where conversation_id = $1 and seq > $2 and seq < $3
    order by seq desc limit $4";

struct Edit {
    conversation_id: String,
    seq: i64,
    content: String,
    now: Timestamp,
    database: Database,
    lanes: Arc<[Lane]>,
}

/// The conversation is moved first, so that it is locked before its message: the order in which `append` takes them.
async fn edit(connection: &mut Client, edit: &Edit) -> Result<Option<Message>> {
    index::lock(connection).await?;
    let head = query(EDITED)
        .bind(&edit.conversation_id)
        .bind(edit.now.0)
        .bind(edit.seq)
        .bind(preview(&edit.content))
        .fetch_optional(&mut *connection)
        .await?;
    let before = query(ONE).bind(&edit.conversation_id).bind(edit.seq).fetch_optional(&mut *connection).await?;
    let row = query(EDIT)
        .bind(&edit.conversation_id)
        .bind(edit.seq)
        .bind(&edit.content)
        .bind(edit.now.0)
        .fetch_optional(&mut *connection)
        .await?;
    let (Some(head), Some(before), Some(row)) = (head, before, row) else { return Ok(None) };
    let (number, before) = (rows::number(&row, "number")?, rows::string(&before, "content")?);
    index::change(connection, edit.database, number, &before, &edit.content).await?;
    let (event, position) = outbox::of_row(&head, EventKind::MessageEdited, edit.seq)?;
    outbox::put(connection, &edit.lanes, &event, position).await?;
    rows::message(&row).map(Some)
}

impl SqlStore {
    async fn put(&self, order: Order) -> StoreResult<Appended> {
        Ok(match self.writers.append(order).await? {
            Appended::Stored { message, .. } => {
                let audience = self.live.audience(&message.conversation_id, message.created_at);
                Appended::Stored { message, audience }
            }
            other => other,
        })
    }
}

#[async_trait]
impl Messages for SqlStore {
    async fn append(&self, message: &Message, rate: Option<Rate>) -> StoreResult<Appended> {
        self.put(Order { message: message.clone(), rate, lanes: self.lanes.clone(), line: None }).await
    }

    async fn append_told(&self, message: &Message, line: &Activity) -> StoreResult<Appended> {
        let (message, line) = (message.clone(), Some(line.clone()));
        self.put(Order { message, rate: None, lanes: self.lanes.clone(), line }).await
    }

    async fn edit(
        &self,
        conversation_id: &str,
        seq: i64,
        content: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Message>> {
        let (id, content) = (text(conversation_id), text(content));
        let lanes = self.lanes.clone();
        let args = Edit { conversation_id: id, seq, content, now, database: self.database, lanes };
        self.write_long(conversation_id, args, |args, tx| Box::pin(edit(tx, args))).await
    }

    async fn react(
        &self,
        conversation_id: &str,
        seq: i64,
        reaction: Option<&str>,
    ) -> StoreResult<Option<(Message, bool)>> {
        let args = (text(conversation_id), seq, optional(reaction));
        self.write(conversation_id, args, |(id, seq, reaction), tx| {
            Box::pin(async move {
                let react = query(REACT).bind(id).bind(seq).bind(reaction.as_deref());
                if let Some(row) = react.fetch_optional(&mut *tx).await? {
                    return Ok(Some((rows::message(&row)?, true)));
                }
                let row = query(ONE).bind(id).bind(seq).fetch_optional(tx).await?;
                row.as_ref().map(|row| Ok((rows::message(row)?, false))).transpose()
            })
        })
        .await
    }

    async fn message(&self, id: &str) -> StoreResult<Option<Message>> {
        let Some((conversation_id, seq)) = Message::place_of(id) else { return Ok(None) };
        let row = query(ONE).bind(text(conversation_id)).bind(seq).fetch_optional(&self.readers).await?;
        Ok(row.as_ref().map(rows::message).transpose()?)
    }

    async fn message_by_client_id(&self, conversation_id: &str, client_id: &str) -> StoreResult<Option<Message>> {
        let query = query(BY_CLIENT_ID).bind(text(conversation_id)).bind(text(client_id));
        let row = query.fetch_optional(&self.readers).await?;
        Ok(row.as_ref().map(rows::message).transpose()?)
    }

    async fn messages(
        &self,
        conversation_id: &str,
        after: i64,
        before: i64,
        newest: bool,
        limit: i64,
    ) -> StoreResult<Vec<Message>> {
        let query = query(if newest { NEWEST } else { OLDEST })
            .bind(text(conversation_id))
            .bind(after)
            .bind(before)
            .bind(limit.max(0));
        let mut rows = query.fetch_all(&self.readers).await?;
        if newest {
            rows.reverse();
        }
        Ok(rows.iter().map(rows::message).collect::<Result<_>>()?)
    }
}
