//! Telegram is dead or slow; the web chat does not notice.

use std::time::Duration;

use serde_json::json;
use shared::time::MINUTE;
use telegram_server::Fault;

use super::stage::{Office, for_each_office};

/// What arrived of one visitor's messages, in order.
fn arrived(office: &Office, name: &str) -> Vec<String> {
    let mark = format!("{name}: ");
    office.telegram.sent().iter().filter_map(|sent| sent.text.strip_prefix(&mark).map(Into::into)).collect()
}

/// Turns the clock until so many messages have arrived. Once is not enough: a call that was on its way when Telegram came
/// back fails after the clock was turned, and its pause counts from there.
async fn turn_until_sent(office: &Office, count: usize) {
    let turn = async {
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        loop {
            looks.tick().await;
            office.clock.advance(MINUTE);
        }
    };
    tokio::select! {
        _ = office.telegram.until_sent(count) => {}
        () = turn => {}
    }
}

#[tokio::test]
async fn ten_minutes_without_telegram_cost_the_web_chat_nothing_and_lose_nothing() {
    for_each_office(&[], async |office: &Office| {
        let (mut panel, _) = office.panel().await;
        let mut ada = office.visitor("Ada").await;
        let mut bob = office.visitor("Bob").await;
        office.telegram.until_sent(3).await;
        office.telegram.die();
        for minute in 0..10 {
            let (one, other) = (format!("a{minute}"), format!("b{minute}"));
            assert_eq!(ada.says(&one).await["content"], one.as_str());
            assert_eq!(bob.says(&other).await["content"], other.as_str());
            for text in [one, other] {
                assert_eq!(panel.frame("message").await["content"], text.as_str());
            }
            panel.send(&json!({"type": "ping"})).await;
            panel.frame("pong").await;
            office.clock.advance(MINUTE);
        }
        assert_eq!(office.telegram.sent().len(), 3);

        office.telegram.revive().await;
        turn_until_sent(office, 23).await;
        for (name, letter) in [("Ada", "a"), ("Bob", "b")] {
            let all: Vec<_> = (0..10).map(|n| format!("{letter}{n}")).collect();
            assert_eq!(arrived(office, name), all);
        }
    })
    .await;
}

#[tokio::test]
async fn a_telegram_that_answers_slowly_holds_nobody_up() {
    for_each_office(&[], async |office: &Office| {
        let mut ada = office.visitor("Ada").await;
        office.telegram.until_sent(1).await;
        office.telegram.outage(Some(Fault::Slow));
        ada.says("one").await;
        office.telegram.until_sent(2).await;
        ada.says("two").await;
        ada.says("three").await;
        assert_eq!(office.telegram.sent().len(), 2, "one call at a time");

        office.telegram.outage(None);
        office.telegram.release(1);
        office.telegram.until_sent(4).await;
        assert_eq!(arrived(office, "Ada"), ["one", "two", "three"]);
    })
    .await;
}
