//! Making a change of a head durable: compute it from the head as last seen, put the whole item on condition that nobody was
//! faster, else compute again from what came back. No transaction, no counter: one write unit, and exact after lost answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::types::TransactWriteItem;
use tokio::sync::OwnedMutexGuard;

use super::DynamoStore;
use super::failure::{CHANGE, Patience, unavailable};
use super::head::Head;
use super::item::{Bytes, Item, Key, n, read};
use super::table::{Terms, Together, Written};
use crate::store::StoreResult;

/// Waiting for the others of this instance, in milliseconds. A Lambda function has none.
const TURN: u64 = 10_000;
/// So many conversations' heads are remembered.
const REMEMBERED: usize = 256;

/// Heads as this instance last saw them. Only a change begins with one: an old one costs it another try, no more.
///
/// Changes of one conversation take turns within an instance: among themselves they would only be in each other's way.
#[derive(Default)]
pub(super) struct Heads(Mutex<Slots>);

#[derive(Default)]
struct Slots {
    uses: u64,
    slots: HashMap<String, (u64, Slot)>,
}

type Slot = Arc<tokio::sync::Mutex<Option<Head>>>;

impl Heads {
    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, conversation_id: &str) -> Slot {
        let mut slots = self.slots();
        slots.uses += 1;
        let uses = slots.uses;
        if slots.slots.len() >= REMEMBERED && !slots.slots.contains_key(conversation_id) {
            let oldest = slots.slots.iter().min_by_key(|(_, (used, _))| *used).map(|(id, _)| id.clone());
            oldest.and_then(|id| slots.slots.remove(&id));
        }
        let entry = slots.slots.entry(conversation_id.to_owned()).or_default();
        entry.0 = uses;
        entry.1.clone()
    }

    /// Remembers a head that was read for another purpose, unless one is remembered already.
    pub(super) fn remember(&self, conversation_id: &str, head: &Head) {
        if let Ok(mut seen) = self.slot(conversation_id).try_lock() {
            seen.get_or_insert_with(|| head.clone());
        }
    }

    /// Forgets a conversation that is gone.
    pub(super) fn forget(&self, conversation_id: &str) {
        self.slots().slots.remove(conversation_id);
    }
}

/// What a computation did to a head.
pub(super) enum Move<T> {
    /// It changed it.
    To(T),
    /// It left it as it was, for a reason that only the newest head can give.
    Stay(T),
}

impl Move<bool> {
    /// What a rule says that answers whether it changed anything.
    pub(super) fn by(changed: bool) -> Self {
        if changed { Self::To(true) } else { Self::Stay(false) }
    }
}

/// The right to change a head, among the callers of this instance.
pub(super) struct Turn {
    key: Key,
    seen: OwnedMutexGuard<Option<Head>>,
    /// What was seen came from the table in this turn.
    fresh: bool,
    patience: Patience,
}

/// A random number for the attempt of one change.
pub(super) fn writer() -> StoreResult<Bytes> {
    let mut bytes = vec![0_u8; 6];
    getrandom::fill(&mut bytes).map_err(|_| unavailable("no random numbers"))?;
    Ok(Bytes(bytes))
}

/// Only while the head is the one that the change was computed from.
fn as_seen(next: &Head) -> Terms {
    Terms::when("r = :seen").value(":seen", n(next.rev - 1))
}

impl Turn {
    /// Reads the head, unless that was done in this turn.
    pub(super) async fn refresh(&mut self, store: &DynamoStore) -> StoreResult<()> {
        if !self.fresh {
            *self.seen = self.patience.bound(store.get(&self.key, true)).await??.map(read).transpose()?;
            self.fresh = true;
        }
        Ok(())
    }

    /// Whether nobody can know a newer head.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// The head to compute from, deleted or not; `None` when there is none.
    pub(super) async fn seen(&mut self, store: &DynamoStore) -> StoreResult<Option<Head>> {
        if self.seen.is_none() && !self.fresh {
            // Half the price; should it be old, the write finds out.
            *self.seen = self.patience.bound(store.get(&self.key, false)).await??.map(read).transpose()?;
        }
        if self.seen.as_ref().is_none_or(|head| !head.lives()) {
            self.refresh(store).await?;
        }
        Ok(self.seen.clone())
    }

    /// The head to compute from, with a number of this attempt. `None` without such a conversation.
    pub(super) async fn next(&mut self, store: &DynamoStore) -> StoreResult<Option<Head>> {
        let seen = self.seen(store).await?.filter(Head::lives);
        seen.map(|head| Ok(head.next(writer()?))).transpose()
    }

    /// Writes what was computed from the head that was seen. `false`: somebody was faster, and their head is now the seen one.
    pub(super) async fn commit(&mut self, store: &DynamoStore, next: &Head) -> StoreResult<bool> {
        self.commit_item(store, next, self.key.item(next)?).await
    }

    /// [`Self::commit`] for whoever has made the item already.
    pub(super) async fn commit_item(&mut self, store: &DynamoStore, next: &Head, item: Item) -> StoreResult<bool> {
        self.seen.take();
        match self.patience.bound(store.put(item, as_seen(next))).await?? {
            Written::Done(_) => Ok(self.done(next)),
            Written::Refused(found) => self.refused(next, found).await,
        }
    }

    /// [`Self::commit`] together with other writes, each on a condition of its own.
    pub(super) async fn commit_with(
        &mut self,
        store: &DynamoStore,
        next: &Head,
        mut parts: Vec<TransactWriteItem>,
    ) -> StoreResult<bool> {
        let item = self.key.item(next)?;
        self.seen.take();
        parts.insert(0, store.to_put(item, as_seen(next))?);
        match self.patience.bound(store.together(parts)).await?? {
            Together::Done => Ok(self.done(next)),
            Together::Refused(parts) => {
                if let Some(Err(found)) = parts.into_iter().next() {
                    return self.refused(next, found).await;
                }
                self.fresh = false;
                self.patience.again().await?;
                Ok(false)
            }
        }
    }

    fn done(&mut self, next: &Head) -> bool {
        *self.seen = Some(next.clone());
        true
    }

    async fn refused(&mut self, next: &Head, found: Option<Item>) -> StoreResult<bool> {
        let found = found.map(read::<Head>).transpose()?;
        let stands = found.as_ref().is_some_and(|head| next.by.first().is_some_and(|mine| head.was_written_by(mine)));
        (*self.seen, self.fresh) = (found, true);
        if !stands {
            self.patience.again().await?;
        }
        Ok(stands)
    }
}

impl DynamoStore {
    /// A head as it is now; `None` when the conversation is gone.
    pub(super) async fn head(&self, conversation_id: &str) -> StoreResult<Option<Head>> {
        let item = self.get(&Key::head(conversation_id), true).await?;
        Ok(item.map(read::<Head>).transpose()?.filter(Head::lives))
    }

    /// Waits for the others of this instance that change the same head.
    pub(super) async fn turn(&self, conversation_id: &str) -> StoreResult<Turn> {
        let seen = self.patience(TURN).bound(self.heads.slot(conversation_id).lock_owned()).await?;
        Ok(Turn { key: Key::head(conversation_id), seen, fresh: false, patience: self.patience(CHANGE) })
    }

    /// Changes a head. `compute` may be called several times; what it answered last is answered, with the head that it
    /// left behind. `None` without such a conversation.
    pub(super) async fn change<T>(
        &self,
        conversation_id: &str,
        mut compute: impl FnMut(&mut Head) -> Move<T>,
    ) -> StoreResult<Option<(T, Head)>> {
        let mut turn = self.turn(conversation_id).await?;
        loop {
            let Some(mut next) = turn.next(self).await? else { return Ok(None) };
            match compute(&mut next) {
                Move::To(answer) => {
                    if turn.commit(self, &next).await? {
                        return Ok(Some((answer, next)));
                    }
                }
                Move::Stay(answer) if turn.is_fresh() => return Ok(Some((answer, next))),
                Move::Stay(_) => turn.refresh(self).await?,
            }
        }
    }
}
