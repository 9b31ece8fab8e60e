//! Logins: codes, sessions with their tokens, tickets.
//!
//! Whatever may happen only once carries the random number of the attempt that did it, so that the same attempt, made again
//! after a lost answer, finds that it was itself.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::DynamoStore;
use super::failure::CHANGE;
use super::item::{Key, maybe_millis, millis, n, nonce, read, s, t, text, ttl};
use super::table::{Terms, Together, Written};
use crate::model::Session;
use crate::store::{LoginCode, Redeemed, SessionToken, Sessions, StoreResult};
use crate::time::Timestamp;

#[derive(Serialize, Deserialize)]
struct CodeItem {
    code_hash: String,
    tries: i64,
    #[serde(with = "millis")]
    expires_at: Timestamp,
    /// The attempt that counted the last try.
    by: String,
    /// Whether the browser may log in without the code.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    approved: bool,
    ttl: i64,
}

#[derive(Serialize, Deserialize)]
struct SessionItem {
    name: String,
    ip: String,
    user_agent_hash: String,
    #[serde(with = "millis")]
    created_at: Timestamp,
    #[serde(with = "millis")]
    expires_at: Timestamp,
    #[serde(with = "millis")]
    last_used_at: Timestamp,
    #[serde(with = "millis")]
    rotated_at: Timestamp,
    /// Hash of the present token.
    token_hash: String,
    ttl: i64,
}

impl SessionItem {
    fn new(session: &Session, token_hash: &str) -> Self {
        Self {
            name: text(&session.name),
            ip: text(&session.ip),
            user_agent_hash: text(&session.user_agent_hash),
            created_at: session.created_at,
            expires_at: session.expires_at,
            last_used_at: session.last_used_at,
            rotated_at: session.rotated_at,
            token_hash: text(token_hash),
            ttl: ttl(session.expires_at),
        }
    }

    fn session(self, session_id: &str) -> Session {
        Session {
            session_id: session_id.to_owned(),
            name: self.name,
            ip: self.ip,
            user_agent_hash: self.user_agent_hash,
            created_at: self.created_at,
            expires_at: self.expires_at,
            last_used_at: self.last_used_at,
            rotated_at: self.rotated_at,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct TokenItem {
    session_id: String,
    /// Set once the token was replaced.
    #[serde(default, with = "maybe_millis", skip_serializing_if = "Option::is_none")]
    grace_until: Option<Timestamp>,
    ttl: i64,
}

#[derive(Serialize, Deserialize)]
struct TicketItem {
    session_id: String,
    #[serde(with = "millis")]
    expires_at: Timestamp,
    ttl: i64,
}

fn code_key(challenge_hash: &str) -> Key {
    Key::alone("CODE", challenge_hash)
}

fn session_key(session_id: &str) -> Key {
    Key::alone("SESSION", session_id)
}

fn token_key(token_hash: &str) -> Key {
    Key::alone("TOKEN", token_hash)
}

fn ticket_key(ticket_hash: &str) -> Key {
    Key::alone("TICKET", ticket_hash)
}

impl DynamoStore {
    async fn session_item(&self, session_id: &str) -> StoreResult<Option<SessionItem>> {
        self.get(&session_key(session_id), true).await?.map(read).transpose()
    }

    async fn token_item(&self, token_hash: &str) -> StoreResult<Option<TokenItem>> {
        self.get(&token_key(token_hash), true).await?.map(read).transpose()
    }

    /// Whether `token_hash` is the present token of `session_id`.
    async fn is_present(&self, session_id: &str, token_hash: &str) -> StoreResult<bool> {
        let token = self.token_item(token_hash).await?;
        Ok(token.is_some_and(|token| token.session_id == session_id && token.grace_until.is_none()))
    }

    /// Counts a try; the code's hash if one was left.
    async fn count_try(&self, key: &Key, max_tries: i64, now: Timestamp) -> StoreResult<Option<String>> {
        let by = nonce()?;
        let terms = Terms::change("SET tries = tries + :one, #by = :by")
            .only_when("attribute_exists(pk) AND tries < :max AND expires_at > :now AND #by <> :by")
            .name("#by", "by")
            .value(":one", n(1))
            .value(":by", s(&by))
            .value(":max", n(max_tries))
            .value(":now", t(now));
        match self.update(key, terms).await? {
            Written::Done(item) => Ok(item.map(read::<CodeItem>).transpose()?.map(|code| code.code_hash)),
            Written::Refused(item) => {
                let code = item.map(read::<CodeItem>).transpose()?;
                Ok(code.filter(|code| code.by == by && code.expires_at > now).map(|code| code.code_hash))
            }
        }
    }

    /// Uses up a code, if it is still the right one, and stores the session that it opens.
    async fn begin_session(
        &self,
        code: &Key,
        used: Terms,
        session: &Session,
        token_hash: &str,
    ) -> StoreResult<Redeemed> {
        let ends = ttl(session.expires_at);
        let token = TokenItem { session_id: session.session_id.clone(), grace_until: None, ttl: ends };
        let parts = vec![
            self.to_remove(code, used)?,
            self.to_put(
                session_key(&session.session_id).item(&SessionItem::new(session, token_hash))?,
                Terms::absent(),
            )?,
            self.to_put(token_key(token_hash).item(&token)?, Terms::absent())?,
        ];
        match self.together(parts).await? {
            Together::Done => Ok(Redeemed::Session),
            Together::Refused(_) => self.redeemed_before(session, token_hash).await,
        }
    }

    /// What is answered when there is no code to use up: perhaps this very call did, and its answer was lost.
    async fn redeemed_before(&self, session: &Session, token_hash: &str) -> StoreResult<Redeemed> {
        let again = self.is_present(&session.session_id, token_hash).await?;
        Ok(if again { Redeemed::Session } else { Redeemed::Refused })
    }

    /// Moves the end of a token with that of its session.
    async fn keep_token(&self, session_id: &str, token_hash: &str, expires_at: Timestamp) -> StoreResult<()> {
        let terms = Terms::change("SET #ttl = :ttl")
            .only_when("session_id = :session AND attribute_not_exists(grace_until)")
            .name("#ttl", "ttl")
            .value(":ttl", n(ttl(expires_at)))
            .value(":session", s(session_id));
        self.update(&token_key(token_hash), terms).await.map(|_| ())
    }
}

#[async_trait]
impl Sessions for DynamoStore {
    async fn put_code(&self, code: &LoginCode) -> StoreResult<()> {
        let item = CodeItem {
            code_hash: code.code_hash.clone(),
            tries: 0,
            expires_at: code.expires_at,
            by: String::new(),
            approved: false,
            ttl: ttl(code.expires_at),
        };
        let item = code_key(&code.challenge_hash).item(&item)?;
        self.put(item, Terms::default()).await.map(|_| ())
    }

    async fn redeem_code(
        &self,
        challenge_hash: &str,
        code_hash: &str,
        max_tries: i64,
        session: &Session,
        token_hash: &str,
    ) -> StoreResult<Redeemed> {
        let (key, now) = (code_key(challenge_hash), session.created_at);
        let Some(right) = self.count_try(&key, max_tries, now).await? else {
            return self.redeemed_before(session, token_hash).await;
        };
        if !bool::from(right.as_bytes().ct_eq(code_hash.as_bytes())) {
            return Ok(Redeemed::Wrong);
        }
        let used = Terms::when("code_hash = :hash").value(":hash", s(code_hash));
        self.begin_session(&key, used, session, token_hash).await
    }

    async fn approve_code(&self, challenge_hash: &str, now: Timestamp) -> StoreResult<bool> {
        let terms = Terms::change("SET approved = :yes")
            .only_when("expires_at > :now")
            .value(":yes", AttributeValue::Bool(true))
            .value(":now", t(now));
        Ok(self.update(&code_key(challenge_hash), terms).await?.stands())
    }

    async fn redeem_approval(
        &self,
        challenge_hash: &str,
        session: &Session,
        token_hash: &str,
    ) -> StoreResult<Redeemed> {
        let (key, now) = (code_key(challenge_hash), session.created_at);
        let code = self.get(&key, true).await?.map(read::<CodeItem>).transpose()?;
        let Some(code) = code.filter(|code| code.expires_at > now) else {
            return self.redeemed_before(session, token_hash).await;
        };
        if !code.approved {
            return Ok(Redeemed::Wrong);
        }
        // Another code for the same challenge is not approved.
        let used = Terms::when("approved = :yes AND code_hash = :hash")
            .value(":yes", AttributeValue::Bool(true))
            .value(":hash", s(&code.code_hash));
        self.begin_session(&key, used, session, token_hash).await
    }

    async fn session_by_token(&self, token_hash: &str, now: Timestamp) -> StoreResult<Option<SessionToken>> {
        if let Some(session_id) = self.tokens_seen.get(token_hash) {
            // Whose token it was does not change; whether it is still the present one, the session says.
            let item = self.session_item(&session_id).await?;
            if let Some(item) = item.filter(|item| item.token_hash == token_hash && item.expires_at > now) {
                return Ok(Some(SessionToken { session: item.session(&session_id), current: true }));
            }
            self.tokens_seen.note(token_hash, None);
        }
        let token = self.token_item(token_hash).await?;
        let live = token.filter(|token| token.grace_until.is_none_or(|until| until > now));
        let Some(token) = live else { return Ok(None) };
        let session = self.session(&token.session_id, now).await?;
        let current = token.grace_until.is_none();
        self.tokens_seen.note(token_hash, session.as_ref().filter(|_| current).map(|one| one.session_id.clone()));
        Ok(session.map(|session| SessionToken { session, current }))
    }

    async fn session(&self, session_id: &str, now: Timestamp) -> StoreResult<Option<Session>> {
        let item = self.session_item(session_id).await?.filter(|item| item.expires_at > now);
        Ok(item.map(|item| item.session(session_id)))
    }

    async fn touch_session(&self, session_id: &str, now: Timestamp, expires_at: Timestamp) -> StoreResult<()> {
        // A use that is noted late changes nothing: the later one has moved the end further.
        let terms = Terms::change("SET last_used_at = :now, expires_at = :end, #ttl = :ttl")
            .only_when("expires_at > :now AND last_used_at <= :now")
            .name("#ttl", "ttl")
            .value(":now", t(now))
            .value(":end", t(expires_at))
            .value(":ttl", n(ttl(expires_at)));
        let Written::Done(Some(item)) = self.update(&session_key(session_id), terms).await? else { return Ok(()) };
        let item: SessionItem = read(item)?;
        self.keep_token(session_id, &item.token_hash, expires_at).await
    }

    async fn rotate_session(
        &self,
        session_id: &str,
        old_hash: &str,
        new_hash: &str,
        now: Timestamp,
        grace_until: Timestamp,
    ) -> StoreResult<bool> {
        let Some(session) = self.session_item(session_id).await? else { return Ok(false) };
        if session.token_hash != old_hash {
            return Ok(session.token_hash == new_hash);
        }
        let retire = Terms::change("SET grace_until = :grace, #ttl = :ttl")
            .only_when("session_id = :session AND attribute_not_exists(grace_until)")
            .name("#ttl", "ttl")
            .value(":grace", t(grace_until))
            .value(":ttl", n(ttl(grace_until)))
            .value(":session", s(session_id));
        let token = TokenItem { session_id: session_id.to_owned(), grace_until: None, ttl: ttl(session.expires_at) };
        let rotate = Terms::change("SET rotated_at = :now, token_hash = :new")
            .only_when("token_hash = :old")
            .value(":now", t(now))
            .value(":new", s(new_hash))
            .value(":old", s(old_hash));
        let parts = vec![
            self.to_update(&token_key(old_hash), retire)?,
            self.to_put(token_key(new_hash).item(&token)?, Terms::absent())?,
            self.to_update(&session_key(session_id), rotate)?,
        ];
        match self.together(parts).await? {
            Together::Done => Ok(true),
            Together::Refused(_) => self.is_present(session_id, new_hash).await,
        }
    }

    async fn end_session(&self, session_id: &str) -> StoreResult<bool> {
        let mut patience = self.patience(CHANGE);
        // Its tickets are worth nothing without it, and a token in its grace neither; both end by themselves.
        while let Some(session) = self.session_item(session_id).await? {
            let as_seen = Terms::when("token_hash = :token").value(":token", s(&session.token_hash));
            let parts = vec![
                self.to_remove(&session_key(session_id), as_seen)?,
                self.to_remove(&token_key(&session.token_hash), Terms::default())?,
            ];
            if self.together(parts).await? == Together::Done {
                return Ok(true);
            }
            patience.again().await?;
        }
        Ok(false)
    }

    async fn put_ticket(&self, ticket_hash: &str, session_id: &str, expires_at: Timestamp) -> StoreResult<()> {
        let item = TicketItem { session_id: session_id.to_owned(), expires_at, ttl: ttl(expires_at) };
        self.put(ticket_key(ticket_hash).item(&item)?, Terms::default()).await.map(|_| ())
    }

    async fn take_ticket(&self, ticket_hash: &str, now: Timestamp) -> StoreResult<Option<String>> {
        let taken = self.take_once::<TicketItem>(&ticket_key(ticket_hash), now).await?;
        let Some(ticket) = taken else { return Ok(None) };
        let session = self.session_item(&ticket.session_id).await?;
        Ok(session.map(|_| ticket.session_id))
    }
}
