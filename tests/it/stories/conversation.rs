//! A visitor and an admin, from the first word to the last trace.

use serde_json::{Value, json};
use shared::time::SECOND;

use crate::people::{RELAXED, in_each_house};

fn kinds(frames: &[Value]) -> Vec<&str> {
    frames.iter().map(|frame| frame["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_visitor_writes_and_an_admin_who_logs_in_answers() {
    in_each_house(RELAXED, async |house| {
        let mut ada = house.visitor("Ada").await;
        assert_eq!((&ada.joined["visitor_name"], &ada.joined["head_seq"]), (&json!("Ada"), &json!(0)));
        assert_eq!(ada.joined["max_message_len"], 2_000);
        let asked = ada.say("  Where is my parcel? <b>Please</b>\r\n").await;
        assert_eq!(asked["content"], "Where is my parcel? <b>Please</b>");
        assert_eq!((&asked["seq"], &asked["sender"], &asked["via"]), (&json!(1), &json!("visitor"), &json!("web")));
        assert_eq!((&asked["author"], &asked["message_type"]), (&json!("Ada"), &json!("text")));
        assert_eq!(asked["created_at"], "2026-11-21T22:11:03.417Z");
        assert_eq!((&asked["edited_at"], &asked["file"]), (&Value::Null, &Value::Null));

        let mut grace = house.admin("Grace").await;
        let [item] = grace.list().await.try_into().unwrap();
        assert_eq!((&item["conversation_id"], &item["visitor_name"]), (&json!(ada.id), &json!("Ada")));
        assert_eq!(
            (&item["status"], &item["site"], &item["online"]),
            (&json!("open"), &json!("default"), &json!(true))
        );
        assert_eq!((&item["head_seq"], &item["unread"], &item["tags"]), (&json!(1), &json!(1), &json!([])));
        assert_eq!(item["last_message"]["preview"], "Where is my parcel? <b>Please</b>");

        let answered = grace.answer(&ada.id, "On its way.", "g-1").await;
        let heard = ada.socket.confirmation("g-1").await;
        assert_eq!(heard, answered);
        assert_eq!((&heard["seq"], &heard["sender"], &heard["author"]), (&json!(2), &json!("admin"), &json!("Grace")));
        let thanks = ada.say("Thank you!").await;
        assert_eq!(grace.socket.confirmation(thanks["client_id"].as_str().unwrap()).await, thanks);

        assert_eq!(ada.whole_history().await, [asked, answered, thanks]);
    })
    .await;
}

#[tokio::test]
async fn an_admin_sees_a_visitor_come_and_a_visitor_sees_an_admin_come_and_go() {
    in_each_house(RELAXED, async |house| {
        let mut early = house.visitor("Early").await;
        assert_eq!(early.joined["admins_online"], 0);
        let mut grace = house.admin("Grace").await;
        assert_eq!(early.socket.expect("presence").await, json!({"type": "presence", "admins_online": 1}));

        let ada = house.visitor("Ada").await;
        let opened = grace.socket.expect("conversation_opened").await;
        assert_eq!((&opened["conversation_id"], &opened["online"]), (&json!(ada.id), &json!(true)));
        assert_eq!(ada.joined["admins_online"], 1);

        let away = |online: bool| json!({"type": "presence", "conversation_id": ada.id, "online": online});
        let (_browser, socket) = (ada.browser.clone(), ada.socket);
        socket.hang_up().await;
        assert_eq!(grace.socket.expect("presence").await, away(false));
        let mut back = ada.browser.open("/ws/client").await.unwrap();
        back.send(json!({"type": "resume", "conversation_id": ada.id, "resume_token": ada.token})).await;
        assert_eq!(grace.socket.expect("presence").await, away(true));

        grace.socket.hang_up().await;
        assert_eq!(early.socket.expect("presence").await, json!({"type": "presence", "admins_online": 0}));
    })
    .await;
}

#[tokio::test]
async fn typing_is_passed_on_to_the_other_side_once_in_three_seconds() {
    in_each_house(RELAXED, async |house| {
        let (mut ada, mut grace) = (house.visitor("Ada").await, house.admin("Grace").await);
        let typing = |sender: &str| json!({"type": "typing", "conversation_id": ada.id, "sender": sender});
        let (of_visitor, of_admin) = (typing("visitor"), typing("admin"));

        for _ in 0..2 {
            for _ in 0..5 {
                ada.socket.send(json!({"type": "typing"})).await;
                grace.act("typing", &ada.id).await;
            }
            assert_eq!(grace.socket.expect("typing").await, of_visitor);
            assert_eq!(ada.socket.expect("typing").await, of_admin);
            house.clock.advance(3 * SECOND - 1);
            ada.socket.send(json!({"type": "typing"})).await;
            grace.act("typing", &ada.id).await;
            ada.say("still the same three seconds").await;
            assert!(!kinds(&ada.socket.rest().await).contains(&"typing"));
            assert!(!kinds(&grace.socket.rest().await).contains(&"typing"));
            house.clock.advance(1);
        }
    })
    .await;
}

#[tokio::test]
async fn read_marks_travel_both_ways_and_clear_the_unread_count() {
    in_each_house(RELAXED, async |house| {
        let (mut ada, mut grace) = (house.visitor("Ada").await, house.admin("Grace").await);
        ada.say("one").await;
        ada.say("two").await;
        // Who answers has read what was there.
        assert_eq!(grace.list().await[0]["unread"], 2);
        grace.answer(&ada.id, "three", "g-1").await;
        assert_eq!(grace.list().await[0]["unread"], 0);

        ada.socket.send(json!({"type": "read", "seq": 3})).await;
        let id = ada.id.clone();
        let read = |reader: &str, seq| json!({"type": "read", "conversation_id": id, "reader": reader, "seq": seq});
        assert_eq!(grace.socket.expect("read").await, read("visitor", 3));
        ada.say("four").await;
        ada.say("five").await;
        grace.socket.send(json!({"type": "read", "conversation_id": ada.id, "seq": 4})).await;
        assert_eq!(ada.socket.expect("read").await, read("admin", 4));
        assert_eq!(grace.list().await[0]["unread"], 1);

        // Marks only move forward, and never past the newest message.
        grace.socket.send(json!({"type": "read", "conversation_id": ada.id, "seq": 99})).await;
        assert_eq!(ada.socket.expect("read").await, read("admin", 5));
        grace.browser.post(&format!("/api/admin/conversations/{}/read", ada.id), json!({"seq": 1})).await.good();
        assert_eq!(grace.list().await[0]["unread"], 0);
        let (_tab, history) = ada.another_tab(None).await;
        assert_eq!(history["read"], json!({"visitor": 5, "admin": 5}));
        assert!(!kinds(&ada.socket.rest().await).contains(&"read"));
    })
    .await;
}

#[tokio::test]
async fn one_message_marks_everything_up_to_itself_as_read() {
    in_each_house(RELAXED, async |house| {
        let (mut ada, mut grace) = (house.visitor("Ada").await, house.admin("Grace").await);
        ada.say("one").await;
        let second = ada.say("two").await;
        ada.say("three").await;

        grace.call("POST", &format!("/api/admin/messages/{}/read", second["id"].as_str().unwrap())).await;

        assert_eq!(ada.socket.expect("read").await["seq"], 2);
        assert_eq!(grace.list().await[0]["unread"], 1);
    })
    .await;
}

#[tokio::test]
async fn tags_are_added_filtered_by_and_taken_away() {
    in_each_house(RELAXED, async |house| {
        let (ada, _bob, mut grace) =
            (house.visitor("Ada").await, house.visitor("Bob").await, house.admin("Grace").await);
        let tags = format!("/api/admin/conversations/{}/tags", ada.id);

        assert_eq!(grace.call("PUT", &format!("{tags}/VIP")).await, json!({"tags": ["vip"]}));
        assert_eq!(grace.socket.expect("conversation_updated").await["tags"], json!(["vip"]));
        assert_eq!(grace.call("PUT", &format!("{tags}/a%20b")).await, json!({"tags": ["a b", "vip"]}));
        let found = grace.call("GET", "/api/admin/conversations?tag=vip").await;
        assert_eq!(found["items"].as_array().unwrap().len(), 1);
        assert_eq!(found["items"][0]["conversation_id"], json!(ada.id));
        assert_eq!(grace.call("DELETE", &format!("{tags}/vip")).await, json!({"tags": ["a b"]}));

        assert_eq!(grace.call("GET", "/api/admin/conversations?tag=vip").await["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_closed_conversation_takes_no_messages_until_it_is_reopened() {
    in_each_house(RELAXED, async |house| {
        let (mut ada, mut grace) = (house.visitor("Ada").await, house.admin("Grace").await);

        grace.act("close_conversation", &ada.id).await;
        assert_eq!(
            ada.socket.expect("conversation_closed").await,
            json!({"type": "conversation_closed", "conversation_id": ada.id})
        );
        assert_eq!(grace.socket.expect("conversation_updated").await["status"], "closed");
        let client_id = ada.send("hello?").await;
        let error = ada.socket.expect("error").await;
        assert_eq!((&error["error"], &error["client_id"]), (&json!("conversation_closed"), &json!(client_id)));
        assert_eq!(ada.another_tab(None).await.1["status"], "closed");
        assert_eq!(grace.call("GET", "/api/admin/conversations?status=open").await["items"], json!([]));

        grace.act("reopen_conversation", &ada.id).await;
        ada.socket.expect("conversation_reopened").await;
        assert_eq!(grace.socket.expect("conversation_updated").await["status"], "open");
        assert_eq!(ada.say("hello again").await["seq"], 1);

        ada.socket.send(json!({"type": "end"})).await;
        ada.socket.expect("conversation_closed").await;
        assert_eq!(grace.socket.expect("conversation_closed").await["conversation_id"], json!(ada.id));
        assert_eq!(grace.list().await[0]["status"], "closed");
    })
    .await;
}

#[tokio::test]
async fn a_deleted_conversation_leaves_no_trace() {
    in_each_house(RELAXED, async |house| {
        let (mut ada, mut bob, mut grace) =
            (house.visitor("Ada").await, house.visitor("Bob").await, house.admin("Grace").await);
        ada.say("forget me").await;
        bob.say("remember me").await;
        grace.answer(&ada.id, "we shall", "g-1").await;
        grace.call("PUT", &format!("/api/admin/conversations/{}/tags/gdpr", ada.id)).await;
        assert!(house.home.traces(&ada.id).await >= 5);

        grace.act("delete_conversation", &ada.id).await;
        let deleted = json!({"type": "conversation_deleted", "conversation_id": ada.id});
        assert_eq!(ada.socket.expect("conversation_deleted").await, deleted);
        assert_eq!(grace.socket.expect("conversation_deleted").await, deleted);

        let mut again = ada.browser.open("/ws/client").await.unwrap();
        assert_eq!(again.refusal(ada.resume_frame(None)).await.0, "conversation_not_found");
        // The open socket belongs to nothing any more, and may begin anew.
        let client_id = ada.send("anybody there?").await;
        let error = ada.socket.expect("error").await;
        assert_eq!((&error["error"], &error["client_id"]), (&json!("not_joined"), &json!(client_id)));
        ada.socket.send(json!({"type": "join"})).await;
        assert_ne!(ada.socket.expect("joined").await["conversation_id"], json!(ada.id));
        assert_eq!(house.home.traces(&ada.id).await, 0);
        assert_eq!(bob.whole_history().await.len(), 1);
        assert_eq!(grace.list().await.len(), 2);
    })
    .await;
}
