//! Items that list sockets: the admins', and those of one address. Each is changed as a whole, on condition that nobody was
//! faster, and loses what has expired on the way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::DynamoStore;
use super::failure::Patience;
use super::item::{Key, n, nonce, read, ttl};
use super::table::{Terms, Written};
use crate::store::StoreResult;
use crate::time::Timestamp;

/// A change with all its tries, in milliseconds.
const CHANGE: u64 = 2_500;

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
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sockets {
    /// By connection id.
    pub(super) sockets: BTreeMap<String, Listed>,
    /// Counts its changes.
    rev: i64,
    /// The attempt that wrote it last.
    by: String,
    ttl: i64,
}

impl Sockets {
    /// Those that live, in the order of their ids.
    pub(super) fn live(&self, now: Timestamp) -> impl Iterator<Item = (&String, &Listed)> {
        self.sockets.iter().filter(move |(_, socket)| socket.expires_at > now.0)
    }
}

/// What is to become of a list.
pub(super) enum Listing<T> {
    /// Written back, and this answered.
    Changed(T),
    /// Left as it is, and this answered.
    Kept(T),
}

impl DynamoStore {
    /// A list as it is.
    pub(super) async fn sockets(&self, key: &Key) -> StoreResult<Sockets> {
        Ok(self.get(key, true).await?.map(read).transpose()?.unwrap_or_default())
    }

    /// Changes a list; `compute` sees only sockets that live, and may be called several times.
    pub(super) async fn change_sockets<T>(
        &self,
        key: &Key,
        now: Timestamp,
        compute: impl Fn(&mut BTreeMap<String, Listed>) -> Listing<T>,
    ) -> StoreResult<T> {
        let (by, mut patience) = (nonce()?, Patience::of(CHANGE));
        let mut seen = self.sockets(key).await?;
        loop {
            let mut next = seen.clone();
            next.sockets.retain(|_, socket| socket.expires_at > now.0);
            let answer = match compute(&mut next.sockets) {
                Listing::Kept(answer) => return Ok(answer),
                Listing::Changed(answer) => answer,
            };
            let last = next.sockets.values().map(|socket| socket.expires_at).max().unwrap_or(now.0);
            (next.rev, next.ttl) = (seen.rev + 1, ttl(Timestamp(last)));
            next.by.clone_from(&by);
            let as_seen = match seen.rev {
                0 => Terms::absent(),
                rev => Terms::when("rev = :rev").value(":rev", n(rev)),
            };
            seen = match self.put(key.item(&next)?, as_seen).await? {
                Written::Done(_) => return Ok(answer),
                Written::Refused(found) => found.map(read::<Sockets>).transpose()?.unwrap_or_default(),
            };
            if seen.by == by {
                return Ok(answer);
            }
            patience.again().await?;
        }
    }
}
