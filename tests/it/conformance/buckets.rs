//! Token buckets and leases.

use shared::rate_limit::Rate;
use shared::store::dynamodb::DynamoStore;
use shared::store::{Buckets, Taken};
use shared::time::{HOUR, SECOND};

use super::make::{START, race};
use crate::stores::{Home, for_each_store};

const RATE: Rate = Rate { burst: 3, interval_ms: SECOND };

#[tokio::test]
async fn racing_takers_never_get_more_than_there_is() {
    for_each_store(|store| async move {
        let takes = race((0..100).map(|_| store.take("k", RATE, START))).await;

        let granted = takes.into_iter().filter(|one| *one.as_ref().unwrap() == Taken::Granted).count();
        assert_eq!(granted, 3);
        assert_eq!(store.take("other", RATE, START).await.unwrap(), Taken::Granted);
    })
    .await;
}

#[tokio::test]
async fn tokens_come_back_one_by_one_up_to_the_burst() {
    for_each_store(|store| async move {
        for _ in 0..3 {
            assert_eq!(store.take("k", RATE, START).await.unwrap(), Taken::Granted);
        }
        let denied = store.take("k", RATE, START.plus(400)).await.unwrap();
        assert_eq!(denied, Taken::Denied { retry_after_ms: 600 });
        assert_eq!(store.take("k", RATE, START.plus(999)).await.unwrap(), Taken::Denied { retry_after_ms: 1 });
        assert_eq!(store.take("k", RATE, START.plus(1_000)).await.unwrap(), Taken::Granted);
        assert_eq!(store.take("k", RATE, START.plus(1_000)).await.unwrap(), Taken::Denied { retry_after_ms: 1_000 });

        let later = START.plus(HOUR);
        for _ in 0..3 {
            assert_eq!(store.take("k", RATE, later).await.unwrap(), Taken::Granted);
        }
        assert_eq!(store.take("k", RATE, later).await.unwrap(), Taken::Denied { retry_after_ms: 1_000 });
    })
    .await;
}

/// An instance begins with what it has seen of a bucket last; others take from it meanwhile, and time goes by.
#[tokio::test]
async fn several_instances_share_a_bucket_whatever_each_has_seen_of_it() {
    let home = Home::on_dynamodb().await;
    let (one, other) = (DynamoStore::open(&home.url).unwrap(), DynamoStore::open(&home.url).unwrap());
    let granted = async |store: &DynamoStore, at| store.take("k", RATE, at).await.unwrap() == Taken::Granted;

    for round in 0..3 {
        let now = START.plus(round * HOUR);
        assert!(granted(&one, now).await && granted(&other, now).await && granted(&other, now).await);
        assert!(!granted(&one, now).await, "the other one has taken the rest");
        let later = now.plus(SECOND);
        assert!(granted(&other, later).await && !granted(&one, later).await && !granted(&other, later).await);
    }
    let (before, now) = (one.consumed().written, START.plus(9 * HOUR));
    assert!(granted(&one, now).await && granted(&one, now).await);
    let written = one.consumed().written - before;
    assert!((written - 2.0).abs() < 0.01, "one write each, since it remembers the first: {written}");
    home.leave().await;
}

#[tokio::test]
async fn a_clock_that_steps_back_costs_one_bucket_at_most() {
    for_each_store(|store| async move {
        let ahead = START.plus(HOUR);
        store.take("k", RATE, ahead).await.unwrap();

        assert_eq!(store.take("k", RATE, START).await.unwrap(), Taken::Denied { retry_after_ms: 1_000 });
        assert_eq!(store.take("k", RATE, START.plus(1_000)).await.unwrap(), Taken::Granted);
    })
    .await;
}

#[tokio::test]
async fn what_is_given_back_never_overfills_the_bucket() {
    for_each_store(|store| async move {
        store.give_back("k", RATE, START).await.unwrap();
        for _ in 0..3 {
            assert_eq!(store.take("k", RATE, START).await.unwrap(), Taken::Granted);
        }
        store.give_back("k", RATE, START).await.unwrap();
        assert_eq!(store.take("k", RATE, START).await.unwrap(), Taken::Granted);
        for _ in 0..9 {
            store.give_back("k", RATE, START).await.unwrap();
        }

        let takes = race((0..9).map(|_| store.take("k", RATE, START))).await;

        assert_eq!(takes.into_iter().filter(|one| *one.as_ref().unwrap() == Taken::Granted).count(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_lease_has_one_owner_at_a_time() {
    for_each_store(|store| async move {
        let until = START.plus(10 * SECOND);
        let owners: Vec<_> = (0..100).map(|n| format!("owner {n}")).collect();

        let takes = race(owners.iter().map(|owner| store.lease("drain", owner, START, until))).await;

        let winners: Vec<_> = (0..100).filter(|n| *takes[*n].as_ref().unwrap()).collect();
        assert_eq!(winners.len(), 1);
        let winner = &owners[winners[0]];
        assert!(store.lease("drain", winner, START.plus(SECOND), until.plus(SECOND)).await.unwrap(), "renewed");
        assert!(!store.lease("drain", "late", until, until.plus(HOUR)).await.unwrap(), "still theirs");
        assert!(store.lease("drain", "late", until.plus(SECOND), until.plus(HOUR)).await.unwrap(), "expired");
        assert!(store.lease("other", "late", START, until).await.unwrap());
        assert_eq!(store.leased_until("other", until.plus(-1)).await.unwrap(), Some(until));
        assert_eq!(store.leased_until("other", until).await.unwrap(), None);
        assert_eq!(store.leased_until("never", START).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_bucket_of_one_token_spaces_things_out() {
    for_each_store(|store| async move {
        let one = Rate { burst: 1, interval_ms: 3 * SECOND };

        let takes = race((0..20).map(|_| store.take("k", one, START))).await;

        assert_eq!(takes.into_iter().filter(|one| *one.as_ref().unwrap() == Taken::Granted).count(), 1);
        let denied = store.take("k", one, START.plus(SECOND)).await.unwrap();
        assert_eq!(denied, Taken::Denied { retry_after_ms: 2 * SECOND });
        assert_eq!(store.take("k", one, START.plus(3 * SECOND)).await.unwrap(), Taken::Granted);
        assert_eq!(store.take("other", one, START).await.unwrap(), Taken::Granted);
        store.give_back("k", one, START.plus(3 * SECOND)).await.unwrap();
        assert_eq!(store.take("k", one, START.plus(3 * SECOND)).await.unwrap(), Taken::Granted);
    })
    .await;
}
