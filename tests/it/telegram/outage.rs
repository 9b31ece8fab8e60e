//! Telegram is dead or slow; the web chat does not notice.

use serde_json::json;
use shared::time::MINUTE;
use telegram_server::{Fault, TelegramServer};

use super::stage::{Office, for_each_office};

/// What arrived of one visitor's messages, line by line, in order.
fn arrived(telegram: &TelegramServer, name: &str) -> Vec<String> {
    let mark = format!("{name}: ");
    let sent = telegram.sent();
    let posts = sent.iter().filter_map(|sent| sent.text.strip_prefix(&mark));
    posts.flat_map(|lines| lines.lines().map(ToOwned::to_owned)).collect()
}

#[tokio::test]
async fn ten_minutes_without_telegram_cost_the_web_chat_nothing_and_lose_nothing() {
    for_each_office(&[], async |office: &Office| {
        let (mut panel, _) = office.panel().await;
        let mut ada = office.visitor("Ada").await;
        let mut bob = office.visitor("Bob").await;
        office.telegram.until_sent(4).await;
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
        assert_eq!(office.telegram.sent().len(), 4);

        office.telegram.revive().await;
        office.mirrored().await;
        for (name, letter) in [("Ada", "a"), ("Bob", "b")] {
            let all: Vec<_> = (0..10).map(|n| format!("{letter}{n}")).collect();
            assert_eq!(arrived(&office.telegram, name), all);
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
        office.mirrored().await;
        assert_eq!(arrived(&office.telegram, "Ada"), ["one", "two", "three"]);
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
        office.mirrored().await;
        assert!(panel.frame("alert").await["alert"].is_null());
        let status = panel.frame("telegram_status").await;
        assert_eq!((&status["sent_seq"], &status["paused_until"]), (&json!(2), &json!(null)), "it arrives again");
        assert_eq!(arrived(&office.telegram, "Ada"), ["hello", "is anybody there?"]);
    })
    .await;
}
