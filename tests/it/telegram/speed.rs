//! How long Telegram waits for the webhook. It waits with everything else of that chat, so that this is what one group can do.

use std::time::{Duration, Instant};

use serde_json::json;

use super::asked::{asked, update};
use super::stage::{GROUP, Office, for_each_office};

const UPDATES: i64 = 1_000;
/// What an update may take.
const LIMIT: Duration = Duration::from_millis(100);

#[tokio::test]
#[ignore = "measures, on a machine that does nothing else: TEST_STORES=sqlite cargo nextest run --run-ignored only --no-capture"]
async fn an_update_takes_less_than_100_ms() {
    for_each_office(&[], async |office: &Office| {
        let (_ada, message_id) = asked(office).await;
        let mut took = Vec::new();
        for number in 0..UPDATES {
            let reply = json!({"update_id": number, "message": {
                "message_id": 50_000 + number, "date": 1, "chat": {"id": GROUP, "type": "supergroup"},
                "from": {"id": 501, "is_bot": false, "first_name": "Olga"}, "text": format!("line {number}"),
                "reply_to_message": {"message_id": message_id, "date": 1, "chat": {"id": GROUP}},
            }});
            let began = Instant::now();
            assert_eq!(update(office, &reply).await, json!({"ok": true}));
            took.push(began.elapsed());
        }

        took.sort();
        let (median, slow) = (took[took.len() / 2], took[took.len() * 99 / 100]);
        eprintln!("{UPDATES} updates: p50 {median:?}, p99 {slow:?}, at most {:?}", took[took.len() - 1]);
        assert!(slow < LIMIT, "p99 {slow:?}");
    })
    .await;
}
