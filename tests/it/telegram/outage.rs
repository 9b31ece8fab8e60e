//! Telegram is dead or slow; the web chat does not notice.

use std::time::Duration;

use serde_json::json;
use shared::telegram::chat::all_paused_until;
use shared::time::{Clock, MINUTE, SECOND};
use shared::wire::Alert;
use telegram_server::{Fault, TelegramServer};

use super::stage::{Office, config, for_each_office, for_each_office_with, impatient};

/// What arrived of one visitor's messages, line by line, in order.
fn arrived(telegram: &TelegramServer, name: &str) -> Vec<String> {
    let mark = format!("{name}: ");
    let sent = telegram.sent();
    let posts = sent.iter().filter_map(|sent| sent.text.strip_prefix(&mark));
    posts.flat_map(|lines| lines.lines().map(ToOwned::to_owned)).collect()
}

async fn alert(office: &Office) -> Option<Alert> {
    shared::telegram::alert::current(office.running.app().expect("its functions run in here")).await.unwrap()
}

#[tokio::test]
async fn ten_minutes_without_telegram_cost_the_web_chat_nothing_and_lose_nothing() {
    for_each_office(&[], async |office: &Office| {
        let (mut panel, _) = office.panel().await;
        let mut ada = office.visitor("Ada").await;
        let mut bob = office.visitor("Bob").await;
        office.telegram.until_sent(4).await;
        office.telegram.die().await;
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
        assert_eq!(office.telegram.sent().len(), 4);

        // A call that was still to be refused would bring a pause that ends later.
        let app = office.running.app().expect("its functions run in here");
        office.eventually("nothing is tried now", async || all_paused_until(app).await.unwrap()).await;
        office.telegram.revive();
        // No pause is longer.
        office.clock.advance(5 * MINUTE);
        office.mirrored().await;
        for (name, letter) in [("Ada", "a"), ("Bob", "b")] {
            let all: Vec<_> = (0..10).map(|n| format!("{letter}{n}")).collect();
            assert_eq!(arrived(&office.telegram, name), all);
        }
    })
    .await;
}

#[tokio::test]
async fn a_telegram_that_takes_twenty_seconds_for_an_answer_holds_nobody_up() {
    // The answer comes by the story's clock, and by the wall that takes as long as the story does.
    let settings = |api_url: &str| impatient(config(api_url, &[]), Duration::from_mins(5));
    for_each_office_with(&settings, async |office: &Office| {
        let (mut panel, _) = office.panel().await;
        let mut ada = office.visitor("Ada").await;
        office.mirrored().await;
        office.telegram.outage(Some(Fault::Late(20)));
        ada.says("0").await;
        panel.frame("message").await;
        office.telegram.until("a call", |telegram| arrived(telegram, "Ada") == ["0"]).await;
        let called = office.telegram.requests("sendMessage");
        let answer_at = called.last().unwrap().at.plus(20 * SECOND);

        let mut lines = vec!["0".to_owned()];
        while office.clock.now().plus(SECOND) < answer_at {
            office.clock.advance(SECOND);
            let line = lines.len().to_string();
            assert_eq!(ada.says(&line).await["content"], line.as_str());
            assert_eq!(panel.frame("message").await["content"], line.as_str());
            lines.push(line);
        }
        assert!(lines.len() > 15, "{lines:?}");
        assert_eq!(office.telegram.requests("sendMessage").len(), called.len(), "one call at a time");

        office.clock.advance(SECOND);
        office.telegram.outage(None);
        office.mirrored().await;
        assert_eq!(arrived(&office.telegram, "Ada"), lines, "each once, since the answer was waited for");
        assert_eq!(alert(office).await, None);
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_never_comes_is_given_up_and_what_was_sent_goes_again() {
    let settings = |api_url: &str| impatient(config(api_url, &[]), Duration::from_secs(2));
    for_each_office_with(&settings, async |office: &Office| {
        let mut ada = office.visitor("Ada").await;
        office.mirrored().await;
        let never = [Fault::Slow, Fault::Slow, Fault::Slow];
        office.telegram.fail(&never);
        let lines: Vec<_> = (0..6).map(|n| n.to_string()).collect();
        for line in &lines {
            let tried = office.telegram.requests("sendMessage").len();
            assert_eq!(ada.says(line).await["content"], line.as_str());
            let again = |telegram: &TelegramServer| telegram.requests("sendMessage").len() > tried;
            office.telegram.until("another try", again).await;
        }
        office.mirrored().await;

        let (mut seen, mut repeated) = (Vec::new(), 0);
        let sent = office.telegram.sent();
        for post in sent.iter().filter_map(|sent| sent.text.strip_prefix("Ada: ")) {
            repeated += usize::from(post.lines().any(|line| seen.contains(&line)));
            seen.extend(post.lines().filter(|line| !seen.contains(line)).collect::<Vec<_>>());
        }
        assert_eq!(seen, lines, "each, in order");
        assert!((1..=never.len()).contains(&repeated), "{repeated} posts came again");
        assert_eq!(alert(office).await, None, "it is over");
    })
    .await;
}

#[tokio::test]
async fn a_wait_of_35_seconds_is_kept_and_noticed_by_nobody_in_the_chat() {
    for_each_office(&[], async |office: &Office| {
        let (mut panel, _) = office.panel().await;
        let mut ada = office.visitor("Ada").await;
        office.mirrored().await;
        office.telegram.fail(&[Fault::Flood(35)]);
        let before = office.telegram.requests("sendMessage").len();
        ada.says("0").await;
        panel.frame("message").await;
        office.telegram.until("a call", |telegram| telegram.requests("sendMessage").len() > before).await;
        let refused_at = office.clock.now();
        for n in 1..30 {
            office.clock.advance(SECOND);
            let line = n.to_string();
            assert_eq!(ada.says(&line).await["content"], line.as_str());
            assert_eq!(panel.frame("message").await["content"], line.as_str());
        }
        assert!(office.clock.now() < refused_at.plus(35 * SECOND));
        assert_eq!(office.telegram.requests("sendMessage").len(), before + 1, "nobody asks meanwhile");

        office.clock.advance(5 * SECOND);
        office.mirrored().await;
        assert_eq!(arrived(&office.telegram, "Ada"), (0..30).map(|n| n.to_string()).collect::<Vec<_>>());
        assert_eq!(office.telegram.calls_in_flood(), 0);
    })
    .await;
}

#[tokio::test]
async fn the_panel_shows_what_is_wrong_and_what_waits_until_it_is_over() {
    for_each_office(&[], async |office: &Office| {
        let (mut panel, _) = office.panel().await;
        let mut ada = office.visitor("Ada").await;
        ada.says("hello").await;
        office.mirrored().await;
        office.telegram.outage(Some(Fault::Kicked));
        ada.says("is anybody there?").await;
        office.telegram.until("a refused call", |telegram| telegram.requests("sendMessage").len() > 4).await;

        let alert = panel.frame("alert").await;
        assert_eq!(alert["alert"]["code"], "telegram_forbidden");
        assert!(alert["alert"]["detail"].as_str().unwrap().contains("kicked"), "{alert}");
        let status = panel.frame("telegram_status").await;
        assert_eq!((&status["conversation_id"], &status["sent_seq"]), (&json!(ada.conversation_id), &json!(1)));
        assert!(status["paused_until"].is_string(), "{status}");
        let app = office.running.app().expect("its functions run in here");
        let seen = shared::telegram::status(app, &ada.conversation_id).await.unwrap();
        assert!(seen.enabled && seen.sent_seq == 1 && seen.paused_until.is_some(), "{seen:?}");

        office.telegram.outage(None);
        office.clock.advance(MINUTE);
        office.mirrored().await;
        assert!(panel.frame("alert").await["alert"].is_null());
        let status = panel.frame("telegram_status").await;
        assert_eq!((&status["sent_seq"], &status["paused_until"]), (&json!(2), &json!(null)), "it arrives again");
        assert_eq!(arrived(&office.telegram, "Ada"), ["hello", "is anybody there?"]);
    })
    .await;
}
