//! The adapter that pushes through `@connections`, against the gateway's own, which keeps API Gateway's statuses.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use shared::config::{Config, Place};
use shared::connections::{Connections, Frame, Sent, send_all};
use shared::lambda::api_gateway::ApiGateway;
use tokio::net::TcpListener;

use super::stage::{Stage, stage};

/// Well-formed, and nobody's.
const GONE: &str = "AAAAAAAAAAAAAAA=";

fn adapter(address: SocketAddr, stage: &str) -> ApiGateway {
    let config = Config::read(Place::Lambda, |name| match name {
        "DATABASE_URL" => Some("dynamodb://parley".into()),
        "PUBLIC_URL" => Some("https://chat.example.com".into()),
        "OTP_HASH_SALT" => Some("0123456789abcdef0123456789abcdef".into()),
        "WEBSOCKET_ENDPOINT" => Some(format!("http://{address}/{stage}")),
        _ => None,
    });
    ApiGateway::new(&config.expect("the settings are right")).expect("a client")
}

fn live(stage: &Stage) -> ApiGateway {
    adapter(stage.running.local_addr(), "live")
}

fn hello() -> Frame {
    Frame::new(&"hello").unwrap()
}

#[tokio::test]
async fn a_frame_arrives_and_a_socket_is_closed() {
    let stage = stage().await;
    let mut client = stage.open("/ws/client").await;
    let connections = live(&stage);

    assert_eq!(connections.send(&client.id, &hello()).await, Sent::Handed);
    assert_eq!(client.frame().await, "hello");
    connections.close(&client.id).await;
    assert_eq!(client.closed_with().await, 1008);
}

#[tokio::test]
async fn only_what_is_no_connection_counts_as_gone() {
    let stage = stage().await;
    let client = stage.open("/ws/client").await;
    let connections = live(&stage);

    assert_eq!(connections.send(GONE, &hello()).await, Sent::Gone);
    assert_eq!(connections.send("nonsense", &hello()).await, Sent::Gone);
    let too_large = Frame::new(&"x".repeat(129 * 1024)).unwrap();
    assert_eq!(connections.send(&client.id, &too_large).await, Sent::Failed);
    // Another stage is another API: 403, which says nothing about the connection.
    let elsewhere = adapter(stage.running.local_addr(), "other");
    assert_eq!(elsewhere.send(&client.id, &hello()).await, Sent::Failed);
    assert_eq!(elsewhere.send(GONE, &hello()).await, Sent::Failed);
}

#[tokio::test]
async fn a_client_that_does_not_read_costs_its_own_frames_only() {
    let stage = stage().await;
    let slow = stage.open("/ws/client").await;
    let mut other = stage.open("/ws/client").await;
    let text = "x".repeat(100 * 1024);
    let large = Frame::new(&text).unwrap();
    let mut refused = 0;
    // What the kernel still takes makes room once or twice.
    while refused < 50 {
        refused += usize::from(stage.script.push(&slow.id, &text).await == Sent::Failed);
        tokio::task::yield_now().await;
    }
    let connections = live(&stage);

    let ids = [slow.id.clone(), GONE.to_owned(), other.id.clone()];
    let gone = send_all(&connections, &ids, &large).await;

    assert_eq!(gone, [GONE]);
    assert_eq!(other.frame().await, text.as_str());
    assert_eq!(connections.send(&slow.id, &large).await, Sent::Failed);
}

#[tokio::test]
async fn posts_to_an_api_that_hangs_end_together() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connections = adapter(silent.local_addr().unwrap(), "live");
    let ids = vec![GONE.to_owned(); 32];

    let began = Instant::now();
    let gone = send_all(&connections, &ids, &hello()).await;

    assert_eq!(gone, [""; 0]);
    // One after the other they would take 160 seconds.
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}
