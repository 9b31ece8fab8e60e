//! Conversations: heads, tags, read marks, deletion; the list is in [`super::list`].

use std::sync::Arc;

use async_trait::async_trait;

use super::db::{Client, On, Result, query};
use super::records::{RECORD, of_line};
use super::rows::{self, from_json, json, number, string, word};
use super::writer::How;
use super::{Database, PerDatabase, SqlStore, index, list, notes, optional, outbox, text};
use crate::event::{EVENT_VERSION, Event, EventKind, Lane};
use crate::model::{Activity, Conversation, Note, Reader, Status};
use crate::store::{
    ConversationFilter, Conversations, NewConversation, Page, PageRequest, StoreResult, TelegramMirror,
};
use crate::time::Timestamp;

macro_rules! create {
    () => {
        "insert into conversation (conversation_id, resume_hash, site, visitor_name, locale, page_url,
        referrer, user_agent, status, created_at, last_activity_at, active_minute, head_seq, visitor_read, admin_read, answers, tags,
        event_seq, event_at, country, address)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11 / 60000, 0, 0, 0, 0, '[]', 1, $10, $12, $13)
    on conflict (conversation_id) do nothing"
    };
}
const CREATE: &str = create!();
/// With the entries $14 of the visitor's name, on PostgreSQL, where each statement would be a trip of its own.
const CREATE_NAMED: &str = concat!(
    "with created as (",
    create!(),
    " returning conversation_id), named as (insert into search_name (prefix, conversation_id)
        select cast(value ->> 0 as bigint), conversation_id from created, json_array_elements($14::json)
        on conflict do nothing)
    select conversation_id from created"
);
pub(super) const ONE: &str = "select * from conversation where conversation_id = $1";
pub(super) const BY_TOKEN: &str = "select * from conversation where conversation_id = $1 and resume_hash = $2";
const SET_STATUS: &str = "update conversation set
        status = $2,
        event_seq = event_seq + 1,
        event_at = case when event_at > $3 then event_at else $3 end,
        last_activity_at = case when last_activity_at > $3 then last_activity_at else $3 end,
        active_minute = case when last_activity_at > $3 then last_activity_at else $3 end / 60000,
        waiting_since = case when $2 = 'closed' then null else waiting_since end
    where conversation_id = $1 and status <> $2 returning *";
const VISITOR_READ: &str = "update conversation set visitor_read = case when $2 > head_seq then head_seq else $2 end
    where conversation_id = $1 and visitor_read < case when $2 > head_seq then head_seq else $2 end
    returning visitor_read as mark";
macro_rules! admin_read {
    () => {
        "update conversation set admin_read = case when $2 > head_seq then head_seq else $2 end
            where conversation_id = $1 and admin_read < case when $2 > head_seq then head_seq else $2 end
            returning admin_read as mark"
    };
}
const ADMIN_READ: &str = admin_read!();
/// With the line of the audit trail, $3 to $10, on PostgreSQL.
const ADMIN_READ_TOLD: &str = concat!(
    "with moved as (",
    admin_read!(),
    "), told as (insert into activity (id, created_at, session_id, name, ip, action, conversation_id, details)
        select $3, $4, $5, $6, $7, $8, $9, $10 from moved on conflict (id) do nothing)
    select mark from moved"
);
/// Changes nothing but locks the row, on both databases.
const LOCK_TAGS: &str = "update conversation set tags = tags where conversation_id = $1 returning tags";
const SET_TAGS: &str = "update conversation set tags = $2 where conversation_id = $1";
const ADD_TAG: &str = "insert into conversation_tag (tag, conversation_id) values ($1, $2) on conflict do nothing";
const REMOVE_TAG: &str = "delete from conversation_tag where tag = $1 and conversation_id = $2";
const CLAIM: &str = "update conversation set claimed_by = $2, claimed_at = $3,
        event_seq = event_seq + 1,
        event_at = case when event_at > $3 then event_at else $3 end
    where conversation_id = $1 and claimed_by is null returning *";
const RELEASE: &str = "update conversation set claimed_by = null, claimed_at = null,
        event_seq = event_seq + 1,
        event_at = case when event_at > $2 then event_at else $2 end
    where conversation_id = $1 and claimed_by is not null returning *";
const MIRROR: &str = "select mirror from telegram_mirror where conversation_id = $1";
/// Changes nothing but locks the row, so that nothing is stored with it any more.
const LAST: &str = "update conversation set event_seq = event_seq where conversation_id = $1
    returning event_seq, event_at, visitor_name";
pub(super) const DELETE_MESSAGES: PerDatabase = PerDatabase {
    sqlite: "delete from message where number in (
        select value from message_run, json_each(numbers) where conversation_id = $1
        union all select value from conversation, json_each(newest) where conversation_id = $1)",
    postgres: "delete from message where conversation_id = $1",
};
/// What refers to the conversation goes with it by `on delete cascade`.
const DELETE: &str = "delete from conversation where conversation_id = $1";
const DELETE_RESPONSES: &str = "delete from response where conversation_id = $1";
const DELETE_EVENTS: &str = "delete from outbox where conversation_id = $1";
pub(super) const CLOSED_BEFORE: &str = "select conversation_id from conversation
    where status = 'closed' and active_minute <= $1 / 60000 and last_activity_at < $1
    order by active_minute, last_activity_at, conversation_id limit $2";

/// What a change of a conversation works on.
struct Change<T> {
    id: String,
    to: T,
    now: Timestamp,
    lanes: Arc<[Lane]>,
}

async fn create(tx: &mut Client, new: &NewConversation, database: Database, lanes: &[Lane]) -> Result<()> {
    let one = &new.conversation;
    let (conversation_id, kind) = (text(&one.conversation_id), EventKind::ConversationOpened);
    let entries = index::entries_of_name(&text(&one.visitor_name))?;
    let statement = match database {
        Database::Sqlite => CREATE,
        Database::Postgres => CREATE_NAMED,
    };
    let row = query(statement)
        .bind(&conversation_id)
        .bind(text(&new.resume_hash))
        .bind(text(&one.site))
        .bind(text(&one.visitor_name))
        .bind(optional(one.locale.as_deref()))
        .bind(optional(one.page_url.as_deref()))
        .bind(optional(one.referrer.as_deref()))
        .bind(optional(one.user_agent.as_deref()))
        .bind(word(one.status)?)
        .bind(one.created_at.0)
        .bind(one.last_activity_at.0)
        .bind(optional(one.country.as_deref()))
        .bind(optional(one.address.as_deref()));
    let created = match database {
        Database::Sqlite => row.execute(&mut *tx).await? > 0,
        Database::Postgres => row.bind(&entries).fetch_optional(&mut *tx).await?.is_some(),
    };
    if !created {
        return Ok(());
    }
    if database == Database::Sqlite {
        index::name(tx, &conversation_id, &entries).await?;
    }
    outbox::put(tx, lanes, &Event { v: EVENT_VERSION, kind, conversation_id, seq: 0, at: one.created_at }, 1).await
}

/// One conversation, within a transaction or by a reader.
async fn one(on: impl Into<On<'_>>, id: &str) -> Result<Option<Conversation>> {
    let row = query(ONE).bind(id).brief().fetch_optional(on).await?;
    row.as_ref().map(rows::conversation).transpose()
}

/// Where a side has read to, and the line that tells of it.
struct Mark {
    id: String,
    reader: Reader,
    seq: i64,
    line: Option<Activity>,
    database: Database,
}

async fn mark_read(tx: &mut Client, mark: &Mark) -> Result<Option<i64>> {
    let in_one = mark.database == Database::Postgres && matches!(mark.reader, Reader::Admin);
    let at_once = mark.line.as_ref().filter(|_| in_one);
    let move_it = match (mark.reader, at_once) {
        (Reader::Visitor, _) => query(VISITOR_READ).bind(&mark.id).bind(mark.seq),
        (Reader::Admin, None) => query(ADMIN_READ).bind(&mark.id).bind(mark.seq),
        (Reader::Admin, Some(line)) => of_line(query(ADMIN_READ_TOLD).bind(&mark.id).bind(mark.seq), line)?,
    };
    let Some(row) = move_it.fetch_optional(&mut *tx).await? else { return Ok(None) };
    if let (Some(line), None) = (&mark.line, at_once) {
        of_line(query(RECORD), line)?.execute(tx).await?;
    }
    number(&row, "mark").map(Some)
}

async fn set_status(tx: &mut Client, change: &Change<Status>) -> Result<Option<(Conversation, bool)>> {
    let query = query(SET_STATUS).bind(&change.id).bind(word(change.to)?).bind(change.now.0);
    let moved = query.fetch_optional(&mut *tx).await?;
    if let Some(row) = &moved {
        let kind = match change.to {
            Status::Open => EventKind::ConversationReopened,
            Status::Closed => EventKind::ConversationClosed,
        };
        let (event, position) = outbox::of_row(row, kind, 0)?;
        outbox::put(tx, &change.lanes, &event, position).await?;
    }
    Ok(one(tx, &change.id).await?.map(|conversation| (conversation, moved.is_some())))
}

async fn claim(tx: &mut Client, change: &Change<Option<String>>) -> Result<Option<(Conversation, bool)>> {
    let query = match &change.to {
        Some(name) => query(CLAIM).bind(&change.id).bind(name).bind(change.now.0),
        None => query(RELEASE).bind(&change.id).bind(change.now.0),
    };
    let moved = query.fetch_optional(&mut *tx).await?;
    if let Some(row) = &moved {
        let kind = if change.to.is_some() { EventKind::ConversationClaimed } else { EventKind::ConversationReleased };
        let (event, position) = outbox::of_row(row, kind, 0)?;
        outbox::put(tx, &change.lanes, &event, position).await?;
    }
    Ok(one(tx, &change.id).await?.map(|conversation| (conversation, moved.is_some())))
}

async fn tags(
    tx: &mut Client,
    id: &str,
    tag: &str,
    statement: &'static str,
    change: fn(&mut Vec<String>, &str),
) -> Result<Option<Vec<String>>> {
    let Some(row) = query(LOCK_TAGS).bind(id).fetch_optional(&mut *tx).await? else { return Ok(None) };
    let mut tags: Vec<String> = from_json(&string(&row, "tags")?)?;
    let before = tags.clone();
    change(&mut tags, tag);
    if tags != before {
        query(statement).bind(tag).bind(id).execute(&mut *tx).await?;
        query(SET_TAGS).bind(id).bind(json(&tags)?).execute(tx).await?;
    }
    Ok(Some(tags))
}

/// The topic that stands for the conversation in Telegram; 0 without one.
async fn topic(tx: &mut Client, id: &str) -> Result<i64> {
    let row = query(MIRROR).bind(id).fetch_optional(tx).await?;
    let mirror: Option<TelegramMirror> = row.map(|row| from_json(&string(&row, "mirror")?)).transpose()?;
    Ok(mirror.and_then(|mirror| mirror.thread_id).unwrap_or_default())
}

async fn delete(tx: &mut Client, change: &Change<Database>) -> Result<bool> {
    index::lock(tx).await?;
    index::forget(tx, change.to, &change.id).await?;
    let topic = topic(tx, &change.id).await?;
    let Some(row) = query(LAST).bind(&change.id).fetch_optional(&mut *tx).await? else { return Ok(false) };
    query(DELETE_MESSAGES.on(change.to)).bind(&change.id).execute(&mut *tx).await?;
    query(DELETE).bind(&change.id).execute(&mut *tx).await?;
    query(DELETE_RESPONSES).bind(&change.id).execute(&mut *tx).await?;
    index::draw_back(&mut *tx).await?;
    index::forget_name(&mut *tx, change.to, &change.id, &string(&row, "visitor_name")?).await?;
    query(DELETE_EVENTS).bind(&change.id).execute(&mut *tx).await?;
    let at = rows::time(&row, "event_at")?.max(change.now);
    let (kind, conversation_id) = (EventKind::ConversationDeleted, change.id.clone());
    let event = Event { v: EVENT_VERSION, kind, conversation_id, seq: topic, at };
    outbox::put(tx, &change.lanes, &event, number(&row, "event_seq")? + 1).await?;
    Ok(true)
}

impl SqlStore {
    /// A conversation as its row tells it, with `online` by the live sockets.
    fn seen(&self, conversation: Conversation, now: Timestamp) -> Conversation {
        Conversation { online: self.live.is_online(&conversation.conversation_id, now), ..conversation }
    }
}

#[async_trait]
impl Conversations for SqlStore {
    async fn create(&self, new: &NewConversation) -> StoreResult<()> {
        let args = (new.clone(), self.database, self.lanes.clone());
        let one_statement = !self.lanes.iter().any(|lane| lane.takes(EventKind::ConversationOpened));
        let how = How { one_statement, begins: Some(new.conversation.clone()), long: false };
        let (key, writers) = (&new.conversation.conversation_id, &self.writers);
        writers.write(key, args, |(new, database, lanes), tx| Box::pin(create(tx, new, *database, lanes)), how).await
    }

    async fn conversation(&self, conversation_id: &str, now: Timestamp) -> StoreResult<Option<Conversation>> {
        let found = one(&self.readers, &text(conversation_id)).await?;
        Ok(found.map(|conversation| self.seen(conversation, now)))
    }

    async fn conversation_by_token(
        &self,
        conversation_id: &str,
        resume_hash: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Conversation>> {
        let query = query(BY_TOKEN).bind(text(conversation_id)).bind(text(resume_hash)).brief();
        let row = query.fetch_optional(&self.readers).await?;
        let found = row.as_ref().map(rows::conversation).transpose()?;
        Ok(found.map(|conversation| self.seen(conversation, now)))
    }

    async fn conversations(
        &self,
        filter: &ConversationFilter,
        page: &PageRequest,
        now: Timestamp,
    ) -> StoreResult<Page<Conversation>> {
        let mut page = list::conversations(&self.readers, self.database, filter, page).await?;
        page.items = page.items.into_iter().map(|conversation| self.seen(conversation, now)).collect();
        Ok(page)
    }

    async fn set_status(
        &self,
        conversation_id: &str,
        status: Status,
        now: Timestamp,
    ) -> StoreResult<Option<(Conversation, bool)>> {
        let change = Change { id: text(conversation_id), to: status, now, lanes: self.lanes.clone() };
        let moved = self.write(conversation_id, change, |change, tx| Box::pin(set_status(tx, change))).await?;
        Ok(moved.map(|(conversation, changed)| (self.seen(conversation, now), changed)))
    }

    async fn mark_read(
        &self,
        conversation_id: &str,
        reader: Reader,
        seq: i64,
        line: Option<&Activity>,
    ) -> StoreResult<Option<i64>> {
        let mark = Mark { id: text(conversation_id), reader, seq, line: line.cloned(), database: self.database };
        self.write_once(conversation_id, mark, |mark, tx| Box::pin(mark_read(tx, mark))).await
    }

    async fn add_tag(&self, conversation_id: &str, tag: &str) -> StoreResult<Option<Vec<String>>> {
        self.write(conversation_id, (text(conversation_id), text(tag)), |(id, tag), tx| {
            Box::pin(tags(tx, id, tag, ADD_TAG, |tags, tag| {
                tags.push(tag.to_owned());
                tags.sort();
                tags.dedup();
            }))
        })
        .await
    }

    async fn remove_tag(&self, conversation_id: &str, tag: &str) -> StoreResult<Option<Vec<String>>> {
        self.write(conversation_id, (text(conversation_id), text(tag)), |(id, tag), tx| {
            Box::pin(tags(tx, id, tag, REMOVE_TAG, |tags, tag| tags.retain(|one| one != tag)))
        })
        .await
    }

    async fn claim(
        &self,
        conversation_id: &str,
        name: &str,
        now: Timestamp,
    ) -> StoreResult<Option<(Conversation, bool)>> {
        let change = Change { id: text(conversation_id), to: Some(text(name)), now, lanes: self.lanes.clone() };
        let claimed = self.write(conversation_id, change, |change, tx| Box::pin(claim(tx, change))).await?;
        Ok(claimed.map(|(conversation, changed)| (self.seen(conversation, now), changed)))
    }

    async fn release(&self, conversation_id: &str, now: Timestamp) -> StoreResult<Option<(Conversation, bool)>> {
        let change = Change { id: text(conversation_id), to: None, now, lanes: self.lanes.clone() };
        let claimed = self.write(conversation_id, change, |change, tx| Box::pin(claim(tx, change))).await?;
        Ok(claimed.map(|(conversation, changed)| (self.seen(conversation, now), changed)))
    }

    async fn add_note(&self, note: &Note) -> StoreResult<Option<(Note, bool)>> {
        let args = (note.clone(), self.lanes.clone());
        self.write(&note.conversation_id, args, |(note, lanes), tx| Box::pin(notes::add(tx, note, lanes))).await
    }

    async fn notes(&self, conversation_id: &str) -> StoreResult<Vec<Note>> {
        notes::of(&self.readers, conversation_id).await
    }

    async fn delete(&self, conversation_id: &str, now: Timestamp) -> StoreResult<bool> {
        let change = Change { id: text(conversation_id), to: self.database, now, lanes: self.lanes.clone() };
        let deleted = self.write_long(conversation_id, change, |change, tx| Box::pin(delete(tx, change))).await;
        // Its sockets are bound to nothing now.
        self.live.unbind(conversation_id);
        deleted
    }

    async fn closed_before(&self, before: Timestamp, limit: i64) -> StoreResult<Vec<String>> {
        let query = query(CLOSED_BEFORE).bind(before.0).bind(limit.max(0));
        let rows = query.fetch_all(&self.readers).await?;
        Ok(rows.iter().map(|row| string(row, "conversation_id")).collect::<Result<_>>()?)
    }
}
