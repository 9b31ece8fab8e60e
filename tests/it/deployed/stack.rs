//! Where the stack is, and its Telegram.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shared::time::SystemClock;
use telegram_server::{Person, TelegramServer};

use crate::people::{Admin, Browser, DEADLINE, code_in};
use crate::telegram::stage::{GROUP, SECRET};

/// A file that tells where everything is.
const TOLD: &str = "TEST_DEPLOYED";
/// The lane is woken after some seconds, and as often as it takes.
const CLOCK: Duration = Duration::from_mins(2);

/// The deployed stack.
pub struct Stack {
    told: Value,
}

impl Stack {
    #[expect(clippy::disallowed_methods, reason = "the harness is told where the stack is")]
    pub fn told() -> Self {
        let told = std::env::var_os(TOLD).expect("TEST_DEPLOYED is set: run `make test-aws`");
        Self { told: serde_json::from_slice(&std::fs::read(told).unwrap()).unwrap() }
    }

    pub fn text(&self, name: &str) -> &str {
        self.told[name].as_str().unwrap()
    }

    /// A browser at 127.0.1.`last`.
    pub fn browser(&self, last: u8) -> Browser {
        let browser = Browser::new(self.text("front").parse().unwrap(), Ipv4Addr::new(127, 0, 1, last));
        browser.with("origin", self.text("origin"))
    }

    /// A program that calls the APIs themselves.
    pub fn around(&self) -> Browser {
        Browser::new(self.text("emulator").parse().unwrap(), Ipv4Addr::LOCALHOST).with("origin", self.text("origin"))
    }

    /// The owner of it all, who speaks to the table's server or to the functions themselves.
    fn owner(&self, service: &str) -> Browser {
        Browser::new(self.text(service).parse().unwrap(), Ipv4Addr::LOCALHOST)
            .with("authorization", self.text("owner").replace("SERVICE", service))
            .with("x-amz-date", "20200101T000000Z")
    }

    /// Sets one attribute of a conversation's item in the table itself.
    pub async fn set(&self, conversation_id: &str, item: &str, attribute: &str, value: Value) {
        let change = json!({"TableName": self.text("table"), "UpdateExpression": "SET #a = :a",
            "Key": {"pk": {"S": format!("C#{conversation_id}")}, "sk": {"S": item}},
            "ExpressionAttributeNames": {"#a": attribute}, "ExpressionAttributeValues": {":a": value}});
        self.owner("dynamodb").with("x-amz-target", "DynamoDB_20120810.UpdateItem").post("/", change).await.good();
    }

    /// What the schedule does each hour, now; answers the report.
    pub async fn maintain(&self) -> Value {
        let path = format!("/2015-03-31/functions/{}/invocations", self.text("maintenance"));
        self.owner("lambda").post(&path, json!({})).await.good()
    }
}

/// The stack with its operators.
pub struct Office {
    pub stack: Stack,
    pub telegram: TelegramServer,
    pub olga: Person,
}

impl Office {
    pub async fn open() -> Self {
        let stack = Stack::told();
        let telegram = TelegramServer::start_at(stack.text("telegram"), Arc::new(SystemClock), &[GROUP]).await;
        telegram.set_webhook(&format!("http://{}/telegram/webhook", stack.text("front")), SECRET);
        let olga = telegram.operator(GROUP, 501, "Olga", "Petrova");
        Self { stack, telegram, olga }
    }

    /// Logs in with the code that Telegram got.
    pub async fn admin(&self, browser: Browser, name: &str) -> Admin {
        let before = self.telegram.sent().len();
        let cookie = browser.request_otp().await;
        let sent = self.telegram.sent();
        let code = sent[before..].iter().find_map(|sent| code_in(&sent.text)).expect("a code");
        Admin::enter(browser, &cookie, &code, name).await
    }

    /// The message in Telegram that ends with this text.
    pub async fn mirrored(&self, text: &str) -> i64 {
        self.mirrored_within(text, DEADLINE).await
    }

    /// The same of one that has failed, and comes when the lane is looked at again.
    pub async fn mirrored_by_the_clock(&self, text: &str) -> i64 {
        self.mirrored_within(text, CLOCK).await
    }

    async fn mirrored_within(&self, text: &str, patience: Duration) -> i64 {
        let found = || self.telegram.sent().iter().find(|sent| sent.text.ends_with(text)).map(|sent| sent.message_id);
        let looking = async {
            loop {
                if let Some(message_id) = found() {
                    return message_id;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(patience, looking).await.unwrap_or_else(|_| panic!("never in Telegram: {text}"))
    }
}
