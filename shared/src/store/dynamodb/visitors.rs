//! How many visitors' sockets there are: one number that every one of them moves.
//!
//! It counts too many when a `$disconnect` is lost or a function dies half-way, and never forgets that by itself. So when it
//! says that all is full, the rows are counted, once a minute at most, and never while it grows: a socket is counted before
//! its row is written.

use serde::Deserialize;

use super::DynamoStore;
use super::item::{Key, n, nonce, read, s, t};
use super::table::{Terms, Written};
use crate::store::StoreResult;
use crate::time::{MINUTE, SECOND, Timestamp};

/// A row is written, or given up, within this time after its socket was counted.
const SETTLED: i64 = 10 * SECOND;

#[derive(Deserialize)]
struct Count {
    /// So many.
    #[serde(rename = "count")]
    sockets: i64,
    /// When it last grew, in milliseconds.
    grown_at: i64,
    /// When the rows were last counted, in milliseconds.
    #[serde(default)]
    counted_at: i64,
    /// The attempt that wrote it last.
    by: String,
}

/// The key of the number.
pub(super) fn visitors_key() -> Key {
    Key::new("COUNT", "VISITORS")
}

impl DynamoStore {
    /// Counts one more, if there are not `cap` yet.
    pub(super) async fn count_visitor(&self, cap: i64, now: Timestamp) -> StoreResult<bool> {
        if cap < 1 {
            return Ok(false);
        }
        let Some(full) = self.grow(cap, now).await? else { return Ok(true) };
        if now.0 - full.grown_at < SETTLED || now.0 - full.counted_at < MINUTE || !self.claim(&full, now).await? {
            return Ok(false);
        }
        let live = self.live_visitors(now).await?;
        let correct = Terms::change("SET #count = :live")
            .only_when("#count = :count AND grown_at = :grown")
            .name("#count", "count")
            .value(":live", n(live))
            .value(":count", n(full.sockets))
            .value(":grown", n(full.grown_at));
        self.update(&visitors_key(), correct).await?;
        Ok(self.grow(cap, now).await?.is_none())
    }

    /// `None` when it grew; otherwise what it is.
    async fn grow(&self, cap: i64, now: Timestamp) -> StoreResult<Option<Count>> {
        let by = nonce()?;
        let terms = Terms::change("SET #count = if_not_exists(#count, :zero) + :one, grown_at = :now, #by = :by")
            .only_when("attribute_not_exists(pk) OR (#count < :cap AND #by <> :by)")
            .name("#count", "count")
            .name("#by", "by")
            .value(":zero", n(0))
            .value(":one", n(1))
            .value(":cap", n(cap))
            .value(":now", t(now))
            .value(":by", s(&by));
        match self.update(&visitors_key(), terms).await? {
            Written::Refused(Some(item)) => Ok(Some(read::<Count>(item)?).filter(|count| count.by != by)),
            _ => Ok(None),
        }
    }

    /// The right to count the rows, for one caller a minute.
    async fn claim(&self, seen: &Count, now: Timestamp) -> StoreResult<bool> {
        let terms = Terms::change("SET counted_at = :now")
            .only_when("attribute_not_exists(counted_at) OR counted_at = :seen")
            .value(":now", t(now))
            .value(":seen", n(seen.counted_at));
        Ok(self.update(&visitors_key(), terms).await?.stands())
    }

    /// Counts one less.
    pub(super) async fn uncount_visitor(&self) -> StoreResult<()> {
        let terms = Terms::change("SET #count = #count - :one, #by = :by")
            .only_when("#count >= :one AND #by <> :by")
            .name("#count", "count")
            .name("#by", "by")
            .value(":one", n(1))
            .value(":by", s(nonce()?));
        self.update(&visitors_key(), terms).await.map(|_| ())
    }
}
