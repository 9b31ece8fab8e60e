//! The outbox and the schedule run inside, by the gateway's clock.

use std::sync::Arc;
use std::time::Duration;

use gateway::{Gateway, GatewayOptions, Running};
use shared::config::{Config, Place};
use shared::event::Lane;
use shared::store::Store;
use shared::time::{Clock, ManualClock, SECOND, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::conformance::make::{START, begin};
use crate::people::eventually;
use crate::stores::Home;

async fn gateway(store: Arc<dyn Store>, clock: Arc<ManualClock>) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = Config::read(Place::Gateway, |_| None).unwrap();
    let tick = Duration::from_millis(5);
    Gateway::start(GatewayOptions { clock, tick, ..GatewayOptions::new(config, store, listener) }).await.unwrap()
}

async fn join(gateway: &Running) {
    let mut stream = TcpStream::connect(gateway.local_addr()).await.unwrap();
    let request =
        "POST /api/visitor/join HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// A conversation that was, whose files have to go.
async fn erase(store: &dyn Store) {
    let id = begin(store, "Ada").await;
    assert!(store.delete(&id, START).await.unwrap());
}

async fn waiting(store: &dyn Store) -> i64 {
    store.backlog(Lane::Files).await.unwrap().0
}

async fn drained(store: &dyn Store) {
    let empty = async {
        while waiting(store).await > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), empty).await.expect("the lane is drained");
}

#[tokio::test]
async fn what_a_request_puts_into_the_outbox_is_delivered_at_once() {
    let store = Home::in_memory().open().await.shared();
    let gateway = gateway(store.clone(), Arc::new(ManualClock::new(Timestamp(1_795_299_063_417)))).await;

    erase(&*store).await;
    join(&gateway).await;

    drained(&*store).await;
}

#[tokio::test]
async fn a_lane_that_another_process_holds_is_left_to_it_until_its_lease_ends() {
    let store = Home::in_memory().open().await.shared();
    let clock = Arc::new(ManualClock::new(Timestamp(1_795_299_063_417)));
    let until = clock.now().plus(10 * SECOND);
    assert!(store.lease("outbox:files", "another", clock.now(), until).await.unwrap());
    let gateway = gateway(store.clone(), clock.clone()).await;

    for _ in 0..2 {
        erase(&*store).await;
        join(&gateway).await;
    }
    assert_eq!(waiting(&*store).await, 2);
    clock.advance(20 * SECOND);

    // Who was refused a moment before the lease ended asks again when time goes on.
    eventually("the lane is drained", async || {
        clock.advance(SECOND);
        (waiting(&*store).await == 0).then_some(())
    })
    .await;
    gateway.shutdown().await;
    let now = clock.now();
    assert!(store.lease("outbox:files", "another", now, now.plus(20 * SECOND)).await.unwrap());
}
