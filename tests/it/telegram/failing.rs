//! Calls that fail: what is repeated, when, and what is not.

use std::future::{Future, poll_fn};

use notifier::drain;
use shared::event::Lane;
use shared::telegram::chat::{all_paused_until, bot_changed};
use shared::time::{HOUR, MINUTE, SECOND};
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
        assert_eq!(bench.telegram.requests("sendMessage").len(), 1);
        assert_eq!(bench.telegram.calls_in_flood(), 0);

        bench.clock.advance(1);
        bench.drain_all().await;
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
        for _ in 0..4 {
            bench.telegram.fail(&[Fault::LostAnswer, Fault::Cut, Fault::Broken, Fault::BadGateway]);
        }
        for n in 0..20 {
            bench.say(&ada, &n.to_string()).await;
            bench.drain().await;
            bench.clock.advance(4 * SECOND);
        }
        bench.drain_all().await;

        let (mut seen, mut repeated) = (Vec::new(), 0);
        for post in bench.posts("Ada") {
            let new: Vec<_> = post.into_iter().filter(|line| !seen.contains(line)).collect();
            repeated += usize::from(new.is_empty());
            seen.extend(new);
        }
        assert_eq!(seen, (0..20).map(|n| n.to_string()).collect::<Vec<_>>(), "each, in order");
        let heads = bench.telegram.sent().iter().filter(|sent| sent.text.starts_with("Ada has come")).count();
        assert_eq!(bench.telegram.lost_answers(), 4);
        assert!(repeated + heads - 1 <= 4, "{repeated} posts and {heads} announcements");
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
        bench.take_in().await;
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
async fn a_bot_that_may_not_write_asks_ever_more_rarely_says_so_and_loses_nothing() {
    let barred = [
        (Fault::Kicked, "telegram_forbidden", 8),
        (Fault::NoSuchChat, "telegram_chat_not_found", 8),
        (Fault::Unauthorized, "telegram_unauthorized", 30),
    ];
    for (fault, code, most) in barred {
        for_each_bench(|bench| {
            let fault = fault.clone();
            async move {
                bench.telegram.outage(Some(fault.clone()));
                let ada = bench.join("Ada").await;
                let (steps, mut calls) = (bench.few(120), 0);
                for step in 0..steps {
                    bench.say(&ada, &step.to_string()).await;
                    calls += bench.calls().await;
                    bench.clock.advance(2 * HOUR / i64::try_from(steps).unwrap());
                }
                assert!((5..=most).contains(&calls), "{fault:?}: {calls} calls in two hours");
                assert_eq!(bench.alert().await.as_deref(), Some(code));

                bench.telegram.outage(None);
                bot_changed(&bench.app).await.unwrap();
                assert!(bench.drain_all().await <= 5 * MINUTE, "{fault:?}");
                assert_eq!(bench.arrived("Ada"), (0..steps).map(|n| n.to_string()).collect::<Vec<_>>());
                assert_eq!(bench.alert().await, None);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_dead_telegram_is_asked_once_in_a_while_by_one_for_all() {
    for_each_bench(|bench| async move {
        bench.telegram.outage(Some(Fault::Broken));
        for n in 0..10 {
            let id = bench.join(&format!("V{n}")).await;
            bench.say(&id, "hello").await;
        }
        let (steps, mut calls) = (bench.few(600), 0);
        for _ in 0..steps {
            calls += bench.calls().await;
            bench.clock.advance(10 * MINUTE / i64::try_from(steps).unwrap());
        }
        assert!((5..=60).contains(&calls), "{calls} calls in ten minutes");
        assert_eq!(bench.alert().await.as_deref(), Some("telegram_down"));

        // The pause may have ended with the last step; whoever comes first asks.
        bench.calls().await;
        let before = bench.telegram.calls();
        bench.app.announce("telegram.login_failures", &[]).await;
        assert_eq!(bench.telegram.calls(), before, "nobody calls while it is down");

        bench.telegram.outage(None);
        bench.drain_all().await;
        for n in 0..10 {
            assert_eq!(bench.arrived(&format!("V{n}")), ["hello"]);
        }
        assert_eq!(bench.alert().await, None);
    })
    .await;
}

#[tokio::test]
async fn a_second_wait_within_a_minute_holds_for_all_of_telegram() {
    for_each_bench(|bench| async move {
        let ada = bench.join("Ada").await;
        bench.telegram.fail(&[Fault::ChatFlood(5), Fault::ChatFlood(9)]);
        bench.drain().await;
        bench.clock.advance(5 * SECOND);
        let again = bench.drain().await;

        assert_eq!(again.next, Some(START.plus(14 * SECOND)));
        assert_eq!(bench.alert().await.as_deref(), Some("telegram_flood"));
        assert_eq!(all_paused_until(&bench.app).await.unwrap(), again.next);
        bench.say(&ada, "hello").await;
        bench.drain_all().await;
        assert_eq!((bench.arrived("Ada"), bench.telegram.calls_in_flood()), (vec!["hello".to_owned()], 0));
    })
    .await;
}

#[tokio::test]
async fn a_message_that_telegram_never_takes_holds_nothing_up_and_is_told_of() {
    for_each_bench(|bench| async move {
        let ada = bench.join("Ada").await;
        bench.drain_all().await;
        for text in ["one", "two", "three"] {
            bench.say(&ada, text).await;
        }
        // The post that joins them is refused, and then the first of them alone.
        bench.telegram.fail(&[Fault::Unsendable, Fault::Unsendable]);
        bench.drain_all().await;

        assert_eq!(bench.arrived("Ada"), ["two", "three"]);
        let status = shared::telegram::status(&bench.app, &ada).await.unwrap();
        let failures: Vec<_> = status.failures.iter().map(|failure| failure.seq).collect();
        assert_eq!((status.enabled, status.sent_seq, failures), (true, 3, vec![1]));
        assert!(status.failures[0].reason.contains("UTF-8"), "{}", status.failures[0].reason);
    })
    .await;
}
