//! Items: their keys, their values, their size.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::HEXLOWER;
use serde::de::DeserializeOwned;
use serde::{Serialize, de};

use super::failure::unavailable;
use crate::store::StoreResult;
use crate::time::{SECOND, Timestamp};

/// An item as the SDK has it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The longest part of a key that comes from outside; nothing of ours is longer, and DynamoDB refuses keys over 1 KB.
const LONGEST: usize = 256;

/// Where an item is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The partition.
    pub(super) pk: String,
    /// The place in it.
    pub(super) sk: String,
}

impl Key {
    /// A key of two texts, which must not be empty.
    pub(super) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    /// A conversation's head.
    pub(super) fn head(conversation_id: &str) -> Self {
        Self::new(conversation(conversation_id), "HEAD")
    }

    /// A conversation's particulars.
    pub(super) fn info(conversation_id: &str) -> Self {
        Self::new(conversation(conversation_id), "INFO")
    }

    /// The messages from `first` on that left the head together.
    pub(super) fn archive(conversation_id: &str, first: i64) -> Self {
        Self::new(conversation(conversation_id), archive(first))
    }

    /// The `client_id` of a message that left the head's marks.
    pub(super) fn client(conversation_id: &str, client_id: &str) -> Self {
        Self::new(conversation(conversation_id), format!("0#{}", short(client_id)))
    }

    /// That a conversation has a tag.
    pub(super) fn tag(tag: &str, conversation_id: &str) -> Self {
        Self::new(tagged(tag), short(conversation_id))
    }

    /// Counts of a day that left the head: those that begin with the message `first`.
    pub(super) fn day(day: i64, conversation_id: &str, first: i64) -> Self {
        Self::new(counts(day), format!("{conversation_id}#{first:012}"))
    }

    /// That a conversation is to be erased to the end.
    pub(super) fn erasing(conversation_id: &str) -> Self {
        Self::new(UNDONE, format!("{ERASE}#{}", short(conversation_id)))
    }

    /// That a conversation has words to enter into the index.
    pub(super) fn entering(conversation_id: &str) -> Self {
        Self::new(UNDONE, format!("{ENTER}#{}", short(conversation_id)))
    }

    /// The admins' sockets.
    pub(super) fn admins() -> Self {
        Self::new("ADMINS", "SOCKETS")
    }

    /// An item that is alone in its partition: `name` among those of a kind.
    pub(super) fn alone(kind: &str, name: &str) -> Self {
        Self::new(format!("{kind}#{}", short(name)), "-")
    }

    /// The key of an item.
    pub(super) fn of(item: &Item) -> StoreResult<Self> {
        let part = |name| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        match (part("pk"), part("sk")) {
            (Some(pk), Some(sk)) => Ok(Self { pk, sk }),
            _ => Err(super::failure::broken("an item without a key")),
        }
    }

    /// The two attributes.
    pub(super) fn attributes(&self) -> Item {
        Item::from([("pk".into(), s(&self.pk)), ("sk".into(), s(&self.sk))])
    }

    /// An item with this key and the fields of `value`.
    pub(super) fn item(&self, value: &impl Serialize) -> StoreResult<Item> {
        let mut item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(value)?;
        item.extend(self.attributes());
        Ok(item)
    }
}

/// The partition of what somebody has to finish, be it that its function died: the schedule reads it at one go.
pub(super) const UNDONE: &str = "UNDONE";
/// What stands before a conversation in [`Key::erasing`].
pub(super) const ERASE: &str = "ERASE";
/// What stands before a conversation in [`Key::entering`].
pub(super) const ENTER: &str = "ENTER";

/// A conversation's partition.
pub(super) fn conversation(conversation_id: &str) -> String {
    format!("C#{}", short(conversation_id))
}

/// The conversation that a partition belongs to.
pub(super) fn conversation_of(pk: &str) -> Option<&str> {
    pk.strip_prefix("C#")
}

/// The place of [`Key::archive`] in its partition.
pub(super) fn archive(first: i64) -> String {
    format!("A#{:012}", first.clamp(0, 999_999_999_999))
}

/// The partition of [`Key::tag`].
pub(super) fn tagged(tag: &str) -> String {
    format!("TAG#{}", short(tag))
}

/// The partition of [`Key::day`].
pub(super) fn counts(day: i64) -> String {
    format!("DAY#{day}")
}

/// What comes from outside may be longer than a key: nothing is found under its beginning followed by a space.
pub(super) fn short(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST / 4).chain([' ']).collect()
}

/// A text as every store keeps it: PostgreSQL has no NUL, and the others do as it does.
pub(super) fn text(value: &str) -> String {
    value.replace('\0', "\u{fffd}")
}

/// A text.
pub(super) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number.
pub(super) fn n(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A point in time.
pub(super) fn t(at: Timestamp) -> AttributeValue {
    n(at.0)
}

/// When DynamoDB may remove what has expired by then, in seconds.
pub(super) fn ttl(expires_at: Timestamp) -> i64 {
    expires_at.0.div_euclid(SECOND) + 1
}

/// A random number that tells an attempt's own write from others', as a text.
pub(super) fn nonce() -> StoreResult<String> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).map_err(|_| unavailable("no random numbers"))?;
    Ok(HEXLOWER.encode(&bytes))
}

/// An item's fields as a value; attributes that it does not have are passed over.
pub(super) fn read<T: DeserializeOwned>(item: Item) -> StoreResult<T> {
    Ok(serde_dynamo::aws_sdk_dynamodb_1::from_item(item)?)
}

/// An item's size as DynamoDB counts it, in bytes.
pub(super) fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + size_of_value(value)).sum()
}

fn size_of_value(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number.trim_start_matches('-').len().div_ceil(2) + 2,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::L(list) => 3 + list.iter().map(|one| 1 + size_of_value(one)).sum::<usize>(),
        AttributeValue::M(map) => 3 + map.len() + size(map),
        _ => 1,
    }
}

/// Bytes within a value that is read and written as an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Bytes {
    /// For leaving the attribute out.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> de::Deserialize<'de> for Bytes {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Bytes;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}

/// A point in time within a value: milliseconds, not the text that people see.
pub(super) mod millis {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::time::Timestamp;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over like this")]
    pub(in super::super) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        at.0.serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp)
    }
}

/// [`millis`] of what may be absent; goes with `default` and `skip_serializing_if`.
pub(super) mod maybe_millis {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::time::Timestamp;

    #[expect(clippy::ref_option, reason = "serde hands the field over like this")]
    pub(in super::super) fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        at.map(|at| at.0).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<i64>::deserialize(deserializer)?.map(Timestamp))
    }
}
