//! Who is there: live sockets, logins, tickets.

use async_trait::async_trait;

use super::{Audience, StoreResult};
use crate::model::{Connection, Session};
use crate::time::Timestamp;

/// How many sockets there may be at once.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionCaps {
    /// Of this side.
    pub side: i64,
    /// From one address, both sides together.
    pub ip: i64,
}

/// How [`Connections::connect`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connected {
    /// The row stands.
    Stored,
    /// A cap is reached; nothing was stored.
    Full,
}

/// What the end of a connection changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnected {
    /// The row that is gone.
    pub connection: Connection,
    /// It was the conversation's (or the session's) last live one.
    pub last: bool,
}

/// Rows of live sockets. (Sending to them is [`crate::connections::Connections`].)
#[async_trait]
pub trait ConnectionRows: Send + Sync {
    /// Stores a connection unless a cap is reached. Racing callers never pass a cap together by more than their number
    /// minus one on DynamoDB, and not at all on SQL.
    async fn connect(&self, connection: &Connection, caps: ConnectionCaps) -> StoreResult<Connected>;
    /// One live connection.
    async fn connection(&self, connection_id: &str, now: Timestamp) -> StoreResult<Option<Connection>>;
    /// As [`Self::connection`], on DynamoDB from memory where it was looked up before: a visitor's may be the one it was when it
    /// was bound to another conversation, and any may be gone. For whoever finds that out: by
    /// [`super::Messages::append_from`], or by looking at the session.
    async fn recent_connection(&self, connection_id: &str, now: Timestamp) -> StoreResult<Option<Connection>> {
        self.connection(connection_id, now).await
    }
    /// Binds a visitor's connection to a conversation (moving it from another one). `None`: no such connection.
    /// The flag: the conversation had no other live connection before.
    async fn bind(&self, connection_id: &str, conversation_id: &str, now: Timestamp) -> StoreResult<Option<bool>>;
    /// Forgets a connection.
    async fn disconnect(&self, connection_id: &str, now: Timestamp) -> StoreResult<Option<Disconnected>>;
    /// The connections that hear of a conversation.
    async fn audience(&self, conversation_id: &str, now: Timestamp) -> StoreResult<Audience>;
    /// Every admin's live connections.
    async fn admin_connections(&self, now: Timestamp) -> StoreResult<Vec<String>>;
    /// Every visitor's live, bound connections.
    async fn visitor_connections(&self, now: Timestamp) -> StoreResult<Vec<String>>;
    /// The live connections of one session.
    async fn session_connections(&self, session_id: &str, now: Timestamp) -> StoreResult<Vec<String>>;
    /// Notes that an operator is there until then, although without a socket; a moment that has passed: not any more.
    async fn operator_present(&self, operator: &str, until: Timestamp, now: Timestamp) -> StoreResult<()>;
    /// Sessions with at least one live connection, and operators that are there without one.
    async fn admins_online(&self, now: Timestamp) -> StoreResult<i64>;
    /// Live admin connections whose session has ended or expired; for the sweep that closes them.
    async fn orphaned_admin_connections(&self, idle_since: Timestamp, now: Timestamp) -> StoreResult<Vec<String>>;
    /// Forgets all: for a gateway that starts, since its sockets died with the process before.
    async fn forget_connections(&self) -> StoreResult<()>;
}

/// A login code, waiting to be entered.
#[derive(Clone, Debug)]
pub struct LoginCode {
    /// Hash of the challenge that the asking browser holds in its cookie.
    pub challenge_hash: String,
    /// HMAC of challenge and code.
    pub code_hash: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// After this it is worth nothing.
    pub expires_at: Timestamp,
}

/// How [`Sessions::redeem_code`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// The code was right, is used up, and the session stands.
    Session,
    /// The code was wrong; the try was counted.
    Wrong,
    /// Unknown, expired, used up or out of tries: nothing was compared.
    Refused,
}

/// A session's token, found by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionToken {
    /// The session.
    pub session: Session,
    /// The token is the present one; otherwise it is the one before, in its grace.
    pub current: bool,
}

/// Logins: codes, sessions, tickets.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Stores a code. A second code for the same challenge replaces the first.
    async fn put_code(&self, code: &LoginCode) -> StoreResult<()>;
    /// Counts a try (at most `max_tries`, counted before comparing), then compares; a right code is used up and `session`
    /// with `token_hash` is stored in the same atomic step. Of any number of racing right codes exactly one wins.
    async fn redeem_code(
        &self,
        challenge_hash: &str,
        code_hash: &str,
        max_tries: i64,
        session: &Session,
        token_hash: &str,
    ) -> StoreResult<Redeemed>;
    /// Allows the browser that holds the challenge to log in without its code. `false`: there is no such code, or it has
    /// expired or is used up.
    async fn approve_code(&self, challenge_hash: &str, now: Timestamp) -> StoreResult<bool>;
    /// As [`Self::redeem_code`] without a code: once it has been approved it is used up, and the session stands. `Wrong`: not
    /// approved yet; nothing is counted. Of any number of racing callers exactly one wins.
    async fn redeem_approval(&self, challenge_hash: &str, session: &Session, token_hash: &str)
    -> StoreResult<Redeemed>;
    /// The live session whose present token (or, before its grace ended, the one before) hashes to `token_hash`.
    /// Idle limit and `User-Agent` are the caller's to judge.
    async fn session_by_token(&self, token_hash: &str, now: Timestamp) -> StoreResult<Option<SessionToken>>;
    /// A live session by id.
    async fn session(&self, session_id: &str, now: Timestamp) -> StoreResult<Option<Session>>;
    /// Notes that a session was used and moves its end.
    async fn touch_session(&self, session_id: &str, now: Timestamp, expires_at: Timestamp) -> StoreResult<()>;
    /// Replaces the token if `old_hash` is still the present one; the old one works until `grace_until`. Of racing callers
    /// one wins (`true`).
    async fn rotate_session(
        &self,
        session_id: &str,
        old_hash: &str,
        new_hash: &str,
        now: Timestamp,
        grace_until: Timestamp,
    ) -> StoreResult<bool>;
    /// Ends a session and its tickets. `false`: there was none.
    async fn end_session(&self, session_id: &str) -> StoreResult<bool>;
    /// Stores a socket ticket.
    async fn put_ticket(&self, ticket_hash: &str, session_id: &str, expires_at: Timestamp) -> StoreResult<()>;
    /// Takes a ticket: its session's id, once. Of racing callers one gets it.
    async fn take_ticket(&self, ticket_hash: &str, now: Timestamp) -> StoreResult<Option<String>>;
}
