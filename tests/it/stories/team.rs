//! What the team does among itself: claims, notes, bans, saved replies.

use futures::future::join_all;
use serde_json::json;
use shared::time::MINUTE;

use crate::people::in_each_house;

const RELAXED: &[(&str, &str)] = &[("WS_USER_MSGS_PER_SEC", "100"), ("WS_USER_BURST", "100")];

#[tokio::test]
async fn the_first_claim_wins_and_everybody_sees_whose_it_is() {
    in_each_house(RELAXED, async |house| {
        let ada = house.visitor("Ada").await;
        let mut desk = Vec::new();
        for name in ["Grace", "Hedy", "Joan"] {
            desk.push(house.admin(name).await);
        }
        let claim = format!("/api/admin/conversations/{}/claim", ada.id);

        let answers = join_all(desk.iter().map(|admin| admin.call("POST", &claim))).await;

        let winner = answers[0]["claimed_by"].as_str().expect("somebody has it").to_owned();
        assert!(answers.iter().all(|item| item["claimed_by"] == winner.as_str()), "{answers:?}");
        for admin in &mut desk {
            assert_eq!(admin.socket.expect("conversation_updated").await["claimed_by"], winner.as_str());
        }
        assert_eq!(desk[0].list().await[0]["claimed_by"], winner.as_str());

        let released = desk[1].call("POST", &claim.replace("claim", "release")).await;
        assert!(released["claimed_by"].is_null() && released["claimed_at"].is_null(), "{released}");
        let again = desk[2].call("POST", &claim).await;
        assert_eq!(again["claimed_by"], "Joan");
        assert!(again["claimed_at"].is_string());
        ada.browser.post("/api/admin/conversations/x/claim", json!({})).await.refuses(401, "unauthorized");
        desk[0]
            .browser
            .post("/api/admin/conversations/x/claim", json!({}))
            .await
            .refuses(404, "conversation_not_found");
    })
    .await;
}

#[tokio::test]
async fn notes_stay_among_the_team() {
    in_each_house(RELAXED, async |house| {
        let mut ada = house.visitor("Ada").await;
        let (mut grace, mut hedy) = (house.admin("Grace").await, house.admin("Hedy").await);
        let notes = format!("/api/admin/conversations/{}/notes", ada.id);

        let body = json!({"content": " waits for a refund ", "client_id": "n-1"});
        let note = grace.browser.post(&notes, body.clone()).await.good()["note"].clone();

        assert_eq!((&note["seq"], &note["content"]), (&json!(1), &json!("waits for a refund")));
        assert_eq!((&note["author"], &note["via"]), (&json!("Grace"), &json!("web")));
        let told = hedy.socket.expect("note_added").await;
        assert_eq!((&told["conversation_id"], &told["note"]), (&json!(ada.id), &note));
        grace.socket.expect("note_added").await;
        assert_eq!(grace.browser.post(&notes, body).await.good()["note"], note, "the same again adds nothing");
        hedy.browser.post(&notes, json!({"content": "paid"})).await.good();
        let items = hedy.call("GET", &notes).await["items"].clone();
        assert_eq!(items.as_array().unwrap().iter().map(|note| &note["seq"]).collect::<Vec<_>>(), [1, 2]);

        grace.browser.post(&notes, json!({"content": " "})).await.refuses(400, "message_empty");
        grace.browser.post(&notes, json!({})).await.refuses(400, "invalid_message");
        let nowhere = "/api/admin/conversations/x/notes";
        grace.browser.post(nowhere, json!({"content": "x"})).await.refuses(404, "conversation_not_found");
        grace.browser.get(nowhere).await.refuses(404, "conversation_not_found");
        ada.browser.bearing(&ada.token).get(&notes).await.refuses(401, "unauthorized");
        assert_eq!(ada.say("hello").await["seq"], 1, "a note takes no place among the messages");
        let seen = ada.socket.rest().await;
        assert!(seen.iter().all(|frame| frame["type"] == "presence"), "{seen:?}");

        grace.act("delete_conversation", &ada.id).await;
        grace.socket.expect("conversation_deleted").await;
        grace.browser.get(&notes).await.refuses(404, "conversation_not_found");
    })
    .await;
}

#[tokio::test]
async fn a_banned_visitor_begins_no_other_chat_until_the_ban_is_lifted() {
    in_each_house(RELAXED, async |house| {
        let (mut ada, bob) = (house.visitor("Ada").await, house.visitor("Bob").await);
        let mut grace = house.admin("Grace").await;
        let one = format!("/api/admin/conversations/{}", ada.id);

        let item = grace.call("POST", &format!("{one}/ban")).await;

        assert_eq!((&item["status"], &item["tags"]), (&json!("closed"), &json!(["banned"])));
        ada.socket.expect("conversation_closed").await;
        ada.browser.post("/api/visitor/join", json!({})).await.refuses(403, "forbidden");
        ada.socket.send(json!({"type": "join"})).await;
        assert_eq!(ada.socket.expect("error").await["error"], "forbidden");
        bob.browser.post("/api/visitor/join", json!({})).await.good();

        house.clock.advance(MINUTE);
        let item = grace.call("POST", &format!("{one}/unban")).await;
        assert_eq!((&item["status"], &item["tags"]), (&json!("closed"), &json!([])));
        ada.browser.post("/api/visitor/join", json!({})).await.good();
        grace.act("delete_conversation", &ada.id).await;
        grace.socket.expect("conversation_deleted").await;
    })
    .await;
}

#[tokio::test]
async fn saved_replies_are_kept_by_name() {
    in_each_house(RELAXED, async |house| {
        let grace = house.admin("Grace").await;
        let put = async |name: &str, content: &str| {
            let body = json!({"content": content}).to_string();
            grace.browser.ask("PUT", &format!("/api/admin/canned/{name}"), Some(body)).await
        };

        assert_eq!(put("Hours", "We are here from 9 to 5.").await.good()["name"], "hours");
        put("bye", "Thanks for writing.").await.good();
        put("hours", "We are here from 8 to 5.").await.good();

        let all = json!([{"name": "bye", "content": "Thanks for writing."},
            {"name": "hours", "content": "We are here from 8 to 5."}]);
        assert_eq!(grace.call("GET", "/api/admin/canned").await["items"], all);
        put("a%20b", "x").await.refuses(400, "invalid_message");
        put(&"x".repeat(33), "x").await.refuses(400, "invalid_message");
        put("empty", " ").await.refuses(400, "message_empty");
        grace.call("DELETE", "/api/admin/canned/bye").await;
        assert_eq!(grace.call("GET", "/api/admin/canned").await["items"].as_array().unwrap().len(), 1);
        house.newcomer().get("/api/admin/canned").await.refuses(401, "unauthorized");
    })
    .await;
}
