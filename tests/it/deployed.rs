//! The deployed stack, as people meet it: real bootstraps behind a real API, reached through what plays CloudFront.
//!
//! `make test-aws` deploys it, says where it is and then tells these stories.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde_json::{Value, json};
use shared::time::SystemClock;
use telegram_server::{Operator, TelegramServer};

use crate::people::{Admin, Browser, Visitor, eventually};
use crate::telegram::stage::{GROUP, SECRET};

/// A file that tells where everything is.
const TOLD: &str = "TEST_DEPLOYED";

/// The deployed stack, with its Telegram.
struct Deployed {
    front: SocketAddr,
    origin: String,
    telegram: TelegramServer,
    olga: Operator,
}

impl Deployed {
    #[expect(clippy::disallowed_methods, reason = "the harness is told where the stack is")]
    async fn open() -> Self {
        let told = std::env::var_os(TOLD).expect("TEST_DEPLOYED is set: run `make test-aws`");
        let told: Value = serde_json::from_slice(&std::fs::read(told).unwrap()).unwrap();
        let text = |name: &str| told[name].as_str().unwrap();
        let telegram = TelegramServer::start_at(text("telegram"), Arc::new(SystemClock), &[GROUP]).await;
        telegram.set_webhook(&format!("http://{}/telegram/webhook", text("front")), SECRET);
        let olga = telegram.operator(GROUP, 501, "Olga", "Petrova");
        Self { front: text("front").parse().unwrap(), origin: text("origin").to_owned(), telegram, olga }
    }

    fn browser(&self, last: u8) -> Browser {
        Browser::new(self.front, Ipv4Addr::new(127, 0, 1, last)).with("origin", self.origin.clone())
    }

    /// Logs in with the code that Telegram got.
    async fn admin(&self, browser: Browser, name: &str) -> Admin {
        let before = self.telegram.sent().len();
        let cookie = browser.request_otp().await;
        let sent = self.telegram.sent();
        let code = sent[before..].iter().find_map(|sent| crate::people::code_in(&sent.text)).expect("a code");
        Admin::enter(browser, &cookie, &code, name).await
    }

    /// The message in Telegram that ends with this text.
    async fn mirrored(&self, text: &str) -> i64 {
        eventually(text, async || {
            self.telegram.sent().iter().find(|sent| sent.text.ends_with(text)).map(|sent| sent.message_id)
        })
        .await
    }
}

#[tokio::test]
#[ignore = "needs a deployed stack: make test-aws"]
async fn a_visitor_an_admin_and_an_operator_talk_to_each_other() {
    let stack = Deployed::open().await;
    let health = stack.browser(2).get("/health").await.good();
    assert_eq!((&health["status"], &health["store"]), (&json!("ok"), &json!("dynamodb")));

    let mut ada = Visitor::join(stack.browser(3), "Ada").await;
    assert_eq!(ada.say("Where is my parcel?").await["seq"], 1);
    let in_telegram = stack.mirrored("Where is my parcel?").await;

    let mut grace = stack.admin(stack.browser(4), "Grace").await;
    let item = grace.list().await.into_iter().find(|item| item["conversation_id"] == json!(ada.id)).expect("Ada");
    assert_eq!((&item["unread"], &item["online"]), (&json!(1), &json!(true)));
    assert_eq!(ada.socket.expect("presence").await["admins_online"], 1);

    grace.answer(&ada.id, "On its way.", "g-1").await;
    assert_eq!(ada.socket.find("Grace's answer", |frame| frame["seq"] == 2).await["author"], "Grace");
    let own = stack.olga.replies(in_telegram, "It arrives tomorow.");
    assert_eq!(stack.telegram.deliver().await, [200]);
    assert_eq!(ada.socket.find("Olga's answer", |frame| frame["seq"] == 3).await["author"], "Olga Petrova");
    stack.olga.edits(own, "It arrives tomorrow.");
    assert_eq!(stack.telegram.deliver().await, [200]);
    assert_eq!(ada.socket.expect("message_edited").await["content"], "It arrives tomorrow.");

    found(&grace, "arrives tomorrow", &ada.id).await;
    every_frame(&mut ada, &mut grace).await;
    every_route(&stack, &ada, &grace).await;
    erased(ada, grace).await;
}

/// The words of a message find it as soon as the stream has brought it to the index.
async fn found(grace: &Admin, words: &str, conversation_id: &str) {
    let path = format!("/api/admin/search?q={}", words.replace(' ', "%20"));
    eventually("the message is found", async || {
        let found = grace.call("GET", &path).await;
        found["items"].as_array().unwrap().iter().any(|item| item["conversation_id"] == conversation_id).then_some(())
    })
    .await;
}

/// What neither has sent yet.
async fn every_frame(ada: &mut Visitor, grace: &mut Admin) {
    ada.socket.send(json!({"type": "typing"})).await;
    assert_eq!(grace.socket.expect("typing").await["sender"], "visitor");
    grace.act("typing", &ada.id).await;
    assert_eq!(ada.socket.expect("typing").await["sender"], "admin");
    ada.socket.send(json!({"type": "read", "seq": 3})).await;
    assert_eq!(grace.socket.find("Ada's read", |frame| frame["reader"] == "visitor").await["seq"], 3);
    for number in 4..=40 {
        assert_eq!(ada.say(&format!("line {number} of a long story that goes on and on")).await["seq"], number);
    }
    grace.socket.send(json!({"type": "read", "conversation_id": ada.id, "seq": 40})).await;
    assert_eq!(
        ada.socket.find("Grace's read", |frame| frame["seq"] == 40 && frame["reader"] == "admin").await["type"],
        "read"
    );
    let (mut tab, page) = ada.another_tab(Some(10)).await;
    assert_eq!(page["messages"].as_array().unwrap().len(), 30);
    tab.send(json!({"type": "history", "before": 5})).await;
    assert_eq!(tab.expect("history").await["messages"].as_array().unwrap().len(), 4);
    tab.hang_up().await;
    grace.socket.send(json!({"type": "history", "conversation_id": ada.id, "since": 30})).await;
    assert_eq!(grace.socket.expect("history").await["messages"].as_array().unwrap().len(), 10);
    grace.act("close_conversation", &ada.id).await;
    ada.socket.expect("conversation_closed").await;
    grace.act("reopen_conversation", &ada.id).await;
    let is_open = |frame: &Value| frame["type"] == "conversation_updated" && frame["status"] == "open";
    assert_eq!(grace.socket.find("it is open again", is_open).await["conversation_id"], json!(ada.id));
    ada.socket.send(json!({"type": "ping"})).await;
    assert_eq!(ada.socket.expect("pong").await["head_seq"], 40);
}

/// What REST has beyond the sockets, for both.
async fn every_route(stack: &Deployed, ada: &Visitor, grace: &Admin) {
    let bob = stack.browser(5);
    let joined = bob.post("/api/visitor/join", json!({"display_name": "Bob"})).await.good();
    let (id, bob) =
        (joined["conversation_id"].as_str().unwrap(), bob.bearing(joined["resume_token"].as_str().unwrap()));
    let send = json!({"conversation_id": id, "content": "by REST", "client_id": "b-1"});
    let sent = bob.post("/api/visitor/send", send.clone()).await.good();
    assert_eq!(bob.post("/api/visitor/send", send).await.good(), sent);
    bob.post("/api/visitor/read", json!({"conversation_id": id, "seq": 1})).await.good();
    let answer = json!({"conversation_id": id, "content": "An answer.", "client_id": "g-2"});
    grace.browser.post("/api/admin/send", answer).await.good();
    let messages = bob.get(&format!("/api/visitor/messages?conversation_id={id}&since=0")).await.good();
    assert_eq!(messages["messages"].as_array().unwrap().len(), 2);

    assert_eq!(
        grace.call("PUT", &format!("/api/admin/conversations/{id}/tags/parcel")).await["tags"],
        json!(["parcel"])
    );
    let tagged = grace.call("GET", "/api/admin/conversations?tag=parcel").await;
    assert_eq!(tagged["items"].as_array().unwrap().len(), 1);
    grace.call("DELETE", &format!("/api/admin/conversations/{id}/tags/parcel")).await;
    for query in ["", "?status=open", "?status=closed", "?q=Bob", "?site=default"] {
        grace.call("GET", &format!("/api/admin/conversations{query}")).await;
    }
    let page = grace.call("GET", &format!("/api/admin/messages/{}?limit=10", ada.id)).await;
    assert_eq!(page["next_cursor"], "31");
    let message_id = page["items"][0]["id"].as_str().unwrap();
    grace.call("POST", &format!("/api/admin/messages/{message_id}/read")).await;
    let read = json!({"seq": 2});
    grace.browser.post(&format!("/api/admin/conversations/{id}/read"), read).await.good();
    grace.call("POST", &format!("/api/admin/conversations/{id}/close")).await;
    grace.call("POST", &format!("/api/admin/conversations/{id}/reopen")).await;
    bob.post("/api/visitor/end", json!({"conversation_id": id})).await.good();
    assert_eq!(grace.call("GET", "/api/admin/statistics").await["messages_today"].as_i64().unwrap(), 42);
    assert!(!grace.call("GET", "/api/admin/activity").await["items"].as_array().unwrap().is_empty());
    grace.browser.log_in("otp_challenge=none", "000000", "Mallory").await.refuses(401, "unauthorized");
}

/// A deletion leaves nothing to find; a session that is over has no sockets.
async fn erased(mut ada: Visitor, mut grace: Admin) {
    grace.act("delete_conversation", &ada.id).await;
    ada.socket.expect("conversation_deleted").await;
    let resume = ada.browser.bearing(&ada.token);
    let answer = resume.get(&format!("/api/visitor/messages?conversation_id={}&since=0", ada.id)).await;
    answer.refuses(404, "conversation_not_found");
    eventually("no word of it is found", async || {
        let found = grace.call("GET", "/api/admin/search?q=tomorrow").await;
        found["items"].as_array().unwrap().is_empty().then_some(())
    })
    .await;
    grace.call("POST", "/api/admin/logout").await;
    assert!(grace.socket.closed_with().await.is_some());
    grace.browser.get("/api/admin/conversations").await.refuses(401, "unauthorized");
    ada.socket.hang_up().await;
}
