//! `$connect` decides, and the events tell all.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use shared::connections::Sent;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::stage::{stage, until};

#[tokio::test]
async fn the_upgrade_is_held_until_connect_has_answered() {
    let stage = std::sync::Arc::new(stage().await);
    let opening = tokio::spawn({
        let stage = stage.clone();
        async move { stage.open("/ws/client?gate=1").await }
    });
    until("$connect runs", || !stage.script.events("connect").is_empty()).await;

    assert!(stage.running.registry().is_empty());
    assert!(!opening.is_finished());

    stage.script.gate.add_permits(1);
    let mut client = opening.await.unwrap();
    client.send("hello").await;
    assert_eq!(client.frame().await, "hello");
}

#[tokio::test]
async fn a_refusal_of_connect_reaches_the_client_as_it_is() {
    let stage = stage().await;

    let refused = stage.try_open(stage.upgrade_request("/ws/client?refuse=1")).await.map(|_| ());

    let Err(Error::Http(response)) = refused else { panic!("not refused: {refused:?}") };
    assert_eq!(response.status(), 403);
    assert_eq!(response.headers()["x-why"], "origin");
    assert_eq!(response.body().as_deref(), Some(r#"{"error":"origin_not_allowed"}"#.as_bytes()));
    assert!(stage.running.registry().is_empty());
    let id = stage.script.events("connect").pop().and_then(|event| event.request_context.connection_id).unwrap();
    assert_eq!(stage.script.push(&id, "hello").await, Sent::Gone);
}

#[tokio::test]
async fn nothing_can_be_pushed_before_connect_has_answered() {
    let stage = stage().await;

    let mut client = stage.open("/ws/client?push=1").await;

    assert_eq!(*stage.script.early.lock().unwrap(), Some(Sent::Gone));
    assert_eq!(stage.script.push(&client.id, "later").await, Sent::Handed);
    assert_eq!(client.frame().await, "later");
}

#[tokio::test]
async fn the_subprotocol_that_connect_chooses_is_echoed() {
    let stage = stage().await;
    let mut request = stage.upgrade_request("/ws/client");
    request.headers_mut().insert("Sec-WebSocket-Protocol", "support.v1, t.secret".parse().unwrap());

    let (_client, response) = stage.try_open(request).await.unwrap();

    assert_eq!(response.headers()["sec-websocket-protocol"], "support.v1");
}

#[tokio::test]
async fn every_event_tells_the_whole_request_context() {
    let stage = stage().await;
    let mut request = stage.upgrade_request("/ws/admin?ticket=abc&socket=client");
    request.headers_mut().insert("User-Agent", "Story/1.0".parse().unwrap());
    request.headers_mut().append("X-Twice", "1".parse().unwrap());
    request.headers_mut().append("X-Twice", "2".parse().unwrap());
    let (mut client, _) = stage.try_open(request).await.unwrap();
    client.send("hello").await;
    client.frame().await;
    client.socket.close(None).await.unwrap();
    until("$disconnect runs", || !stage.script.events("disconnect").is_empty()).await;

    let event = |function: &str| stage.script.events(function).pop().unwrap();
    let check = |event: &ApiGatewayWebsocketProxyRequest, route: &str, kind: &str| {
        let context = &event.request_context;
        assert_eq!((context.route_key.as_deref(), context.event_type.as_deref()), (Some(route), Some(kind)));
        assert_eq!(context.connection_id.as_deref(), Some(client.id.as_str()));
        assert_eq!((context.connected_at, context.request_time_epoch), (1_795_299_063_417, 1_795_299_063_417));
        assert_eq!(context.request_time.as_deref(), Some("21/Nov/2026:22:11:03 +0000"));
        assert_eq!(context.identity.source_ip.as_deref(), Some("127.0.0.1"));
        assert_eq!(context.identity.user_agent.as_deref(), Some("Story/1.0"));
        assert_eq!(context.stage.as_deref(), Some("live"));
        assert_eq!(context.domain_name, Some(stage.running.local_addr().to_string()));
        assert!(context.request_id.is_some() && context.extended_request_id.is_some() && context.apiid.is_some());
    };
    let connect = event("connect");
    check(&connect, "$connect", "CONNECT");
    assert_eq!(connect.query_string_parameters.all("socket"), Some(vec!["admin"]));
    assert_eq!(connect.query_string_parameters.first("ticket"), Some("abc"));
    assert_eq!(connect.multi_value_headers.get_all("x-twice").iter().count(), 2);
    assert_eq!(connect.headers["x-twice"], "2");
    let message = event("message");
    check(&message, "$default", "MESSAGE");
    assert!(message.request_context.message_id.is_some());
    assert_eq!(message.body.as_deref(), Some("hello"));
    let disconnect = event("disconnect");
    check(&disconnect, "$disconnect", "DISCONNECT");
    assert_eq!(disconnect.request_context.disconnect_status_code, Some(1005));
}

#[tokio::test]
async fn a_ping_is_answered_and_reaches_no_function() {
    use futures::SinkExt;
    let stage = stage().await;
    let mut client = stage.open("/ws/client").await;

    client.socket.send(Message::Ping("are you there".into())).await.unwrap();

    assert_eq!(client.next().await, Some(Message::Pong("are you there".into())));
    assert!(stage.script.events("message").is_empty());
}

#[tokio::test]
async fn what_is_no_upgrade_is_told_so() {
    let stage = stage().await;

    let (status, head, body) = stage.ask("GET", "/ws/client").await;

    assert_eq!(status, 426);
    assert!(head.contains("sec-websocket-version: 13"), "{head}");
    assert!(body.contains("invalid_message"), "{body}");
    let bad_key = "GET /ws/client HTTP/1.1\r\nHost: x\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n";
    assert_eq!(stage.http(bad_key).await.0, 400);
}
