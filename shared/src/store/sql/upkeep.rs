//! Care of the store as a whole.

use async_trait::async_trait;

use super::db::{Client, Result, query};
use super::{Database, SqlStore};
use crate::store::{StoreResult, Swept, Upkeep};
use crate::time::Timestamp;

const PING: &str = "select turns from turnstile where name = 'search'";
/// A session takes its tokens and tickets with it.
const SESSIONS: [&str; 4] = [
    "delete from session where expires_at <= $1",
    "delete from session_token where grace_until <= $1",
    "delete from ticket where expires_at <= $1",
    "delete from login_code where expires_at <= $1",
];
const OTHERS: [&str; 5] = [
    "delete from bucket where full_at <= $1",
    "delete from lease where until <= $1",
    "delete from telegram_update where expires_at <= $1",
    "delete from telegram_start where expires_at <= $1",
    "delete from operator_presence where until <= $1",
];

async fn remove(tx: &mut Client, statements: &[&'static str], now: Timestamp) -> Result<i64> {
    let mut removed = 0;
    for statement in statements {
        removed += query(statement).bind(now.0).execute(&mut *tx).await?;
    }
    Ok(i64::try_from(removed).unwrap_or(i64::MAX))
}

async fn sweep(tx: &mut Client, now: Timestamp) -> Result<Swept> {
    let sessions = remove(tx, &SESSIONS, now).await?;
    let others = remove(tx, &OTHERS, now).await?;
    Ok(Swept { connections: 0, sessions, others })
}

#[async_trait]
impl Upkeep for SqlStore {
    async fn ping(&self) -> StoreResult<()> {
        query(PING).fetch_one(&self.readers).await?;
        Ok(())
    }

    async fn sweep(&self, now: Timestamp) -> StoreResult<Swept> {
        let connections = self.live.sweep(now);
        let swept = self.write_long("sweep", now, |now, tx| Box::pin(sweep(tx, *now))).await?;
        Ok(Swept { connections, ..swept })
    }

    fn name(&self) -> &'static str {
        match self.database {
            Database::Sqlite => "sqlite",
            Database::Postgres => "postgres",
        }
    }
}
