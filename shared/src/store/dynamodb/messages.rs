//! Messages: reading by place, editing; storing is in [`super::append`].

use async_trait::async_trait;
use aws_sdk_dynamodb::types::TransactWriteItem;

use super::DynamoStore;
use super::append::Pass;
use super::change::Turn;
use super::codec::{Archive, Kept};
use super::head::{Head, unhex};
use super::item::{Key, n, text};
use super::table::Terms;
use crate::event::EventKind;
use crate::model::{Activity, Conversation, Message};
use crate::rate_limit::Rate;
use crate::store::{Appended, Messages, Place, Records, StoreResult};
use crate::time::Timestamp;

/// What is asked for: places from the first to the last, at one end of them at most so many.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    from: i64,
    to: i64,
    newest: bool,
    limit: i64,
}

impl Wanted {
    /// Places with `after < seq < before`.
    pub(super) fn new(after: i64, before: i64, newest: bool, limit: i64) -> Self {
        Self { from: after.max(0).saturating_add(1), to: before.saturating_sub(1), newest, limit: limit.max(0) }
    }

    /// The first and the last place of those that there are.
    fn within(self, head: &Head) -> (i64, i64) {
        let (from, to) = (self.from, self.to.min(head.head_seq));
        if self.newest {
            (from.max(to.saturating_sub(self.limit - 1)), to)
        } else {
            (from, to.min(from.saturating_add(self.limit - 1)))
        }
    }
}

impl DynamoStore {
    /// First the head, then the archive as far as that head tells it: what leaves a head has been archived before.
    pub(super) async fn read_messages(
        &self,
        conversation_id: &str,
        head: &Head,
        wanted: Wanted,
        consistent: bool,
    ) -> StoreResult<Vec<Message>> {
        let (from, to) = wanted.within(head);
        let archived = (from, to.min(head.archived));
        let mut found = self.archived(conversation_id, archived, head.item_begins(from), consistent).await?;
        let tail = head.places().filter(|(seq, _)| (from..=to).contains(seq));
        found.extend(tail.map(|(seq, kept)| (seq, kept.clone())));
        let message = |(seq, kept): (i64, Kept)| kept.message(conversation_id, &head.visitor_name, seq);
        Ok(found.into_iter().map(message).collect())
    }

    /// Edits a message that has left the head: its archive item and the head change together.
    async fn edit_archived(
        &self,
        turn: &mut Turn,
        next: &mut Head,
        (conversation_id, seq): (&str, i64),
        content: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Option<Message>>> {
        let Some(mut archive) = self.archive_of(conversation_id, seq).await? else { return Ok(Some(None)) };
        let Some(kept) = archive.at_mut(seq) else { return Ok(Some(None)) };
        (kept.content, kept.edited_at) = (text(content), Some(now));
        let message = kept.message(conversation_id, &next.visitor_name, seq);
        let waited = next.unindexed.is_some();
        next.reword(seq);
        next.tell(EventKind::MessageEdited, seq, now);
        self.announce(conversation_id, waited, next, now).await?;
        let part = self.to_rewrite(conversation_id, archive, next)?;
        Ok(turn.commit_with(self, next, vec![part]).await?.then_some(Some(message)))
    }

    /// A part of the head's change: an archive item as it is to be now, if it is still as it was read.
    fn to_rewrite(&self, conversation_id: &str, mut archive: Archive, next: &Head) -> StoreResult<TransactWriteItem> {
        let terms = Terms::when("r = :seen").value(":seen", n(archive.rev));
        archive.rev = next.rev;
        self.to_put(Key::archive(conversation_id, archive.first).item(&archive)?, terms)
    }

    /// [`Messages::react`] to a message that has left the head. `None`: somebody was faster.
    async fn react_archived(
        &self,
        turn: &mut Turn,
        next: &Head,
        (conversation_id, seq): (&str, i64),
        reaction: Option<&str>,
    ) -> StoreResult<Option<Option<(Message, bool)>>> {
        let Some(mut archive) = self.archive_of(conversation_id, seq).await? else { return Ok(Some(None)) };
        let Some(kept) = archive.at_mut(seq) else { return Ok(Some(None)) };
        let changed = kept.react(reaction);
        let message = kept.message(conversation_id, &next.visitor_name, seq);
        if changed {
            let part = self.to_rewrite(conversation_id, archive, next)?;
            if !turn.commit_with(self, next, vec![part]).await? {
                return Ok(None);
            }
        }
        Ok(Some(Some((message, changed))))
    }
}

#[async_trait]
impl Messages for DynamoStore {
    async fn append(&self, message: &Message, rate: Option<Rate>) -> StoreResult<Appended> {
        self.store_message(message, rate, None)
            .await?
            .ok_or_else(|| super::failure::broken("a message that nobody refused"))
    }

    async fn append_told(&self, message: &Message, line: &Activity) -> StoreResult<Appended> {
        let appended = self.append(message, None).await?;
        if let Appended::Stored { message, .. } = &appended {
            self.record(&line.of(message.seq)).await?;
        }
        Ok(appended)
    }

    async fn append_from(&self, socket: &str, message: &Message, rate: Option<Rate>) -> StoreResult<Option<Appended>> {
        self.store_message(message, rate, Some(Pass::Socket(socket))).await
    }

    async fn append_by_token(
        &self,
        resume_hash: &str,
        message: &Message,
        rate: Option<Rate>,
    ) -> StoreResult<Option<Appended>> {
        self.store_message(message, rate, Some(Pass::Token(&unhex(resume_hash)))).await
    }

    async fn edit(
        &self,
        conversation_id: &str,
        seq: i64,
        content: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Message>> {
        let mut turn = self.turn(conversation_id).await?;
        let mut tried = false;
        loop {
            let Some(mut next) = turn.next(self).await? else {
                if tried {
                    // Erased meanwhile, perhaps before it was announced.
                    self.remove(&Key::entering(conversation_id), Terms::default()).await?;
                }
                return Ok(None);
            };
            let waited = next.unindexed.is_some();
            tried = true;
            if next.edit(seq, content, now) {
                self.announce(conversation_id, waited, &next, now).await?;
                if turn.commit(self, &next).await? {
                    return Ok(next.message(conversation_id, seq));
                }
            } else if (1..=next.archived).contains(&seq) {
                let edited = self.edit_archived(&mut turn, &mut next, (conversation_id, seq), content, now);
                if let Some(edited) = edited.await? {
                    return Ok(edited);
                }
            } else if turn.is_fresh() {
                return Ok(None);
            } else {
                turn.refresh(self).await?;
            }
        }
    }

    async fn react(
        &self,
        conversation_id: &str,
        seq: i64,
        reaction: Option<&str>,
    ) -> StoreResult<Option<(Message, bool)>> {
        let mut turn = self.turn(conversation_id).await?;
        loop {
            let Some(mut next) = turn.next(self).await? else { return Ok(None) };
            let changed = next.react(seq, reaction);
            if changed == Some(true) {
                if turn.commit(self, &next).await? {
                    return Ok(next.message(conversation_id, seq).map(|message| (message, true)));
                }
            } else if changed.is_none() && (1..=next.archived).contains(&seq) {
                let reacted = self.react_archived(&mut turn, &next, (conversation_id, seq), reaction);
                if let Some(reacted) = reacted.await? {
                    return Ok(reacted);
                }
            } else if turn.is_fresh() {
                return Ok(next.message(conversation_id, seq).map(|message| (message, false)));
            } else {
                turn.refresh(self).await?;
            }
        }
    }

    async fn message(&self, id: &str) -> StoreResult<Option<Message>> {
        let Some((conversation_id, seq)) = Message::place_of(id) else { return Ok(None) };
        Ok(self.messages(conversation_id, seq - 1, seq.saturating_add(1), false, 1).await?.pop())
    }

    async fn message_by_client_id(&self, conversation_id: &str, client_id: &str) -> StoreResult<Option<Message>> {
        let Some(head) = self.head(conversation_id).await? else { return Ok(None) };
        self.find(conversation_id, &head, client_id).await
    }

    async fn messages(
        &self,
        conversation_id: &str,
        after: i64,
        before: i64,
        newest: bool,
        limit: i64,
    ) -> StoreResult<Vec<Message>> {
        let Some(head) = self.head(conversation_id).await? else { return Ok(Vec::new()) };
        self.read_messages(conversation_id, &head, Wanted::new(after, before, newest, limit), true).await
    }

    async fn history(
        &self,
        conversation_id: &str,
        place: Place,
        limit: i64,
        now: Timestamp,
    ) -> StoreResult<Option<(Conversation, Vec<Message>)>> {
        let Some(head) = self.head(conversation_id).await? else { return Ok(None) };
        let wanted = Wanted::new(place.after, place.before, place.newest, limit);
        let messages = self.read_messages(conversation_id, &head, wanted, false).await?;
        Ok(Some((head.conversation(conversation_id, now), messages)))
    }
}
