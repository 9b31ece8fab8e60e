//! Limits, closes and what runs at the end.

use std::time::Duration;

use futures::SinkExt;
use gateway::Faults;
use shared::time::{HOUR, MINUTE, SECOND};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

use super::stage::{Client, stage, stage_with, until};

const KIB: usize = 1024;

async fn send_raw(client: &mut Client, data: Data, payload: Vec<u8>, last: bool) {
    // A server that closes at the header may hang up before the whole payload is written.
    let _ = client.socket.send(Message::Frame(Frame::message(payload, OpCode::Data(data), last))).await;
}

#[tokio::test]
async fn a_frame_of_32_kib_passes_and_a_larger_one_closes_with_1009() {
    let stage = stage().await;
    let mut client = stage.open("/ws/client").await;
    let largest = "x".repeat(32 * KIB);

    client.send(&largest).await;
    assert_eq!(client.frame().await, largest);
    send_raw(&mut client, Data::Text, vec![b'x'; 32 * KIB + 1], true).await;

    assert_eq!(client.closed_with().await, 1009);
}

#[tokio::test]
async fn a_large_frame_still_gets_to_read_why_it_was_refused() {
    let stage = stage().await;
    let mut client = stage.open("/ws/client").await;

    send_raw(&mut client, Data::Text, vec![b'x'; 4 * KIB * KIB], true).await;

    assert_eq!(client.closed_with().await, 1009);
}

#[tokio::test]
async fn a_message_of_128_kib_in_frames_passes_and_a_larger_one_closes_with_1009() {
    let stage = stage().await;
    let mut client = stage.open("/ws/client").await;
    for part in 0..4 {
        let data = if part == 0 { Data::Text } else { Data::Continue };
        send_raw(&mut client, data, vec![b'x'; 32 * KIB], part == 3).await;
    }
    until("the message arrives", || !stage.script.events("message").is_empty()).await;
    assert_eq!(stage.script.events("message")[0].body.as_ref().unwrap().len(), 128 * KIB);

    for part in 0..5 {
        let data = if part == 0 { Data::Text } else { Data::Continue };
        send_raw(&mut client, data, vec![b'x'; 30 * KIB], part == 4).await;
    }

    assert_eq!(client.closed_with().await, 1009);
}

#[tokio::test]
async fn binary_closes_with_1003_and_broken_text_with_1007() {
    let stage = stage().await;

    let mut client = stage.open("/ws/client").await;
    client.socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(client.closed_with().await, 1003);

    let mut client = stage.open("/ws/client").await;
    send_raw(&mut client, Data::Text, vec![0xff, 0xfe], true).await;
    assert_eq!(client.closed_with().await, 1007);
}

#[tokio::test]
async fn ten_idle_minutes_close_with_1001_and_a_frame_begins_them_anew() {
    let stage = stage().await;
    let mut client = stage.open("/ws/client").await;

    for _ in 0..3 {
        stage.clock.advance(10 * MINUTE - SECOND);
        client.send("still here").await;
        assert_eq!(client.frame().await, "still here");
    }
    stage.clock.advance(10 * MINUTE);

    assert_eq!(client.closed_with().await, 1001);
}

#[tokio::test]
async fn two_hours_close_with_1001_however_busy_the_socket_is() {
    let stage = stage().await;
    let mut client = stage.open("/ws/client").await;

    for _ in 0..14 {
        stage.clock.advance(8 * MINUTE);
        client.send("busy").await;
        assert_eq!(client.frame().await, "busy");
    }
    stage.clock.advance(2 * HOUR - 14 * 8 * MINUTE);

    assert_eq!(client.closed_with().await, 1001);
}

#[tokio::test]
async fn the_reason_of_the_client_reaches_disconnect() {
    let stage = stage().await;
    let mut client = stage.open("/ws/client").await;

    let frame = CloseFrame { code: CloseCode::from(4001), reason: "bye".into() };
    client.socket.close(Some(frame)).await.unwrap();

    until("$disconnect runs", || !stage.script.events("disconnect").is_empty()).await;
    let context = stage.script.events("disconnect").pop().unwrap().request_context;
    assert_eq!((context.disconnect_status_code, context.disconnect_reason.as_deref()), (Some(4001), Some("bye")));
    assert!(stage.running.registry().is_empty());
}

#[tokio::test]
async fn disconnect_may_never_run() {
    let stage = stage_with(Faults { drop_disconnect: 1.0, ..Faults::default() }, Duration::from_secs(29)).await;
    let client = stage.open("/ws/client").await;

    drop(client);
    until("the socket is forgotten", || stage.running.registry().is_empty()).await;
    stage.running.shutdown().await;

    assert!(stage.script.events("disconnect").is_empty());
}

#[tokio::test]
async fn shutdown_finishes_what_runs_and_closes_with_1001() {
    let stage = stage().await;
    let mut client = stage.open("/ws/client").await;
    client.send("wait").await;
    until("the function runs", || !stage.script.events("message").is_empty()).await;

    let shutdown = tokio::spawn(stage.running.shutdown());
    stage.script.gate.add_permits(1);

    assert_eq!(client.frame().await, "wait");
    assert_eq!(client.closed_with().await, 1001);
    shutdown.await.unwrap();
}
