//! The sockets that are open, and pushing to them: `@connections` of API Gateway, in memory.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use bytes::Bytes;
use futures::task::AtomicWaker;
use shared::connections::{Connections, Frame, Sent};
use shared::time::{Clock, HOUR, MINUTE, Timestamp};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use uuid::Uuid;

use crate::event::SocketContext;
use crate::faults::Lots;
use crate::metrics::Metrics;

/// The largest frame that API Gateway pushes.
pub const MAX_PUSH: usize = 128 * 1024;
/// The client buffer: at most so many frames …
const MAX_QUEUED: usize = 256;
/// … and so many bytes wait for a slow client.
const MAX_QUEUED_BYTES: usize = 1024 * 1024;
/// A socket on which nothing was said for so long is closed.
const IDLE: i64 = 10 * MINUTE;
/// No socket lives longer.
const LIFETIME: i64 = 2 * HOUR;
/// Random bytes of a connection id; with base64's `=` they look like API Gateway's.
const ID_BYTES: usize = 11;

/// What `POST @connections/{id}` answers, as API Gateway numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostStatus {
    /// 200: taken over.
    Ok,
    /// 400: no connection id looks like this.
    Malformed,
    /// 403: another stage.
    Forbidden,
    /// 410: never was, is not yet, or is no more.
    Gone,
    /// 413: more than 128 KiB.
    TooLarge,
    /// 429: the client's buffer is full.
    Busy,
}

impl PostStatus {
    /// The HTTP status.
    pub fn code(self) -> u16 {
        match self {
            Self::Ok => 200,
            Self::Malformed => 400,
            Self::Forbidden => 403,
            Self::Gone => 410,
            Self::TooLarge => 413,
            Self::Busy => 429,
        }
    }
}

/// A close frame's code and reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closing {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
}

impl Closing {
    pub(crate) const GOING_AWAY: Self = Self { code: 1001, reason: "Going away" };
    pub(crate) const SESSION_ENDED: Self = Self { code: 1008, reason: "session_ended" };
}

/// One open socket.
pub(crate) struct Peer {
    /// `visitor` or `admin`.
    pub(crate) side: &'static str,
    pub(crate) context: SocketContext,
    last_active: AtomicI64,
    requests: Requests,
    outbox: Mutex<Outbox>,
    waker: AtomicWaker,
}

/// What numbers the events of one socket: random at first, counted after that.
struct Requests {
    socket: u64,
    count: AtomicU64,
}

/// What a socket is to write.
#[derive(Default)]
struct Outbox {
    frames: VecDeque<Utf8Bytes>,
    /// Frames that are not on the wire yet, those included that have left the queue, …
    unwritten: usize,
    /// … and their bytes.
    unwritten_bytes: usize,
    closing: Option<Closing>,
}

impl Peer {
    fn new(side: &'static str, context: SocketContext, now: Timestamp) -> Self {
        let (socket, count) = Uuid::new_v4().as_u64_pair();
        Self {
            side,
            context,
            last_active: AtomicI64::new(now.0),
            requests: Requests { socket, count: AtomicU64::new(count) },
            outbox: Mutex::default(),
            waker: AtomicWaker::new(),
        }
    }

    /// Names the next event.
    pub(crate) fn request_id(&self) -> String {
        let count = self.requests.count.fetch_add(1, Ordering::Relaxed);
        Uuid::from_u64_pair(self.requests.socket, count).to_string()
    }

    /// Whether this frame of its may delete a conversation. The type that says so may be written with JSON's escapes.
    pub(crate) fn deletes(&self, frame: &str) -> bool {
        self.side != "visitor" && (frame.contains("delete") || frame.contains('\\'))
    }

    /// Something was said, in either direction.
    pub(crate) fn active(&self, now: Timestamp) {
        self.last_active.store(now.0, Ordering::Relaxed);
    }

    pub(crate) fn last_active(&self) -> Timestamp {
        Timestamp(self.last_active.load(Ordering::Relaxed))
    }

    /// Asks for the close; the first reason stands.
    pub(crate) fn close(&self, closing: Closing) {
        self.outbox().closing.get_or_insert(closing);
        self.waker.wake();
    }

    /// Whether the socket is to be closed.
    pub(crate) fn closing(&self) -> Option<Closing> {
        self.outbox().closing
    }

    /// Wakes a task when a frame comes or the socket is to be closed.
    pub(crate) fn wakes(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Wakes nobody any more.
    pub(crate) fn wakes_nobody(&self) {
        self.waker.take();
    }

    /// Whether frames wait that are to be written.
    pub(crate) fn has_frames(&self) -> bool {
        !self.outbox().frames.is_empty()
    }

    /// Takes a frame that is to be written.
    pub(crate) fn next_frame(&self) -> Option<Utf8Bytes> {
        self.outbox().frames.pop_front()
    }

    /// So many frames that were taken are on the wire.
    pub(crate) fn written(&self, frames: usize, bytes: usize) {
        let mut outbox = self.outbox();
        outbox.unwritten -= frames;
        outbox.unwritten_bytes -= bytes;
    }

    /// Puts a frame into the client's buffer.
    pub(crate) fn push(&self, text: Utf8Bytes) -> PostStatus {
        let mut outbox = self.outbox();
        let bytes = outbox.unwritten_bytes + text.len();
        if outbox.closing.is_some() {
            return PostStatus::Gone;
        }
        if outbox.unwritten >= MAX_QUEUED || bytes > MAX_QUEUED_BYTES {
            return PostStatus::Busy;
        }
        outbox.unwritten += 1;
        outbox.unwritten_bytes = bytes;
        outbox.frames.push_back(text);
        drop(outbox);
        self.waker.wake();
        PostStatus::Ok
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every open socket of this gateway.
pub struct Registry {
    peers: Mutex<HashMap<String, Arc<Peer>>>,
    clock: Arc<dyn Clock>,
    lots: Arc<Lots>,
    metrics: Arc<Metrics>,
}

impl Registry {
    pub(crate) fn new(clock: Arc<dyn Clock>, lots: Arc<Lots>, metrics: Arc<Metrics>) -> Self {
        Self { peers: Mutex::default(), clock, lots, metrics }
    }

    /// An id for a connection that is about to be; nothing can be pushed to it before [`Self::open`].
    pub(crate) fn new_id() -> Result<String, getrandom::Error> {
        let mut bytes = [0_u8; ID_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(URL_SAFE.encode(bytes))
    }

    /// Takes a connection in whose `$connect` has answered 200.
    pub(crate) fn open(&self, side: &'static str, context: SocketContext) -> Arc<Peer> {
        let id = context.connection_id.clone();
        let peer = Arc::new(Peer::new(side, context, self.clock.now()));
        self.metrics.connected(peer.side);
        self.peers().insert(id, peer.clone());
        peer
    }

    /// The socket is gone, or as good as gone.
    pub(crate) fn forget(&self, peer: &Peer) {
        if self.peers().remove(&peer.context.connection_id).is_some() {
            self.metrics.disconnected(peer.side);
        }
    }

    /// `POST @connections/{id}`.
    pub(crate) fn post(&self, id: &str, text: Utf8Bytes) -> PostStatus {
        let status = self.try_post(id, text);
        self.metrics.pushed(status.code());
        status
    }

    fn try_post(&self, id: &str, text: Utf8Bytes) -> PostStatus {
        let peer = match self.find(id) {
            Ok(peer) => peer,
            Err(status) => return status,
        };
        if text.len() > MAX_PUSH {
            return PostStatus::TooLarge;
        }
        let status = if self.lots.loses_push() { PostStatus::Ok } else { peer.push(text) };
        if status == PostStatus::Ok {
            peer.active(self.clock.now());
        }
        status
    }

    /// The open connection `id`, or why there is none.
    pub(crate) fn find(&self, id: &str) -> Result<Arc<Peer>, PostStatus> {
        let found = self.peers().get(id).cloned();
        found.ok_or_else(|| if is_well_formed(id) { PostStatus::Gone } else { PostStatus::Malformed })
    }

    /// How many sockets are open.
    pub fn len(&self) -> usize {
        self.peers().len()
    }

    /// Whether no socket is open.
    pub fn is_empty(&self) -> bool {
        self.peers().is_empty()
    }

    /// Closes what was idle for 10 minutes or has lived for 2 hours.
    pub(crate) fn sweep(&self, now: Timestamp) {
        for peer in self.peers().values() {
            if now.since(peer.last_active()) >= IDLE || now.since(peer.context.connected_at) >= LIFETIME {
                peer.close(Closing::GOING_AWAY);
            }
        }
    }

    /// Closes every socket.
    pub(crate) fn close_all(&self, closing: Closing) {
        self.peers().values().for_each(|peer| peer.close(closing));
    }

    fn peers(&self) -> MutexGuard<'_, HashMap<String, Arc<Peer>>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Connections for Registry {
    async fn send(&self, connection_id: &str, frame: &Frame) -> Sent {
        match self.post(connection_id, text_of(frame)) {
            PostStatus::Ok => Sent::Handed,
            PostStatus::Gone | PostStatus::Malformed => Sent::Gone,
            PostStatus::Forbidden | PostStatus::TooLarge | PostStatus::Busy => Sent::Failed,
        }
    }

    async fn close(&self, connection_id: &str) {
        if let Ok(peer) = self.find(connection_id) {
            peer.close(Closing::SESSION_ENDED);
        }
    }
}

/// The frame's own bytes, shared by all its receivers.
struct Shared(Frame);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.as_str().as_bytes()
    }
}

fn text_of(frame: &Frame) -> Utf8Bytes {
    Utf8Bytes::try_from(Bytes::from_owner(Shared(frame.clone()))).unwrap_or_default()
}

fn is_well_formed(id: &str) -> bool {
    URL_SAFE.decode(id).is_ok_and(|bytes| bytes.len() == ID_BYTES)
}

#[cfg(test)]
mod tests {
    use shared::time::ManualClock;

    use super::*;

    fn registry() -> Registry {
        let clock = Arc::new(ManualClock::new(Timestamp(0)));
        Registry::new(clock, Arc::new(Lots::new(crate::Faults::default())), Arc::default())
    }

    fn frame(bytes: usize) -> Utf8Bytes {
        "x".repeat(bytes).into()
    }

    fn context(connection_id: &str) -> SocketContext {
        SocketContext {
            connection_id: connection_id.into(),
            connected_at: Timestamp(0),
            source_ip: "127.0.0.1".into(),
            user_agent: None,
            domain: "localhost".into(),
            stage: "live".into(),
        }
    }

    #[test]
    fn ids_look_like_api_gateways() {
        let id = Registry::new_id().unwrap();

        assert_eq!((id.len(), id.ends_with('=')), (16, true));
        assert!(is_well_formed(&id));
        for malformed in ["", "x", "L0SM9cOFvHcCIhw", "L0SM9cOFvHcCIh==", "L0SM9cOFvHcCIhw=x", "../../etc/passwd", "é"]
        {
            assert!(!is_well_formed(malformed), "{malformed}");
        }
    }

    #[test]
    fn a_push_is_answered_as_api_gateway_answers_it() {
        let registry = registry();
        let id = Registry::new_id().unwrap();

        assert_eq!(registry.post("nonsense", frame(10)), PostStatus::Malformed);
        assert_eq!(registry.post(&id, frame(10)), PostStatus::Gone);
        let peer = registry.open("visitor", context(&id));
        assert_eq!(registry.post(&id, frame(MAX_PUSH)), PostStatus::Ok);
        assert_eq!(registry.post(&id, frame(MAX_PUSH + 1)), PostStatus::TooLarge);
        for _ in 0..7 {
            assert_eq!(registry.post(&id, frame(MAX_PUSH)), PostStatus::Ok);
        }
        assert_eq!(registry.post(&id, frame(10)), PostStatus::Busy);
        peer.written(1, MAX_PUSH);
        assert_eq!(registry.post(&id, frame(10)), PostStatus::Ok);
        registry.forget(&peer);
        assert_eq!(registry.post(&id, frame(10)), PostStatus::Gone);
    }

    #[test]
    fn a_client_that_does_not_read_fills_its_buffer_by_count_too() {
        let registry = registry();
        let id = Registry::new_id().unwrap();
        let _peer = registry.open("visitor", context(&id));

        let answers: Vec<_> = (0..=MAX_QUEUED).map(|_| registry.post(&id, frame(10))).collect();

        assert!(answers[..MAX_QUEUED].iter().all(|status| *status == PostStatus::Ok));
        assert_eq!(answers[MAX_QUEUED], PostStatus::Busy);
    }
}
