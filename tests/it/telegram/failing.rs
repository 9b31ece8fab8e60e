//! Calls that fail: what is repeated, when, and what is not.

use std::future::{Future, poll_fn};

use notifier::drain;
use shared::event::Lane;
use shared::time::{MINUTE, SECOND};
use telegram_server::Fault;

use super::bench::for_each_bench;
use super::stage::START;

#[tokio::test]
async fn a_wait_that_telegram_asks_for_is_kept_to_the_second_by_everybody() {
    for_each_bench(|bench| async move {
        let ada = bench.join("Ada").await;
        bench.telegram.fail(&[Fault::Flood(35)]);
        let refused = bench.drain().await;
        assert_eq!((refused.delivered, refused.next), (0, Some(START.plus(35 * SECOND))));

        let bob = bench.join("Bob").await;
        bench.say(&bob, "hello").await;
        bench.say(&ada, "hello").await;
        for wait in [0, SECOND, 33_999] {
            bench.clock.advance(wait);
            let early = bench.drain().await;
            assert_eq!((early.delivered, early.next), (0, Some(START.plus(35 * SECOND))));
            assert!(bench.app.send_code("123456", "challenge", "203.0.113.5", "browser").await.is_err());
        }
        assert_eq!((bench.telegram.calls(), bench.telegram.calls_in_flood()), (1, 0));

        bench.clock.advance(1);
        assert_eq!(bench.drain().await.delivered, 4);
        assert_eq!(bench.telegram.calls_in_flood(), 0);
        assert_eq!((bench.arrived("Ada"), bench.arrived("Bob")), (vec!["hello".to_owned()], vec!["hello".to_owned()]));
    })
    .await;
}

#[tokio::test]
async fn a_wait_that_a_login_code_meets_holds_for_the_mirror_too() {
    for_each_bench(|bench| async move {
        bench.join("Ada").await;
        bench.telegram.fail(&[Fault::Flood(7)]);
        assert!(bench.app.send_code("123456", "challenge", "203.0.113.5", "browser").await.is_err());

        let early = bench.drain().await;
        assert_eq!((early.delivered, early.next), (0, Some(START.plus(7 * SECOND))));
        assert_eq!((bench.drain_all().await, bench.telegram.calls_in_flood()), (7 * SECOND, 0));
    })
    .await;
}

#[tokio::test]
async fn a_message_in_pieces_goes_on_with_the_piece_that_failed() {
    for_each_bench(|bench| async move {
        let ada = bench.join("Ada").await;
        bench.drain_all().await;
        let (first, second) = ("a".repeat(4_000), "b".repeat(1_900));
        bench.say(&ada, &format!("{first}\n{second}")).await;
        bench.telegram.fail_after(1, &[Fault::Broken, Fault::Cut]);
        bench.drain_all().await;

        let texts: Vec<_> = bench.telegram.sent().into_iter().skip(1).map(|sent| sent.text).collect();
        assert_eq!(texts, [format!("Ada: {first}"), second]);
    })
    .await;
}

#[tokio::test]
async fn a_message_arrives_twice_only_when_the_answer_to_the_first_was_lost() {
    for_each_bench(|bench| async move {
        let ada = bench.join("Ada").await;
        for n in 0..20 {
            bench.say(&ada, &n.to_string()).await;
        }
        let faults = [Fault::LostAnswer, Fault::Cut, Fault::Broken, Fault::BadGateway];
        for _ in 0..4 {
            bench.telegram.fail(&faults);
        }
        bench.drain_all().await;

        let mut arrived = bench.arrived("Ada");
        let heads = bench.telegram.sent().iter().filter(|sent| sent.text.starts_with("Ada has come")).count();
        let all = arrived.len() + heads;
        arrived.dedup();
        assert_eq!(arrived, (0..20).map(|n| n.to_string()).collect::<Vec<_>>(), "each, in order");
        assert_eq!((all - 21, bench.telegram.lost_answers()), (4, 4));
    })
    .await;
}

#[tokio::test]
async fn a_process_that_dies_between_sending_and_marking_sends_again() {
    for_each_bench(|bench| async move {
        let ada = bench.join("Ada").await;
        bench.drain_all().await;
        bench.say(&ada, "hello").await;
        bench.telegram.fail(&[Fault::Slow]);
        {
            let mut dying = std::pin::pin!(drain(&bench.app, Lane::Telegram));
            let sent = bench.telegram.until_sent(2);
            let mut sent = std::pin::pin!(sent);
            poll_fn(|context| {
                assert!(dying.as_mut().poll(context).is_pending(), "its answer has not come");
                sent.as_mut().poll(context).map(drop)
            })
            .await;
        }

        assert_eq!(bench.drain().await.delivered, 1);
        assert_eq!(bench.arrived("Ada"), ["hello", "hello"]);
        assert_eq!(bench.drain().await.delivered, 0);
    })
    .await;
}

#[tokio::test]
async fn a_bot_that_was_removed_asks_rarely_and_loses_nothing() {
    for fault in [Fault::Kicked, Fault::Migrated(-1_005_555_555_555), Fault::Unauthorized, Fault::NoSuchChat] {
        for_each_bench(|bench| {
            let fault = fault.clone();
            async move {
                bench.telegram.outage(Some(fault.clone()));
                let ada = bench.join("Ada").await;
                for minute in 0..120 {
                    bench.say(&ada, &minute.to_string()).await;
                    bench.drain().await;
                    bench.clock.advance(MINUTE);
                }
                let calls = bench.telegram.calls();
                assert!(calls <= 80, "{fault:?}: {calls} calls in two hours");

                bench.telegram.outage(None);
                assert!(bench.drain_all().await <= 5 * MINUTE, "{fault:?}");
                assert_eq!(bench.arrived("Ada"), (0..120).map(|n| n.to_string()).collect::<Vec<_>>());
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_message_that_telegram_never_takes_holds_nothing_up() {
    for_each_bench(|bench| async move {
        let ada = bench.join("Ada").await;
        bench.drain_all().await;
        bench.telegram.fail(&[Fault::Unsendable]);
        bench.say(&ada, "one").await;
        bench.say(&ada, "two").await;

        assert_eq!(bench.drain().await.delivered, 2);
        assert_eq!(bench.arrived("Ada"), ["two"]);
    })
    .await;
}
