//! Parley's parts without a gateway: the notifier runs when the test says so.

use std::future::Future;
use std::net::Ipv6Addr;
use std::sync::Arc;

use async_trait::async_trait;
use notifier::Drained;
use shared::App;
use shared::chat::{self, Caller, Draft, Pass};
use shared::connections::{Connections, Frame, Sent};
use shared::event::Lane;
use shared::model::{MessageType, Sender, Via};
use shared::time::ManualClock;
use shared::wire::Incoming;
use telegram_server::TelegramServer;
use uuid::Uuid;

use super::stage::{FOREIGN_GROUP, GROUP, START, config};
use crate::stores::{TestStore, for_each_store};

/// No socket is open.
struct Nobody;

#[async_trait]
impl Connections for Nobody {
    async fn send(&self, _: &str, _: &Frame) -> Sent {
        Sent::Gone
    }

    async fn close(&self, _: &str) {}
}

/// The parts, and Telegram.
pub struct Bench {
    pub app: App,
    pub clock: Arc<ManualClock>,
    pub telegram: TelegramServer,
    store: TestStore,
}

/// Tells a story on every store.
pub async fn for_each_bench<F: Future<Output = ()>>(tell: impl Fn(Bench) -> F) {
    let tell = &tell;
    for_each_store(|store| async move { tell(Bench::on(store).await).await }).await;
}

impl Bench {
    pub async fn on(store: TestStore) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let telegram = TelegramServer::start(clock.clone(), &[GROUP, FOREIGN_GROUP]).await;
        let config = config(&telegram.url(), &[("MAX_MESSAGE_LEN", "6000"), ("WS_USER_BURST", "1000")]);
        let app = App::new(config, store.shared(), Arc::new(Nobody), clock.clone()).unwrap();
        Self { app, clock, telegram, store }
    }

    /// So many steps, or a fifth of them where each takes long: what they tell they tell there too.
    pub fn few(&self, steps: usize) -> usize {
        if self.store.is_streamed() { steps / 5 } else { steps }
    }

    /// Brings what happened into the lane, where a table's stream tells it.
    pub async fn take_in(&self) {
        self.store.take_in().await.unwrap();
    }

    /// A visitor joins; answers the conversation.
    pub async fn join(&self, name: &str) -> String {
        let asked = Incoming::parse(&format!(r#"{{"type":"join","display_name":"{name}"}}"#)).unwrap();
        let ip = Ipv6Addr::from(Uuid::new_v4().as_u128()).to_string();
        let caller = Caller { ip: &ip, user_agent: None, country: None };
        chat::join(&self.app, &asked, caller).await.unwrap().conversation_id
    }

    /// A visitor writes.
    pub async fn say(&self, conversation_id: &str, content: &str) {
        let draft = Draft {
            conversation_id: conversation_id.into(),
            client_id: Uuid::now_v7().simple().to_string(),
            sender: Sender::Visitor,
            via: Via::Web,
            author: String::new(),
            content: content.into(),
            message_type: MessageType::Text,
            file: None,
            pass: Pass::Seen,
        };
        chat::send(&self.app, draft).await.unwrap();
    }

    /// One step of the mirror.
    pub async fn drain(&self) -> Drained {
        self.take_in().await;
        notifier::drain(&self.app, Lane::Telegram).await.unwrap()
    }

    /// Steps until nothing waits, each as soon as it may be taken; answers how long that took.
    pub async fn drain_all(&self) -> i64 {
        let began = self.app.now();
        while self.store.backlog(Lane::Telegram).await.unwrap().0 > 0 {
            let next = self.drain().await.next.expect("something waits");
            self.clock.advance(next.since(self.app.now()).max(0));
        }
        self.app.now().since(began)
    }

    /// The same, told by somebody of the team in the panel.
    pub async fn answer(&self, conversation_id: &str, content: &str) {
        let draft = Draft {
            conversation_id: conversation_id.into(),
            client_id: Uuid::now_v7().simple().to_string(),
            sender: Sender::Admin,
            via: Via::Web,
            author: "Ben".into(),
            content: content.into(),
            message_type: MessageType::Text,
            file: None,
            pass: Pass::Seen,
        };
        chat::send(&self.app, draft).await.unwrap();
    }

    /// What arrived of one visitor's messages, line by line, in order.
    pub fn arrived(&self, name: &str) -> Vec<String> {
        self.posts(name).concat()
    }

    /// The lines of each post that a visitor's words begin.
    pub fn posts(&self, name: &str) -> Vec<Vec<String>> {
        let mark = format!("{name}: ");
        let sent = self.telegram.sent();
        let posts = sent.iter().filter_map(|sent| sent.text.strip_prefix(&mark));
        posts.map(|lines| lines.lines().map(ToOwned::to_owned).collect()).collect()
    }

    /// The trouble that admins are shown.
    pub async fn alert(&self) -> Option<String> {
        shared::telegram::alert::current(&self.app).await.unwrap().map(|alert| alert.code)
    }

    /// One step of the mirror; answers how many calls it made.
    pub async fn calls(&self) -> usize {
        let before = self.telegram.calls();
        self.drain().await;
        self.telegram.calls() - before
    }
}
