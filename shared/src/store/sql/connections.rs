//! Rows of live sockets.
//!
//! Whatever counts rows before it changes them goes through the turnstile first, a row that every such transaction locks: so
//! caps are exact and "the last one" is told to exactly one caller, on several processes too.

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool};

use super::rows::{self, number, string};
use super::{SqlStore, optional, text};
use crate::model::{Connection, Side};
use crate::store::{Audience, Connected, ConnectionCaps, ConnectionRows, Disconnected, StoreResult};
use crate::time::Timestamp;

const KEY: &str = "connection";
const TURN: &str = "update turnstile set turns = turns + 1 where name = 'connection'";
const ONE: &str = "select * from connection where connection_id = $1 and expires_at > $2";
pub(super) const COUNTS: &str = "select
    (select count(*) from connection where side = $1 and expires_at > $3) as side_count,
    (select count(*) from connection where ip = $2 and expires_at > $3) as ip_count";
const INSERT: &str = "insert into connection (connection_id, side, conversation_id, session_id, ip, user_agent,
        connected_at, expires_at, country)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    on conflict (connection_id) do update set side = $2, conversation_id = $3, session_id = $4, ip = $5,
        user_agent = $6, connected_at = $7, expires_at = $8, country = $9";
const OTHERS_OF_CONVERSATION: &str = "select count(*) as others from connection
    where conversation_id = $1 and connection_id <> $2 and expires_at > $3";
const OTHERS_OF_SESSION: &str = "select count(*) as others from connection
    where session_id = $1 and connection_id <> $2 and expires_at > $3";
const BIND: &str = "update connection set conversation_id = $2
    where connection_id = $1 and side = 'visitor' and expires_at > $3 returning connection_id";
const DELETE: &str = "delete from connection where connection_id = $1 returning *";
pub(super) const AUDIENCE: &str =
    "select connection_id, side from connection where conversation_id = $1 and expires_at > $2
    union all
    select connection_id, side from connection where side = 'admin' and expires_at > $2
    order by connection_id";
pub(super) const ADMINS: &str = "select connection_id from connection where side = 'admin' and expires_at > $1
    order by connection_id";
pub(super) const VISITORS: &str = "select connection_id from connection
    where side = 'visitor' and expires_at > $1 and conversation_id is not null order by connection_id";
pub(super) const OF_SESSION: &str = "select connection_id from connection where session_id = $1 and expires_at > $2
    order by connection_id";
const ADMINS_ONLINE: &str = "select
    (select count(distinct session_id) from connection where side = 'admin' and expires_at > $1)
        + (select count(*) from operator_presence where until > $1) as admins";
const OPERATOR_PRESENT: &str = "insert into operator_presence (operator, until) values ($1, $2)
    on conflict (operator) do update set until = $2";
const ORPHANED: &str = "select n.connection_id from connection n
    left join session s on s.session_id = n.session_id and s.expires_at > $2 and s.last_used_at >= $1
    where n.side = 'admin' and n.expires_at > $2 and s.session_id is null order by n.connection_id";
const FORGET_ALL: &str = "delete from connection";

/// Who hears of a conversation, within a transaction.
pub(super) async fn audience(
    connection: &mut AnyConnection,
    conversation_id: &str,
    now: Timestamp,
) -> sqlx::Result<Audience> {
    let mut audience = Audience::default();
    for row in sqlx::query(AUDIENCE).bind(conversation_id).bind(now.0).fetch_all(connection).await? {
        add(&mut audience, &row)?;
    }
    Ok(audience)
}

/// Adds a socket to its side.
pub(super) fn add(audience: &mut Audience, row: &AnyRow) -> sqlx::Result<()> {
    let side = if string(row, "side")? == "admin" { &mut audience.admins } else { &mut audience.visitor };
    side.push(string(row, "connection_id")?);
    Ok(())
}

async fn connect(tx: &mut AnyConnection, row: &Connection, caps: ConnectionCaps) -> sqlx::Result<Connected> {
    let (side, conversation_id, session_id) = match &row.side {
        Side::Visitor { conversation_id } => ("visitor", optional(conversation_id.as_deref()), None),
        Side::Admin { session_id } => ("admin", None, Some(text(session_id))),
    };
    let (id, ip, now) = (text(&row.connection_id), text(&row.ip), row.connected_at.0);
    sqlx::query(TURN).execute(&mut *tx).await?;
    if sqlx::query(ONE).bind(&id).bind(now).fetch_optional(&mut *tx).await?.is_some() {
        return Ok(Connected::Stored);
    }
    let counts = sqlx::query(COUNTS).bind(side).bind(&ip).bind(now).fetch_one(&mut *tx).await?;
    if number(&counts, "side_count")? >= caps.side || number(&counts, "ip_count")? >= caps.ip {
        return Ok(Connected::Full);
    }
    sqlx::query(INSERT)
        .bind(id)
        .bind(side)
        .bind(conversation_id)
        .bind(session_id)
        .bind(ip)
        .bind(optional(row.user_agent.as_deref()))
        .bind(now)
        .bind(row.expires_at.0)
        .bind(optional(row.country.as_deref()))
        .execute(tx)
        .await?;
    Ok(Connected::Stored)
}

async fn bind(tx: &mut AnyConnection, id: &str, conversation_id: &str, now: i64) -> sqlx::Result<Option<bool>> {
    sqlx::query(TURN).execute(&mut *tx).await?;
    let bound = sqlx::query(BIND).bind(id).bind(conversation_id).bind(now).fetch_optional(&mut *tx).await?;
    if bound.is_none() {
        return Ok(None);
    }
    let others = sqlx::query(OTHERS_OF_CONVERSATION).bind(conversation_id).bind(id).bind(now).fetch_one(tx).await?;
    Ok(Some(number(&others, "others")? == 0))
}

async fn disconnect(tx: &mut AnyConnection, id: &str, now: i64) -> sqlx::Result<Option<Disconnected>> {
    sqlx::query(TURN).execute(&mut *tx).await?;
    let Some(row) = sqlx::query(DELETE).bind(id).fetch_optional(&mut *tx).await? else { return Ok(None) };
    let connection = rows::connection(&row)?;
    if connection.expires_at.0 <= now {
        return Ok(None);
    }
    let (others, of) = match &connection.side {
        Side::Visitor { conversation_id: Some(conversation_id) } => (OTHERS_OF_CONVERSATION, conversation_id),
        Side::Visitor { conversation_id: None } => return Ok(Some(Disconnected { connection, last: false })),
        Side::Admin { session_id } => (OTHERS_OF_SESSION, session_id),
    };
    let others = sqlx::query(others).bind(of).bind(id).bind(now).fetch_one(tx).await?;
    let last = number(&others, "others")? == 0;
    Ok(Some(Disconnected { connection, last }))
}

/// The ids that a query of times and keys finds.
async fn ids(
    pool: &AnyPool,
    query: sqlx::query::Query<'_, sqlx::Any, sqlx::any::AnyArguments>,
) -> StoreResult<Vec<String>> {
    let rows = query.fetch_all(pool).await?;
    Ok(rows.iter().map(|row| string(row, "connection_id")).collect::<sqlx::Result<_>>()?)
}

#[async_trait]
impl ConnectionRows for SqlStore {
    async fn connect(&self, connection: &Connection, caps: ConnectionCaps) -> StoreResult<Connected> {
        let args = (connection.clone(), caps);
        self.write(KEY, args, |(row, caps), tx| Box::pin(connect(tx, row, *caps))).await
    }

    async fn connection(&self, connection_id: &str, now: Timestamp) -> StoreResult<Option<Connection>> {
        self.lookup.connection(connection_id, now).await
    }

    async fn bind(&self, connection_id: &str, conversation_id: &str, now: Timestamp) -> StoreResult<Option<bool>> {
        let args = (text(connection_id), text(conversation_id), now.0);
        self.write(KEY, args, |(id, conversation_id, now), tx| Box::pin(bind(tx, id, conversation_id, *now))).await
    }

    async fn disconnect(&self, connection_id: &str, now: Timestamp) -> StoreResult<Option<Disconnected>> {
        let args = (text(connection_id), now.0);
        self.write(KEY, args, |(id, now), tx| Box::pin(disconnect(tx, id, *now))).await
    }

    async fn audience(&self, conversation_id: &str, now: Timestamp) -> StoreResult<Audience> {
        let mut connection = self.readers.acquire().await?;
        Ok(audience(&mut connection, &text(conversation_id), now).await?)
    }

    async fn admin_connections(&self, now: Timestamp) -> StoreResult<Vec<String>> {
        ids(&self.readers, sqlx::query(ADMINS).bind(now.0)).await
    }

    async fn visitor_connections(&self, now: Timestamp) -> StoreResult<Vec<String>> {
        ids(&self.readers, sqlx::query(VISITORS).bind(now.0)).await
    }

    async fn session_connections(&self, session_id: &str, now: Timestamp) -> StoreResult<Vec<String>> {
        ids(&self.readers, sqlx::query(OF_SESSION).bind(text(session_id)).bind(now.0)).await
    }

    async fn admins_online(&self, now: Timestamp) -> StoreResult<i64> {
        let row = sqlx::query(ADMINS_ONLINE).bind(now.0).fetch_one(&self.readers).await?;
        Ok(number(&row, "admins")?)
    }

    async fn operator_present(&self, operator: &str, until: Timestamp, _: Timestamp) -> StoreResult<()> {
        self.write("operator", (text(operator), until.0), |(operator, until), tx| {
            let query = sqlx::query(OPERATOR_PRESENT).bind(operator).bind(until);
            Box::pin(async move { query.execute(tx).await.map(|_| ()) })
        })
        .await
    }

    async fn orphaned_admin_connections(&self, idle_since: Timestamp, now: Timestamp) -> StoreResult<Vec<String>> {
        ids(&self.readers, sqlx::query(ORPHANED).bind(idle_since.0).bind(now.0)).await
    }

    async fn forget_connections(&self) -> StoreResult<()> {
        self.write(KEY, (), |(), tx| Box::pin(async move { sqlx::query(FORGET_ALL).execute(tx).await.map(|_| ()) }))
            .await
    }
}
