//! What operators write.

use serde_json::json;

use super::asked::{asked, does, head, told, update};
use super::stage::{FOREIGN_GROUP, GROUP, Office, bearer, for_each_office};

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
        assert_eq!(sent.last().unwrap().reply_to, Some(own));
        assert!(sent.iter().all(|sent| !sent.text.contains("good day")), "and is not mirrored back: {sent:?}");
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
        office.telegram.enqueue(GROUP, reply(GROUP, 999_999, &person));
        office.telegram.enqueue(GROUP, reply(GROUP, -1, &person));
        office.telegram.enqueue(FOREIGN_GROUP, reply(FOREIGN_GROUP, message_id, &person));
        office.telegram.enqueue(7, reply(7, message_id, &person));
        office.telegram.enqueue(GROUP, reply(GROUP, message_id, &json!({"id": 9, "is_bot": true, "first_name": "B"})));

        let statuses = office.telegram.deliver().await;

        assert_eq!(statuses, [200; 9]);
        assert_eq!(head(&mut ada).await, 1);
        assert_eq!(office.telegram.calls(), before);
        assert_eq!(office.telegram.webhook_replies(), [], "and nobody is told anything");
    })
    .await;
}

#[tokio::test]
async fn an_operator_hears_why_a_reply_went_nowhere() {
    for_each_office(&[("MAX_MESSAGE_LEN", "10")], async |office: &Office| {
        let (mut ada, message_id) = asked(office).await;
        let (mut panel, token) = office.panel().await;
        let authorization = bearer(&token);
        let own = office.olga.replies(message_id, "more than ten characters");
        assert_eq!(office.telegram.deliver().await, [200]);
        assert!(told(office, own).contains("too long"));

        let close = format!("/api/admin/conversations/{}/close", ada.conversation_id);
        assert_eq!(office.post(&close, &[("Authorization", &authorization)], &json!({})).await.0, 200);
        office.mirrored().await;
        office.telegram.lose_webhook_answers(1);
        let own = office.olga.replies(message_id, "late");
        assert_eq!(office.telegram.deliver().await, [200, 200]);
        assert!(told(office, own).contains("is closed"));
        let answers = office.telegram.sent().iter().filter(|sent| sent.reply_to == Some(own)).count();
        assert_eq!(answers, 1, "told once, though the update came twice");

        panel.send(&json!({"type": "delete_conversation", "conversation_id": ada.conversation_id})).await;
        ada.frame("conversation_deleted").await;
        let own = office.olga.replies(message_id, "later");
        assert_eq!(office.telegram.deliver().await, [200]);
        assert!(told(office, own).contains("has been deleted"));
    })
    .await;
}

#[tokio::test]
async fn administrators_who_hide_behind_the_group_are_operators_and_linked_channels_are_not() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, message_id) = asked(office).await;
        let group = json!({"id": GROUP, "type": "supergroup", "title": "Support"});
        let channel = json!({"id": -1_005, "type": "channel", "title": "News"});
        let hidden = json!({"id": 1_087_968_824, "is_bot": true, "first_name": "Group"});
        let reply = |number: i64, more: serde_json::Value| {
            let mut message = json!({"message_id": 70_000 + number, "date": 1, "chat": group, "from": hidden,
                "text": format!("line {number}"), "reply_to_message": {"message_id": message_id, "chat": group}});
            message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({"update_id": number, "message": message})
        };

        update(office, &reply(1, json!({"sender_chat": channel}))).await;
        update(office, &reply(2, json!({"sender_chat": channel, "is_automatic_forward": true}))).await;
        update(office, &reply(3, json!({}))).await;
        update(office, &reply(4, json!({"sender_chat": group, "author_signature": "Head of Care"}))).await;
        let titled = ada.frame("message").await;
        assert_eq!((&titled["content"], &titled["author"]), (&json!("line 4"), &json!("Head of Care")));
        does(office, &office.olga.anonymously(), message_id, "good day").await;
        let untitled = ada.frame("message").await;
        assert_eq!((&untitled["content"], &untitled["author"]), (&json!("good day"), &json!("Support")));
    })
    .await;
}
