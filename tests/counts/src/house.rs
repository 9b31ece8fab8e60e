//! The parts that handlers work with, as the gateway puts them together, and the people in front of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use serde_json::Value;
use shared::App;
use shared::config::{Config, Place};
use shared::connections::{Connections, Frame, Sent};
use shared::id;
use shared::model::{Connection, Session, Side};
use shared::store::{self, ConnectionCaps, LoginCode, Redeemed, Store};
use shared::time::{Clock, HOUR, SystemClock, Timestamp};

use crate::Result;

/// The address that every socket here comes from.
const ADDRESS: &str = "192.0.2.1";
const NO_CAPS: ConnectionCaps = ConnectionCaps { side: i64::MAX, ip: i64::MAX };

/// Sockets that only count what they are sent, and keep the newest frame.
#[derive(Default)]
pub struct Counter {
    frames: AtomicU64,
    newest: Mutex<Option<Frame>>,
}

#[async_trait]
impl Connections for Counter {
    async fn send(&self, _: &str, frame: &Frame) -> Sent {
        self.frames.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut newest) = self.newest.lock() {
            *newest = Some(frame.clone());
        }
        Sent::Handed
    }

    async fn close(&self, _: &str) {}
}

/// An application with nobody's socket in it.
pub struct House {
    /// What handlers are given.
    pub app: App,
    sent: Arc<Counter>,
}

fn config(database: &str) -> Result<Config> {
    let setting = |name: &str| match name {
        "DATABASE_URL" => Some(database.to_owned()),
        "OTP_HASH_SALT" => Some("a salt for measurements, nothing else".into()),
        "WS_USER_MSGS_PER_SEC" => Some("1000".into()),
        "WS_USER_BURST" => Some("10000".into()),
        _ => None,
    };
    Config::read(Place::Gateway, setting).map_err(|mistakes| mistakes.to_string().into())
}

/// Opens a database as the gateway does.
pub async fn open(database: &str) -> Result<Arc<dyn Store>> {
    Ok(store::open(&config(database)?).await?)
}

impl House {
    /// On a database.
    pub async fn open(database: &str) -> Result<Self> {
        let (store, sent) = (open(database).await?, Arc::new(Counter::default()));
        let app = App::new(config(database)?, store, sent.clone(), Arc::new(SystemClock))?;
        Ok(Self { app, sent })
    }

    /// A visitor's socket comes in.
    pub async fn visitor(&self) -> Result<String> {
        self.connect("visitor", Side::Visitor { conversation_id: None }).await
    }

    /// An admin logs in and comes in.
    pub async fn admin(&self) -> Result<String> {
        let now = self.app.now();
        let code = LoginCode {
            challenge_hash: "challenge".into(),
            code_hash: "right".into(),
            created_at: now,
            expires_at: now.plus(HOUR),
        };
        self.app.store.put_code(&code).await?;
        let store = &self.app.store;
        let one = session(now);
        match store.redeem_code("challenge", "right", 5, &one, &one.session_id).await? {
            Redeemed::Session => self.connect("admin", Side::Admin { session_id: one.session_id }).await,
            other => Err(format!("no session: {other:?}").into()),
        }
    }

    async fn connect(&self, name: &str, side: Side) -> Result<String> {
        let now = self.app.now();
        let socket = Connection {
            connection_id: name.into(),
            side,
            ip: ADDRESS.into(),
            user_agent: Some("Browser/1".into()),
            country: None,
            connected_at: now,
            expires_at: now.plus(2 * HOUR),
        };
        self.app.store.connect(&socket, NO_CAPS).await?;
        Ok(socket.connection_id)
    }

    /// Hands in a frame of a socket; answers how many frames were sent for it.
    pub async fn frame(&self, socket: &str, frame: &Value) -> u64 {
        self.text(socket, frame.to_string()).await
    }

    /// Likewise, with the text as it comes.
    pub async fn text(&self, socket: &str, text: String) -> u64 {
        let mut event = ApiGatewayWebsocketProxyRequest::default();
        event.request_context.connection_id = Some(socket.to_owned());
        event.request_context.request_id = Some("R2example=".into());
        event.body = Some(text);
        message::handle(&self.app, event).await;
        self.sent.frames.swap(0, Ordering::Relaxed)
    }

    /// The newest frame that was sent to anybody.
    pub fn newest(&self) -> Result<Value> {
        let newest = self.sent.newest.lock().map_err(|_| "a send has failed")?;
        Ok(serde_json::from_str(newest.as_ref().ok_or("nothing was sent")?.as_str())?)
    }
}

fn session(now: Timestamp) -> Session {
    Session {
        session_id: id::sortable_id(),
        name: "Oya".into(),
        ip: ADDRESS.into(),
        user_agent_hash: String::new(),
        created_at: now,
        expires_at: now.plus(HOUR),
        last_used_at: now,
        rotated_at: now,
    }
}

/// The machine's time.
pub fn now() -> Timestamp {
    SystemClock.now()
}
