//! A gateway whose Telegram is the fake, a visitor's page and an admin's panel.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use gateway::{Gateway, GatewayOptions, Running};
use serde_json::{Value, json};
use shared::config::{Config, Place};
use shared::event::Lane;
use shared::time::{MINUTE, ManualClock, SECOND, Timestamp};
use telegram_server::{BOT_TOKEN, Person, TelegramServer, header, post};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::people::eventually;
use crate::stores::{Home, Undelivered};

/// The operators' group.
pub const GROUP: i64 = -1_001_234_567_890;
/// Another group that the bot is in.
pub const FOREIGN_GROUP: i64 = -1_009_999_999_999;
/// What Telegram shows the webhook.
pub const SECRET: &str = "webhook-secret_of-the-tests";
/// Nothing here takes longer on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);
/// So much time passes with each look of those who wait for something in Telegram,
const PASSING: i64 = SECOND / 4;
/// until so much has passed in one wait: a socket on which nothing was said for 10 minutes is closed.
const LONGEST: i64 = 8 * MINUTE;
/// From then on so much, which is less than a minute in all: where time stood still, nobody's pause would end.
const TRICKLE: i64 = 4;
/// Where events come by a stream, so much faster than on the wall: on its long way as much is to pass as elsewhere, and on a
/// busy machine it is longer. There a step, which ends after 5 s, takes its time as well.
const HASTE: i64 = 2;
/// Nobody has looked for a while; that does not count.
const GLANCE: Duration = Duration::from_millis(200);
pub const START: Timestamp = Timestamp(1_795_299_063_417);

/// The settings of a Parley whose Telegram is at `api_url`.
pub fn config(api_url: &str, more: &[(&str, &str)]) -> Config {
    let settings = |name: &str| match name {
        "OTP_HASH_SALT" => Some("0123456789abcdef0123456789abcdef".into()),
        "TELEGRAM_BOT_TOKEN" => Some(BOT_TOKEN.into()),
        "TELEGRAM_DEFAULT_CHAT_ID" => Some(GROUP.to_string()),
        "TELEGRAM_WEBHOOK_SECRET" => Some(SECRET.into()),
        "TELEGRAM_API_URL" => Some(api_url.into()),
        _ => None,
    };
    let chosen = |name: &str| more.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
    Config::read(Place::Gateway, |name| chosen(name).or_else(|| settings(name))).unwrap()
}

/// Waits for Telegram's answers no longer than this.
pub fn impatient(mut config: Config, timeout: Duration) -> Config {
    config.telegram.as_mut().expect("Telegram is set up").timeout = timeout;
    config
}

/// Lets time pass while somebody waits.
struct Passing {
    clock: Arc<ManualClock>,
    /// The last look, where time goes by the wall.
    looked: Option<Mutex<Instant>>,
}

impl Passing {
    /// One look, after so many in the same wait.
    fn look(&self, before: u32) {
        let Some(looked) = &self.looked else {
            self.clock.advance(if i64::from(before) * PASSING < LONGEST { PASSING } else { TRICKLE });
            return;
        };
        let now = Instant::now();
        let before = std::mem::replace(&mut *looked.lock().unwrap(), now);
        let waited = now.duration_since(before).min(GLANCE);
        self.clock.advance(HASTE * i64::try_from(waited.as_millis()).unwrap());
    }
}

/// A whole Parley with its Telegram.
pub struct Office {
    pub running: Running,
    pub telegram: TelegramServer,
    pub clock: Arc<ManualClock>,
    pub olga: Person,
    passing: Arc<Passing>,
    /// What its notifier has still to do, where events come by a table's stream.
    undelivered: Option<Undelivered>,
}

/// Tells a story on every store.
pub async fn for_each_office(more: &[(&str, &str)], tell: impl AsyncFn(&Office)) {
    for_each_office_with(&|api_url| config(api_url, more), tell).await;
}

/// Tells a story on every store, with the settings that go with the address of Telegram.
pub async fn for_each_office_with(config: &impl Fn(&str) -> Config, tell: impl AsyncFn(&Office)) {
    for home in Home::every().await {
        eprintln!("on {:?}", home.url);
        let office = Office::open_with(&home, config).await;
        tell(&office).await;
        office.running.shutdown().await;
        home.leave().await;
    }
}

impl Office {
    pub async fn open(home: &Home, more: &[(&str, &str)]) -> Self {
        Self::open_with(home, &|api_url| config(api_url, more)).await
    }

    async fn open_with(home: &Home, config: &impl Fn(&str) -> Config) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let telegram = TelegramServer::start(clock.clone(), &[GROUP, FOREIGN_GROUP]).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let options = GatewayOptions {
            clock: clock.clone(),
            tick: Duration::from_millis(5),
            terminal: Some(Arc::new(|line| panic!("on the terminal: {line}"))),
            stream: home.stream().await,
            ..GatewayOptions::new(config(&telegram.url()), home.open().await.shared(), listener)
        };
        let running = Gateway::start(options).await.unwrap();
        let url = format!("http://{}/telegram/webhook", running.local_addr());
        telegram.set_webhook(&url, SECRET);
        let looked = home.table().map(|_| Mutex::new(Instant::now()));
        let passing = Arc::new(Passing { clock: clock.clone(), looked });
        let waiting = passing.clone();
        telegram.while_waiting(move |before| waiting.look(before));
        let olga = telegram.operator(GROUP, 501, "Olga", "Petrova");
        let undelivered = home.stream().await.map(Undelivered::on);
        Self { running, telegram, clock, olga, passing, undelivered }
    }

    /// Waits until everything that happened is in Telegram, and its links are stored.
    pub async fn mirrored(&self) {
        self.eventually("the lane empties", async || self.is_mirrored().await.then_some(())).await;
    }

    /// Asks again and again until `found` finds it, and lets time pass meanwhile.
    pub async fn eventually<T>(&self, what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
        let mut looks = 0;
        eventually(what, async || {
            let it = found().await;
            if it.is_none() {
                self.passing.look(looks);
                looks += 1;
            }
            it
        })
        .await
    }

    async fn is_mirrored(&self) -> bool {
        let store = &self.running.app().expect("its functions run in here").store;
        match &self.undelivered {
            Some(undelivered) => undelivered.count().await == 0,
            None => store.backlog(Lane::Telegram).await.unwrap().0 == 0,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.local_addr()
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> (u16, String, Value) {
        let (status, head, body) =
            post(self.address(), path, headers, body.to_string().as_bytes()).await.expect("an answer");
        (status, head, serde_json::from_str(&body).unwrap_or_default())
    }

    /// A visitor's page that has joined.
    pub async fn visitor(&self, name: &str) -> Page {
        let mut page = self.page("/ws/client").await;
        page.send(&json!({"type": "join", "display_name": name, "page_url": "https://shop.example/cart"})).await;
        let joined = page.frame("joined").await;
        page.conversation_id = joined["conversation_id"].as_str().unwrap().into();
        page.resume_token = joined["resume_token"].as_str().unwrap().into();
        page
    }

    /// An admin's panel, logged in with the code that Telegram got.
    pub async fn panel(&self) -> (Page, String) {
        let (status, head, asked) = self.post("/api/admin/request_otp", &[], &json!({})).await;
        assert_eq!((status, &asked["channel"]), (200, &json!("telegram")));
        let cookie = challenge(&head);
        let code = self.code();
        let login = json!({"code": code, "name": "Ben"});
        let (status, _, session) = self.post("/api/admin/login", &[("Cookie", &cookie)], &login).await;
        assert_eq!(status, 200, "{session}");
        let token = session["token"].as_str().unwrap().to_owned();
        let (_, _, ticket) = self.post("/api/admin/ws_ticket", &[("Authorization", &bearer(&token))], &json!({})).await;
        let page = self.page(&format!("/ws/admin?ticket={}", ticket["ticket"].as_str().unwrap())).await;
        (page, token)
    }

    /// The newest login code in the group.
    pub fn code(&self) -> String {
        let sent = self.telegram.sent();
        let told = sent.iter().rev().find(|sent| sent.text.starts_with("Login code: ")).expect("a code");
        told.text["Login code: ".len()..][..6].to_owned()
    }

    async fn page(&self, path: &str) -> Page {
        let address = self.address();
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        if path.starts_with("/ws/client") {
            request.headers_mut().insert("Origin", "http://127.0.0.1:8000".parse().unwrap());
        }
        let stream = TcpStream::connect(address).await.unwrap();
        let (socket, _) = client_async(request, stream).await.unwrap();
        Page { socket, conversation_id: String::new(), resume_token: String::new() }
    }
}

/// The cookie that ties a code to a browser.
pub fn challenge(head: &str) -> String {
    header(head, "set-cookie").expect("a cookie").split(';').next().unwrap().to_owned()
}

pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// A socket's client.
pub struct Page {
    socket: WebSocketStream<TcpStream>,
    pub conversation_id: String,
    pub resume_token: String,
}

impl Page {
    pub async fn send(&mut self, frame: &Value) {
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// Writes as a visitor and waits until the message is safe.
    pub async fn says(&mut self, content: &str) -> Value {
        let client_id = uuid::Uuid::now_v7().simple().to_string();
        self.send(&json!({"type": "message", "content": content, "client_id": client_id})).await;
        loop {
            let message = self.frame("message").await;
            if message["client_id"] == client_id.as_str() {
                return message;
            }
        }
    }

    /// The next frame of a type; others are passed over, but an error is the end.
    pub async fn frame(&mut self, kind: &str) -> Value {
        loop {
            let read = tokio::time::timeout(DEADLINE, self.socket.next()).await;
            let read = read.unwrap_or_else(|_| panic!("no {kind} came"));
            let Some(Ok(Message::Text(text))) = read else {
                assert!(matches!(read, Some(Ok(Message::Ping(_) | Message::Pong(_)))), "no {kind} but {read:?}");
                continue;
            };
            let frame: Value = serde_json::from_str(&text).unwrap();
            if frame["type"] == kind {
                return frame;
            }
            assert_ne!(frame["type"], "error", "{frame}");
        }
    }
}
