//! One open socket: its frames run as handlers, concurrently; pushes go out; it ends with a close frame that arrives.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use futures::future::{BoxFuture, join_all};
use futures::{FutureExt, SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

use crate::functions::Failure;
use crate::platform::{Caller, Platform};
use crate::registry::{Closing, Peer};

/// API Gateway's limits.
const MAX_FRAME: usize = 32 * 1024;
const MAX_MESSAGE: usize = 128 * 1024;
/// tungstenite zero-fills this much for each read.
const READ_BUFFER: usize = 1024;
/// So much is written at once.
const WRITE_BUFFER: usize = 16 * 1024;
/// So many handlers of one connection run at once; then its frames wait in the network.
const MAX_IN_FLIGHT: usize = 64;
/// The 101 is written at once or never.
const UPGRADE_TIME: Duration = Duration::from_secs(10);
/// How long a client is given to take the close frame.
const GOODBYE_TIME: Duration = Duration::from_secs(2);

/// The connection broke without a close frame.
pub(super) const LOST: u16 = 1006;
const PROTOCOL_ERROR: u16 = 1002;
const BINARY: u16 = 1003;
const NOT_UTF8: u16 = 1007;
const TOO_LARGE: u16 = 1009;

type Stream = WebSocketStream<TokioIo<Upgraded>>;

/// Why the conversation over a socket ended.
enum End {
    /// We close it.
    Ours { code: u16, reason: &'static str },
    /// The client closed it.
    Theirs { code: u16, reason: String },
    /// It broke.
    Lost,
}

impl From<Closing> for End {
    fn from(closing: Closing) -> Self {
        Self::Ours { code: closing.code, reason: closing.reason }
    }
}

/// Runs the function behind a route of the WebSocket API. The event is handed over before anything waits, so that what waits
/// is small.
pub(super) fn run<'a>(
    platform: &'a Platform,
    route: &str,
    deletes: bool,
    span: tracing::Span,
    event: ApiGatewayWebsocketProxyRequest,
) -> impl Future<Output = Result<ApiGatewayProxyResponse, Failure>> + Send + 'a {
    let function = platform.template.socket_routes.get(route).map_or("", String::as_str);
    platform.run(function, deletes, span, platform.functions.socket(function, event))
}

/// A socket's whole life, from the 101 to `$disconnect`. The caller's permit counts it until then.
pub(super) async fn run_socket(platform: Arc<Platform>, peer: Arc<Peer>, caller: Caller, on_upgrade: OnUpgrade) {
    let end = match tokio::time::timeout(UPGRADE_TIME, on_upgrade).await {
        Ok(Ok(upgraded)) => live(&platform, &peer, upgraded).await,
        _ => None,
    };
    platform.registry.forget(&peer);
    let (code, reason) = end.unwrap_or((LOST, String::new()));
    drop(caller.permit);
    if !platform.is_stopping() {
        Box::pin(disconnect(&platform, &peer, code, &reason)).await;
    }
}

async fn live(platform: &Arc<Platform>, peer: &Arc<Peer>, upgraded: Upgraded) -> Option<(u16, String)> {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_FRAME));
    let mut stream = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let end = converse(platform, peer, &mut stream).await;
    platform.registry.forget(peer);
    // Boxed, as what follows, since each open socket holds the room for it.
    Box::pin(goodbye(stream, end)).await
}

/// Runs frames as they come and writes what is pushed, until either side closes. Handlers that run then run to their end.
async fn converse(platform: &Arc<Platform>, peer: &Arc<Peer>, stream: &mut Stream) -> End {
    let mut talk =
        Talk { platform, peer, stream, handlers: Vec::new(), writing: Writing::default(), has_waited: false };
    let end = loop {
        match poll_fn(|cx| talk.poll(cx)).await {
            Turn::End(end) => break end,
            Turn::Wait => tokio::task::yield_now().await,
        }
    };
    if !talk.handlers.is_empty() {
        tokio::spawn(join_all(talk.handlers));
    }
    end
}

/// What is going on over a socket.
struct Talk<'a> {
    platform: &'a Arc<Platform>,
    peer: &'a Arc<Peer>,
    stream: &'a mut Stream,
    handlers: Vec<BoxFuture<'static, ()>>,
    writing: Writing,
    has_waited: bool,
}

/// What comes next.
enum Turn {
    /// Others wrote to this client, and functions run that may do so too. Those that are ready go first, and one write then takes
    /// it all: when many write to an admin at once, most of what that costs is the number of writes.
    Wait,
    End(End),
}

impl From<End> for Turn {
    fn from(end: End) -> Self {
        Self::End(end)
    }
}

impl Talk<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        loop {
            // A handler of this very turn need not wake it up, nor need anybody while it waits.
            self.peer.wakes_nobody();
            if !self.has_waited && self.platform.is_running() && self.peer.has_frames() {
                self.has_waited = true;
                return Poll::Ready(Turn::Wait);
            }
            // All of them, whichever it was that woke the task: there is hardly ever more than one.
            self.handlers.retain_mut(|handler| handler.poll_unpin(cx).is_pending());
            self.peer.wakes(cx.waker());
            let written = self.writing.poll(self.platform, self.peer, self.stream, cx);
            // A close does not wait for a client that does not read.
            if let Some(closing) = self.peer.closing() {
                return Poll::Ready(End::from(closing).into());
            }
            match written {
                Poll::Ready(Ok(())) => self.has_waited = false,
                Poll::Ready(Err(_)) => return Poll::Ready(End::Lost.into()),
                Poll::Pending => return Poll::Pending,
            }
            if self.handlers.len() >= MAX_IN_FLIGHT {
                return Poll::Pending;
            }
            let end = match ready!(self.stream.poll_next_unpin(cx)) {
                Some(Ok(frame)) => self.take(frame),
                Some(Err(error)) => Some(broken(&error)),
                None => Some(End::Lost),
            };
            if let Some(end) = end {
                return Poll::Ready(end.into());
            }
        }
    }

    /// Begins what a frame asks for, or says that it ends the connection.
    fn take(&mut self, frame: Message) -> Option<End> {
        match frame {
            Message::Text(text) => {
                self.peer.active(self.platform.now());
                self.platform.metrics.frame_in(self.peer.side);
                if !self.platform.is_stopping() {
                    let text = text.as_str().to_owned();
                    self.handlers.push(Box::pin(handle(self.platform.clone(), self.peer.clone(), text)));
                }
                None
            }
            Message::Binary(_) => Some(End::Ours { code: BINARY, reason: "Binary is not supported" }),
            Message::Close(frame) => Some(theirs(frame)),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => None,
        }
    }
}

/// Frames that have left the queue and are not on the wire yet.
#[derive(Default)]
struct Writing {
    frames: usize,
    bytes: usize,
}

impl Writing {
    /// Ready when nothing is left to be written. Frames that wait together are written together.
    fn poll(
        &mut self,
        platform: &Platform,
        peer: &Peer,
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SocketError>> {
        loop {
            while self.bytes < WRITE_BUFFER {
                ready!(stream.poll_ready_unpin(cx))?;
                let Some(text) = peer.next_frame() else { break };
                self.frames += 1;
                self.bytes += text.len();
                stream.start_send_unpin(Message::Text(text))?;
            }
            if self.frames == 0 {
                return Poll::Ready(Ok(()));
            }
            ready!(stream.poll_flush_unpin(cx))?;
            let Self { frames, bytes } = std::mem::take(self);
            peer.written(frames, bytes);
            platform.metrics.frames_out(peer.side, frames);
        }
    }
}

async fn handle(platform: Arc<Platform>, peer: Arc<Peer>, text: String) {
    let delay = platform.lots.message_delay();
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let (request_id, deletes) = (peer.request_id(), peer.deletes(&text));
    let event = peer.context.message(&request_id, platform.now(), text);
    let span = tracing::info_span!("message", request_id, connection_id = peer.context.connection_id);
    if let Err(failure) = run(&platform, "$default", deletes, span, event).await {
        failure.error().log(&request_id);
        let frame = serde_json::json!({
            "message": "Internal server error",
            "connectionId": peer.context.connection_id,
            "requestId": request_id,
        });
        peer.push(frame.to_string().into());
    }
}

/// `$disconnect`, which API Gateway runs when it can.
pub(super) async fn disconnect(platform: &Arc<Platform>, peer: &Peer, code: u16, reason: &str) {
    if platform.lots.drops_disconnect() {
        return;
    }
    platform.lots.before_disconnect().await;
    let request_id = peer.request_id();
    let event = peer.context.disconnect(&request_id, platform.now(), code, reason);
    let span = tracing::info_span!("disconnect", request_id, connection_id = peer.context.connection_id);
    if let Err(failure) = run(platform, "$disconnect", false, span, event).await {
        failure.error().log(&request_id);
    }
}

fn theirs(frame: Option<CloseFrame>) -> End {
    match frame {
        Some(frame) => End::Theirs { code: frame.code.into(), reason: frame.reason.as_str().to_owned() },
        None => End::Theirs { code: 1005, reason: String::new() },
    }
}

fn broken(error: &SocketError) -> End {
    match error {
        SocketError::Capacity(_) => End::Ours { code: TOO_LARGE, reason: "Message too long" },
        SocketError::Utf8(_) => End::Ours { code: NOT_UTF8, reason: "Text must be UTF-8" },
        SocketError::Protocol(_) => End::Ours { code: PROTOCOL_ERROR, reason: "Protocol error" },
        _ => End::Lost,
    }
}

/// Sends the close frame, then reads on until the client hangs up: closing while its bytes still arrive would make the
/// kernel reset the connection and throw the close frame away.
async fn goodbye(mut stream: Stream, end: End) -> Option<(u16, String)> {
    let (code, reason, close) = match end {
        End::Ours { code, reason } => {
            (code, reason.to_owned(), Some(CloseFrame { code: CloseCode::from(code), reason: reason.into() }))
        }
        End::Theirs { code, reason } => (code, reason, None),
        End::Lost => return None,
    };
    let leave = async {
        match close {
            Some(frame) => stream.send(Message::Close(Some(frame))).await.ok()?,
            None => stream.flush().await.ok()?,
        }
        let io = stream.get_mut();
        io.shutdown().await.ok()?;
        let mut waste = vec![0_u8; 1024];
        while io.read(&mut waste).await.ok()? > 0 {}
        Some(())
    };
    // A client that does not take the close frame in time has lost it.
    let _ = tokio::time::timeout(GOODBYE_TIME, leave).await;
    Some((code, reason))
}
