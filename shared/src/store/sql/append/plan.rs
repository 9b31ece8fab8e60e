//! What messages that are stored together become.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Order;
use super::written::{Response, Run, Told};
use crate::event::{EventKind, Lane};
use crate::model::{Activity, Conversation, Message, Sender, Status};
use crate::store::sql::text;
use crate::store::{Appended, Taken};
use crate::time::{MINUTE, Timestamp};
use crate::wire::preview;

/// A conversation as it was read, or as it was left by the message before.
#[derive(Clone)]
pub(super) struct Before {
    pub(super) open: bool,
    pub(super) visitor_name: String,
    pub(super) head_seq: i64,
    pub(super) event_seq: i64,
    pub(super) event_at: i64,
    pub(super) last_activity_at: i64,
    pub(super) full_at: i64,
    pub(super) day: i64,
    pub(super) day_visitor: i64,
    pub(super) day_admin: i64,
    pub(super) waiting_since: Option<i64>,
    pub(super) answers: i64,
    /// The numbers of the messages that are in no [`Run`] yet, on SQLite.
    pub(super) newest: Vec<i64>,
}

impl Before {
    /// Of a conversation that has no message yet.
    pub(super) fn new(one: &Conversation) -> Self {
        Self {
            open: one.status == Status::Open,
            visitor_name: text(&one.visitor_name),
            head_seq: 0,
            event_seq: 1,
            event_at: one.created_at.0,
            last_activity_at: one.last_activity_at.0,
            full_at: 0,
            day: 0,
            day_visitor: 0,
            day_admin: 0,
            waiting_since: None,
            answers: 0,
            newest: Vec::new(),
        }
    }
}

/// A conversation's row as it is to be.
#[derive(Serialize)]
pub(super) struct Moved {
    pub(super) id: String,
    pub(super) before: i64,
    pub(super) full_before: i64,
    pub(super) head_seq: i64,
    pub(super) event_seq: i64,
    pub(super) event_at: i64,
    pub(super) last_activity_at: i64,
    pub(super) last_sender: Option<Sender>,
    pub(super) last_preview: String,
    pub(super) last_created_at: i64,
    pub(super) waiting_since: Option<i64>,
    pub(super) answers: i64,
    /// 0: as it is.
    pub(super) visitor_read: i64,
    pub(super) admin_read: i64,
    pub(super) full_at: i64,
    pub(super) day: i64,
    pub(super) day_visitor: i64,
    pub(super) day_admin: i64,
    #[serde(skip)]
    pub(super) newest: Vec<i64>,
    /// What the indexes hold: the minute and the day.
    #[serde(skip)]
    indexed: (i64, i64),
}

/// A conversation on its way.
pub(super) struct Head {
    /// Not read, so that only a write can tell whether it is still right.
    remembered: bool,
    open: bool,
    visitor_name: String,
    to: Moved,
}

impl Head {
    pub(super) fn new(id: &str, before: Before, remembered: bool) -> Self {
        let to = Moved {
            id: id.to_owned(),
            before: before.event_seq,
            full_before: before.full_at,
            head_seq: before.head_seq,
            event_seq: before.event_seq,
            event_at: before.event_at,
            last_activity_at: before.last_activity_at,
            last_sender: None,
            last_preview: String::new(),
            last_created_at: 0,
            waiting_since: before.waiting_since,
            answers: before.answers,
            visitor_read: 0,
            admin_read: 0,
            full_at: before.full_at,
            day: before.day,
            day_visitor: before.day_visitor,
            day_admin: before.day_admin,
            newest: before.newest,
            indexed: (before.last_activity_at / MINUTE, before.day),
        };
        Self { remembered, open: before.open, visitor_name: before.visitor_name, to }
    }

    /// What the next message finds.
    pub(super) fn after(self) -> (String, Before) {
        let to = self.to;
        let after = Before {
            open: self.open,
            visitor_name: self.visitor_name,
            head_seq: to.head_seq,
            event_seq: to.event_seq,
            event_at: to.event_at,
            last_activity_at: to.last_activity_at,
            full_at: to.full_at,
            day: to.day,
            day_visitor: to.day_visitor,
            day_admin: to.day_admin,
            waiting_since: to.waiting_since,
            answers: to.answers,
            newest: to.newest,
        };
        (to.id, after)
    }

    fn is_moved(&self) -> bool {
        self.to.event_seq > self.to.before
    }
}

/// What became of a message.
pub(super) enum Outcome {
    /// The next of [`Plan::messages`].
    Stored,
    /// The same as one before it.
    Repeats(Message),
    /// The same as one that was stored long ago, at this place.
    RepeatsSeq(i64),
    Refused(Appended),
}

/// Everything that is to be written.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) heads: BTreeMap<String, Head>,
    /// Places of what had been stored before, by conversation and `client_id`.
    pub(super) stored: BTreeMap<(String, String), i64>,
    /// Counts of earlier days: day, conversation, its visitor's and its admins' messages.
    pub(super) days: Vec<(i64, String, i64, i64)>,
    /// Something was refused for what was only remembered.
    pub(super) doubtful: bool,
    /// The number of the last message, where that decides on the next one's: on SQLite.
    pub(super) last_number: Option<i64>,
    pub(super) messages: Vec<Message>,
    /// Of the messages, likewise.
    pub(super) numbers: Vec<i64>,
    pub(super) runs: Vec<Run>,
    pub(super) events: Vec<Told>,
    pub(super) responses: Vec<Response>,
    pub(super) lines: Vec<Activity>,
}

impl Plan {
    /// Takes the next message in.
    pub(super) fn take(&mut self, order: &Order) -> Outcome {
        let draft = &order.message;
        let (id, client_id) = (text(&draft.conversation_id), text(&draft.client_id));
        let Some(head) = self.heads.get_mut(&id) else { return Outcome::Refused(Appended::NotFound) };
        let same = |one: &&Message| one.conversation_id == id && one.client_id == client_id;
        if let Some(first) = self.messages.iter().find(same) {
            return Outcome::Repeats(first.clone());
        }
        if !self.stored.is_empty()
            && let Some(seq) = self.stored.get(&(id.clone(), client_id.clone()))
        {
            return Outcome::RepeatsSeq(*seq);
        }
        if !head.open {
            return Outcome::Refused(Appended::Closed);
        }
        let to = &mut head.to;
        if let Some(rate) = order.rate {
            let (taken, full_at) = rate.take(Timestamp(to.full_at), draft.created_at);
            to.full_at = full_at.0;
            if let Taken::Denied { retry_after_ms } = taken {
                self.doubtful |= head.remembered;
                return Outcome::Refused(Appended::RateLimited { retry_after_ms });
            }
        }
        let author = match draft.sender {
            Sender::Visitor => head.visitor_name.clone(),
            Sender::Admin | Sender::System => text(&draft.author),
        };
        let seq = to.head_seq + 1;
        let message = Message {
            id: Message::id_at(&id, seq),
            conversation_id: id,
            client_id,
            seq,
            sender: draft.sender,
            via: draft.via,
            author,
            message_type: draft.message_type,
            content: text(&draft.content),
            created_at: draft.created_at,
            edited_at: draft.edited_at,
            file: draft.file.clone(),
            reaction: draft.reaction.clone(),
        };
        self.days.extend(to.count(&message));
        self.responses.extend(to.answer(&message));
        to.advance(&message);
        if let Some(number) = &mut self.last_number {
            *number += 1;
            self.numbers.push(*number);
            self.runs.extend(to.stands_at(*number));
        }
        let lanes = order.lanes.iter().filter(|lane| lane.takes(EventKind::MessageStored));
        self.events.extend(lanes.map(|lane| to.told(*lane)));
        self.lines.extend(order.line.as_ref().map(|line| line.of(seq)));
        self.messages.push(message);
        Outcome::Stored
    }

    /// The conversations that have a new message, in the order in which they are to be locked.
    pub(super) fn moved(&self) -> Vec<&Moved> {
        self.heads.values().filter(|head| head.is_moved()).map(|head| &head.to).collect()
    }

    /// Buckets that refused something and are to remember it: the conversation, the bucket before and now.
    pub(super) fn emptied(&self) -> impl Iterator<Item = (&str, i64, i64)> {
        let still = self.heads.values().filter(|head| !head.is_moved()).map(|head| &head.to);
        still.filter(|to| to.full_at != to.full_before).map(|to| (to.id.as_str(), to.full_before, to.full_at))
    }
}

impl Moved {
    /// Whether the conversation has another place in an index.
    pub(super) fn moves_in_indexes(&self) -> bool {
        self.indexed != (self.last_activity_at / MINUTE, self.day)
    }

    /// Counts a message on its day; answers the counts of the day before, which are to be put aside. A note of the system
    /// counts on no day.
    fn count(&mut self, message: &Message) -> Option<(i64, String, i64, i64)> {
        let day = message.created_at.day();
        let (visitor, admin) = match message.sender {
            Sender::Visitor => (1, 0),
            Sender::Admin => (0, 1),
            Sender::System => return None,
        };
        let aside = (self.day, self.id.clone(), self.day_visitor, self.day_admin);
        let changes = self.day != day;
        if changes {
            (self.day, self.day_visitor, self.day_admin) = (day, 0, 0);
        }
        self.day_visitor += visitor;
        self.day_admin += admin;
        (changes && aside.2 + aside.3 > 0).then_some(aside)
    }

    /// The wait that an admin's message ends, if somebody waited.
    fn answer(&mut self, message: &Message) -> Option<Response> {
        if message.sender != Sender::Admin {
            return None;
        }
        let since = self.waiting_since.take()?;
        self.answers += 1;
        Some(Response {
            day: message.created_at.day(),
            conversation_id: self.id.clone(),
            seq: message.seq,
            milliseconds: message.created_at.since(Timestamp(since)).max(0),
            first: i64::from(self.answers == 1),
        })
    }

    fn advance(&mut self, message: &Message) {
        let at = message.created_at.0;
        self.head_seq = message.seq;
        self.event_seq += 1;
        self.event_at = self.event_at.max(at);
        self.last_activity_at = self.last_activity_at.max(at);
        self.last_sender = Some(message.sender);
        self.last_preview = preview(&message.content);
        self.last_created_at = at;
        match message.sender {
            Sender::Visitor => {
                self.waiting_since = self.waiting_since.or(Some(at));
                self.visitor_read = message.seq;
            }
            Sender::Admin => self.admin_read = message.seq,
            Sender::System => {}
        }
    }

    /// Notes where the newest message stands; answers the run that it makes complete.
    fn stands_at(&mut self, number: i64) -> Option<Run> {
        self.newest.push(number);
        (self.head_seq % Run::LENGTH == 0).then(|| Run {
            conversation_id: self.id.clone(),
            position: self.head_seq / Run::LENGTH - 1,
            numbers: std::mem::take(&mut self.newest),
        })
    }

    /// The event that tells of the newest message.
    fn told(&self, lane: Lane) -> Told {
        Told {
            lane: lane.as_str(),
            conversation_id: self.id.clone(),
            position: self.event_seq,
            kind: EventKind::MessageStored,
            seq: self.head_seq,
            at: self.event_at,
        }
    }
}
