//! Buttons that operators press.

use serde_json::{Value, json};
use shared::time::{MINUTE, SECOND};
use telegram_server::Fault;

use super::asked::{asked, commands, head, press, update};
use super::stage::{GROUP, Office, Page, for_each_office};

const OLGA: (i64, &str) = (501, "Olga");
const BEN: (i64, &str) = (502, "Ben");

/// What somebody is shown who presses a button under some message of the group.
async fn shown(office: &Office, update_id: i64, by: (i64, &str), data: &str) -> (String, Value) {
    let answer = update(office, &press(update_id, by.0, by.1, data)).await;
    assert_eq!(answer["method"], "answerCallbackQuery", "{answer}");
    assert_eq!(answer["callback_query_id"], format!("press-{update_id}"));
    (answer["text"].as_str().unwrap().to_owned(), answer["show_alert"].clone())
}

/// A visitor, and a group of two.
async fn two(office: &Office) -> (Page, String) {
    let (ada, _) = asked(office).await;
    office.telegram.operator(GROUP, BEN.0, BEN.1, "");
    let id = ada.conversation_id.clone();
    (ada, id)
}

#[tokio::test]
async fn a_press_does_what_the_button_says() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, id) = two(office).await;

        assert_eq!(shown(office, 1, OLGA, &format!("claim:{id}")).await.0, "You have it.");
        assert_eq!(shown(office, 2, BEN, &format!("claim:{id}")).await.0, "Olga has it.");
        assert_eq!(shown(office, 3, BEN, &format!("close:{id}")).await.0, "Closed.");
        ada.frame("conversation_closed").await;
        assert_eq!(shown(office, 4, BEN, &format!("reopen:{id}")).await.0, "Open again.");
        ada.frame("conversation_reopened").await;
        for (update_id, data) in [(5, "claim:of-nobody"), (6, "close:of-nobody"), (7, "ban:of-nobody")] {
            assert_eq!(shown(office, update_id, OLGA, data).await.0, "This conversation has been deleted.", "{data}");
        }
        for (update_id, data) in [(8, "of:2031"), (9, "claim"), (10, "")] {
            assert_eq!(shown(office, update_id, OLGA, data).await.0, "This button does nothing any more.", "{data:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_ban_takes_two_presses_of_one_person() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, id) = two(office).await;
        let ban = format!("ban:{id}");

        let first = shown(office, 1, OLGA, &ban).await;
        assert_eq!(first, ("Press Ban once more within a minute to ban Ada.".to_owned(), json!(true)));
        assert_eq!(shown(office, 1, OLGA, &ban).await, first, "an update that comes again is no second press");
        assert_eq!(shown(office, 2, BEN, &ban).await, first, "neither is another person's");
        office.clock.advance(MINUTE);
        assert_eq!(shown(office, 3, OLGA, &ban).await, first, "nor a late one");
        ada.says("still here").await;

        office.clock.advance(10 * SECOND);
        assert_eq!(shown(office, 4, OLGA, &ban).await.0, "Ada is banned.");
        ada.frame("conversation_closed").await;
        let (status, _, _) = office.post("/api/visitor/join", &[], &json!({})).await;
        assert_eq!(status, 403);
    })
    .await;
}

#[tokio::test]
async fn only_members_may_press() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, id) = two(office).await;
        let close = format!("close:{id}");
        office.telegram.person(777, "Eve", "");

        let refused = "Only members of the operators’ group can do this.";
        assert_eq!(shown(office, 1, (777, "Eve"), &close).await.0, refused);
        office.telegram.set_status(GROUP, BEN.0, "left");
        assert_eq!(shown(office, 2, BEN, &close).await.0, refused);
        let elsewhere = json!({"update_id": 3, "callback_query": {"id": "3", "from": {"id": 501, "first_name": "Olga"},
            "data": close, "message": {"message_id": 1, "chat": {"id": 501, "type": "private"}}}});
        assert_eq!(update(office, &elsewhere).await["text"], refused);
        ada.says("still open").await;
    })
    .await;
}

#[tokio::test]
async fn telegram_is_asked_once_in_a_while_who_somebody_is() {
    for_each_office(&[], async |office: &Office| {
        let (_ada, id) = two(office).await;
        let asked = || office.telegram.requests("getChatMember").len();
        let claim = format!("claim:{id}");

        for update_id in 1..=3 {
            shown(office, update_id, OLGA, &claim).await;
        }
        assert_eq!(asked(), 1);
        office.clock.advance(10 * MINUTE);
        shown(office, 4, OLGA, &claim).await;
        assert_eq!(asked(), 2);

        office.telegram.fail_calls("getChatMember", 0, &[Fault::Broken]);
        let unsure = shown(office, 5, BEN, &claim).await.0;
        assert!(unsure.starts_with("Telegram does not say"), "{unsure}");
    })
    .await;
}

#[tokio::test]
async fn a_reply_to_a_closed_conversation_offers_to_reopen_it() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, message_id) = asked(office).await;
        ada.send(&json!({"type": "end"})).await;
        ada.frame("conversation_closed").await;

        let told = commands(office, &office.olga, message_id, "one more thing").await;
        assert!(told.contains("closed, so your reply was not delivered"), "{told}");
        let offer = office.telegram.sent().into_iter().rev().find(|sent| sent.text == told).unwrap();
        let pressed = office.olga.presses(offer.message_id, "Reopen");
        assert_eq!(office.telegram.deliver().await, [200]);

        assert_eq!(office.telegram.answer_of(&pressed).unwrap().text, "Open again.");
        ada.frame("conversation_reopened").await;
        assert_eq!(head(&mut ada).await, 1);
    })
    .await;
}
