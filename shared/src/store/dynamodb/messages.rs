//! Messages: reading by place, editing; storing is in [`super::append`].

use async_trait::async_trait;

use super::DynamoStore;
use super::archive::{archives, take};
use super::batch::Range;
use super::change::Turn;
use super::codec::{Kept, place_of};
use super::head::{Head, TAIL};
use super::item::{self, Key, n, read, text};
use super::table::Terms;
use crate::event::EventKind;
use crate::model::Message;
use crate::rate_limit::Rate;
use crate::store::{Appended, Messages, StoreResult};
use crate::time::Timestamp;

/// Archive items hold about so many messages; pages that are asked for follow from it.
const USUAL: usize = 4;

/// What is asked for.
#[derive(Clone, Copy)]
struct Wanted {
    /// The first place.
    from: i64,
    /// The last.
    to: i64,
    newest: bool,
    limit: usize,
}

impl Wanted {
    /// What is left of `found` when it is cut to the limit.
    fn cut(self, mut found: Vec<(i64, Kept)>) -> Vec<(i64, Kept)> {
        found.sort_unstable_by_key(|(seq, _)| *seq);
        match self.newest {
            true => found.drain(..found.len().saturating_sub(self.limit)).for_each(drop),
            false => found.truncate(self.limit),
        }
        found
    }

    fn within(self, head: &Head) -> Vec<(i64, Kept)> {
        let places = head.places().filter(|(seq, _)| (self.from..=self.to).contains(seq));
        places.map(|(seq, kept)| (seq, kept.clone())).collect()
    }
}

impl DynamoStore {
    /// The newest messages, in one read: the head and the archive items stand side by side.
    async fn newest(&self, conversation_id: &str, wanted: Wanted) -> StoreResult<Option<(Head, Vec<(i64, Kept)>)>> {
        let range = Range::of(item::conversation(conversation_id)).between(item::archive(0), "HEAD").consistent();
        let mut next = Some(range.backwards().limit(1 + wanted.limit.div_ceil(USUAL)));
        let mut head: Option<Head> = None;
        let mut found = Vec::new();
        while let Some(range) = next {
            let page = self.page(range).await?;
            next = page.1;
            for item in page.0 {
                match &head {
                    // What is archived was in the head when the head was read, or had left it before.
                    Some(head) => take(item, &mut found, wanted.from, head.archived)?,
                    None if Key::of(&item)?.sk == "HEAD" => {
                        let read: Head = read(item)?;
                        found.extend(wanted.within(&read));
                        head = Some(read).filter(Head::lives);
                    }
                    None => return Ok(None),
                }
            }
            if found.len() >= wanted.limit || found.iter().any(|(seq, _)| *seq <= wanted.from) {
                break;
            }
        }
        Ok(head.map(|head| (head, found)))
    }

    /// Messages of any range: first the head, then the archive as far as that head tells it.
    async fn ranged(&self, conversation_id: &str, wanted: Wanted) -> StoreResult<Option<(Head, Vec<(i64, Kept)>)>> {
        let Some(head) = self.head(conversation_id).await? else { return Ok(None) };
        let mut found = wanted.within(&head);
        let to = wanted.to.min(head.archived);
        if wanted.from > to || (wanted.newest && found.len() >= wanted.limit) {
            return Ok(Some((head, found)));
        }
        let range = archives(conversation_id, wanted.from, to).consistent();
        let range = range.limit(1 + wanted.limit.div_ceil(USUAL) + if wanted.newest { 0 } else { TAIL / USUAL });
        let mut next = Some(if wanted.newest { range.backwards() } else { range });
        let mut archived = 0;
        while let Some(range) = next {
            let page = self.page(range).await?;
            next = page.1.filter(|_| archived < wanted.limit);
            for item in page.0 {
                let before = found.len();
                take(item, &mut found, wanted.from, to)?;
                archived += found.len() - before;
            }
            next = next.filter(|_| archived < wanted.limit);
        }
        Ok(Some((head, found)))
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
        let seen = archive.rev;
        let index = usize::try_from(seq - archive.first).unwrap_or(usize::MAX);
        let Some(kept) = archive.messages.get_mut(index) else { return Ok(Some(None)) };
        (kept.content, kept.edited_at) = (text(content), Some(now));
        let message = kept.message(conversation_id, &next.visitor_name, seq);
        archive.rev = next.rev;
        next.tell(EventKind::MessageEdited, seq, now);
        let terms = Terms::when("r = :seen").value(":seen", n(seen));
        let part = self.to_put(Key::archive(conversation_id, archive.first).item(&archive)?, terms)?;
        Ok(turn.commit_with(self, next, part).await?.then_some(Some(message)))
    }
}

#[async_trait]
impl Messages for DynamoStore {
    async fn append(&self, message: &Message, rate: Option<Rate>) -> StoreResult<Appended> {
        self.store_message(message, rate).await
    }

    async fn edit(
        &self,
        conversation_id: &str,
        seq: i64,
        content: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Message>> {
        let mut turn = self.turn(conversation_id).await?;
        loop {
            let Some(mut next) = turn.next(self).await? else { return Ok(None) };
            if next.edit(seq, content, now) {
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

    async fn message(&self, id: &str) -> StoreResult<Option<Message>> {
        let Some((conversation_id, seq)) = place_of(id) else { return Ok(None) };
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
        let limit = usize::try_from(limit).unwrap_or(0);
        let (from, to) = (after.max(0).saturating_add(1), before.saturating_sub(1));
        let wanted = Wanted { from, to, newest, limit };
        if limit == 0 || from > to {
            return Ok(Vec::new());
        }
        let found = match newest && before == i64::MAX {
            true => self.newest(conversation_id, wanted).await?,
            false => self.ranged(conversation_id, wanted).await?,
        };
        let Some((head, found)) = found else { return Ok(Vec::new()) };
        let message = |(seq, kept): (i64, Kept)| kept.message(conversation_id, &head.visitor_name, seq);
        Ok(wanted.cut(found).into_iter().map(message).collect())
    }
}
