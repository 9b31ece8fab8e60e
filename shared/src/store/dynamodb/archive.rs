//! What leaves a head, and reading it back.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::DynamoStore;
use super::batch::Range;
use super::codec::{Archive, Kept};
use super::day::Counts;
use super::head::{Head, MARKS, TAIL};
use super::item::{self, Bytes, Item, Key, n, read, size};
use super::table::Terms;
use crate::model::{Message, Sender};
use crate::store::StoreResult;

/// A head of at most so many bytes costs one write unit; somewhat less than 1 KB, so that a mark or a socket more does not
/// make the next change dearer.
const HEAD_BYTES: usize = 1_000;
/// So many messages of usual length stand in so many archive items.
const USUAL: (usize, usize) = (9, 2);

/// What is put aside before the head that no longer has it is written.
#[derive(Debug, Default)]
pub(super) struct Aside {
    pub(super) archive: Option<Archive>,
    pub(super) counts: Option<Counts>,
    /// Places of messages whose `client_id` the head's marks no longer tell.
    pub(super) unmarked: Option<(i64, i64)>,
}

/// The place of a message, under its `client_id`.
#[derive(Serialize, Deserialize)]
struct Place {
    #[serde(rename = "q")]
    seq: i64,
}

/// The bit of a mark that says that its message is the first one of an archive item.
const FIRST: u8 = 1;

/// Of the hash of a `client_id`, two bytes but for that bit.
fn mark(client_id: &str) -> [u8; 2] {
    let digest = Sha256::digest(client_id.as_bytes());
    [digest[0], digest[1] & !FIRST]
}

impl Head {
    /// [`Self::append`] after what would make the head too large has been put aside. Answers the message's place, and the item
    /// of the head as it is then.
    pub(super) fn append_in_room(&mut self, message: &Message) -> StoreResult<(i64, Aside, Item)> {
        let mut aside = Aside::default();
        if message.sender != Sender::System
            && self.counts.as_ref().is_some_and(|one| one.is_over(message.created_at.day()))
        {
            aside.counts = self.counts.take();
        }
        let key = Key::head(&message.conversation_id);
        let mut grown = self.clone();
        let seq = grown.append(message);
        let item = key.item(&grown)?;
        if !self.tail.is_empty() && (grown.tail.len() > TAIL || size(&item) > HEAD_BYTES) {
            self.empty_tail(&mut aside);
            self.append(message);
            return Ok((seq, aside, key.item(self)?));
        }
        *self = grown;
        Ok((seq, aside, item))
    }

    fn empty_tail(&mut self, aside: &mut Aside) {
        let first = self.tail_begins();
        let messages = std::mem::take(&mut self.tail);
        let begins = self.marks.0.len() + 1;
        self.marks.0.extend(messages.iter().flat_map(|kept| mark(&kept.client_id)));
        if let Some(first) = self.marks.0.get_mut(begins) {
            *first |= FIRST;
        }
        self.archived = self.head_seq;
        let marked = self.marks.0.len() / 2;
        if marked > MARKS {
            let begin = self.archived + 1 - i64::try_from(marked).unwrap_or(0);
            let leaving = marked - MARKS;
            self.marks = Bytes(self.marks.0.split_off(2 * leaving));
            aside.unmarked = Some((begin, begin - 1 + i64::try_from(leaving).unwrap_or(0)));
        }
        aside.archive = Some(Archive { first, rev: self.rev, messages });
    }

    /// Places of archived messages whose `client_id` may be this one, as far as the marks tell.
    fn marked(&self, client_id: &str) -> Vec<i64> {
        let mark = mark(client_id);
        let same = |one: &[u8]| one[0] == mark[0] && one[1] & !FIRST == mark[1];
        self.marks().filter(|(_, one)| same(one)).map(|(seq, _)| seq).collect()
    }

    /// Where the archive item begins that has a place, as far as the marks tell. It may be wrong in a head that was written
    /// when marks did not tell it.
    pub(super) fn item_begins(&self, seq: i64) -> Option<i64> {
        let before = self.marks().take_while(|(place, _)| *place <= seq);
        before.filter(|(_, one)| one[1] & FIRST != 0).map(|(place, _)| place).last()
    }

    /// The marks with the places of their messages.
    fn marks(&self) -> impl Iterator<Item = (i64, &[u8])> {
        let marks = self.marks.0.chunks_exact(2);
        let begin = self.archived + 1 - i64::try_from(marks.len()).unwrap_or(0);
        (begin..).zip(marks)
    }
}

impl DynamoStore {
    /// Puts aside what a head is about to lose; answers the keys. An older writing never replaces a newer one, and the same again
    /// changes nothing.
    pub(super) async fn put_aside(&self, conversation_id: &str, rev: i64, aside: &Aside) -> StoreResult<Vec<Key>> {
        let mut keys = Vec::new();
        if let Some((from, to)) = aside.unmarked {
            keys.extend(self.put_clients(conversation_id, from, to).await?);
        }
        let newer = || Terms::when("attribute_not_exists(pk) OR r < :rev").value(":rev", n(rev));
        if let Some(counts) = &aside.counts {
            let key = Key::day(counts.day, conversation_id, counts.since);
            let mut item = key.item(counts)?;
            item.insert("r".into(), n(rev));
            self.put(item, newer()).await?;
            keys.push(key);
        }
        if let Some(archive) = &aside.archive {
            let key = Key::archive(conversation_id, archive.first);
            self.put(key.item(archive)?, newer()).await?;
            keys.push(key);
        }
        Ok(keys)
    }

    async fn put_clients(&self, conversation_id: &str, from: i64, to: i64) -> StoreResult<Vec<Key>> {
        let leaving = self.archived(conversation_id, (from, to), None, true).await?;
        let item = |(seq, kept): &(i64, Kept)| Key::client(conversation_id, &kept.client_id).item(&Place { seq: *seq });
        let items = leaving.iter().map(item).collect::<StoreResult<Vec<_>>>()?;
        let keys = items.iter().map(Key::of).collect::<StoreResult<Vec<_>>>()?;
        self.put_all(items).await?;
        Ok(keys)
    }

    /// The place of the message with this `client_id`, in the tail or wherever it went, and the message itself.
    pub(super) async fn find(
        &self,
        conversation_id: &str,
        head: &Head,
        client_id: &str,
    ) -> StoreResult<Option<Message>> {
        if let Some(seq) = head.in_tail(client_id) {
            return Ok(head.message(conversation_id, seq));
        }
        let mut places = head.marked(client_id);
        if head.archived > i64::try_from(head.marks.0.len() / 2).unwrap_or(0) {
            let item = self.get(&Key::client(conversation_id, client_id), true).await?;
            places.extend(item.map(read::<Place>).transpose()?.map(|place| place.seq));
        }
        for seq in places {
            let found = self.archived(conversation_id, (seq, seq), head.item_begins(seq), true).await?;
            if let Some((seq, kept)) = found.first().filter(|(_, kept)| kept.client_id == client_id) {
                return Ok(Some(kept.message(conversation_id, &head.visitor_name, *seq)));
            }
        }
        Ok(None)
    }

    /// The archive item that has a place.
    pub(super) async fn archive_of(&self, conversation_id: &str, seq: i64) -> StoreResult<Option<Archive>> {
        let range = Range::of(item::conversation(conversation_id)).between(item::archive(0), item::archive(seq));
        let (items, _) = self.page(range.backwards().limit(1).consistent()).await?;
        let archive = items.into_iter().next().map(read::<Archive>).transpose()?;
        Ok(archive.filter(|archive| archive.at(seq).is_some()))
    }

    /// Archived messages from one place to another, both included, ascending; all of them, unless the conversation is being
    /// erased. `begins`: where the item that has the first of them begins, which spares reading more than these items. Without
    /// `consistent` it costs half, and an edit of the last moment may be missing.
    pub(super) async fn archived(
        &self,
        conversation_id: &str,
        (from, to): (i64, i64),
        begins: Option<i64>,
        consistent: bool,
    ) -> StoreResult<Vec<(i64, Kept)>> {
        let mut found = Vec::new();
        if from > to {
            return Ok(found);
        }
        let missing =
            |found: &Vec<(i64, Kept)>| usize::try_from(to - from + 1).unwrap_or(0).saturating_sub(found.len());
        // The item that holds the first place begins at most a full tail before it.
        let lowest = begins.unwrap_or_else(|| from.saturating_sub(i64::try_from(TAIL).unwrap_or(0) - 1));
        let range = Range::of(item::conversation(conversation_id)).between(item::archive(lowest), item::archive(to));
        let mut next = Some(if consistent { range.consistent() } else { range }.backwards());
        let mut seen = 0;
        while let Some(range) = next.filter(|_| missing(&found) > 0) {
            // The first page tells how many messages stand in an item here.
            let (places, in_items) = if found.is_empty() { USUAL } else { (found.len(), seen) };
            let limit = (missing(&found) * in_items).div_ceil(places);
            let (items, rest) = self.page(if begins.is_some() { range } else { range.limit(limit) }).await?;
            next = rest;
            seen += items.len();
            for item in items {
                let archive: Archive = read(item)?;
                found.extend((archive.first..).zip(archive.messages).filter(|(seq, _)| (from..=to).contains(seq)));
            }
        }
        if missing(&found) > 0 && !(consistent && begins.is_none()) {
            return Box::pin(self.archived(conversation_id, (from, to), None, true)).await;
        }
        found.sort_unstable_by_key(|(seq, _)| *seq);
        Ok(found)
    }
}
