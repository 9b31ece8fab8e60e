//! A conversation's head: its state, its newest messages, and every rule that changes them. Nothing here waits for anything;
//! [`super::change`] makes a change durable.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::claims::Claimed;
use super::codec::Kept;
use super::day::Counts;
use super::enter::Unindexed;
use super::item::{Bytes, maybe_millis, millis, text};
use crate::event::EventKind;
use crate::model::{Conversation, LastMessage, Message, Reader, Sender, Status};
use crate::rate_limit::Rate;
use crate::store::{NewConversation, Taken};
use crate::time::Timestamp;
use crate::wire::preview;

/// The most messages of a tail, and so of an archive item.
pub(super) const TAIL: usize = 16;
/// For so many archived messages the head itself remembers the `client_id`.
pub(super) const MARKS: usize = 128;
/// A head remembers who wrote its last changes, so that a lost answer is found although others wrote meanwhile.
const WRITERS: usize = 3;

/// The item `HEAD`. Its names are short because they count: an item of at most 1 KB costs one write unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "`head_seq` is the contract's term")]
pub(super) struct Head {
    /// Counts its changes; every change is on condition that it is still the one that was seen.
    #[serde(rename = "r")]
    pub(super) rev: i64,
    /// Random numbers of the attempts that made the last changes, newest first.
    #[serde(rename = "b")]
    pub(super) by: Vec<Bytes>,
    #[serde(rename = "s", default, skip_serializing_if = "State::is_open")]
    pub(super) state: State,
    #[serde(rename = "w", default)]
    pub(super) site: String,
    #[serde(rename = "n", default)]
    pub(super) visitor_name: String,
    #[serde(rename = "c", with = "millis")]
    pub(super) created_at: Timestamp,
    #[serde(rename = "a", with = "millis")]
    pub(super) last_activity_at: Timestamp,
    #[serde(rename = "h", default, skip_serializing_if = "is_zero")]
    pub(super) head_seq: i64,
    #[serde(rename = "v", default, skip_serializing_if = "is_zero")]
    pub(super) visitor_read: i64,
    #[serde(rename = "m", default, skip_serializing_if = "is_zero")]
    pub(super) admin_read: i64,
    #[serde(rename = "u", default, with = "maybe_millis", skip_serializing_if = "Option::is_none")]
    pub(super) waiting_since: Option<Timestamp>,
    #[serde(rename = "g", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<String>,
    /// Hash of the resume token.
    #[serde(rename = "t", default, skip_serializing_if = "Bytes::is_empty")]
    pub(super) resume_hash: Bytes,
    /// The visitor's sockets, and when each is dead whatever the platform said (milliseconds).
    #[serde(rename = "k", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) conns: BTreeMap<String, i64>,
    /// When the bucket of the visitor's messages is full again (milliseconds).
    #[serde(rename = "f", default, skip_serializing_if = "is_zero")]
    pub(super) full_at: i64,
    /// The newest messages; the last one's place is `head_seq`.
    #[serde(rename = "l", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tail: Vec<Kept>,
    /// The highest place that is archived.
    #[serde(rename = "z", default, skip_serializing_if = "is_zero")]
    pub(super) archived: i64,
    /// Two bytes of the hash of each `client_id` of the newest archived messages, in their order.
    #[serde(rename = "x", default, skip_serializing_if = "Bytes::is_empty")]
    pub(super) marks: Bytes,
    /// What was counted on the latest day.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub(super) counts: Option<Counts>,
    /// How many waits admins have ended so far.
    #[serde(rename = "y", default, skip_serializing_if = "is_zero")]
    pub(super) answers: i64,
    #[serde(rename = "C", default, skip_serializing_if = "Option::is_none")]
    pub(super) claimed: Option<Claimed>,
    /// The private chat in which the visitor goes on.
    #[serde(rename = "V", default, skip_serializing_if = "Option::is_none")]
    pub(super) visitor_chat: Option<i64>,
    /// How many notes there are.
    #[serde(rename = "N", default, skip_serializing_if = "is_zero")]
    pub(super) notes: i64,
    /// What the index does not have; absent when it has everything.
    #[serde(rename = "I", default, skip_serializing_if = "Option::is_none")]
    pub(super) unindexed: Option<Unindexed>,
    /// The newest event's place.
    #[serde(rename = "p")]
    pub(super) event_seq: i64,
    /// The newest event's time, which never goes back.
    #[serde(rename = "o", with = "millis")]
    pub(super) event_at: Timestamp,
    /// 1 if the change that wrote this is an event. Only such changes invoke a function.
    #[serde(rename = "e", default, skip_serializing_if = "is_zero")]
    pub(super) is_event: i64,
    /// The event, if it is one.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<EventKind>,
    /// The message, note or topic that it is about; 0 if about none.
    #[serde(rename = "j", default, skip_serializing_if = "is_zero")]
    pub(super) about: i64,
    /// When the tail of a deleted conversation was written: some items of it are found by that (milliseconds).
    #[serde(rename = "q", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) times: Vec<i64>,
}

/// Whether a conversation takes messages, or is about to be gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    #[default]
    #[serde(rename = "o")]
    Open,
    #[serde(rename = "c")]
    Closed,
    #[serde(rename = "d")]
    Deleted,
}

impl State {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over like this")]
    fn is_open(&self) -> bool {
        *self == Self::Open
    }
}

impl From<Status> for State {
    fn from(status: Status) -> Self {
        match status {
            Status::Open => Self::Open,
            Status::Closed => Self::Closed,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over like this")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Head {
    /// The head of a conversation that begins, with its event.
    pub(super) fn begin(new: &NewConversation) -> Self {
        let one = &new.conversation;
        Self {
            rev: 1,
            by: Vec::new(),
            state: one.status.into(),
            site: text(&one.site),
            visitor_name: text(&one.visitor_name),
            created_at: one.created_at,
            last_activity_at: one.last_activity_at,
            head_seq: 0,
            visitor_read: 0,
            admin_read: 0,
            waiting_since: None,
            tags: Vec::new(),
            resume_hash: Bytes(unhex(&new.resume_hash)),
            conns: BTreeMap::new(),
            full_at: 0,
            tail: Vec::new(),
            archived: 0,
            marks: Bytes::default(),
            counts: None,
            answers: 0,
            claimed: None,
            visitor_chat: None,
            notes: 0,
            unindexed: Some(Unindexed::all()),
            event_seq: 1,
            event_at: one.created_at,
            is_event: 1,
            kind: Some(EventKind::ConversationOpened),
            about: 0,
            times: Vec::new(),
        }
    }

    /// Whether the conversation is there for others.
    pub(super) fn lives(&self) -> bool {
        self.state != State::Deleted
    }

    /// Whether the attempt with this number made one of the last changes.
    pub(super) fn was_written_by(&self, writer: &Bytes) -> bool {
        self.by.contains(writer)
    }

    /// What the next change begins with.
    pub(super) fn next(mut self, writer: Bytes) -> Self {
        self.rev += 1;
        self.by.insert(0, writer);
        self.by.truncate(WRITERS);
        (self.is_event, self.kind, self.about) = (0, None, 0);
        self
    }

    /// Makes this change an event.
    pub(super) fn tell(&mut self, kind: EventKind, about: i64, at: Timestamp) {
        self.event_seq += 1;
        self.event_at = self.event_at.max(at);
        (self.is_event, self.kind, self.about) = (1, Some(kind), about);
    }

    fn touch(&mut self, at: Timestamp) {
        self.last_activity_at = self.last_activity_at.max(at);
    }

    /// Drops sockets that are dead.
    pub(super) fn prune(&mut self, now: Timestamp) {
        self.conns.retain(|_, expires_at| *expires_at > now.0);
    }

    /// The visitor's live sockets.
    pub(super) fn sockets(&self, now: Timestamp) -> Vec<String> {
        self.conns.iter().filter(|(_, expires_at)| **expires_at > now.0).map(|(id, _)| id.clone()).collect()
    }

    /// The place of the tail's first message.
    pub(super) fn tail_begins(&self) -> i64 {
        self.head_seq + 1 - i64::try_from(self.tail.len()).unwrap_or(0)
    }

    /// The tail with its places.
    pub(super) fn places(&self) -> impl Iterator<Item = (i64, &Kept)> {
        (self.tail_begins()..).zip(&self.tail)
    }

    /// A message of the tail as others see it.
    pub(super) fn message(&self, conversation_id: &str, seq: i64) -> Option<Message> {
        let (seq, kept) = self.places().find(|(place, _)| *place == seq)?;
        Some(kept.message(conversation_id, &self.visitor_name, seq))
    }

    /// The place of the message of the tail with this `client_id`.
    pub(super) fn in_tail(&self, client_id: &str) -> Option<i64> {
        self.places().find(|(_, kept)| kept.client_id == client_id).map(|(seq, _)| seq)
    }

    /// Takes a token for a visitor's message.
    pub(super) fn take(&mut self, rate: Rate, now: Timestamp) -> Taken {
        let (taken, full_at) = rate.take(Timestamp(self.full_at), now);
        self.full_at = full_at.0;
        taken
    }

    /// Adds a message to the tail, with everything that follows from it. Answers its place.
    pub(super) fn append(&mut self, message: &Message) -> i64 {
        let at = message.created_at;
        self.unindexed.get_or_insert(Unindexed::after(self.head_seq));
        self.head_seq += 1;
        self.tail.push(Kept::new(message));
        self.touch(at);
        self.tell(EventKind::MessageStored, self.head_seq, at);
        match message.sender {
            Sender::Visitor => {
                self.count(at).visitor += 1;
                self.waiting_since.get_or_insert(at);
                self.visitor_read = self.head_seq;
            }
            Sender::Admin => {
                self.count(at).admin += 1;
                self.admin_read = self.head_seq;
                if let Some(since) = self.waiting_since.take() {
                    self.answers += 1;
                    let first = self.answers == 1;
                    self.count(at).answered(at.since(since).max(0), first);
                }
            }
            Sender::System => {}
        }
        self.head_seq
    }

    fn count(&mut self, at: Timestamp) -> &mut Counts {
        let begins = || Counts::begin(at.day(), self.head_seq);
        self.counts.get_or_insert_with(begins)
    }

    fn kept(&mut self, seq: i64) -> Option<&mut Kept> {
        let index = seq.checked_sub(self.tail_begins()).and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| self.tail.get_mut(index))
    }

    /// Sets or takes away the reaction to a message of the tail; answers whether that changed anything. `None`: it is not there.
    pub(super) fn react(&mut self, seq: i64, reaction: Option<&str>) -> Option<bool> {
        self.kept(seq).map(|kept| kept.react(reaction))
    }

    /// Replaces a text of the tail. `false`: it is not there.
    pub(super) fn edit(&mut self, seq: i64, content: &str, now: Timestamp) -> bool {
        let Some(kept) = self.kept(seq) else { return false };
        (kept.content, kept.edited_at) = (text(content), Some(now));
        self.reword(seq);
        self.tell(EventKind::MessageEdited, seq, now);
        true
    }

    /// Closes or reopens. `false`: it was so before.
    pub(super) fn set_status(&mut self, status: Status, now: Timestamp) -> bool {
        if self.state == status.into() {
            return false;
        }
        self.state = status.into();
        self.touch(now);
        let kind = match status {
            Status::Open => EventKind::ConversationReopened,
            Status::Closed => EventKind::ConversationClosed,
        };
        if status == Status::Closed {
            self.waiting_since = None;
        }
        self.tell(kind, 0, now);
        true
    }

    /// Moves a read mark forward; answers where it is now, if it moved.
    pub(super) fn mark_read(&mut self, reader: Reader, seq: i64) -> Option<i64> {
        let to = seq.min(self.head_seq);
        let mark = match reader {
            Reader::Visitor => &mut self.visitor_read,
            Reader::Admin => &mut self.admin_read,
        };
        (*mark < to).then(|| {
            *mark = to;
            to
        })
    }

    /// Adds a tag. `false`: it was there.
    pub(super) fn add_tag(&mut self, tag: &str) -> bool {
        let Err(place) = self.tags.binary_search_by(|one| one.as_str().cmp(tag)) else { return false };
        self.tags.insert(place, tag.to_owned());
        true
    }

    /// Takes a tag away. `false`: it was not there.
    pub(super) fn remove_tag(&mut self, tag: &str) -> bool {
        let before = self.tags.len();
        self.tags.retain(|one| one != tag);
        self.tags.len() < before
    }

    /// Marks the conversation as gone, which had this topic in Telegram. What is kept is needed to take away the rest of it.
    pub(super) fn delete(&mut self, thread_id: Option<i64>, now: Timestamp) {
        self.tell(EventKind::ConversationDeleted, thread_id.unwrap_or(0), now);
        self.state = State::Deleted;
        self.times = self.tail.iter().map(|kept| kept.created_at.0).collect();
        (self.site, self.visitor_name) = (String::new(), String::new());
        (self.tail, self.counts, self.marks, self.unindexed) = (Vec::new(), None, Bytes::default(), None);
        (self.resume_hash, self.waiting_since, self.claimed) = (Bytes::default(), None, None);
    }

    /// The conversation as others see it, but for the particulars.
    pub(super) fn conversation(&self, conversation_id: &str, now: Timestamp) -> Conversation {
        Conversation {
            conversation_id: conversation_id.to_owned(),
            site: self.site.clone(),
            visitor_name: self.visitor_name.clone(),
            locale: None,
            page_url: None,
            referrer: None,
            user_agent: None,
            country: None,
            address: None,
            status: if self.state == State::Open { Status::Open } else { Status::Closed },
            created_at: self.created_at,
            last_activity_at: self.last_activity_at,
            last_message: self.tail.last().map(|kept| LastMessage {
                seq: self.head_seq,
                sender: kept.sender,
                preview: preview(&kept.content),
                created_at: kept.created_at,
            }),
            head_seq: self.head_seq,
            visitor_read: self.visitor_read,
            admin_read: self.admin_read,
            waiting_since: self.waiting_since,
            tags: self.tags.clone(),
            claim: self.claimed.as_ref().map(Claimed::claim),
            visitor_chat_id: self.visitor_chat,
            online: self.conns.values().any(|expires_at| *expires_at > now.0),
        }
    }
}

/// The bytes of a hash in hex; whatever is none is kept as it is and matches nothing but itself.
pub(super) fn unhex(hash: &str) -> Vec<u8> {
    HEXLOWER.decode(hash.as_bytes()).unwrap_or_else(|_| hash.as_bytes().to_vec())
}
