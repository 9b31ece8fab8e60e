//! What is written with a message: rows of their tables.

use serde::Serialize;

use crate::event::EventKind;
use crate::model::{Activity, Message, MessageType, Sender, Via};
use crate::store::sql::db::Result;
use crate::store::sql::rows::json;
use crate::store::sql::{optional, text};

/// A row of the table `message`.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    conversation_id: &'a str,
    seq: i64,
    client_id: &'a str,
    sender: Sender,
    via: Via,
    author: &'a str,
    message_type: MessageType,
    content: &'a str,
    created_at: i64,
    edited_at: Option<i64>,
    file: Option<String>,
}

impl<'a> Row<'a> {
    pub(super) fn of(message: &'a Message) -> Result<Self> {
        Ok(Self {
            conversation_id: &message.conversation_id,
            seq: message.seq,
            client_id: &message.client_id,
            sender: message.sender,
            via: message.via,
            author: &message.author,
            message_type: message.message_type,
            content: &message.content,
            created_at: message.created_at.0,
            edited_at: message.edited_at.map(|at| at.0),
            file: message.file.as_ref().map(json).transpose()?,
        })
    }
}

/// A row of the outbox.
#[derive(Serialize)]
pub(super) struct Told {
    pub(super) lane: &'static str,
    pub(super) conversation_id: String,
    pub(super) position: i64,
    pub(super) kind: EventKind,
    pub(super) seq: i64,
    pub(super) at: i64,
}

/// A wait that an admin ended.
#[derive(Serialize)]
pub(super) struct Response {
    pub(super) day: i64,
    pub(super) conversation_id: String,
    pub(super) seq: i64,
    pub(super) milliseconds: i64,
    pub(super) first: i64,
}

/// A row of the table `activity`.
#[derive(Serialize)]
pub(super) struct Line {
    id: String,
    created_at: i64,
    session_id: Option<String>,
    name: Option<String>,
    ip: String,
    action: String,
    conversation_id: Option<String>,
    details: String,
}

impl Line {
    pub(super) fn of(line: &Activity) -> Result<Self> {
        Ok(Self {
            id: text(&line.id),
            created_at: line.created_at.0,
            session_id: optional(line.session_id.as_deref()),
            name: optional(line.name.as_deref()),
            ip: text(&line.ip),
            action: text(&line.action),
            conversation_id: optional(line.conversation_id.as_deref()),
            details: json(&line.details)?,
        })
    }
}

/// Where [`Run::LENGTH`] messages of a conversation that follow each other stand, on SQLite.
pub(super) struct Run {
    pub(super) conversation_id: String,
    /// The first one's place less one, divided by the length.
    pub(super) position: i64,
    pub(super) numbers: Vec<i64>,
}

impl Run {
    /// Messages of a run; what [`crate::store::sql`] reads goes by it, too.
    pub(super) const LENGTH: i64 = 16;
}
