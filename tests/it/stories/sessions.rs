//! Sessions: rotation, the ends they come to, and the trail they leave.

use futures::future::join_all;
use serde_json::{Value, json};
use shared::time::{MINUTE, SECOND};

use crate::people::{Admin, House, RELAXED, eventually, in_each_house};

const WHO: &str = "/api/admin/session";

async fn asks(admin: &Admin, token: &str) -> u16 {
    admin.browser.bearing(token).get(WHO).await.status
}

#[tokio::test]
async fn a_token_is_replaced_in_use_and_the_old_one_works_for_a_minute() {
    in_each_house(RELAXED, async |house| {
        let grace = house.admin("Grace").await;
        house.clock.advance(300 * SECOND - 1);
        assert_eq!(grace.browser.get(WHO).await.header("x-new-token"), None);
        house.clock.advance(1);

        let answer = grace.browser.get(WHO).await;
        let new = answer.header("x-new-token").expect("a new token").to_owned();
        assert_ne!(new, grace.token);
        // A parallel request with the old token is no reason for another new one.
        assert_eq!(grace.browser.get(WHO).await.header("x-new-token"), None);
        house.clock.advance(60 * SECOND - 1);
        assert_eq!((asks(&grace, &grace.token).await, asks(&grace, &new).await), (200, 200));
        house.clock.advance(1);
        assert_eq!((asks(&grace, &grace.token).await, asks(&grace, &new).await), (401, 200));
    })
    .await;
}

#[tokio::test]
async fn an_error_carries_the_new_token_too() {
    in_each_house(RELAXED, async |house| {
        let grace = house.admin("Grace").await;
        house.clock.advance(300 * SECOND);

        let answer = grace.browser.get("/api/admin/nothing").await;

        assert_eq!(answer.status, 404);
        assert_eq!(asks(&grace, answer.header("x-new-token").unwrap()).await, 200);
    })
    .await;
}

#[tokio::test]
async fn a_token_that_changes_with_each_request_bears_parallel_ones() {
    let settings = [RELAXED, &[("SESSION_ROTATE_SECONDS", "0")]].concat();
    in_each_house(&settings, async |house| {
        let browser = house.newcomer();
        let cookie = browser.request_otp().await;
        let session = browser.log_in(&cookie, &house.code(), "Grace").await.good();
        let mut token = session["token"].as_str().unwrap().to_owned();
        for _ in 0..5 {
            let bearing = browser.bearing(&token);
            let answers = join_all((0..10).map(|_| bearing.get(WHO))).await;
            assert!(answers.iter().all(|answer| answer.status == 200));
            let new: Vec<_> = answers.iter().filter_map(|answer| answer.header("x-new-token")).collect();
            assert_eq!(new.len(), 1);
            token = new[0].to_owned();
            house.clock.advance(SECOND);
        }

        house.clock.advance(61 * SECOND);
        browser.bearing(&token).get(WHO).await.good();
    })
    .await;
}

/// Lets time pass without the platform closing the socket for idleness; a ping is no act of a person.
async fn wait(house: &House, socket: &mut crate::people::Socket, mut millis: i64) {
    while millis > 0 {
        let step = millis.min(9 * MINUTE);
        house.clock.advance(step);
        millis -= step;
        socket.rest().await;
    }
}

#[tokio::test]
async fn a_session_that_nobody_uses_ends_and_its_socket_is_closed_within_five_seconds() {
    in_each_house(RELAXED, async |house| {
        let mut grace = house.admin("Grace").await;
        wait(house, &mut grace.socket, 20 * MINUTE).await;
        grace.list().await;
        wait(house, &mut grace.socket, 30 * MINUTE).await;

        house.clock.advance(5 * SECOND);

        assert_eq!(grace.socket.closed_with().await, Some(1008));
        grace.browser.get(WHO).await.refuses(401, "unauthorized");
        let gone = async || (house.rows("connection").await == 0).then_some(());
        eventually("its row is gone", gone).await;
    })
    .await;
}

#[tokio::test]
async fn a_session_that_has_expired_closes_its_socket_within_five_seconds() {
    let settings = [RELAXED, &[("ADMIN_SESSION_TTL_HOURS", "1"), ("SESSION_IDLE_TIMEOUT_MINUTES", "600")]].concat();
    in_each_house(&settings, async |house| {
        let mut grace = house.admin("Grace").await;
        wait(house, &mut grace.socket, 30 * MINUTE).await;
        assert_eq!(asks(&grace, &grace.token).await, 200);
        wait(house, &mut grace.socket, 60 * MINUTE - 1).await;

        house.clock.advance(5 * SECOND);

        assert_eq!(grace.socket.closed_with().await, Some(1008));
        grace.browser.get(WHO).await.refuses(401, "unauthorized");
    })
    .await;
}

#[tokio::test]
async fn logging_out_ends_the_session_and_closes_its_sockets_at_once() {
    in_each_house(RELAXED, async |house| {
        let (mut ada, mut grace, mut alan) =
            (house.visitor("Ada").await, house.admin("Grace").await, house.admin("Alan").await);
        let mut second = Admin::socket(&grace.browser).await.unwrap();
        let ticket = grace.browser.post("/api/admin/ws_ticket", json!({})).await.good();

        assert_eq!(grace.call("POST", "/api/admin/logout").await, json!({"ok": true}));

        assert_eq!((grace.socket.closed_with().await, second.closed_with().await), (Some(1008), Some(1008)));
        grace.browser.get(WHO).await.refuses(401, "unauthorized");
        let path = format!("/ws/admin?ticket={}", ticket["ticket"].as_str().unwrap());
        grace.browser.open(&path).await.map(drop).unwrap_err().refuses(401, "unauthorized");
        let said = ada.say("somebody else is there").await;
        assert_eq!(alan.socket.confirmation(said["client_id"].as_str().unwrap()).await, said);
    })
    .await;
}

#[tokio::test]
async fn frames_of_a_session_that_was_ended_elsewhere_are_refused_at_once() {
    in_each_house(RELAXED, async |house| {
        let (mut ada, mut grace) = (house.visitor("Ada").await, house.admin("Grace").await);
        house.end_sessions().await;

        for kind in ["admin_message", "subscribe", "close_conversation", "delete_conversation", "history", "ping"] {
            let frame = json!({"type": kind, "conversation_id": ada.id, "content": "x", "client_id": "g-1"});
            assert_eq!(grace.socket.refusal(frame).await.0, "unauthorized", "{kind}");
        }
        assert_eq!(ada.say("still mine").await["seq"], 1);
        house.clock.advance(5 * SECOND);
        assert_eq!(grace.socket.closed_with().await, Some(1008));
    })
    .await;
}

#[tokio::test]
async fn a_token_in_another_browser_is_worth_nothing() {
    in_each_house(RELAXED, async |house| {
        let grace = house.admin("Grace").await;

        grace.browser.with("user-agent", "Story/2.0").get(WHO).await.refuses(401, "unauthorized");
        grace.browser.without("user-agent").get(WHO).await.refuses(401, "unauthorized");
        grace.browser.get(WHO).await.good();
    })
    .await;
}

#[tokio::test]
async fn a_token_at_another_address_is_refused_when_sessions_are_bound_to_theirs() {
    for (bound, status) in [("false", 200), ("true", 401)] {
        let settings = [RELAXED, &[("SESSION_BIND_IP", bound)]].concat();
        in_each_house(&settings, async |house| {
            let grace = house.admin("Grace").await;

            assert_eq!(house.newcomer().bearing(&grace.token).get(WHO).await.status, status);
            grace.browser.get(WHO).await.good();
        })
        .await;
    }
}

#[tokio::test]
async fn every_act_of_an_admin_stands_in_the_trail() {
    in_each_house(RELAXED, async |house| {
        let (mut ada, browser) = (house.visitor("Ada").await, house.newcomer());
        ada.say("hello").await;
        browser.log_in("", "000000", "Grace").await.refuses(401, "unauthorized");
        let mut grace = house.admin_with(browser, "Grace").await;
        let one = format!("/api/admin/conversations/{}", ada.id);
        grace.answer(&ada.id, "secret words", "g-1").await;
        grace.answer(&ada.id, "secret words", "g-1").await;
        grace.browser.post(&format!("{one}/read"), json!({"seq": 2})).await.good();
        grace.call("PUT", &format!("{one}/tags/vip")).await;
        grace.call("DELETE", &format!("{one}/tags/vip")).await;
        grace.call("GET", "/api/admin/search?q=secret+words").await;
        grace.call("POST", &format!("{one}/close")).await;
        grace.call("POST", &format!("{one}/reopen")).await;
        grace.call("DELETE", &one).await;
        grace.call("POST", "/api/admin/logout").await;

        let alan = house.admin("Alan").await;
        let trail = alan.call("GET", "/api/admin/activity").await["items"].as_array().unwrap().clone();
        let acts: Vec<_> = trail.iter().rev().map(|row| row["action"].as_str().unwrap()).collect();
        let expected = [
            "login_failed",
            "request_otp",
            "login",
            "send",
            "read",
            "tag",
            "untag",
            "search",
            "close",
            "reopen",
            "delete",
            "logout",
            "request_otp",
            "login",
        ];
        assert_eq!(acts, expected);
        let of = |action: &str| trail.iter().find(|row| row["action"] == action).unwrap();
        for action in ["send", "read", "tag", "untag", "close", "reopen", "delete"] {
            assert_eq!(of(action)["conversation_id"], json!(ada.id), "{action}");
        }
        for row in &trail {
            assert_eq!(row["created_at"], "2026-11-21T22:11:03.417Z");
            assert!(row["ip"].as_str().unwrap().starts_with("127.0.1."), "{row}");
            let known = !matches!(row["action"].as_str(), Some("login_failed" | "request_otp"));
            assert_eq!((row["session_id"].is_string(), row["name"].is_string()), (known, known), "{row}");
        }
        assert_eq!(of("send")["details"], json!({"seq": 2}));
        assert_eq!((&of("read")["details"]["seq"], &of("tag")["details"]["tag"]), (&json!(2), &json!("vip")));
        assert!(!Value::from(trail.clone()).to_string().contains("secret words"));
    })
    .await;
}
