//! A gateway on a free port with a store of its own and a clock that the story turns.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gateway::{Faults, Gateway, GatewayOptions, Running};
use shared::config::{Config, Place};
use shared::store::{self, PageRequest, Store};
use shared::time::{Clock, ManualClock, Timestamp};
use tokio::net::TcpListener;

use super::{Admin, Browser, Visitor};
use crate::stores::Home;

/// Limits that a story which is not about them never meets.
pub const RELAXED: &[(&str, &str)] =
    &[("WS_USER_BURST", "10000"), ("API_REQ_PER_5MIN", "1000000"), ("API_ADMIN_REQ_PER_5MIN", "1000000")];

/// HMAC key of the login codes.
pub const SALT: &str = "canary-salt-0123456789abcdef0123456789";

pub struct House {
    running: Running,
    pub clock: Arc<ManualClock>,
    pub home: Home,
    store: Arc<dyn Store>,
    codes: Arc<Mutex<Vec<String>>>,
    addresses: AtomicU8,
}

/// Tells a story on SQLite, on PostgreSQL and on DynamoDB, each time in a new house.
pub async fn in_each_house(settings: &[(&str, &str)], story: impl AsyncFn(&House)) {
    in_each_house_with(&Faults::default(), settings, story).await;
}

/// The same, and things go wrong on purpose.
pub async fn in_each_house_with(faults: &Faults, settings: &[(&str, &str)], story: impl AsyncFn(&House)) {
    for home in Home::lasting().await {
        in_house(home, faults, settings, &story).await;
    }
}

/// Tells a story on SQLite and on PostgreSQL.
pub async fn in_each_sql_house(settings: &[(&str, &str)], story: impl AsyncFn(&House)) {
    for home in Home::on_sql().await {
        in_house(home, &Faults::default(), settings, &story).await;
    }
}

async fn in_house(home: Home, faults: &Faults, settings: &[(&str, &str)], story: &impl AsyncFn(&House)) {
    eprintln!("on {:?}", home.url);
    let house = House::open(home, settings, faults.clone()).await;
    story(&house).await;
    house.running.shutdown().await;
    house.home.leave().await;
}

/// The six digits of the line that a login code is told with.
pub fn code_in(line: &str) -> Option<String> {
    let words = line.split(|c: char| !c.is_ascii_digit());
    words.into_iter().find(|word| word.len() == 6).map(str::to_owned)
}

impl House {
    async fn open(home: Home, settings: &[(&str, &str)], faults: Faults) -> Self {
        let setting = |name: &str| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let config = Config::read(Place::Gateway, |name| match name {
            "DATABASE_URL" => Some(home.url.reveal().to_owned()),
            "OTP_HASH_SALT" => Some(SALT.into()),
            _ => setting(name),
        });
        let config = config.expect("the settings are right");
        let store = store::open(&config).await.expect("the store opens");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp(1_795_299_063_417)));
        let codes: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = codes.clone();
        let running = Gateway::start(GatewayOptions {
            clock: clock.clone(),
            faults,
            tick: Duration::from_millis(5),
            stream: home.stream().await,
            terminal: Some(Arc::new(move |line| seen.lock().unwrap().extend(code_in(line)))),
            ..GatewayOptions::new(config, store.clone(), listener)
        });
        let running = running.await.unwrap();
        Self { running, clock, home, store, codes, addresses: AtomicU8::new(1) }
    }

    /// A browser at an address that nobody had before.
    pub fn newcomer(&self) -> Browser {
        let last = self.addresses.fetch_add(1, Ordering::Relaxed) + 1;
        self.browser_at(last)
    }

    /// A browser at 127.0.1.`last`.
    pub fn browser_at(&self, last: u8) -> Browser {
        Browser::new(self.running.local_addr(), Ipv4Addr::new(127, 0, 1, last))
    }

    pub async fn visitor(&self, name: &str) -> Visitor {
        Visitor::join(self.newcomer(), name).await
    }

    pub async fn admin(&self, name: &str) -> Admin {
        self.admin_with(self.newcomer(), name).await
    }

    pub async fn admin_with(&self, browser: Browser, name: &str) -> Admin {
        let cookie = browser.request_otp().await;
        Admin::enter(browser, &cookie, &self.code(), name).await
    }

    /// The newest code on the terminal.
    pub fn code(&self) -> String {
        self.codes.lock().unwrap().last().expect("a code on the terminal").clone()
    }

    /// Ends every session: on SQL, where there is one program to a database, by its own store.
    pub async fn end_sessions(&self) {
        if let Some(table) = self.home.table() {
            return self.home.end_sessions(table).await;
        }
        let trail = self.store.activity(&PageRequest { limit: 100, cursor: None }).await.unwrap();
        for session_id in trail.items.into_iter().filter_map(|line| line.session_id) {
            self.store.end_session(&session_id).await.unwrap();
        }
    }

    /// How many codes were ever told.
    pub fn codes_told(&self) -> usize {
        self.codes.lock().unwrap().len()
    }

    /// How many rows a SQL table has, or what stands for it on DynamoDB.
    pub async fn rows(&self, table: &str) -> i64 {
        let now = self.clock.now();
        if table == "connection" && self.store.name() != "dynamodb" {
            // These are kept in memory.
            let there = (self.store.admin_connections(now).await, self.store.visitor_connections(now).await);
            return i64::try_from(there.0.unwrap().len() + there.1.unwrap().len()).unwrap();
        }
        self.home.rows(table, now).await
    }

    /// How many rows each of these tables has.
    pub async fn counts(&self, tables: &[&str]) -> Vec<(String, i64)> {
        let mut counts = Vec::new();
        for table in tables {
            counts.push(((*table).to_owned(), self.rows(table).await));
        }
        counts
    }
}
