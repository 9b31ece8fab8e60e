//! The webhook's fences, and what it makes of nonsense.

use serde_json::json;
use shared::time::HOUR;
use telegram_server::post;

use super::asked::{asked, does, update};
use super::stage::{GROUP, Office, SECRET, for_each_office};
use crate::stores::Home;

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
        let hologram = json!({"message_id": 1, "chat": {"id": GROUP}, "from": {"id": 1, "first_name": "O"},
            "hologram": {"emoji": "x"}, "reply_to_message": {"message_id": head}});
        office.telegram.enqueue(GROUP, json!({"message": hologram}));
        office.olga.replies(head, "still here");

        let statuses = office.telegram.deliver().await;

        assert_eq!(statuses, [200; 17]);
        assert_eq!(ada.frame("message").await["content"], "still here");
        let app = office.running.app().expect("its functions run in here");
        for body in &poison[7..] {
            let update: serde_json::Value = serde_json::from_slice(body).unwrap();
            let sight = app.store.sight(update["update_id"].as_i64().unwrap(), app.now()).await.unwrap().unwrap();
            assert_eq!(sight.aside.unwrap().as_bytes(), *body, "it is kept aside");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_kept_aside_has_an_end() {
    for_each_office(&[], async |office: &Office| {
        let long = json!({"update_id": 7, "of_the_year_2031": "ö".repeat(100_000)});
        assert_eq!(update(office, &long).await, json!({"ok": true}));

        let app = office.running.app().expect("its functions run in here");
        let kept = app.store.sight(7, app.now()).await.unwrap().unwrap().aside.unwrap();
        assert!(kept.len() <= 64 * 1024 + 3 && kept.starts_with(r#"{"of_the_year_2031""#), "{} bytes", kept.len());
        office.clock.advance(49 * HOUR);
        assert_eq!(app.store.sight(7, app.now()).await.unwrap(), None, "two days later it is forgotten");
    })
    .await;
}

#[tokio::test]
async fn what_happens_to_the_groups_looks_is_no_news() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, message_id) = asked(office).await;
        let before = office.telegram.calls();
        let group = json!({"id": GROUP, "type": "supergroup"});
        let olga = json!({"id": 501, "is_bot": false, "first_name": "Olga"});
        let answered = json!({"message_id": message_id, "chat": group});
        for (number, what) in
            ["pinned_message", "new_chat_title", "new_chat_members", "forum_topic_created", "boost_added"]
                .iter()
                .enumerate()
        {
            let message = json!({"message_id": 80_000 + number, "date": 1, "chat": group, "from": olga,
                "reply_to_message": answered, *what: {}});
            office.telegram.enqueue(GROUP, json!({"message": message}));
        }
        assert_eq!(office.telegram.deliver().await, [200; 5]);

        assert_eq!((office.telegram.calls(), office.telegram.webhook_replies().len()), (before, 0));
        does(office, &office.olga, message_id, "good day").await;
        assert_eq!(ada.frame("message").await["seq"], 2);
    })
    .await;
}

#[tokio::test]
async fn while_the_store_is_away_telegram_is_asked_to_come_again() {
    for home in Home::on_sql().await.into_iter().filter(|home| home.file().is_some()) {
        let office = Office::open(&home, &[]).await;
        let (mut ada, message_id) = asked(&office).await;
        let mut other = home.connection().await;
        sqlx::raw_sql("begin exclusive").execute(&mut other).await.unwrap();
        office.olga.replies(message_id, "good day");

        assert_eq!(office.telegram.deliver().await, [503]);
        assert_eq!(office.telegram.pending(), 1);
        assert_eq!(office.telegram.deliver().await, [0; 0], "not at once: it was told when");
        sqlx::raw_sql("rollback").execute(&mut other).await.unwrap();
        office.clock.advance(2_000);
        assert_eq!(office.telegram.deliver().await, [200]);

        assert_eq!(ada.frame("message").await["content"], "good day");
        office.running.shutdown().await;
        home.leave().await;
    }
}

#[tokio::test]
async fn an_update_on_which_the_store_breaks_is_kept_aside() {
    for home in Home::on_sql().await {
        let office = Office::open(&home, &[]).await;
        let (_ada, message_id) = asked(&office).await;
        let mut other = home.connection().await;
        sqlx::raw_sql("drop table telegram_link").execute(&mut other).await.unwrap();
        let reply = json!({"update_id": 7, "message": {
            "message_id": 90_000, "date": 1, "chat": {"id": GROUP, "type": "supergroup"}, "text": "good day",
            "from": {"id": 501, "is_bot": false, "first_name": "Olga"},
            "reply_to_message": {"message_id": message_id, "chat": {"id": GROUP}},
        }});

        assert_eq!(update(&office, &reply).await, json!({"ok": true}), "it holds nobody up");

        let app = office.running.app().expect("its functions run in here");
        let aside = app.store.sight(7, app.now()).await.unwrap().unwrap().aside.expect("it is kept");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&aside).unwrap(), reply);
        office.running.shutdown().await;
        home.leave().await;
    }
}
