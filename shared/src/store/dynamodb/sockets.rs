//! Items that list sockets: the admins', and those of one address. Each socket comes and goes by one write of its own, so that
//! many at once are not in each other's way; what has expired is taken out when a list is full, or when an admin comes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::DynamoStore;
use super::failure::CHANGE;
use super::item::{Item, Key, n, read, ttl};
use super::table::{Terms, Written};
use crate::store::StoreResult;
use crate::time::Timestamp;

/// At most so many sockets that have expired are taken out at once.
const EXPIRED: usize = 50;

/// A socket of such a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listed {
    /// Its session, if it is an admin's.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(super) session_id: Option<String>,
    /// When it is dead whatever the platform said, in milliseconds.
    #[serde(rename = "e")]
    pub(super) expires_at: i64,
}

/// The list.
#[derive(Default, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "`sockets` is the attribute's name in the table")]
pub(super) struct Sockets {
    /// By connection id.
    sockets: BTreeMap<String, Listed>,
    /// Operators that are there without a socket, each until then in milliseconds. Only in the list of admins.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) operators: BTreeMap<String, i64>,
    /// The list of admins has none: an operator may be there for longer than any socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
}

impl Sockets {
    /// A list that begins without a socket.
    pub(super) fn of_operators(operators: BTreeMap<String, i64>) -> Self {
        Self { operators, ..Self::default() }
    }

    /// The list of an item; without one it is empty.
    pub(super) fn read(item: Option<Item>) -> StoreResult<Self> {
        Ok(item.map(read).transpose()?.unwrap_or_default())
    }

    /// Those that live, in the order of their ids.
    pub(super) fn live(&self, now: Timestamp) -> impl Iterator<Item = (&String, &Listed)> {
        self.sockets.iter().filter(move |(_, socket)| socket.expires_at > now.0)
    }

    fn expired(&self, now: Timestamp) -> Vec<&String> {
        let expired = self.sockets.iter().filter(|(_, socket)| socket.expires_at <= now.0);
        expired.map(|(id, _)| id).take(EXPIRED).collect()
    }
}

/// What came of a try to take a place in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// It was free.
    New,
    /// The socket had it already.
    Already,
    /// There is none.
    Full,
}

/// What a socket left behind.
#[derive(Clone, Copy)]
pub(super) struct Left {
    /// It stood there until now.
    pub(super) was_there: bool,
    /// No other one of its conversation or session is left.
    pub(super) last: bool,
}

impl DynamoStore {
    /// A list as it is.
    pub(super) async fn sockets(&self, key: &Key) -> StoreResult<Sockets> {
        Sockets::read(self.get(key, true).await?)
    }

    /// Takes a place in a list of at most `cap` sockets.
    pub(super) async fn enlist(
        &self,
        key: &Key,
        id: &str,
        socket: &Listed,
        cap: i64,
        now: Timestamp,
    ) -> StoreResult<Entry> {
        let mut patience = self.patience(CHANGE);
        let ttl = (*key != Key::admins()).then(|| ttl(Timestamp(socket.expires_at)));
        let ends = if ttl.is_some() { ", #ttl = :ttl" } else { " REMOVE #ttl" };
        loop {
            let enter = Terms::change(format!("SET #sockets.#id = :socket{ends}"))
                .only_when(
                    "attribute_exists(#sockets) AND attribute_not_exists(#sockets.#id) AND size(#sockets) < :cap",
                )
                .name("#sockets", "sockets")
                .name("#id", id)
                .name("#ttl", "ttl")
                .value(":socket", serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(socket)?)
                .value(":cap", n(cap));
            let enter = ttl.iter().fold(enter, |enter, ttl| enter.value(":ttl", n(*ttl)));
            let (entered, list) = match self.update(key, enter).await? {
                Written::Done(list) => (true, list),
                Written::Refused(list) => (false, list),
            };
            if !entered && list.is_none() {
                let sockets = BTreeMap::from([(id.to_owned(), socket.clone())]);
                let first = Sockets { sockets, ttl, ..Sockets::default() };
                if cap < 1 {
                    return Ok(Entry::Full);
                }
                if self.put(key.item(&first)?, Terms::absent()).await?.stands() {
                    return Ok(Entry::New);
                }
            } else {
                let list = Sockets::read(list)?;
                if !entered && list.sockets.contains_key(id) {
                    return Ok(Entry::Already);
                }
                let expired = list.expired(now);
                if !expired.is_empty() {
                    self.take_out(key, &expired).await?;
                }
                if entered || expired.is_empty() {
                    return Ok(if entered { Entry::New } else { Entry::Full });
                }
            }
            patience.again().await?;
        }
    }

    async fn take_out(&self, key: &Key, ids: &[&String]) -> StoreResult<()> {
        let places: Vec<_> = (0..ids.len()).map(|number| format!("#sockets.#id{number}")).collect();
        let terms = Terms::change(format!("REMOVE {}", places.join(", ")))
            .only_when("attribute_exists(#sockets)")
            .name("#sockets", "sockets");
        let terms = ids.iter().enumerate().fold(terms, |terms, (number, id)| terms.name(&format!("#id{number}"), id));
        self.update(key, terms).await.map(|_| ())
    }

    /// Gives up a place in a list.
    pub(super) async fn delist(
        &self,
        key: &Key,
        id: &str,
        session_id: Option<&String>,
        now: Timestamp,
    ) -> StoreResult<Left> {
        let leave = Terms::change("REMOVE #sockets.#id")
            .only_when("attribute_exists(#sockets.#id)")
            .name("#sockets", "sockets")
            .name("#id", id);
        let (was_there, list) = match self.update(key, leave).await? {
            Written::Done(list) => (true, list),
            Written::Refused(list) => (false, list),
        };
        let alone = !Sockets::read(list)?.live(now).any(|(_, other)| other.session_id.as_ref() == session_id);
        Ok(Left { was_there, last: alone })
    }
}
