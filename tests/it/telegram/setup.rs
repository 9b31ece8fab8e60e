//! `gateway telegram setup`: what it finds, what it says, what it puts in place.

use std::sync::Arc;

use gateway::setup::{self, Wish};
use serde_json::json;
use shared::config::Config;
use shared::time::{HOUR, ManualClock};
use telegram_server::{BOT_TOKEN, Fault, Membership, Rights, TelegramServer, post};

use super::stage::{GROUP, SECRET, START, config};
use crate::people::run_program;

const URL: &str = "https://chat.example.com/telegram/webhook";
const CHECK: Wish = Wish { check: true, drop_pending_updates: false };
const SET: Wish = Wish { check: false, drop_pending_updates: false };

struct Newcomer {
    telegram: TelegramServer,
    clock: Arc<ManualClock>,
}

/// Somebody whose bot keeps a group with topics, with every right.
async fn newcomer() -> Newcomer {
    let clock = Arc::new(ManualClock::new(START));
    let telegram = TelegramServer::start(clock.clone(), &[GROUP]).await;
    telegram.set_forum(GROUP, true);
    Newcomer { telegram, clock }
}

impl Newcomer {
    fn config(&self, more: &[(&str, &str)]) -> Config {
        let public = [("PUBLIC_URL", "https://chat.example.com")];
        config(&self.telegram.url(), &[more, &public].concat())
    }

    /// Whether all is well, and the lines without their last.
    async fn told(&self, more: &[(&str, &str)], wish: Wish) -> (bool, Vec<String>) {
        let config = self.config(more);
        let report = setup::run(&config, &*self.clock, wish).await.unwrap();
        let lines = report.lines(&config).unwrap();
        for secret in [BOT_TOKEN, SECRET] {
            assert!(!lines.contains(secret), "{lines}");
        }
        let findings = lines.split_once("\n\n").unwrap().0;
        (report.is_well(), findings.lines().map(ToOwned::to_owned).collect())
    }

    /// The one thing that is wrong.
    async fn wrong(&self, more: &[(&str, &str)], wish: Wish) -> String {
        let (is_well, lines) = self.told(more, wish).await;
        let wrong: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix("✗ ")).collect();
        assert!(!is_well && wrong.len() == 1, "{lines:#?}");
        wrong[0].to_owned()
    }
}

fn may(manage_topics: bool, delete_messages: bool) -> Membership {
    Membership::Administrator(Rights { manage_topics, delete_messages })
}

#[tokio::test]
async fn where_all_is_right_it_says_so_and_sets_webhook_and_commands() {
    let newcomer = newcomer().await;

    let (is_well, lines) = newcomer.told(&[], SET).await;

    assert!(is_well);
    let expected = [
        "✓ The bot is @parley_test_bot.".to_owned(),
        "✓ The group “Support” has topics: each visitor gets one.".to_owned(),
        "✓ @parley_test_bot is an administrator with the rights it needs.".to_owned(),
        "✓ Telegram offers 15 commands in the group, each in your operators' language.".to_owned(),
        "✓ Telegram offers 2 commands to visitors who write to the bot.".to_owned(),
        format!("✓ Telegram sends its updates to {URL}."),
    ];
    assert_eq!(lines, expected);
    let set = &newcomer.telegram.requests("setWebhook")[0].parameters;
    assert_eq!((&set["secret_token"], &set["drop_pending_updates"]), (&json!(SECRET), &json!(false)));
    let kinds = ["message", "edited_message", "callback_query", "message_reaction", "my_chat_member"];
    assert_eq!(set["allowed_updates"], json!(kinds));
    for (chat_id, language, command, words) in [
        (GROUP, "tr", "claim", "Bu görüşmeyi üstlen"),
        (GROUP, "de", "claim", "Take this conversation"),
        (501, "tr", "start", "Web sitesindeki görüşmenize devam edin"),
    ] {
        let offered = newcomer.telegram.commands(chat_id, language);
        assert_eq!(offered[0], json!({"command": command, "description": words}), "{language}");
    }
    assert_eq!(newcomer.told(&[], CHECK).await, (true, lines), "and finds it so afterwards");
    assert!(newcomer.telegram.sent().is_empty());
}

#[tokio::test]
async fn a_check_changes_nothing() {
    let newcomer = newcomer().await;

    let (is_well, lines) = newcomer.told(&[], CHECK).await;

    assert!(!is_well);
    assert_eq!(lines[3], "✗ The list of commands is not the present one. Run this without --check.");
    assert_eq!(
        lines[5],
        format!("✗ Telegram sends its updates nowhere. Run this without --check, and they go to {URL}.")
    );
    for method in ["setWebhook", "setMyCommands", "sendMessage"] {
        assert!(newcomer.telegram.requests(method).is_empty(), "{method}");
    }
}

#[tokio::test]
async fn a_wrong_token_ends_the_matter() {
    let newcomer = newcomer().await;
    let wrong = [("TELEGRAM_BOT_TOKEN", "700100200:some-other-token")];

    assert!(newcomer.wrong(&wrong, SET).await.starts_with("Telegram does not know this token."));
    newcomer.telegram.outage(Some(Fault::Cut));
    let words = newcomer.wrong(&[], SET).await;
    assert!(words.starts_with(&format!("{} does not answer.", newcomer.telegram.url())), "{words}");
    assert_eq!(newcomer.telegram.requests("getChat").len(), 0);
}

#[tokio::test]
async fn a_chat_that_is_not_the_bots_group_is_told_from_one_that_moved() {
    let newcomer = newcomer().await;
    newcomer.telegram.person(601, "Ada", "").starts("");

    for (chat, words) in
        [("-1005", "@parley_test_bot knows no chat -1005. Add the bot to your group"), ("601", "601 is no group.")]
    {
        let told = newcomer.wrong(&[("TELEGRAM_DEFAULT_CHAT_ID", chat)], SET).await;
        assert!(told.starts_with(words), "{told}");
    }
    newcomer.telegram.operator(GROUP, 501, "Olga", "").writes("hello");
    let (_, lines) = newcomer.told(&[("TELEGRAM_DEFAULT_CHAT_ID", "-1")], SET).await;
    assert_eq!(lines[2], format!("• The bot has heard of the group “Support”: TELEGRAM_DEFAULT_CHAT_ID={GROUP}"));
    for place in [Membership::Kicked, Membership::Left] {
        newcomer.telegram.set_bot(GROUP, place);
        let told = newcomer.wrong(&[], SET).await;
        assert_eq!(told, format!("@parley_test_bot is not in the group {GROUP}. Add it there again."));
    }
    newcomer.telegram.migrate(GROUP, -1_007);
    let told = newcomer.wrong(&[], SET).await;
    assert!(told.ends_with("Set TELEGRAM_DEFAULT_CHAT_ID=-1007."), "{told}");
}

#[tokio::test]
async fn rights_that_are_missing_are_named() {
    let newcomer = newcomer().await;

    for (place, words) in [
        (may(false, true), "@parley_test_bot may not manage topics."),
        (may(true, false), "@parley_test_bot may not delete messages"),
        (Membership::Member, "@parley_test_bot is no administrator."),
    ] {
        newcomer.telegram.set_bot(GROUP, place);
        let told = newcomer.wrong(&[], SET).await;
        assert!(told.starts_with(words), "{told}");
    }
    newcomer.telegram.set_bot(GROUP, may(false, false));
    let (_, lines) = newcomer.told(&[], SET).await;
    assert_eq!(lines.iter().filter(|line| line.starts_with('✗')).count(), 2);
}

#[tokio::test]
async fn who_keeps_the_topics_of_deleted_conversations_needs_no_right_to_delete() {
    let newcomer = newcomer().await;
    newcomer.telegram.set_bot(GROUP, may(true, false));

    assert!(newcomer.told(&[("TELEGRAM_ON_DELETE", "close")], SET).await.0);
}

#[tokio::test]
async fn people_who_are_to_get_login_codes_must_have_pressed_start() {
    let newcomer = newcomer().await;
    newcomer.telegram.operator(GROUP, 501, "Olga", "").privately().starts("");
    newcomer.telegram.operator(GROUP, 502, "Deniz", "");
    let admins = [("TELEGRAM_ADMIN_IDS", "501, 502")];

    let told = newcomer.wrong(&admins, SET).await;
    assert!(told.starts_with("502 of TELEGRAM_ADMIN_IDS gets no login codes: "), "{told}");
    newcomer.telegram.person(502, "Deniz", "").starts("");
    let (is_well, lines) = newcomer.told(&admins, SET).await;
    assert!(is_well && lines[5] == "✓ Login codes go privately to the people of TELEGRAM_ADMIN_IDS: 2.", "{lines:#?}");
    assert!(newcomer.telegram.sent().is_empty(), "nobody was written to");
}

#[tokio::test]
async fn a_group_without_topics_works_as_long_as_the_bot_sees_its_messages() {
    let newcomer = newcomer().await;
    newcomer.telegram.set_forum(GROUP, false);
    newcomer.telegram.set_bot(GROUP, may(false, false));

    let (is_well, lines) = newcomer.told(&[], SET).await;
    assert!(is_well && lines[1].starts_with("• The group “Support” has no topics"), "{lines:#?}");
    assert!(lines[2].starts_with("✓ "), "{lines:#?}");

    newcomer.telegram.set_bot(GROUP, Membership::Member);
    let told = newcomer.wrong(&[], SET).await;
    assert!(told.starts_with("@parley_test_bot sees only replies to its own messages."), "{told}");
    newcomer.telegram.set_privacy(false);
    let (is_well, lines) = newcomer.told(&[], SET).await;
    assert!(is_well && lines[2].starts_with("• @parley_test_bot sees the group's messages"), "{lines:#?}");
}

#[tokio::test]
async fn a_webhook_elsewhere_is_named_and_moved() {
    let newcomer = newcomer().await;
    newcomer.told(&[], SET).await;
    newcomer.telegram.set_webhook("http://127.0.0.1:1/old", SECRET);
    newcomer.telegram.operator(GROUP, 501, "Olga", "").writes("hello");
    newcomer.telegram.deliver().await;

    let told = newcomer.wrong(&[], CHECK).await;
    assert!(told.starts_with("Telegram sends its updates to http://127.0.0.1:1/old, not to "), "{told}");
    let (is_well, lines) = newcomer.told(&[], SET).await;
    assert!(is_well, "{lines:#?}");
    assert!(lines[5].starts_with(&format!("✓ Telegram now sends its updates to {URL}.")), "{lines:#?}");
    let at = "2026-11-21T22:11:03.000Z";
    assert!(lines[6].starts_with(&format!("• At {at} Telegram could not deliver an update: Connection refused.")));
    assert_eq!(lines[7], "• Updates that wait for their delivery: 1.");

    newcomer.clock.advance(HOUR);
    let (_, lines) = newcomer.told(&[], Wish { check: false, drop_pending_updates: true }).await;
    assert_eq!(lines[6], "• Updates that were dropped: 1.", "and an old failure is no news");
    assert_eq!(newcomer.telegram.pending(), 0);
}

#[tokio::test]
async fn a_webhook_that_leaves_kinds_out_is_found() {
    let newcomer = newcomer().await;
    newcomer.told(&[], SET).await;
    let old = json!({"url": URL, "secret_token": SECRET, "allowed_updates": ["message", "edited_message"]});
    let address = newcomer.telegram.url()["http://".len()..].parse().unwrap();
    let path = format!("/bot{BOT_TOKEN}/setWebhook");
    assert_eq!(post(address, &path, &[], old.to_string().as_bytes()).await.unwrap().0, 200);

    let told = newcomer.wrong(&[], CHECK).await;
    assert!(told.contains(": callback_query, message_reaction, my_chat_member."), "{told}");
}

#[tokio::test]
async fn without_settings_it_says_what_to_set() {
    let newcomer = newcomer().await;
    let nothing = ["TELEGRAM_BOT_TOKEN", "TELEGRAM_DEFAULT_CHAT_ID", "TELEGRAM_WEBHOOK_SECRET"].map(|name| (name, ""));

    let told = newcomer.wrong(&nothing, SET).await;
    assert!(told.starts_with("Telegram is not set up. Set TELEGRAM_BOT_TOKEN"), "{told}");
    let told = newcomer.wrong(&[&nothing[..], &[("DEFAULT_LOCALE", "tr")]].concat(), SET).await;
    assert!(told.starts_with("Telegram ayarlı değil."), "{told}");
}

#[tokio::test]
async fn the_program_tells_by_its_exit_code_whether_all_is_well() {
    let newcomer = newcomer().await;
    let (url, group) = (newcomer.telegram.url(), GROUP.to_string());
    let run = async |token: &str, secret: &str, arguments: &[&str]| {
        let settings = [
            ("TELEGRAM_BOT_TOKEN", token),
            ("TELEGRAM_DEFAULT_CHAT_ID", &group),
            ("TELEGRAM_WEBHOOK_SECRET", secret),
            ("TELEGRAM_API_URL", &url),
        ];
        run_program(&[&["telegram", "setup"], arguments].concat(), &settings).await
    };

    let (code, told) = run(BOT_TOKEN, SECRET, &["--check"]).await;
    assert!(code == 1 && told.ends_with("Not yet: mend what is marked with ✗ and run this again.\n"), "{code} {told}");
    let (code, told) = run(BOT_TOKEN, SECRET, &[]).await;
    assert!(code == 0 && told.ends_with("All is well: your operators can work in Telegram.\n"), "{code} {told}");
    let (code, told) = run(BOT_TOKEN, "", &[]).await;
    assert!(code == 2 && told.contains("TELEGRAM_WEBHOOK_SECRET must be set as well"), "{code} {told}");
    assert!(!told.contains(BOT_TOKEN));
}
