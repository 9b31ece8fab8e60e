//! The search: items with the distinct words of some messages of a conversation that follow each other, and of the visitor's
//! name, newest first within a month.
//!
//! What is looked for is compared in the table, a month after the other; each hit is then held against the messages themselves.
//! So an answer is exact. Words that many have are found in what was written last, and cost the same however much there is
//! behind it; what is rare is looked for through all of it, by 128 read units for some 8,000 messages.

use std::collections::{HashMap, HashSet};

use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::DynamoStore;
use super::batch::Range;
use super::info::{SLOT, start};
use super::item::{Key, millis, read, short};
use super::messages::Wanted;
use super::table::Terms;
use crate::model::Message;
use crate::search::matches;
use crate::store::page::{Key as Place, empty};
use crate::store::{Page, PageRequest, StoreResult};
use crate::time::Timestamp;

/// So often one call looks into the words, each time at up to 1 MB, after which the caller gets a cursor to go on with.
const LOOKS: usize = 5;
/// The first look is at so many items: enough for a page of what many have.
const FIRST_LOOK: usize = 16;
/// The next one is at so many times as many.
const GROWTH: usize = 8;
/// So many blocks, or months, are read at once.
const AT_ONCE: usize = 16;
/// Of a page so many messages are expected to stand in one block.
const IN_A_BLOCK: usize = 4;
/// The partition of the months that have words.
const MONTHS: &str = "MONTHS";
/// The last moment that thirteen digits can write.
const LAST: i64 = 9_999_999_999_999;

/// The item of a block, under the place of its last message, which is its newest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Words {
    #[serde(rename = "c")]
    pub(super) conversation_id: String,
    /// Its first place; the visitor's name stands at 0.
    #[serde(rename = "f")]
    pub(super) first: i64,
    #[serde(rename = "q")]
    pub(super) last: i64,
    /// When its last message was made. The others were in the same slot of the list, and not later.
    #[serde(rename = "t", with = "millis")]
    pub(super) at: Timestamp,
    /// Each with a space before it, so that the beginning of a word can be told from its middle.
    #[serde(rename = "w")]
    pub(super) text: String,
}

impl Words {
    /// Where it stands.
    pub(super) fn key(&self) -> Key {
        words_key(&self.conversation_id, self.last, self.at)
    }
}

fn month(at: Timestamp) -> String {
    Timestamp(at.0.clamp(0, LAST)).date().chars().take(7).collect()
}

fn partition(month: &str) -> String {
    format!("WORDS#{month}")
}

fn place(at: Timestamp, conversation_id: &str, seq: i64) -> String {
    format!("{:013}#{}#{:012}", at.0.clamp(0, LAST), short(conversation_id), seq.clamp(0, 999_999_999_999))
}

fn moment_of(place: &str) -> Option<Timestamp> {
    place.split('#').next()?.parse().ok().map(Timestamp)
}

/// The last place of the slot that a moment is in: no message of the slot has its words behind it.
fn end_of_slot(at: i64) -> (Timestamp, String) {
    let end = Timestamp((start(Timestamp(at)) + SLOT - 1).min(LAST));
    (end, format!("{:013}#\u{10ffff}", end.0))
}

/// Where the words of a message, or with `seq` 0 of a name, stand.
pub(super) fn words_key(conversation_id: &str, seq: i64, at: Timestamp) -> Key {
    Key::new(partition(&month(at)), place(at, conversation_id, seq))
}

/// What a text of words contains when it has words that begin so.
fn beginnings(wanted: &[String]) -> Vec<String> {
    wanted.iter().map(|term| format!(" {term}")).collect()
}

/// What a search has found, which comes block by block: a message is not the next one until all newer blocks were read.
#[derive(Default)]
struct Found {
    all: Vec<(Message, String)>,
}

fn place_of(message: &Message) -> Place {
    Place { at: message.created_at.0, id: message.conversation_id.clone(), seq: message.seq }
}

fn order(place: &Place) -> (i64, &str, i64) {
    (place.at, &place.id, place.seq)
}

impl Found {
    /// Adds what stands behind the place where the page begins.
    fn add(&mut self, mut hits: Vec<(Message, String)>, start: &Place) {
        hits.retain(|(message, _)| order(&place_of(message)) < order(start));
        self.all.extend(hits);
        self.all.sort_by(|(one, _), (other, _)| order(&place_of(other)).cmp(&order(&place_of(one))));
        // Of two who enter the same messages at once, each may have cut them into other blocks.
        self.all.dedup_by(|(one, _), (other, _)| one.id == other.id);
    }

    /// How many are newer than whatever may still come.
    fn settled(&self, reached: Timestamp) -> usize {
        self.all.iter().take_while(|(message, _)| message.created_at > reached).count()
    }

    /// The page, if it is full.
    fn page(&mut self, size: usize, reached: Timestamp) -> Option<Page<(Message, String)>> {
        if self.settled(reached) < size {
            return None;
        }
        let mut items = std::mem::take(&mut self.all);
        items.truncate(size);
        let next_cursor = items.last().map(|(message, _)| place_of(message).cursor());
        Some(Page { items, next_cursor })
    }

    /// What is settled, and a cursor to what is not.
    fn so_far(mut self, reached: Timestamp) -> Page<(Message, String)> {
        self.all.truncate(self.settled(reached));
        let next = Place { at: reached.0 + 1, id: String::new(), seq: 0 };
        Page { items: self.all, next_cursor: Some(next.cursor()) }
    }
}

impl DynamoStore {
    /// Puts blocks into the index, whatever it has of them; those without a word are taken out.
    pub(super) async fn put_words(&self, blocks: &[Words]) -> StoreResult<()> {
        let (some, none): (Vec<_>, Vec<_>) = blocks.iter().partition(|block| !block.text.is_empty());
        for block in &some {
            self.list_month(&month(block.at)).await?;
        }
        let items = some.into_iter().map(|block| block.key().item(block));
        self.put_all(items.collect::<StoreResult<_>>()?).await?;
        self.remove_all(&none.into_iter().map(Words::key).collect::<Vec<_>>()).await
    }

    /// The blocks that have a message of a conversation, made at this time. Reads what was entered of its slot.
    pub(super) async fn words_of(&self, conversation_id: &str, seq: i64, at: Timestamp) -> StoreResult<Vec<Words>> {
        let range = Range::of(partition(&month(at))).between(place(at, "", 0), end_of_slot(at.0).1).consistent();
        let rows = self.all(range.containing("c", &[conversation_id.to_owned()], "")).await?;
        let mut blocks = rows.into_iter().map(read).collect::<StoreResult<Vec<Words>>>()?;
        blocks.retain(|one| one.conversation_id == conversation_id && (one.first..=one.last).contains(&seq));
        Ok(blocks)
    }

    async fn list_month(&self, month: &str) -> StoreResult<()> {
        if self.months_listed.get(month).is_some() {
            return Ok(());
        }
        self.put(Key::new(MONTHS, month).attributes(), Terms::default()).await?;
        self.months_listed.note(month, Some(()));
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
        let entered = self.enter_all(Timestamp(i64::MAX)).await?;
        if entered.unfinished {
            return Ok(Page { items: Vec::new(), next_cursor: Some(start.cursor()) });
        }
        let (newest, from) = end_of_slot(start.at);
        let (mut found, mut looks) = (Found::default(), 0);
        // What a call before has not found is rare.
        let goes_on = request.cursor.is_some() && start.id.is_empty();
        let mut look = if goes_on { FIRST_LOOK * GROWTH * GROWTH } else { FIRST_LOOK };
        for month in self.months_from(&month(newest)).await? {
            let range = Range::of(partition(&month)).between("0", &from).backwards();
            // What was written a moment ago costs twice as much to read.
            let range = if entered.any { range.consistent() } else { range };
            let mut next = Some(range.containing("w", &beginnings(wanted), " AND "));
            while let Some(range) = next {
                let (rows, rest) = self.page(range.limit(look)).await?;
                look = look.saturating_mul(GROWTH);
                next = rest;
                let reached = next.as_ref().and_then(Range::start).and_then(|key| moment_of(&key.sk));
                let mut rows = rows.into_iter().map(read).collect::<StoreResult<Vec<Words>>>()?;
                rows.retain(|block| block.last > 0);
                if let Some(page) = self.fill(&mut found, &rows, (wanted, &start, request.size()), reached).await? {
                    return Ok(page);
                }
                // What the page before has ended with is read again, as far as it shares a slot with what follows.
                looks += usize::from(reached.is_some_and(|reached| reached.0 < start.at));
                if let Some(reached) = reached.filter(|_| looks == LOOKS) {
                    return Ok(found.so_far(reached));
                }
            }
        }
        Ok(found.page(request.size(), Timestamp(i64::MIN)).unwrap_or(Page { items: found.all, next_cursor: None }))
    }

    /// Adds what blocks have, newest first; answers the page once it is full. `behind`: what follows the blocks is not younger.
    async fn fill(
        &self,
        found: &mut Found,
        mut blocks: &[Words],
        (wanted, start, size): (&[String], &Place, usize),
        behind: Option<Timestamp>,
    ) -> StoreResult<Option<Page<(Message, String)>>> {
        let mut at_once = (size / IN_A_BLOCK).clamp(1, AT_ONCE);
        while !blocks.is_empty() {
            let (some, others) = blocks.split_at(at_once.min(blocks.len()));
            found.add(self.hits(some, wanted).await?, start);
            let reached = others.first().map(|block| block.at).or(behind).or(some.last().map(|block| block.at));
            if let Some(page) = reached.and_then(|reached| found.page(size, reached)) {
                return Ok(Some(page));
            }
            blocks = others;
            at_once = (2 * at_once).min(AT_ONCE);
        }
        Ok(None)
    }

    /// The messages of these blocks that have the words, with the visitors' names. First the heads, and then the archive as
    /// far as those tell it.
    async fn hits(&self, blocks: &[Words], wanted: &[String]) -> StoreResult<Vec<(Message, String)>> {
        let ids: HashSet<_> = blocks.iter().map(|block| block.conversation_id.as_str()).collect();
        let heads = &self.heads_of(ids.into_iter(), true).await?;
        let read = async |block: &Words| {
            let Some(head) = heads.get(&block.conversation_id) else { return Ok(Vec::new()) };
            let places = Wanted::new(block.first - 1, block.last + 1, false, i64::MAX);
            self.read_messages(&block.conversation_id, head, places, true).await
        };
        let messages = try_join_all(blocks.iter().map(read)).await?;
        let mut hits = Vec::new();
        for message in messages.into_iter().flatten().filter(|message| matches(wanted, &message.content)) {
            let Some(head) = heads.get(&message.conversation_id) else { continue };
            hits.push((message, head.visitor_name.clone()));
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
