//! Rows of live sockets: caps, binding, presence.

use shared::model::{Connection, Side};
use shared::store::{Audience, Connected, ConnectionCaps, LoginCode, Store};
use shared::time::{HOUR, MINUTE};

use super::make::{NO_CAPS, START, admin_socket, begin, race, session, visitor_socket};
use crate::stores::for_each_store;

async fn bound(store: &dyn Store, conversation_id: &str) -> Connection {
    let socket = visitor_socket("192.0.2.1");
    store.connect(&socket, NO_CAPS).await.unwrap();
    store.bind(&socket.connection_id, conversation_id, START).await.unwrap();
    socket
}

#[tokio::test]
async fn caps_hold_under_a_race() {
    for_each_store(|store| async move {
        let caps = ConnectionCaps { side: 10, ip: 4 };
        let sockets: Vec<_> = (0..60).map(|n| visitor_socket(&format!("192.0.2.{}", n % 6))).collect();

        let answers = race(sockets.iter().map(|socket| store.connect(socket, caps))).await;

        let stored = answers.into_iter().filter(|one| *one.as_ref().unwrap() == Connected::Stored).count();
        assert_eq!(stored, 10);
        for socket in &sockets {
            let kept = store.connection(&socket.connection_id, START).await.unwrap();
            assert!(kept.is_none() || kept.as_ref() == Some(socket));
        }
    })
    .await;
}

#[tokio::test]
async fn one_address_is_counted_on_both_sides_and_expired_rows_not_at_all() {
    for_each_store(|store| async move {
        let caps = ConnectionCaps { side: 100, ip: 2 };
        let mut old = visitor_socket("192.0.2.1");
        old.connected_at = START.plus(-3 * HOUR);
        old.expires_at = START;
        let admin = admin_socket("s", "192.0.2.1");
        for socket in [&old, &admin, &visitor_socket("192.0.2.1")] {
            assert_eq!(store.connect(socket, caps).await.unwrap(), Connected::Stored);
        }

        assert_eq!(store.connect(&visitor_socket("192.0.2.1"), caps).await.unwrap(), Connected::Full);
        assert_eq!(store.connect(&visitor_socket("192.0.2.2"), caps).await.unwrap(), Connected::Stored);
        assert_eq!(store.connect(&admin, caps).await.unwrap(), Connected::Stored, "the same again takes no place");
        assert_eq!(store.connection(&old.connection_id, START).await.unwrap(), None);
        assert_eq!(store.connection(&admin.connection_id, START).await.unwrap(), Some(admin));
    })
    .await;
}

#[tokio::test]
async fn binding_tells_the_first_and_moves_from_one_conversation_to_another() {
    for_each_store(|store| async move {
        let (ada, bob) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        let (one, two) = (visitor_socket("192.0.2.1"), visitor_socket("192.0.2.1"));
        store.connect(&one, NO_CAPS).await.unwrap();
        store.connect(&two, NO_CAPS).await.unwrap();
        let admin = admin_socket("s", "192.0.2.1");
        store.connect(&admin, NO_CAPS).await.unwrap();

        assert_eq!(store.bind(&one.connection_id, &ada, START).await.unwrap(), Some(true));
        assert_eq!(store.bind(&one.connection_id, &ada, START).await.unwrap(), Some(true), "no other one");
        assert_eq!(store.bind(&two.connection_id, &ada, START).await.unwrap(), Some(false));
        assert_eq!(store.bind(&two.connection_id, &bob, START).await.unwrap(), Some(true));

        assert_eq!(store.audience(&ada, START).await.unwrap().visitor, std::slice::from_ref(&one.connection_id));
        assert_eq!(store.audience(&bob, START).await.unwrap().visitor, std::slice::from_ref(&two.connection_id));
        assert_eq!(store.bind("nothing", &ada, START).await.unwrap(), None);
        assert_eq!(store.bind(&one.connection_id, &ada, one.expires_at).await.unwrap(), None);
        assert_eq!(store.bind(&admin.connection_id, &ada, START).await.unwrap(), None, "not a visitor's");
    })
    .await;
}

#[tokio::test]
async fn of_racing_ends_exactly_one_is_the_last() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        let mut sockets = Vec::new();
        for _ in 0..20 {
            sockets.push(bound(&*store, &id).await);
        }

        let ends = race(sockets.iter().map(|one| store.disconnect(&one.connection_id, START))).await;

        let ends: Vec<_> = ends.into_iter().map(|one| one.unwrap().unwrap()).collect();
        assert_eq!(ends.iter().filter(|one| one.last).count(), 1);
        let side = Side::Visitor { conversation_id: Some(id.clone()) };
        assert!(ends.iter().all(|one| one.connection.side == side));
        assert_eq!(store.disconnect(&sockets[0].connection_id, START).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn of_racing_binds_exactly_one_is_the_first() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        let sockets: Vec<_> = (0..20).map(|_| visitor_socket("192.0.2.1")).collect();
        for socket in &sockets {
            store.connect(socket, NO_CAPS).await.unwrap();
        }

        let binds = race(sockets.iter().map(|one| store.bind(&one.connection_id, &id, START))).await;

        assert_eq!(binds.into_iter().filter(|one| *one.as_ref().unwrap() == Some(true)).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_admin_is_gone_with_the_last_socket_of_the_session() {
    for_each_store(|store| async move {
        let (one, two) = (admin_socket("s1", "192.0.2.1"), admin_socket("s1", "192.0.2.1"));
        let other = admin_socket("s2", "192.0.2.1");
        for socket in [&one, &two, &other] {
            store.connect(socket, NO_CAPS).await.unwrap();
        }
        assert_eq!(store.admins_online(START).await.unwrap(), 2);
        let mut of_session = vec![one.connection_id.clone(), two.connection_id.clone()];
        of_session.sort();
        assert_eq!(store.session_connections("s1", START).await.unwrap(), of_session);

        assert!(!store.disconnect(&one.connection_id, START).await.unwrap().unwrap().last);
        assert!(store.disconnect(&two.connection_id, START).await.unwrap().unwrap().last);

        assert_eq!(store.admins_online(START).await.unwrap(), 1);
        assert_eq!(store.admin_connections(START).await.unwrap(), std::slice::from_ref(&other.connection_id));
        assert_eq!(store.admin_connections(other.expires_at).await.unwrap(), [""; 0]);
        assert_eq!(store.admins_online(other.expires_at).await.unwrap(), 0);
        assert_eq!(store.disconnect(&other.connection_id, other.expires_at).await.unwrap(), None, "expired");
    })
    .await;
}

#[tokio::test]
async fn operators_are_there_without_a_socket_until_the_moment_they_named() {
    for_each_store(|store| async move {
        let (soon, late) = (START.plus(MINUTE), START.plus(12 * HOUR));
        store.operator_present("Oya", soon, START).await.unwrap();
        store.operator_present("Ece", late, START).await.unwrap();
        assert_eq!(store.admins_online(START).await.unwrap(), 2);
        let socket = admin_socket("s1", "192.0.2.1");
        store.connect(&socket, NO_CAPS).await.unwrap();
        assert_eq!(store.admins_online(START).await.unwrap(), 3, "sessions count as before");
        assert_eq!(store.admin_connections(START).await.unwrap(), std::slice::from_ref(&socket.connection_id));

        assert_eq!(store.admins_online(soon).await.unwrap(), 2);
        store.operator_present("Oya", late, soon).await.unwrap();
        assert_eq!(store.admins_online(soon).await.unwrap(), 3, "said again");
        store.operator_present("Ece", soon, soon).await.unwrap();
        assert_eq!(store.admins_online(soon).await.unwrap(), 2, "gone before the moment");
        store.operator_present("Ece", soon, soon).await.unwrap();
        store.forget_connections().await.unwrap();

        assert_eq!(store.admins_online(soon).await.unwrap(), 1, "a gateway that starts again changes nothing for Oya");
        assert!(store.admin_connections(soon).await.unwrap().is_empty());
        store.connect(&admin_socket("s2", "192.0.2.1"), NO_CAPS).await.unwrap();
        assert_eq!(store.admins_online(soon).await.unwrap(), 2);
        assert_eq!(store.admins_online(late).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn racing_operators_are_all_noted() {
    for_each_store(|store| async move {
        let names: Vec<_> = (0..20).map(|n| format!("operator {n}")).collect();

        let racers = names.iter().map(|name| store.operator_present(name, START.plus(HOUR), START));
        for answer in race(racers).await {
            answer.unwrap();
        }

        assert_eq!(store.admins_online(START).await.unwrap(), 20);
    })
    .await;
}

#[tokio::test]
async fn only_bound_visitors_are_visitor_connections() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        let socket = bound(&*store, &id).await;
        store.connect(&visitor_socket("192.0.2.1"), NO_CAPS).await.unwrap();
        store.connect(&admin_socket("s", "192.0.2.1"), NO_CAPS).await.unwrap();

        assert_eq!(store.visitor_connections(START).await.unwrap(), [socket.connection_id]);
        assert_eq!(store.visitor_connections(socket.expires_at).await.unwrap(), [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn orphans_are_the_sockets_of_sessions_that_ended_expired_or_idled() {
    for_each_store(|store| async move {
        let mut sockets = Vec::new();
        for (name, used, until) in [("live", 0, HOUR), ("idle", -40 * MINUTE, HOUR), ("expired", 0, 5 * MINUTE)] {
            let mut one = session(name);
            one.last_used_at = START.plus(used);
            one.expires_at = START.plus(until);
            let hash = one.session_id.clone();
            let code = LoginCode {
                challenge_hash: hash.clone(),
                code_hash: "right".into(),
                created_at: START,
                expires_at: START.plus(MINUTE),
            };
            store.put_code(&code).await.unwrap();
            store.redeem_code(&hash, "right", 5, &one, &hash).await.unwrap();
            sockets.push(admin_socket(&one.session_id, "192.0.2.1"));
        }
        sockets.push(admin_socket("ended", "192.0.2.1"));
        for socket in &sockets {
            store.connect(socket, NO_CAPS).await.unwrap();
        }
        let now = START.plus(10 * MINUTE);

        let orphans = store.orphaned_admin_connections(now.plus(-30 * MINUTE), now).await.unwrap();

        let mut expected: Vec<_> = sockets[1..].iter().map(|one| one.connection_id.clone()).collect();
        expected.sort();
        assert_eq!(orphans, expected);
    })
    .await;
}

#[tokio::test]
async fn a_gateway_that_starts_forgets_all() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        bound(&*store, &id).await;

        store.forget_connections().await.unwrap();

        assert_eq!(store.audience(&id, START).await.unwrap(), Audience::default());
    })
    .await;
}
