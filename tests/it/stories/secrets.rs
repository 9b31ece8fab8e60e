//! What one party must never learn or change of another's, and what the log must never hold.

use serde_json::{Value, json};

use crate::people::{Browser, Process, RELAXED, eventually, in_each_house};
use crate::stores::Home;

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// What a visitor's route answers, without what names the request.
async fn answer(browser: &Browser, route: &str, id: &str) -> (u16, Value) {
    let answer = if route == "messages" {
        browser.get(&format!("/api/visitor/messages?conversation_id={id}&since=0")).await
    } else {
        let body = json!({"conversation_id": id, "content": "x", "client_id": "c-1", "seq": 1});
        browser.post(&format!("/api/visitor/{route}"), body).await
    };
    let mut json = answer.json;
    json.as_object_mut().unwrap().remove("request_id");
    (answer.status, json)
}

#[tokio::test]
async fn a_wrong_token_a_foreign_id_and_an_unknown_id_are_answered_alike_on_every_route() {
    in_each_house(RELAXED, async |house| {
        let (mut ada, mut bob, mut grace) =
            (house.visitor("Ada").await, house.visitor("Bob").await, house.admin("Grace").await);
        ada.say("private").await;
        grace.socket.rest().await;
        let not_found = json!({"error": "conversation_not_found", "detail": "There is no such conversation."});

        let browser = house.newcomer();
        for route in ["messages", "send", "read", "end"] {
            for (token, id) in [("wrong", &*ada.id), (&bob.token, &ada.id), (&bob.token, UNKNOWN), (&ada.id, &ada.id)] {
                let answered = answer(&browser.bearing(token), route, id).await;
                assert_eq!(answered, (404, not_found.clone()), "{route}");
            }
        }
        let mut socket = browser.open("/ws/client").await.unwrap();
        for (token, id) in [("wrong", &*ada.id), (&bob.token, &ada.id), (&bob.token, UNKNOWN)] {
            let frame = json!({"type": "resume", "conversation_id": id, "resume_token": token, "since": 0});
            let (_, mut error) = socket.refusal(frame).await;
            error.as_object_mut().unwrap().remove("type");
            assert_eq!(error, not_found);
        }
        // A bound socket speaks for its own conversation, whatever id a frame names.
        let frame = json!({"type": "message", "conversation_id": ada.id, "content": "mine", "client_id": "b-1"});
        bob.socket.send(frame).await;
        assert_eq!(bob.socket.confirmation("b-1").await["conversation_id"], json!(bob.id));
        bob.socket.send(json!({"type": "history", "conversation_id": ada.id, "before": 9})).await;
        assert_eq!(bob.socket.expect("history").await["conversation_id"], json!(bob.id));

        assert_eq!(ada.whole_history().await.len(), 1);
        assert!(ada.socket.rest().await.iter().all(|frame| frame["type"] == "presence"));
        assert!(grace.socket.rest().await.iter().all(|frame| frame["conversation_id"] == json!(bob.id)));
        assert_eq!(house.rows("conversation").await, 2);
        assert!(grace.list().await.iter().all(|one| one["status"] == "open"));
    })
    .await;
}

#[tokio::test]
async fn guessing_resume_tokens_is_slowed_down_for_the_guesser_alone() {
    in_each_house(RELAXED, async |house| {
        let ada = house.visitor("Ada").await;
        let guesser = house.newcomer();
        let mut socket = guesser.open("/ws/client").await.unwrap();
        for number in 0..30 {
            let (status, _) = answer(&guesser.bearing(&format!("guess-{number}")), "messages", &ada.id).await;
            assert_eq!(status, 404);
        }

        assert_eq!(answer(&guesser.bearing("guess"), "messages", &ada.id).await.0, 429);
        let frame = json!({"type": "resume", "conversation_id": ada.id, "resume_token": "guess"});
        let (code, error) = socket.refusal(frame).await;
        assert_eq!((code.as_str(), &error["retry_after_ms"]), ("rate_limited", &json!(10_000)));
        assert_eq!(ada.another_tab(None).await.1["head_seq"], 0);
    })
    .await;
}

#[tokio::test]
async fn fields_that_are_not_asked_for_change_nothing() {
    in_each_house(RELAXED, async |house| {
        let mut grace = house.admin("Grace").await;
        let browser = house.newcomer();
        let mut extra = json!({
            "role": "admin", "sender": "admin", "author": "Support", "via": "telegram", "id": "my-id", "head_seq": 99,
            "created_at": "1970-01-01T00:00:00.000Z", "edited_at": "1970-01-01T00:00:00.000Z", "unread": 0,
            "is_admin": true, "hash": "x", "resume_hash": "x", "session_id": "x", "tags": ["vip"], "visitor_name": "Root",
            "message_type": "file", "file": {"name": "x", "size": 1, "mime": "x", "url": "x"}, "status": "closed",
            "__proto__": {"admin": true}, "constructor": {}, "conversation_id": UNKNOWN, "waiting_since": null,
        });
        extra["display_name"] = json!("Ada");
        let joined = browser.post("/api/visitor/join", extra.clone()).await.good();
        let (id, token) = (joined["conversation_id"].as_str().unwrap(), joined["resume_token"].as_str().unwrap());
        assert_ne!(id, UNKNOWN);
        let item = grace.call("GET", &format!("/api/admin/conversations/{id}")).await;
        assert_eq!((&item["visitor_name"], &item["status"]), (&json!("Ada"), &json!("open")));
        assert_eq!((&item["head_seq"], &item["tags"]), (&json!(0), &json!([])));

        extra["conversation_id"] = json!(id);
        extra["content"] = json!("hello");
        extra["client_id"] = json!("c-1");
        extra["seq"] = json!(42);
        let sent = browser.bearing(token).post("/api/visitor/send", extra.clone()).await.good();
        let mut socket = browser.open("/ws/client").await.unwrap();
        socket.send(json!({"type": "resume", "conversation_id": id, "resume_token": token})).await;
        socket.expect("history").await;
        extra["type"] = json!("message");
        extra["client_id"] = json!("c-2");
        socket.send(extra.clone()).await;
        let second = socket.confirmation("c-2").await;
        for (seq, message) in [(1, &sent), (2, &second)] {
            assert_eq!((&message["seq"], &message["sender"]), (&json!(seq), &json!("visitor")));
            assert_eq!((&message["author"], &message["via"]), (&json!("Ada"), &json!("web")));
            assert_eq!((&message["created_at"], &message["file"]), (&json!("2026-11-21T22:11:03.417Z"), &Value::Null));
            assert_eq!((&message["edited_at"], &message["message_type"]), (&Value::Null, &json!("text")));
            assert_ne!(message["id"], "my-id");
        }
        extra["client_id"] = json!("c-3");
        let answered = grace.browser.post("/api/admin/send", extra).await.good()["message"].clone();
        assert_eq!((&answered["author"], &answered["via"], &answered["seq"]), (&json!("Grace"), &json!("api"), &json!(3)));
        assert_eq!(grace.list().await[0]["status"], "open");
    })
    .await;
}

#[tokio::test]
async fn the_panel_never_learns_what_opens_a_conversation() {
    in_each_house(RELAXED, async |house| {
        let (mut ada, mut grace) = (house.visitor("Ada").await, house.admin("Grace").await);
        ada.say("hello").await;
        grace.act("history", &ada.id).await;

        let mut seen: Vec<Value> = grace.socket.rest().await;
        for path in ["conversations", "activity", "statistics", &format!("messages/{}", ada.id)] {
            seen.push(grace.call("GET", &format!("/api/admin/{path}")).await);
        }
        let seen = Value::from(seen).to_string();
        assert!(seen.contains("hello") && !seen.contains(&ada.token) && !seen.contains("resume"), "{seen}");
        assert!(!house.home.keeps_token(&ada.token).await);
    })
    .await;
}

fn holds_none(log: &str, secrets: &[(&str, &str)]) {
    for (name, secret) in secrets {
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "the log holds the {name}: {line:?}");
    }
}

#[tokio::test]
async fn the_log_holds_no_secret_and_no_text_even_when_it_tells_everything() {
    for home in Home::on_sql().await {
        let process = Process::start(&home, &[("RUST_LOG", "trace")]).await;
        let mut ada = process.visitor("Ada").await;
        let (mut grace, cookie) = process.admin("Grace").await;
        ada.say("canary-of-a-visitor").await;
        grace.answer(&ada.id, "canary-of-an-admin", "g-1").await;
        let (mut tab, _) = ada.another_tab(Some(0)).await;
        ada.browser.bearing(&ada.token).get(&format!("/api/visitor/messages?conversation_id={}", ada.id)).await.good();
        let wrong = json!({"type": "resume", "conversation_id": ada.id, "resume_token": "canary-wrong-token"});
        assert_eq!(tab.refusal(wrong).await.0, "conversation_not_found");
        let ticket = grace.browser.post("/api/admin/ws_ticket", json!({})).await.good();
        let ticket = ticket["ticket"].as_str().unwrap().to_owned();
        let panel = grace.browser.open(&format!("/ws/admin?ticket={ticket}")).await.unwrap();
        grace.call("GET", "/api/admin/search?q=canary").await;
        panel.hang_up().await;
        grace.call("POST", "/api/admin/logout").await;
        let challenge = cookie.split_once('=').unwrap().1.to_owned();
        drop((tab, ada.socket, grace.socket));

        let (code, log) = process.terminate().await;

        assert_eq!(code, Some(0));
        assert!(log.contains("\"stopping\""), "it was read to its end");
        let (told, rest): (Vec<&str>, Vec<&str>) = log.lines().partition(|line| line.contains("login code is"));
        let code = crate::people::code_in(told[0]).unwrap();
        let rest = rest.join("\n");
        assert_eq!(told.len(), 1);
        holds_none(
            &rest,
            &[
                ("resume token", &ada.token),
                ("session token", &grace.token),
                ("ticket", &ticket),
                ("challenge", &challenge),
                ("salt", "canary-salt"),
                ("wrong token", "canary-wrong-token"),
                ("visitor's text", "canary-of-a-visitor"),
                ("admin's text", "canary-of-an-admin"),
                ("code", &format!("\"{code}\"")),
                ("code in words", &format!(" {code}")),
            ],
        );
        home.leave().await;
    }
}

#[tokio::test]
async fn a_dead_telegram_costs_nobody_a_message_and_its_secrets_stay_out_of_the_log() {
    for home in Home::on_sql().await {
        let settings = [
            ("RUST_LOG", "debug"),
            ("TELEGRAM_BOT_TOKEN", "123456:canary-bot-token"),
            ("TELEGRAM_DEFAULT_CHAT_ID", "-1001234567890"),
            ("TELEGRAM_WEBHOOK_SECRET", "canary-webhook-secret"),
            // Nobody listens on port 1.
            ("TELEGRAM_API_URL", "http://127.0.0.1:1"),
        ];
        let process = Process::start(&home, &settings).await;
        let mut ada = process.visitor("Ada").await;

        ada.say("hello").await;
        eventually("Telegram was tried", async || process.log().contains("Telegram did not take it").then_some(()))
            .await;
        process.newcomer().post("/api/admin/request_otp", json!({})).await.refuses(503, "internal");
        let wrong = process.newcomer().with("x-telegram-bot-api-secret-token", "canary-wrong-secret");
        assert_eq!(wrong.post("/telegram/webhook", json!({"update_id": 1})).await.status, 401);
        assert_eq!(ada.say("still here").await["seq"], 2);
        drop(ada.socket);
        let (_, log) = process.terminate().await;

        let secrets = [
            ("bot token", "canary-bot-token"),
            ("webhook secret", "canary-webhook-secret"),
            ("wrong secret", "canary-wrong-secret"),
            ("salt", "canary-salt"),
        ];
        holds_none(&log, &secrets);
        home.leave().await;
    }
}
