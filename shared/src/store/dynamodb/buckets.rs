//! Token buckets and leases.
//!
//! A bucket is one number, the moment at which it is full again, as in SQL. Each try is one conditional write that is right
//! for the number it expects to find, which is the one that this instance has seen last; when it finds another one, that one
//! comes back and tells what to try next.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::DynamoStore;
use super::failure::CHANGE;
use super::item::{Item, Key, millis, n, nonce, read, s, t, ttl};
use super::table::{Terms, Written};
use crate::rate_limit::Rate;
use crate::store::{Buckets, StoreResult, Taken};
use crate::time::Timestamp;

#[derive(Deserialize)]
struct Bucket {
    #[serde(with = "millis")]
    full_at: Timestamp,
}

/// The number of an attempt. A bucket remembers the last of each sixteenth of all attempts, so that a lost answer is found
/// although others wrote meanwhile.
struct Attempt(String);

impl Attempt {
    fn new() -> StoreResult<Self> {
        Ok(Self(nonce()?))
    }

    /// The attribute that remembers it.
    fn place(&self) -> String {
        self.0.chars().take(1).fold("by".into(), |place, digit| place + &digit.to_string())
    }

    fn wrote(&self, item: &Item) -> bool {
        item.get(&self.place()) == Some(&s(&self.0))
    }

    /// A change that tells whose it is, and is not made twice.
    fn sign(&self, change: &str, condition: &str) -> Terms {
        Terms::change(format!("SET {change}, #by = :by, #ttl = :ttl"))
            .only_when(format!("({condition}) AND NOT #by = :by"))
            .name("#by", &self.place())
            .name("#ttl", "ttl")
            .value(":by", s(&self.0))
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
        Self { now, interval: rate.interval(), last_grant: rate.last_grant(now), empty: rate.empty(now) }
    }

    /// Takes a token from a bucket that is full, or was never used.
    fn of_a_full_one(&self, attempt: &Attempt) -> Terms {
        self.terms(attempt, "full_at = :next", "attribute_not_exists(pk) OR full_at <= :now")
            .value(":next", t(self.now.plus(self.interval)))
            .value(":now", t(self.now))
    }

    /// Takes one of those that are left.
    fn of_the_rest(&self, attempt: &Attempt) -> Terms {
        self.terms(attempt, "full_at = full_at + :interval", "full_at > :now AND full_at <= :last")
            .value(":interval", n(self.interval))
            .value(":now", t(self.now))
            .value(":last", t(self.last_grant))
    }

    /// Brings a moment that is too far away back to that of an empty bucket.
    fn emptied(&self, attempt: &Attempt) -> Terms {
        self.terms(attempt, "full_at = :empty", "full_at > :empty").value(":empty", t(self.empty))
    }

    fn terms(&self, attempt: &Attempt, change: &str, condition: &str) -> Terms {
        attempt.sign(change, condition).value(":ttl", n(ttl(self.empty)))
    }

    fn denied(&self, full_at: Timestamp) -> Taken {
        Taken::Denied { retry_after_ms: full_at.since(self.last_grant).max(1) }
    }
}

#[async_trait]
impl Buckets for DynamoStore {
    async fn take(&self, key: &str, rate: Rate, now: Timestamp) -> StoreResult<Taken> {
        let (name, key, moment, attempt) = (key, bucket_key(key), Moment::new(rate, now), Attempt::new()?);
        let mut patience = self.patience(CHANGE);
        let seen = self.buckets_seen.get(name).filter(|full_at| *full_at > now && *full_at <= moment.last_grant);
        let mut terms = seen.map_or_else(|| moment.of_a_full_one(&attempt), |_| moment.of_the_rest(&attempt));
        loop {
            let (granted, item) = match self.update(&key, terms).await? {
                Written::Done(item) => (true, item),
                Written::Refused(item) => (item.as_ref().is_some_and(|item| attempt.wrote(item)), item),
            };
            let found = item.map(read::<Bucket>).transpose()?.map(|bucket| bucket.full_at);
            self.buckets_seen.note(name, found);
            if granted {
                return Ok(Taken::Granted);
            }
            terms = match found {
                Some(full_at) if full_at > moment.empty => {
                    self.update(&key, moment.emptied(&attempt)).await?;
                    return Ok(moment.denied(moment.empty));
                }
                Some(full_at) if full_at > moment.last_grant => return Ok(moment.denied(full_at)),
                Some(full_at) if full_at > now => moment.of_the_rest(&attempt),
                _ => moment.of_a_full_one(&attempt),
            };
            patience.again().await?;
        }
    }

    async fn give_back(&self, key: &str, rate: Rate, now: Timestamp) -> StoreResult<()> {
        let terms = Attempt::new()?
            .sign("full_at = full_at - :interval", "full_at > :now")
            .value(":ttl", n(ttl(rate.empty(now))))
            .value(":interval", n(rate.interval()))
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
        let lease: Option<Lease> = self.get(&lease_key(name), true).await?.map(read).transpose()?;
        Ok(lease.map(|lease| lease.until).filter(|until| *until > now))
    }
}
