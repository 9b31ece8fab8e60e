//! Storing a message: the one hot path. One conditional write of the head, and beside it one read of the admins' sockets;
//! every fourth message or so, what no longer fits into the head is written aside before.

use futures::future::join;
use subtle::ConstantTimeEq;

use super::DynamoStore;
use super::archive::Aside;
use super::head::{Head, State};
use super::item::{Item, Key, text};
use super::sockets::Sockets;
use crate::model::Message;
use crate::rate_limit::Rate;
use crate::store::{Appended, Audience, StoreResult, Taken};
use crate::time::Timestamp;

/// What a head makes of a message.
enum Judged {
    /// It takes it, at this place and as this item, when this has been put aside.
    Takes(i64, Aside, Item),
    /// It does not. Only the newest head may say so.
    Refuses(Appended),
    /// It does not, and has to remember something of that.
    Notes(Appended),
}

/// What lets a visitor write, as a head knows it. Only the newest head may say no.
pub(super) enum Pass<'a> {
    /// A socket that belongs to the conversation.
    Socket(&'a str),
    /// The hash of its resume token.
    Token(&'a [u8]),
}

impl Pass<'_> {
    fn opens(&self, head: &Head) -> bool {
        match self {
            Self::Socket(id) => head.conns.contains_key(*id),
            Self::Token(hash) => head.resume_hash.0.ct_eq(hash).into(),
        }
    }
}

impl DynamoStore {
    /// [`crate::store::Messages::append`]; with a pass [`crate::store::Messages::append_from`] or
    /// [`crate::store::Messages::append_by_token`].
    pub(super) async fn store_message(
        &self,
        message: &Message,
        rate: Option<Rate>,
        pass: Option<Pass<'_>>,
    ) -> StoreResult<Option<Appended>> {
        let id = &message.conversation_id;
        let mut turn = self.turn(id).await?;
        let mut aside = Vec::new();
        loop {
            let Some(mut next) = turn.next(self).await? else {
                // The conversation was erased meanwhile, perhaps before this was written.
                self.remove_all(&aside).await?;
                self.heads.forget(id);
                return Ok(pass.is_none().then_some(Appended::NotFound));
            };
            if pass.as_ref().is_some_and(|pass| !pass.opens(&next)) {
                if turn.is_fresh() {
                    return Ok(None);
                }
                turn.refresh(self).await?;
                continue;
            }
            let (before, waited) = (next.last_activity_at, next.unindexed.is_some());
            match self.judge(&mut next, message, rate).await? {
                Judged::Takes(seq, leaving, item) => {
                    aside.extend(self.put_aside(id, next.rev, &leaving).await?);
                    aside.extend(self.announce(id, waited, &next, message.created_at).await?);
                    // Read while the head is written, at half the price: an admin who comes at this very moment asks for the
                    // list again when it is sure to be complete.
                    let (committed, admins) =
                        join(turn.commit_item(self, &next, item), self.get(&Key::admins(), false)).await;
                    if committed? {
                        drop(turn);
                        return self.stored(before, &next, message, seq, admins).await.map(Some);
                    }
                }
                Judged::Notes(answer) if turn.is_fresh() => {
                    if turn.commit(self, &next).await? {
                        return Ok(Some(answer));
                    }
                }
                Judged::Refuses(answer) if turn.is_fresh() => return Ok(Some(answer)),
                Judged::Refuses(_) | Judged::Notes(_) => turn.refresh(self).await?,
            }
        }
    }

    async fn judge(&self, head: &mut Head, message: &Message, rate: Option<Rate>) -> StoreResult<Judged> {
        let found = self.find(&message.conversation_id, head, &text(&message.client_id)).await?;
        if let Some(first) = found {
            return Ok(Judged::Refuses(Appended::Duplicate(first)));
        }
        if head.state != State::Open {
            return Ok(Judged::Refuses(Appended::Closed));
        }
        let full_at = head.full_at;
        if let Some(rate) = rate
            && let Taken::Denied { retry_after_ms } = head.take(rate, message.created_at)
        {
            let answer = Appended::RateLimited { retry_after_ms };
            let noted = head.full_at != full_at;
            return Ok(if noted { Judged::Notes(answer) } else { Judged::Refuses(answer) });
        }
        head.prune(message.created_at);
        let (seq, aside, item) = head.append_in_room(message)?;
        Ok(Judged::Takes(seq, aside, item))
    }

    /// Completes what has been stored; `admins` is what was read of their sockets meanwhile.
    async fn stored(
        &self,
        before: Timestamp,
        head: &Head,
        message: &Message,
        seq: i64,
        admins: StoreResult<Option<Item>>,
    ) -> StoreResult<Appended> {
        let (id, now) = (&message.conversation_id, message.created_at);
        self.follow(id, before, head).await;
        let admins = Sockets::read(admins?)?.live(now).map(|(id, _)| id.clone()).collect();
        let audience = Audience { visitor: head.sockets(now), admins };
        let stored =
            head.message(id, seq).ok_or_else(|| super::failure::broken("a message that is not in its head"))?;
        Ok(Appended::Stored { message: stored, audience })
    }
}
