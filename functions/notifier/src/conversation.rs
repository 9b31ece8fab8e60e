//! What waits of one conversation, brought to both its places in Telegram: the operators' chat, and the private chat of a
//! visitor who went on there. Each place keeps its own mark of what is there, so that neither waits for the other, and
//! nothing comes twice where one of them failed.

use std::collections::BTreeMap;

use shared::event::EventKind;
use shared::model::{Conversation, Message};
use shared::store::{Pending, StoreError, TelegramMirror};
use shared::telegram::TelegramError;
use shared::telegram::chat::Gate;
use shared::telegram::text::Text;
use shared::time::Timestamp;
use shared::{App, Error};

use crate::fetch::{self, Awaited};
use crate::{erased, group, status, visitor};

/// So many lines are repeated where a conversation gets a new place.
const REPLAYED: i64 = 20;

/// Why something waits.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Nothing goes to Telegram before this.
    Everything(Timestamp),
    /// Nothing goes to the operators' chat before this: it is paused, or its limits are reached.
    Group { until: Timestamp, paused: bool },
    /// This conversation waits, and no other.
    Alone(Timestamp),
    /// Something that is this conversation's own.
    Failed(Error),
}

/// What came of it: how many of the events are done, and why the others are not.
pub(crate) struct Outcome {
    pub(crate) done: usize,
    pub(crate) stops: Vec<Stop>,
    /// The file for which the first of those events waits that are not done.
    pub(crate) awaited: Option<Awaited>,
}

impl Outcome {
    /// Of events that wait for no file.
    pub(crate) fn new(done: usize, stops: Vec<Stop>) -> Self {
        Self { done, stops, awaited: None }
    }
}

/// Events that are told together: all messages in a row are one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit {
    pub(crate) kind: EventKind,
    /// Which message or note; of several messages the last.
    pub(crate) seq: i64,
    /// The place of the last event.
    pub(crate) position: i64,
}

/// Why a call or a save brought nothing, where that concerns a place as a whole.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Telegram's answer, or what the rules say of it.
    Telegram(TelegramError),
    /// The store.
    Store(Error),
    /// The conversation has been erased meanwhile.
    Gone,
    /// What was written a moment ago is joined by what comes before this.
    Hold(Timestamp),
}

impl From<TelegramError> for Trouble {
    fn from(error: TelegramError) -> Self {
        match error {
            TelegramError::Store(error) => Self::Store(error.into()),
            error => Self::Telegram(error),
        }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error.into())
    }
}

/// One conversation at work.
pub(crate) struct Work<'a, 'g> {
    pub(crate) app: &'a App,
    pub(crate) gate: &'a mut Gate<'g>,
    pub(crate) conversation: &'a Conversation,
    pub(crate) mirror: TelegramMirror,
    /// Whether something has just arrived in the operators' chat.
    pub(crate) has_posted: bool,
    /// Before this the topic cannot be made to look as it should.
    pub(crate) untrimmed_until: Option<Timestamp>,
    /// As the store has it.
    saved: TelegramMirror,
    /// The places of the messages that were read, and the messages of those that have a file.
    read: BTreeMap<i64, Option<Message>>,
}

impl Work<'_, '_> {
    /// Stores the mirror as it is now.
    pub(crate) async fn save(&mut self) -> Result<(), Trouble> {
        if !self.app.store.save_mirror(&self.mirror).await? {
            return Err(Trouble::Gone);
        }
        self.saved.clone_from(&self.mirror);
        Ok(())
    }

    /// Stores what the last [`Self::save`] did not. The places of events matter only where some of them come again.
    async fn keep(&mut self, with_places: bool) -> Result<(), Error> {
        if !with_places {
            self.saved.position = self.mirror.position;
            if let (Some(saved), Some(visitor)) = (&mut self.saved.visitor, &self.mirror.visitor) {
                saved.position = visitor.position;
            }
        }
        if self.saved != self.mirror {
            self.app.store.save_mirror(&self.mirror).await?;
        }
        Ok(())
    }

    /// The first messages with `after < seq < before`.
    pub(crate) async fn messages(&mut self, after: i64, before: i64) -> Result<Vec<Message>, Trouble> {
        const AT_ONCE: i64 = 100;
        let id = &self.conversation.conversation_id;
        let messages = self.app.store.messages(id, after, before, false, AT_ONCE).await?;
        let with_file = |message: &Message| message.file.is_some().then(|| message.clone());
        self.read.extend(messages.iter().map(|message| (message.seq, with_file(message))));
        Ok(messages)
    }

    /// The last messages up to `seq`, as somebody is shown them who comes to the conversation there.
    pub(crate) async fn lines_before(&self, seq: i64) -> Result<Vec<Message>, Trouble> {
        let id = &self.conversation.conversation_id;
        Ok(self.app.store.messages(id, 0, seq + 1, true, REPLAYED).await?)
    }

    /// A text for the team.
    pub(crate) fn text(&self, key: &str, values: &[(&str, &str)]) -> Text {
        Text::plain(self.app.catalogue.text(None, key, values))
    }
}

/// Brings a conversation's events to where they belong. While the operators' chat is blocked, only to the other place.
pub(crate) async fn deliver(
    app: &App,
    gate: &mut Gate<'_>,
    waiting: &[Pending],
    group_blocked: Option<(Timestamp, bool)>,
    alone: bool,
) -> Outcome {
    match try_deliver(app, gate, waiting, group_blocked, alone).await {
        Ok(outcome) => outcome,
        Err(error) => Outcome::new(0, vec![Stop::Failed(error)]),
    }
}

async fn try_deliver(
    app: &App,
    gate: &mut Gate<'_>,
    waiting: &[Pending],
    group_blocked: Option<(Timestamp, bool)>,
    alone: bool,
) -> Result<Outcome, Error> {
    let id = &waiting[0].event.conversation_id;
    let Some(conversation) = app.store.conversation(id, app.now()).await? else {
        if waiting.iter().any(|pending| pending.event.kind == EventKind::ConversationDeleted) {
            crate::erase(app, id).await?;
        }
        return Ok(erased::deliver(app, gate, waiting, group_blocked).await);
    };
    let units = units(waiting);
    let mirror = match app.store.mirror(id).await? {
        Some(mirror) => mirror,
        None => first_mirror(app, gate.chat_id, &conversation, waiting).await?,
    };
    let mut work = Work {
        app,
        gate,
        conversation: &conversation,
        has_posted: false,
        untrimmed_until: None,
        saved: mirror.clone(),
        mirror,
        read: BTreeMap::new(),
    };
    let mut stops = Vec::new();
    let mut done = i64::MAX;

    let group = match group_blocked {
        Some((until, paused)) => Err(Stop::Group { until, paused }),
        None => group::run(&mut work, &units, alone).await.map_err(|trouble| stop(trouble, app.now(), true)),
    };
    if let Err(stop) = group {
        status::hindered(&mut work, &stop).await?;
        done = work.mirror.position;
        stops.push(stop);
    }
    if let (Some(until), Some(last)) = (work.untrimmed_until, waiting.last()) {
        done = done.min(last.position - 1);
        stops.push(Stop::Alone(until));
    }
    if let Some(chat_id) = conversation.visitor_chat_id
        && let Err(trouble) = visitor::run(&mut work, chat_id, &units).await
    {
        done = done.min(work.mirror.visitor.as_ref().map_or(0, |visitor| visitor.position));
        stops.push(stop(trouble, app.now(), false));
    }
    let done = waiting.iter().take_while(|pending| pending.position <= done).count();
    let awaited = fetch::first(app, &waiting[..done], &work.read).await?;
    work.keep(!stops.is_empty() || awaited.is_some()).await?;
    Ok(Outcome { done: awaited.as_ref().map_or(done, |awaited| awaited.index), stops, awaited })
}

/// Of a conversation that an earlier Parley mirrored, or that is older than the bot, what was said before counts as sent.
async fn first_mirror(
    app: &App,
    chat_id: i64,
    conversation: &Conversation,
    waiting: &[Pending],
) -> Result<TelegramMirror, Error> {
    let conversation_id = conversation.conversation_id.clone();
    let is_announced = !app.store.links_of(&conversation_id, chat_id, 1).await?.is_empty();
    let sent_seq = match waiting.iter().find(|pending| pending.event.kind == EventKind::MessageStored) {
        Some(pending) => pending.event.seq - 1,
        // What it has by now came after its beginning, and waits elsewhere.
        None if waiting[0].event.kind == EventKind::ConversationOpened => 0,
        None => conversation.head_seq,
    };
    Ok(TelegramMirror { conversation_id, chat_id, is_announced, sent_seq, ..TelegramMirror::default() })
}

fn units(waiting: &[Pending]) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for Pending { event, position, .. } in waiting {
        let unit = Unit { kind: event.kind, seq: event.seq, position: *position };
        match units.last_mut() {
            Some(last) if last.kind == EventKind::MessageStored && unit.kind == last.kind => *last = unit,
            _ => units.push(unit),
        }
    }
    units
}

pub(crate) fn stop(trouble: Trouble, now: Timestamp, in_group: bool) -> Stop {
    match trouble {
        Trouble::Telegram(TelegramError::Paused { until, everywhere: true }) => Stop::Everything(until),
        Trouble::Telegram(TelegramError::Paused { until, .. }) if in_group => Stop::Group { until, paused: true },
        Trouble::Telegram(TelegramError::Paced { until }) if in_group => Stop::Group { until, paused: false },
        Trouble::Telegram(TelegramError::Paused { until, .. } | TelegramError::Paced { until })
        | Trouble::Hold(until) => Stop::Alone(until),
        Trouble::Telegram(error) => Stop::Failed(Error::Unavailable(error.into())),
        Trouble::Store(error) => Stop::Failed(error),
        // Its deletion is the next that comes.
        Trouble::Gone => Stop::Alone(now),
    }
}
