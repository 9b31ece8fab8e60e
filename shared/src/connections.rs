//! Sending to sockets: the one port to the platform. API Gateway's `@connections` on AWS, a registry in the gateway.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};
use serde::Serialize;

/// A frame, encoded once for all its receivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(Arc<str>);

impl Frame {
    /// Encodes a value as JSON.
    pub fn new(value: &impl Serialize) -> crate::Result<Self> {
        Ok(Self(serde_json::to_string(value).map_err(crate::Error::internal)?.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What became of a frame; the answers of API Gateway's `POST @connections/{id}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// 200: handed to the platform. The client may still have died; `seq` recovery covers that.
    Handed,
    /// 410 or 400: there is no such connection; its row may go.
    Gone,
    /// 429, 403, 413, a time-out: not sent, and the row stays.
    Failed,
}

/// The platform's way to a socket.
#[async_trait]
pub trait Connections: Send + Sync {
    /// Sends a text frame of at most 128 KiB. Never takes longer than about a second.
    async fn send(&self, connection_id: &str, frame: &Frame) -> Sent;
    /// Closes a socket; one that is gone already is no error. The gateway gives code 1008 and `session_ended`.
    async fn close(&self, connection_id: &str);
}

/// At most so many sends of one fan-out run at once.
const CONCURRENT_SENDS: usize = 32;

/// Sends `frame` to all of `connection_ids`, returns when every send has ended, and answers those that are gone.
pub async fn send_all(connections: &dyn Connections, connection_ids: &[String], frame: &Frame) -> Vec<String> {
    let mut waiting = connection_ids.iter();
    let mut sends = FuturesUnordered::new();
    let mut gone = Vec::new();
    loop {
        while sends.len() < CONCURRENT_SENDS
            && let Some(id) = waiting.next()
        {
            let mut send = connections.send(id, frame);
            // In the gateway every send ends at once.
            match (&mut send).now_or_never() {
                Some(Sent::Gone) => gone.push(id.clone()),
                Some(Sent::Handed | Sent::Failed) => {}
                None => sends.push(async move { (id, send.await) }),
            }
        }
        match sends.next().await {
            Some((id, Sent::Gone)) => gone.push(id.clone()),
            Some((_, Sent::Handed | Sent::Failed)) => {}
            None => return gone,
        }
    }
}
