//! Logins: codes, sessions with their tokens, tickets.

use std::collections::HashMap;

use async_trait::async_trait;
use subtle::ConstantTimeEq;
use tokio::sync::OwnedMutexGuard;

use super::db::{Client, Result, query};
use super::rows::{self, maybe_number, number, string};
use super::{SqlStore, text};
use crate::model::Session;
use crate::store::{LoginCode, Redeemed, SessionToken, Sessions, StoreResult};
use crate::time::Timestamp;

const PUT_CODE: &str = "insert into login_code (challenge_hash, code_hash, tries, created_at, expires_at)
    values ($1, $2, 0, $3, $4)
    on conflict (challenge_hash) do update set code_hash = $2, tries = 0, created_at = $3, expires_at = $4, approved = 0";
const APPROVE: &str = "update login_code set approved = 1 where challenge_hash = $1 and expires_at > $2";
/// Changes nothing but locks the row, on both databases.
const LOCK_APPROVAL: &str = "update login_code set approved = approved
    where challenge_hash = $1 and expires_at > $2 returning approved";
/// Counts the try; the row stays locked until the code is compared and perhaps used up.
const TRY_CODE: &str = "update login_code set tries = tries + 1
    where challenge_hash = $1 and tries < $2 and expires_at > $3 returning code_hash";
const USE_CODE: &str = "delete from login_code where challenge_hash = $1";
const INSERT: &str = "insert into session (session_id, name, ip, user_agent_hash, created_at, expires_at, last_used_at,
        rotated_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)";
const INSERT_TOKEN: &str = "insert into session_token (token_hash, session_id, grace_until) values ($1, $2, null)";
pub(super) const BY_TOKEN: &str =
    "select s.*, t.grace_until from session_token t join session s on s.session_id = t.session_id
    where t.token_hash = $1 and s.expires_at > $2 and (t.grace_until is null or t.grace_until > $2)";
const BY_ID: &str = "select * from session where session_id = $1 and expires_at > $2";
const TOUCH: &str = "update session set expires_at = $3,
        last_used_at = case when last_used_at > $2 then last_used_at else $2 end
    where session_id = $1 and expires_at > $2";
const RETIRE_TOKEN: &str = "update session_token set grace_until = $3
    where token_hash = $2 and session_id = $1 and grace_until is null";
const ROTATED: &str = "update session set rotated_at = $2 where session_id = $1";
const IS_PRESENT: &str = "select token_hash from session_token
    where token_hash = $2 and session_id = $1 and grace_until is null";
const END: &str = "delete from session where session_id = $1";
const PUT_TICKET: &str = "insert into ticket (ticket_hash, session_id, expires_at)
    select $1, s.session_id, $3 from session s where s.session_id = $2
    on conflict (ticket_hash) do update set expires_at = $3";
const TAKE_TICKET: &str = "delete from ticket where ticket_hash = $1 returning session_id, expires_at";

/// Sessions as their rows are: each frame of a panel asks for its own.
#[derive(Default)]
pub(super) struct Known(HashMap<String, Session>);

impl SqlStore {
    /// Forgets a session that is about to change. What this gives goes with the job that changes it, so that nobody reads before,
    /// even when the caller goes away.
    async fn changing(&self, session_id: &str) -> OwnedMutexGuard<Known> {
        let mut known = self.sessions.clone().lock_owned().await;
        known.0.remove(session_id);
        known
    }
}

struct Try {
    challenge_hash: String,
    code_hash: String,
    max_tries: i64,
    session: Session,
    token_hash: String,
}

async fn redeem(tx: &mut Client, one: &Try) -> Result<Redeemed> {
    let now = one.session.created_at.0;
    let counted = query(TRY_CODE).bind(&one.challenge_hash).bind(one.max_tries).bind(now);
    let Some(row) = counted.fetch_optional(&mut *tx).await? else { return redeemed_before(tx, one).await };
    let code_hash = string(&row, "code_hash")?;
    if !bool::from(code_hash.as_bytes().ct_eq(one.code_hash.as_bytes())) {
        return Ok(Redeemed::Wrong);
    }
    begin(tx, one).await
}

/// Uses the code up; the session stands.
async fn begin(tx: &mut Client, one: &Try) -> Result<Redeemed> {
    query(USE_CODE).bind(&one.challenge_hash).execute(&mut *tx).await?;
    let session = &one.session;
    query(INSERT)
        .bind(text(&session.session_id))
        .bind(text(&session.name))
        .bind(text(&session.ip))
        .bind(text(&session.user_agent_hash))
        .bind(session.created_at.0)
        .bind(session.expires_at.0)
        .bind(session.last_used_at.0)
        .bind(session.rotated_at.0)
        .execute(&mut *tx)
        .await?;
    query(INSERT_TOKEN).bind(&one.token_hash).bind(text(&session.session_id)).execute(tx).await?;
    Ok(Redeemed::Session)
}

async fn redeem_approval(tx: &mut Client, one: &Try) -> Result<Redeemed> {
    let approval = query(LOCK_APPROVAL).bind(&one.challenge_hash).bind(one.session.created_at.0);
    match approval.fetch_optional(&mut *tx).await? {
        Some(row) if number(&row, "approved")? == 1 => begin(tx, one).await,
        Some(_) => Ok(Redeemed::Wrong),
        None => redeemed_before(tx, one).await,
    }
}

/// The same call again after a lost answer finds what it stored.
async fn redeemed_before(tx: &mut Client, one: &Try) -> Result<Redeemed> {
    let query = query(IS_PRESENT).bind(text(&one.session.session_id)).bind(&one.token_hash);
    Ok(if query.fetch_optional(tx).await?.is_some() { Redeemed::Session } else { Redeemed::Refused })
}

struct Rotation {
    session_id: String,
    old_hash: String,
    new_hash: String,
    now: Timestamp,
    grace_until: Timestamp,
}

async fn rotate(tx: &mut Client, one: &Rotation) -> Result<bool> {
    let retire = query(RETIRE_TOKEN).bind(&one.session_id).bind(&one.old_hash).bind(one.grace_until.0);
    if retire.execute(&mut *tx).await? == 0 {
        let again = query(IS_PRESENT).bind(&one.session_id).bind(&one.new_hash);
        return Ok(again.fetch_optional(tx).await?.is_some());
    }
    query(INSERT_TOKEN).bind(&one.new_hash).bind(&one.session_id).execute(&mut *tx).await?;
    query(ROTATED).bind(&one.session_id).bind(one.now.0).execute(tx).await?;
    Ok(true)
}

#[async_trait]
impl Sessions for SqlStore {
    async fn put_code(&self, code: &LoginCode) -> StoreResult<()> {
        self.write_once(&code.challenge_hash, code.clone(), |code, tx| {
            let query = query(PUT_CODE)
                .bind(text(&code.challenge_hash))
                .bind(text(&code.code_hash))
                .bind(code.created_at.0)
                .bind(code.expires_at.0);
            Box::pin(async move { query.execute(tx).await.map(|_| ()) })
        })
        .await
    }

    async fn redeem_code(
        &self,
        challenge_hash: &str,
        code_hash: &str,
        max_tries: i64,
        session: &Session,
        token_hash: &str,
    ) -> StoreResult<Redeemed> {
        let one = Try {
            challenge_hash: text(challenge_hash),
            code_hash: text(code_hash),
            max_tries,
            session: session.clone(),
            token_hash: text(token_hash),
        };
        self.write(challenge_hash, one, |one, tx| Box::pin(redeem(tx, one))).await
    }

    async fn approve_code(&self, challenge_hash: &str, now: Timestamp) -> StoreResult<bool> {
        self.write_once(challenge_hash, (text(challenge_hash), now.0), |(hash, now), tx| {
            let query = query(APPROVE).bind(hash).bind(now);
            Box::pin(async move { query.execute(tx).await.map(|done| done > 0) })
        })
        .await
    }

    async fn redeem_approval(
        &self,
        challenge_hash: &str,
        session: &Session,
        token_hash: &str,
    ) -> StoreResult<Redeemed> {
        let (session, code_hash) = (session.clone(), String::new());
        let (challenge, token_hash) = (text(challenge_hash), text(token_hash));
        let one = Try { challenge_hash: challenge, code_hash, max_tries: 0, session, token_hash };
        self.write(challenge_hash, one, |one, tx| Box::pin(redeem_approval(tx, one))).await
    }

    async fn session_by_token(&self, token_hash: &str, now: Timestamp) -> StoreResult<Option<SessionToken>> {
        let query = query(BY_TOKEN).bind(text(token_hash)).bind(now.0).brief();
        let Some(row) = query.fetch_optional(&self.readers).await? else { return Ok(None) };
        let current = maybe_number(&row, "grace_until")?.is_none();
        Ok(Some(SessionToken { session: rows::session(&row)?, current }))
    }

    async fn session(&self, session_id: &str, now: Timestamp) -> StoreResult<Option<Session>> {
        let mut known = self.sessions.lock().await;
        if let Some(session) = known.0.get(session_id) {
            return Ok(Some(session.clone()).filter(|session| session.expires_at > now));
        }
        let query = query(BY_ID).bind(text(session_id)).bind(now.0).brief();
        let row = query.fetch_optional(&self.readers).await?;
        let session = row.as_ref().map(rows::session).transpose()?;
        if let Some(session) = &session {
            known.0.retain(|_, other| other.expires_at > now);
            known.0.insert(session.session_id.clone(), session.clone());
        }
        Ok(session)
    }

    async fn touch_session(&self, session_id: &str, now: Timestamp, expires_at: Timestamp) -> StoreResult<()> {
        let args = (self.changing(session_id).await, text(session_id), now.0, expires_at.0);
        self.write_once(session_id, args, |(_, id, now, expires_at), tx| {
            let query = query(TOUCH).bind(id).bind(now).bind(expires_at);
            Box::pin(async move { query.execute(tx).await.map(|_| ()) })
        })
        .await
    }

    async fn rotate_session(
        &self,
        session_id: &str,
        old_hash: &str,
        new_hash: &str,
        now: Timestamp,
        grace_until: Timestamp,
    ) -> StoreResult<bool> {
        let (old_hash, new_hash) = (text(old_hash), text(new_hash));
        let one = Rotation { session_id: text(session_id), old_hash, new_hash, now, grace_until };
        let args = (self.changing(session_id).await, one);
        self.write(session_id, args, |(_, one), tx| Box::pin(rotate(tx, one))).await
    }

    async fn end_session(&self, session_id: &str) -> StoreResult<bool> {
        let args = (self.changing(session_id).await, text(session_id));
        self.write_once(session_id, args, |(_, id), tx| {
            let query = query(END).bind(id);
            Box::pin(async move { query.execute(tx).await.map(|done| done > 0) })
        })
        .await
    }

    async fn put_ticket(&self, ticket_hash: &str, session_id: &str, expires_at: Timestamp) -> StoreResult<()> {
        let args = (text(ticket_hash), text(session_id), expires_at.0);
        self.write_once(session_id, args, |(hash, session_id, expires_at), tx| {
            let query = query(PUT_TICKET).bind(hash).bind(session_id).bind(expires_at);
            Box::pin(async move { query.execute(tx).await.map(|_| ()) })
        })
        .await
    }

    async fn take_ticket(&self, ticket_hash: &str, now: Timestamp) -> StoreResult<Option<String>> {
        self.take_once(TAKE_TICKET, ticket_hash, "session_id", now).await
    }
}
