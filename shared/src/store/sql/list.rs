//! The list of conversations. One text for each shape of filter, so that each walks an index of its own order.

use sqlx::AnyPool;
use sqlx::any::AnyRow;

use super::rows::{self, word};
use super::{optional, search, text};
use crate::model::Conversation;
use crate::store::page::{Key, empty, page};
use crate::store::{ConversationFilter, Page, PageRequest, StoreResult};
use crate::time::Timestamp;

pub(super) const ALL: &str = "select c.*, (select count(*) from connection n
        where n.conversation_id = c.conversation_id and n.expires_at > $1) as online_count
    from conversation c where (c.last_activity_at, c.conversation_id) < ($2, $3)
    order by c.last_activity_at desc, c.conversation_id desc limit $4";
pub(super) const BY_STATUS: &str = "select c.*, (select count(*) from connection n
        where n.conversation_id = c.conversation_id and n.expires_at > $1) as online_count
    from conversation c where c.status = $5 and (c.last_activity_at, c.conversation_id) < ($2, $3)
    order by c.last_activity_at desc, c.conversation_id desc limit $4";
pub(super) const BY_SITE: &str = "select c.*, (select count(*) from connection n
        where n.conversation_id = c.conversation_id and n.expires_at > $1) as online_count
    from conversation c where c.site = $5 and (c.last_activity_at, c.conversation_id) < ($2, $3)
    order by c.last_activity_at desc, c.conversation_id desc limit $4";
pub(super) const BY_SITE_AND_STATUS: &str = "select c.*, (select count(*) from connection n
        where n.conversation_id = c.conversation_id and n.expires_at > $1) as online_count
    from conversation c where c.site = $5 and c.status = $6 and (c.last_activity_at, c.conversation_id) < ($2, $3)
    order by c.last_activity_at desc, c.conversation_id desc limit $4";
pub(super) const BY_TAG: &str = "select c.*, (select count(*) from connection n
        where n.conversation_id = c.conversation_id and n.expires_at > $1) as online_count
    from conversation_tag t join conversation c on c.conversation_id = t.conversation_id
    where t.tag = $5 and ($6 is null or c.status = $6) and ($7 is null or c.site = $7)
        and (c.last_activity_at, c.conversation_id) < ($2, $3)
    order by c.last_activity_at desc, c.conversation_id desc limit $4";
const BY_TERM: &str = "select c.*, (select count(*) from connection n
        where n.conversation_id = c.conversation_id and n.expires_at > $1) as online_count
    from conversation c
    where exists (select 1 from search_posting p where p.prefix = $5 and p.conversation_id = c.conversation_id)
        and ($6 is null or c.status = $6) and ($7 is null or c.site = $7)
        and ($8 is null or exists (select 1 from conversation_tag t
            where t.tag = $8 and t.conversation_id = c.conversation_id))
        and (c.last_activity_at, c.conversation_id) < ($2, $3)
    order by c.last_activity_at desc, c.conversation_id desc limit $4";

/// So many candidates of a term are looked at in one query.
const BLOCK: i64 = 100;

fn key(conversation: &Conversation) -> Key {
    Key { at: conversation.last_activity_at.0, id: conversation.conversation_id.clone(), seq: 0 }
}

/// A page of the list.
pub(super) async fn conversations(
    pool: &AnyPool,
    filter: &ConversationFilter,
    request: &PageRequest,
    now: Timestamp,
) -> StoreResult<Page<Conversation>> {
    let Some(start) = request.key() else { return Ok(empty()) };
    let limit = request.size();
    let status = filter.status.map(word).transpose()?;
    if !filter.terms.is_empty() {
        return with_terms(pool, filter, start, limit, now).await;
    }
    let (statement, words): (_, Vec<Option<String>>) = match (&filter.tag, &filter.site, status) {
        (Some(tag), site, status) => (BY_TAG, vec![Some(text(tag)), status, optional(site.as_deref())]),
        (None, Some(site), Some(status)) => (BY_SITE_AND_STATUS, vec![Some(text(site)), Some(status)]),
        (None, Some(site), None) => (BY_SITE, vec![Some(text(site))]),
        (None, None, Some(status)) => (BY_STATUS, vec![Some(status)]),
        (None, None, None) => (ALL, Vec::new()),
    };
    let asked = i64::try_from(limit).unwrap_or(i64::MAX) + 1;
    let query = sqlx::query(statement).bind(now.0).bind(start.at).bind(start.id).bind(asked);
    let rows = words.into_iter().fold(query, sqlx::query::Query::bind).fetch_all(pool).await?;
    Ok(page(read(&rows)?, limit, key))
}

fn read(rows: &[AnyRow]) -> sqlx::Result<Vec<Conversation>> {
    rows.iter().map(rows::conversation).collect()
}

/// Walks the conversations in which the longest term may occur and keeps those in which all do.
async fn with_terms(
    pool: &AnyPool,
    filter: &ConversationFilter,
    mut start: Key,
    size: usize,
    now: Timestamp,
) -> StoreResult<Page<Conversation>> {
    let mut found = Vec::new();
    let Some(prefix) = search::longest(&filter.terms).map(search::prefix) else { return Ok(empty()) };
    loop {
        let query = sqlx::query(BY_TERM).bind(now.0).bind(start.at).bind(start.id).bind(BLOCK).bind(prefix);
        let rows = query
            .bind(filter.status.map(word).transpose()?)
            .bind(optional(filter.site.as_deref()))
            .bind(optional(filter.tag.as_deref()))
            .fetch_all(pool)
            .await?;
        let block = read(&rows)?;
        let last = block.last().map(key).filter(|_| rows.len() >= 100);
        for conversation in block {
            if search::said(pool, &conversation, &filter.terms).await? {
                found.push(conversation);
            }
            if found.len() > size {
                return Ok(page(found, size, key));
            }
        }
        match last {
            Some(next) => start = next,
            None => return Ok(page(found, size, key)),
        }
    }
}
