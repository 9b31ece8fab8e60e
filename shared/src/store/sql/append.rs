//! Storing a message: the one hot path.
//!
//! Six statements for a visitor's message, seven with the second lane. The first reads without a lock; whatever changed
//! between it and the head's update (the same `client_id`, a close, a deletion) makes the transaction fail as a conflict,
//! and the writer runs the job again.

use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::rows::{self, maybe_number, number, string, word};
use super::{buckets, connections, outbox, text};
use crate::event::{EventKind, Lane};
use crate::model::{Message, Sender};
use crate::rate_limit::Rate;
use crate::store::{Appended, Taken};
use crate::time::Timestamp;
use crate::wire::preview;

pub(super) const BEFORE: &str = "select c.status, (select m.seq from message m
        where m.conversation_id = c.conversation_id and m.client_id = $2) as duplicate
    from conversation c where c.conversation_id = $1";
const BY_SEQ: &str = "select * from message where conversation_id = $1 and seq = $2";
/// The right-hand sides see the row as it was, so that `answered_since` keeps the wait that this message ends.
const HEAD: &str = "update conversation set
        head_seq = head_seq + 1,
        event_seq = event_seq + 1,
        event_at = case when event_at > $2 then event_at else $2 end,
        last_activity_at = case when last_activity_at > $2 then last_activity_at else $2 end,
        last_sender = $3, last_preview = $4, last_created_at = $2,
        answered_since = case when $3 = 'admin' then waiting_since else null end,
        answers = answers + case when $3 = 'admin' and waiting_since is not null then 1 else 0 end,
        waiting_since = case when $3 = 'visitor' then coalesce(waiting_since, $2)
                             when $3 = 'admin' then null else waiting_since end,
        visitor_read = case when $3 = 'visitor' then head_seq + 1 else visitor_read end,
        admin_read = case when $3 = 'admin' then head_seq + 1 else admin_read end
    where conversation_id = $1 and status = 'open' returning *";
const MESSAGE: &str = "insert into message (conversation_id, seq, id, client_id, sender, via, author, message_type,
        content, created_at, edited_at, file)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const DAY: &str = "insert into conversation_day (day, conversation_id, messages_visitor, messages_admin)
    values ($1, $2, $3, $4)
    on conflict (day, conversation_id) do update set
        messages_visitor = conversation_day.messages_visitor + $3,
        messages_admin = conversation_day.messages_admin + $4";
const RESPONSE: &str = "insert into response (day, conversation_id, seq, milliseconds, first)
    values ($1, $2, $3, $4, $5)";

/// What [`append`] works on.
pub(super) struct Order {
    pub(super) message: Message,
    pub(super) rate: Option<Rate>,
    pub(super) lanes: std::sync::Arc<[Lane]>,
}

/// One message, within a transaction.
pub(super) async fn append(connection: &mut AnyConnection, order: &Order) -> sqlx::Result<Appended> {
    let message = &order.message;
    let id = text(&message.conversation_id);
    let before = sqlx::query(BEFORE).bind(&id).bind(text(&message.client_id));
    let Some(before) = before.fetch_optional(&mut *connection).await? else { return Ok(Appended::NotFound) };
    if let Some(seq) = maybe_number(&before, "duplicate")? {
        let first = sqlx::query(BY_SEQ).bind(&id).bind(seq).fetch_one(connection).await?;
        return Ok(Appended::Duplicate(rows::message(&first)?));
    }
    if string(&before, "status")? != "open" {
        return Ok(Appended::Closed);
    }
    if let Some(rate) = order.rate {
        let taken = buckets::take(connection, &format!("message:{id}"), rate, message.created_at).await?;
        if let Taken::Denied { retry_after_ms } = taken {
            return Ok(Appended::RateLimited { retry_after_ms });
        }
    }
    let head = move_head(connection, message, &id).await?;
    let message = insert(connection, message, &head).await?;
    count(connection, &message, &head).await?;
    let (event, position) = outbox::of_row(&head, EventKind::MessageStored, message.seq)?;
    outbox::put(connection, &order.lanes, &event, position).await?;
    let audience = connections::audience(connection, &id, message.created_at).await?;
    Ok(Appended::Stored { message, audience })
}

async fn move_head(connection: &mut AnyConnection, message: &Message, id: &str) -> sqlx::Result<AnyRow> {
    let head = sqlx::query(HEAD)
        .bind(id)
        .bind(message.created_at.0)
        .bind(word(message.sender)?)
        .bind(text(&preview(&message.content)))
        .fetch_optional(connection)
        .await?;
    head.ok_or(sqlx::Error::RowNotFound)
}

async fn insert(connection: &mut AnyConnection, message: &Message, head: &AnyRow) -> sqlx::Result<Message> {
    let seq = number(head, "head_seq")?;
    let author = match message.sender {
        Sender::Visitor => string(head, "visitor_name")?,
        Sender::Admin | Sender::System => text(&message.author),
    };
    let stored = Message { seq, author, content: text(&message.content), ..message.clone() };
    sqlx::query(MESSAGE)
        .bind(&stored.conversation_id)
        .bind(seq)
        .bind(text(&stored.id))
        .bind(text(&stored.client_id))
        .bind(word(stored.sender)?)
        .bind(word(stored.via)?)
        .bind(&stored.author)
        .bind(word(stored.message_type)?)
        .bind(&stored.content)
        .bind(stored.created_at.0)
        .bind(stored.edited_at.map(|at| at.0))
        .bind(stored.file.as_ref().map(rows::json).transpose()?)
        .execute(connection)
        .await?;
    Ok(stored)
}

async fn count(connection: &mut AnyConnection, message: &Message, head: &AnyRow) -> sqlx::Result<()> {
    let day = message.created_at.day();
    if message.sender != Sender::System {
        let visitor = i64::from(message.sender == Sender::Visitor);
        let query = sqlx::query(DAY).bind(day).bind(&message.conversation_id).bind(visitor).bind(1 - visitor);
        query.execute(&mut *connection).await?;
    }
    if let Some(since) = maybe_number(head, "answered_since")? {
        sqlx::query(RESPONSE)
            .bind(day)
            .bind(&message.conversation_id)
            .bind(message.seq)
            .bind(message.created_at.since(Timestamp(since)).max(0))
            .bind(i64::from(number(head, "answers")? == 1))
            .execute(connection)
            .await?;
    }
    Ok(())
}
