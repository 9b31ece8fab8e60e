//! Visitors who go on in Telegram.

use serde_json::{Value, json};
use shared::time::{MINUTE, SECOND};
use telegram_server::{Media, Person};

use super::asked::{ELSEWHERE, asked, does, head};
use super::stage::{Office, Page, bearer, for_each_office};

/// Ada's phone.
const ADA: i64 = 8_100;

fn phone(office: &Office) -> Person {
    office.telegram.person(ADA, "A.", "Lovelace")
}

/// What a page gets that asks to go on in Telegram: the secret of the link.
async fn link(office: &Office, page: &Page) -> String {
    let body = json!({"conversation_id": page.conversation_id});
    let path = "/api/visitor/telegram_link";
    let (status, _, link) = office.post(path, &[("Authorization", &bearer(&page.resume_token))], &body).await;
    assert_eq!(status, 200, "{link}");
    let url = link["url"].as_str().unwrap();
    url.strip_prefix("https://t.me/parley_test_bot?start=").expect("a link of the bot's").to_owned()
}

/// What the bot answered in the private chat last.
fn answered(office: &Office) -> String {
    let replies = office.telegram.webhook_replies();
    let last = replies.iter().rev().find(|reply| reply.parameters["chat_id"] == ADA).expect("an answer");
    last.parameters["text"].as_str().unwrap().to_owned()
}

/// Somebody writes to the bot; answers what the bot says to that at once.
async fn writes(office: &Office, person: &Person, text: &str) -> Option<String> {
    // Each chat counts its messages for itself: an older reply may be to one of the same number.
    let before = office.telegram.webhook_replies().len();
    let own = person.writes(text);
    assert_eq!(office.telegram.deliver().await, [200], "{text}");
    let replies = office.telegram.webhook_replies();
    let reply = replies[before..]
        .iter()
        .find(|reply| reply.parameters["chat_id"] == ADA && reply.parameters["reply_parameters"]["message_id"] == own);
    Some(reply?.parameters["text"].as_str().unwrap().to_owned())
}

/// Ada has gone on in Telegram.
async fn moved(office: &Office) -> (Page, i64, Person) {
    let (mut ada, message_id) = asked(office).await;
    let phone = phone(office);
    phone.starts(&link(office, &ada).await);
    assert_eq!(office.telegram.deliver().await, [200]);
    let told = ada.frame("message").await;
    assert_eq!((&told["sender"], &told["content"]), (&json!("system"), &json!("Ada goes on in Telegram.")));
    (ada, message_id, phone)
}

#[tokio::test]
async fn a_conversation_goes_on_in_telegram_and_on_the_page() {
    for_each_office(&[], async |office: &Office| {
        let (mut panel, _) = office.panel().await;
        let (mut ada, message_id, phone) = moved(office).await;
        assert!(answered(office).starts_with("Hello Ada, your conversation goes on here now."));
        let updated: Value = loop {
            let item = panel.frame("conversation_updated").await;
            if item["in_telegram"] == true {
                break item;
            }
        };
        assert_eq!(updated["conversation_id"], ada.conversation_id);

        office.mirrored().await;
        let private = |office: &Office| -> Vec<String> {
            office.telegram.sent().into_iter().filter(|sent| sent.chat_id == ADA).map(|sent| sent.text).collect()
        };
        assert!(
            private(office).iter().any(|text| text.starts_with("Ada: hello")),
            "history included: {:?}",
            private(office)
        );

        let own = phone.writes("I am on the bus now");
        assert_eq!(office.telegram.deliver().await, [200]);
        let there = ada.frame("message").await;
        let expected =
            json!({"sender": "visitor", "via": "telegram", "author": "Ada", "content": "I am on the bus now"});
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&there[field], value, "{field}");
        }
        phone.edits(own, "I am on the train now");
        assert_eq!(office.telegram.deliver().await, [200]);
        assert_eq!(ada.frame("message_edited").await["content"], "I am on the train now");

        ada.says("and back at my desk").await;
        does(office, &office.olga, message_id, "welcome back").await;
        assert_eq!(ada.frame("message").await["content"], "welcome back");
        assert_eq!(head(&mut ada).await, 5);
        office.mirrored().await;
        assert!(private(office).last().unwrap().ends_with("welcome back"), "{:?}", private(office));
    })
    .await;
}

#[tokio::test]
async fn each_update_counts_once() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, _) = asked(office).await;
        let phone = phone(office);
        phone.starts(&link(office, &ada).await);
        phone.writes("hello again");
        office.telegram.lose_webhook_answers(2);
        assert_eq!(office.telegram.deliver().await, [200, 200]);
        office.clock.advance(2 * SECOND);
        assert_eq!(office.telegram.deliver().await, [200, 200]);

        assert!(office.telegram.webhook_replies()[0].parameters["text"].as_str().unwrap().starts_with("Hello Ada"));
        assert_eq!(head(&mut ada).await, 3);
    })
    .await;
}

#[tokio::test]
async fn a_link_works_once_and_for_ten_minutes() {
    for_each_office(ELSEWHERE, async |office: &Office| {
        let (ada, _, phone) = moved(office).await;
        let eve = office.telegram.person(666, "Eve", "");
        let used = "This link has been used or has expired.";
        let last = |chat_id: i64| {
            let replies = office.telegram.webhook_replies();
            let last = replies.iter().rev().find(|reply| reply.parameters["chat_id"] == chat_id).unwrap();
            last.parameters["text"].as_str().unwrap().to_owned()
        };
        let taken = link(office, &ada).await;
        phone.starts(&taken);
        assert_eq!(office.telegram.deliver().await, [200]);
        eve.starts(&taken);
        eve.starts("never-was-one");
        assert_eq!(office.telegram.deliver().await, [200, 200]);
        assert!(last(666).starts_with(used) && last(666).ends_with("https://chat.example"), "{}", last(666));
        phone.starts(&taken);
        let late = link(office, &ada).await;
        office.clock.advance(10 * MINUTE);
        eve.starts(&late);
        assert_eq!(office.telegram.deliver().await, [200, 200]);

        assert!(last(ADA).contains("goes on here already"), "a second tap does no harm: {}", last(ADA));
        assert!(last(666).starts_with(used));
        assert_eq!(writes(office, &eve, "let me in").await, None, "her chat is not Ada's");
        assert!(last(666).contains("press “Continue in Telegram”"), "{}", last(666));
        // Ada's page was idle for too long to ask it.
        let app = office.running.app().expect("its functions run in here");
        let conversation = app.store.conversation(&ada.conversation_id, app.now()).await.unwrap().unwrap();
        assert_eq!(
            (conversation.visitor_chat_id, conversation.head_seq),
            (Some(ADA), 3),
            "two moves, nothing of Eve's"
        );
    })
    .await;
}

#[tokio::test]
async fn a_visitor_hears_why_words_went_nowhere() {
    let settings = [("MAX_MESSAGE_LEN", "30"), ("WS_USER_BURST", "2"), ("WS_USER_MSGS_PER_SEC", "1")];
    for_each_office(&settings, async |office: &Office| {
        let (mut ada, _, phone) = moved(office).await;
        office.clock.advance(10 * SECOND);

        assert_eq!(writes(office, &phone, "one").await, None);
        assert_eq!(writes(office, &phone, "two").await, None);
        let fast = writes(office, &phone, "three").await.unwrap();
        assert!(fast.contains("too fast") && fast.contains("in 1 s"), "{fast}");
        office.clock.advance(10 * SECOND);
        let long = writes(office, &phone, &"x".repeat(31)).await.unwrap();
        assert!(long.contains("more than 30 characters"), "{long}");
        assert!(writes(office, &phone, "/nonsense").await.unwrap().contains("taken for a command"));
        phone.sends(&Media::document("film.mp4", "video/mp4", b"x").size(21 * 1024 * 1024));
        assert_eq!(office.telegram.deliver().await, [200]);
        assert!(answered(office).contains("larger than 20 MB"), "{}", answered(office));
        office.telegram.enqueue(
            ADA,
            json!({"message": {"message_id": 77_001, "date": 1, "poll": {"question": "?"},
            "chat": {"id": ADA, "type": "private"}, "from": {"id": ADA, "is_bot": false, "first_name": "A."}}}),
        );
        assert_eq!(office.telegram.deliver().await, [200]);
        assert!(answered(office).starts_with("Messages of this kind"), "{}", answered(office));
        assert_eq!(head(&mut ada).await, 4, "hello, the move, one, two");

        ada.send(&json!({"type": "end"})).await;
        ada.frame("conversation_closed").await;
        let closed = writes(office, &phone, "wait").await.unwrap();
        assert!(closed.ends_with("https://shop.example/cart"), "{closed}");
    })
    .await;
}

#[tokio::test]
async fn a_visitor_can_stop_it_and_blocking_the_bot_stops_it_too() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, _, phone) = moved(office).await;

        let stopped = writes(office, &phone, "/stop").await.unwrap();
        assert!(stopped.ends_with("https://shop.example/cart"), "{stopped}");
        let lost = writes(office, &phone, "anybody here?").await.unwrap();
        assert!(lost.contains("Continue in Telegram"), "{lost}");
        assert!(writes(office, &phone, "/stop").await.unwrap().contains("Continue in Telegram"));
        let before = head(&mut ada).await;

        phone.starts(&link(office, &ada).await);
        assert_eq!(office.telegram.deliver().await, [200]);
        phone.blocks();
        assert_eq!(office.telegram.deliver().await, [200]);
        phone.unblocks();
        phone.writes("here again");
        office.telegram.deliver().await;
        assert!(answered(office).contains("Continue in Telegram"), "{}", answered(office));
        assert_eq!(head(&mut ada).await, before + 1, "that she came back, and nothing she wrote to nobody");
    })
    .await;
}

#[tokio::test]
async fn a_visitor_is_answered_in_their_own_language() {
    for_each_office(&[], async |office: &Office| {
        let joined = json!({"display_name": "Ece", "locale": "tr"});
        let (_, _, joined) = office.post("/api/visitor/join", &[], &joined).await;
        let field = |name: &str| joined[name].as_str().unwrap().to_owned();
        let body = json!({"conversation_id": field("conversation_id")});
        let token = bearer(&field("resume_token"));
        let (_, _, link) = office.post("/api/visitor/telegram_link", &[("Authorization", &token)], &body).await;
        phone(office).starts(link["url"].as_str().unwrap().split_once("start=").unwrap().1);
        assert_eq!(office.telegram.deliver().await, [200]);

        assert!(answered(office).starts_with("Merhaba Ece, görüşmeniz"), "{}", answered(office));
    })
    .await;
}
