//! Keeping the inverted index: block by block for what is written, at once for what is changed or erased.
//!
//! A block takes in a few hundred messages in one transaction, so that words that begin alike share a row. Messages behind
//! the last block are not in the index; [`super::search`] reads them themselves.

use std::collections::BTreeMap;

use super::db::{Client, On, Result, query};
use super::messages::OLDEST;
use super::rows::{elements, json, maybe_number, number, string, time};
use super::words::{self, entries};
use super::{Database, PerDatabase, SqlStore, over_json, text};
use crate::store::StoreResult;
use crate::time::Timestamp;

/// The most messages of one block.
const BLOCK: usize = 256;
/// Messages of a conversation that are erased from the index at a time.
const CHUNK: i64 = 200;

const NEWEST: &str = "select block, last from search_block order by block desc limit 1";
/// The block that holds a message.
pub(super) const BLOCK_OF: &str = "select block from search_block where last >= $1 order by last, block limit 1";
pub(super) const BEHIND: &str =
    "select number, content, created_at, edited_at from message where number > $1 order by number limit $2";
/// Has to be taken before anything else that a transaction locks.
const LOCK: &str = "update turnstile set turns = turns + 1 where name = 'search'";
const UNCHANGED: &str =
    "select count(*) as messages, max(edited_at) as edited_at from message where number > $1 and number <= $2";
const CLOSE: &str = "insert into search_block (block, last) values ($1, $2)";
/// SQLite gives the numbers of erased messages again when these were the newest: what comes then is in no block yet.
const DRAW_BACK: &str = "update search_block set last = (select coalesce(max(number), 0) from message)
    where last > (select coalesce(max(number), 0) from message)";
/// Each element is an entry and its list.
const ENTER: PerDatabase = over_json!(
    "insert into search_words (prefix, block, messages) select cast(value ->> 0 as bigint), $2, value ->> 1 from ",
    " where true on conflict (prefix, block) do update set messages = search_words.messages || excluded.messages"
);
/// Each element holds an entry, here and below.
const LEAVE: PerDatabase = over_json!(
    "update search_words set messages = replace(messages, $3, '')
        where block = $2 and prefix in (select cast(value ->> 0 as bigint) from ",
    ")"
);
const TIDY: PerDatabase = over_json!(
    "delete from search_words
        where block = $2 and messages = '' and prefix in (select cast(value ->> 0 as bigint) from ",
    ")"
);
const NAME: &str =
    "insert into search_name (prefix, conversation_id) select cast(value ->> 0 as bigint), $2 from json_each($1)
    where true on conflict do nothing";
const UNNAME: PerDatabase = over_json!(
    "delete from search_name
        where conversation_id = $2 and prefix in (select cast(value ->> 0 as bigint) from ",
    ")"
);

/// Where the index ends.
pub(super) struct End {
    pub(super) block: i64,
    /// The number of the last message; 0 before the first block.
    pub(super) last: i64,
}

/// The newest block.
pub(super) async fn end(on: impl Into<On<'_>>) -> Result<End> {
    let row = query(NEWEST).fetch_optional(on).await?;
    row.map_or_else(
        || Ok(End { block: 0, last: 0 }),
        |row| Ok(End { block: number(&row, "block")?, last: number(&row, "last")? }),
    )
}

/// The messages of a block that is to be.
struct Block {
    number: i64,
    after: i64,
    last: i64,
    messages: i64,
    edited_at: Option<i64>,
    lists: String,
}

impl SqlStore {
    /// [`crate::store::Records::index`].
    pub(super) async fn take_in(&self, until: Timestamp, least: usize) -> StoreResult<usize> {
        let Some(block) = self.next_block(until, least).await? else { return Ok(0) };
        let messages = usize::try_from(block.messages).unwrap_or_default();
        let enter = ENTER.on(self.database);
        let entered =
            self.write_long("search", (block, enter), |(block, enter), tx| Box::pin(close(tx, block, enter))).await?;
        Ok(if entered { messages } else { 0 })
    }

    async fn next_block(&self, until: Timestamp, least: usize) -> StoreResult<Option<Block>> {
        let End { block, last: after } = end(&self.readers).await?;
        let limit = i64::try_from(BLOCK).unwrap_or(i64::MAX);
        let mut rows = query(BEHIND).bind(after).bind(limit).fetch_all(&self.readers).await?;
        // Of two that are stored at once on PostgreSQL, the one with the smaller number may be seen later.
        let young = rows.iter().position(|row| time(row, "created_at").is_ok_and(|at| at >= until));
        rows.truncate(young.unwrap_or(rows.len()));
        let Some(newest) = rows.last().filter(|_| rows.len() >= least.min(BLOCK)) else { return Ok(None) };
        let ends_with = number(newest, "number")?;
        let (mut lists, mut edited_at) = (BTreeMap::<i64, String>::new(), None);
        for row in &rows {
            edited_at = edited_at.max(maybe_number(row, "edited_at")?);
            let key = words::key(number(row, "number")?);
            for entry in entries(&string(row, "content")?) {
                lists.entry(entry).or_default().push_str(&key);
            }
        }
        let lists: Vec<_> = lists.into_iter().collect();
        let messages = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        Ok(Some(Block { number: block + 1, after, last: ends_with, messages, edited_at, lists: json(&lists)? }))
    }
}

/// Writes a block, unless its messages have changed since they were read; the next look sees to them.
async fn close(tx: &mut Client, block: &Block, enter: &'static str) -> Result<bool> {
    lock(tx).await?;
    let unchanged = query(UNCHANGED).bind(block.after).bind(block.last).fetch_one(&mut *tx).await?;
    let found = (number(&unchanged, "messages")?, maybe_number(&unchanged, "edited_at")?);
    if end(&mut *tx).await?.block + 1 != block.number || found != (block.messages, block.edited_at) {
        return Ok(false);
    }
    query(enter).bind(&block.lists).bind(block.number).execute(&mut *tx).await?;
    query(CLOSE).bind(block.number).bind(block.last).execute(tx).await?;
    Ok(true)
}

/// The words of a visitor's name, as the statement takes them that enters these.
pub(super) fn entries_of_name(name: &str) -> Result<String> {
    elements(words::entries_of_name(name))
}

/// Enters them with the conversation, on SQLite; on PostgreSQL they come with it.
pub(super) async fn name(tx: &mut Client, conversation_id: &str, entries: &str) -> Result<()> {
    query(NAME).bind(entries).bind(conversation_id).execute(tx).await.map(|_| ())
}

/// The name of a conversation that is gone.
pub(super) async fn forget_name(tx: &mut Client, database: Database, conversation_id: &str, name: &str) -> Result<()> {
    let entries = entries_of_name(name)?;
    query(UNNAME.on(database)).bind(entries).bind(conversation_id).execute(tx).await.map(|_| ())
}

/// Keeps whoever writes blocks from writing one until the transaction has ended.
pub(super) async fn lock(tx: &mut Client) -> Result<()> {
    query(LOCK).execute(tx).await.map(|_| ())
}

/// A message has another text; under [`lock`].
pub(super) async fn change(tx: &mut Client, database: Database, message: i64, before: &str, after: &str) -> Result<()> {
    let Some(block) = block_of(tx, message).await? else { return Ok(()) };
    let key = words::key(message);
    let (before, after) = (entries(before), entries(after));
    let gone: Vec<_> = before.iter().copied().filter(|entry| !after.contains(entry)).collect();
    leave(tx, database, block, &key, &gone).await?;
    let new: Vec<_> = after.into_iter().filter(|entry| !before.contains(entry)).collect();
    let lists: Vec<_> = new.into_iter().map(|entry| (entry, &key)).collect();
    query(ENTER.on(database)).bind(json(&lists)?).bind(block).execute(tx).await.map(|_| ())
}

/// Everything that a conversation's messages have entered; under [`lock`].
pub(super) async fn forget(tx: &mut Client, database: Database, conversation_id: &str) -> Result<()> {
    let mut after = 0;
    loop {
        let query = query(OLDEST.on(database)).bind(text(conversation_id)).bind(after).bind(i64::MAX).bind(CHUNK);
        let messages = query.fetch_all(&mut *tx).await?;
        for message in &messages {
            let number = number(message, "number")?;
            if let Some(block) = block_of(tx, number).await? {
                leave(tx, database, block, &words::key(number), &entries(&string(message, "content")?)).await?;
            }
        }
        match messages.last() {
            Some(last) => after = number(last, "seq")?,
            None => return Ok(()),
        }
    }
}

/// After messages have been erased; under [`lock`].
pub(super) async fn draw_back(tx: &mut Client) -> Result<()> {
    query(DRAW_BACK).execute(tx).await.map(|_| ())
}

async fn leave(tx: &mut Client, database: Database, block: i64, key: &str, entries: &[i64]) -> Result<()> {
    let entries = elements(entries)?;
    query(LEAVE.on(database)).bind(&entries).bind(block).bind(key).execute(&mut *tx).await?;
    query(TIDY.on(database)).bind(&entries).bind(block).execute(tx).await.map(|_| ())
}

/// The block of a message; `None` while it is in none.
async fn block_of(tx: &mut Client, message: i64) -> Result<Option<i64>> {
    let row = query(BLOCK_OF).bind(message).fetch_optional(tx).await?;
    row.map(|row| number(&row, "block")).transpose()
}
