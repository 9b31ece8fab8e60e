//! The reference relay: the least that can do what Parley does with a message on this machine.
//!
//! It speaks as much of Parley's contract as the load needs, in frames of the same size, so that the same people talk to
//! both. It knows no sessions, no limits, no search and no Telegram; what it is asked to keep, it keeps as durably as Parley.

mod keeper;
mod sqlite;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{SinkExt, StreamExt};
use keeper::{Job, Keeper, MessageRow, Row, SessionRow};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};
use uuid::Uuid;

use crate::Result;
use crate::wire::READ_BUFFER;

/// As long as Parley's; what time it is costs the relay nothing.
const CREATED_AT: &str = "2026-01-01T00:00:00.000Z";

type Queue = UnboundedSender<Utf8Bytes>;

/// What comes in.
#[derive(Deserialize)]
struct Said<'a> {
    r#type: &'a str,
    #[serde(borrow)]
    client_id: Option<&'a str>,
    #[serde(borrow)]
    content: Option<Cow<'a, str>>,
    #[serde(borrow)]
    conversation_id: Option<&'a str>,
    seq: Option<i64>,
}

/// A message as it goes out, field by field as Parley's.
#[derive(Serialize)]
struct Stored<'a> {
    r#type: &'static str,
    conversation_id: &'a str,
    id: &'a str,
    seq: i64,
    client_id: &'a str,
    sender: &'a str,
    via: &'static str,
    author: &'static str,
    message_type: &'static str,
    content: &'a str,
    created_at: &'static str,
    edited_at: Option<()>,
    file: Option<()>,
}

/// Where frames of a conversation go, and how far it has come.
#[derive(Default)]
struct Conversation {
    queue: Option<Queue>,
    seq: i64,
}

#[derive(Default)]
struct People {
    admins: Vec<Queue>,
    conversations: HashMap<String, Conversation>,
}

struct Relay {
    people: Mutex<People>,
    keeper: Keeper,
}

/// One socket's side of it.
struct Talk {
    relay: Arc<Relay>,
    queue: Queue,
    /// Of a visitor who has joined.
    conversation_id: String,
    admin: bool,
}

/// Relays until it is ended; says on standard error where. `store` is `bare`, `sqlite:FILE` or a URL of `PostgreSQL`.
#[expect(clippy::print_stderr, reason = "whoever started it reads there where it listens")]
pub async fn run(store: &str) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let relay = Arc::new(Relay { people: Mutex::default(), keeper: Keeper::open(store).await? });
    eprintln!("Relay on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let relay = relay.clone();
        tokio::spawn(async move {
            // A socket that breaks ends; whoever needs it says so.
            let _ = serve(relay, stream).await;
        });
    }
}

async fn serve(relay: Arc<Relay>, stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut admin = false;
    #[expect(clippy::result_large_err, reason = "the library asks for this type")]
    let look = |request: &Request, response: Response| {
        admin = request.uri().path() == "/ws/admin";
        Ok(response)
    };
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
    let mut socket = accept_hdr_async_with_config(stream, look, Some(config)).await?;
    let (queue, mut waiting) = unbounded_channel();
    let mut talk = Talk { relay, queue, conversation_id: String::new(), admin };
    if admin {
        talk.relay.locked(|people| people.admins.push(talk.queue.clone()));
    }
    loop {
        tokio::select! {
            Some(text) = waiting.recv() => {
                socket.feed(Message::Text(text)).await?;
                while let Ok(text) = waiting.try_recv() {
                    socket.feed(Message::Text(text)).await?;
                }
                socket.flush().await?;
            }
            read = socket.next() => match read {
                Some(Ok(Message::Text(text))) => talk.hear(&text)?,
                Some(Ok(Message::Close(_))) | None => return leave(&talk, socket).await,
                Some(other) => drop(other?),
            },
        }
    }
}

async fn leave(talk: &Talk, mut socket: WebSocketStream<TcpStream>) -> Result<()> {
    talk.relay.locked(|people| {
        people.admins.retain(|queue| !queue.same_channel(&talk.queue));
        let conversation = people.conversations.get_mut(&talk.conversation_id);
        if let Some(conversation) = conversation
            && conversation.queue.as_ref().is_some_and(|queue| queue.same_channel(&talk.queue))
        {
            conversation.queue = None;
        }
    });
    Ok(socket.flush().await?)
}

impl Talk {
    fn hear(&mut self, text: &str) -> Result<()> {
        let said: Said = serde_json::from_str(text)?;
        match said.r#type {
            "join" => self.join(),
            "resume" => self.resume(&said),
            "message" | "admin_message" => self.message(&said),
            "typing" | "read" => self.pass_on(&said),
            _ => Err(format!("the relay does not know {text}").into()),
        }
    }

    fn join(&mut self) -> Result<()> {
        let (conversation_id, token) = (Uuid::now_v7().to_string(), format!("{:043}", Uuid::now_v7().as_u128()));
        let joined = json!({
            "type": "joined", "conversation_id": conversation_id, "visitor_name": "Ada", "resume_token": token,
            "head_seq": 0, "max_message_len": 2000,
        });
        let row = SessionRow { conversation_id: conversation_id.clone(), token };
        self.relay.locked(|people| {
            let conversation = Conversation { queue: Some(self.queue.clone()), seq: 0 };
            people.conversations.insert(conversation_id.clone(), conversation);
        });
        self.conversation_id = conversation_id;
        let job = Job { row: Row::Session(row), frame: joined.to_string().into(), to: vec![self.queue.clone()] };
        self.relay.keeper.keep(job)
    }

    fn resume(&mut self, said: &Said) -> Result<()> {
        let id = said.conversation_id.ok_or("resume what?")?;
        let seq = self.relay.locked(|people| {
            let conversation = people.conversations.get_mut(id)?;
            conversation.queue = Some(self.queue.clone());
            Some(conversation.seq)
        });
        id.clone_into(&mut self.conversation_id);
        let history = json!({
            "type": "history", "conversation_id": id, "visitor_name": "Ada", "status": "open", "messages": [],
            "head_seq": seq.ok_or("there is no such conversation")?, "has_more": false, "read": {"visitor": 0, "admin": 0},
        });
        Ok(self.queue.send(history.to_string().into())?)
    }

    fn message(&self, said: &Said) -> Result<()> {
        let id = if self.admin { said.conversation_id } else { Some(self.conversation_id.as_str()) };
        let (id, client_id) = id.zip(said.client_id).ok_or("a message has no address")?;
        let (seq, to) = self.relay.audience(id, 1)?;
        let content = said.content.as_deref().unwrap_or_default();
        let sender = if self.admin { "admin" } else { "visitor" };
        let frame = serde_json::to_string(&Stored {
            r#type: "message",
            conversation_id: id,
            id,
            seq,
            client_id,
            sender,
            via: "web",
            author: "Ada",
            message_type: "text",
            content,
            created_at: CREATED_AT,
            edited_at: None,
            file: None,
        })?;
        let row = MessageRow {
            conversation_id: id.into(),
            seq,
            client_id: client_id.into(),
            sender,
            content: content.into(),
        };
        self.relay.keeper.keep(Job { row: Row::Message(row), frame: frame.into(), to })
    }

    /// What nobody keeps: a visitor's goes to the admins, an admin's to the visitor.
    fn pass_on(&self, said: &Said) -> Result<()> {
        let id = if self.admin { said.conversation_id.unwrap_or_default() } else { &self.conversation_id };
        let side = if self.admin { "admin" } else { "visitor" };
        let frame = match said.seq {
            Some(seq) => json!({"type": "read", "conversation_id": id, "reader": side, "seq": seq}),
            None => json!({"type": "typing", "conversation_id": id, "sender": side}),
        };
        let frame = Utf8Bytes::from(frame.to_string());
        let (_, to) = self.relay.audience(id, 0)?;
        for queue in to.iter().filter(|queue| !queue.same_channel(&self.queue)) {
            // Whoever has left meanwhile hears nothing.
            let _ = queue.send(frame.clone());
        }
        Ok(())
    }
}

impl Relay {
    fn locked<T>(&self, act: impl FnOnce(&mut People) -> T) -> T {
        act(&mut self.people.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The visitor and the admins, and the conversation's number after `more` messages.
    fn audience(&self, id: &str, more: i64) -> Result<(i64, Vec<Queue>)> {
        self.locked(|people| {
            let conversation = people.conversations.get_mut(id).ok_or("there is no such conversation")?;
            conversation.seq += more;
            Ok((conversation.seq, people.admins.iter().chain(&conversation.queue).cloned().collect()))
        })
    }
}
