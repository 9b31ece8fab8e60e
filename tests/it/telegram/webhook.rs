//! The webhook's fences, and what it makes of nonsense.

use serde_json::json;
use telegram_server::post;

use super::stage::{GROUP, Office, SECRET, for_each_office};

const HEADER: &str = "X-Telegram-Bot-Api-Secret-Token";

#[tokio::test]
async fn without_the_whole_secret_nothing_gets_in() {
    for_each_office(&[], async |office: &Office| {
        let mut ada = office.visitor("Ada").await;
        office.mirrored().await;
        let head = office.telegram.sent()[0].message_id;
        let update = json!({"update_id": 1, "message": {
            "message_id": 50_000, "date": 1, "chat": {"id": GROUP}, "text": "forged",
            "from": {"id": 1, "is_bot": false, "first_name": "Eve"}, "reply_to_message": {"message_id": head},
        }});
        let body = update.to_string();
        let long = format!("{SECRET}{}", "x".repeat(257 - SECRET.len()));
        let secrets = ["", "wrong", &SECRET[..SECRET.len() - 1], &SECRET.to_uppercase(), &long];
        let path = "/telegram/webhook";

        let (status, _, answer) = post(office.address(), path, &[], body.as_bytes()).await.unwrap();
        assert_eq!(status, 401, "{answer}");
        for secret in secrets {
            let (status, _, answer) = post(office.address(), path, &[(HEADER, secret)], body.as_bytes()).await.unwrap();
            assert_eq!(status, 401, "{secret:?}: {answer}");
        }
        ada.send(&json!({"type": "ping"})).await;
        assert_eq!(ada.frame("pong").await["head_seq"], 0);

        let (status, _, answer) = post(office.address(), path, &[(HEADER, SECRET)], body.as_bytes()).await.unwrap();
        assert_eq!((status, answer.as_str()), (200, r#"{"ok":true}"#), "and its update_id was not used up");
        assert_eq!(ada.frame("message").await["content"], "forged");
    })
    .await;
}

#[tokio::test]
async fn only_listed_addresses_reach_the_webhook() {
    for_each_office(&[("TELEGRAM_WEBHOOK_IP_WHITELIST", "149.154.160.0/20")], async |office: &Office| {
        office.olga.writes("hello");

        assert_eq!(office.telegram.deliver().await, [403, 403]);
    })
    .await;
}

#[tokio::test]
async fn nonsense_is_answered_200_and_holds_nothing_up() {
    for_each_office(&[], async |office: &Office| {
        let mut ada = office.visitor("Ada").await;
        office.mirrored().await;
        let head = office.telegram.sent()[0].message_id;
        let poison: [&[u8]; 10] = [
            b"",
            b"{",
            b"null",
            b"[]",
            b"\"text\"",
            b"\xff\xfe",
            br#"{"update_id":"seven"}"#,
            br#"{"update_id":900,"message":7}"#,
            br#"{"update_id":901,"message":{"message_id":null,"chat":{"id":99999999999999999999999}}}"#,
            br#"{"update_id":902,"message":{"chat":{"id":-1001234567890},"text":["a"],"from":{}}}"#,
        ];
        for body in poison {
            office.telegram.enqueue_raw(GROUP, body);
        }
        for kind in ["message_reaction", "callback_query", "my_chat_member", "poll_answer", "of_the_year_2031"] {
            office.telegram.enqueue(GROUP, json!({kind: {"chat": {"id": GROUP}, "user": {"id": 1}}}));
        }
        let sticker = json!({"message_id": 1, "chat": {"id": GROUP}, "from": {"id": 1, "first_name": "O"},
            "sticker": {"emoji": "x"}, "reply_to_message": {"message_id": head}});
        office.telegram.enqueue(GROUP, json!({"message": sticker}));
        office.olga.replies(head, "still here");

        let statuses = office.telegram.deliver().await;

        assert_eq!(statuses, [200; 17]);
        assert_eq!(ada.frame("message").await["content"], "still here");
    })
    .await;
}
