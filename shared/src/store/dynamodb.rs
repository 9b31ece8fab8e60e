//! DynamoDB: one table, one index, no scan.
//!
//! ```text
//! what                         pk                 sk                      remarks
//! head of a conversation       C#conversation     HEAD                    state, newest messages, sockets; every change of it
//!                                                                         is one conditional write (`rev`), and the event
//! its particulars              C#conversation     INFO                    page, browser …; keys of the index: `list`, `slot`
//! messages that left the head  C#conversation     A#first seq             a few, under 1 KB, written once
//! client ids of long ago       C#conversation     0#client_id             only where the head cannot hold their marks
//! links to Telegram            C#conversation     L#chat#message          to find them by conversation
//! a message in Telegram        T#chat#message     LINK                    to find the conversation by it
//! how far Telegram mirrors it  C#conversation     MIRROR                  its topic and the outcome of each message
//! notes among the team         C#conversation     NOTE#seq                counted in the head
//! files, but for their bytes   C#conversation     PART#attachment
//! start links to a chat        C#conversation     START#hash              to find them by conversation
//! a start link                 START#hash         -                       taken once
//! a visitor's private chat     CHAT#chat          -                       the head names it too
//! conversations with a tag     TAG#tag            conversation
//! counts of a past day         DAY#day            conversation#first seq  the latest ones stand in the head
//! words of some messages       WORDS#month        at#conversation#seq     of the last one of them; for the search, newest first
//! months that have words       MONTHS             month
//! what is to be finished       UNDONE             ENTER#conversation      it has words to enter: whoever searches does that, and
//!                                                                         the schedule
//!                                                 ERASE#conversation      its deletion is under way: if the function dies, the
//!                                                                         schedule ends it
//! a socket                     N#shard            connection              shard: 0–15, of the connection's hash
//! the admins' sockets          ADMINS             SOCKETS                 one item: every message asks for all of them;
//!                                                                         also operators that are there without one
//! sockets of an address        IP#address         SOCKETS
//! count of visitors' sockets   COUNT              VISITORS                counted anew when it says that all is full
//! login code, ticket           CODE#…, TICKET#…   -
//! session, token               SESSION#…, TOKEN#… -
//! bucket, lease                BUCKET#…, LEASE#…  -
//! Telegram update              UPDATE#id          -
//! settings                     SETTINGS           name
//! audit trail                  ACTIVITY           id
//! events that wait             OUT#lane           at#conversation#place
//!
//! index `list` (of INFO items) list: open, closed slot: ten minutes of the last activity, then the conversation
//! ```
//!
//! Times are milliseconds (N). `ttl` (seconds, N) lets DynamoDB remove what has expired, up to two days late; until then every
//! read and condition looks at `expires_at`.

mod append;
mod archive;
mod attachments;
mod batch;
mod buckets;
mod change;
mod chats;
mod claims;
mod codec;
mod connections;
mod conversations;
mod day;
mod delete;
mod enter;
mod failure;
mod figures;
mod head;
mod info;
mod item;
mod links;
mod list;
mod messages;
mod mirror;
mod notes;
mod operators;
mod outbox;
mod recent;
mod records;
mod sessions;
mod settings;
mod sockets;
mod table;
mod upkeep;
mod visitors;
mod words;

use std::time::Duration;

use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use futures::FutureExt;
use url::Url;

use self::recent::Recent;
use super::{StoreError, StoreResult};
use crate::aws::{Service, identity};
use crate::config::DatabaseUrl;
use crate::model::Connection;
use crate::time::Timestamp;

/// One attempt.
const ATTEMPT: Duration = Duration::from_secs(1);
/// So many times as long the limits may be made.
const MOST_PATIENT: u32 = 100;

/// A table.
pub struct DynamoStore {
    service: Service,
    table: String,
    /// Every limit of time is so many times as long.
    patience: u32,
    heads: change::Heads,
    /// Sockets that belong to a conversation or a session.
    sockets_seen: Recent<Connection>,
    /// Whose the tokens are that are the present ones of their sessions.
    tokens_seen: Recent<String>,
    /// When buckets are full again.
    buckets_seen: Recent<Timestamp>,
    /// Months that have words.
    months_listed: Recent<()>,
    meter: table::Meter,
}

/// Capacity that calls have used since the store was opened; also told call by call on the level `debug`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Consumed {
    /// Read units.
    pub read: f64,
    /// Write units, those of the index included.
    pub written: f64,
}

impl DynamoStore {
    /// Opens `dynamodb://TABLE`, or `dynamodb://TABLE?endpoint=http://127.0.0.1:8000` on a local server. Makes no call and no
    /// table. With `&patience=20` (1 to 100) every call may take so many times as long: on a busy machine a server that emulates
    /// DynamoDB is slower than it.
    pub fn open(url: &DatabaseUrl) -> StoreResult<Self> {
        let url = Url::parse(url.reveal()).map_err(|error| StoreError::Broken(error.into()))?;
        let table = url.host_str().filter(|name| !name.is_empty());
        let table = table.ok_or_else(|| StoreError::Broken("the URL names no table".into()))?.to_owned();
        let asked = |name| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let endpoint = asked("endpoint");
        let patience = match asked("patience").map(|times| times.parse()) {
            None => 1,
            Some(Ok(times @ 1..=MOST_PATIENT)) => times,
            Some(_) => return Err(StoreError::Broken("the URL's patience is not a number from 1 to 100".into())),
        };
        let known = identity(endpoint.is_some()).map_err(|error| StoreError::Broken(error.into()))?;
        let endpoint = endpoint.map_or_else(|| regional(&known.1), Ok)?;
        // An attempt has its limit here, and a call with all its attempts from [`failure::Patience`].
        let service = Service::new("dynamodb", &endpoint, known, ATTEMPT * patience);
        Ok(Self {
            service: service.map_err(|error| StoreError::Broken(error.into()))?,
            table,
            patience,
            heads: change::Heads::default(),
            sockets_seen: Recent::default(),
            tokens_seen: Recent::default(),
            buckets_seen: Recent::default(),
            months_listed: Recent::default(),
            meter: table::Meter::default(),
        })
    }

    /// Tries for so many milliseconds, as this store counts them.
    fn patience(&self, millis: u64) -> failure::Patience {
        failure::Patience::of(millis * u64::from(self.patience))
    }

    /// What this store has cost so far.
    pub fn consumed(&self) -> Consumed {
        let (read, written) = self.meter.totals();
        Consumed { read, written }
    }
}

/// Where DynamoDB is in a region, in whatever part of AWS that is.
fn regional(region: &str) -> StoreResult<String> {
    let parameters = Params::builder().region(region).build().map_err(|error| StoreError::Broken(error.into()))?;
    let found = DefaultResolver::new().resolve_endpoint(&parameters).now_or_never();
    let found = found.ok_or_else(|| StoreError::Broken("a region that has to be asked for".into()))?;
    Ok(found.map_err(StoreError::Broken)?.url().to_owned())
}
