//! Rows of live sockets.
//!
//! A visitor's socket also stands in the head of its conversation, and an admin's in the one item of all admins: there they
//! are changed one after the other, which makes "the first" and "the last" exact. A socket takes its place among those of its
//! address first, then among all, then its row; it gives them up in an order that a repetition can complete.

use std::collections::HashSet;

use async_trait::async_trait;
use futures::future::{try_join, try_join_all};
use serde::{Deserialize, Serialize};

use super::DynamoStore;
use super::batch::Range;
use super::change::Move;
use super::item::{Key, millis, read, s, short, t, text, ttl};
use super::sockets::{Entry, Left, Listed, Sockets};
use super::table::{Terms, Written};
use super::visitors::visitors_key;
use crate::model::{Connection, Side};
use crate::store::{Audience, Connected, ConnectionCaps, ConnectionRows, Disconnected, Sessions, StoreResult};
use crate::time::Timestamp;

/// Rows are spread over so many partitions.
const SHARDS: u8 = 16;

#[derive(Serialize, Deserialize)]
struct Row {
    connection_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conversation_id: Option<String>,
    /// Only of an admin's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    ip: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    #[serde(with = "millis")]
    connected_at: Timestamp,
    #[serde(with = "millis")]
    expires_at: Timestamp,
    ttl: i64,
}

impl Row {
    fn new(connection: &Connection) -> Self {
        let (conversation_id, session_id) = match &connection.side {
            Side::Visitor { conversation_id } => (conversation_id.as_deref().map(text), None),
            Side::Admin { session_id } => (None, Some(text(session_id))),
        };
        Self {
            connection_id: text(&connection.connection_id),
            conversation_id,
            session_id,
            ip: text(&connection.ip),
            user_agent: connection.user_agent.as_deref().map(text),
            country: connection.country.as_deref().map(text),
            connected_at: connection.connected_at,
            expires_at: connection.expires_at,
            ttl: ttl(connection.expires_at),
        }
    }

    fn listed(&self) -> Listed {
        Listed { session_id: self.session_id.clone(), expires_at: self.expires_at.0 }
    }

    fn connection(self) -> Connection {
        let side = match self.session_id {
            Some(session_id) => Side::Admin { session_id },
            None => Side::Visitor { conversation_id: self.conversation_id },
        };
        Connection {
            connection_id: self.connection_id,
            side,
            ip: self.ip,
            user_agent: self.user_agent,
            country: self.country,
            connected_at: self.connected_at,
            expires_at: self.expires_at,
        }
    }
}

fn shard(number: u8) -> String {
    format!("N#{number}")
}

/// The key of a socket's row.
pub(super) fn row_key(connection_id: &str) -> Key {
    // FNV-1a: spreads ids that differ in few places, and never changes.
    let hash = connection_id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    Key::new(shard(u8::try_from(hash % u64::from(SHARDS)).unwrap_or_default()), short(connection_id))
}

fn address_key(ip: &str) -> Key {
    Key::new(format!("IP#{}", short(ip)), "SOCKETS")
}

/// Whether a socket is an admin's, or a visitor's that has a conversation.
fn belongs(connection: &Connection) -> bool {
    !matches!(connection.side, Side::Visitor { conversation_id: None })
}

impl DynamoStore {
    async fn row(&self, connection_id: &str) -> StoreResult<Option<Row>> {
        self.get(&row_key(connection_id), true).await?.map(read).transpose()
    }

    /// Takes a place on the side that a connection belongs to.
    async fn enter(&self, side: &Side, row: &Row, cap: i64) -> StoreResult<bool> {
        match side {
            Side::Admin { .. } => {
                let (key, socket) = (Key::admins(), row.listed());
                Ok(self.enlist(&key, &row.connection_id, &socket, cap, row.connected_at).await? != Entry::Full)
            }
            Side::Visitor { .. } => self.count_visitor(cap, row.connected_at).await,
        }
    }

    /// Puts a socket into the head of a conversation; answers whether it is the only one. `None`: there is no such
    /// conversation.
    async fn seat(&self, conversation_id: &str, row: &Row, now: Timestamp) -> StoreResult<Option<bool>> {
        let (id, expires_at) = (&row.connection_id, row.expires_at.0);
        let changed = self.change(conversation_id, |head| {
            head.prune(now);
            let first = head.conns.keys().all(|other| other == id);
            match head.conns.insert(id.clone(), expires_at) {
                Some(before) if before == expires_at => Move::Stay(first),
                _ => Move::To(first),
            }
        });
        Ok(changed.await?.map(|(first, _)| first))
    }

    /// Notes the conversation in a row, or that there is none, if the row lives and is as it was read.
    async fn rebind(&self, seen: &Row, to: Option<&str>, now: Timestamp) -> StoreResult<Written> {
        let update = if to.is_some() { "SET conversation_id = :to" } else { "REMOVE conversation_id" };
        let as_seen = match &seen.conversation_id {
            Some(_) => "expires_at > :now AND conversation_id = :before",
            None => "expires_at > :now AND attribute_not_exists(conversation_id)",
        };
        let mut terms = Terms::change(update).only_when(as_seen).value(":now", t(now));
        if let Some(before) = &seen.conversation_id {
            terms = terms.value(":before", s(before));
        }
        if let Some(to) = to {
            terms = terms.value(":to", s(text(to)));
        }
        self.update(&row_key(&seen.connection_id), terms).await
    }

    /// Takes a socket out of the head of its conversation.
    async fn unseat(&self, conversation_id: &str, connection_id: &str, now: Timestamp) -> StoreResult<Left> {
        let changed = self.change(conversation_id, |head| {
            head.prune(now);
            let was_there = head.conns.remove(connection_id).is_some();
            let left = Left { was_there, last: head.conns.is_empty() };
            if was_there { Move::To(left) } else { Move::Stay(left) }
        });
        Ok(changed.await?.map_or(Left { was_there: false, last: true }, |(left, _)| left))
    }

    /// Takes a socket out of everything but its row.
    async fn leave(&self, row: &Row, now: Timestamp) -> StoreResult<Left> {
        self.delist(&address_key(&row.ip), &row.connection_id, row.session_id.as_ref(), now).await?;
        match (&row.session_id, &row.conversation_id) {
            (Some(_), _) => self.delist(&Key::admins(), &row.connection_id, row.session_id.as_ref(), now).await,
            (None, Some(conversation_id)) => self.unseat(conversation_id, &row.connection_id, now).await,
            (None, None) => Ok(Left { was_there: false, last: false }),
        }
    }

    /// Frees a socket of a conversation that is gone.
    pub(super) async fn unbind(&self, connection_id: &str, conversation_id: &str) -> StoreResult<()> {
        let terms = Terms::change("REMOVE conversation_id")
            .only_when("conversation_id = :conversation")
            .value(":conversation", s(text(conversation_id)));
        self.update(&row_key(connection_id), terms).await.map(|_| ())
    }

    /// The rows of all partitions.
    async fn rows(&self) -> StoreResult<Vec<Row>> {
        let shards = (0..SHARDS).map(|number| self.all(Range::of(shard(number)).consistent()));
        let items = try_join_all(shards).await?;
        items.into_iter().flatten().map(read).collect()
    }

    /// How many visitors' sockets live.
    pub(super) async fn live_visitors(&self, now: Timestamp) -> StoreResult<i64> {
        let live =
            self.rows().await?.into_iter().filter(|row| row.session_id.is_none() && row.expires_at > now).count();
        Ok(i64::try_from(live).unwrap_or(i64::MAX))
    }
}

#[async_trait]
impl ConnectionRows for DynamoStore {
    async fn connect(&self, connection: &Connection, caps: ConnectionCaps) -> StoreResult<Connected> {
        let (row, now) = (Row::new(connection), connection.connected_at);
        let key = address_key(&row.ip);
        match self.enlist(&key, &row.connection_id, &row.listed(), caps.ip, now).await? {
            Entry::Full => return Ok(Connected::Full),
            Entry::Already if self.connection(&row.connection_id, now).await?.is_some() => {
                return Ok(Connected::Stored);
            }
            // An earlier call may have taken it, and have come no further.
            Entry::New | Entry::Already => {}
        }
        let entered = self.enter(&connection.side, &row, caps.side).await;
        if !matches!(entered, Ok(true)) {
            self.delist(&key, &row.connection_id, None, now).await?;
            return entered.map(|_| Connected::Full);
        }
        let key = row_key(&row.connection_id);
        if let Err(error) = self.put(key.item(&row)?, Terms::default()).await {
            // A socket that is refused sends no `$disconnect`: nothing else would give its places up before they expire.
            self.leave(&row, now).await?;
            self.remove(&key, Terms::default()).await?;
            return Err(error);
        }
        Ok(Connected::Stored)
    }

    async fn connection(&self, connection_id: &str, now: Timestamp) -> StoreResult<Option<Connection>> {
        let found = self.row(connection_id).await?.filter(|row| row.expires_at > now).map(Row::connection);
        self.sockets_seen.note(connection_id, found.clone().filter(belongs));
        Ok(found)
    }

    async fn recent_connection(&self, connection_id: &str, now: Timestamp) -> StoreResult<Option<Connection>> {
        let lives = |one: &Connection| one.expires_at > now;
        if let Some(known) = self.sockets_seen.get(connection_id).filter(lives) {
            return Ok(Some(known));
        }
        let row: Option<Row> = self.get(&row_key(connection_id), false).await?.map(read).transpose()?;
        let Some(known) = row.map(Row::connection).filter(lives).filter(belongs) else {
            // It may have come, or have been bound, since.
            return self.connection(connection_id, now).await;
        };
        self.sockets_seen.note(connection_id, Some(known.clone()));
        Ok(Some(known))
    }

    async fn bind(&self, connection_id: &str, conversation_id: &str, now: Timestamp) -> StoreResult<Option<bool>> {
        // An old row costs another turn, no more: it is changed on condition that it is still as it was read.
        let mut row = match self.get(&row_key(connection_id), false).await? {
            Some(item) => Some(read::<Row>(item)?),
            None => self.row(connection_id).await?,
        };
        loop {
            let seen = row.filter(|row| row.session_id.is_none() && row.expires_at > now);
            let Some(seen) = seen else {
                self.unseat(conversation_id, connection_id, now).await?;
                return Ok(None);
            };
            // In the head first: whoever ends the connection finds out by its row where it stands.
            let first = self.seat(conversation_id, &seen, now).await?;
            match self.rebind(&seen, first.map(|_| conversation_id), now).await? {
                Written::Done(bound) => {
                    let bound = bound.map(read::<Row>).transpose()?.map(Row::connection);
                    self.sockets_seen.note(connection_id, bound.filter(belongs));
                    if let Some(before) = seen.conversation_id.filter(|before| before != conversation_id) {
                        self.unseat(&before, connection_id, now).await?;
                    }
                    return Ok(Some(first.unwrap_or(true)));
                }
                Written::Refused(found) => row = found.map(read).transpose()?,
            }
        }
    }

    async fn disconnect(&self, connection_id: &str, now: Timestamp) -> StoreResult<Option<Disconnected>> {
        let Some(row) = self.row(connection_id).await? else { return Ok(None) };
        let mut left = self.leave(&row, now).await?;
        let gone = match self.remove(&row_key(connection_id), Terms::default()).await? {
            Written::Done(gone) | Written::Refused(gone) => gone.map(read::<Row>).transpose()?,
        };
        let ours = gone.is_some();
        // It may have been bound to another conversation since it was read.
        let newest = gone.and_then(|gone| gone.conversation_id).filter(|_| row.session_id.is_none());
        if let Some(newest) = newest.filter(|newest| row.conversation_id.as_ref() != Some(newest)) {
            left = self.unseat(&newest, connection_id, now).await?;
        }
        if ours && row.session_id.is_none() {
            self.uncount_visitor().await?;
        }
        let told = row.expires_at > now && (ours || left.was_there);
        Ok(told.then(|| Disconnected { connection: row.connection(), last: left.last }))
    }

    async fn audience(&self, conversation_id: &str, now: Timestamp) -> StoreResult<Audience> {
        let (head, admins) = try_join(self.head(conversation_id), self.admin_connections(now)).await?;
        Ok(Audience { visitor: head.map(|head| head.sockets(now)).unwrap_or_default(), admins })
    }

    async fn admin_connections(&self, now: Timestamp) -> StoreResult<Vec<String>> {
        Ok(self.sockets(&Key::admins()).await?.live(now).map(|(id, _)| id.clone()).collect())
    }

    async fn visitor_connections(&self, now: Timestamp) -> StoreResult<Vec<String>> {
        let rows = self.rows().await?.into_iter();
        let bound =
            rows.filter(|row| row.session_id.is_none() && row.conversation_id.is_some() && row.expires_at > now);
        let mut ids: Vec<_> = bound.map(|row| row.connection_id).collect();
        ids.sort();
        Ok(ids)
    }

    async fn session_connections(&self, session_id: &str, now: Timestamp) -> StoreResult<Vec<String>> {
        let sockets = self.sockets(&Key::admins()).await?;
        let of_session = sockets.live(now).filter(|(_, socket)| socket.session_id.as_deref() == Some(session_id));
        Ok(of_session.map(|(id, _)| id.clone()).collect())
    }

    async fn operator_present(&self, operator: &str, until: Timestamp, now: Timestamp) -> StoreResult<()> {
        self.note_operator(operator, until, now).await
    }

    async fn admins_online(&self, now: Timestamp) -> StoreResult<i64> {
        // People see this number; who is to be told of something is read at full price.
        let sockets = Sockets::read(self.get(&Key::admins(), false).await?)?;
        let sessions: HashSet<_> = sockets.live(now).map(|(_, socket)| &socket.session_id).collect();
        Ok(i64::try_from(sessions.len() + sockets.operators(now)).unwrap_or(i64::MAX))
    }

    async fn orphaned_admin_connections(&self, idle_since: Timestamp, now: Timestamp) -> StoreResult<Vec<String>> {
        let sockets = self.sockets(&Key::admins()).await?;
        let wanted: HashSet<_> = sockets.live(now).filter_map(|(_, socket)| socket.session_id.clone()).collect();
        let sessions = try_join_all(wanted.iter().map(|session_id| self.session(session_id, now))).await?;
        let in_use = sessions.into_iter().flatten().filter(|session| session.last_used_at >= idle_since);
        let in_use: HashSet<_> = in_use.map(|session| Some(session.session_id)).collect();
        let orphans = sockets.live(now).filter(|(_, socket)| !in_use.contains(&socket.session_id));
        Ok(orphans.map(|(id, _)| id.clone()).collect())
    }

    async fn forget_connections(&self) -> StoreResult<()> {
        let rows = self.rows().await?;
        for row in &rows {
            self.leave(row, Timestamp::default()).await?;
        }
        let keys: Vec<_> = rows.iter().map(|row| row_key(&row.connection_id)).collect();
        self.remove_all(&[keys, vec![visitors_key()]].concat()).await?;
        self.forget_admins().await
    }
}
