//! Logins that somebody allows from elsewhere, without a code.

use shared::id::Secret;
use shared::model::Session;
use shared::store::{LoginCode, Redeemed, Store};
use shared::time::MINUTE;

use super::make::{START, race, session};
use crate::stores::for_each_store;

async fn ask(store: &dyn Store, challenge: &str, code: &str) {
    let code = LoginCode {
        challenge_hash: challenge.into(),
        code_hash: code.into(),
        created_at: START,
        expires_at: START.plus(5 * MINUTE),
    };
    store.put_code(&code).await.unwrap();
}

fn token(name: &str) -> String {
    Secret::presented(name).hash()
}

/// A session that would begin so much later.
fn after(minutes: i64) -> Session {
    Session { created_at: START.plus(minutes * MINUTE), ..session("Oya") }
}

#[tokio::test]
async fn an_approved_browser_logs_in_once() {
    for_each_store(|store| async move {
        ask(&*store, "browser", "right").await;
        ask(&*store, "other", "right").await;
        let one = after(1);
        let redeem = async |challenge: &str| store.redeem_approval(challenge, &one, &token("t")).await.unwrap();
        for _ in 0..9 {
            assert_eq!(redeem("browser").await, Redeemed::Wrong, "not yet, and nothing is counted");
        }

        assert!(store.approve_code("browser", one.created_at).await.unwrap());
        assert!(store.approve_code("browser", one.created_at).await.unwrap(), "the same again");

        assert_eq!(redeem("other").await, Redeemed::Wrong, "another browser was not meant");
        assert_eq!(redeem("browser").await, Redeemed::Session);
        let found = store.session_by_token(&token("t"), one.created_at).await.unwrap().unwrap();
        assert!(found.session == one && found.current);
        assert_eq!(redeem("browser").await, Redeemed::Session, "its own answer again");
        let another = store.redeem_approval("browser", &session("Ece"), &token("u")).await.unwrap();
        assert_eq!(another, Redeemed::Refused);
        let by_code = store.redeem_code("browser", "right", 5, &session("Ece"), &token("u")).await.unwrap();
        assert_eq!(by_code, Redeemed::Refused, "the code is used up with it");
        assert!(!store.approve_code("browser", START).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn what_is_unknown_replaced_used_or_too_old_is_not_approved() {
    for_each_store(|store| async move {
        for challenge in ["late", "replaced", "used"] {
            ask(&*store, challenge, "right").await;
        }
        assert!(store.approve_code("late", START).await.unwrap());
        assert_eq!(store.redeem_approval("late", &after(5), &token("l")).await.unwrap(), Redeemed::Refused);
        assert!(!store.approve_code("late", START.plus(5 * MINUTE)).await.unwrap());

        assert!(store.approve_code("replaced", START).await.unwrap());
        ask(&*store, "replaced", "another").await;
        assert_eq!(store.redeem_approval("replaced", &after(1), &token("r")).await.unwrap(), Redeemed::Wrong);

        let typed = store.redeem_code("used", "right", 5, &after(1), &token("c")).await.unwrap();
        assert_eq!(typed, Redeemed::Session);
        assert!(!store.approve_code("used", START).await.unwrap());
        assert_eq!(store.redeem_approval("used", &after(1), &token("a")).await.unwrap(), Redeemed::Refused);

        assert!(!store.approve_code("unknown", START).await.unwrap());
        assert_eq!(store.redeem_approval("unknown", &after(1), &token("x")).await.unwrap(), Redeemed::Refused);
        assert_eq!(store.session_by_token(&token("l"), START).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn of_a_hundred_that_redeem_one_approval_one_wins() {
    for_each_store(|store| async move {
        ask(&*store, "browser", "right").await;
        assert!(store.approve_code("browser", START).await.unwrap());
        let racers: Vec<_> = (0..100).map(|n| (after(1), token(&format!("t{n}")))).collect();

        // Half of them type the code, which is as good.
        let redeem = racers.iter().enumerate().map(async |(n, (one, token))| match n % 2 {
            0 => store.redeem_approval("browser", one, token).await,
            _ => store.redeem_code("browser", "right", 999, one, token).await,
        });
        let answers: Vec<_> = race(redeem).await.into_iter().map(Result::unwrap).collect();

        assert_eq!(answers.iter().filter(|one| **one == Redeemed::Session).count(), 1);
        let mut live = 0;
        for ((one, token), answer) in racers.iter().zip(answers) {
            let found = store.session_by_token(token, one.created_at).await.unwrap();
            assert_eq!(found.is_some(), answer == Redeemed::Session);
            live += i32::from(found.is_some());
        }
        assert_eq!(live, 1);
    })
    .await;
}
