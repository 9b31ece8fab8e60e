//! Every error code of the contract, produced by the input that earns it, and nothing stored by it.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use futures::SinkExt;

use crate::people::{Browser, Socket, in_each_house, in_each_sql_house};

/// Limits that nobody meets here, but for the visitor's own.
const SETTINGS: &[(&str, &str)] = &[("API_REQ_PER_5MIN", "1000000"), ("API_ADMIN_REQ_PER_5MIN", "1000000")];

const TABLES: &[&str] = &[
    "conversation",
    "message",
    "outbox",
    "conversation_tag",
    "conversation_day",
    "response",
    "session",
    "session_token",
    "ticket",
    "login_code",
    "activity",
    "connection",
];

async fn earns(socket: &mut Socket, frame: Value, code: &str, about: &str) {
    let (error, whole) = socket.refusal(frame.clone()).await;
    assert_eq!(error, code, "{frame} → {whole}");
    let detail = whole["detail"].as_str().unwrap();
    assert!(detail.contains(about), "{frame} → {whole}");
    assert_eq!(whole["client_id"], frame["client_id"], "{frame} → {whole}");
    assert_eq!(whole.get("retry_after_ms").is_some(), code == "rate_limited", "{whole}");
}

#[tokio::test]
async fn frames_of_a_visitor_that_are_wrong_are_told_so_and_leave_nothing() {
    in_each_house(SETTINGS, async |house| {
        let mut ada = house.visitor("Ada").await;
        let (mut bob, mut stranger) = (house.visitor("Bob").await, house.newcomer().open("/ws/client").await.unwrap());
        bob.socket.send(json!({"type": "end"})).await;
        bob.socket.expect("conversation_closed").await;
        let before = house.counts(TABLES).await;

        for (text, code) in
            [("{", "invalid_json"), ("", "invalid_json"), ("[]", "invalid_message"), ("7", "invalid_message")]
        {
            ada.socket.send_text(text).await;
            assert_eq!(ada.socket.expect("error").await["error"], code, "{text}");
        }
        for (frame, code, about) in [
            (json!({"content": "x"}), "invalid_message", "type"),
            (json!({"type": 5}), "invalid_message", "type"),
            (json!({"type": "nonsense", "client_id": "c-1"}), "unknown_type", ""),
            (json!({"type": "admin_message", "content": "x", "client_id": "c-1"}), "unknown_type", ""),
            (json!({"type": "message", "content": "x"}), "invalid_message", "client_id"),
            (json!({"type": "message", "content": "x", "client_id": "a b"}), "invalid_message", "client_id"),
            (json!({"type": "message", "content": "x", "client_id": "x".repeat(65)}), "invalid_message", "client_id"),
            (json!({"type": "message", "client_id": "c-1"}), "invalid_message", "content"),
            (json!({"type": "message", "content": " \u{0}\n", "client_id": "c-1"}), "message_empty", ""),
            (json!({"type": "message", "content": "🙂".repeat(2_001), "client_id": "c-1"}), "message_too_long", "2000"),
            (json!({"type": "read"}), "invalid_message", "seq"),
            (json!({"type": "read", "seq": -1}), "invalid_message", "seq"),
            (json!({"type": "history"}), "invalid_message", "before"),
            (json!({"type": "history", "before": 0}), "invalid_message", "before"),
            (json!({"type": "resume", "conversation_id": ada.id}), "invalid_message", "resume_token"),
            (json!({"type": "join", "display_name": "x".repeat(81)}), "invalid_message", "display_name"),
            (json!({"type": "join", "site": "Shop!"}), "invalid_message", "site"),
            (json!({"type": "join", "locale": "<en>"}), "invalid_message", "locale"),
        ] {
            earns(&mut ada.socket, frame, code, about).await;
        }
        earns(&mut ada.socket, ada_resume(&ada.id, &ada.token, -1), "invalid_message", "since").await;
        for frame in [
            json!({"type": "message", "content": "x", "client_id": "c-1"}),
            json!({"type": "typing"}),
            json!({"type": "read", "seq": 1}),
            json!({"type": "history", "before": 5}),
            json!({"type": "end"}),
            json!({"type": "ping"}),
        ] {
            earns(&mut stranger, frame, "not_joined", "").await;
        }
        let late = json!({"type": "message", "content": "x", "client_id": "c-1"});
        earns(&mut bob.socket, late, "conversation_closed", "").await;

        assert_eq!(house.counts(TABLES).await, before);
        assert_eq!(ada.say("the connection stayed open").await["seq"], 1);
    })
    .await;
}

fn ada_resume(id: &str, token: &str, since: i64) -> Value {
    json!({"type": "resume", "conversation_id": id, "resume_token": token, "since": since})
}

#[tokio::test]
async fn a_message_of_many_bytes_in_two_frames_is_too_large() {
    in_each_house(SETTINGS, async |house| {
        let mut ada = house.visitor("Ada").await;
        let text =
            json!({"type": "message", "content": "x".repeat(40_000), "client_id": "c-1"}).to_string().into_bytes();
        let (head, tail) = text.split_at(20_000);

        for (data, part, last) in [(Data::Text, head, false), (Data::Continue, tail, true)] {
            let frame = Frame::message(part.to_vec(), OpCode::Data(data), last);
            ada.socket.stream.send(Message::Frame(frame)).await.unwrap();
        }

        assert_eq!(ada.socket.expect("error").await["error"], "message_too_large");
        assert_eq!(house.rows("message").await, 0);
    })
    .await;
}

#[tokio::test]
async fn frames_of_an_admin_that_are_wrong_are_told_so_and_leave_nothing() {
    in_each_house(SETTINGS, async |house| {
        let (ada, mut grace) = (house.visitor("Ada").await, house.admin("Grace").await);
        let unknown = "00000000-0000-4000-8000-000000000000";
        // This is answered when all of it is stored, the line of the trail too; a frame comes before that.
        grace.call("POST", &format!("/api/admin/conversations/{}/close", ada.id)).await;
        grace.socket.rest().await;
        let before = house.counts(TABLES).await;
        let write = |id: &str, content: &str| {
            json!({"type": "admin_message", "conversation_id": id, "content": content, "client_id": "c-1"})
        };

        for (frame, code, about) in [
            (json!({"type": "join"}), "unknown_type", ""),
            (json!({"type": "resume"}), "unknown_type", ""),
            (json!({"type": "subscribe", "limit": 101}), "invalid_message", "limit"),
            (json!({"type": "subscribe", "status": "odd"}), "invalid_message", "status"),
            (json!({"type": "admin_message", "content": "x", "client_id": "c-1"}), "invalid_message", "conversation_id"),
            (json!({"type": "admin_message", "conversation_id": ada.id, "content": "x"}), "invalid_message", "client_id"),
            (json!({"type": "read", "conversation_id": ada.id}), "invalid_message", "seq"),
            (write(&ada.id, " "), "message_empty", ""),
            (write(&ada.id, &"x".repeat(2_001)), "message_too_long", ""),
            (write(&ada.id, "x"), "conversation_closed", ""),
            (write(unknown, "x"), "conversation_not_found", ""),
            (write("' or 1=1 --\u{0}", "x"), "conversation_not_found", ""),
        ] {
            earns(&mut grace.socket, frame, code, about).await;
        }
        for kind in ["close_conversation", "reopen_conversation", "delete_conversation", "history", "typing"] {
            let frame = json!({"type": kind, "conversation_id": unknown});
            earns(&mut grace.socket, frame, "conversation_not_found", "").await;
        }
        let frame = json!({"type": "read", "conversation_id": unknown, "seq": 1});
        earns(&mut grace.socket, frame, "conversation_not_found", "").await;

        assert_eq!(house.counts(TABLES).await, before);
    })
    .await;
}

async fn check(browser: &Browser, rows: &[(&str, &str, &str, u16, &str)]) {
    for (method, path, body, status, code) in rows {
        let body = Some((*body).to_owned()).filter(|body| !body.is_empty());
        eprintln!("{method} {path}");
        browser.ask(method, path, body).await.refuses(*status, code);
    }
}

#[tokio::test]
async fn wrong_requests_of_visitors_are_told_so_and_leave_nothing() {
    in_each_house(SETTINGS, async |house| {
        let (ada, mut bob) = (house.visitor("Ada").await, house.visitor("Bob").await);
        bob.socket.send(json!({"type": "end"})).await;
        bob.socket.expect("conversation_closed").await;
        let before = house.counts(TABLES).await;
        let body = |id: &str, content: &str| {
            json!({"conversation_id": id, "content": content, "client_id": "c-1"}).to_string()
        };
        let (own, closed) = (body(&ada.id, "x"), body(&bob.id, "x"));
        let (empty, long) = (body(&ada.id, " "), body(&ada.id, &"x".repeat(2_001)));
        let huge = " ".repeat(1_048_577);
        let nameless = json!({"conversation_id": ada.id, "content": "x"}).to_string();
        let history = format!("/api/visitor/messages?conversation_id={}", ada.id);
        let (wrong_since, unread) = (format!("{history}&since=x"), json!({"conversation_id": ada.id}).to_string());

        let long_name = json!({"display_name": "x".repeat(81)}).to_string();
        check(
            &house.newcomer(),
            &[
                ("POST", "/api/visitor/join", "{", 400, "invalid_json"),
                ("POST", "/api/visitor/join", "[]", 400, "invalid_message"),
                ("POST", "/api/visitor/join", &long_name, 400, "invalid_message"),
                ("POST", "/api/visitor/join", &huge, 413, "message_too_large"),
                ("GET", "/api/visitor/join", "", 405, "not_found"),
                ("GET", "/api/visitor/nothing", "", 404, "not_found"),
                ("GET", "/nothing", "", 404, "not_found"),
                ("GET", "/api/nothing", "", 404, "not_found"),
                ("GET", &history, "", 401, "unauthorized"),
                ("POST", "/api/visitor/send", &own, 401, "unauthorized"),
            ],
        )
        .await;
        check(
            &ada.browser.bearing(&ada.token),
            &[
                ("POST", "/api/visitor/send", "{", 400, "invalid_json"),
                ("POST", "/api/visitor/send", "{}", 400, "invalid_message"),
                ("POST", "/api/visitor/send", &nameless, 400, "invalid_message"),
                ("POST", "/api/visitor/send", &empty, 400, "message_empty"),
                ("POST", "/api/visitor/send", &long, 400, "message_too_long"),
                ("POST", "/api/visitor/send", &closed, 404, "conversation_not_found"),
                ("POST", "/api/visitor/read", &unread, 400, "invalid_message"),
                ("GET", "/api/visitor/messages", "", 400, "invalid_message"),
                ("GET", &wrong_since, "", 400, "invalid_message"),
            ],
        )
        .await;
        let evil = ada.browser.bearing(&ada.token).with("origin", "https://evil.test");
        check(&evil, &[("POST", "/api/visitor/send", &own, 403, "origin_not_allowed")]).await;
        check(&bob.browser.bearing(&bob.token), &[("POST", "/api/visitor/send", &closed, 409, "conversation_closed")])
            .await;

        assert_eq!(house.counts(TABLES).await, before);
    })
    .await;
}

#[tokio::test]
async fn wrong_requests_of_admins_are_told_so_and_leave_nothing() {
    in_each_house(SETTINGS, async |house| {
        let (mut ada, grace) = (house.visitor("Ada").await, house.admin("Grace").await);
        ada.say("hello").await;
        grace.call("POST", &format!("/api/admin/conversations/{}/close", ada.id)).await;
        let before = house.counts(TABLES).await;
        let one = format!("/api/admin/conversations/{}", ada.id);
        let (read, tag) = (format!("{one}/read"), format!("{one}/tags/{}", "x".repeat(41)));
        let unknown = "/api/admin/conversations/00000000-0000-4000-8000-000000000000";
        let [u_close, u_read, u_tag] = ["close", "read", "tags/x"].map(|rest| format!("{unknown}/{rest}"));
        let closed = json!({"conversation_id": ada.id, "content": "x"}).to_string();
        let huge = " ".repeat(1_048_577);

        check(
            &grace.browser,
            &[
                ("POST", "/api/admin/send", "{", 400, "invalid_json"),
                ("POST", "/api/admin/send", "{}", 400, "invalid_message"),
                ("POST", "/api/admin/send", &closed, 409, "conversation_closed"),
                ("POST", "/api/admin/send", &huge, 413, "message_too_large"),
                ("POST", &read, "{}", 400, "invalid_message"),
                ("POST", &read, r#"{"seq":-1}"#, 400, "invalid_message"),
                ("PUT", &tag, "", 400, "invalid_message"),
                ("GET", "/api/admin/conversations?limit=101", "", 400, "invalid_message"),
                ("GET", "/api/admin/conversations?limit=0", "", 400, "invalid_message"),
                ("GET", "/api/admin/conversations?status=odd", "", 400, "invalid_message"),
                ("GET", "/api/admin/search", "", 400, "invalid_message"),
                ("GET", "/api/admin/statistics?days=0", "", 400, "invalid_message"),
                ("GET", "/api/admin/messages/nothing", "", 404, "conversation_not_found"),
                ("POST", "/api/admin/messages/nothing/read", "", 404, "not_found"),
                ("GET", unknown, "", 404, "conversation_not_found"),
                ("DELETE", unknown, "", 404, "conversation_not_found"),
                ("POST", &u_close, "", 404, "conversation_not_found"),
                ("POST", &u_read, r#"{"seq":1}"#, 404, "conversation_not_found"),
                ("PUT", &u_tag, "", 404, "conversation_not_found"),
                ("DELETE", &u_tag, "", 404, "conversation_not_found"),
                ("GET", "/api/admin/nothing", "", 404, "not_found"),
            ],
        )
        .await;
        let evil = grace.browser.with("origin", "https://evil.test");
        check(&evil, &[("DELETE", &one, "", 403, "origin_not_allowed")]).await;
        let nobody = grace.browser.bearing("nobody");
        check(
            &nobody,
            &[("DELETE", &one, "", 401, "unauthorized"), ("GET", "/api/admin/search?q=x", "", 401, "unauthorized")],
        )
        .await;
        let code = r#"{"code":"12345"}"#;
        check(&house.newcomer(), &[("POST", "/api/admin/login", code, 400, "invalid_message")]).await;

        assert_eq!(house.counts(TABLES).await, before);
    })
    .await;
}

#[tokio::test]
async fn a_broken_store_answers_internal_without_its_cause() {
    in_each_sql_house(SETTINGS, async |house| {
        let (mut ada, grace) = (house.visitor("Ada").await, house.admin("Grace").await);
        house.home.execute("drop table message").await;

        ada.send("into the void").await;
        let error = ada.socket.expect("error").await;
        assert_eq!(
            (&error["error"], &error["detail"]),
            (&json!("internal"), &json!("Something went wrong on our side."))
        );
        assert!(error["request_id"].as_str().is_some_and(|id| !id.is_empty()));
        let answer = grace.browser.get(&format!("/api/admin/messages/{}", ada.id)).await;
        answer.refuses(500, "internal");
        for text in [error.to_string(), answer.text] {
            assert!(
                !["message", "table", "sql", "relation", ".rs"]
                    .iter()
                    .any(|word| text.replace("\"type\"", "").contains(word)),
                "{text}"
            );
        }

        ada.socket.send(json!({"type": "ping"})).await;
        assert_eq!(ada.socket.expect("pong").await["head_seq"], 0);
    })
    .await;
}
