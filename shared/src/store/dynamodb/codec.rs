//! Messages as they are kept: short names, nothing that follows from where they stand.

use serde::{Deserialize, Serialize};

use super::item::{maybe_millis, millis, text};
use crate::model::{File, Message, MessageType, Sender, Via};
use crate::time::Timestamp;

/// A message in a head or in an archive item. Its `seq` is its place there, and its `id` follows from that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(rename = "c", with = "client_id")]
    pub(super) client_id: String,
    #[serde(rename = "x")]
    pub(super) content: String,
    #[serde(rename = "t", with = "millis")]
    pub(super) created_at: Timestamp,
    #[serde(rename = "s", default = "visitor", skip_serializing_if = "is_visitor")]
    pub(super) sender: Sender,
    #[serde(rename = "w", default = "web", skip_serializing_if = "is_web")]
    via: Via,
    /// Absent when it is the visitor's name.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    #[serde(rename = "y", default = "plain", skip_serializing_if = "is_plain")]
    message_type: MessageType,
    #[serde(rename = "e", default, with = "maybe_millis", skip_serializing_if = "Option::is_none")]
    pub(super) edited_at: Option<Timestamp>,
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    file: Option<File>,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    reaction: Option<String>,
}

fn visitor() -> Sender {
    Sender::Visitor
}

fn web() -> Via {
    Via::Web
}

fn plain() -> MessageType {
    MessageType::Text
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over like this")]
fn is_visitor(sender: &Sender) -> bool {
    *sender == Sender::Visitor
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over like this")]
fn is_web(via: &Via) -> bool {
    *via == Via::Web
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over like this")]
fn is_plain(message_type: &MessageType) -> bool {
    *message_type == MessageType::Text
}

/// A browser's `client_id` is a UUID: 16 bytes instead of 36. Any other stays the text that it is.
mod client_id {
    use serde::{Deserializer, Serializer, de};
    use uuid::Uuid;

    pub(super) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        match Uuid::try_parse(text).ok().filter(|uuid| uuid.to_string() == text) {
            Some(uuid) => serializer.serialize_bytes(uuid.as_bytes()),
            None => serializer.serialize_str(text),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = String;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text or the 16 bytes of a UUID")
            }
            fn visit_str<E>(self, text: &str) -> Result<String, E> {
                Ok(text.to_owned())
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<String, E> {
                Uuid::from_slice(bytes).map(|uuid| uuid.to_string()).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Kept {
    /// What is kept of a message.
    pub(super) fn new(message: &Message) -> Self {
        Self {
            client_id: text(&message.client_id),
            content: text(&message.content),
            created_at: message.created_at,
            sender: message.sender,
            via: message.via,
            author: (message.sender != Sender::Visitor).then(|| text(&message.author)),
            message_type: message.message_type,
            edited_at: message.edited_at,
            file: message.file.clone(),
            reaction: message.reaction.as_deref().map(text),
        }
    }

    /// Sets or takes away the reaction. `false`: it was so before.
    pub(super) fn react(&mut self, reaction: Option<&str>) -> bool {
        let before = std::mem::replace(&mut self.reaction, reaction.map(text));
        before != self.reaction
    }

    /// The message at place `seq` of a conversation.
    pub(super) fn message(&self, conversation_id: &str, visitor_name: &str, seq: i64) -> Message {
        Message {
            conversation_id: conversation_id.to_owned(),
            id: Message::id_at(conversation_id, seq),
            seq,
            client_id: self.client_id.clone(),
            sender: self.sender,
            via: self.via,
            author: self.author.clone().unwrap_or_else(|| visitor_name.to_owned()),
            message_type: self.message_type,
            content: self.content.clone(),
            created_at: self.created_at,
            edited_at: self.edited_at,
            file: self.file.clone(),
            reaction: self.reaction.clone(),
        }
    }
}

/// Messages that left the head together. Item `A#` and the place of the first, written before they leave the head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Archive {
    /// The place of the first.
    #[serde(rename = "q")]
    pub(super) first: i64,
    /// The head's `rev` when this was written: an older writing never replaces a newer one.
    #[serde(rename = "r")]
    pub(super) rev: i64,
    /// In order, without a gap.
    #[serde(rename = "l")]
    pub(super) messages: Vec<Kept>,
}

impl Archive {
    /// The message at a place.
    pub(super) fn at(&self, seq: i64) -> Option<&Kept> {
        self.messages.get(usize::try_from(seq.checked_sub(self.first)?).ok()?)
    }
    /// [`Self::at`], for changing it.
    pub(super) fn at_mut(&mut self, seq: i64) -> Option<&mut Kept> {
        self.messages.get_mut(usize::try_from(seq.checked_sub(self.first)?).ok()?)
    }
}
