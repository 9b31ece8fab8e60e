//! What operators write.

use serde_json::json;

use super::stage::{FOREIGN_GROUP, GROUP, Office, Page, bearer, for_each_office};

/// A visitor whose conversation operators can answer, and the message to answer.
async fn asked(office: &Office) -> (Page, i64) {
    let mut ada = office.visitor("Ada").await;
    ada.says("hello").await;
    office.mirrored().await;
    (ada, office.telegram.sent().last().unwrap().message_id)
}

/// The highest `seq` of a conversation.
async fn head(page: &mut Page) -> i64 {
    page.send(&json!({"type": "ping"})).await;
    page.frame("pong").await["head_seq"].as_i64().unwrap()
}

#[tokio::test]
async fn a_reply_reaches_the_visitor_and_the_panel_with_its_authors_name() {
    for_each_office(&[], async |office: &Office| {
        let (mut panel, _) = office.panel().await;
        let (mut ada, message_id) = asked(office).await;
        panel.frame("message").await;

        let own = office.olga.replies(message_id, "  good day ");
        assert_eq!(office.telegram.deliver().await, [200]);
        let (there, here) = (ada.frame("message").await, panel.frame("message").await);

        assert_eq!(there, here);
        assert_eq!((&there["content"], &there["author"]), (&json!("good day"), &json!("Olga Petrova")));
        assert_eq!((&there["sender"], &there["via"], &there["seq"]), (&json!("admin"), &json!("telegram"), &json!(2)));

        ada.says("thanks").await;
        office.mirrored().await;
        let sent = office.telegram.sent();
        let thanks = sent.last().unwrap();
        assert_eq!(sent.len(), 4, "a code, an announcement and Ada's two");
        assert_eq!((thanks.text.as_str(), thanks.reply_to), ("Ada: thanks", Some(own)), "and is not mirrored back");
    })
    .await;
}

#[tokio::test]
async fn a_reply_to_an_operators_own_reply_finds_the_conversation_too() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, message_id) = asked(office).await;
        let own = office.olga.replies(message_id, "one moment");
        office.olga.replies(own, "here you are");
        assert_eq!(office.telegram.deliver().await, [200, 200]);

        assert_eq!(ada.frame("message").await["content"], "one moment");
        assert_eq!(ada.frame("message").await["content"], "here you are");
    })
    .await;
}

#[tokio::test]
async fn an_edit_changes_the_message_everywhere() {
    for_each_office(&[], async |office: &Office| {
        let (mut panel, _) = office.panel().await;
        let (mut ada, message_id) = asked(office).await;
        let own = office.olga.replies(message_id, "god day");
        office.olga.edits(own, "good day");
        assert_eq!(office.telegram.deliver().await, [200, 200]);
        let first = ada.frame("message").await;
        let (there, here) = (ada.frame("message_edited").await, panel.frame("message_edited").await);

        assert_eq!(there, here);
        assert_eq!((&there["seq"], &there["content"]), (&first["seq"], &json!("good day")));
        assert!(first["edited_at"].is_null() && there["edited_at"].is_string());

        office.olga.edits(own, "/close");
        assert_eq!(office.telegram.deliver().await, [200]);
        ada.send(&json!({"type": "history", "before": 100})).await;
        assert_eq!(
            ada.frame("history").await["messages"][1]["content"],
            "good day",
            "a command is no word for a visitor"
        );
    })
    .await;
}

#[tokio::test]
async fn an_update_that_comes_three_times_is_stored_once() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, message_id) = asked(office).await;
        office.telegram.lose_webhook_answers(2);
        office.olga.replies(message_id, "good day");
        assert_eq!(office.telegram.deliver().await, [200, 200], "the first retry comes at once");
        office.clock.advance(1_999);
        assert_eq!(office.telegram.deliver().await, [0; 0]);
        office.clock.advance(1);
        assert_eq!(office.telegram.deliver().await, [200]);

        assert_eq!(ada.frame("message").await["content"], "good day");
        assert_eq!(head(&mut ada).await, 2);
        assert_eq!(office.telegram.pending(), 0);
    })
    .await;
}

#[tokio::test]
async fn what_answers_no_message_of_ours_reaches_nobody() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, message_id) = asked(office).await;
        let before = office.telegram.calls();
        let person = json!({"id": 7, "is_bot": false, "first_name": "Eve"});
        let reply = |chat_id: i64, answered: i64, from: &serde_json::Value| {
            json!({"message": {"message_id": 70_000, "date": 1, "chat": {"id": chat_id}, "from": from, "text": "psst",
                   "reply_to_message": {"message_id": answered, "chat": {"id": chat_id}, "from": person}}})
        };
        let stranger = office.telegram.operator(FOREIGN_GROUP, 7, "Eve", "");
        let strange = stranger.writes("our own talk");
        stranger.replies(strange, "psst");
        let talk = office.olga.writes("lunch?");
        office.olga.replies(talk, "yes");
        office.olga.replies(message_id, "/start");
        office.olga.replies(message_id, "/nonsense with words");
        office.telegram.enqueue(GROUP, reply(GROUP, 999_999, &person));
        office.telegram.enqueue(GROUP, reply(GROUP, -1, &person));
        office.telegram.enqueue(FOREIGN_GROUP, reply(FOREIGN_GROUP, message_id, &person));
        office.telegram.enqueue(7, reply(7, message_id, &person));
        office.telegram.enqueue(GROUP, reply(GROUP, message_id, &json!({"id": 9, "is_bot": true, "first_name": "B"})));

        let statuses = office.telegram.deliver().await;

        assert_eq!(statuses, [200; 11]);
        assert_eq!(head(&mut ada).await, 1);
        assert_eq!(office.telegram.calls(), before, "and nobody is told anything");
    })
    .await;
}

#[tokio::test]
async fn an_operator_hears_why_a_reply_went_nowhere() {
    for_each_office(&[("MAX_MESSAGE_LEN", "10")], async |office: &Office| {
        let (mut ada, message_id) = asked(office).await;
        let (mut panel, token) = office.panel().await;
        let authorization = bearer(&token);
        let told = |own: i64| {
            let sent = office.telegram.sent();
            let last = sent.last().unwrap();
            assert_eq!(last.reply_to, Some(own), "{}", last.text);
            last.text.clone()
        };

        let own = office.olga.replies(message_id, "more than ten characters");
        assert_eq!(office.telegram.deliver().await, [200]);
        assert!(told(own).contains("too long"));

        let close = format!("/api/admin/conversations/{}/close", ada.conversation_id);
        assert_eq!(office.post(&close, &[("Authorization", &authorization)], &json!({})).await.0, 200);
        office
            .telegram
            .until("the notice", |telegram| telegram.sent().last().unwrap().text.ends_with("is closed."))
            .await;
        office.telegram.lose_webhook_answers(1);
        let own = office.olga.replies(message_id, "late");
        assert_eq!(office.telegram.deliver().await, [200, 200]);
        assert!(told(own).contains("is closed"));
        let answers = office.telegram.sent().iter().filter(|sent| sent.reply_to == Some(own)).count();
        assert_eq!(answers, 1, "told once");

        panel.send(&json!({"type": "delete_conversation", "conversation_id": ada.conversation_id})).await;
        ada.frame("conversation_deleted").await;
        let own = office.olga.replies(message_id, "later");
        assert_eq!(office.telegram.deliver().await, [200]);
        assert!(told(own).contains("has been deleted"));
    })
    .await;
}
