//! Care of the store as a whole.

use shared::rate_limit::Rate;
use shared::store::{LoginCode, Sight, Store, Swept};
use shared::time::{HOUR, MINUTE, SECOND, Timestamp};

use super::make::{NO_CAPS, START, session, visitor_socket};
use crate::stores::{Home, for_each_sql_store, for_each_store};

#[tokio::test]
async fn the_store_answers_and_has_a_name() {
    for_each_store(|store| async move {
        store.ping().await.unwrap();

        assert!(["sqlite", "postgres", "dynamodb"].contains(&store.name()));
    })
    .await;
}

/// Something of each kind that expires after a minute, and the same again that lasts for hours.
async fn fill(store: &dyn Store) {
    let rate = Rate { burst: 3, interval_ms: MINUTE };
    for (name, until) in [("short", START.plus(MINUTE)), ("long", START.plus(9 * HOUR))] {
        let mut socket = visitor_socket("192.0.2.1");
        socket.expires_at = until;
        store.connect(&socket, NO_CAPS).await.unwrap();
        let mut one = session(name);
        (one.session_id, one.expires_at) = (name.into(), until);
        let (challenge_hash, code_hash) = (name.to_owned(), "right".to_owned());
        let code = LoginCode { challenge_hash, code_hash, created_at: START, expires_at: until };
        store.put_code(&code).await.unwrap();
        store.redeem_code(name, "right", 5, &one, name).await.unwrap();
        store.put_code(&code).await.unwrap();
        store.put_ticket(name, name, until).await.unwrap();
        store.lease(name, "me", START, until).await.unwrap();
        store.first_sight(if name == "short" { 1 } else { 2 }, &Sight::default(), START, until).await.unwrap();
    }
    store.take("full again", rate, START).await.unwrap();
    for _ in 0..3 {
        store.take("not yet", rate, START).await.unwrap();
    }
}

async fn what_lasts_is_there(store: &dyn Store, now: Timestamp) {
    assert!(store.session("long", now).await.unwrap().is_some());
    assert_eq!(store.take_ticket("long", now).await.unwrap().as_deref(), Some("long"));
    assert!(!store.lease("long", "you", now, now.plus(SECOND)).await.unwrap());
    assert!(!store.first_sight(2, &Sight::default(), now, now.plus(HOUR)).await.unwrap());
    assert!(store.session_by_token("long", now).await.unwrap().is_some_and(|one| one.current));
}

#[tokio::test]
async fn a_sweep_removes_what_has_expired_and_nothing_else() {
    for_each_sql_store(async |store| {
        fill(&*store).await;
        let now = START.plus(2 * MINUTE);

        let swept = store.sweep(now).await.unwrap();

        assert_eq!((swept.connections, swept.others), (1, 3));
        assert!(swept.sessions >= 2, "the session and the code; its ticket may go with it or by itself");
        assert_eq!(store.sweep(now).await.unwrap(), Swept::default());
        what_lasts_is_there(&*store, now).await;
    })
    .await;
}

#[tokio::test]
async fn on_dynamodb_what_expires_tells_when_and_the_rest_stays() {
    let home = Home::on_dynamodb().await;
    let store = home.open().await;
    fill(&*store).await;
    let (table, now) = (home.table().unwrap(), START.plus(2 * MINUTE));

    let expired = table.expire(now).await;

    assert_eq!(expired, 7, "the socket, the session, its token, the code, the ticket, the lease and the sight");
    assert_eq!(store.sweep(now).await.unwrap(), Swept::default());
    what_lasts_is_there(&*store, now).await;
    table.expire(START.plus(99 * HOUR)).await;
    let rest = table.items().await;
    let counters = rest.iter().filter(|item| item["pk"]["S"] == "COUNT").count();
    assert_eq!(rest.len(), counters, "{rest:?}");
    home.leave().await;
}
