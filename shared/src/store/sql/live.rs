//! Live sockets: in memory, since they end with the one gateway that has the database, and nobody else could push to them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{Connection, Side};
use crate::store::{Audience, Connected, ConnectionCaps, Disconnected};
use crate::time::Timestamp;

/// All of them; each method is one step to everybody else.
#[derive(Default)]
pub(super) struct Live(Mutex<Rows>);

#[derive(Default)]
struct Rows {
    by_id: HashMap<String, Connection>,
    groups: HashMap<Group, BTreeSet<String>>,
    ends: BTreeSet<(Timestamp, String)>,
}

/// What sockets are counted and called by.
#[derive(PartialEq, Eq, Hash)]
enum Group {
    Address(String),
    Admins,
    Conversation(String),
    Session(String),
}

fn groups(connection: &Connection) -> impl Iterator<Item = Group> + use<> {
    let address = Group::Address(connection.ip.clone());
    let (one, other) = match &connection.side {
        Side::Visitor { conversation_id } => (conversation_id.clone().map(Group::Conversation), None),
        Side::Admin { session_id } => (Some(Group::Admins), Some(Group::Session(session_id.clone()))),
    };
    [Some(address), one, other].into_iter().flatten()
}

impl Rows {
    fn enter(&mut self, connection: Connection) {
        let id = &connection.connection_id;
        for group in groups(&connection) {
            self.groups.entry(group).or_default().insert(id.clone());
        }
        self.ends.insert((connection.expires_at, id.clone()));
        self.by_id.insert(id.clone(), connection);
    }

    fn leave(&mut self, id: &str) -> Option<Connection> {
        let connection = self.by_id.remove(id)?;
        for group in groups(&connection) {
            if let Some(ids) = self.groups.get_mut(&group) {
                ids.remove(id);
                if ids.is_empty() {
                    self.groups.remove(&group);
                }
            }
        }
        self.ends.remove(&(connection.expires_at, connection.connection_id.clone()));
        Some(connection)
    }

    fn live(&self, id: &str, now: Timestamp) -> Option<&Connection> {
        self.by_id.get(id).filter(|one| one.expires_at > now)
    }

    /// The live ones of a group, in the order of their ids.
    fn of(&self, group: &Group, now: Timestamp) -> impl Iterator<Item = &Connection> {
        self.groups.get(group).into_iter().flatten().filter_map(move |id| self.live(id, now))
    }

    fn ids(&self, group: &Group, now: Timestamp) -> Vec<String> {
        self.of(group, now).map(|one| one.connection_id.clone()).collect()
    }

    fn is_empty(&self, group: &Group, now: Timestamp) -> bool {
        self.of(group, now).next().is_none()
    }

    fn sweep(&mut self, now: Timestamp) -> i64 {
        let mut swept = 0;
        while let Some((end, id)) = self.ends.first()
            && *end <= now
        {
            let id = id.clone();
            self.leave(&id);
            swept += 1;
        }
        swept
    }

    /// How many there are on a side, expired ones included.
    fn on(&self, side: &Side) -> usize {
        let admins = self.groups.get(&Group::Admins).map_or(0, BTreeSet::len);
        match side {
            Side::Admin { .. } => admins,
            Side::Visitor { .. } => self.by_id.len() - admins,
        }
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Live {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn connect(&self, connection: &Connection, caps: ConnectionCaps) -> Connected {
        let (mut rows, now) = (self.rows(), connection.connected_at);
        rows.sweep(now);
        if rows.live(&connection.connection_id, now).is_some() {
            return Connected::Stored;
        }
        let of_address = rows.of(&Group::Address(connection.ip.clone()), now).count();
        if count(of_address) >= caps.ip || count(rows.on(&connection.side)) >= caps.side {
            return Connected::Full;
        }
        rows.enter(connection.clone());
        Connected::Stored
    }

    pub(super) fn connection(&self, id: &str, now: Timestamp) -> Option<Connection> {
        self.rows().live(id, now).cloned()
    }

    pub(super) fn bind(&self, id: &str, conversation_id: &str, now: Timestamp) -> Option<bool> {
        let mut rows = self.rows();
        let visitors = |one: &&Connection| matches!(one.side, Side::Visitor { .. });
        rows.live(id, now).filter(visitors)?;
        let mut connection = rows.leave(id)?;
        let first = rows.is_empty(&Group::Conversation(conversation_id.to_owned()), now);
        connection.side = Side::Visitor { conversation_id: Some(conversation_id.to_owned()) };
        rows.enter(connection);
        Some(first)
    }

    /// A conversation that is gone has no sockets.
    pub(super) fn unbind(&self, conversation_id: &str) {
        let mut rows = self.rows();
        let bound = rows.groups.get(&Group::Conversation(conversation_id.to_owned())).cloned().unwrap_or_default();
        for id in bound {
            if let Some(mut connection) = rows.leave(&id) {
                connection.side = Side::Visitor { conversation_id: None };
                rows.enter(connection);
            }
        }
    }

    pub(super) fn disconnect(&self, id: &str, now: Timestamp) -> Option<Disconnected> {
        let mut rows = self.rows();
        let connection = rows.leave(id).filter(|one| one.expires_at > now)?;
        let last = match &connection.side {
            Side::Visitor { conversation_id: None } => false,
            Side::Visitor { conversation_id: Some(id) } => rows.is_empty(&Group::Conversation(id.clone()), now),
            Side::Admin { session_id } => rows.is_empty(&Group::Session(session_id.clone()), now),
        };
        Some(Disconnected { connection, last })
    }

    pub(super) fn audience(&self, conversation_id: &str, now: Timestamp) -> Audience {
        let rows = self.rows();
        let visitor = rows.ids(&Group::Conversation(conversation_id.to_owned()), now);
        Audience { visitor, admins: rows.ids(&Group::Admins, now) }
    }

    pub(super) fn is_online(&self, conversation_id: &str, now: Timestamp) -> bool {
        !self.rows().is_empty(&Group::Conversation(conversation_id.to_owned()), now)
    }

    /// How many conversations have a visitor who is there.
    pub(super) fn online(&self, now: Timestamp) -> i64 {
        let rows = self.rows();
        let conversations = rows.groups.keys().filter(|group| matches!(group, Group::Conversation(_)));
        count(conversations.filter(|group| !rows.is_empty(group, now)).count())
    }

    pub(super) fn admins(&self, now: Timestamp) -> Vec<String> {
        self.rows().ids(&Group::Admins, now)
    }

    pub(super) fn visitors(&self, now: Timestamp) -> Vec<String> {
        let rows = self.rows();
        let bound = |one: &&Connection| matches!(one.side, Side::Visitor { conversation_id: Some(_) });
        let visitors = rows.by_id.values().filter(bound).filter(|one| one.expires_at > now);
        let mut ids: Vec<_> = visitors.map(|one| one.connection_id.clone()).collect();
        ids.sort();
        ids
    }

    pub(super) fn of_session(&self, session_id: &str, now: Timestamp) -> Vec<String> {
        self.rows().ids(&Group::Session(session_id.to_owned()), now)
    }

    /// How many sessions are there.
    pub(super) fn admins_online(&self, now: Timestamp) -> i64 {
        count(self.sessions(now).len())
    }

    /// The sessions of all admins that are there.
    pub(super) fn sessions(&self, now: Timestamp) -> HashSet<String> {
        let rows = self.rows();
        let session = |one: &Connection| match &one.side {
            Side::Admin { session_id } => Some(session_id.clone()),
            Side::Visitor { .. } => None,
        };
        rows.of(&Group::Admins, now).filter_map(session).collect()
    }

    pub(super) fn sweep(&self, now: Timestamp) -> i64 {
        self.rows().sweep(now)
    }

    pub(super) fn forget(&self) {
        *self.rows() = Rows::default();
    }
}
