//! Every update comes three times, as it does when our answers are lost; each counts once.

use serde_json::json;
use shared::time::SECOND;
use telegram_server::Media;

use super::asked::{asked, browser, head};
use super::stage::{GROUP, Office, for_each_office};

/// Delivers until nothing waits; answers how often the webhook was called.
async fn deliver(office: &Office) -> usize {
    let mut calls = 0;
    while office.telegram.pending() > 0 {
        let statuses = office.telegram.deliver().await;
        assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
        calls += statuses.len();
        office.clock.advance(2 * SECOND);
    }
    calls
}

#[tokio::test]
async fn whatever_operators_do_happens_once() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, message_id) = asked(office).await;
        let (mut panel, token) = office.panel().await;
        let olga = &office.olga;
        office.telegram.lose_each_webhook_answer(2);

        let own = olga.replies(message_id, "good day");
        olga.edits(own, "good evening");
        office.telegram.enqueue_raw(GROUP, b"\xff{");
        olga.replies_with(message_id, &Media::location(41.0, 29.0));
        olga.replies(message_id, "// a friend of Ben's");
        olga.replies(message_id, "/tag vip");
        olga.reacts(message_id, "👍");
        office.telegram.enqueue(GROUP, json!({"of_the_year_2031": {"chat": {"id": GROUP}}}));
        olga.replies(message_id, "/close");
        olga.replies(message_id, "/reopen");
        olga.replies(message_id, "good night");
        assert_eq!(deliver(office).await, 3 * 11);

        let mut said = Vec::new();
        while said.last().is_none_or(|last| last != "good night") {
            said.push(ada.frame("message").await["content"].as_str().unwrap().to_owned());
        }
        let map = "https://www.openstreetmap.org/?mlat=41&mlon=29#map=16/41/29";
        assert_eq!(said, ["good day", map, "good night"]);
        assert_eq!(head(&mut ada).await, 4);
        let activity = browser(office, &token).get("/api/admin/activity").await.good();
        let closed = activity["items"].as_array().unwrap().iter().filter(|line| line["action"] == "close");
        assert_eq!(closed.count(), 1, "{activity}");
        ada.send(&json!({"type": "history", "before": 100})).await;
        let history = ada.frame("history").await;
        assert_eq!(history["messages"][0]["reaction"], "👍");
        assert_eq!(history["messages"][1]["content"], "good evening");

        let path = |what: &str| format!("/api/admin/conversations/{}/{what}", ada.conversation_id);
        let notes = browser(office, &token).get(&path("notes")).await.good();
        assert_eq!(notes["items"].as_array().unwrap().len(), 1, "{notes}");
        let told: Vec<_> =
            office.telegram.webhook_replies().into_iter().filter(|told| told.method == "sendMessage").collect();
        assert_eq!(told.len(), 1, "the tags, once: {told:?}");
        assert_eq!(told[0].parameters["text"], "Tags: vip");
        panel.frame("conversation_updated").await;
    })
    .await;
}
