//! Entering words into the index when somebody asks for them: a search does it first, and so does the schedule.
//!
//! A conversation stands in the list `UNDONE` from before the change that gives it something to enter until after the change
//! that says that all is entered. Both are changes of its head, so that each sees the other: whatever happens at once, and
//! whoever dies meanwhile, what was stored is in the index or its conversation in the list.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::DynamoStore;
use super::batch::Range;
use super::change::writer;
use super::head::Head;
use super::info::start;
use super::item::{ENTER, Key, UNDONE, millis, n, read};
use super::messages::Wanted;
use super::table::{Terms, Written};
use super::upkeep::task;
use super::words::Words;
use crate::search::terms;
use crate::store::StoreResult;
use crate::time::Timestamp;

/// So many conversations are entered at once.
const AT_ONCE: usize = 16;
/// So many texts of a conversation are entered by one change of its head.
const STEP: i64 = 100;
/// A call begins nothing more after so long.
const LONG: Duration = Duration::from_secs(7);
/// Entering some of a conversation with all its tries, in milliseconds.
const PATIENCE: u64 = 10_000;
/// Bytes of words in one block; with its key it is to cost one write unit.
const ROOM: usize = 850;
/// A head remembers so many edits one by one.
const EDITS: usize = 16;

/// What of a conversation the index does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unindexed {
    /// What stands behind this place; behind -1 there is the visitor's name.
    #[serde(rename = "q")]
    after: i64,
    /// Places before it whose text has changed.
    #[serde(rename = "e", default, skip_serializing_if = "Vec::is_empty")]
    edited: Vec<i64>,
}

impl Unindexed {
    /// Whatever stands behind a place.
    pub(super) fn after(seq: i64) -> Self {
        Self { after: seq, edited: Vec::new() }
    }

    /// Everything.
    pub(super) fn all() -> Self {
        Self::after(-1)
    }

    fn edit(&mut self, seq: i64) {
        if seq > self.after || self.edited.contains(&seq) {
            return;
        }
        if self.edited.len() < EDITS {
            self.edited.push(seq);
        } else {
            self.after = seq - 1;
            self.edited.retain(|one| *one < seq);
        }
    }
}

impl Head {
    /// Notes that a text has changed.
    pub(super) fn reword(&mut self, seq: i64) {
        let all = Unindexed::after(self.head_seq);
        self.unindexed.get_or_insert(all).edit(seq);
    }

    /// How many messages made before `until` wait to be entered, as far as a head can tell.
    fn waiting_before(&self, until: Timestamp) -> usize {
        let Some(unindexed) = &self.unindexed else { return 0 };
        let waiting = usize::try_from(self.head_seq - unindexed.after.max(0)).unwrap_or(0);
        let young = self.tail.iter().filter(|kept| kept.created_at >= until).count();
        waiting.saturating_sub(young)
    }
}

/// The item of a conversation in the list.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Waiting {
    /// The head's `rev` that gives it something to enter.
    #[serde(rename = "r")]
    rev: i64,
    #[serde(rename = "t", with = "millis")]
    since: Timestamp,
}

/// What a call has entered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entered {
    /// Messages that were not in the index.
    pub(super) messages: i64,
    /// Whether anything was written.
    pub(super) any: bool,
    /// Whether something is left for which there was no time.
    pub(super) unfinished: bool,
}

/// A text to enter, at its place.
struct Text {
    seq: i64,
    at: Timestamp,
    content: String,
}

/// What a head says is to be entered now, and what it is to say when that is done.
struct Due {
    blocks: Vec<Words>,
    messages: i64,
    left: Option<Unindexed>,
    /// What is left is as old as what was taken.
    unfinished: bool,
}

/// Adds those words to a block's that it has not seen.
fn add(terms: Vec<String>, text: &mut String, seen: &mut HashSet<String>) {
    for term in terms {
        if !seen.contains(&term) {
            text.push(' ');
            text.push_str(&term);
            seen.insert(term);
        }
    }
}

/// The words of texts that follow each other, each once. Whatever is found by a block of many is found by the time of its last
/// message: so none of it is younger than that, or of another slot.
fn blocks(conversation_id: &str, texts: &[Text]) -> Vec<Words> {
    let mut blocks: Vec<Words> = Vec::new();
    let mut seen = HashSet::new();
    for Text { seq, at, content } in texts {
        let terms = terms(content);
        let fits = |block: &Words| {
            let more: usize = terms.iter().filter(|term| !seen.contains(*term)).map(|term| term.len() + 1).sum();
            block.text.len() + more <= ROOM && block.at <= *at && start(block.at) == start(*at)
        };
        if !blocks.last().is_some_and(fits) {
            seen.clear();
            let conversation_id = conversation_id.to_owned();
            blocks.push(Words { conversation_id, first: *seq, last: *seq, at: *at, text: String::new() });
        }
        if let Some(block) = blocks.last_mut() {
            (block.last, block.at) = (*seq, *at);
            add(terms, &mut block.text, &mut seen);
        }
    }
    blocks
}

impl DynamoStore {
    /// Puts a conversation into the list before the change `next`, if it is that which gives it something to enter. Answers its
    /// key there.
    pub(super) async fn announce(
        &self,
        conversation_id: &str,
        waited: bool,
        next: &Head,
        now: Timestamp,
    ) -> StoreResult<Option<Key>> {
        if waited || next.unindexed.is_none() {
            return Ok(None);
        }
        let key = Key::entering(conversation_id);
        let item = key.item(&Waiting { rev: next.rev, since: now })?;
        let newer = Terms::when("attribute_not_exists(pk) OR r < :rev").value(":rev", n(next.rev));
        self.put(item, newer).await?;
        Ok(Some(key))
    }

    /// Enters what was made before `until` by these conversations and others, unless there is less than `least` of it.
    pub(super) async fn enter_when_many(
        &self,
        listed: BTreeMap<String, Waiting>,
        until: Timestamp,
        least: usize,
    ) -> StoreResult<usize> {
        let heads = self.heads_of(listed.keys().map(String::as_str), false).await?;
        for (id, waiting) in listed.iter().filter(|(id, waiting)| waiting.since < until && !heads.contains_key(*id)) {
            // Whoever was about to begin the conversation, or wrote to it while it was erased, has died.
            self.strike_out(id, waiting.rev).await?;
        }
        let waiting: usize = heads.values().map(|head| head.waiting_before(until)).sum();
        // Names wait as well.
        if waiting.max(heads.len()) < least {
            return Ok(0);
        }
        Ok(usize::try_from(self.enter_all(until).await?.messages).unwrap_or(0))
    }

    /// Enters what was made before `until`.
    pub(super) async fn enter_all(&self, until: Timestamp) -> StoreResult<Entered> {
        let (enough, mut total) = (Instant::now() + LONG, Entered::default());
        let mut next = Some(Range::of(UNDONE).beginning(format!("{ENTER}#")).consistent());
        while let Some(range) = next {
            let (items, rest) = self.page(range).await?;
            next = rest;
            let mut queue = VecDeque::new();
            for item in items {
                let (_, conversation_id) = task(&item)?;
                queue.push_back((conversation_id, read::<Waiting>(item)?.rev));
            }
            while !queue.is_empty() {
                if Instant::now() >= enough {
                    return Ok(Entered { unfinished: true, ..total });
                }
                let some: Vec<_> = queue.drain(..AT_ONCE.min(queue.len())).collect();
                let steps = some.iter().map(|(id, rev)| Box::pin(self.enter_some(id, *rev, until)));
                let steps = try_join_all(steps).await?;
                for (one, step) in some.into_iter().zip(steps) {
                    total.messages += step.messages;
                    total.any |= step.any;
                    queue.extend(Some(one).filter(|_| step.unfinished));
                }
            }
        }
        Ok(total)
    }

    /// Enters some of what a conversation has, which is in the list for the sake of the change `rev`.
    async fn enter_some(&self, conversation_id: &str, rev: i64, until: Timestamp) -> StoreResult<Entered> {
        let (mut written, mut patience) = (Vec::new(), self.patience(PATIENCE));
        loop {
            let Some(head) = self.head(conversation_id).await? else {
                // Erased meanwhile, perhaps before the words were written.
                self.remove_all(&written.iter().map(Words::key).collect::<Vec<_>>()).await?;
                return Ok(Entered::default());
            };
            let mut next = head.next(writer()?);
            let Due { blocks, messages, left, unfinished } = self.due(conversation_id, &next, until, &written).await?;
            let any = !blocks.is_empty();
            self.put_words(&blocks).await?;
            written = blocks;
            // Should the change `rev` be on its way, it must not come to pass behind our back.
            let changes = any || next.unindexed != left || rev >= next.rev;
            next.unindexed = left;
            if changes && !self.settle(conversation_id, &next).await? {
                patience.again().await?;
                continue;
            }
            if next.unindexed.is_none() {
                let decided = if changes { next.rev } else { next.rev - 1 };
                self.strike_out(conversation_id, decided).await?;
            }
            return Ok(Entered { messages, any, unfinished });
        }
    }

    /// Writes a head without its turn, which would be long: whoever changes it meanwhile is first. `false`: somebody was.
    async fn settle(&self, conversation_id: &str, next: &Head) -> StoreResult<bool> {
        let terms = Terms::when("r = :seen").value(":seen", n(next.rev - 1));
        let found = match self.put(Key::head(conversation_id).item(next)?, terms).await? {
            Written::Done(_) => return Ok(true),
            Written::Refused(found) => found.map(read::<Head>).transpose()?,
        };
        Ok(found.is_some_and(|head| next.by.first().is_some_and(|mine| head.was_written_by(mine))))
    }

    /// Takes a conversation out of the list, unless a change after `rev` has put it there.
    async fn strike_out(&self, conversation_id: &str, rev: i64) -> StoreResult<()> {
        let terms = Terms::when("attribute_not_exists(pk) OR r <= :rev").value(":rev", n(rev));
        self.remove(&Key::entering(conversation_id), terms).await.map(|_| ())
    }

    /// What was written for an older head is due again: its texts may have changed in between.
    async fn due(&self, conversation_id: &str, head: &Head, until: Timestamp, written: &[Words]) -> StoreResult<Due> {
        let Unindexed { after, edited } = head.unindexed.clone().unwrap_or_else(|| Unindexed::after(head.head_seq));
        let mut old: BTreeMap<i64, Words> = written.iter().map(|block| (block.last, block.clone())).collect();
        for seq in edited {
            for Text { at, .. } in self.texts(conversation_id, head, (seq, seq)).await? {
                let found = self.words_of(conversation_id, seq, at).await?;
                old.extend(found.into_iter().map(|block| (block.last, block)));
                if !old.values().any(|block| (block.first..=block.last).contains(&seq)) {
                    // It had no words.
                    let (conversation_id, text) = (conversation_id.to_owned(), String::new());
                    old.insert(seq, Words { conversation_id, first: seq, last: seq, at, text });
                }
            }
        }
        for block in old.values_mut() {
            let mut seen = HashSet::new();
            block.text.clear();
            for text in self.texts(conversation_id, head, (block.first, block.last)).await? {
                add(terms(&text.content), &mut block.text, &mut seen);
            }
        }
        let mut new = self.texts(conversation_id, head, (after + 1, after + STEP)).await?;
        let young = new.iter().position(|text| text.at >= until).unwrap_or(new.len());
        new.truncate(young);
        let last = new.last().map_or(after, |text| text.seq);
        for block in blocks(conversation_id, &new) {
            // Of two that end with the same message, the longer one has what the other has.
            if old.get(&block.last).is_none_or(|one| one.first > block.first) {
                old.insert(block.last, block);
            }
        }
        let messages = last.max(0) - after.max(0);
        let left = (last < head.head_seq).then(|| Unindexed::after(last));
        let unfinished = left.is_some() && last == after + STEP;
        Ok(Due { blocks: old.into_values().collect(), messages, left, unfinished })
    }

    /// The texts from one place to another, both included, as far as there are any; at 0 there is the visitor's name.
    async fn texts(&self, conversation_id: &str, head: &Head, (from, to): (i64, i64)) -> StoreResult<Vec<Text>> {
        let name = || Text { seq: 0, at: head.created_at, content: head.visitor_name.clone() };
        let mut texts: Vec<_> = (from..=to).contains(&0).then(name).into_iter().collect();
        let wanted = Wanted::new(from - 1, to + 1, false, i64::MAX);
        let found = self.read_messages(conversation_id, head, wanted, true).await?;
        texts.extend(found.into_iter().map(|one| Text { seq: one.seq, at: one.created_at, content: one.content }));
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{HOUR, SECOND};

    const START: Timestamp = Timestamp(HOUR);

    fn cut(texts: &[(i64, &str)]) -> Vec<(i64, i64, String)> {
        let text = |(seq, (second, content)): (i64, &(i64, &str))| Text {
            seq,
            at: START.plus(second * SECOND),
            content: (*content).to_owned(),
        };
        let texts: Vec<_> = (1..).zip(texts).map(text).collect();
        blocks("c", &texts).into_iter().map(|block| (block.first, block.last, block.text)).collect()
    }

    #[test]
    fn texts_share_a_block_while_they_follow_each_other_within_a_slot() {
        assert_eq!(cut(&[]), []);
        let shared =
            cut(&[(0, "Hello there"), (0, "hello!"), (599, "Again"), (600, "late"), (599, "early"), (599, "")]);

        let expected = [(1, 3, " hello there again"), (4, 4, " late"), (5, 6, " early")];
        assert_eq!(shared, expected.map(|(first, last, text)| (first, last, text.to_owned())));
    }

    #[test]
    fn a_block_has_room_for_so_many_words_and_one_text_is_never_cut() {
        let word = |letter: &str| letter.repeat(60);
        let long: Vec<_> = ('a'..='z').map(|letter| word(&letter.to_string())).collect();

        let blocks = cut(&[(0, &long.join(" ")), (1, &word("x")), (2, &word("x")), (3, "short")]);

        let places: Vec<_> = blocks.iter().map(|(first, last, _)| (*first, *last)).collect();
        assert_eq!(places, [(1, 1), (2, 4)]);
        assert!(blocks[0].2.len() > ROOM && blocks[1].2.len() < ROOM);
    }

    #[test]
    fn a_head_names_its_edits_until_they_are_too_many() {
        let mut one = Unindexed::after(100);
        for seq in (50..=65).chain([60, 101]) {
            one.edit(seq);
        }
        assert_eq!((one.after, one.edited.len()), (100, EDITS));

        one.edit(55);
        one.edit(66);
        assert_eq!((one.after, one.edited.len()), (65, EDITS), "all behind the last one again");
        one.edit(40);
        assert_eq!((one.after, one.edited.len()), (39, 0));
    }
}
