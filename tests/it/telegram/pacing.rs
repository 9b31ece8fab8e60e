//! How much reaches the group, how soon, and who shares it.

use shared::time::{MINUTE, SECOND, Timestamp};

use super::bench::{Bench, for_each_bench};
use super::stage::{GROUP, START};

const VISITORS: usize = 50;
const LINES: usize = 10;

#[tokio::test]
async fn what_a_visitor_writes_within_three_seconds_goes_in_one_message() {
    for_each_bench(|bench| async move {
        let ada = bench.join("Ada").await;
        bench.say(&ada, "one").await;
        bench.drain_all().await;
        assert_eq!((bench.posts("Ada"), bench.app.now()), (vec![vec!["one".to_owned()]], START), "the first at once");

        bench.clock.advance(SECOND);
        bench.say(&ada, "two").await;
        let early = bench.drain().await;
        assert_eq!((early.delivered, early.next), (0, Some(START.plus(3 * SECOND))));
        bench.say(&ada, "three").await;
        bench.drain_all().await;

        assert_eq!(bench.posts("Ada")[1..], [["two", "three"]]);
        assert_eq!(bench.app.now(), START.plus(3 * SECOND));
    })
    .await;
}

#[tokio::test]
async fn what_the_panel_answers_waits_for_no_burst_and_what_was_written_before_goes_with_it() {
    for_each_bench(|bench| async move {
        let ada = bench.join("Ada").await;
        bench.say(&ada, "one").await;
        bench.drain_all().await;
        bench.clock.advance(2 * SECOND);
        bench.say(&ada, "two").await;
        bench.answer(&ada, "good day").await;
        bench.drain_all().await;

        assert_eq!(bench.app.now(), START.plus(2 * SECOND));
        let sent = bench.telegram.sent();
        let last = sent.last().unwrap();
        assert_eq!(last.text, "Ada: two\n↩ Ben: good day");
        let bold: Vec<_> =
            last.entities.iter().map(|entity| (entity["offset"].as_i64(), entity["length"].as_i64())).collect();
        assert_eq!(bold, [(Some(0), Some(3)), (Some(11), Some(3))], "both names stand out");
    })
    .await;
}

#[tokio::test]
async fn notices_wait_for_what_people_write() {
    for_each_bench(|bench| async move {
        let (ada, bob) = (bench.join("Ada").await, bench.join("Bob").await);
        bench.drain_all().await;
        bench.clock.advance(MINUTE);
        shared::chat::claim(&bench.app, &ada, "Ben").await.unwrap();
        bench.clock.advance(SECOND);
        bench.say(&bob, "hello").await;
        bench.drain_all().await;

        let texts: Vec<_> = bench.telegram.sent().into_iter().skip(2).map(|sent| sent.text).collect();
        assert_eq!(texts, ["Bob: hello", "Ben has taken on the conversation with Ada."]);
    })
    .await;
}

/// The most that happened in any minute.
fn busiest_minute(times: &[Timestamp]) -> usize {
    let within = |from: Timestamp| times.iter().filter(|at| (0..MINUTE).contains(&at.since(from))).count();
    times.iter().map(|from| within(*from)).max().unwrap_or(0)
}

/// Visitors come within ten seconds and write a line every six.
async fn flood(bench: &Bench, visitors: usize) -> Vec<String> {
    let each = |time: i64| time / i64::try_from(visitors).unwrap();
    let mut ids = Vec::new();
    for n in 0..visitors {
        ids.push(bench.join(&format!("V{n}")).await);
        bench.clock.advance(each(10 * SECOND));
    }
    for line in 0..LINES {
        for id in &ids {
            bench.say(id, &line.to_string()).await;
            bench.clock.advance(each(6 * SECOND));
        }
        while bench.drain().await.next.is_some_and(|next| next <= bench.app.now()) {}
    }
    bench.drain_all().await;
    ids
}

#[tokio::test]
async fn fifty_visitors_share_one_group_fairly_and_nothing_is_refused() {
    for_each_bench(|bench| async move {
        bench.telegram.set_forum(GROUP, true);
        bench.telegram.enforce_limits();
        let visitors = bench.few(VISITORS);
        flood(&bench, visitors).await;

        let lines: Vec<_> = (0..LINES).map(|n| n.to_string()).collect();
        for n in 0..visitors {
            assert_eq!(bench.arrived(&format!("V{n}")), lines, "each line of V{n} once, in order");
        }
        assert_eq!((bench.telegram.violations(), bench.telegram.calls_in_flood()), (0, 0));
        let sent = bench.telegram.sent();
        let times: Vec<_> = sent.iter().map(|sent| sent.at).collect();
        assert!(busiest_minute(&times) <= 20, "{} in a minute", busiest_minute(&times));
        let first_texts = sent.iter().position(|sent| sent.text.starts_with(&format!("V{}: ", visitors - 1))).unwrap();
        let most = (0..visitors).map(|n| {
            let mark = format!("V{n}: ");
            sent[..first_texts].iter().filter(|sent| sent.text.starts_with(&mark)).count()
        });
        assert!(most.max().unwrap() <= 2, "nobody is served a third time before everybody was once");

        let took = times.last().unwrap().since(START);
        let rate = |count: usize| i64::try_from(count).unwrap() * MINUTE / took;
        eprintln!(
            "{} lines in {} messages and {} topics within {} s: {} messages and {} lines a minute",
            visitors * LINES,
            sent.len(),
            bench.telegram.topics(GROUP).len(),
            took / SECOND,
            rate(sent.len()),
            rate(visitors * LINES),
        );
    })
    .await;
}
