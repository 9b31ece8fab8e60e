//! Searching by the inverted index that [`super::index`] keeps, and by what it does not hold yet.

use std::collections::BTreeSet;

use super::db::{Readers, Result, Row, query};
use super::index::{self, BLOCK_OF};
use super::messages::NEWEST;
use super::rows::{self, elements, number, string};
use super::words::{longest, numbers, prefix, prefix_of_name};
use super::{Database, PerDatabase, over_json};
use crate::model::{Conversation, Message};
use crate::search::matches;
use crate::store::page::{Key, empty};
use crate::store::{Page, PageRequest, StoreResult};

/// So many messages are looked at in one query …
const AT_ONCE: usize = 200;
/// … and so many times that in one call, after which the caller gets a cursor to go on with.
const LOOKS: usize = 5;
/// A term that more messages may have is not looked up to find conversations.
const FEW: usize = 1_000;

pub(super) const BEHIND: &str = "select m.*, c.visitor_name from message m
    join conversation c on c.conversation_id = m.conversation_id
    where m.number < $1 and m.number > $2 order by m.number desc limit $3";
pub(super) const LISTS: &str = "select block, messages from search_words
    where prefix = $1 and block <= $2 order by block desc limit $3";
/// Each element holds a number, here and below.
const MESSAGES: PerDatabase = over_json!(
    "select m.*, c.visitor_name from ",
    " i join message m on m.number = cast(i.value ->> 0 as bigint)
        join conversation c on c.conversation_id = m.conversation_id order by m.number desc"
);
const CONVERSATIONS: PerDatabase = over_json!(
    "select distinct m.conversation_id from ",
    " i join message m on m.number = cast(i.value ->> 0 as bigint)"
);
pub(super) const NAMED: &str = "select conversation_id from search_name where prefix = $1 limit $2";

/// Messages in which a term may occur, newest first: those behind the index, and then those of its lists.
struct Candidates<'a> {
    pool: &'a Readers,
    database: Database,
    prefix: i64,
    /// Everything from this number on has been looked at.
    before: i64,
    behind: bool,
    indexed: i64,
    block: i64,
}

impl<'a> Candidates<'a> {
    async fn start(pool: &'a Readers, database: Database, prefix: i64, before: i64) -> Result<Self> {
        let end = index::end(pool).await?;
        let behind = before > end.last;
        let block = if behind {
            end.block
        } else {
            let row = query(BLOCK_OF).bind(before).fetch_optional(pool).await?;
            row.map_or(Ok(0), |row| number(&row, "block"))?
        };
        Ok(Self { pool, database, prefix, before, behind, indexed: end.last, block })
    }

    /// The next ones with their visitors' names; `None` after the last.
    async fn next(&mut self) -> Result<Option<Vec<Row>>> {
        if self.behind {
            let query = query(BEHIND).bind(self.before).bind(self.indexed).bind(limit(AT_ONCE));
            let rows = query.fetch_all(self.pool).await?;
            self.behind = rows.len() == AT_ONCE;
            match rows.last().filter(|_| self.behind) {
                Some(last) => self.before = number(last, "number")?,
                None => self.before = i64::MAX,
            }
            if !rows.is_empty() {
                return Ok(Some(rows));
            }
        }
        let numbers = self.listed().await?;
        if numbers.is_empty() {
            return Ok(None);
        }
        let query = query(MESSAGES.on(self.database)).bind(elements(&numbers)?);
        query.fetch_all(self.pool).await.map(Some)
    }

    /// The numbers of the next lists.
    async fn listed(&mut self) -> Result<BTreeSet<i64>> {
        let mut found = BTreeSet::new();
        while found.len() < AT_ONCE && self.block > 0 {
            let query = query(LISTS).bind(self.prefix).bind(self.block).bind(16_i64);
            let lists = query.fetch_all(self.pool).await?;
            self.block = 0;
            for list in &lists {
                self.block = number(list, "block")? - 1;
                found.extend(numbers(&string(list, "messages")?).filter(|number| *number < self.before));
                if found.len() >= AT_ONCE {
                    break;
                }
            }
        }
        Ok(found)
    }
}

fn limit(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// A page of messages in which all terms occur.
pub(super) async fn search(
    pool: &Readers,
    database: Database,
    wanted: &[String],
    request: &PageRequest,
) -> StoreResult<Page<(Message, String)>> {
    let (Some(start), Some(prefix)) = (request.key(), longest(wanted).map(prefix)) else { return Ok(empty()) };
    let mut candidates = Candidates::start(pool, database, prefix, start.at).await?;
    let (mut items, mut last) = (Vec::new(), None);
    for _ in 0..LOOKS {
        let Some(rows) = candidates.next().await? else { return Ok(Page { items, next_cursor: None }) };
        for row in &rows {
            let message = rows::message(row)?;
            last = Some(Key { at: number(row, "number")?, id: String::new(), seq: 0 }.cursor());
            if matches(wanted, &message.content) {
                items.push((message, string(row, "visitor_name")?));
            }
            if items.len() == request.size() {
                return Ok(Page { items, next_cursor: last });
            }
        }
    }
    Ok(Page { items, next_cursor: last })
}

/// The conversations in which a term may occur; `None` when these are too many to be looked up.
pub(super) async fn few(pool: &Readers, database: Database, term: &str) -> StoreResult<Option<BTreeSet<String>>> {
    let named = query(NAMED).bind(prefix_of_name(term)).bind(limit(FEW) + 1).fetch_all(pool).await?;
    let mut found = named.iter().map(|row| string(row, "conversation_id")).collect::<Result<BTreeSet<_>>>()?;
    let mut candidates = Candidates::start(pool, database, prefix(term), i64::MAX).await?;
    let (mut looked, wanted) = (named.len(), [term.to_owned()]);
    while candidates.behind && looked <= FEW {
        let rows = candidates.next().await?.unwrap_or_default();
        looked += rows.len();
        for row in &rows {
            if matches(&wanted, &string(row, "content")?) {
                found.insert(string(row, "conversation_id")?);
            }
        }
    }
    let mut messages = BTreeSet::new();
    while candidates.block > 0 && looked + messages.len() <= FEW {
        messages.append(&mut candidates.listed().await?);
    }
    if looked + messages.len() > FEW {
        return Ok(None);
    }
    let rows = query(CONVERSATIONS.on(database)).bind(elements(&messages)?).fetch_all(pool).await?;
    for row in &rows {
        found.insert(string(row, "conversation_id")?);
    }
    Ok(Some(found))
}

/// Whether each term begins a word of the visitor's name or of some message of the conversation.
pub(super) async fn said(
    pool: &Readers,
    database: Database,
    conversation: &Conversation,
    wanted: &[String],
) -> StoreResult<bool> {
    let alone = |term: &String, text: &str| matches(std::slice::from_ref(term), text);
    let mut missing: Vec<_> = wanted.iter().filter(|term| !alone(term, &conversation.visitor_name)).collect();
    let mut before = i64::MAX;
    while !missing.is_empty() {
        let newest = query(NEWEST.on(database)).bind(&conversation.conversation_id).bind(0).bind(before);
        let rows = newest.bind(limit(AT_ONCE)).fetch_all(pool).await?;
        for row in &rows {
            let content = string(row, "content")?;
            missing.retain(|term| !alone(term, &content));
            before = number(row, "seq")?;
        }
        if rows.len() < AT_ONCE {
            break;
        }
    }
    Ok(missing.is_empty())
}
