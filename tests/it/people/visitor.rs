//! A visitor, with a tab of the page open.

use serde_json::{Value, json};

use super::{Browser, Socket};

pub struct Visitor {
    pub browser: Browser,
    pub socket: Socket,
    pub joined: Value,
    pub id: String,
    pub token: String,
    said: usize,
}

impl Visitor {
    pub async fn join(browser: Browser, name: &str) -> Self {
        let mut socket = browser.open("/ws/client").await.unwrap();
        socket.send(json!({"type": "join", "display_name": name})).await;
        let joined = socket.expect("joined").await;
        Self::of(browser, socket, joined)
    }

    /// Somebody who was answered `joined`.
    pub fn of(browser: Browser, socket: Socket, joined: Value) -> Self {
        let field = |name: &str| joined[name].as_str().unwrap().to_owned();
        let (id, token) = (field("conversation_id"), field("resume_token"));
        Self { browser, socket, id, token, joined, said: 0 }
    }

    /// Sends a message without waiting; answers its `client_id`.
    pub async fn send(&mut self, content: &str) -> String {
        self.said += 1;
        let client_id = format!("{}-{}", &self.id[..8], self.said);
        self.socket.send(json!({"type": "message", "content": content, "client_id": client_id})).await;
        client_id
    }

    /// Sends a message and waits until it is safe.
    pub async fn say(&mut self, content: &str) -> Value {
        let client_id = self.send(content).await;
        self.socket.confirmation(&client_id).await
    }

    /// Sends so many messages at once and waits until all are safe.
    pub async fn say_many(&mut self, count: usize, content: impl Fn(usize) -> String) {
        let mut sent = Vec::new();
        for number in 0..count {
            sent.push(self.send(&content(number)).await);
        }
        for client_id in sent {
            self.socket.confirmation(&client_id).await;
        }
    }

    pub fn resume_frame(&self, since: Option<i64>) -> Value {
        let mut frame = json!({"type": "resume", "conversation_id": self.id, "resume_token": self.token});
        if let Some(since) = since {
            frame["since"] = since.into();
        }
        frame
    }

    /// Another socket of the same conversation, and the history it was given.
    pub async fn another_tab(&self, since: Option<i64>) -> (Socket, Value) {
        let mut socket = self.browser.open("/ws/client").await.unwrap();
        socket.send(self.resume_frame(since)).await;
        let history = socket.expect("history").await;
        (socket, history)
    }

    /// Every message, page by page from the start.
    pub async fn whole_history(&self) -> Vec<Value> {
        let mut messages: Vec<Value> = Vec::new();
        let (mut socket, mut page) = self.another_tab(Some(0)).await;
        loop {
            messages.extend(page["messages"].as_array().unwrap().iter().cloned());
            if page["has_more"] == false {
                return messages;
            }
            socket.send(self.resume_frame(messages.last().unwrap()["seq"].as_i64())).await;
            page = socket.expect("history").await;
        }
    }
}
