//! The list of conversations. Each walks an index of its own order.

use std::collections::BTreeSet;

use super::db::{Query, Readers, Result, Row, query};
use super::rows::{self, elements, word};
use super::words::longest;
use super::{Database, PerDatabase, optional, over_json, search, text};
use crate::model::{Conversation, Status};
use crate::store::page::{Key, empty, page};
use crate::store::{ConversationFilter, Page, PageRequest, StoreResult};

/// A page. The indexes go by the minute.
macro_rules! page {
    ($among:literal) => {
        concat!(
            "select * from conversation where ",
            $among,
            " status = $4 and active_minute <= $1 / 60000 and (last_activity_at, conversation_id) < ($1, $2)
                order by active_minute desc, last_activity_at desc, conversation_id desc limit $3"
        )
    };
}
pub(super) const BY_STATUS: &str = page!("");
pub(super) const BY_SITE_AND_STATUS: &str = page!("site = $5 and");
pub(super) const BY_TAG: &str = "select c.* from conversation_tag t
        join conversation c on c.conversation_id = t.conversation_id
    where t.tag = $5 and c.status = $4 and ($6 is null or c.site = $6)
        and (c.last_activity_at, c.conversation_id) < ($1, $2)
    order by c.last_activity_at desc, c.conversation_id desc limit $3";
/// Those whose ids the elements hold, by the same filters.
const AMONG: PerDatabase = over_json!(
    "select c.* from ",
    " i join conversation c on c.conversation_id = i.value ->> 0
    where ($5 is null or c.status = $5) and ($6 is null or c.site = $6)
        and ($7 is null or exists (select 1 from conversation_tag t
            where t.tag = $7 and t.conversation_id = c.conversation_id))
        and (c.last_activity_at, c.conversation_id) < ($2, $3)
    order by c.last_activity_at desc, c.conversation_id desc limit $4"
);

/// So many conversations are looked at in one query …
const BLOCK: usize = 100;
/// … and so many times that for words that many have, after which the caller gets a cursor to go on with.
const BLOCKS: usize = 10;

fn key(conversation: &Conversation) -> Key {
    Key { at: conversation.last_activity_at.0, id: conversation.conversation_id.clone(), seq: 0 }
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// A page of the list.
pub(super) async fn conversations(
    pool: &Readers,
    database: Database,
    filter: &ConversationFilter,
    request: &PageRequest,
) -> StoreResult<Page<Conversation>> {
    let Some(start) = request.key() else { return Ok(empty()) };
    let limit = request.size();
    if filter.terms.is_empty() {
        return Ok(page(plain(pool, filter, start, limit + 1).await?, limit, key));
    }
    let Some(term) = longest(&filter.terms) else { return Ok(empty()) };
    match search::few(pool, database, term).await? {
        Some(ids) => among(pool, database, filter, &ids, start, limit).await,
        None => each(pool, database, filter, start, limit).await,
    }
}

/// The next ones, whatever was said in them. Open and closed ones stand apart in the indexes; a list of both is made of two.
async fn plain(pool: &Readers, filter: &ConversationFilter, start: Key, limit: usize) -> Result<Vec<Conversation>> {
    let statuses = filter.status.map_or(vec![Status::Open, Status::Closed], |status| vec![status]);
    let (statement, words) = match (&filter.tag, &filter.site) {
        (Some(tag), site) => (BY_TAG, vec![Some(text(tag)), optional(site.as_deref())]),
        (None, Some(site)) => (BY_SITE_AND_STATUS, vec![Some(text(site))]),
        (None, None) => (BY_STATUS, Vec::new()),
    };
    let mut found = Vec::new();
    for status in statuses {
        let query = query(statement).bind(start.at).bind(&start.id).bind(count(limit));
        let query = query.bind(word(status)?);
        let query = words.iter().cloned().fold(query, Query::bind);
        found.extend(read(&query.fetch_all(pool).await?)?);
    }
    found.sort_by(|a, b| (b.last_activity_at, &b.conversation_id).cmp(&(a.last_activity_at, &a.conversation_id)));
    found.truncate(limit);
    Ok(found)
}

fn read(rows: &[Row]) -> Result<Vec<Conversation>> {
    rows.iter().map(rows::conversation).collect()
}

/// Of the conversations in which the longest term may occur those in which all do.
async fn among(
    pool: &Readers,
    database: Database,
    filter: &ConversationFilter,
    ids: &BTreeSet<String>,
    mut start: Key,
    size: usize,
) -> StoreResult<Page<Conversation>> {
    let mut found = Vec::new();
    let ids = elements(ids)?;
    loop {
        let query = query(AMONG.on(database)).bind(&ids).bind(start.at).bind(start.id);
        let rows = query
            .bind(count(BLOCK))
            .bind(filter.status.map(word).transpose()?)
            .bind(optional(filter.site.as_deref()))
            .bind(optional(filter.tag.as_deref()))
            .fetch_all(pool)
            .await?;
        let block = read(&rows)?;
        let last = block.last().map(key).filter(|_| block.len() == BLOCK);
        if keep(pool, database, filter, block, &mut found, size).await? {
            return Ok(page(found, size, key));
        }
        match last {
            Some(next) => start = next,
            None => return Ok(page(found, size, key)),
        }
    }
}

/// Walks the list itself, where most have what is looked for.
async fn each(
    pool: &Readers,
    database: Database,
    filter: &ConversationFilter,
    mut start: Key,
    size: usize,
) -> StoreResult<Page<Conversation>> {
    let mut items = Vec::new();
    for _ in 0..BLOCKS {
        let block = plain(pool, filter, start.clone(), BLOCK).await?;
        let last = block.last().map(key).filter(|_| block.len() == BLOCK);
        if keep(pool, database, filter, block, &mut items, size).await? {
            return Ok(page(items, size, key));
        }
        match last {
            Some(next) => start = next,
            None => return Ok(page(items, size, key)),
        }
    }
    Ok(Page { items, next_cursor: Some(start.cursor()) })
}

/// Keeps those of a block in which every term was said; answers whether these are more than a page.
async fn keep(
    pool: &Readers,
    database: Database,
    filter: &ConversationFilter,
    block: Vec<Conversation>,
    found: &mut Vec<Conversation>,
    size: usize,
) -> StoreResult<bool> {
    for conversation in block {
        if search::said(pool, database, &conversation, &filter.terms).await? {
            found.push(conversation);
        }
        if found.len() > size {
            return Ok(true);
        }
    }
    Ok(false)
}
