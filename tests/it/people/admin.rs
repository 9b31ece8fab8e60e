//! An admin, logged in, with the panel's socket open.

use serde_json::{Value, json};

use super::{Answer, Browser, Socket};

pub struct Admin {
    /// Sends the session token with every request.
    pub browser: Browser,
    pub token: String,
    pub socket: Socket,
}

impl Admin {
    pub async fn enter(browser: Browser, cookie: &str, code: &str, name: &str) -> Self {
        let session = browser.log_in(cookie, code, name).await.good();
        assert_eq!(session["name"], name);
        let token = session["token"].as_str().unwrap().to_owned();
        let browser = browser.bearing(&token);
        let socket = Self::socket(&browser).await.unwrap();
        Self { browser, token, socket }
    }

    /// Opens a socket with a new ticket.
    pub async fn socket(browser: &Browser) -> Result<Socket, Answer> {
        let ticket = browser.post("/api/admin/ws_ticket", json!({})).await.good();
        browser.open(&format!("/ws/admin?ticket={}", ticket["ticket"].as_str().unwrap())).await
    }

    /// Sends a frame about a conversation.
    pub async fn act(&mut self, kind: &str, conversation_id: &str) {
        self.socket.send(json!({"type": kind, "conversation_id": conversation_id})).await;
    }

    /// Answers a visitor and waits until the answer is safe.
    pub async fn answer(&mut self, conversation_id: &str, content: &str, client_id: &str) -> Value {
        let frame = json!({"type": "admin_message", "conversation_id": conversation_id,
            "content": content, "client_id": client_id});
        self.socket.send(frame).await;
        self.socket.confirmation(client_id).await
    }

    /// The list's items.
    pub async fn list(&mut self) -> Vec<Value> {
        self.socket.send(json!({"type": "subscribe"})).await;
        self.socket.expect("conversations").await["items"].as_array().unwrap().clone()
    }

    /// A request without a body.
    pub async fn call(&self, method: &str, path: &str) -> Value {
        self.browser.ask(method, path, None).await.good()
    }
}
