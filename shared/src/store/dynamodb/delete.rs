//! Erasing a conversation: first it is marked, which everybody obeys at once; then whatever belongs to it goes, the mark last.
//! Each step may be done again, and whoever comes later finishes what another left undone.

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::DynamoStore;
use super::batch::Range;
use super::chats::{chat_key, start_key_at, while_bound_to};
use super::codec::Archive;
use super::head::Head;
use super::item::{self, Key, millis, read};
use super::links::telegram_key_of;
use super::mirror::{mirror_key, while_topic_is};
use super::table::Terms;
use super::words::words_key;
use crate::event::Lane;
use crate::store::StoreResult;
use crate::time::Timestamp;

/// The item of an erasure that is under way.
#[derive(Serialize, Deserialize)]
pub(super) struct Erasure {
    #[serde(with = "millis")]
    begun_at: Timestamp,
}

/// [`crate::store::Conversations::delete`].
pub(super) async fn delete(store: &DynamoStore, conversation_id: &str, now: Timestamp) -> StoreResult<bool> {
    if store.head(conversation_id).await?.is_none() {
        return Ok(false);
    }
    let erasure = Erasure { begun_at: now };
    store.put(Key::erasing(conversation_id).item(&erasure)?, Terms::default()).await?;
    let marked = store.mark_deleted(conversation_id, now).await?;
    store.erase(conversation_id).await?;
    Ok(marked)
}

impl DynamoStore {
    /// Finishes an erasure that began before `until`, after which its function has died.
    pub(super) async fn finish(&self, conversation_id: &str, erasure: &Erasure, until: Timestamp) -> StoreResult<()> {
        if erasure.begun_at >= until {
            return Ok(());
        }
        self.mark_deleted(conversation_id, until).await?;
        self.erase(conversation_id).await
    }

    /// The moment from which the conversation is gone for everybody. `false`: it was gone before.
    async fn mark_deleted(&self, conversation_id: &str, now: Timestamp) -> StoreResult<bool> {
        let mut turn = self.turn(conversation_id).await?;
        loop {
            let Some(mut next) = turn.next(self).await? else { return Ok(false) };
            // The event is all that will know of the topic.
            let thread_id = self.read_mirror(conversation_id).await?.and_then(|mirror| mirror.thread_id);
            next.delete(thread_id, now);
            let part = self.to_remove(&mirror_key(conversation_id), while_topic_is(thread_id))?;
            if turn.commit_with(self, &next, vec![part]).await? {
                return Ok(true);
            }
        }
    }

    async fn erase(&self, conversation_id: &str) -> StoreResult<()> {
        let key = Key::head(conversation_id);
        let head = self.get(&key, true).await?.map(read::<Head>).transpose()?;
        let mut written = Vec::new();
        if let Some(head) = &head {
            let tail = (1..=head.head_seq).rev().zip(head.times.iter().rev());
            written.extend(tail.map(|(seq, at)| (seq, Timestamp(*at))));
            written.push((0, head.created_at));
            let tags: Vec<_> = head.tags.iter().map(|tag| Key::tag(tag, conversation_id)).collect();
            self.remove_all(&tags).await?;
            if let Some(chat_id) = head.visitor_chat {
                self.remove(&chat_key(chat_id), while_bound_to(conversation_id)).await?;
            }
            for connection_id in head.conns.keys() {
                self.unbind(connection_id, conversation_id).await?;
            }
            // What tells of the deletion stays. Without a head this has been done, and its place is not known any more.
            for lane in [Lane::Files, Lane::Telegram] {
                self.drop_events(lane, conversation_id, head.event_seq).await?;
            }
        }
        let items = self.all(Range::of(item::conversation(conversation_id)).consistent()).await?;
        let mut keys = vec![Key::entering(conversation_id)];
        for item in items {
            let one = Key::of(&item)?;
            if one.sk.starts_with("A#") {
                let archive: Archive = read(item)?;
                written.extend((archive.first..).zip(archive.messages.iter().map(|kept| kept.created_at)));
            } else if one.sk.starts_with("L#") {
                keys.push(telegram_key_of(item)?);
            } else {
                keys.extend(start_key_at(&one.sk));
            }
            keys.extend(Some(one).filter(|one| *one != key));
        }
        // A message may stand in the tail and in an archive item; each may be the last of a block of words.
        let words: HashSet<_> = written.iter().map(|(seq, at)| words_key(conversation_id, *seq, *at)).collect();
        self.remove_all(&words.into_iter().collect::<Vec<_>>()).await?;
        self.forget_days(conversation_id, written.iter().map(|(_, at)| at.day()).collect()).await?;
        self.remove_all(&keys).await?;
        self.remove(&key, Terms::default()).await?;
        self.heads.forget(conversation_id);
        self.remove(&Key::erasing(conversation_id), Terms::default()).await?;
        Ok(())
    }

    async fn forget_days(&self, conversation_id: &str, days: BTreeSet<i64>) -> StoreResult<()> {
        let mut parts = Vec::new();
        for day in days {
            let range = Range::of(item::counts(day)).beginning(format!("{conversation_id}#")).consistent();
            for part in self.all(range).await? {
                parts.push(Key::of(&part)?);
            }
        }
        self.remove_all(&parts).await
    }
}
