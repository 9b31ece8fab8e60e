//! Messages: reading by place, editing; storing is in [`super::append`].

use std::sync::Arc;

use async_trait::async_trait;

use super::append::Order;
use super::db::{Client, Query, Result, query};
use super::{Database, PerDatabase, SqlStore, index, optional, outbox, rows, text};
use crate::event::{EventKind, Lane};
use crate::model::{Activity, Message};
use crate::rate_limit::Rate;
use crate::store::{Appended, Messages, StoreResult};
use crate::time::Timestamp;
use crate::wire::preview;

const EDIT: &str = "update message set content = $2, edited_at = $3 where number = $1 returning *";
const EDITED: &str = "update conversation set
        event_seq = event_seq + 1,
        event_at = case when event_at > $2 then event_at else $2 end,
        last_preview = case when head_seq = $3 then $4 else last_preview end
    where conversation_id = $1 and $3 between 1 and head_seq returning *";
const REACT: &str = "update message set reaction = $2 where number = $1 and coalesce(reaction, '') <> coalesce($2, '')
    returning *";
pub(super) const BY_CLIENT_ID: &str = "select * from message where conversation_id = $1 and client_id = $2";

/// Messages of a conversation between two places by their runs, on SQLite: of $1 the first or last $4 between $2 and $3.
macro_rules! by_runs {
    ($after:literal, $before:literal, $order:literal) => {
        concat!(
            "with head as (select head_seq, newest from conversation where conversation_id = $1),
                span as (select ",
            $after,
            " as after, ",
            $before,
            " as before from head),
                found as (
                    select 16 * position + 1 as first, numbers from span cross join message_run
                        where conversation_id = $1 and position between after / 16 and before / 16
                    union all select head_seq / 16 * 16 + 1, newest from head)
            select m.* from span cross join found cross join json_each(numbers) n cross join message m
                where first + n.key > after and first + n.key < before and m.number = n.value
                order by m.seq ",
            $order
        )
    };
}
/// Those behind $2 and before $3, at most $4, from the first on.
pub(super) const OLDEST: PerDatabase = PerDatabase {
    sqlite: by_runs!("max($2, 0)", "min($3, max($2, 0) + $4 + 1)", ""),
    postgres: "select * from message where conversation_id = $1 and seq > $2 and seq < $3 order by seq limit $4",
};
/// Likewise, from the last one back.
pub(super) const NEWEST: PerDatabase = PerDatabase {
    sqlite: by_runs!("max($2, min($3, head_seq + 1) - 1 - $4, 0)", "min($3, head_seq + 1)", "desc"),
    postgres: "select * from message where conversation_id = $1 and seq > $2 and seq < $3 order by seq desc limit $4",
};

/// The message at a place.
pub(super) fn at(database: Database, conversation_id: &str, seq: i64) -> Query {
    let oldest = query(OLDEST.on(database)).bind(conversation_id);
    oldest.bind(seq.saturating_sub(1)).bind(seq.saturating_add(1)).bind(1)
}

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
    let Some(head) = head else { return Ok(None) };
    let before = at(edit.database, &edit.conversation_id, edit.seq).fetch_one(&mut *connection).await?;
    let number = rows::number(&before, "number")?;
    let row = query(EDIT).bind(number).bind(&edit.content).bind(edit.now.0).fetch_one(&mut *connection).await?;
    let before = rows::string(&before, "content")?;
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
        let args = (at(self.database, &text(conversation_id), seq), optional(reaction));
        self.write(conversation_id, args, |(at, reaction), tx| {
            Box::pin(async move {
                let Some(before) = at.clone().fetch_optional(&mut *tx).await? else { return Ok(None) };
                let react = query(REACT).bind(rows::number(&before, "number")?).bind(reaction.as_deref());
                let after = react.fetch_optional(tx).await?;
                Ok(Some((rows::message(after.as_ref().unwrap_or(&before))?, after.is_some())))
            })
        })
        .await
    }

    async fn message(&self, id: &str) -> StoreResult<Option<Message>> {
        let Some((conversation_id, seq)) = Message::place_of(id) else { return Ok(None) };
        let row = at(self.database, &text(conversation_id), seq).fetch_optional(&self.readers).await?;
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
        let query = query(if newest { NEWEST } else { OLDEST }.on(self.database))
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
