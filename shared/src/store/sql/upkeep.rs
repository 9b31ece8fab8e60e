//! Care of the store as a whole.

use async_trait::async_trait;
use sqlx::AnyConnection;

use super::{Database, SqlStore};
use crate::store::{StoreResult, Swept, Upkeep};
use crate::time::Timestamp;

const PING: &str = "select turns from turnstile where name = 'connection'";
const CONNECTIONS: [&str; 1] = ["delete from connection where expires_at <= $1"];
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

async fn remove(tx: &mut AnyConnection, statements: &[&'static str], now: Timestamp) -> sqlx::Result<i64> {
    let mut removed = 0;
    for statement in statements {
        removed += sqlx::query(*statement).bind(now.0).execute(&mut *tx).await?.rows_affected();
    }
    Ok(i64::try_from(removed).unwrap_or(i64::MAX))
}

async fn sweep(tx: &mut AnyConnection, now: Timestamp) -> sqlx::Result<Swept> {
    let connections = remove(tx, &CONNECTIONS, now).await?;
    let sessions = remove(tx, &SESSIONS, now).await?;
    let others = remove(tx, &OTHERS, now).await?;
    Ok(Swept { connections, sessions, others })
}

#[async_trait]
impl Upkeep for SqlStore {
    async fn ping(&self) -> StoreResult<()> {
        sqlx::query(PING).fetch_one(&self.readers).await?;
        Ok(())
    }

    async fn sweep(&self, now: Timestamp) -> StoreResult<Swept> {
        self.write("sweep", now, |now, tx| Box::pin(sweep(tx, *now))).await
    }

    fn name(&self) -> &'static str {
        match self.database {
            Database::Sqlite => "sqlite",
            Database::Postgres => "postgres",
        }
    }
}
