//! Logins: codes, sessions, tickets.

use shared::id::Secret;
use shared::model::Session;
use shared::store::dynamodb::DynamoStore;
use shared::store::{LoginCode, Redeemed, SessionToken, Sessions, Store};
use shared::time::{HOUR, MINUTE, SECOND};

use super::make::{START, race, session};
use crate::stores::{Home, for_each_store};

fn hash(text: &str) -> String {
    Secret::presented(text).hash()
}

async fn put_code(store: &dyn Store, challenge: &str, code: &str) {
    let code = LoginCode {
        challenge_hash: hash(challenge),
        code_hash: hash(code),
        created_at: START,
        expires_at: START.plus(5 * MINUTE),
    };
    store.put_code(&code).await.unwrap();
}

async fn redeem(store: &dyn Store, challenge: &str, code: &str, session: &Session, token: &str) -> Redeemed {
    store.redeem_code(&hash(challenge), &hash(code), 5, session, &hash(token)).await.unwrap()
}

/// A session whose token is `token`.
async fn log_in(store: &dyn Store, token: &str) -> Session {
    put_code(store, token, "123456").await;
    let session = session("Oya");
    assert_eq!(redeem(store, token, "123456", &session, token).await, Redeemed::Session);
    session
}

#[tokio::test]
async fn of_a_hundred_right_codes_at_once_one_wins() {
    for_each_store(|store| async move {
        put_code(&*store, "browser", "123456").await;
        let sessions: Vec<_> = (0..100).map(|n| (session("Oya"), format!("token {n}"))).collect();

        let racers = sessions.iter().map(|(one, token)| redeem(&*store, "browser", "123456", one, token));
        let answers = race(racers).await;

        let winners: Vec<_> = (0..100).filter(|n| answers[*n] == Redeemed::Session).collect();
        assert_eq!(winners.len(), 1);
        assert!(answers.iter().all(|one| *one != Redeemed::Wrong));
        for (n, (one, _)) in sessions.iter().enumerate() {
            assert_eq!(store.session(&one.session_id, START).await.unwrap().is_some(), n == winners[0]);
        }
    })
    .await;
}

#[tokio::test]
async fn of_a_hundred_wrong_codes_at_once_five_are_compared() {
    for_each_store(|store| async move {
        put_code(&*store, "browser", "123456").await;
        let one = session("Eve");

        let answers = race((0..100).map(|_| redeem(&*store, "browser", "000000", &one, "t"))).await;

        assert_eq!(answers.iter().filter(|one| **one == Redeemed::Wrong).count(), 5);
        assert_eq!(answers.iter().filter(|one| **one == Redeemed::Refused).count(), 95);
        assert_eq!(redeem(&*store, "browser", "123456", &one, "t").await, Redeemed::Refused, "out of tries");
    })
    .await;
}

#[tokio::test]
async fn a_code_is_bound_to_its_challenge_replaced_by_the_next_and_ends() {
    for_each_store(|store| async move {
        let one = session("Oya");
        put_code(&*store, "browser", "111111").await;
        assert_eq!(redeem(&*store, "another browser", "111111", &one, "t").await, Redeemed::Refused);
        put_code(&*store, "browser", "222222").await;
        assert_eq!(redeem(&*store, "browser", "111111", &one, "t").await, Redeemed::Wrong);

        let mut late = one.clone();
        late.created_at = START.plus(5 * MINUTE);
        assert_eq!(redeem(&*store, "browser", "222222", &late, "t").await, Redeemed::Refused, "expired");
        assert_eq!(redeem(&*store, "browser", "222222", &one, "t").await, Redeemed::Session);
        assert_eq!(redeem(&*store, "browser", "222222", &one, "t").await, Redeemed::Session, "its own answer again");
        assert_eq!(redeem(&*store, "browser", "222222", &session("Eve"), "u").await, Redeemed::Refused, "used up");
    })
    .await;
}

#[tokio::test]
async fn a_session_is_found_by_its_token_until_it_ends() {
    for_each_store(|store| async move {
        let one = log_in(&*store, "first").await;

        let found = store.session_by_token(&hash("first"), START).await.unwrap();

        assert_eq!(found, Some(SessionToken { session: one.clone(), current: true }));
        assert_eq!(store.session(&one.session_id, START).await.unwrap(), Some(one.clone()));
        for (token, now) in [("second", START), ("first", one.expires_at)] {
            assert_eq!(store.session_by_token(&hash(token), now).await.unwrap(), None);
        }
        assert_eq!(store.session(&one.session_id, one.expires_at).await.unwrap(), None);
        assert_eq!(store.session("nobody", START).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn use_moves_the_end_of_a_session() {
    for_each_store(|store| async move {
        let one = log_in(&*store, "first").await;
        let (now, until) = (START.plus(HOUR), START.plus(25 * HOUR));

        store.touch_session(&one.session_id, now, until).await.unwrap();
        store.touch_session("nobody", now, until).await.unwrap();

        let touched = store.session(&one.session_id, now).await.unwrap().unwrap();
        assert_eq!((touched.last_used_at, touched.expires_at), (now, until));
        store.touch_session(&one.session_id, until, until.plus(HOUR)).await.unwrap();
        assert_eq!(store.session(&one.session_id, until).await.unwrap(), None, "an ended session is not revived");
    })
    .await;
}

#[tokio::test]
async fn of_racing_rotations_one_wins_and_the_old_token_keeps_its_grace() {
    for_each_store(|store| async move {
        let one = log_in(&*store, "old").await;
        let (now, grace) = (START.plus(MINUTE), START.plus(2 * MINUTE));
        let tokens: Vec<_> = (0..100).map(|n| hash(&format!("new {n}"))).collect();

        let old = hash("old");
        let racers = tokens.iter().map(|new| store.rotate_session(&one.session_id, &old, new, now, grace));
        let answers: Vec<_> = race(racers).await.into_iter().map(Result::unwrap).collect();

        let winners: Vec<_> = (0..100).filter(|n| answers[*n]).collect();
        assert_eq!(winners.len(), 1);
        let new = store.session_by_token(&tokens[winners[0]], now).await.unwrap().unwrap();
        assert!(new.current && new.session.rotated_at == now);
        let before = store.session_by_token(&old, grace.plus(-1)).await.unwrap().unwrap();
        assert!(!before.current);
        assert_eq!(store.session_by_token(&old, grace).await.unwrap(), None);
        let again = store.rotate_session(&one.session_id, &old, &tokens[winners[0]], now, grace).await.unwrap();
        assert!(again, "the winner's call again after a lost answer");
        assert!(!store.rotate_session("nobody", &old, &hash("x"), now, grace).await.unwrap());
    })
    .await;
}

/// An instance remembers whose a token is; others rotate it, and end the session, meanwhile.
#[tokio::test]
async fn what_an_instance_remembers_of_a_token_keeps_no_session_alive() {
    let home = Home::on_dynamodb().await;
    let (one, other) = (DynamoStore::open(&home.url).unwrap(), DynamoStore::open(&home.url).unwrap());
    let session = log_in(&one, "old").await;
    let (old, new, grace) = (hash("old"), hash("new"), START.plus(2 * MINUTE));
    let found = async |token: &str, at| {
        let found = one.session_by_token(token, at).await.unwrap();
        found.map(|found| (found.session.session_id, found.current))
    };
    let present = Some((session.session_id.clone(), true));
    assert_eq!(found(&old, START).await, present);
    let before = one.consumed().read;
    assert_eq!(found(&old, START).await, present);
    let read = one.consumed().read - before;
    assert!((read - 1.0).abs() < 0.01, "the session, and no more: {read}");

    assert!(other.rotate_session(&session.session_id, &old, &new, START, grace).await.unwrap());
    assert_eq!(found(&old, grace.plus(-1)).await, Some((session.session_id.clone(), false)));
    assert_eq!(found(&old, grace).await, None);
    for _ in 0..2 {
        assert_eq!(found(&new, grace).await, present);
    }
    assert_eq!(found(&new, session.expires_at).await, None, "it has ended by itself");
    assert_eq!(found(&new, grace).await, present);

    assert!(other.end_session(&session.session_id).await.unwrap());
    assert_eq!(found(&new, grace).await, None);
    home.leave().await;
}

#[tokio::test]
async fn the_end_of_a_session_takes_its_tokens_and_tickets() {
    for_each_store(|store| async move {
        let one = log_in(&*store, "token").await;
        store.put_ticket(&hash("ticket"), &one.session_id, START.plus(30 * SECOND)).await.unwrap();

        assert!(store.end_session(&one.session_id).await.unwrap());

        assert!(!store.end_session(&one.session_id).await.unwrap());
        assert_eq!(store.session(&one.session_id, START).await.unwrap(), None);
        assert_eq!(store.session_by_token(&hash("token"), START).await.unwrap(), None);
        assert_eq!(store.take_ticket(&hash("ticket"), START).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_ticket_is_taken_once_and_in_time() {
    for_each_store(|store| async move {
        let one = log_in(&*store, "token").await;
        let (ticket, late) = (hash("ticket"), hash("late"));
        for hash in [&ticket, &late] {
            store.put_ticket(hash, &one.session_id, START.plus(30 * SECOND)).await.unwrap();
        }

        let takes = race((0..100).map(|_| store.take_ticket(&ticket, START))).await;

        let winners: Vec<_> = takes.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(winners, [one.session_id]);
        assert_eq!(store.take_ticket(&late, START.plus(30 * SECOND)).await.unwrap(), None);
        assert_eq!(store.take_ticket(&hash("unknown"), START).await.unwrap(), None);
    })
    .await;
}
