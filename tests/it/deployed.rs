//! The deployed stack, as people meet it: real bootstraps behind a real API, reached through what plays CloudFront.
//!
//! `make test-aws` deploys it, says where it is and then tells these stories.

mod stack;

use serde_json::{Value, json};
use telegram_server::{Fault, Media};

use crate::people::{Admin, Visitor, eventually};
use stack::{Office, Stack};

#[tokio::test]
#[ignore = "needs a deployed stack: make test-aws"]
async fn a_visitor_an_admin_and_an_operator_talk_to_each_other() {
    let office = Office::open().await;
    let (stack, telegram, olga) = (&office.stack, &office.telegram, &office.olga);
    let health = stack.browser(2).get("/health").await.good();
    assert_eq!((&health["status"], &health["store"]), (&json!("ok"), &json!("dynamodb")));

    let mut ada = Visitor::join(stack.browser(3), "Ada").await;
    assert_eq!(ada.say("Where is my parcel?").await["seq"], 1);
    let in_telegram = office.mirrored("Where is my parcel?").await;

    let mut grace = office.admin(stack.browser(4), "Grace").await;
    let item = grace.list().await.into_iter().find(|item| item["conversation_id"] == json!(ada.id)).expect("Ada");
    assert_eq!((&item["unread"], &item["online"]), (&json!(1), &json!(true)));
    assert_eq!(item["country"], "TR", "as CloudFront says");
    assert_eq!(ada.socket.expect("presence").await["admins_online"], 1);

    grace.answer(&ada.id, "On its way.", "g-1").await;
    assert_eq!(ada.socket.find("Grace's answer", |frame| frame["seq"] == 2).await["author"], "Grace");
    let own = olga.replies(in_telegram, "It arrives tomorow.");
    assert_eq!(telegram.deliver().await, [200]);
    assert_eq!(ada.socket.find("Olga's answer", |frame| frame["seq"] == 3).await["author"], "Olga Petrova");
    olga.edits(own, "It arrives tomorrow.");
    assert_eq!(telegram.deliver().await, [200]);
    assert_eq!(ada.socket.expect("message_edited").await["content"], "It arrives tomorrow.");

    found(&grace, "arrives tomorrow", &ada.id).await;
    every_frame(&mut ada, &mut grace).await;
    comes_and_goes(stack, &mut ada, &mut grace).await;
    every_route(stack, &ada, &grace).await;
    long_after(&office, &mut ada, in_telegram, own).await;
    sends_a_file(&office, &mut ada, in_telegram).await;
    at_work(&office, &mut grace, in_telegram).await;
    erased(stack, ada, grace).await;
}

/// The words of a message find it at once.
async fn found(grace: &Admin, words: &str, conversation_id: &str) {
    let found = grace.call("GET", &format!("/api/admin/search?q={}", words.replace(' ', "%20"))).await;
    let items = found["items"].as_array().unwrap();
    assert!(items.iter().any(|item| item["conversation_id"] == conversation_id), "{found}");
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

/// Who is there is told as people come and go.
async fn comes_and_goes(stack: &Stack, ada: &mut Visitor, grace: &mut Admin) {
    let bob = Visitor::join(stack.browser(6), "Bob").await;
    let of_bob = |frame: &Value| frame["type"] == "presence" && frame["conversation_id"] == json!(bob.id);
    bob.socket.hang_up().await;
    assert_eq!(
        grace.socket.find("Bob is gone", |frame| of_bob(frame) && frame["online"] == false).await["online"],
        false
    );
    let socket = Admin::socket(&grace.browser).await.unwrap();
    std::mem::replace(&mut grace.socket, socket).hang_up().await;
    let socket = std::mem::replace(&mut grace.socket, Admin::socket(&grace.browser).await.unwrap());
    socket.hang_up().await;
    grace.list().await;
    ada.socket.rest().await;
}

/// What comes long after: an edit of an old message, and what Telegram would not take before.
async fn long_after(office: &Office, ada: &mut Visitor, in_telegram: i64, own: i64) {
    let (telegram, olga) = (&office.telegram, &office.olga);
    olga.edits(own, "It arrives on Tuesday.");
    olga.replies(in_telegram, "Sorry for the delay.");
    assert_eq!(telegram.deliver().await, [200, 200]);
    let edited = ada.socket.find("the edit", |frame| frame["type"] == "message_edited").await;
    assert_eq!((&edited["seq"], &edited["content"]), (&json!(3), &json!("It arrives on Tuesday.")));

    telegram.outage(Some(Fault::Broken));
    let calls = telegram.calls();
    ada.say("Never mind!").await;
    eventually("Telegram has refused it", async || (telegram.calls() > calls).then_some(())).await;
    telegram.outage(None);
    // Nothing new happens: it is the lane's clock that brings it.
    office.mirrored_by_the_clock("Never mind!").await;
}

/// A file comes by way of the bucket, and goes with the conversation.
async fn sends_a_file(office: &Office, ada: &mut Visitor, in_telegram: i64) {
    let prices = "Ayvalık: 12 €\n";
    office.olga.replies_with(in_telegram, &Media::document("prices.txt", "text/plain", prices.as_bytes()));
    assert_eq!(office.telegram.deliver().await, [200]);
    let message = ada.socket.find("the prices", |frame| frame["file"]["name"] == "prices.txt").await;
    let (url, own) = (message["file"]["url"].as_str().unwrap(), ada.browser.bearing(&ada.token));
    let answer = eventually("the file is there", async || {
        let answer = own.get(url).await;
        (answer.status == 200).then_some(answer)
    })
    .await;
    assert_eq!((answer.text.as_str(), answer.header("content-type")), (prices, Some("text/plain; charset=utf-8")));
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename*=UTF-8''prices.txt"));
    ada.browser.get(url).await.refuses(401, "unauthorized");
}

/// What an operator does besides answering: commands, a note.
async fn at_work(office: &Office, grace: &mut Admin, in_telegram: i64) {
    let (telegram, olga) = (&office.telegram, &office.olga);
    for text in ["/stats", "/claim", "// a regular"] {
        olga.replies(in_telegram, text);
    }
    assert_eq!(telegram.deliver().await, [200; 3]);
    let claimed = |frame: &Value| frame["type"] == "conversation_updated" && frame["claimed_by"] == "Olga Petrova";
    grace.socket.find("Olga has taken Ada on", claimed).await;
    assert_eq!(grace.socket.expect("note_added").await["note"]["content"], "a regular");
}

/// What REST has beyond the sockets, for both.
async fn every_route(stack: &Stack, ada: &Visitor, grace: &Admin) {
    let bob = stack.browser(5);
    let joined = bob.post("/api/visitor/join", json!({"display_name": "Bob"})).await.good();
    let (id, bob) =
        (joined["conversation_id"].as_str().unwrap(), bob.bearing(joined["resume_token"].as_str().unwrap()));
    let send = json!({"conversation_id": id, "content": "by REST", "client_id": "b-1"});
    let stored = bob.post("/api/visitor/send", send.clone()).await.good();
    assert_eq!(bob.post("/api/visitor/send", send).await.good(), stored);
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
    assert_eq!(grace.call("GET", "/api/admin/statistics").await["messages_total"].as_i64().unwrap(), 42);
    assert!(!grace.call("GET", "/api/admin/activity").await["items"].as_array().unwrap().is_empty());
    grace.browser.log_in("otp_challenge=none", "000000", "Mallory").await.refuses(401, "unauthorized");
}

/// A deletion leaves nothing to find, whoever deletes; a session that is over has no sockets.
async fn erased(stack: &Stack, mut ada: Visitor, mut grace: Admin) {
    let gone = |id: &str| {
        let id = id.to_owned();
        move |frame: &Value| frame["type"] == "conversation_deleted" && frame["conversation_id"] == json!(id)
    };
    let (mut carol, dan) =
        (Visitor::join(stack.browser(7), "Carol").await, Visitor::join(stack.browser(8), "Dan").await);
    carol.say("a long time ago").await;
    grace.call("POST", &format!("/api/admin/conversations/{}/close", carol.id)).await;
    stack.set(&carol.id, "HEAD", "a", json!({"N": "1000000000000"})).await;
    stack.set(&carol.id, "INFO", "slot", json!({"S": format!("1000000000000#{}", carol.id)})).await;
    assert_eq!(stack.maintain().await["conversations_erased"], 1);
    grace.socket.find("Carol's conversation is gone", gone(&carol.id)).await;
    grace.call("DELETE", &format!("/api/admin/conversations/{}", dan.id)).await;
    grace.socket.find("Dan's conversation is gone", gone(&dan.id)).await;

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

#[tokio::test]
#[ignore = "needs a deployed stack: make test-aws"]
async fn the_pages_come_from_the_bucket_with_the_headers_of_the_gateway() {
    let stack = Stack::told();
    let browser = stack.browser(9);
    for (path, kind, holds) in [
        ("/", "text/html; charset=utf-8", "data-default-locale=\"tr\""),
        ("/admin", "text/html; charset=utf-8", "data-default-locale=\"tr\""),
        ("/js/dom.js", "text/javascript; charset=utf-8", "export"),
        ("/css/base.css", "text/css; charset=utf-8", "{"),
        ("/locales/tr.json", "application/json; charset=utf-8", "{"),
        ("/favicon.svg", "image/svg+xml; charset=utf-8", "<svg"),
    ] {
        let answer = browser.get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)), "{path}");
        assert!(answer.text.contains(holds), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{path}");
        assert!(answer.header("etag").is_some(), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert_eq!(policy.contains("frame-ancestors 'none'"), path == "/admin", "{policy}");
        assert_eq!(answer.header("x-frame-options"), (path == "/admin").then_some("DENY"), "{path}");
    }
    for path in ["/index.html", "/admin.html", "/js", "/js/none.js", "/../template.yaml"] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
    assert_eq!(browser.post("/", json!({})).await.status, 403);
}

#[tokio::test]
#[ignore = "needs a deployed stack: make test-aws"]
async fn the_apis_let_nobody_in_who_goes_around_cloudfront() {
    let stack = Stack::told();
    let (rest, sockets, around) = (stack.text("rest"), stack.text("sockets"), stack.around());
    for path in ["/health", "/api/visitor/messages", "/api/admin/conversations"] {
        around.get(&format!("{rest}{path}")).await.refuses(403, "forbidden");
    }
    around.post(&format!("{rest}/telegram/webhook"), json!({})).await.refuses(403, "forbidden");
    let refused = around.open(&format!("{sockets}?socket=client")).await;
    assert_eq!(refused.err().expect("no socket").status, 403);
}
