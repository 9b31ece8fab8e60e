//! What there is: conversations, messages, connections, sessions.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// The person on the web page.
    Visitor,
    /// Somebody of the team, in the panel or in Telegram.
    Admin,
    /// Parley itself.
    System,
}

/// The way a message came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// A page or the panel.
    Web,
    /// Telegram.
    Telegram,
    /// Another program, by REST.
    Api,
}

/// What a message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageType {
    /// Text only.
    Text,
    /// A picture.
    Image,
    /// Speech or music.
    Audio,
    /// Any other file.
    File,
}

/// A file that belongs to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// The name people see.
    pub name: String,
    /// Bytes.
    pub size: i64,
    /// Media type.
    pub mime: String,
    /// Where it is served, to the two sides of its conversation: `/files/{conversation_id}/{attachment_id}`.
    pub url: String,
    /// Files that were sent together have this in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub album: Option<String>,
}

/// One message: the shape of protocol section 1, used everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The conversation it belongs to.
    pub conversation_id: String,
    /// Its own id, which the store gives it: [`Message::id_at`] its place.
    pub id: String,
    /// Its place in the conversation: 1, 2, 3 … without a hole.
    pub seq: i64,
    /// Chosen by the sender, unique within the conversation: 1–64 of `[A-Za-z0-9_-]`.
    pub client_id: String,
    /// Who wrote it.
    pub sender: Sender,
    /// The way it came.
    pub via: Via,
    /// The name shown to people.
    pub author: String,
    /// What it holds.
    pub message_type: MessageType,
    /// As typed (NFC, trimmed, no control characters but `\n` and `\t`), never escaped.
    pub content: String,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When its text was last changed.
    pub edited_at: Option<Timestamp>,
    /// The file that goes with it.
    pub file: Option<File>,
    /// What the other side answered it with: one emoji.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaction: Option<String>,
}

impl Message {
    /// The id of the message at a place: where it is to be found, so that no index is needed.
    pub fn id_at(conversation_id: &str, seq: i64) -> String {
        format!("{conversation_id}.{seq}")
    }

    /// The conversation and the place that a message's id tells; `None` for what is no such id.
    pub fn place_of(id: &str) -> Option<(&str, i64)> {
        let (conversation_id, seq) = id.rsplit_once('.')?;
        Some((conversation_id, seq.parse().ok().filter(|seq| *seq > 0)?))
    }
}

/// Whether a conversation takes messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It does.
    Open,
    /// It was ended; it can be reopened by an admin.
    Closed,
}

/// A side of a conversation, as far as reading goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reader {
    /// The visitor.
    Visitor,
    /// The team, as one.
    Admin,
}

/// The newest message as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastMessage {
    /// Its place.
    pub seq: i64,
    /// Who wrote it.
    pub sender: Sender,
    /// At most 140 characters of its text.
    pub preview: String,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// A conversation's head: all that is known of it but its messages and its resume token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Names it; opens nothing.
    pub conversation_id: String,
    /// The site it belongs to, 1–64 of `[a-z0-9-]`.
    pub site: String,
    /// The visitor's name, never empty.
    pub visitor_name: String,
    /// The visitor's language, as a BCP 47 tag.
    pub locale: Option<String>,
    /// The page the visitor wrote from.
    pub page_url: Option<String>,
    /// Where the visitor came from.
    pub referrer: Option<String>,
    /// The visitor's browser.
    pub user_agent: Option<String>,
    /// The country that the front saw the visitor in: two letters of ISO 3166-1.
    pub country: Option<String>,
    /// The address that joined, in the form the limits count; a ban goes by it.
    pub address: Option<String>,
    /// Whether it takes messages.
    pub status: Status,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last changed: joined, message, closed, reopened. Never goes back.
    pub last_activity_at: Timestamp,
    /// The newest message.
    pub last_message: Option<LastMessage>,
    /// The newest message's `seq`; 0 without messages.
    pub head_seq: i64,
    /// The highest `seq` the visitor has read.
    pub visitor_read: i64,
    /// The highest `seq` an admin has read.
    pub admin_read: i64,
    /// The oldest visitor message that no admin has answered, when there is one.
    pub waiting_since: Option<Timestamp>,
    /// Sorted, without repeats.
    pub tags: Vec<String>,
    /// Who of the team has taken it on.
    pub claim: Option<Claim>,
    /// The private chat with the bot in which the visitor goes on.
    pub visitor_chat_id: Option<i64>,
    /// Whether the visitor has a live socket.
    pub online: bool,
}

/// Somebody of the team has taken a conversation on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The name that visitors see as well.
    pub name: String,
    /// Since when.
    pub at: Timestamp,
}

/// A note among the team: visitors never see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The conversation it is about.
    pub conversation_id: String,
    /// Its place among the conversation's notes: 1, 2, 3 …
    pub seq: i64,
    /// Chosen by whoever writes it, unique within the conversation: 1–64 of `[A-Za-z0-9_-]`.
    pub id: String,
    /// Who wrote it.
    pub author: String,
    /// The way it came.
    pub via: Via,
    /// As typed, by the rules of a message's text.
    pub content: String,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// Whether an attachment's bytes are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentState {
    /// They are still to be fetched.
    Waiting,
    /// They are in the attachment store.
    Stored,
    /// They will never come, for this reason.
    Failed(String),
}

/// A file of a conversation, apart from its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The conversation it belongs to.
    pub conversation_id: String,
    /// Random, unguessable.
    pub id: String,
    /// Where it is fetched from: a [`Source`](crate::telegram::media::Source).
    pub source: Option<String>,
    /// The name people see.
    pub name: String,
    /// As the sender said; once it is stored: as its first bytes say.
    pub mime: String,
    /// Bytes.
    pub size: i64,
    /// Whether its bytes are there.
    pub state: AttachmentState,
}

/// Which socket a connection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// `/ws/client`; bound to a conversation by its first `join` or `resume`.
    Visitor {
        /// The conversation, once bound.
        conversation_id: Option<String>,
    },
    /// `/ws/admin`, opened with a ticket of this session.
    Admin {
        /// The session whose end closes the socket.
        session_id: String,
    },
}

/// A live socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// API Gateway's id.
    pub connection_id: String,
    /// Which socket it is.
    pub side: Side,
    /// The client's address, in the form the limits count.
    pub ip: String,
    /// `User-Agent` of the upgrade request.
    pub user_agent: Option<String>,
    /// The country that the front saw it come from.
    pub country: Option<String>,
    /// When it opened.
    pub connected_at: Timestamp,
    /// After this it is dead whatever the platform said: 2 h and 10 min after it opened.
    pub expires_at: Timestamp,
}

/// An admin's login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Names it, in audit rows and connections; opens nothing.
    pub session_id: String,
    /// The name shown as `author`.
    pub name: String,
    /// The address that logged in.
    pub ip: String,
    /// SHA-256 of the `User-Agent` that logged in; a token presented by another is refused.
    pub user_agent_hash: String,
    /// When it began.
    pub created_at: Timestamp,
    /// Absolute end, moved by use.
    pub expires_at: Timestamp,
    /// Last use; the idle limit counts from here.
    pub last_used_at: Timestamp,
    /// When the present token was given out.
    pub rotated_at: Timestamp,
}

/// One line of the audit trail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Sortable id.
    pub id: String,
    /// When.
    pub created_at: Timestamp,
    /// Whose session; absent for a failed login.
    pub session_id: Option<String>,
    /// The name of that session.
    pub name: Option<String>,
    /// The client's address.
    pub ip: String,
    /// What was done: `login`, `login_failed`, `logout`, `send`, `delete`, `close`, `reopen`, `tag`, `untag`, `read`, `search`, `export`, `request_otp`.
    pub action: String,
    /// To which conversation.
    pub conversation_id: Option<String>,
    /// What else is worth knowing; never a secret or a message's text.
    pub details: serde_json::Value,
}

impl Activity {
    /// The same line, of the message at a place.
    #[must_use]
    pub fn of(&self, seq: i64) -> Self {
        Self { details: serde_json::json!({"seq": seq}), ..self.clone() }
    }
}
