//! Operators in a group with topics, one for each visitor.

use serde_json::json;

use super::asked::{asked, head, told, update};
use super::stage::{GROUP, Office, Page, for_each_office};

/// A visitor with a topic of their own, and its id.
async fn asked_in_topic(office: &Office) -> (Page, i64) {
    office.telegram.set_forum(GROUP, true);
    let (ada, _) = asked(office).await;
    let topics = office.telegram.topics(GROUP);
    (ada, topics.last().expect("a topic").0)
}

#[tokio::test]
async fn what_stands_in_a_topic_needs_no_reply() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, topic) = asked_in_topic(office).await;
        let there = office.olga.in_topic(topic);

        let own = there.writes("good day");
        assert_eq!(office.telegram.deliver().await, [200]);
        assert_eq!(ada.frame("message").await["content"], "good day");
        there.edits(own, "Good day!");
        assert_eq!(office.telegram.deliver().await, [200]);
        assert_eq!(ada.frame("message_edited").await["content"], "Good day!");
        let asked = there.writes("/history");
        assert_eq!(office.telegram.deliver().await, [200]);
        assert!(told(office, asked).ends_with("Olga Petrova: Good day!"));
        let answer = office.telegram.sent().pop().unwrap();
        assert_eq!(answer.thread_id, Some(topic), "answered where it was asked");
        assert_eq!(head(&mut ada).await, 2);
    })
    .await;
}

#[tokio::test]
async fn what_stands_elsewhere_reaches_nobody() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, topic) = asked_in_topic(office).await;
        office.olga.writes("in General");
        let own = office.olga.opens_topic("Lunch");
        office.olga.in_topic(own).writes("in the team's own topic");
        assert_eq!(office.telegram.deliver().await, [200, 200, 200]);
        // A reply in General carries some thread's number, which may be a topic's.
        let stray = json!({"update_id": 1, "message": {
            "message_id": 90_000, "date": 1, "chat": {"id": GROUP, "type": "supergroup", "is_forum": true},
            "from": {"id": 501, "is_bot": false, "first_name": "Olga"}, "text": "to a colleague",
            "message_thread_id": topic, "reply_to_message": {"message_id": 89_999, "chat": {"id": GROUP}},
        }});
        assert_eq!(update(office, &stray).await, json!({"ok": true}));

        assert_eq!(head(&mut ada).await, 1);
        assert_eq!(office.telegram.webhook_replies(), []);
    })
    .await;
}

#[tokio::test]
async fn a_topic_that_somebody_closes_closes_its_conversation() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, topic) = asked_in_topic(office).await;

        office.olga.closes_topic(topic);
        assert_eq!(office.telegram.deliver().await, [200]);
        ada.frame("conversation_closed").await;
        office.mirrored().await;
        office.olga.reopens_topic(topic);
        assert_eq!(office.telegram.deliver().await, [200]);
        ada.frame("conversation_reopened").await;

        ada.send(&json!({"type": "end"})).await;
        ada.frame("conversation_closed").await;
        office.mirrored().await;
        assert!(office.telegram.topics(GROUP).iter().any(|(id, known)| *id == topic && known.is_closed));
        office.telegram.deliver().await;
        office.mirrored().await;
        let notices = office.telegram.sent().iter().filter(|sent| sent.text.contains("is closed")).count();
        assert_eq!(notices, 2, "that our bot closed the topic then is no news: {:?}", office.telegram.sent());
    })
    .await;
}

#[tokio::test]
async fn the_first_posts_buttons_work() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, topic) = asked_in_topic(office).await;
        let posts = office.telegram.sent();
        let first = posts.iter().find(|sent| sent.thread_id == Some(topic) && !sent.buttons.is_empty()).unwrap();
        let there = office.olga.in_topic(topic);
        let shown = async |button: &str| {
            let press = there.presses(first.message_id, button);
            assert_eq!(office.telegram.deliver().await, [200], "{button}");
            office.telegram.answer_of(&press).expect("an answer").text
        };

        assert_eq!(shown("Claim").await, "You have it.");
        assert_eq!(shown("Close").await, "Closed.");
        ada.frame("conversation_closed").await;
        assert!(shown("Ban").await.starts_with("Press Ban once more"));
        assert_eq!(shown("Ban").await, "Ada is banned.");
    })
    .await;
}
