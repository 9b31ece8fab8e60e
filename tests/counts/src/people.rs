//! The people who use the gateway, as sockets.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::Result;
use crate::gateway::{Gateway, PATIENCE};

/// Thousands of sockets need not hold the library's 128 KiB each.
const BUFFER: usize = 4_096;

/// A socket of the gateway's.
pub struct Socket(WebSocketStream<TcpStream>);

/// A visitor with a conversation of its own.
pub struct Visitor(Socket);

/// An admin who listens.
pub struct Admin(Socket);

impl Visitor {
    /// Comes in from an address of its own and joins.
    pub async fn join(address: &str, number: u32) -> Result<Self> {
        let mut socket = Socket::open(address, "/ws/client", number).await?;
        socket.say(&json!({"type": "join", "display_name": "Ada"})).await?;
        socket.hear(|frame| frame["type"] == "joined").await?;
        Ok(Self(socket))
    }

    /// Sends a frame.
    pub async fn say(&mut self, frame: &Value) -> Result<()> {
        self.0.say(frame).await
    }

    /// Waits for the confirmation of a message.
    pub async fn hear_message(&mut self, said: &Value) -> Result<()> {
        self.0.hear_message(said).await
    }
}

impl Admin {
    /// Asks for a code, reads it from the terminal, logs in, opens the panel's socket.
    pub async fn log_in(gateway: &mut Gateway) -> Result<Self> {
        let (head, _) = gateway.request("POST", "/api/admin/request_otp", "", "").await?;
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).ok_or("no challenge was set")?;
        let cookie = cookie.split(';').next().unwrap_or_default();
        let line = gateway.line("login code").await?;
        let code: String = line.chars().filter(char::is_ascii_digit).take(6).collect();
        let (cookie, code) = (format!("cookie: {cookie}\r\n"), json!({"code": code}).to_string());
        let (_, session) = gateway.request("POST", "/api/admin/login", &cookie, &code).await?;
        let session: Value = serde_json::from_str(&session)?;
        let bearer = format!("authorization: Bearer {}\r\n", session["token"].as_str().ok_or("login failed")?);
        let (_, ticket) = gateway.request("POST", "/api/admin/ws_ticket", &bearer, "").await?;
        let ticket: Value = serde_json::from_str(&ticket)?;
        let path = format!("/ws/admin?ticket={}", ticket["ticket"].as_str().ok_or("no ticket")?);
        Ok(Self(Socket::open(gateway.address(), &path, 0).await?))
    }

    /// Waits for a message.
    pub async fn hear_message(&mut self, said: &Value) -> Result<()> {
        self.0.hear_message(said).await
    }
}

impl Socket {
    async fn open(address: &str, path: &str, number: u32) -> Result<Self> {
        let mut request = format!("ws://{address}{path}").into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("origin", HeaderValue::from_str(&format!("http://{address}"))?);
        let from = format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255);
        headers.insert("x-forwarded-for", HeaderValue::from_str(&from)?);
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let config = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER);
        let open = client_async_with_config(request, stream, Some(config));
        Ok(Self(timeout(PATIENCE, open).await??.0))
    }

    async fn say(&mut self, frame: &Value) -> Result<()> {
        Ok(self.0.send(Message::text(frame.to_string())).await?)
    }

    async fn hear_message(&mut self, said: &Value) -> Result<()> {
        self.hear(|frame| frame["type"] == "message" && frame["client_id"] == said["client_id"]).await
    }

    async fn hear(&mut self, wanted: impl Fn(&Value) -> bool) -> Result<()> {
        let hear = async {
            loop {
                let frame = match self.0.next().await.ok_or("the gateway hung up")?? {
                    Message::Text(text) => serde_json::from_str::<Value>(&text)?,
                    Message::Close(frame) => return Err(format!("the gateway closed the socket: {frame:?}").into()),
                    _ => continue,
                };
                if wanted(&frame) {
                    return Ok(());
                }
                if frame["type"] == "error" {
                    return Err(frame.to_string().into());
                }
            }
        };
        timeout(PATIENCE, hear).await.map_err(|_| "a frame never came")?
    }
}
