//! Token buckets.
//!
//! A bucket is one number, the moment at which it is full again: each token taken moves it by one interval, and there is a
//! token as long as it is not more than `burst - 1` intervals away. That is exact, needs no fractions, and shows when the row
//! may be swept. A clock that stepped back leaves a moment too far away; it is then treated as an empty bucket.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::db::{Client, Result, query};
use super::rows::number;
use super::{SqlStore, text};
use crate::rate_limit::Rate;
use crate::store::{Buckets, StoreResult, Taken};
use crate::time::{SECOND, Timestamp};

/// A bucket that is full again after so many milliseconds is kept in memory: what a restart gives away is no more than that, and
/// typing would be written as often as messages are, joins twice.
const SHORT: i64 = 15 * SECOND;

/// Short buckets.
#[derive(Default)]
pub(super) struct ShortBuckets(Mutex<Short>);

#[derive(Default)]
struct Short {
    /// When each is full again.
    full_at: HashMap<String, Timestamp>,
    /// When those that were full were thrown away.
    tidied_at: Timestamp,
}

impl ShortBuckets {
    fn take(&self, key: &str, rate: Rate, now: Timestamp) -> Taken {
        let mut short = self.short();
        if now.since(short.tidied_at) > SHORT {
            short.full_at.retain(|_, full_at| *full_at > now);
            short.tidied_at = now;
        }
        let bucket = short.full_at.entry(key.to_owned()).or_default();
        let (taken, full_at) = rate.take(*bucket, now);
        *bucket = full_at;
        taken
    }

    fn give_back(&self, key: &str, rate: Rate) {
        if let Some(full_at) = self.short().full_at.get_mut(key) {
            *full_at = full_at.plus(-rate.interval());
        }
    }

    fn short(&self) -> MutexGuard<'_, Short> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_short(rate: Rate) -> bool {
    rate.empty(Timestamp(0)).0 <= SHORT
}

const TAKE: &str = "insert into bucket (key, full_at, granted) values ($1, $2 + $3, 1)
    on conflict (key) do update set
        full_at = case when bucket.full_at <= $2 then $2 + $3
                       when bucket.full_at <= $4 then bucket.full_at + $3
                       else $5 end,
        granted = case when bucket.full_at <= $4 then 1 else 0 end
    where bucket.full_at <= $4 or bucket.full_at > $5
    returning full_at, granted";
const FULL_AT: &str = "select full_at from bucket where key = $1";
const GIVE_BACK: &str = "update bucket set full_at = full_at - $2 where key = $1 and full_at > $3";

/// Takes one token within a transaction.
pub(super) async fn take(connection: &mut Client, key: &str, rate: Rate, now: Timestamp) -> Result<Taken> {
    let last_grant = rate.last_grant(now);
    let row = query(TAKE)
        .bind(text(key))
        .bind(now.0)
        .bind(rate.interval())
        .bind(last_grant.0)
        .bind(rate.empty(now).0)
        .fetch_optional(&mut *connection)
        .await?;
    let full_at = match row {
        Some(row) if number(&row, "granted")? == 1 => return Ok(Taken::Granted),
        Some(row) => number(&row, "full_at")?,
        None => number(&query(FULL_AT).bind(text(key)).fetch_one(connection).await?, "full_at")?,
    };
    Ok(Taken::Denied { retry_after_ms: Timestamp(full_at).since(last_grant).max(1) })
}

#[async_trait]
impl Buckets for SqlStore {
    async fn take(&self, key: &str, rate: Rate, now: Timestamp) -> StoreResult<Taken> {
        if is_short(rate) {
            return Ok(self.short_buckets.take(key, rate, now));
        }
        let args = (key.to_owned(), rate, now);
        self.write_once(key, args, |(key, rate, now), tx| Box::pin(take(tx, key, *rate, *now))).await
    }

    async fn give_back(&self, key: &str, rate: Rate, now: Timestamp) -> StoreResult<()> {
        if is_short(rate) {
            self.short_buckets.give_back(key, rate);
            return Ok(());
        }
        let args = (text(key), rate.interval(), now.0);
        self.write_once(key, args, |(key, interval, now), tx| {
            let query = query(GIVE_BACK).bind(key).bind(interval).bind(now);
            Box::pin(async move { query.execute(tx).await.map(|_| ()) })
        })
        .await
    }

    async fn lease(&self, name: &str, owner: &str, now: Timestamp, until: Timestamp) -> StoreResult<bool> {
        self.give(name, owner, now, until).await
    }

    async fn leased_until(&self, name: &str, now: Timestamp) -> StoreResult<Option<Timestamp>> {
        Ok(self.leases.lock().await.until(&self.readers, name, now).await?)
    }
}
