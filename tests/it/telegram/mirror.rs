//! What operators see of the chat.

use serde_json::json;

use super::stage::{GROUP, Office, bearer, for_each_office};

#[tokio::test]
async fn a_visitor_who_joins_is_announced_at_once_and_each_message_continues_the_chain() {
    for_each_office(&[], async |office: &Office| {
        let mut ada = office.visitor("Ada").await;
        let announced = office.telegram.until_sent(1).await;
        ada.says("hello").await;
        office.mirrored().await;
        ada.says("is anybody there?").await;
        let sent = office.telegram.until_sent(3).await;

        assert!(announced[0].text.starts_with("Ada has come to the chat."), "{}", announced[0].text);
        assert!(announced[0].text.contains("https://shop.example/cart"));
        assert!(announced[0].text.ends_with(&format!("/admin?c={}", ada.conversation_id)));
        assert_eq!((announced[0].chat_id, announced[0].reply_to), (GROUP, None));
        assert_eq!((sent[1].text.as_str(), sent[1].reply_to), ("Ada: hello", Some(sent[0].message_id)));
        assert_eq!((sent[2].text.as_str(), sent[2].reply_to), ("Ada: is anybody there?", Some(sent[1].message_id)));
    })
    .await;
}

#[tokio::test]
async fn a_visitor_may_be_announced_with_the_first_message_only() {
    for_each_office(&[("TELEGRAM_NOTIFY_ON", "first_message")], async |office: &Office| {
        let _silent = office.visitor("Silent").await;
        let mut ada = office.visitor("Ada").await;
        ada.says("hello").await;
        let sent = office.telegram.until_sent(2).await;

        assert!(sent[0].text.starts_with("Ada has come to the chat."), "{}", sent[0].text);
        assert_eq!((sent[1].text.as_str(), sent[1].reply_to), ("Ada: hello", Some(sent[0].message_id)));
    })
    .await;
}

#[tokio::test]
async fn conversations_that_go_on_together_keep_their_own_chains() {
    for_each_office(&[], async |office: &Office| {
        let mut ada = office.visitor("Ada").await;
        let mut bob = office.visitor("Bob").await;
        let heads = office.telegram.until_sent(2).await;
        for n in 1..=3 {
            ada.says(&format!("a{n}")).await;
            bob.says(&format!("b{n}")).await;
            office.mirrored().await;
        }
        let sent = office.telegram.sent();

        for (name, letter) in [("Ada", "a"), ("Bob", "b")] {
            let mut last = heads.iter().find(|head| head.text.starts_with(name)).unwrap().message_id;
            for n in 1..=3 {
                let text = format!("{name}: {letter}{n}");
                let found = sent.iter().find(|sent| sent.text == text).unwrap();
                assert_eq!(found.reply_to, Some(last), "{text}");
                last = found.message_id;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_panel_answers_is_shown_with_its_authors_name() {
    for_each_office(&[], async |office: &Office| {
        let mut ada = office.visitor("Ada").await;
        ada.says("hello").await;
        office.telegram.until_sent(2).await;
        let (_panel, token) = office.panel().await;

        let body = json!({"conversation_id": ada.conversation_id, "content": "good day"});
        let (status, ..) = office.post("/api/admin/send", &[("Authorization", &bearer(&token))], &body).await;
        let sent = office.telegram.until_sent(5).await;

        assert_eq!(status, 200);
        assert_eq!((sent[4].text.as_str(), sent[4].reply_to), ("↩ Ben: good day", Some(sent[1].message_id)));
    })
    .await;
}

#[tokio::test]
async fn closing_and_reopening_are_told_in_the_chain() {
    for_each_office(&[], async |office: &Office| {
        let mut ada = office.visitor("Ada").await;
        office.telegram.until_sent(1).await;
        ada.send(&json!({"type": "end"})).await;
        let sent = office.telegram.until_sent(2).await;

        assert_eq!(sent[1].text, "The conversation with Ada is closed.");
        assert_eq!(sent[1].reply_to, Some(sent[0].message_id));
    })
    .await;
}

#[tokio::test]
async fn long_and_strange_texts_arrive_whole_and_literally() {
    let settings = [("MAX_MESSAGE_LEN", "6000"), ("WS_USER_BURST", "10")];
    for_each_office(&settings, async |office: &Office| {
        let mut ada = office.visitor("<b>Ada</b>").await;
        office.telegram.until_sent(1).await;
        let (long, smiles) = ("word ".repeat(800), "🙂".repeat(3_000));
        let markup = r#"</b><a href="tg://user?id=1">*x*_y_`z`&amp;&lt;"#;
        for text in [markup, &long, &smiles] {
            ada.says(text).await;
            office.mirrored().await;
        }
        let sent = office.telegram.sent();

        assert_eq!(sent[1].text, format!("<b>Ada</b>: {markup}"));
        assert_eq!(sent[2].text, format!("<b>Ada</b>: {}", long.trim()));
        assert_eq!(format!("{}{}", sent[3].text, sent[4].text), format!("<b>Ada</b>: {smiles}"));
        assert!(sent.windows(2).all(|pair| pair[1].reply_to == Some(pair[0].message_id)));
    })
    .await;
}
