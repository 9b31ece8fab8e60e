//! Token buckets and leases.
//!
//! A bucket is one number, the moment at which it is full again, as in SQL. Each try is one conditional write that is right
//! for the number it expects to find; when it finds another one, that one comes back and tells what to try next.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::DynamoStore;
use super::failure::Patience;
use super::item::{Item, Key, millis, n, nonce, read, s, t, ttl};
use super::table::{Terms, Written};
use crate::rate_limit::Rate;
use crate::store::{Buckets, StoreResult, Taken};
use crate::time::Timestamp;

/// A call with all its tries, in milliseconds.
const CHANGE: u64 = 2_500;

#[derive(Deserialize)]
struct Bucket {
    #[serde(with = "millis")]
    full_at: Timestamp,
    /// The attempts that wrote it last, newest first.
    by: String,
    by2: String,
    by3: String,
}

impl Bucket {
    fn was_written_by(&self, attempt: &str) -> bool {
        [&self.by, &self.by2, &self.by3].into_iter().any(|by| by == attempt)
    }
}

#[derive(Serialize, Deserialize)]
struct Lease {
    owner: String,
    #[serde(with = "millis")]
    until: Timestamp,
    ttl: i64,
}

fn bucket_key(key: &str) -> Key {
    Key::alone("BUCKET", key)
}

fn lease_key(name: &str) -> Key {
    Key::alone("LEASE", name)
}

/// What is known of a bucket at a moment.
struct Moment {
    now: Timestamp,
    interval: i64,
    /// While it is full again by then, there is a token.
    last_grant: Timestamp,
    /// A bucket without tokens is full again by then; later only by a clock that stepped back.
    empty: Timestamp,
}

impl Moment {
    fn new(rate: Rate, now: Timestamp) -> Self {
        let (burst, interval) = (rate.burst.max(1), rate.interval_ms.max(1));
        let last_grant = now.plus(interval.saturating_mul(burst - 1));
        Self { now, interval, last_grant, empty: now.plus(interval.saturating_mul(burst)) }
    }

    /// Takes a token from a bucket that is full, or was never used.
    fn from_full(&self) -> Terms {
        self.terms("full_at = :next", "attribute_not_exists(pk) OR full_at <= :now")
            .value(":next", t(self.now.plus(self.interval)))
            .value(":now", t(self.now))
    }

    /// Takes one of those that are left.
    fn from_the_rest(&self) -> Terms {
        self.terms("full_at = full_at + :interval", "full_at > :now AND full_at <= :last")
            .value(":interval", n(self.interval))
            .value(":now", t(self.now))
            .value(":last", t(self.last_grant))
    }

    /// Brings a moment that is too far away back to that of an empty bucket.
    fn emptied(&self) -> Terms {
        self.terms("full_at = :empty", "full_at > :empty").value(":empty", t(self.empty))
    }

    fn terms(&self, change: &str, condition: &str) -> Terms {
        signed(change, condition).value(":ttl", n(ttl(self.empty)))
    }

    fn denied(&self, full_at: Timestamp) -> Taken {
        Taken::Denied { retry_after_ms: full_at.since(self.last_grant).max(1) }
    }
}

/// A change that tells whose it is, and is not made twice. So a lost answer is found although others wrote meanwhile.
fn signed(change: &str, condition: &str) -> Terms {
    let signature = "#by = :by, by2 = if_not_exists(#by, :nobody), by3 = if_not_exists(by2, :nobody)";
    Terms::change(format!("SET {change}, {signature}, #ttl = :ttl"))
        .only_when(format!("({condition}) AND NOT (#by = :by OR by2 = :by OR by3 = :by)"))
        .name("#by", "by")
        .name("#ttl", "ttl")
        .value(":nobody", s("-"))
}

impl DynamoStore {
    async fn lease_item(&self, key: &Key) -> StoreResult<Option<Lease>> {
        self.get(key, true).await?.map(read).transpose()
    }
}

fn bucket(item: Option<Item>) -> StoreResult<Option<Bucket>> {
    item.map(read).transpose()
}

#[async_trait]
impl Buckets for DynamoStore {
    async fn take(&self, key: &str, rate: Rate, now: Timestamp) -> StoreResult<Taken> {
        let (key, moment, by) = (bucket_key(key), Moment::new(rate, now), nonce()?);
        let mut patience = Patience::of(CHANGE);
        let mut terms = moment.from_full();
        loop {
            let found = match self.update(&key, terms.value(":by", s(&by))).await? {
                Written::Done(_) => return Ok(Taken::Granted),
                Written::Refused(item) => bucket(item)?,
            };
            terms = match found {
                Some(found) if found.was_written_by(&by) => return Ok(Taken::Granted),
                Some(found) if found.full_at > moment.empty => {
                    self.update(&key, moment.emptied().value(":by", s(&by))).await?;
                    return Ok(moment.denied(moment.empty));
                }
                Some(found) if found.full_at > moment.last_grant => return Ok(moment.denied(found.full_at)),
                Some(found) if found.full_at > now => moment.from_the_rest(),
                _ => moment.from_full(),
            };
            patience.again().await?;
        }
    }

    async fn give_back(&self, key: &str, rate: Rate, now: Timestamp) -> StoreResult<()> {
        let terms = signed("full_at = full_at - :interval", "full_at > :now")
            .value(":ttl", n(ttl(Moment::new(rate, now).empty)))
            .value(":by", s(nonce()?))
            .value(":interval", n(rate.interval_ms.max(1)))
            .value(":now", t(now));
        self.update(&bucket_key(key), terms).await.map(|_| ())
    }

    async fn lease(&self, name: &str, owner: &str, now: Timestamp, until: Timestamp) -> StoreResult<bool> {
        let terms = Terms::when("attribute_not_exists(pk) OR #owner = :owner OR #until <= :now")
            .name("#owner", "owner")
            .name("#until", "until")
            .value(":owner", s(owner))
            .value(":now", t(now));
        let item = lease_key(name).item(&Lease { owner: owner.to_owned(), until, ttl: ttl(until) })?;
        Ok(self.put(item, terms).await?.stands())
    }

    async fn leased_until(&self, name: &str, now: Timestamp) -> StoreResult<Option<Timestamp>> {
        let lease = self.lease_item(&lease_key(name)).await?;
        Ok(lease.map(|lease| lease.until).filter(|until| *until > now))
    }
}
