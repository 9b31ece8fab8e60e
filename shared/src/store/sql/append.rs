//! Storing a message: the one hot path.
//!
//! Four statements for a message. The first reads, without a lock, all that the others need; whatever changed between it and
//! the head's update (the same `client_id`, a token taken, a close, a deletion) makes the transaction fail as a conflict,
//! and the writer runs the job again. An answer to a waiting visitor takes one more, and so does a conversation's first
//! message of a day, which puts the counts of the day before aside.

use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::rows::{self, maybe_number, maybe_string, number, string, word};
use super::{connections, outbox, text};
use crate::event::{EventKind, Lane};
use crate::model::{Message, Sender};
use crate::rate_limit::Rate;
use crate::store::{Appended, Audience, Taken};
use crate::time::Timestamp;
use crate::wire::preview;

/// The conversation's row, and one for each socket that is to hear of the message.
pub(super) const BEFORE: &str = "select c.status as status, c.message_full_at as full_at, c.day as day,
        c.day_visitor as day_visitor, c.day_admin as day_admin,
        (select m.seq from message m where m.conversation_id = c.conversation_id and m.client_id = $2) as duplicate,
        null as connection_id, null as side
    from conversation c where c.conversation_id = $1
    union all
    select null, 0, 0, 0, 0, 0, n.connection_id, n.side from connection n
        where n.conversation_id = $1 and n.expires_at > $3
    union all
    select null, 0, 0, 0, 0, 0, n.connection_id, n.side from connection n where n.side = 'admin' and n.expires_at > $3";
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
        admin_read = case when $3 = 'admin' then head_seq + 1 else admin_read end,
        message_full_at = $6,
        day = $7,
        day_visitor = case when day = $7 then day_visitor else 0 end + case when $3 = 'visitor' then 1 else 0 end,
        day_admin = case when day = $7 then day_admin else 0 end + case when $3 = 'admin' then 1 else 0 end
    where conversation_id = $1 and status = 'open' and message_full_at = $5 and day = $8 returning *";
const EMPTIED: &str =
    "update conversation set message_full_at = $2 where conversation_id = $1 and message_full_at = $3";
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

/// What a conversation's row held before the message.
struct Before {
    status: String,
    full_at: i64,
    day: i64,
    day_visitor: i64,
    day_admin: i64,
    duplicate: Option<i64>,
    audience: Audience,
}

/// One message, within a transaction.
pub(super) async fn append(connection: &mut AnyConnection, order: &Order) -> sqlx::Result<Appended> {
    let message = &order.message;
    let id = text(&message.conversation_id);
    let Some(before) = before(connection, message, &id).await? else { return Ok(Appended::NotFound) };
    if let Some(seq) = before.duplicate {
        let first = sqlx::query(BY_SEQ).bind(&id).bind(seq).fetch_one(connection).await?;
        return Ok(Appended::Duplicate(rows::message(&first)?));
    }
    if before.status != "open" {
        return Ok(Appended::Closed);
    }
    let full_at = match order.rate.map(|rate| rate.take(Timestamp(before.full_at), message.created_at)) {
        Some((Taken::Denied { retry_after_ms }, full_at)) => {
            if full_at.0 != before.full_at {
                sqlx::query(EMPTIED).bind(&id).bind(full_at.0).bind(before.full_at).execute(connection).await?;
            }
            return Ok(Appended::RateLimited { retry_after_ms });
        }
        Some((Taken::Granted, full_at)) => full_at.0,
        None => before.full_at,
    };
    let head = move_head(connection, message, &id, &before, full_at).await?;
    let message = insert(connection, message, &head).await?;
    put_day_aside(connection, &message, &id, &before).await?;
    note_response(connection, &message, &head).await?;
    let (event, position) = outbox::of_row(&head, EventKind::MessageStored, message.seq)?;
    outbox::put(connection, &order.lanes, &event, position).await?;
    Ok(Appended::Stored { message, audience: before.audience })
}

async fn before(connection: &mut AnyConnection, message: &Message, id: &str) -> sqlx::Result<Option<Before>> {
    let query = sqlx::query(BEFORE).bind(id).bind(text(&message.client_id)).bind(message.created_at.0);
    let rows = query.fetch_all(connection).await?;
    let mut found = None;
    let mut audience = Audience::default();
    for row in &rows {
        if let Some(status) = maybe_string(row, "status")? {
            found = Some((status, row));
        } else {
            connections::add(&mut audience, row)?;
        }
    }
    let Some((status, row)) = found else { return Ok(None) };
    audience.visitor.sort();
    audience.admins.sort();
    Ok(Some(Before {
        status,
        full_at: number(row, "full_at")?,
        day: number(row, "day")?,
        day_visitor: number(row, "day_visitor")?,
        day_admin: number(row, "day_admin")?,
        duplicate: maybe_number(row, "duplicate")?,
        audience,
    }))
}

async fn move_head(
    connection: &mut AnyConnection,
    message: &Message,
    id: &str,
    before: &Before,
    full_at: i64,
) -> sqlx::Result<AnyRow> {
    // A note of the system counts on no day.
    let day = if message.sender == Sender::System { before.day } else { message.created_at.day() };
    let head = sqlx::query(HEAD)
        .bind(id)
        .bind(message.created_at.0)
        .bind(word(message.sender)?)
        .bind(text(&preview(&message.content)))
        .bind(before.full_at)
        .bind(full_at)
        .bind(day)
        .bind(before.day)
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

async fn put_day_aside(
    connection: &mut AnyConnection,
    message: &Message,
    id: &str,
    before: &Before,
) -> sqlx::Result<()> {
    let same = message.sender == Sender::System || message.created_at.day() == before.day;
    if same || before.day_visitor + before.day_admin == 0 {
        return Ok(());
    }
    let query = sqlx::query(DAY).bind(before.day).bind(id).bind(before.day_visitor).bind(before.day_admin);
    query.execute(connection).await.map(|_| ())
}

async fn note_response(connection: &mut AnyConnection, message: &Message, head: &AnyRow) -> sqlx::Result<()> {
    let Some(since) = maybe_number(head, "answered_since")? else { return Ok(()) };
    sqlx::query(RESPONSE)
        .bind(message.created_at.day())
        .bind(&message.conversation_id)
        .bind(message.seq)
        .bind(message.created_at.since(Timestamp(since)).max(0))
        .bind(i64::from(number(head, "answers")? == 1))
        .execute(connection)
        .await
        .map(|_| ())
}
