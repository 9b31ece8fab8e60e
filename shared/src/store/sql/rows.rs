//! Between rows and the model.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::db::{Error, Result, Row, Word};
use crate::model::{Activity, Claim, Conversation, LastMessage, Message, Note, Session};
use crate::time::Timestamp;

/// A column of text.
pub(super) fn string(row: &Row, column: &str) -> Result<String> {
    row.text(column)?.ok_or_else(|| null(column))
}

/// A column of text that may be null.
pub(super) fn maybe_string(row: &Row, column: &str) -> Result<Option<String>> {
    row.text(column)
}

/// A number.
pub(super) fn number(row: &Row, column: &str) -> Result<i64> {
    row.number(column)?.ok_or_else(|| null(column))
}

/// A number that may be null.
pub(super) fn maybe_number(row: &Row, column: &str) -> Result<Option<i64>> {
    row.number(column)
}

fn null(column: &str) -> Error {
    Error::Value(format!("the column {column} is null").into())
}

/// A point in time.
pub(super) fn time(row: &Row, column: &str) -> Result<Timestamp> {
    number(row, column).map(Timestamp)
}

/// A point in time that may be null.
pub(super) fn maybe_time(row: &Row, column: &str) -> Result<Option<Timestamp>> {
    Ok(maybe_number(row, column)?.map(Timestamp))
}

/// A value of an enum as its contract's word.
pub(super) fn word<T: Serialize>(value: T) -> Result<Word> {
    serde_variant::to_variant_name(&value).map(Word).map_err(|error| Error::Value(error.into()))
}

/// An enum's value from its contract's word.
pub(super) fn from_word<T: DeserializeOwned>(word: String) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(|error| Error::Value(error.into()))
}

/// A value as JSON.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    // PostgreSQL keeps JSON's escaped NUL as the six characters that it is, so that nothing has to be replaced here.
    serde_json::to_string(value).map_err(|error| Error::Value(error.into()))
}

/// Values as a statement takes them that goes over the elements of a JSON array: each alone in an array of its own.
pub(super) fn elements<T: Serialize>(values: impl IntoIterator<Item = T>) -> Result<String> {
    json(&values.into_iter().map(|value| [value]).collect::<Vec<_>>())
}

/// A value from JSON.
pub(super) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::Value(error.into()))
}

/// A conversation; whether its visitor is there stands in no row.
pub(super) fn conversation(row: &Row) -> Result<Conversation> {
    Ok(Conversation {
        conversation_id: string(row, "conversation_id")?,
        site: string(row, "site")?,
        visitor_name: string(row, "visitor_name")?,
        locale: maybe_string(row, "locale")?,
        page_url: maybe_string(row, "page_url")?,
        referrer: maybe_string(row, "referrer")?,
        user_agent: maybe_string(row, "user_agent")?,
        country: maybe_string(row, "country")?,
        address: maybe_string(row, "address")?,
        status: from_word(string(row, "status")?)?,
        created_at: time(row, "created_at")?,
        last_activity_at: time(row, "last_activity_at")?,
        last_message: last_message(row)?,
        head_seq: number(row, "head_seq")?,
        visitor_read: number(row, "visitor_read")?,
        admin_read: number(row, "admin_read")?,
        waiting_since: maybe_time(row, "waiting_since")?,
        tags: from_json(&string(row, "tags")?)?,
        claim: claim(row)?,
        visitor_chat_id: maybe_number(row, "visitor_chat_id")?,
        online: false,
    })
}

fn claim(row: &Row) -> Result<Option<Claim>> {
    let Some(name) = maybe_string(row, "claimed_by")? else { return Ok(None) };
    Ok(Some(Claim { name, at: maybe_time(row, "claimed_at")?.unwrap_or_default() }))
}

/// A note.
pub(super) fn note(row: &Row) -> Result<Note> {
    Ok(Note {
        conversation_id: string(row, "conversation_id")?,
        seq: number(row, "seq")?,
        id: string(row, "id")?,
        author: string(row, "author")?,
        via: from_word(string(row, "via")?)?,
        content: string(row, "content")?,
        created_at: time(row, "created_at")?,
    })
}

fn last_message(row: &Row) -> Result<Option<LastMessage>> {
    let Some(sender) = maybe_string(row, "last_sender")? else { return Ok(None) };
    Ok(Some(LastMessage {
        seq: number(row, "head_seq")?,
        sender: from_word(sender)?,
        preview: maybe_string(row, "last_preview")?.unwrap_or_default(),
        created_at: maybe_time(row, "last_created_at")?.unwrap_or_default(),
    }))
}

/// A message.
pub(super) fn message(row: &Row) -> Result<Message> {
    let (conversation_id, seq) = (string(row, "conversation_id")?, number(row, "seq")?);
    Ok(Message {
        id: Message::id_at(&conversation_id, seq),
        conversation_id,
        seq,
        client_id: string(row, "client_id")?,
        sender: from_word(string(row, "sender")?)?,
        via: from_word(string(row, "via")?)?,
        author: string(row, "author")?,
        message_type: from_word(string(row, "message_type")?)?,
        content: string(row, "content")?,
        created_at: time(row, "created_at")?,
        edited_at: maybe_time(row, "edited_at")?,
        file: maybe_string(row, "file")?.map(|text| from_json(&text)).transpose()?,
        reaction: maybe_string(row, "reaction")?,
    })
}

/// A login.
pub(super) fn session(row: &Row) -> Result<Session> {
    Ok(Session {
        session_id: string(row, "session_id")?,
        name: string(row, "name")?,
        ip: string(row, "ip")?,
        user_agent_hash: string(row, "user_agent_hash")?,
        created_at: time(row, "created_at")?,
        expires_at: time(row, "expires_at")?,
        last_used_at: time(row, "last_used_at")?,
        rotated_at: time(row, "rotated_at")?,
    })
}

/// A line of the audit trail.
pub(super) fn activity(row: &Row) -> Result<Activity> {
    Ok(Activity {
        id: string(row, "id")?,
        created_at: time(row, "created_at")?,
        session_id: maybe_string(row, "session_id")?,
        name: maybe_string(row, "name")?,
        ip: string(row, "ip")?,
        action: string(row, "action")?,
        conversation_id: maybe_string(row, "conversation_id")?,
        details: from_json(&string(row, "details")?)?,
    })
}
