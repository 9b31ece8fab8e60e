//! Sockets and frames, as a client sees them.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::Result;

/// A client's or a relay's end of a connection.
pub type Socket = WebSocketStream<TcpStream>;

/// The library's own 128 KiB are zeroed with every read.
pub const READ_BUFFER: usize = 1024;
/// Nothing of a measurement takes longer than this without having failed.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// A message of about 100 bytes of text, with the time before it.
pub const PADDING: &str = "Where is my parcel? The number on the slip is 4711 and the page says that it has left";

/// What of a frame anybody here looks at.
#[derive(Deserialize)]
pub struct Frame<'a> {
    /// What it is.
    pub r#type: &'a str,
    /// Where it belongs.
    pub conversation_id: Option<&'a str>,
    /// What its sender called it.
    pub client_id: Option<&'a str>,
    /// Which side wrote it.
    pub sender: Option<&'a str>,
    /// What was written.
    #[serde(borrow)]
    pub content: Option<Cow<'a, str>>,
    /// Its place in the conversation.
    pub seq: Option<i64>,
    /// The last place in the conversation.
    pub head_seq: Option<i64>,
    /// What opens the conversation again.
    pub resume_token: Option<&'a str>,
    /// Whether there is more history.
    #[serde(default)]
    pub has_more: bool,
    /// What a history holds.
    #[serde(borrow, default)]
    pub messages: Vec<Frame<'a>>,
}

impl<'a> Frame<'a> {
    /// Reads one; an error frame ends a measurement.
    pub fn read(text: &'a str) -> Result<Self> {
        let frame: Self = serde_json::from_str(text).map_err(|error| format!("{error} in {text}"))?;
        if frame.r#type == "error" { Err(text.into()) } else { Ok(frame) }
    }

    /// How long ago it was written, in microseconds.
    pub fn age(&self, epoch: Instant) -> Option<u64> {
        let sent: u128 = self.content.as_ref()?.split(' ').next()?.parse().ok()?;
        u64::try_from(epoch.elapsed().as_micros().saturating_sub(sent)).ok()
    }
}

/// A text that tells when it was written.
pub fn content(epoch: Instant) -> String {
    format!("{} {PADDING}", epoch.elapsed().as_micros())
}

/// Opens a socket; `number` makes the address that the client seems to have.
pub async fn open(address: &str, path: &str, number: usize) -> Result<Socket> {
    let mut request = format!("ws://{address}{path}").into_client_request()?;
    let headers = request.headers_mut();
    headers.insert("origin", HeaderValue::from_str(&format!("http://{address}"))?);
    let from = format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255);
    headers.insert("x-forwarded-for", HeaderValue::from_str(&from)?);
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
    Ok(client_async_with_config(request, stream, Some(config)).await?.0)
}

/// Sends a frame.
pub async fn say(socket: &mut Socket, frame: &Value) -> Result<()> {
    Ok(socket.send(Message::text(frame.to_string())).await?)
}

/// The next text, however long it takes.
pub async fn next(socket: &mut Socket) -> Result<Utf8Bytes> {
    loop {
        match socket.next().await.ok_or("the server hung up")?? {
            Message::Text(text) => return Ok(text),
            Message::Close(frame) => return Err(format!("the server closed the socket: {frame:?}").into()),
            _ => {}
        }
    }
}

/// The next frame of a kind; others are passed over.
pub async fn hear(socket: &mut Socket, kind: &str) -> Result<Utf8Bytes> {
    let hear = async {
        loop {
            let text = next(socket).await?;
            if Frame::read(&text)?.r#type == kind {
                return Ok(text);
            }
        }
    };
    tokio::time::timeout(PATIENCE, hear).await.map_err(|_| format!("no {kind} came"))?
}
