//! The inverted index: from the beginnings of words to the messages that have them.
//!
//! Each term is entered under its first 1, 3 and 5 characters. What is looked for is looked up under the longest of
//! these that it has, newest first, and every candidate is then checked against its text: the answer is exact, and its cost
//! does not grow with the number of messages. Beginnings are kept as 63 bits of their SHA-256, a number that every database
//! compares alike.

use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, AnyPool};

use super::rows::{self, number, string};
use super::text;
use crate::model::{Conversation, Message};
use crate::search::{matches, terms};
use crate::store::page::{Key, empty};
use crate::store::{Page, PageRequest, StoreResult};

const LENGTHS: [usize; 3] = [1, 3, 5];
/// So many candidates are read in one query …
const BLOCK: i64 = 200;
/// … and so many blocks in one call, after which the caller gets a cursor to go on with.
const BLOCKS: usize = 5;

const SOURCE: &str = "select content as text, created_at as at from message where conversation_id = $1 and seq = $2
    union all
    select visitor_name as text, created_at as at from conversation where conversation_id = $1 and $2 = 0";
pub(super) const FORGET: &str = "delete from search_posting where conversation_id = $1 and seq = $2";
/// $1 is a text of numbers, 19 digits each: one statement for any number of entries.
const ENTER: &str = "insert into search_posting (prefix, at, conversation_id, seq)
    with recursive part(n) as (select 1 union all select n + 1 from part where n < $5)
    select cast(substr($1, 19 * n - 18, 19) as bigint), $2, $3, $4 from part";
pub(super) const CANDIDATES: &str = "select p.at as posted_at, m.*, c.visitor_name from search_posting p
    join message m on m.conversation_id = p.conversation_id and m.seq = p.seq
    join conversation c on c.conversation_id = p.conversation_id
    where p.prefix = $1 and (p.at, p.conversation_id, p.seq) < ($2, $3, $4)
    order by p.at desc, p.conversation_id desc, p.seq desc limit $5";
pub(super) const WITHIN: &str = "select m.content, m.seq from search_posting p
    join message m on m.conversation_id = p.conversation_id and m.seq = p.seq
    where p.prefix = $1 and p.conversation_id = $2 and p.seq < $3 order by p.seq desc limit $4";

fn hash(beginning: &str) -> i64 {
    let digest = Sha256::digest(beginning.as_bytes());
    let bytes = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    i64::try_from(bytes >> 1).unwrap_or_default()
}

/// The entry under which a term is looked up.
pub(super) fn prefix(term: &str) -> i64 {
    let length = term.chars().count();
    let kept = LENGTHS.into_iter().rev().find(|kept| *kept <= length).unwrap_or(length);
    hash(&term.chars().take(kept).collect::<String>())
}

/// The term that is likely to have the fewest entries.
pub(super) fn longest(wanted: &[String]) -> Option<&str> {
    wanted.iter().max_by_key(|term| term.chars().count()).map(String::as_str)
}

fn entries(content: &str) -> Vec<i64> {
    let mut entries = Vec::new();
    for term in terms(content) {
        let characters = term.chars().count();
        let lengths = LENGTHS.into_iter().filter(|length| *length <= characters);
        entries.extend(lengths.map(|length| hash(&term.chars().take(length).collect::<String>())));
    }
    entries.sort_unstable();
    entries.dedup();
    entries
}

/// (Re)builds the entries of one message or name, within a transaction.
pub(super) async fn index(tx: &mut AnyConnection, conversation_id: &str, seq: i64) -> sqlx::Result<()> {
    sqlx::query(FORGET).bind(conversation_id).bind(seq).execute(&mut *tx).await?;
    let source = sqlx::query(SOURCE).bind(conversation_id).bind(seq).fetch_optional(&mut *tx).await?;
    let Some(source) = source else { return Ok(()) };
    let entries = entries(&string(&source, "text")?);
    if entries.is_empty() {
        return Ok(());
    }
    let digits = entries.iter().map(|entry| format!("{entry:019}")).collect::<Vec<_>>().concat();
    sqlx::query(ENTER)
        .bind(digits)
        .bind(number(&source, "at")?)
        .bind(conversation_id)
        .bind(seq)
        .bind(i64::try_from(entries.len()).unwrap_or_default())
        .execute(tx)
        .await?;
    Ok(())
}

/// A page of messages in which all terms occur.
pub(super) async fn search(
    pool: &AnyPool,
    wanted: &[String],
    request: &PageRequest,
) -> StoreResult<Page<(Message, String)>> {
    let (Some(mut at), Some(prefix)) = (request.key(), longest(wanted).map(prefix)) else { return Ok(empty()) };
    let mut items = Vec::new();
    for _ in 0..BLOCKS {
        let query = sqlx::query(CANDIDATES).bind(prefix).bind(at.at).bind(&at.id).bind(at.seq).bind(BLOCK);
        let rows = query.fetch_all(pool).await?;
        for row in &rows {
            let message = rows::message(row)?;
            at = Key { at: number(row, "posted_at")?, id: message.conversation_id.clone(), seq: message.seq };
            if matches(wanted, &message.content) {
                items.push((message, string(row, "visitor_name")?));
            }
            if items.len() == request.size() {
                return Ok(Page { items, next_cursor: Some(at.cursor()) });
            }
        }
        if rows.len() < 200 {
            return Ok(Page { items, next_cursor: None });
        }
    }
    Ok(Page { items, next_cursor: Some(at.cursor()) })
}

/// Whether each term begins a word of the visitor's name or of some message of the conversation.
pub(super) async fn said(pool: &AnyPool, conversation: &Conversation, wanted: &[String]) -> StoreResult<bool> {
    for term in wanted {
        let alone = std::slice::from_ref(term);
        if !matches(alone, &conversation.visitor_name)
            && !in_messages(pool, &conversation.conversation_id, alone).await?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn in_messages(pool: &AnyPool, conversation_id: &str, term: &[String]) -> StoreResult<bool> {
    let Some(prefix) = longest(term).map(prefix) else { return Ok(false) };
    let mut before = i64::MAX;
    loop {
        let query = sqlx::query(WITHIN).bind(prefix).bind(text(conversation_id)).bind(before).bind(BLOCK);
        let rows = query.fetch_all(pool).await?;
        for row in &rows {
            if matches(term, &string(row, "content")?) {
                return Ok(true);
            }
            before = number(row, "seq")?;
        }
        if rows.len() < 200 {
            return Ok(false);
        }
    }
}
