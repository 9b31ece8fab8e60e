//! Two tabs, two admins, and a visitor whose network lets no socket through.

use serde_json::json;

use crate::people::{Admin, RELAXED, in_each_house};

#[tokio::test]
async fn two_tabs_see_the_same_and_the_visitor_leaves_with_the_last_one() {
    in_each_house(RELAXED, async |house| {
        let (mut ada, mut grace) = (house.visitor("Ada").await, house.admin("Grace").await);
        let first = ada.say("from one tab").await;
        let (mut tab, history) = ada.another_tab(None).await;
        assert_eq!(history["messages"], json!([first]));

        tab.send(json!({"type": "message", "content": "from the other", "client_id": "tab-2"})).await;
        let second = ada.socket.confirmation("tab-2").await;
        assert_eq!(tab.confirmation("tab-2").await, second);
        let third = grace.answer(&ada.id, "to both", "g-1").await;
        assert_eq!(ada.socket.confirmation("g-1").await, third);
        assert_eq!(tab.confirmation("g-1").await, third);

        tab.hang_up().await;
        ada.say("still here").await;
        let frames = grace.socket.rest().await;
        assert!(!frames.iter().any(|frame| frame["type"] == "presence"), "{frames:?}");
        ada.socket.hang_up().await;
        assert_eq!(grace.socket.expect("presence").await["online"], false);
    })
    .await;
}

#[tokio::test]
async fn two_admins_see_each_others_answers_and_acts() {
    in_each_house(RELAXED, async |house| {
        let (mut ada, mut grace, mut alan) =
            (house.visitor("Ada").await, house.admin("Grace").await, house.admin("Alan").await);
        ada.say("hello").await;

        let answered = grace.answer(&ada.id, "Grace here", "g-1").await;
        assert_eq!(alan.socket.confirmation("g-1").await, answered);
        alan.answer(&ada.id, "and Alan", "a-1").await;
        assert_eq!(grace.socket.confirmation("a-1").await["author"], "Alan");
        grace.socket.send(json!({"type": "subscribe"})).await;
        assert_eq!(grace.socket.expect("conversations").await["admins_online"], 2);
        alan.act("close_conversation", &ada.id).await;
        assert_eq!(grace.socket.expect("conversation_updated").await["status"], "closed");

        // Visitors see whether somebody is there, so only the last one's leaving is news.
        alan.socket.hang_up().await;
        let statistics = async || grace.call("GET", "/api/admin/statistics").await["admins_online"] == 1;
        crate::people::eventually("Alan is gone", async || statistics().await.then_some(())).await;
        let frames = ada.socket.rest().await;
        let coming = json!({"type": "presence", "admins_online": 1});
        assert!(frames.iter().filter(|frame| frame["type"] == "presence").all(|frame| *frame == coming), "{frames:?}");
        grace.socket.hang_up().await;
        assert_eq!(ada.socket.expect("presence").await["admins_online"], 0);
    })
    .await;
}

#[tokio::test]
async fn one_session_with_two_panels_counts_as_one_admin() {
    in_each_house(RELAXED, async |house| {
        let grace = house.admin("Grace").await;

        let mut second = Admin::socket(&grace.browser).await.unwrap();

        second.send(json!({"type": "subscribe"})).await;
        assert_eq!(second.expect("conversations").await["admins_online"], 1);
    })
    .await;
}

#[tokio::test]
async fn a_visitor_without_sockets_writes_reads_and_ends_by_rest() {
    in_each_house(RELAXED, async |house| {
        let mut grace = house.admin("Grace").await;
        let joined = house.newcomer();
        let ada = joined.post("/api/visitor/join", json!({"display_name": "Ada", "site": "shop"})).await.good();
        let id = ada["conversation_id"].as_str().unwrap();
        let opened = grace.socket.expect("conversation_opened").await;
        assert_eq!((&opened["site"], &opened["online"]), (&json!("shop"), &json!(false)));
        let browser = joined.bearing(ada["resume_token"].as_str().unwrap());

        let body = json!({"conversation_id": id, "content": "over REST", "client_id": "r-1"});
        let sent = browser.post("/api/visitor/send", body.clone()).await.good();
        assert_eq!((&sent["type"], &sent["seq"], &sent["author"]), (&json!("message"), &json!(1), &json!("Ada")));
        assert_eq!(grace.socket.confirmation("r-1").await, sent);
        assert_eq!(browser.post("/api/visitor/send", body).await.good(), sent);
        let answered = grace.answer(id, "heard", "g-1").await;
        let since = format!("/api/visitor/messages?conversation_id={id}&since=1");
        let history = browser.get(&since).await.good();
        assert_eq!((&history["type"], &history["messages"]), (&json!("history"), &json!([answered])));
        assert_eq!((&history["head_seq"], &history["has_more"]), (&json!(2), &json!(false)));

        let read = browser.post("/api/visitor/read", json!({"conversation_id": id, "seq": 2})).await.good();
        assert_eq!(read, json!({"type": "read", "conversation_id": id, "reader": "visitor", "seq": 2}));
        assert_eq!(grace.socket.expect("read").await, read);
        let ended = browser.post("/api/visitor/end", json!({"conversation_id": id})).await.good();
        assert_eq!(ended, json!({"type": "conversation_closed", "conversation_id": id}));
        assert_eq!(grace.socket.expect("conversation_closed").await, ended);
    })
    .await;
}

#[tokio::test]
async fn the_panel_works_without_its_socket() {
    in_each_house(RELAXED, async |house| {
        let (mut ada, grace) = (house.visitor("Ada").await, house.admin("Grace").await);
        let asked = ada.say("anybody?").await;

        let body = json!({"conversation_id": ada.id, "content": "over REST"});
        let sent = grace.browser.post("/api/admin/send", body).await.good();
        assert_eq!((&sent["ok"], &sent["message"]["via"]), (&json!(true), &json!("api")));
        assert_eq!(ada.socket.confirmation(sent["message"]["client_id"].as_str().unwrap()).await, sent["message"]);
        let page = grace.call("GET", &format!("/api/admin/messages/{}", ada.id)).await;
        assert_eq!(page, json!({"items": [asked, sent["message"]], "next_cursor": null}));
        let closed = grace.call("POST", &format!("/api/admin/conversations/{}/close", ada.id)).await;
        assert_eq!((&closed["conversation_id"], &closed["status"]), (&json!(ada.id), &json!("closed")));
        ada.socket.expect("conversation_closed").await;
        let reopened = grace.call("POST", &format!("/api/admin/conversations/{}/reopen", ada.id)).await;
        assert_eq!(reopened["status"], "open");
        assert_eq!(grace.call("DELETE", &format!("/delete/conversations/{}", ada.id)).await, json!({"ok": true}));

        ada.socket.expect("conversation_deleted").await;
    })
    .await;
}
