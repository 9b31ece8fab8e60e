//! A socket, read frame by frame.

use std::collections::VecDeque;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::within;

/// A client's end of a socket.
pub struct Socket {
    pub stream: WebSocketStream<TcpStream>,
    /// Frames that were read while another was waited for.
    passed: VecDeque<Value>,
}

impl Socket {
    pub fn new(stream: WebSocketStream<TcpStream>) -> Self {
        Self { stream, passed: VecDeque::new() }
    }

    pub async fn send(&mut self, frame: Value) {
        self.send_text(frame.to_string()).await;
    }

    pub async fn send_text(&mut self, text: impl Into<String>) {
        self.stream.send(Message::text(text.into())).await.unwrap();
    }

    async fn read(&mut self) -> Result<Value, Option<u16>> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(CloseFrame { code, .. })))) => return Err(Some(code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// The next frame for which `wanted` holds; the others stay for later.
    pub async fn find(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(place) = self.passed.iter().position(&wanted) {
            return self.passed.remove(place).unwrap();
        }
        loop {
            let frame = within(what, self.read()).await;
            let frame =
                frame.unwrap_or_else(|code| panic!("closed with {code:?} before {what}; got {:?}", self.passed));
            if wanted(&frame) {
                return frame;
            }
            self.passed.push_back(frame);
        }
    }

    /// The next frame of a type.
    pub async fn expect(&mut self, kind: &str) -> Value {
        self.find(kind, |frame| frame["type"] == kind).await
    }

    /// The answer to a frame, when that is an error: its code, and the frame.
    pub async fn refusal(&mut self, frame: Value) -> (String, Value) {
        self.send(frame).await;
        let error = self.expect("error").await;
        (error["error"].as_str().unwrap().to_owned(), error)
    }

    /// A message that is confirmed to its sender.
    pub async fn confirmation(&mut self, client_id: &str) -> Value {
        let frame = self.find(client_id, |frame| {
            let kind = &frame["type"];
            frame["client_id"] == client_id && (kind == "message" || kind == "error")
        });
        let frame = frame.await;
        assert_eq!(frame["type"], "message", "{frame}");
        frame
    }

    /// Everything that was pushed up to now and not read yet.
    pub async fn rest(&mut self) -> Vec<Value> {
        self.send(json!({"type": "ping"})).await;
        self.expect("pong").await;
        self.passed.drain(..).collect()
    }

    /// A frame, if one comes soon.
    pub async fn soon(&mut self, patience: Duration) -> Option<Value> {
        if let Some(frame) = self.passed.pop_front() {
            return Some(frame);
        }
        tokio::time::timeout(patience, self.read()).await.ok().map(|frame| frame.expect("it is open"))
    }

    /// Reads to the close frame and answers its code.
    pub async fn closed_with(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = within("a close frame", self.read()).await {
                return code;
            }
        }
    }

    /// Frames up to the end, however it comes.
    pub async fn drain(&mut self) -> Vec<Value> {
        let mut frames: Vec<Value> = self.passed.drain(..).collect();
        while let Ok(frame) = within("the end", self.read()).await {
            frames.push(frame);
        }
        frames
    }

    pub async fn hang_up(mut self) {
        self.stream.close(None).await.unwrap();
        while within("the end", self.read()).await.is_ok() {}
    }
}
