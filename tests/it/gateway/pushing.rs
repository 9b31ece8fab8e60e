//! Functions that run side by side, fail and push; `@connections`.

use std::time::Duration;

use gateway::Faults;
use serde_json::{Value, json};
use shared::connections::{Connections, Sent};

use crate::people::eventually;

use super::stage::{stage, stage_with, until};

#[tokio::test]
async fn frames_of_one_connection_are_handled_side_by_side() {
    let stage = stage().await;
    let mut client = stage.open("/ws/client").await;

    client.send("wait").await;
    client.send("quick").await;

    assert_eq!(client.frame().await, "quick");
    stage.script.gate.add_permits(1);
    assert_eq!(client.frame().await, "wait");
}

#[tokio::test]
async fn handlers_may_overtake_each_other() {
    let faults = Faults { seed: 3, delay_messages: Duration::from_millis(300), ..Faults::default() };
    let stage = stage_with(faults, Duration::from_secs(29)).await;
    let mut client = stage.open("/ws/client").await;
    let sent: Vec<_> = (0..10).map(|n| json!(n.to_string())).collect();

    // All pauses of a round may be over when a machine comes to look at them.
    eventually("one overtakes another", async || {
        for n in 0..10 {
            client.send(&n.to_string()).await;
        }
        let mut echoed = Vec::new();
        for _ in 0..10 {
            echoed.push(client.frame().await);
        }
        let overtaken = echoed != sent;
        echoed.sort_by_key(ToString::to_string);
        assert_eq!(echoed, sent);
        overtaken.then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_function_that_panics_or_hangs_gives_an_error_frame_and_the_socket_stays() {
    let stage = stage_with(Faults::default(), Duration::from_millis(200)).await;
    let mut client = stage.open("/ws/client").await;

    for frame in ["panic", "hang"] {
        client.send(frame).await;
        let error = client.frame().await;
        assert_eq!(error["message"], "Internal server error", "{frame}");
        assert_eq!(error["connectionId"], client.id.as_str());
        assert!(error["requestId"].is_string());
    }
    client.send("hello").await;
    assert_eq!(client.frame().await, "hello");
}

#[tokio::test]
async fn a_push_may_be_lost_although_it_was_taken() {
    let stage = stage_with(Faults { lose_push: 1.0, ..Faults::default() }, Duration::from_secs(29)).await;
    let mut client = stage.open("/ws/client").await;

    assert_eq!(stage.script.push(&client.id, "lost").await, Sent::Handed);

    stage.running.registry().close(&client.id).await;
    assert_eq!(client.closed_with().await, 1008);
}

#[tokio::test]
async fn a_client_that_does_not_read_gets_429_and_delays_nobody() {
    let stage = stage().await;
    let slow = stage.open("/ws/client").await;
    let mut other = stage.open("/ws/client").await;
    let large = "x".repeat(100 * 1024);

    let mut answers = Vec::new();
    for _ in 0..200 {
        answers.push(stage.script.push(&slow.id, &large).await);
    }

    assert!(answers.contains(&Sent::Failed), "{answers:?}");
    assert_eq!(stage.script.push(&other.id, "hello").await, Sent::Handed);
    assert_eq!(other.frame().await, "hello");
}

#[tokio::test]
async fn connections_answers_with_the_status_of_api_gateway() {
    let stage = stage().await;
    let mut client = stage.open("/ws/client").await;
    let encoded = client.id.replace('=', "%3D");
    let post = |path: String, body: String| {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stage.http(request)
    };

    let small = || "\"hello\"".to_owned();
    assert_eq!(post(format!("/@connections/{encoded}"), small()).await.0, 200);
    assert_eq!(client.frame().await, "hello");
    assert_eq!(post(format!("/live/@connections/{encoded}"), small()).await.0, 200);
    assert_eq!(client.frame().await, "hello");
    assert_eq!(post(format!("/other/@connections/{encoded}"), small()).await.0, 403);
    assert_eq!(post("/@connections/nonsense".into(), small()).await.0, 400);
    assert_eq!(post("/@connections/AAAAAAAAAAAAAAA%3D".into(), small()).await.0, 410);
    assert_eq!(post(format!("/@connections/{encoded}"), "x".repeat(128 * 1024 + 1)).await.0, 413);
    let (status, _, body) = stage.ask("GET", &format!("/@connections/{encoded}")).await;
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &told["connectedAt"]), (200, &json!("2026-11-21T22:11:03.417Z")));
    assert_eq!((&told["identity"]["sourceIp"], told["lastActiveAt"].is_string()), (&json!("127.0.0.1"), true));
    assert_eq!(stage.ask("DELETE", &format!("/@connections/{encoded}")).await.0, 204);
    client.closed_with().await;
    until("the socket is forgotten", || stage.running.registry().is_empty()).await;
    assert_eq!(post(format!("/@connections/{encoded}"), small()).await.0, 410);
    assert_eq!(stage.script.push(&client.id, "hello").await, Sent::Gone);
}

#[tokio::test]
async fn what_is_this_machines_own_is_not_told_through_a_proxy_or_a_strange_name() {
    let stage = stage().await;
    let ask = |headers: &str| stage.http(format!("GET /metrics HTTP/1.1\r\nConnection: close\r\n{headers}\r\n\r\n"));

    let (status, _, body) = ask("Host: localhost").await;
    assert_eq!(status, 200);
    assert!(body.contains("parley_outbox_backlog{lane=\"files\"} 0"), "{body}");
    assert_eq!(ask("Host: localhost\r\nX-Forwarded-For: 203.0.113.9").await.0, 404);
    assert_eq!(ask("Host: rebound.example").await.0, 404);
}

#[tokio::test]
async fn a_function_runs_to_its_end_though_its_client_has_gone() {
    let stage = stage().await;
    let mut client = stage.open("/ws/client").await;
    let mut other = stage.open("/ws/client").await;
    client.send("wait").await;
    until("the function runs", || !stage.script.events("message").is_empty()).await;

    drop(client);
    until("$disconnect overtakes it", || !stage.script.events("disconnect").is_empty()).await;
    other.send("wait").await;
    stage.script.gate.add_permits(2);

    assert_eq!(other.frame().await, "wait");
    stage.running.shutdown().await;
    assert_eq!(stage.script.gate.available_permits(), 0);
}
