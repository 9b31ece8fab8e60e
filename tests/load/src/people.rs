//! The people who use Parley, as sockets.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::Result;
use crate::gateway::Gateway;

type Socket = WebSocketStream<TcpStream>;

/// Nothing of a measurement takes longer than this without having failed.
const PATIENCE: Duration = Duration::from_secs(30);
/// The admin has heard everything when nothing more came for so long after the last visitor stopped.
const SILENCE: Duration = Duration::from_secs(2);
/// A message of about 100 bytes of text.
const PADDING: &str = "Where is my parcel? The number on the slip is 4711 and the page says that it has left";

/// A visitor with a conversation of its own.
pub struct Visitor {
    socket: Socket,
    conversation_id: String,
}

/// An admin who listens.
pub struct Admin {
    socket: Socket,
}

impl Visitor {
    /// Comes in from an address of its own and joins.
    pub async fn join(gateway: &Gateway, number: usize) -> Result<Self> {
        let mut socket = open(gateway, "/ws/client", number).await?;
        say(&mut socket, &json!({"type": "join", "display_name": "Ada"})).await?;
        let joined = hear(&mut socket, "joined").await?;
        let conversation_id = joined["conversation_id"].as_str().unwrap_or_default().to_owned();
        Ok(Self { socket, conversation_id })
    }

    /// Sends on a schedule until `end`; answers how long each message took to be confirmed, in microseconds.
    pub async fn talk(
        self,
        epoch: Instant,
        first: Duration,
        between: Duration,
        end: tokio::time::Instant,
    ) -> Result<Vec<u64>> {
        let (mut sink, mut stream) = self.socket.split();
        let mut clock = tokio::time::interval_at(tokio::time::Instant::now() + first, between);
        let (mut times, mut sent, mut ended) = (Vec::new(), 0, false);
        while !ended || times.len() < sent {
            tokio::select! {
                _ = clock.tick(), if !ended => {
                    ended = tokio::time::Instant::now() >= end;
                    if !ended {
                        sink.send(message(&self.conversation_id, sent, epoch.elapsed())).await?;
                        sent += 1;
                    }
                }
                frame = stream.next() => {
                    let frame = decode(frame.ok_or("the gateway hung up")??)?;
                    if let Some(time) = age(&frame, epoch) {
                        times.push(time);
                    }
                }
                () = tokio::time::sleep(PATIENCE) => return Err("a message was not confirmed".into()),
            }
        }
        Ok(times)
    }

    /// Sends the next message as soon as the one before is confirmed; answers how many were.
    pub async fn talk_without_pause(mut self, epoch: Arc<Instant>, length: Duration) -> Result<usize> {
        let mut count = 0;
        while epoch.elapsed() < length {
            self.socket.send(message(&self.conversation_id, count, epoch.elapsed())).await?;
            hear(&mut self.socket, "message").await?;
            count += 1;
        }
        Ok(count)
    }

    /// Hangs up.
    pub async fn leave(mut self) {
        let _ = self.socket.close(None).await;
    }
}

impl Admin {
    /// Asks for a code, reads it from the terminal, logs in, opens the panel's socket.
    pub async fn log_in(gateway: &Gateway) -> Result<Self> {
        let (head, _) = gateway.post("/api/admin/request_otp", "", "").await?;
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).ok_or("no challenge was set")?;
        let cookie = cookie.split(';').next().unwrap_or_default();
        let line = gateway.line("login code").await?;
        let code: String = line.chars().filter(char::is_ascii_digit).take(6).collect();
        let (cookie, code) = (format!("cookie: {cookie}\r\n"), json!({"code": code}).to_string());
        let (_, session) = gateway.post("/api/admin/login", &cookie, &code).await?;
        let session: Value = serde_json::from_str(&session)?;
        let bearer = format!("authorization: Bearer {}\r\n", session["token"].as_str().ok_or("login failed")?);
        let (_, ticket) = gateway.post("/api/admin/ws_ticket", &bearer, "").await?;
        let ticket: Value = serde_json::from_str(&ticket)?;
        let path = format!("/ws/admin?ticket={}", ticket["ticket"].as_str().ok_or("no ticket")?);
        Ok(Self { socket: open(gateway, &path, 0).await? })
    }

    /// Listens until it is quiet; answers how long each message was on its way, in microseconds.
    pub async fn arrivals(mut self, epoch: Instant) -> Result<Vec<u64>> {
        let mut times = Vec::new();
        let mut patience = PATIENCE;
        while let Ok(frame) = tokio::time::timeout(patience, self.socket.next()).await {
            if let Some(time) = age(&decode(frame.ok_or("the gateway hung up")??)?, epoch) {
                times.push(time);
                patience = SILENCE;
            }
        }
        Ok(times)
    }
}

async fn open(gateway: &Gateway, path: &str, number: usize) -> Result<Socket> {
    let address = gateway.address();
    let mut request = format!("ws://{address}{path}").into_client_request()?;
    let headers = request.headers_mut();
    headers.insert("origin", HeaderValue::from_str(&format!("http://{address}"))?);
    let from = format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255);
    headers.insert("x-forwarded-for", HeaderValue::from_str(&from)?);
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(client_async(request, stream).await?.0)
}

async fn say(socket: &mut Socket, frame: &Value) -> Result<()> {
    Ok(socket.send(Message::text(frame.to_string())).await?)
}

async fn hear(socket: &mut Socket, kind: &str) -> Result<Value> {
    let hear = async {
        loop {
            let frame = decode(socket.next().await.ok_or("the gateway hung up")??)?;
            match frame["type"].as_str() {
                Some(found) if found == kind => return Ok(frame),
                Some("error") => return Err(frame.to_string().into()),
                _ => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, hear).await?
}

fn decode(message: Message) -> Result<Value> {
    match message {
        Message::Text(text) => Ok(serde_json::from_str(&text)?),
        Message::Close(frame) => Err(format!("the gateway closed the socket: {frame:?}").into()),
        _ => Ok(Value::Null),
    }
}

/// A message that tells when it was sent.
fn message(conversation_id: &str, number: usize, at: Duration) -> Message {
    let content = format!("{} {PADDING}", at.as_micros());
    let client_id = format!("{}-{number}", conversation_id.replace('-', ""));
    Message::text(json!({"type": "message", "client_id": client_id, "content": content}).to_string())
}

fn age(frame: &Value, epoch: Instant) -> Option<u64> {
    let sent: u128 = frame["content"].as_str()?.split(' ').next()?.parse().ok()?;
    u64::try_from(epoch.elapsed().as_micros().saturating_sub(sent)).ok()
}
