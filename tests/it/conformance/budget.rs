//! What a visitor's life costs on DynamoDB: units as the server counts them, through the handlers that run on Lambda.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use serde_json::{Value, json};
use shared::App;
use shared::chat::{self, Draft, Pass};
use shared::config::{Config, Place};
use shared::connections::{Connections, Frame, Sent};
use shared::model::{Connection, MessageType, Sender, Session, Side, Via};
use shared::store::dynamodb::{Consumed, DynamoStore};
use shared::store::{ConnectionRows, Conversations, LoginCode, Messages, Sessions};
use shared::time::{Clock, ManualClock, SECOND};

use super::make::{NO_CAPS, START, admin_socket, begin, index, message, resume_hash, say, session, visitor_socket};
use crate::stores::Home;

/// Every frame that was sent, and to whom.
#[derive(Default)]
pub(super) struct Letterbox(Mutex<Vec<(String, Value)>>);

#[async_trait]
impl Connections for Letterbox {
    async fn send(&self, connection_id: &str, frame: &Frame) -> Sent {
        let frame = serde_json::from_str(frame.as_str()).unwrap();
        self.0.lock().unwrap().push((connection_id.to_owned(), frame));
        Sent::Handed
    }

    async fn close(&self, _: &str) {}
}

/// One instance of a function, which knows no conversation yet.
pub(super) struct Instance {
    pub(super) app: App,
    pub(super) store: Arc<DynamoStore>,
    pub(super) clock: Arc<ManualClock>,
    sent: Arc<Letterbox>,
}

impl Instance {
    pub(super) fn new(home: &Home) -> Self {
        let setting = |name: &str| match name {
            "DATABASE_URL" => Some(home.url.reveal().to_owned()),
            "OTP_HASH_SALT" => Some("0123456789abcdef0123456789abcdef".into()),
            _ => None,
        };
        Self::of(home, Config::read(Place::Gateway, setting).unwrap(), Arc::new(ManualClock::new(START)))
    }

    pub(super) fn of(home: &Home, config: Config, clock: Arc<ManualClock>) -> Self {
        let store = Arc::new(DynamoStore::open(&home.url).unwrap());
        let sent = Arc::new(Letterbox::default());
        let app = App::new(config, store.clone(), sent.clone(), clock.clone()).unwrap();
        Self { app, store, clock, sent }
    }

    /// Handles a frame of a socket; answers what that cost and what was sent.
    pub(super) async fn handle(&self, socket: &Connection, frame: &Value) -> (Consumed, Vec<(String, Value)>) {
        let mut event = ApiGatewayWebsocketProxyRequest::default();
        event.request_context.connection_id = Some(socket.connection_id.clone());
        event.body = Some(frame.to_string());
        let before = self.store.consumed();
        message::handle(&self.app, event).await;
        let after = self.store.consumed();
        let cost = Consumed { read: after.read - before.read, written: after.written - before.written };
        (cost, std::mem::take(&mut *self.sent.0.lock().unwrap()))
    }
}

/// The visitor's socket, connected but not yet bound.
pub(super) async fn visitor(store: &DynamoStore) -> Connection {
    let socket = visitor_socket("192.0.2.1");
    store.connect(&socket, NO_CAPS).await.unwrap();
    socket
}

/// An admin's socket.
pub(super) async fn admin(store: &DynamoStore) -> Connection {
    let one: Session = session("Oya");
    let hash = one.session_id.clone();
    let code = LoginCode {
        challenge_hash: hash.clone(),
        code_hash: "right".into(),
        created_at: START,
        expires_at: START.plus(60 * SECOND),
    };
    store.put_code(&code).await.unwrap();
    store.redeem_code(&hash, "right", 5, &one, &hash).await.unwrap();
    let socket = admin_socket(&one.session_id, "192.0.2.2");
    store.connect(&socket, NO_CAPS).await.unwrap();
    socket
}

fn kinds(sent: &[(String, Value)]) -> Vec<&str> {
    sent.iter().filter_map(|(_, frame)| frame["type"].as_str()).collect()
}

/// A message of 100 bytes, of words that nobody has said before.
pub(super) fn of_100_bytes() -> Value {
    let word = || uuid::Uuid::new_v4().simple();
    let content = format!("{} {} {} !", word(), word(), word());
    json!({"type": "message", "client_id": uuid::Uuid::new_v4().to_string(), "content": content})
}

#[tokio::test]
async fn a_visitor_joins_for_8_write_units_and_writes_for_4_and_2_read_units() {
    let home = Home::on_dynamodb().await;
    let instance = Instance::new(&home);
    let (socket, _) = (visitor(&instance.store).await, admin(&instance.store).await);

    let (cost, sent) = instance.handle(&socket, &json!({"type": "join", "display_name": "Ada"})).await;

    assert_eq!(kinds(&sent), ["conversation_opened", "joined"]);
    eprintln!("join: {cost:?}");
    assert!(cost.written <= 8.0, "{cost:?}");
    let mut written = 0.0;
    for number in 1..=20 {
        instance.clock.advance(SECOND);
        let (cost, sent) = instance.handle(&socket, &of_100_bytes()).await;
        assert_eq!(kinds(&sent), ["message", "message"], "to the visitor and to the admin");
        assert!(cost.written <= 4.0 && cost.read <= 2.0, "message {number}: {cost:?}");
        written += cost.written;
    }
    eprintln!("20 messages: {written} write units");
    assert!(written <= 20.0 * 1.4, "{written} write units for 20 messages");
    home.leave().await;
}

/// The rows of sockets may be read a moment old; here a socket is taken for where it was before.
#[tokio::test]
async fn what_a_socket_says_goes_to_the_conversation_that_it_has_moved_to() {
    let home = Home::on_dynamodb().await;
    let instance = Instance::new(&home);
    let (ada, bob) = (begin(&*instance.store, "Ada").await, begin(&*instance.store, "Bob").await);
    let socket = visitor(&instance.store).await.connection_id;
    for id in [&ada, &bob] {
        instance.store.bind(&socket, id, START).await.unwrap();
    }
    let draft = |number: u32| Draft {
        conversation_id: ada.clone(),
        client_id: format!("c-{number}"),
        sender: Sender::Visitor,
        via: Via::Web,
        author: String::new(),
        content: "hello".into(),
        message_type: MessageType::Text,
        file: None,
        pass: Pass::Socket(socket.clone()),
    };

    let sent = chat::send(&instance.app, draft(1)).await.unwrap();

    assert_eq!(sent.message.conversation_id, bob);
    assert_eq!(instance.store.messages(&ada, 0, i64::MAX, false, 10).await.unwrap(), []);
    instance.store.disconnect(&socket, START).await.unwrap();
    assert_eq!(chat::send(&instance.app, draft(2)).await.unwrap_err().code(), "not_joined");
    home.leave().await;
}

/// An instance remembers whose a socket is; here another one has bound it anew meanwhile.
#[tokio::test]
async fn what_an_instance_remembers_of_a_socket_leads_no_message_astray() {
    let home = Home::on_dynamodb().await;
    let (one, other) = (Instance::new(&home), Instance::new(&home));
    let (ada, bob) = (begin(&*one.store, "Ada").await, begin(&*one.store, "Bob").await);
    let socket = visitor(&one.store).await;
    let said = async |conversation_id: &str| {
        let messages = other.store.messages(conversation_id, 0, i64::MAX, false, 10).await.unwrap();
        messages.len()
    };
    one.store.bind(&socket.connection_id, &ada, START).await.unwrap();
    one.handle(&socket, &of_100_bytes()).await;
    assert_eq!((said(&ada).await, said(&bob).await), (1, 0));

    other.store.bind(&socket.connection_id, &bob, START).await.unwrap();
    for number in 1..=2 {
        let (_, sent) = one.handle(&socket, &of_100_bytes()).await;
        assert_eq!(kinds(&sent), ["message"]);
        assert_eq!((said(&ada).await, said(&bob).await), (1, number));
    }
    other.store.delete(&bob, START).await.unwrap();
    let (_, sent) = one.handle(&socket, &of_100_bytes()).await;
    assert_eq!(sent[0].1["error"], "not_joined", "it belongs to nothing any more, and may begin anew");
    other.store.disconnect(&socket.connection_id, START).await.unwrap();
    let (_, sent) = one.handle(&socket, &of_100_bytes()).await;
    assert_eq!(sent[0].1["error"], "not_joined");
    assert_eq!(said(&ada).await, 1);
    home.leave().await;
}

/// A message with a resume token is held against the head as it is remembered, and stored only with the one that there is.
#[tokio::test]
async fn a_token_costs_no_look_at_what_an_instance_remembers_and_opens_nothing_that_is_gone() {
    let home = Home::on_dynamodb().await;
    let (one, other) = (Instance::new(&home), Instance::new(&home));
    let id = begin(&*one.store, "Ada").await;
    let write = async |hash: &str| {
        let before = one.store.consumed().read;
        let message = message(&id, Sender::Visitor, "hello", START);
        let appended = one.store.append_by_token(hash, &message, None).await.unwrap();
        (appended.is_some(), one.store.consumed().read - before)
    };

    assert!(write(&resume_hash(&id)).await.0);
    // The admins' sockets.
    assert_eq!(write(&resume_hash(&id)).await, (true, 0.5));
    say(&*other.store, &id, Sender::Admin, "hi", START).await;
    assert_eq!(write(&resume_hash(&id)).await, (true, 1.0), "what another instance changed is met when it is written");
    assert!(!write(&resume_hash("another")).await.0);
    other.store.delete(&id, START).await.unwrap();
    assert!(!write(&resume_hash(&id)).await.0);
    home.leave().await;
}

#[tokio::test]
async fn an_instance_that_knows_neither_socket_nor_conversation_reads_both_for_half_a_unit() {
    let home = Home::on_dynamodb().await;
    let known = Instance::new(&home);
    let (socket, _) = (visitor(&known.store).await, admin(&known.store).await);
    known.handle(&socket, &json!({"type": "join", "display_name": "Ada"})).await;
    let (warm, _) = known.handle(&socket, &of_100_bytes()).await;

    let (cold, sent) = Instance::new(&home).handle(&socket, &of_100_bytes()).await;

    assert_eq!(kinds(&sent), ["message", "message"]);
    assert!((warm.read - 0.5).abs() < 0.01, "the admins' sockets: {warm:?}");
    assert_eq!(cold, Consumed { read: warm.read + 1.0, written: warm.written });
    home.leave().await;
}

#[tokio::test]
async fn a_conversation_of_50_messages_is_taken_up_for_6_read_units() {
    let home = Home::on_dynamodb().await;
    let instance = Instance::new(&home);
    let socket = visitor(&instance.store).await;
    admin(&instance.store).await;
    let (_, sent) = instance.handle(&socket, &json!({"type": "join", "display_name": "Ada"})).await;
    let joined = sent.into_iter().map(|(_, frame)| frame).find(|frame| frame["type"] == "joined").unwrap();
    for _ in 0..50 {
        instance.clock.advance(SECOND);
        instance.handle(&socket, &of_100_bytes()).await;
    }
    instance.store.disconnect(&socket.connection_id, START).await.unwrap();
    let another = visitor(&instance.store).await;
    let resume = json!({
        "type": "resume", "conversation_id": joined["conversation_id"], "resume_token": joined["resume_token"],
    });

    let (cost, sent) = Instance::new(&home).handle(&another, &resume).await;

    assert_eq!(kinds(&sent), ["presence", "history"]);
    assert_eq!(sent[1].1["messages"].as_array().unwrap().len(), 50);
    eprintln!("resume: {cost:?}");
    assert!(cost.read <= 6.0, "{cost:?}");
    home.leave().await;
}

#[tokio::test]
async fn the_panel_opens_its_first_page_of_50_conversations_for_40_read_units() {
    let home = Home::on_dynamodb().await;
    let instance = Instance::new(&home);
    let socket = admin(&instance.store).await;
    for number in 0..60 {
        let id = begin(&*instance.store, "Ada").await;
        say(&*instance.store, &id, Sender::Visitor, &"x".repeat(100), START.plus(number * SECOND)).await;
    }

    let (cost, sent) = Instance::new(&home).handle(&socket, &json!({"type": "subscribe", "limit": 50})).await;

    assert_eq!(kinds(&sent), ["conversations"]);
    assert_eq!(sent[0].1["items"].as_array().unwrap().len(), 50);
    eprintln!("first page: {cost:?}");
    assert!(cost.read <= 40.0, "{cost:?}");
    home.leave().await;
}

/// Connected minutes: a visitor's quarter of an hour, and a conversation's part of what two admins are there for.
const MINUTES: f64 = 34.2;

/// What a bill is made of.
#[derive(Debug, Default)]
struct Bill {
    frames_in: u32,
    frames_out: u32,
    written: f64,
    read: f64,
}

impl Bill {
    async fn frame(&mut self, instance: &Instance, socket: &Connection, frame: Value) {
        instance.clock.advance(SECOND);
        let (cost, sent) = instance.handle(socket, &frame).await;
        assert!(sent.iter().all(|(_, frame)| frame["type"] != "error"), "{sent:?}");
        self.frames_in += 1;
        self.frames_out += u32::try_from(sent.len()).unwrap();
        self.written += cost.written;
        self.read += cost.read;
    }

    /// Dollars for a thousand such conversations by the price list of us-east-1, without the free tier. Every frame that comes in
    /// invokes one function, and so do the socket's coming and going; `conformance::invocations` shows that nothing else does.
    fn dollars(&self) -> f64 {
        let frames = f64::from(self.frames_in + self.frames_out);
        let invocations = f64::from(self.frames_in + 2);
        let run = 0.2 + 1e6 * 0.010 * 0.25 * 0.000_013_333_4;
        let per_million = frames + 0.25 * MINUTES + 0.625 * self.written + 0.125 * self.read + run * invocations;
        per_million / 1e3
    }
}

/// The figures of README's table: a visitor who stays for ten messages each way, with two admins at their panels.
#[tokio::test]
async fn a_conversation_of_ten_messages_each_way_costs_what_the_readme_says() {
    let home = Home::on_dynamodb().await;
    let instance = Instance::new(&home);
    let (oya, _) = (admin(&instance.store).await, admin(&instance.store).await);
    let before = instance.store.consumed();
    let socket = visitor(&instance.store).await;
    let mut bill = Bill::default();
    bill.frame(&instance, &socket, json!({"type": "join", "display_name": "Ada"})).await;
    let row = instance.store.connection(&socket.connection_id, instance.clock.now()).await.unwrap().unwrap();
    let Side::Visitor { conversation_id: Some(id) } = row.side else { panic!("not bound") };
    let mut quiet = Bill::default();
    for number in 0..10 {
        bill.frame(&instance, &socket, of_100_bytes()).await;
        let read = json!({"type": "read", "conversation_id": id, "seq": 2 * number + 1});
        quiet.frame(&instance, &oya, read).await;
        let mut answer = of_100_bytes();
        (answer["type"], answer["conversation_id"]) = ("admin_message".into(), id.as_str().into());
        bill.frame(&instance, &oya, answer).await;
        quiet.frame(&instance, &socket, json!({"type": "read", "seq": 2 * number + 2})).await;
        instance.clock.advance(3 * SECOND);
        quiet.frame(&instance, &socket, json!({"type": "typing"})).await;
        quiet.frame(&instance, &oya, json!({"type": "typing", "conversation_id": id})).await;
    }
    let frames = instance.store.consumed();
    index(&*instance.store).await;
    let indexed = instance.store.consumed();
    instance.store.disconnect(&socket.connection_id, instance.clock.now()).await.unwrap();
    let after = instance.store.consumed();

    eprintln!("messages: {bill:?}\nreads and typing: {quiet:?}");
    eprintln!("index: {} written, {} read", indexed.written - frames.written, indexed.read - frames.read);
    let (written, read) = (after.written - before.written, after.read - before.read);
    let alone = Bill { written: written - quiet.written, read: read - quiet.read, ..bill };
    let (frames_in, frames_out) = (bill.frames_in + quiet.frames_in, bill.frames_out + quiet.frames_out);
    let all = Bill { frames_in, frames_out, written, read };
    eprintln!("messages alone: {alone:?}: ${:.3} per 1,000", alone.dollars());
    eprintln!("all: {all:?}: ${:.3} per 1,000", all.dollars());
    assert_eq!((bill.frames_in, bill.frames_out), (21, 3 + 20 * 3), "one frame in, three out for each message");
    assert!(bill.written + 20.0 <= 21.0 * 4.0, "{bill:?}");
    assert!(written <= 115.0, "of everything together");
    assert!(alone.dollars() <= 0.145 && all.dollars() <= 0.335, "{} and {}", alone.dollars(), all.dollars());
    home.leave().await;
}
