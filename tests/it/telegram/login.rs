//! Login codes in Telegram.

use serde_json::json;
use shared::time::MINUTE;
use telegram_server::Fault;

use super::stage::{GROUP, Office, challenge, for_each_office};

#[tokio::test]
async fn a_login_code_arrives_in_the_group_and_never_on_the_terminal() {
    for_each_office(&[], async |office: &Office| {
        office.panel().await;

        let sent = office.telegram.sent();
        assert_eq!((sent.len(), sent[0].chat_id), (1, GROUP));
        assert!(sent[0].text.contains("Valid for 5 min. Asked for from 127.0.0.1"), "{}", sent[0].text);
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
