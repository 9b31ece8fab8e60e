//! What the house does by itself: forgets, counts, and finds again.

use serde_json::{Value, json};
use shared::time::{DAY, HOUR, MINUTE, SECOND};

use crate::people::{Admin, House, RELAXED, eventually, in_each_house};

async fn talk(house: &House, grace: &mut Admin, name: &str, waits: &[i64]) -> String {
    let mut visitor = house.visitor(name).await;
    for (number, wait) in waits.iter().enumerate() {
        visitor.say("a question").await;
        house.clock.advance(*wait);
        grace.answer(&visitor.id, "an answer", &format!("{name}-{number}")).await;
    }
    visitor.id
}

#[tokio::test]
async fn the_statistics_of_a_small_history_are_right() {
    in_each_house(RELAXED, async |house| {
        let mut grace = house.admin("Grace").await;
        let _ada = talk(house, &mut grace, "Ada", &[10 * SECOND, 30 * SECOND]).await;
        let bob = talk(house, &mut grace, "Bob", &[60 * SECOND]).await;
        grace.call("POST", &format!("/api/admin/conversations/{bob}/close")).await;
        // From 22:12 to the next day.
        house.clock.advance(3 * HOUR);
        assert_eq!(grace.socket.closed_with().await, Some(1001));
        let alan = house.admin("Alan").await;
        let mut carol = house.visitor("Carol").await;
        carol.say("good morning").await;

        let only_carol = async || {
            let figures = alan.call("GET", "/api/admin/statistics?days=2").await;
            (figures["visitors_online"] == 1 && figures["admins_online"] == 1).then_some(figures)
        };
        let figures = eventually("only Carol and Alan are there", only_carol).await;
        for (field, value) in [
            ("active_conversations", json!(2)),
            ("conversations_today", json!(1)),
            ("messages_today", json!(1)),
            ("messages_total", json!(7)),
            ("median_first_response_seconds", json!(35.0)),
            ("median_response_seconds", json!(30.0)),
        ] {
            assert_eq!(figures[field], value, "{field}");
        }
        let day = |row: &Value| {
            let number = |field: &str| row[field].as_i64().unwrap();
            (row["date"].clone(), number("conversations"), number("messages_visitor"), number("messages_admin"))
        };
        let days: Vec<_> = figures["by_day"].as_array().unwrap().iter().map(day).collect();
        assert_eq!(days, [(json!("2026-11-21"), 2, 3, 3), (json!("2026-11-22"), 1, 1, 0)]);
    })
    .await;
}

#[tokio::test]
async fn closed_conversations_are_erased_when_they_are_old() {
    let settings = [RELAXED, &[("RETENTION_DAYS", "7")]].concat();
    in_each_house(&settings, async |house| {
        let (old, open, young) =
            (house.visitor("Old").await, house.visitor("Open").await, house.visitor("Young").await);
        let end = async |visitor: &crate::people::Visitor| {
            let body = json!({"conversation_id": visitor.id});
            visitor.browser.bearing(&visitor.token).post("/api/visitor/end", body).await.good();
        };
        let there = async |visitor: &crate::people::Visitor| {
            let path = format!("/api/visitor/messages?conversation_id={}", visitor.id);
            visitor.browser.bearing(&visitor.token).get(&path).await.status == 200
        };
        end(&old).await;
        house.clock.advance(2 * DAY);
        end(&young).await;

        house.clock.advance(5 * DAY - MINUTE);
        assert!(there(&old).await);
        house.clock.advance(2 * HOUR);
        // Nobody sees it any more before all of it is gone. A run that fails comes again, when time goes on.
        let gone = async || {
            house.clock.advance(SECOND);
            (!there(&old).await && house.rows("conversation").await == 2).then_some(())
        };
        eventually("the old one is erased", gone).await;

        assert!(there(&open).await && there(&young).await);
    })
    .await;
}

#[tokio::test]
async fn what_has_expired_is_swept_away() {
    in_each_house(&[], async |house| {
        let grace = house.admin("Grace").await;
        grace.browser.post("/api/admin/ws_ticket", json!({})).await.good();
        house.newcomer().request_otp().await;
        house.visitor("Ada").await.say("hello").await;

        house.clock.advance(2 * DAY);

        for table in ["session", "session_token", "ticket", "login_code", "connection", "bucket"] {
            let gone = async || {
                house.clock.advance(SECOND);
                (house.rows(table).await == 0).then_some(())
            };
            eventually(table, gone).await;
        }
    })
    .await;
}

async fn found(admin: &Admin, words: &str) -> Vec<String> {
    let page = admin.call("GET", &format!("/api/admin/search?q={words}")).await;
    page["items"].as_array().unwrap().iter().map(|item| item["content"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn messages_are_found_by_the_beginnings_of_their_words_newest_first() {
    in_each_house(RELAXED, async |house| {
        let (mut ada, mut bob, mut grace) =
            (house.visitor("Ada").await, house.visitor("Bob").await, house.admin("Grace").await);
        ada.say("My invoice is wrong").await;
        house.clock.advance(SECOND);
        bob.say("İSTANBUL'dan ısıtıcı aldım").await;
        house.clock.advance(SECOND);
        grace.answer(&ada.id, "Which invoices do you mean?", "g-1").await;
        let both = ["Which invoices do you mean?", "My invoice is wrong"];
        eventually("the outbox is delivered", async || (found(&grace, "inv").await == both).then_some(())).await;

        for words in ["invo+wr", "WRONG", "my+invoice"] {
            assert_eq!(found(&grace, words).await, [both[1]], "{words}");
        }
        for words in ["istanbul", "ISTANBUL", "%C4%B0stan", "%C4%B1stanbul", "isitici", "ISITICI"] {
            assert_eq!(found(&grace, words).await.len(), 1, "{words}");
        }
        for words in ["voice", "invoice+istanbul", "%25", "'"] {
            let answer = grace.browser.get(&format!("/api/admin/search?q={words}")).await;
            assert!(answer.status == 400 || answer.json["items"] == json!([]), "{words}: {}", answer.text);
        }
        let page = grace.call("GET", "/api/admin/search?q=inv&limit=1").await;
        assert_eq!((&page["items"][0]["visitor_name"], &page["items"][0]["seq"]), (&json!("Ada"), &json!(2)));
        let next = format!("/api/admin/search?q=inv&limit=1&cursor={}", page["next_cursor"].as_str().unwrap());
        assert_eq!(grace.call("GET", &next).await["items"][0]["content"], both[1]);
        let listed = grace.call("GET", "/api/admin/conversations?q=istan").await;
        assert_eq!(listed["items"][0]["conversation_id"], json!(bob.id));
        assert_eq!(grace.call("GET", "/api/admin/conversations?q=ada").await["items"].as_array().unwrap().len(), 1);

        grace.call("DELETE", &format!("/api/admin/conversations/{}", ada.id)).await;
        assert_eq!((found(&grace, "inv").await, found(&grace, "istanbul").await.len()), (vec![], 1));
    })
    .await;
}

#[tokio::test]
async fn health_names_the_version_and_the_store() {
    in_each_house(RELAXED, async |house| {
        let health = house.newcomer().get("/health").await.good();

        assert_eq!(health["status"], "ok");
        assert_eq!(health["store"], json!(house.home.url.scheme().replace("postgresql", "postgres")));
        assert!(health["version"].is_string());
    })
    .await;
}
