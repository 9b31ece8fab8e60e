//! More than fits into one frame.

use serde_json::{Value, json};

use crate::people::{RELAXED, in_each_house};

fn seqs(history: &Value) -> Vec<i64> {
    history["messages"].as_array().unwrap().iter().map(|message| message["seq"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_long_conversation_comes_in_pages_of_fifty() {
    in_each_house(RELAXED, async |house| {
        let mut ada = house.visitor("Ada").await;
        ada.say_many(120, |number| format!("message {number}")).await;

        let (mut tab, newest) = ada.another_tab(None).await;
        assert_eq!(seqs(&newest), (71..=120).collect::<Vec<_>>());
        assert_eq!((&newest["has_more"], &newest["head_seq"]), (&json!(true), &json!(120)));
        for (since, expected, more) in [(0, 1..=50, true), (50, 51..=100, true), (100, 101..=120, false)] {
            tab.send(ada.resume_frame(Some(since))).await;
            let page = tab.expect("history").await;
            assert_eq!((seqs(&page), &page["has_more"]), (expected.collect(), &json!(more)));
        }
        for (before, expected, more) in [(71, 21..=70, true), (51, 1..=50, false), (21, 1..=20, false)] {
            tab.send(json!({"type": "history", "before": before})).await;
            let page = tab.expect("history").await;
            assert_eq!((seqs(&page), &page["has_more"]), (expected.collect(), &json!(more)));
        }
        tab.send(ada.resume_frame(Some(120))).await;
        let nothing = tab.expect("history").await;
        assert_eq!((seqs(&nothing), &nothing["has_more"], &nothing["reset"]), (vec![], &json!(false), &Value::Null));
    })
    .await;
}

#[tokio::test]
async fn a_since_ahead_of_the_store_is_answered_from_the_start_with_reset() {
    in_each_house(RELAXED, async |house| {
        let mut ada = house.visitor("Ada").await;
        ada.say_many(60, |number| format!("message {number}")).await;

        let (_tab, history) = ada.another_tab(Some(61)).await;

        assert_eq!((&history["reset"], &history["has_more"]), (&json!(true), &json!(true)));
        assert_eq!(seqs(&history), (1..=50).collect::<Vec<_>>());
        assert_eq!(history["head_seq"], 60);
    })
    .await;
}

#[tokio::test]
async fn a_page_never_outgrows_its_frame_and_no_message_is_left_out() {
    in_each_house(RELAXED, async |house| {
        let (mut ada, mut grace) = (house.visitor("Ada").await, house.admin("Grace").await);
        // Quotes double in JSON, emoji take four bytes: the text is far from its size in a frame.
        ada.say_many(40, |number| format!("{number}{}", "🙂\"".repeat(999))).await;
        let fits = |page: &Value| {
            let size = page["messages"].to_string().len();
            assert!((64 * 1024..=96 * 1024).contains(&size) || page["has_more"] == false, "{size}");
            assert!(size <= 96 * 1024, "{size}");
        };

        let (mut tab, mut page) = ada.another_tab(Some(0)).await;
        let mut forward = Vec::new();
        loop {
            fits(&page);
            forward.extend(seqs(&page));
            if page["has_more"] == false {
                break;
            }
            tab.send(ada.resume_frame(forward.last().copied())).await;
            page = tab.expect("history").await;
        }
        assert_eq!(forward, (1..=40).collect::<Vec<_>>());
        let mut backward = Vec::new();
        page = ada.another_tab(None).await.1;
        loop {
            fits(&page);
            backward.splice(0..0, seqs(&page));
            if page["has_more"] == false {
                break;
            }
            let before = backward[0];
            grace.socket.send(json!({"type": "history", "conversation_id": ada.id, "before": before})).await;
            page = grace.socket.expect("history").await;
        }
        assert_eq!(backward, forward);
    })
    .await;
}

#[tokio::test]
async fn the_panels_lists_are_paged_with_cursors() {
    in_each_house(RELAXED, async |house| {
        let mut grace = house.admin("Grace").await;
        let mut ids = Vec::new();
        for number in 0..7 {
            let mut visitor = house.visitor(&format!("Visitor {number}")).await;
            visitor.say_many(5, |number| format!("word {number}")).await;
            house.clock.advance(1_000);
            ids.insert(0, visitor.id);
        }

        let walk = async |path: &str, field: &str| {
            let (mut found, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = grace.call("GET", &format!("{path}{cursor}")).await;
                let items = page["items"].as_array().unwrap();
                assert!(items.len() <= 3);
                found.extend(items.iter().map(|item| item[field].clone()));
                let Some(next) = page["next_cursor"].as_str() else { return found };
                cursor = format!("&cursor={next}");
            }
        };
        assert_eq!(walk("/api/admin/conversations?limit=3", "conversation_id").await, ids);
        let mut pages = walk(&format!("/api/admin/messages/{}?limit=2", ids[0]), "seq").await;
        pages.sort_by_key(Value::as_i64);
        assert_eq!(pages, [1, 2, 3, 4, 5]);
        assert_eq!(walk("/api/admin/activity?limit=3", "action").await, ["login", "request_otp"]);
        grace.socket.send(json!({"type": "subscribe", "limit": 2})).await;
        let first = grace.socket.expect("conversations").await;
        assert_eq!(first["items"].as_array().unwrap().len(), 2);
        let next = format!("/api/admin/conversations?limit=2&cursor={}", first["next_cursor"].as_str().unwrap());
        assert_eq!(grace.call("GET", &next).await["items"][0]["conversation_id"], json!(ids[2]));
    })
    .await;
}
