//! The search: an item for each message, and for each visitor's name, with its distinct words, newest first within a month.
//!
//! What is looked for is compared in the table, a month after the other; each hit is then held against the message itself. So
//! an answer is exact, and its cost grows with what was written, by 128 read units for some 5,000 messages.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::DynamoStore;
use super::batch::Range;
use super::codec::message_id;
use super::item::read;
use super::item::{Key, short};
use super::table::Terms;
use crate::model::Message;
use crate::search::{matches, terms};
use crate::store::page::{Key as Place, empty};
use crate::store::{Messages, Page, PageRequest, StoreResult};
use crate::time::Timestamp;

/// So many pages of 1 MB are looked through in one call, after which the caller gets a cursor to go on with.
const PAGES: usize = 4;
/// So many messages, or months, are read at once.
const AT_ONCE: usize = 16;
/// The partition of the months that have words.
const MONTHS: &str = "MONTHS";
/// The last moment that thirteen digits can write.
const LAST: i64 = 9_999_999_999_999;

#[derive(Serialize, Deserialize)]
struct Words {
    #[serde(rename = "c")]
    conversation_id: String,
    /// 0 for the visitor's name.
    #[serde(rename = "q")]
    seq: i64,
    /// Each with a space before it, so that the beginning of a word can be told from its middle.
    #[serde(rename = "w")]
    text: String,
}

/// Months that this instance has listed already.
#[derive(Default)]
pub(super) struct Months(Mutex<HashSet<String>>);

fn month(at: Timestamp) -> String {
    Timestamp(at.0.clamp(0, LAST)).date().chars().take(7).collect()
}

fn partition(month: &str) -> String {
    format!("WORDS#{month}")
}

fn place(at: Timestamp, conversation_id: &str, seq: i64) -> String {
    format!("{:013}#{}#{:012}", at.0.clamp(0, LAST), short(conversation_id), seq.clamp(0, 999_999_999_999))
}

fn read_place(place: &str) -> Option<Place> {
    let (at, rest) = place.split_once('#')?;
    let (id, seq) = rest.rsplit_once('#')?;
    Some(Place { at: at.parse().ok()?, id: id.to_owned(), seq: seq.parse().ok()? })
}

/// Where the words of a message, or with `seq` 0 of a name, stand.
pub(super) fn words_key(conversation_id: &str, seq: i64, at: Timestamp) -> Key {
    Key::new(partition(&month(at)), place(at, conversation_id, seq))
}

/// What a text of words contains when it has words that begin so.
fn beginnings(wanted: &[String]) -> Vec<String> {
    wanted.iter().map(|term| format!(" {term}")).collect()
}

impl DynamoStore {
    /// [`crate::store::Records::index`].
    pub(super) async fn enter_words(&self, conversation_id: &str, seq: i64) -> StoreResult<()> {
        let source = match seq {
            0 => self.head(conversation_id).await?.map(|head| (head.visitor_name, head.created_at)),
            seq => {
                let message = self.message(&message_id(conversation_id, seq)).await?;
                message.map(|message| (message.content, message.created_at))
            }
        };
        let Some((text, at)) = source else { return Ok(()) };
        let key = words_key(conversation_id, seq, at);
        let text = beginnings(&terms(&text)).concat();
        if text.is_empty() {
            return self.remove(&key, Terms::default()).await.map(|_| ());
        }
        self.list_month(&month(at)).await?;
        let item = Words { conversation_id: conversation_id.to_owned(), seq, text };
        self.put(key.item(&item)?, Terms::default()).await?;
        if self.head(conversation_id).await?.is_none() {
            // Erased meanwhile, perhaps before this was written.
            self.remove(&key, Terms::default()).await?;
        }
        Ok(())
    }

    async fn list_month(&self, month: &str) -> StoreResult<()> {
        if self.months.0.lock().unwrap_or_else(PoisonError::into_inner).contains(month) {
            return Ok(());
        }
        self.put(Key::new(MONTHS, month).attributes(), Terms::default()).await?;
        self.months.0.lock().unwrap_or_else(PoisonError::into_inner).insert(month.to_owned());
        Ok(())
    }

    /// The months that have words, newest first, from this one on.
    async fn months_from(&self, newest: &str) -> StoreResult<Vec<String>> {
        let items = self.all(Range::of(MONTHS).between("0", newest).backwards()).await?;
        items.iter().map(|item| Ok(Key::of(item)?.sk)).collect()
    }

    /// [`crate::store::Records::search`].
    pub(super) async fn find_words(
        &self,
        wanted: &[String],
        request: &PageRequest,
    ) -> StoreResult<Page<(Message, String)>> {
        let Some(start) = request.key().filter(|_| !wanted.is_empty()) else { return Ok(empty()) };
        let (from, size) = (place(Timestamp(start.at), &start.id, start.seq), request.size());
        let (mut items, mut pages) = (Vec::new(), 0);
        for month in self.months_from(&month(Timestamp(start.at))).await? {
            let range = Range::of(partition(&month)).between("0", &from).backwards();
            let mut next = Some(range.containing("w", &beginnings(wanted), " AND "));
            while let Some(range) = next {
                let (rows, rest) = self.page(range).await?;
                let mut rows: Vec<_> = rows.iter().map(Key::of).collect::<StoreResult<_>>()?;
                rows.retain(|key| key.sk != from);
                let mut rows = rows.into_iter().filter_map(|key| read_place(&key.sk)).filter(|row| row.seq > 0);
                loop {
                    let some: Vec<_> = rows.by_ref().take(size - items.len()).collect();
                    let Some(last) = some.last().map(Place::cursor) else { break };
                    items.extend(self.hits(&some, wanted).await?);
                    if items.len() == size {
                        return Ok(Page { items, next_cursor: Some(last) });
                    }
                }
                pages += 1;
                let end = rest.as_ref().and_then(Range::start).and_then(|key| read_place(&key.sk));
                if let Some(end) = end.filter(|_| pages == PAGES) {
                    return Ok(Page { items, next_cursor: Some(end.cursor()) });
                }
                next = rest;
            }
        }
        Ok(Page { items, next_cursor: None })
    }

    /// The messages at these places in which the words still are, with the visitors' names.
    async fn hits(&self, places: &[Place], wanted: &[String]) -> StoreResult<Vec<(Message, String)>> {
        let ids: HashSet<_> = places.iter().map(|place| place.id.as_str()).collect();
        let heads = self.heads_of(ids.into_iter()).await?;
        let mut hits = Vec::new();
        for some in places.chunks(AT_ONCE) {
            let ids: Vec<_> = some.iter().map(|place| message_id(&place.id, place.seq)).collect();
            let messages = try_join_all(ids.iter().map(|id| self.message(id))).await?;
            for message in messages.into_iter().flatten().filter(|message| matches(wanted, &message.content)) {
                let Some(head) = heads.get(&message.conversation_id) else { continue };
                hits.push((message, head.visitor_name.clone()));
            }
        }
        Ok(hits)
    }

    /// Conversations in whose messages or visitor's name each of these terms begins a word. They may still be found for a
    /// little while by what an edit has taken away.
    pub(super) async fn matching_conversations(&self, wanted: &[String]) -> StoreResult<HashSet<String>> {
        let beginnings = beginnings(wanted);
        let mut found: HashMap<String, HashSet<usize>> = HashMap::new();
        for months in self.months_from(&month(Timestamp(LAST))).await?.chunks(AT_ONCE) {
            for one in try_join_all(months.iter().map(|month| self.found_in(month, &beginnings))).await? {
                for (conversation_id, terms) in one {
                    found.entry(conversation_id).or_default().extend(terms);
                }
            }
        }
        found.retain(|_, terms| terms.len() == wanted.len());
        Ok(found.into_keys().collect())
    }

    /// Which of the beginnings stand in a month's words, by conversation.
    async fn found_in(&self, month: &str, beginnings: &[String]) -> StoreResult<HashMap<String, HashSet<usize>>> {
        let mut found: HashMap<String, HashSet<usize>> = HashMap::new();
        let mut next = Some(Range::of(partition(month)).containing("w", beginnings, " OR "));
        while let Some(range) = next {
            let (items, rest) = self.page(range).await?;
            for item in items {
                let row: Words = read(item)?;
                let here = beginnings.iter().enumerate().filter(|(_, beginning)| row.text.contains(*beginning));
                found.entry(row.conversation_id).or_default().extend(here.map(|(number, _)| number));
            }
            next = rest;
        }
        Ok(found)
    }
}
