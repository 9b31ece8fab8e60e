//! Live sockets ([`super::live`]), and what of admins stands in rows: their sessions, and who is there in Telegram.

use std::collections::HashMap;

use async_trait::async_trait;

use super::db::{Readers, Result, query};
use super::rows::{string, time};
use super::{SqlStore, text};
use crate::model::Connection;
use crate::store::{Audience, Connected, ConnectionCaps, ConnectionRows, Disconnected, StoreResult};
use crate::time::Timestamp;

const OPERATORS: &str = "select operator, until from operator_presence";
const OPERATOR_PRESENT: &str = "insert into operator_presence (operator, until) values ($1, $2)
    on conflict (operator) do update set until = $2";
const SESSION_IN_USE: &str =
    "select session_id from session where session_id = $3 and expires_at > $2 and last_used_at >= $1";

/// Who is there in Telegram, and until when: read when it has changed, since each page that joins wants to know.
#[derive(Default)]
pub(super) struct Operators(Option<HashMap<String, Timestamp>>);

impl Operators {
    async fn online(&mut self, readers: &Readers, now: Timestamp) -> Result<usize> {
        if self.0.is_none() {
            let rows = query(OPERATORS).fetch_all(readers).await?;
            let present = |row| Ok((string(row, "operator")?, time(row, "until")?));
            self.0 = Some(rows.iter().map(present).collect::<Result<_>>()?);
        }
        Ok(self.0.iter().flat_map(HashMap::values).filter(|until| **until > now).count())
    }
}

#[async_trait]
impl ConnectionRows for SqlStore {
    async fn connect(&self, connection: &Connection, caps: ConnectionCaps) -> StoreResult<Connected> {
        Ok(self.live.connect(connection, caps))
    }

    async fn connection(&self, connection_id: &str, now: Timestamp) -> StoreResult<Option<Connection>> {
        Ok(self.live.connection(connection_id, now))
    }

    async fn bind(&self, connection_id: &str, conversation_id: &str, now: Timestamp) -> StoreResult<Option<bool>> {
        Ok(self.live.bind(connection_id, conversation_id, now))
    }

    async fn disconnect(&self, connection_id: &str, now: Timestamp) -> StoreResult<Option<Disconnected>> {
        Ok(self.live.disconnect(connection_id, now))
    }

    async fn audience(&self, conversation_id: &str, now: Timestamp) -> StoreResult<Audience> {
        Ok(self.live.audience(conversation_id, now))
    }

    async fn admin_connections(&self, now: Timestamp) -> StoreResult<Vec<String>> {
        Ok(self.live.admins(now))
    }

    async fn visitor_connections(&self, now: Timestamp) -> StoreResult<Vec<String>> {
        Ok(self.live.visitors(now))
    }

    async fn session_connections(&self, session_id: &str, now: Timestamp) -> StoreResult<Vec<String>> {
        Ok(self.live.of_session(session_id, now))
    }

    async fn admins_online(&self, now: Timestamp) -> StoreResult<i64> {
        let operators = self.operators.lock().await.online(&self.readers, now).await?;
        Ok(i64::try_from(operators).unwrap_or(i64::MAX) + self.live.admins_online(now))
    }

    async fn operator_present(&self, operator: &str, until: Timestamp, _: Timestamp) -> StoreResult<()> {
        let mut operators = self.operators.clone().lock_owned().await;
        operators.0 = None;
        // The lock goes with the job: nobody reads what is about to change, even when the caller goes away.
        self.write_once("operator", (operators, text(operator), until.0), |(_, operator, until), tx| {
            let query = query(OPERATOR_PRESENT).bind(operator).bind(until);
            Box::pin(async move { query.execute(tx).await.map(|_| ()) })
        })
        .await
    }

    async fn orphaned_admin_connections(&self, idle_since: Timestamp, now: Timestamp) -> StoreResult<Vec<String>> {
        let mut orphans = Vec::new();
        for session in self.live.sessions(now) {
            let query = query(SESSION_IN_USE).bind(idle_since.0).bind(now.0).bind(&session).brief();
            if query.fetch_optional(&self.readers).await?.is_none() {
                orphans.extend(self.live.of_session(&session, now));
            }
        }
        orphans.sort();
        Ok(orphans)
    }

    async fn forget_connections(&self) -> StoreResult<()> {
        self.live.forget();
        Ok(())
    }
}
