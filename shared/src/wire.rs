//! How things look outside: the frames and items of protocol sections 1–4.

mod input;

pub use input::{Incoming, MessageText, client_id, display_name, optional_text, require, site, tag};

use serde::{Deserialize, Serialize, Serializer};

use crate::error::Error;
use crate::model::{Conversation, LastMessage, Message, Note, Reader, Sender, Status};
use crate::time::Timestamp;

/// Messages of one `history` frame: at most so many …
pub const HISTORY_MESSAGES: i64 = 50;
/// … and at most so many bytes, so that the frame fits into API Gateway's 128 KiB with room to spare.
pub const HISTORY_BYTES: usize = 96 * 1024;
/// A frame from a client may have so many bytes (API Gateway's limit of one WebSocket frame).
pub const FRAME_BYTES: usize = 32 * 1024;
/// Characters of a preview.
pub const PREVIEW_CHARACTERS: usize = 140;

/// How far each side has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Read {
    /// The visitor's mark.
    pub visitor: i64,
    /// The team's mark.
    pub admin: i64,
}

/// A frame from the server.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Outgoing<'a> {
    /// Answers `join`.
    Joined(&'a Joined),
    /// Answers `resume` and `history`.
    History(&'a History),
    /// A stored message.
    Message(&'a Message),
    /// A message whose text changed.
    MessageEdited(&'a Message),
    /// A message was answered with an emoji, or no longer is.
    MessageReaction {
        /// Where.
        conversation_id: &'a str,
        /// Which.
        seq: i64,
        /// One emoji.
        reaction: Option<&'a str>,
    },
    /// A note was added; for admins only.
    NoteAdded {
        /// Where.
        conversation_id: &'a str,
        /// The note.
        note: &'a Note,
    },
    /// What hinders a conversation's mirror in Telegram, or no longer does; for admins only.
    TelegramStatus {
        /// Where.
        conversation_id: &'a str,
        /// How far it is mirrored.
        #[serde(flatten)]
        status: &'a TelegramStatus,
    },
    /// Something that admins have to mend, or that has been mended.
    Alert {
        /// What it is.
        alert: Option<&'a Alert>,
    },
    /// Somebody writes.
    Typing {
        /// Where.
        conversation_id: &'a str,
        /// Who.
        sender: Sender,
    },
    /// A read mark moved.
    Read {
        /// Where.
        conversation_id: &'a str,
        /// Whose.
        reader: Reader,
        /// To where.
        seq: i64,
    },
    /// Somebody came or went: `conversation_id` and `online` for admins, `admins_online` for visitors.
    Presence {
        /// Whose visitor.
        #[serde(skip_serializing_if = "Option::is_none")]
        conversation_id: Option<&'a str>,
        /// Whether the visitor has a live socket.
        #[serde(skip_serializing_if = "Option::is_none")]
        online: Option<bool>,
        /// Sessions with a live socket.
        #[serde(skip_serializing_if = "Option::is_none")]
        admins_online: Option<i64>,
    },
    /// The conversation was ended.
    ConversationClosed {
        /// Which.
        conversation_id: &'a str,
    },
    /// The conversation takes messages again.
    ConversationReopened {
        /// Which.
        conversation_id: &'a str,
    },
    /// The conversation was erased.
    ConversationDeleted {
        /// Which.
        conversation_id: &'a str,
    },
    /// A conversation began.
    ConversationOpened(&'a Item),
    /// A conversation's state or tags changed.
    ConversationUpdated(&'a Item),
    /// Answers `subscribe`.
    Conversations {
        /// The first page.
        items: &'a [Item],
        /// Hands to the next page of `GET /api/admin/conversations`.
        next_cursor: Option<&'a str>,
        /// Sessions with a live socket, and operators that are there without one.
        admins_online: i64,
        /// What has to be mended.
        alert: Option<&'a Alert>,
    },
    /// Answers `ping`.
    Pong {
        /// Of the bound conversation; absent for admins.
        #[serde(skip_serializing_if = "Option::is_none")]
        head_seq: Option<i64>,
        /// The server's time.
        server_time: Timestamp,
    },
    /// Something did not work; the connection stays open.
    Error(ErrorFrame<'a>),
}

/// The `error` frame of protocol section 5.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorFrame<'a> {
    /// The code.
    pub error: &'static str,
    /// One sentence.
    pub detail: String,
    /// The message it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<&'a str>,
    /// When to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<i64>,
    /// Names the log line of an `internal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<&'a str>,
}

impl<'a> ErrorFrame<'a> {
    /// The frame of an error; causes stay behind.
    pub fn new(error: &Error, client_id: Option<&'a str>, request_id: &'a str) -> Self {
        let code = error.code();
        Self {
            error: code,
            detail: error.to_string(),
            client_id,
            retry_after_ms: error.retry_after_ms(),
            request_id: (code == "internal").then_some(request_id),
        }
    }
}

/// How far a conversation is mirrored in Telegram.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TelegramStatus {
    /// Whether Telegram is set up.
    pub enabled: bool,
    /// Every message up to this one has been sent, but for the failures; those behind it are queued.
    pub sent_seq: i64,
    /// Messages that Telegram will never take.
    pub failures: Vec<MirrorFailure>,
    /// No message is sent before this.
    pub paused_until: Option<Timestamp>,
    /// The visitor goes on in a private chat.
    pub in_telegram: bool,
}

/// A message that Telegram will never take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MirrorFailure {
    /// Which.
    pub seq: i64,
    /// Telegram's words.
    pub reason: String,
}

/// Something that admins have to mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// What it is: `telegram_forbidden`, `telegram_rights`, `telegram_chat_not_found`, `telegram_unauthorized`,
    /// `telegram_flood`, `telegram_down`.
    pub code: String,
    /// In words of whoever told it.
    pub detail: String,
    /// Since when.
    pub since: Timestamp,
}

/// `joined`.
#[derive(Clone, Debug, Serialize)]
pub struct Joined {
    /// Names the conversation.
    pub conversation_id: String,
    /// As stored.
    pub visitor_name: String,
    /// The visitor's sole credential, given once.
    pub resume_token: String,
    /// 0.
    pub head_seq: i64,
    /// `MAX_MESSAGE_LEN`.
    pub max_message_len: usize,
    /// Sessions with a live socket, and operators that are there without one.
    pub admins_online: i64,
    /// Whether the visitor can go on in Telegram.
    pub telegram: bool,
}

/// `history`.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the contract")]
pub struct History {
    /// Names the conversation.
    pub conversation_id: String,
    /// As stored.
    pub visitor_name: String,
    /// Whether it takes messages.
    pub status: Status,
    /// Oldest first.
    #[serde(serialize_with = "whole")]
    pub messages: Vec<Message>,
    /// The newest message's `seq`.
    pub head_seq: i64,
    /// There is more in the direction asked for.
    pub has_more: bool,
    /// Read marks.
    pub read: Read,
    /// The asked-for `since` is ahead of the store: forget what you hold.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
    /// `MAX_MESSAGE_LEN`.
    pub max_message_len: usize,
    /// Sessions with a live socket.
    pub admins_online: i64,
    /// Whether the visitor has a live socket.
    pub online: bool,
    /// Whether the visitor can go on in Telegram.
    pub telegram: bool,
}

/// Messages have one shape everywhere, `type` included.
fn whole<S: Serializer>(messages: &[Message], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(messages.iter().map(Outgoing::Message))
}

/// A conversation as lists show it.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    /// Names it.
    pub conversation_id: String,
    /// Its site.
    pub site: String,
    /// The visitor's name.
    pub visitor_name: String,
    /// Whether it takes messages.
    pub status: Status,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last changed.
    pub last_activity_at: Timestamp,
    /// The newest message.
    pub last_message: Option<LastMessage>,
    /// Its `seq`.
    pub head_seq: i64,
    /// `head_seq` minus what admins have read.
    pub unread: i64,
    /// Sorted.
    pub tags: Vec<String>,
    /// Whether the visitor has a live socket.
    pub online: bool,
    /// The oldest visitor message without an answer.
    pub waiting_since: Option<Timestamp>,
    /// Read marks.
    pub read: Read,
    /// The visitor's language.
    pub locale: Option<String>,
    /// The page the visitor wrote from.
    pub page_url: Option<String>,
    /// Where the visitor came from.
    pub referrer: Option<String>,
    /// The visitor's browser.
    pub user_agent: Option<String>,
    /// The visitor's country: two letters of ISO 3166-1.
    pub country: Option<String>,
    /// Who of the team has taken it on.
    pub claimed_by: Option<String>,
    /// Since when.
    pub claimed_at: Option<Timestamp>,
    /// Whether the visitor goes on in a private chat with the bot.
    pub in_telegram: bool,
}

impl From<Conversation> for Item {
    fn from(c: Conversation) -> Self {
        Self {
            unread: (c.head_seq - c.admin_read).max(0),
            read: Read { visitor: c.visitor_read, admin: c.admin_read },
            conversation_id: c.conversation_id,
            site: c.site,
            visitor_name: c.visitor_name,
            status: c.status,
            created_at: c.created_at,
            last_activity_at: c.last_activity_at,
            last_message: c.last_message,
            head_seq: c.head_seq,
            tags: c.tags,
            online: c.online,
            waiting_since: c.waiting_since,
            locale: c.locale,
            page_url: c.page_url,
            referrer: c.referrer,
            user_agent: c.user_agent,
            country: c.country,
            claimed_at: c.claim.as_ref().map(|claim| claim.at),
            claimed_by: c.claim.map(|claim| claim.name),
            in_telegram: c.visitor_chat_id.is_some(),
        }
    }
}

/// The first [`PREVIEW_CHARACTERS`] characters of a text on one line.
pub fn preview(content: &str) -> String {
    if content.len() <= PREVIEW_CHARACTERS && content.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return content.to_owned();
    }
    let end = content.char_indices().nth(PREVIEW_CHARACTERS).map_or(content.len(), |(end, _)| end);
    content[..end].replace(char::is_whitespace, " ")
}

/// The leading (or, from the end, trailing) messages that fit into [`HISTORY_BYTES`]; always at least one.
pub fn fit(mut messages: Vec<Message>, from_the_end: bool) -> Vec<Message> {
    let size = |message: &Message| {
        serde_json::to_vec(&Outgoing::Message(message)).map_or(HISTORY_BYTES, |json| json.len() + 1)
    };
    let count = |sizes: &mut dyn Iterator<Item = usize>| {
        let mut total = 0;
        sizes
            .take_while(|size| {
                total += size;
                total <= HISTORY_BYTES
            })
            .count()
            .max(1)
    };
    if from_the_end {
        let kept = count(&mut messages.iter().rev().map(size)).min(messages.len());
        messages.drain(..messages.len() - kept);
    } else {
        let kept = count(&mut messages.iter().map(size));
        messages.truncate(kept);
    }
    messages
}
