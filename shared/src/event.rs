//! What happened, as the store tells the notifier: ids and a version, never the text.

pub mod stream;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// The version that [`Event::v`] carries now.
pub const EVENT_VERSION: u8 = 1;

/// One committed fact. On SQL a row of the outbox, written in the transaction of the fact; on DynamoDB a stream record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Format of this value, [`EVENT_VERSION`].
    pub v: u8,
    /// What happened.
    pub kind: EventKind,
    /// Where.
    pub conversation_id: String,
    /// Which message or note, for the kinds that are about one; of a conversation that is gone, its topic in Telegram; 0
    /// otherwise.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
}

/// The kinds of [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A visitor joined: a conversation began.
    ConversationOpened,
    /// A message was stored.
    MessageStored,
    /// A message's text was changed.
    MessageEdited,
    /// A conversation was closed by either side.
    ConversationClosed,
    /// A closed conversation was opened again.
    ConversationReopened,
    /// A conversation and everything of it was erased.
    ConversationDeleted,
    /// Somebody took a conversation on.
    ConversationClaimed,
    /// Nobody has it any more.
    ConversationReleased,
    /// A note was added.
    NoteAdded,
}

/// A queue of the outbox. Each is drained on its own, so that a dead Telegram never keeps files from being erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Erases the files of conversations that were deleted.
    Files,
    /// Mirrors to Telegram; filled only when Telegram is configured.
    Telegram,
}

impl Lane {
    /// The name that the outbox stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Telegram => "telegram",
        }
    }

    /// Whether an event of `kind` goes into this lane.
    pub fn takes(self, kind: EventKind) -> bool {
        match self {
            Self::Files => kind == EventKind::ConversationDeleted,
            Self::Telegram => true,
        }
    }
}
