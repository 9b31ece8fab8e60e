//! The audit trail.

use shared::model::Activity;
use shared::time::SECOND;

use super::make::{START, activity, after, first};
use crate::stores::for_each_store;

#[tokio::test]
async fn the_trail_is_read_newest_first_page_by_page() {
    for_each_store(|store| async move {
        let lines: Vec<_> = (0..5)
            .map(|n| Activity {
                created_at: START.plus(n * SECOND),
                session_id: Some("s".into()),
                name: Some("Oya".into()),
                conversation_id: Some("c".into()),
                details: serde_json::json!({"n": n, "odd": "\0 \u{1f642}"}),
                ..activity("send")
            })
            .collect();
        for line in lines.iter().chain(&lines) {
            store.record(line).await.unwrap();
        }

        let one = store.activity(&first(3)).await.unwrap();
        let two = store.activity(&after(3, one.next_cursor.clone())).await.unwrap();

        let read: Vec<_> = one.items.iter().chain(&two.items).rev().cloned().collect();
        assert_eq!(read, lines);
        assert_eq!((one.items.len(), two.items.len(), two.next_cursor), (3, 2, None));
    })
    .await;
}

#[tokio::test]
async fn a_line_without_a_session_is_kept_too() {
    for_each_store(|store| async move {
        let line = activity("login_failed");

        store.record(&line).await.unwrap();

        assert_eq!(store.activity(&first(9)).await.unwrap().items, [line]);
    })
    .await;
}
