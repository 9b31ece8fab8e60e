//! What operators command.

use futures::future::{join, join_all};
use serde_json::{Value, json};

use super::asked::{ELSEWHERE, asked, browser, commands, does, head, told, update};
use super::stage::{GROUP, Office, for_each_office};

/// The update of a command that somebody of the group gives in answer to a message.
fn command(update_id: i64, user_id: i64, name: &str, message_id: i64, text: &str) -> Value {
    json!({"update_id": update_id, "message": {
        "message_id": 90_000 + update_id, "date": 1, "chat": {"id": GROUP, "type": "supergroup"}, "text": text,
        "from": {"id": user_id, "is_bot": false, "first_name": name},
        "reply_to_message": {"message_id": message_id, "date": 1, "chat": {"id": GROUP}},
    }})
}

/// Who did what to a conversation, newest first.
async fn trail(office: &Office, token: &str) -> Vec<(String, String, String)> {
    let activity = browser(office, token).get("/api/admin/activity").await.good();
    let lines = activity["items"].as_array().unwrap().iter();
    let field = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    lines.map(|line| (field(line, "name"), field(line, "ip"), field(line, "action"))).collect()
}

#[tokio::test]
async fn of_five_operators_and_the_panel_one_gets_the_conversation() {
    for_each_office(&[], async |office: &Office| {
        let (ada, message_id) = asked(office).await;
        let (_panel, token) = office.panel().await;
        let desk = browser(office, &token);
        let path = format!("/api/admin/conversations/{}/claim", ada.conversation_id);
        let names = ["Ann", "Bob", "Cem", "Dan", "Eva"];
        let claims = names
            .iter()
            .zip(1_i64..)
            .map(|(name, id)| async move { update(office, &command(id, id, name, message_id, "/claim")).await });

        let (answers, item) = join(join_all(claims), desk.post(&path, json!({}))).await;

        let winner = item.good()["claimed_by"].as_str().expect("somebody has it").to_owned();
        let said = |answer: &Value| answer["text"].as_str().unwrap_or_default().to_owned();
        for (name, answer) in names.iter().zip(&answers) {
            let expected = if *name == winner { String::new() } else { format!("{winner} has this conversation.") };
            assert!(said(answer).starts_with(&expected) && said(answer).is_empty() == expected.is_empty(), "{answer}");
        }
        let again = update(office, &command(1, 1, "Ann", message_id, "/claim")).await;
        assert_eq!(again, answers[0], "the same update is answered the same");

        let freed = update(office, &command(9, 9, "Ida", message_id, "/release")).await;
        assert_eq!(freed, json!({"ok": true}));
        let freed = update(office, &command(10, 9, "Ida", message_id, "/release")).await;
        assert!(said(&freed).starts_with("Nobody has taken"), "{freed}");
        let hers = update(office, &command(11, 9, "Ida", message_id, "/claim")).await;
        assert_eq!(hers, json!({"ok": true}));
        let item = desk.get(&format!("/api/admin/conversations/{}", ada.conversation_id)).await.good();
        assert_eq!(item["claimed_by"], "Ida");
    })
    .await;
}

#[tokio::test]
async fn a_conversation_is_closed_and_reopened_from_telegram() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, message_id) = asked(office).await;
        let (_panel, token) = office.panel().await;

        does(office, &office.olga, message_id, "/close").await;
        ada.frame("conversation_closed").await;
        assert!(commands(office, &office.olga, message_id, "/close").await.contains("closed already"));
        does(office, &office.olga, message_id, " /REOPEN@parley_test_bot ").await;
        ada.frame("conversation_reopened").await;
        assert!(commands(office, &office.olga, message_id, "/reopen").await.contains("open already"));

        let trail = trail(office, &token).await;
        let olga = |action: &str| ("Olga Petrova".to_owned(), "telegram".to_owned(), action.to_owned());
        assert_eq!(trail[..2], [olga("reopen"), olga("close")], "who did it is kept, once each");
    })
    .await;
}

#[tokio::test]
async fn a_note_stays_among_the_team() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, message_id) = asked(office).await;
        let (mut panel, token) = office.panel().await;

        office.telegram.lose_webhook_answers(2);
        office.olga.replies(message_id, "// rang us\ntwice yesterday");
        assert_eq!(office.telegram.deliver().await, [200, 200]);
        office.clock.advance(2_000);
        assert_eq!(office.telegram.deliver().await, [200]);
        let added = panel.frame("note_added").await;
        assert_eq!(added["note"]["content"], "rang us\ntwice yesterday");
        let own = office.olga.replies(message_id, "/note is a friend of Ben's");
        let mixed = office.olga.replies(message_id, "Good day!\n  // knows us\nHow can we help?");
        assert_eq!(office.telegram.deliver().await, [200, 200]);
        assert!(commands(office, &office.olga, message_id, "/note").await.starts_with("Write the note"));

        let reply = ada.frame("message").await;
        assert_eq!((&reply["content"], &reply["seq"]), (&json!("Good day!\nHow can we help?"), &json!(2)));
        let path = format!("/api/admin/conversations/{}/notes", ada.conversation_id);
        let notes = browser(office, &token).get(&path).await.good();
        let kept: Vec<_> =
            notes["items"].as_array().unwrap().iter().map(|note| (&note["author"], &note["content"])).collect();
        let olga = &json!("Olga Petrova");
        assert_eq!(
            kept,
            [
                (olga, &json!("rang us\ntwice yesterday")),
                (olga, &json!("is a friend of Ben's")),
                (olga, &json!("knows us")),
            ]
        );
        for message_id in [own, mixed] {
            assert_eq!(office.telegram.message(GROUP, message_id).unwrap()["bot_reaction"], "✍", "shown to be one");
        }
    })
    .await;
}

#[tokio::test]
async fn tags_come_and_go() {
    for_each_office(&[], async |office: &Office| {
        let (ada, message_id) = asked(office).await;
        let (_panel, token) = office.panel().await;
        let olga = &office.olga;

        assert_eq!(commands(office, olga, message_id, "/tag VIP").await, "Tags: vip");
        assert_eq!(commands(office, olga, message_id, "/tag öfke li").await, "Tags: vip, öfke li");
        assert!(commands(office, olga, message_id, "/tag a/b").await.contains("no slash"));
        assert!(commands(office, olga, message_id, "/tag").await.ends_with("vip, öfke li"));
        let item = browser(office, &token).get(&format!("/api/admin/conversations/{}", ada.conversation_id)).await;
        assert_eq!(item.good()["tags"], json!(["vip", "öfke li"]));
        assert_eq!(commands(office, olga, message_id, "/tag -vip").await, "Tags: öfke li");
        assert_eq!(commands(office, olga, message_id, "/tag - öfke li").await, "This conversation has no tags now.");
    })
    .await;
}

#[tokio::test]
async fn a_banned_visitor_stays_out_until_somebody_relents() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, message_id) = asked(office).await;

        let banned = commands(office, &office.olga, message_id, "/ban").await;
        assert!(banned.starts_with("Ada is banned"), "{banned}");
        ada.frame("conversation_closed").await;
        let (status, _, refused) = office.post("/api/visitor/join", &[], &json!({})).await;
        assert_eq!((status, &refused["error"]), (403, &json!("forbidden")));

        let relented = commands(office, &office.olga, message_id, "/unban").await;
        assert!(relented.starts_with("Ada may come again"), "{relented}");
        office.visitor("Ada").await;
    })
    .await;
}

/// The lines of a history without their times.
fn said(history: &str) -> Vec<&str> {
    history.lines().map(|line| line.splitn(3, ' ').nth(2).unwrap()).collect()
}

#[tokio::test]
async fn who_the_visitor_is_and_what_was_said_can_be_looked_up() {
    for_each_office(ELSEWHERE, async |office: &Office| {
        let (mut ada, message_id) = asked(office).await;
        ada.says("<b>still</b> here?").await;
        does(office, &office.olga, message_id, "/claim").await;
        commands(office, &office.olga, message_id, "/tag vip").await;

        let info = commands(office, &office.olga, message_id, "/info").await;
        for line in [
            "Ada",
            "Open; the visitor is on the page",
            "Since: 2026-11-21 2",
            "Messages: 2",
            "Waiting for an answer since: 2026-11-21 2",
            "Taken on by: Olga Petrova",
            "Tags: vip",
            "Page: https://shop.example/cart",
            &format!("Panel: https://chat.example/admin?c={}", ada.conversation_id),
        ] {
            assert!(info.lines().any(|shown| shown.starts_with(line)), "{line}: {info}");
        }
        let history = commands(office, &office.olga, message_id, "/history 1").await;
        assert!(history.starts_with("2026-11-21 2"), "{history}");
        assert_eq!(said(&history), ["Ada: <b>still</b> here?"]);
        let history = commands(office, &office.olga, message_id, "/history").await;
        assert_eq!(said(&history), ["Ada: hello", "Ada: <b>still</b> here?"]);
    })
    .await;
}

#[tokio::test]
async fn a_long_history_fits_into_one_message() {
    let settings = [("MAX_MESSAGE_LEN", "5000"), ("WS_USER_BURST", "100")];
    for_each_office(&settings, async |office: &Office| {
        let (mut ada, message_id) = asked(office).await;
        for number in 0..10 {
            ada.says(&format!("{number} {}", "🙂".repeat(300))).await;
        }
        office.mirrored().await;

        let history = commands(office, &office.olga, message_id, "/history 50").await;
        let shown: Vec<_> = history.lines().map(|line| line.split(' ').nth(3).unwrap()).collect();
        assert!(history.encode_utf16().count() <= 4_096);
        assert_eq!(shown, ["4", "5", "6", "7", "8", "9"], "the newest that fit, none of them cut");

        ada.says(&"x".repeat(5_000)).await;
        let history = commands(office, &office.olga, message_id, "/history 2").await;
        assert_eq!(history.chars().count(), 4_096, "one that never fits is cut");
    })
    .await;
}

#[tokio::test]
async fn saved_replies_are_kept_sent_and_forgotten() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, message_id) = asked(office).await;
        let olga = &office.olga;

        assert!(commands(office, olga, message_id, "/canned").await.starts_with("There are no saved replies"));
        assert!(commands(office, olga, message_id, "/canned hours").await.contains("nothing was sent"));
        let saved = commands(office, olga, message_id, "/canned Hours = From 9 to 5.\nNever on Sundays = truly").await;
        assert_eq!(saved, "Saved. /canned hours sends it.");
        assert!(commands(office, olga, message_id, "/canned a b = c").await.contains("1 to 32"));
        assert_eq!(head(&mut ada).await, 1, "until now nothing was for the visitor");

        let own = olga.replies(message_id, "/canned hours");
        office.telegram.lose_webhook_answers(1);
        assert_eq!(office.telegram.deliver().await, [200, 200]);
        let words = "From 9 to 5.\nNever on Sundays = truly";
        assert_eq!(told(office, own), format!("Sent to the visitor:\n{words}"));
        assert_eq!(ada.frame("message").await["content"], words);
        assert_eq!(head(&mut ada).await, 2, "once");
        let list = commands(office, olga, message_id, "/canned").await;
        assert!(list.ends_with("hours – From 9 to 5. Never on Sundays = truly"), "{list}");
        commands(office, olga, message_id, "/canned hours =").await;
        assert!(commands(office, olga, message_id, "/canned hours").await.contains("nothing was sent"));
    })
    .await;
}

#[tokio::test]
async fn operators_without_the_panel_count_as_online_when_they_say_so() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, _) = asked(office).await;
        let own = office.olga.writes("/online");
        assert_eq!(office.telegram.deliver().await, [200]);
        assert!(told(office, own).contains("online for 12 hours"));
        assert_eq!(ada.frame("presence").await["admins_online"], 1);

        let own = office.olga.writes("/stats");
        assert_eq!(office.telegram.deliver().await, [200]);
        let stats = told(office, own);
        for line in ["Open conversations: 1", "Visitors online: 1", "Of us online: 1", "Visitors’ messages today: 1"]
        {
            assert!(stats.lines().any(|shown| shown == line), "{line}: {stats}");
        }
        office.olga.writes("/offline");
        assert_eq!(office.telegram.deliver().await, [200]);
        assert_eq!(ada.frame("presence").await["admins_online"], 0);
    })
    .await;
}

#[tokio::test]
async fn a_command_never_reaches_a_visitor() {
    for_each_office(&[], async |office: &Office| {
        let (mut ada, message_id) = asked(office).await;
        let olga = &office.olga;
        let unknown = commands(office, olga, message_id, "/colse").await;
        assert!(unknown.starts_with("There is no command /colse, and nothing was sent"), "{unknown}");
        assert!(commands(office, olga, message_id, "/").await.contains("no command /,"));
        assert!(commands(office, olga, message_id, "/help").await.lines().any(|line| line.starts_with("/claim – ")));
        let talk = olga.writes("/close");
        let other = olga.writes("/weather");
        assert_eq!(office.telegram.deliver().await, [200, 200]);
        assert!(told(office, talk).starts_with("/close is about one conversation"));
        let replies = office.telegram.webhook_replies();
        assert!(replies.iter().all(|reply| reply.parameters["reply_parameters"]["message_id"] != other), "{replies:?}");

        // The bot's own name is known once somebody asked for a link with it.
        let app = office.running.app().expect("its functions run in here");
        assert_eq!(app.telegram.as_ref().unwrap().username(app).await.unwrap(), "parley_test_bot");
        does(office, olga, message_id, "/close@weather_bot").await;
        assert_eq!(head(&mut ada).await, 1);
        ada.says("nobody closed this").await;
    })
    .await;
}

#[tokio::test]
async fn answers_are_in_the_teams_language() {
    for_each_office(&[("DEFAULT_LOCALE", "tr")], async |office: &Office| {
        let (_ada, message_id) = asked(office).await;

        assert_eq!(commands(office, &office.olga, message_id, "/release").await, "Bu görüşmeyi kimse üstlenmedi.");
    })
    .await;
}
