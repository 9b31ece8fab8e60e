//! Reactions that reach the visitor.

use serde_json::{Value, json};

use super::asked::{asked, does, update};
use super::stage::{FOREIGN_GROUP, GROUP, Office, for_each_office};

fn change(update_id: i64, chat_id: i64, message_id: i64, old: &Value, new: &Value) -> Value {
    json!({"update_id": update_id, "message_reaction": {
        "chat": {"id": chat_id, "type": "supergroup"}, "message_id": message_id, "date": 1,
        "user": {"id": 501, "is_bot": false, "first_name": "Olga"}, "old_reaction": old, "new_reaction": new}})
}

#[tokio::test]
async fn a_reaction_to_a_visitors_message_reaches_page_and_panel() {
    for_each_office(&[], async |office: &Office| {
        let (mut panel, _) = office.panel().await;
        let (mut ada, message_id) = asked(office).await;
        let id = ada.conversation_id.clone();
        let seen = |reaction: Value| json!({"type": "message_reaction", "conversation_id": id, "seq": 1, "reaction": reaction});

        office.telegram.lose_webhook_answers(1);
        office.olga.reacts(message_id, "👍");
        assert_eq!(office.telegram.deliver().await, [200, 200]);
        assert_eq!(ada.frame("message_reaction").await, seen(json!("👍")));
        assert_eq!(panel.frame("message_reaction").await, seen(json!("👍")));
        office.olga.reacts(message_id, "❤");
        office.olga.reacts(message_id, "");
        assert_eq!(office.telegram.deliver().await, [200, 200]);
        assert_eq!(ada.frame("message_reaction").await, seen(json!("❤")), "the repeated one told nobody again");
        assert_eq!(ada.frame("message_reaction").await, seen(Value::Null));

        office.olga.reacts(message_id, "🎉");
        assert_eq!(office.telegram.deliver().await, [200]);
        ada.frame("message_reaction").await;
        ada.send(&json!({"type": "history", "before": 100})).await;
        assert_eq!(ada.frame("history").await["messages"][0]["reaction"], "🎉", "it is there for whoever comes later");
    })
    .await;
}

#[tokio::test]
async fn other_reactions_reach_nobody() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, message_id) = asked(office).await;
        does(office, &office.olga, message_id, "good day").await;
        ada.frame("message").await;
        let own = office.telegram.messages(GROUP, None).last().unwrap()["message_id"].as_i64().unwrap();
        let emoji = json!([{"type": "emoji", "emoji": "👍"}]);
        let custom = json!([{"type": "custom_emoji", "custom_emoji_id": "5368324170671202286"}]);
        let none = json!([]);

        office.olga.anonymously().reacts(message_id, "👎");
        office.olga.reacts(own, "👎");
        office.telegram.deliver().await;
        for (update_id, chat_id, answered, old, new) in [
            (1, FOREIGN_GROUP, message_id, &none, &emoji),
            (2, GROUP, message_id, &none, &custom),
            (3, GROUP, message_id, &custom, &none),
            (4, GROUP, 999_999, &none, &emoji),
            (5, GROUP, message_id, &none, &json!([{"type": "emoji", "emoji": "x".repeat(1_000)}])),
        ] {
            assert_eq!(update(office, &change(update_id, chat_id, answered, old, new)).await, json!({"ok": true}));
        }

        update(office, &change(6, GROUP, message_id, &none, &json!([custom[0], emoji[0]]))).await;
        assert_eq!(ada.frame("message_reaction").await["reaction"], "👍", "the first that comes is the last");
    })
    .await;
}
