//! Updates of every kind that there is, and some that there are not: what the parser is fuzzed from (`make fuzz`).

use std::path::Path;

use shared::telegram::update::Update;
use telegram_server::post;

use super::stage::{Office, SECRET, for_each_office};

/// Names and bodies.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/update");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut corpus: Vec<_> = files
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect();
    corpus.sort();
    assert!(corpus.len() > 100, "{} files", corpus.len());
    corpus
}

#[test]
fn each_kind_is_read_as_what_it_is() {
    for (name, body) in corpus() {
        let Some(update) = Update::read(&body) else {
            assert!(
                ["cut", "deep", "large_numbers", "not_an_object", "not_utf8", "surrogate"].contains(&&*name),
                "{name}"
            );
            continue;
        };
        let kinds = [
            update.message.is_some_and(|message| message.message_id > 0),
            update.edited_message.is_some_and(|message| message.message_id > 0),
            update.callback_query.is_some_and(|query| !query.id.is_empty()),
            update.message_reaction.is_some_and(|change| change.message_id > 0),
            update.my_chat_member.is_some_and(|standing| standing.new_chat_member.is_some()),
        ];
        let expected = match name.split_once('_').unwrap_or((&name, "")) {
            ("message" | "twice", _) | ("wrong", "types") => [true, false, false, false, false],
            ("edited", "text" | "caption" | "live_location") => [false, true, false, false, false],
            ("press", _) => [false, false, true, false, false],
            ("reaction", kind) if kind != "count" => [false, false, false, true, false],
            ("bot", _) => [false, false, false, false, true],
            _ => [false; 5],
        };
        assert_eq!(kinds, expected, "{name}");
    }
}

#[tokio::test]
async fn each_kind_is_answered_200_however_often_it_comes() {
    for_each_office(&[("TELEGRAM_ADMIN_IDS", "501")], async |office: &Office| {
        let secret = [("X-Telegram-Bot-Api-Secret-Token", SECRET)];
        for (name, body) in corpus() {
            let mut answers = Vec::new();
            for _ in 0..3 {
                let answer = post(office.address(), "/telegram/webhook", &secret, &body).await;
                let (status, _, answer) = answer.expect("an answer");
                assert_eq!(status, 200, "{name}: {answer}");
                answers.push(answer);
            }
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{name}: {answers:?}");
        }
    })
    .await;
}
