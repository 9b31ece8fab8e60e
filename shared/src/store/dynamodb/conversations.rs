//! Conversations: beginning, reading, states, read marks, tags. The list is in [`super::list`], erasing in [`super::delete`].

use async_trait::async_trait;
use subtle::ConstantTimeEq;

use super::batch::Range;
use super::change::{Move, writer};
use super::head::{Head, unhex};
use super::info::Info;
use super::item::{self, Key, text};
use super::table::Terms;
use super::{DynamoStore, delete, list};
use crate::model::{Activity, Conversation, Note, Reader, Status};
use crate::store::{ConversationFilter, Conversations, NewConversation, Page, PageRequest, Records, StoreResult};
use crate::time::Timestamp;

impl DynamoStore {
    /// Head and particulars, in one read.
    async fn both(&self, conversation_id: &str) -> StoreResult<Option<(Head, Option<Info>)>> {
        let range = Range::of(item::conversation(conversation_id)).between("HEAD", "INFO").consistent();
        let (head, info) = Self::sort_out(self.all(range).await?)?;
        Ok(head.map(|head| (head, info)))
    }

    /// Makes the row under a tag say what the head says, however many change it at once.
    async fn settle_tag(&self, conversation_id: &str, tag: &str, mut has: bool) -> StoreResult<()> {
        let key = Key::tag(tag, conversation_id);
        loop {
            if has {
                self.put(key.attributes(), Terms::default()).await?;
            } else {
                self.remove(&key, Terms::default()).await?;
            }
            let now = self.head(conversation_id).await?.is_some_and(|head| head.tags.iter().any(|one| one == tag));
            if now == has {
                return Ok(());
            }
            has = now;
        }
    }
}

/// A conversation with its particulars, as far as they are there.
pub(super) fn complete(conversation: Conversation, info: Option<Info>) -> Conversation {
    match info {
        Some(info) => info.complete(conversation),
        None => conversation,
    }
}

#[async_trait]
impl Conversations for DynamoStore {
    async fn create(&self, new: &NewConversation) -> StoreResult<()> {
        let id = &new.conversation.conversation_id;
        let mut head = Head::begin(new);
        head.by.push(writer()?);
        let info = Info::begin(&new.conversation, &head);
        // A list skips particulars without a head; a head without particulars would never be listed.
        let info = self.put(Key::info(id).item(&info)?, Terms::absent());
        futures::try_join!(info, self.announce(id, false, &head, head.created_at))?;
        self.put(Key::head(id).item(&head)?, Terms::absent()).await?;
        Ok(())
    }

    async fn conversation(&self, conversation_id: &str, now: Timestamp) -> StoreResult<Option<Conversation>> {
        let found = self.both(conversation_id).await?;
        Ok(found.map(|(head, info)| complete(head.conversation(conversation_id, now), info)))
    }

    async fn conversation_by_token(
        &self,
        conversation_id: &str,
        resume_hash: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Conversation>> {
        let presented = unhex(resume_hash);
        let found = self.both(conversation_id).await?;
        let found = found.filter(|(head, _)| bool::from(head.resume_hash.0.ct_eq(&presented)));
        if let Some((head, _)) = &found {
            // A socket is likely to be bound next, which changes the head.
            self.heads.remember(conversation_id, head);
        }
        Ok(found.map(|(head, info)| complete(head.conversation(conversation_id, now), info)))
    }

    async fn conversations(
        &self,
        filter: &ConversationFilter,
        page: &PageRequest,
        now: Timestamp,
    ) -> StoreResult<Page<Conversation>> {
        list::conversations(self, filter, page, now).await
    }

    async fn set_status(
        &self,
        conversation_id: &str,
        status: Status,
        now: Timestamp,
    ) -> StoreResult<Option<(Conversation, bool)>> {
        let changed = self.change(conversation_id, |head| {
            head.prune(now);
            Move::by(head.set_status(status, now))
        });
        let Some((changed, head)) = changed.await? else { return Ok(None) };
        // Also when nothing changed: whoever changed it may have died before the list was told.
        let info = self.place(conversation_id, &head).await?;
        Ok(Some((complete(head.conversation(conversation_id, now), info), changed)))
    }

    async fn mark_read(
        &self,
        conversation_id: &str,
        reader: Reader,
        seq: i64,
        line: Option<&Activity>,
    ) -> StoreResult<Option<i64>> {
        let moved = self.change(conversation_id, |head| match head.mark_read(reader, seq) {
            Some(mark) => Move::To(Some(mark)),
            None => Move::Stay(None),
        });
        let mark = moved.await?.and_then(|(mark, _)| mark);
        if let Some(line) = line.filter(|_| mark.is_some()) {
            self.record(line).await?;
        }
        Ok(mark)
    }

    async fn add_tag(&self, conversation_id: &str, tag: &str) -> StoreResult<Option<Vec<String>>> {
        let tag = text(tag);
        let changed = self.change(conversation_id, |head| Move::by(head.add_tag(&tag)));
        let Some((_, head)) = changed.await? else { return Ok(None) };
        self.settle_tag(conversation_id, &tag, true).await?;
        Ok(Some(head.tags))
    }

    async fn remove_tag(&self, conversation_id: &str, tag: &str) -> StoreResult<Option<Vec<String>>> {
        let tag = text(tag);
        let changed = self.change(conversation_id, |head| Move::by(head.remove_tag(&tag)));
        let Some((_, head)) = changed.await? else { return Ok(None) };
        self.settle_tag(conversation_id, &tag, false).await?;
        Ok(Some(head.tags))
    }

    async fn claim(
        &self,
        conversation_id: &str,
        name: &str,
        now: Timestamp,
    ) -> StoreResult<Option<(Conversation, bool)>> {
        self.take_on(conversation_id, name, now).await
    }

    async fn release(&self, conversation_id: &str, now: Timestamp) -> StoreResult<Option<(Conversation, bool)>> {
        self.let_go(conversation_id, now).await
    }

    async fn add_note(&self, note: &Note) -> StoreResult<Option<(Note, bool)>> {
        self.store_note(note).await
    }

    async fn notes(&self, conversation_id: &str) -> StoreResult<Vec<Note>> {
        self.newest_notes(conversation_id).await
    }

    async fn delete(&self, conversation_id: &str, now: Timestamp) -> StoreResult<bool> {
        delete::delete(self, conversation_id, now).await
    }

    async fn closed_before(&self, before: Timestamp, limit: i64) -> StoreResult<Vec<String>> {
        list::closed_before(self, before, limit).await
    }
}
