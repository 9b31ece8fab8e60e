//! Login codes in Telegram.

use serde_json::{Value, json};
use shared::time::{MINUTE, SECOND};
use telegram_server::{Fault, Person, Sent};

use super::asked::{press, update};
use super::stage::{GROUP, Office, bearer, challenge, for_each_office};

#[tokio::test]
async fn a_login_code_arrives_in_the_group_and_never_on_the_terminal() {
    for_each_office(&[], async |office: &Office| {
        office.panel().await;

        let sent = office.telegram.sent();
        let expected = "\nValid for 5 min. Asked for from 127.0.0.1 at 22:11 UTC\n";
        assert!(sent[0].chat_id == GROUP && sent[0].text.contains(expected), "{}", sent[0].text);
        assert_eq!(sent[1].text, "Ben has logged in to the panel from 127.0.0.1", "and everybody hears of a new login");
    })
    .await;
}

#[tokio::test]
async fn without_telegram_no_code_is_promised() {
    for_each_office(&[], async |office: &Office| {
        office.telegram.fail(&[Fault::Broken]);

        let (status, _, body) = office.post("/api/admin/request_otp", &[], &json!({})).await;

        assert_eq!((status, &body["error"]), (503, &json!("internal")));
    })
    .await;
}

#[tokio::test]
async fn each_tenth_wrong_code_is_announced() {
    for_each_office(&[], async |office: &Office| {
        let (_, head, _) = office.post("/api/admin/request_otp", &[], &json!({})).await;
        let cookie = challenge(&head);
        let wrong = if office.code() == "000000" { "000001" } else { "000000" };
        for round in 1..=20 {
            let (status, _, body) =
                office.post("/api/admin/login", &[("Cookie", &cookie)], &json!({"code": wrong})).await;
            assert_eq!(status, 401, "{body}");
            let alarms = office.telegram.sent().iter().filter(|sent| sent.text.starts_with("Ten wrong")).count();
            assert_eq!(alarms, round / 10, "after {round}");
            office.clock.advance(15 * MINUTE);
        }
    })
    .await;
}

/// The people whom login codes go to, one of whom has never written to the bot.
const ADMINS: &[(&str, &str)] = &[("TELEGRAM_ADMIN_IDS", "501,502,503")];

/// A browser that asks to be let in, and what two of the admins got.
async fn asks(office: &Office) -> (String, [Person; 2], [Sent; 2]) {
    let ben = office.telegram.operator(GROUP, 502, "Ben", "");
    let people = [office.olga.privately(), ben.privately()];
    for person in &people {
        person.starts("");
    }
    assert_eq!(office.telegram.deliver().await, [200, 200]);
    let ready = office.telegram.webhook_replies();
    assert_eq!(ready[0].parameters["text"], "Login codes for the panel will come to this chat.");
    let agent = [("User-Agent", "Story/2.0")];
    let (status, head, asked) = office.post("/api/admin/request_otp", &agent, &json!({})).await;
    assert_eq!((status, &asked["channel"], &asked["approval"]), (200, &json!("telegram_private"), &json!(true)));
    let sent: Vec<_> =
        office.telegram.sent().into_iter().filter(|sent| sent.text.starts_with("Login code: ")).collect();
    let sent: [Sent; 2] = sent.try_into().expect("one for each who can be reached");
    (challenge(&head), people, sent)
}

/// What the waiting browser is told.
async fn waits(office: &Office, cookie: &str) -> (u16, Value) {
    let headers = [("Cookie", cookie), ("User-Agent", "Story/2.0")];
    let (status, _, answer) = office.post("/api/admin/login/approval", &headers, &json!({"name": "Mia"})).await;
    (status, answer)
}

#[tokio::test]
async fn a_code_goes_to_people_who_let_the_browser_in_without_typing() {
    for_each_office(ADMINS, async |office: &Office| {
        let (cookie, [olga, ben], [to_olga, to_ben]) = asks(office).await;
        assert_eq!((to_olga.chat_id, to_ben.chat_id), (501, 502), "nobody else sees the code");
        assert!(to_olga.text.contains("127.0.0.1 at 22:11 UTC\nStory/2.0\n"), "{}", to_olga.text);
        assert_eq!(waits(office, &cookie).await, (200, json!({"approved": false})));

        office.clock.advance(2 * MINUTE);
        let pressed = olga.presses(to_olga.message_id, "Approve");
        assert_eq!(office.telegram.deliver().await, [200]);
        assert_eq!(office.telegram.answer_of(&pressed).unwrap().text, "Approved by Olga Petrova, 22:13 UTC");
        let edited = office.telegram.edits().pop().unwrap();
        assert_eq!((edited.chat_id, edited.message_id), (501, to_olga.message_id));
        let expected =
            "Approved by Olga Petrova, 22:13 UTC\nValid for 5 min. Asked for from 127.0.0.1 at 22:11 UTC\nStory/2.0";
        assert!(edited.text.starts_with(expected) && edited.buttons.is_empty(), "{edited:?}");

        let late = ben.presses(to_ben.message_id, "Deny");
        assert_eq!(office.telegram.deliver().await, [200]);
        assert!(office.telegram.answer_of(&late).unwrap().text.starts_with("Somebody has decided this already"));

        let (status, session) = waits(office, &cookie).await;
        assert_eq!((status, &session["approved"], &session["name"]), (200, &json!(true), &json!("Mia")), "{session}");
        let token = bearer(session["token"].as_str().unwrap());
        let headers = [("Authorization", token.as_str()), ("User-Agent", "Story/2.0")];
        assert_eq!(office.post("/api/admin/ws_ticket", &headers, &json!({})).await.0, 200);
        assert_eq!(waits(office, &cookie).await.0, 401, "once");
        let announced = office.telegram.sent().pop().unwrap();
        assert_eq!(
            (announced.chat_id, announced.text.as_str()),
            (GROUP, "Mia has logged in to the panel from 127.0.0.1\nStory/2.0")
        );
    })
    .await;
}

#[tokio::test]
async fn a_browser_that_was_denied_has_to_begin_again() {
    for_each_office(ADMINS, async |office: &Office| {
        let (cookie, [olga, _], [to_olga, _]) = asks(office).await;
        let code = to_olga.text["Login code: ".len()..][..6].to_owned();

        olga.presses(to_olga.message_id, "Deny");
        office.telegram.lose_webhook_answers(1);
        assert_eq!(office.telegram.deliver().await, [200, 200]);

        let edited = office.telegram.edits().pop().unwrap();
        assert!(edited.text.starts_with("Denied by Olga Petrova, 22:11 UTC\n"), "{}", edited.text);
        assert_eq!(waits(office, &cookie).await.0, 401);
        let login = json!({"code": code});
        let headers = [("Cookie", cookie.as_str()), ("User-Agent", "Story/2.0")];
        assert_eq!(office.post("/api/admin/login", &headers, &login).await.0, 401, "the code is worth nothing either");
    })
    .await;
}

#[tokio::test]
async fn nobody_else_lets_a_browser_in_and_nobody_too_late() {
    for_each_office(ADMINS, async |office: &Office| {
        let (cookie, [olga, _], [to_olga, _]) = asks(office).await;
        let approve = to_olga.buttons[0].data.clone().unwrap();
        let eve = update(office, &press(1, 777, "Eve", &approve)).await;
        assert_eq!(eve["text"], "Only those whom login codes go to can decide this.");
        assert_eq!(waits(office, &cookie).await, (200, json!({"approved": false})));

        office.clock.advance(5 * MINUTE + SECOND);
        let late = olga.presses(to_olga.message_id, "Approve");
        assert_eq!(office.telegram.deliver().await, [200]);
        assert!(office.telegram.answer_of(&late).unwrap().text.ends_with("it is too late."));
        assert_eq!(waits(office, &cookie).await.0, 401);
    })
    .await;
}

#[tokio::test]
async fn a_decision_is_shown_even_if_telegram_does_not_change_the_message() {
    for_each_office(ADMINS, async |office: &Office| {
        let (cookie, [olga, _], [to_olga, _]) = asks(office).await;
        office.telegram.fail_calls("editMessageText", 0, &[Fault::Broken]);

        let pressed = olga.presses(to_olga.message_id, "Approve");
        assert_eq!(office.telegram.deliver().await, [200]);

        assert!(office.telegram.answer_of(&pressed).unwrap().text.starts_with("Approved by Olga"));
        assert_eq!(waits(office, &cookie).await.1["approved"], true);
    })
    .await;
}
