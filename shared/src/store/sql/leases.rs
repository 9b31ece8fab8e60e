//! Leases. They are few and read once: each page that joins asks whether its address is banned, each call to Telegram whether it is
//! to wait.

use std::collections::HashMap;

use super::db::{Readers, Result, query};
use super::rows::{string, time};
use super::{SqlStore, text};
use crate::store::StoreResult;
use crate::time::Timestamp;

const LEASES: &str = "select name, until from lease";
const LEASE: &str = "insert into lease (name, owner, until) values ($1, $2, $4)
    on conflict (name) do update set owner = $2, until = $4 where lease.owner = $2 or lease.until <= $3
    returning until";

/// How long each is given, once they were read; they are read again after one was written.
#[derive(Default)]
pub(super) struct Leases(Option<HashMap<String, Timestamp>>);

impl Leases {
    async fn read(readers: &Readers) -> Result<HashMap<String, Timestamp>> {
        let rows = query(LEASES).fetch_all(readers).await?;
        rows.iter().map(|row| Ok((string(row, "name")?, time(row, "until")?))).collect()
    }

    /// When the lease ends that somebody has.
    pub(super) async fn until(&mut self, readers: &Readers, name: &str, now: Timestamp) -> Result<Option<Timestamp>> {
        if self.0.is_none() {
            self.0 = Some(Self::read(readers).await?);
        }
        let until = self.0.as_ref().and_then(|known| known.get(&text(name)));
        Ok(until.copied().filter(|until| *until > now))
    }
}

impl SqlStore {
    /// [`crate::store::Buckets::lease`].
    pub(super) async fn give(&self, name: &str, owner: &str, now: Timestamp, until: Timestamp) -> StoreResult<bool> {
        let mut leases = self.leases.clone().lock_owned().await;
        leases.0 = None;
        // The lock goes with the job: nobody reads what is about to change, even when the caller goes away.
        let args = (leases, text(name), text(owner), now.0, until.0);
        self.write_once(name, args, |(_, name, owner, now, until), tx| {
            let query = query(LEASE).bind(name).bind(owner).bind(now).bind(until);
            Box::pin(async move { query.fetch_optional(tx).await.map(|row| row.is_some()) })
        })
        .await
    }
}
