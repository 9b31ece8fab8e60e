//! One open socket: its frames run as handlers, concurrently; pushes go out; it ends with a close frame that arrives.

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use futures::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as SocketError, Message, Utf8Bytes};

use crate::event;
use crate::functions::Failure;
use crate::platform::{Caller, Platform};
use crate::registry::{Closing, Peer, Queue};

/// API Gateway's limits.
const MAX_FRAME: usize = 32 * 1024;
const MAX_MESSAGE: usize = 128 * 1024;
/// tungstenite zero-fills this much for each read.
const READ_BUFFER: usize = 1024;
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

/// Runs the function behind a route of the WebSocket API.
pub(super) async fn run(
    platform: &Arc<Platform>,
    route: &str,
    span: tracing::Span,
    event: ApiGatewayWebsocketProxyRequest,
) -> Result<ApiGatewayProxyResponse, Failure> {
    let function = platform.template.socket_routes.get(route).cloned().unwrap_or_default();
    let functions = platform.functions.clone();
    let name = function.clone();
    platform.run(&function, span, async move { functions.socket(&name, event).await }).await
}

/// A socket's whole life, from the 101 to `$disconnect`. The caller's permit counts it until then.
pub(super) async fn run_socket(
    platform: Arc<Platform>,
    peer: Arc<Peer>,
    queue: Queue,
    caller: Caller,
    on_upgrade: OnUpgrade,
) {
    let end = match tokio::time::timeout(UPGRADE_TIME, on_upgrade).await {
        Ok(Ok(upgraded)) => live(&platform, &peer, queue, upgraded).await,
        _ => None,
    };
    platform.registry.forget(&peer);
    let (code, reason) = end.unwrap_or((LOST, String::new()));
    drop(caller.permit);
    if !platform.is_stopping() {
        disconnect(&platform, &peer, code, &reason).await;
    }
}

async fn live(platform: &Arc<Platform>, peer: &Arc<Peer>, queue: Queue, upgraded: Upgraded) -> Option<(u16, String)> {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_FRAME));
    let mut stream = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let end = converse(platform, peer, queue, &mut stream).await;
    platform.registry.forget(peer);
    goodbye(stream, end).await
}

async fn converse(platform: &Arc<Platform>, peer: &Arc<Peer>, mut queue: Queue, stream: &mut Stream) -> End {
    let in_flight = Arc::new(Semaphore::new(MAX_IN_FLIGHT));
    let mut waiting: Option<Utf8Bytes> = None;
    loop {
        tokio::select! {
            closing = peer.closing() => return closing.into(),
            Some(text) = queue.recv() => {
                if let Some(end) = write(platform, peer, stream, text).await {
                    return end;
                }
            }
            Ok(permit) = in_flight.clone().acquire_owned(), if waiting.is_some() => {
                if let Some(text) = waiting.take() {
                    tokio::spawn(handle(platform.clone(), peer.clone(), text, permit));
                }
            }
            read = stream.next(), if waiting.is_none() => match read {
                Some(Ok(Message::Text(text))) => {
                    peer.active(platform.now());
                    platform.metrics.frame_in(peer.side);
                    waiting = Some(text).filter(|_| !platform.is_stopping());
                }
                Some(Ok(Message::Binary(_))) => return End::Ours { code: BINARY, reason: "Binary is not supported" },
                Some(Ok(Message::Close(frame))) => return theirs(frame),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return broken(&error),
                None => return End::Lost,
            },
        }
    }
}

/// Writes one frame; a close that is asked for meanwhile does not wait for a client that does not read.
async fn write(platform: &Platform, peer: &Peer, stream: &mut Stream, text: Utf8Bytes) -> Option<End> {
    let bytes = text.len();
    tokio::select! {
        sent = stream.send(Message::Text(text)) => {
            peer.written(bytes);
            platform.metrics.frame_out(peer.side);
            sent.err().map(|_| End::Lost)
        }
        closing = peer.closing() => Some(closing.into()),
    }
}

async fn handle(platform: Arc<Platform>, peer: Arc<Peer>, text: Utf8Bytes, _permit: OwnedSemaphorePermit) {
    let delay = platform.lots.message_delay();
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let request_id = event::request_id();
    let event = peer.context.message(&request_id, platform.now(), text.as_str().to_owned());
    drop(text);
    let span = tracing::info_span!("message", request_id, connection_id = peer.context.connection_id);
    if let Err(failure) = run(&platform, "$default", span, event).await {
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
    let request_id = event::request_id();
    let event = peer.context.disconnect(&request_id, platform.now(), code, reason);
    let span = tracing::info_span!("disconnect", request_id, connection_id = peer.context.connection_id);
    if let Err(failure) = run(platform, "$disconnect", span, event).await {
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
        let mut waste = [0_u8; 4096];
        while io.read(&mut waste).await.ok()? > 0 {}
        Some(())
    };
    // A client that does not take the close frame in time has lost it.
    let _ = tokio::time::timeout(GOODBYE_TIME, leave).await;
    Some((code, reason))
}
