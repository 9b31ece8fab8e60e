//! From an operator to a visitor.

use serde_json::json;
use shared::time::{MINUTE, SECOND};
use telegram_server::{BOT_TOKEN, Fault, Media, Sent};

use super::{ASKED_OFTEN, Folder, PNG, asked, fetched, get, sent, url};
use crate::telegram::stage::{GROUP, Office, bearer, for_each_office};

#[tokio::test]
async fn a_picture_reaches_both_sides_and_no_link_of_telegrams_does() {
    let folder = Folder::new();
    for_each_office(&[("ATTACHMENT_URL", &folder.url()), ASKED_OFTEN], async |office: &Office| {
        let (mut panel, session) = office.panel().await;
        let (mut ada, message_id) = asked(office, "Ada").await;
        let picture = Media::photo(b"\xff\xd8\xff\xe0 a shop").caption("our <shop>");

        let message = sent(office, &mut ada, message_id, &picture).await;

        assert_eq!(panel.frame("message").await["seq"], 1);
        assert_eq!(panel.frame("message").await, message);
        assert_eq!((&message["message_type"], &message["content"]), (&json!("image"), &json!("our <shop>")));
        assert_eq!((&message["sender"], &message["author"]), (&json!("admin"), &json!("Olga Petrova")));
        let file = json!({"name": "photo.jpg", "size": 11, "mime": "image/jpeg", "url": url(&message)});
        assert_eq!(message["file"], file);
        assert!(!message.to_string().contains(BOT_TOKEN));
        for token in [&ada.resume_token, &session] {
            let answer = fetched(office, &url(&message), token).await;
            assert_eq!((answer.status, answer.body.as_slice()), (200, b"\xff\xd8\xff\xe0 a shop".as_slice()));
            for (name, value) in [
                ("content-type", "image/jpeg"),
                ("content-length", "11"),
                ("content-disposition", "attachment; filename*=UTF-8''photo.jpg"),
                ("x-content-type-options", "nosniff"),
                ("content-security-policy", "sandbox; default-src 'none'"),
                ("cross-origin-resource-policy", "same-origin"),
                ("accept-ranges", "bytes"),
            ] {
                assert_eq!(answer.header(name), Some(value), "{name}");
            }
            // Where the file took long, the session has got a new token with it.
            let kept = answer.header("cache-control").unwrap();
            match answer.header("x-new-token") {
                None => assert!(kept.starts_with("private, "), "{kept}"),
                Some(_) => assert_eq!(kept, "no-store"),
            }
        }
        office.mirrored().await;
        assert_eq!(office.telegram.requests("getFile").len(), 1, "fetched once");
    })
    .await;
}

#[tokio::test]
async fn an_album_stays_together_and_other_kinds_are_what_they_are() {
    let folder = Folder::new();
    for_each_office(&[("ATTACHMENT_URL", &folder.url()), ASKED_OFTEN], async |office: &Office| {
        let (mut ada, message_id) = asked(office, "Ada").await;
        let voice = [b"OggS".as_slice(), &[0; 24], b"OpusHead", &[0; 9]].concat();
        for (media, kind, name, mime) in [
            (Media::voice(&voice), "audio", "voice.ogg", "audio/ogg"),
            (Media::audio("song.mp3", b"ID3\x04\0\0"), "audio", "song.mp3", "audio/mpeg"),
            (Media::video(b"\0\0\0\x20ftypisom\0\0\0\0"), "file", "video.mp4", "video/mp4"),
            (Media::video_note(b"\0\0\0\x20ftypmp42\0\0\0\0"), "file", "video.mp4", "video/mp4"),
            (
                Media::document("price list.pdf", "application/pdf", b"%PDF-1.7"),
                "file",
                "price list.pdf",
                "application/pdf",
            ),
        ] {
            let message = sent(office, &mut ada, message_id, &media).await;
            let told =
                [&message["message_type"], &message["content"], &message["file"]["name"], &message["file"]["mime"]];
            assert_eq!(told, [kind, name, name, mime]);
            let answer = fetched(office, &url(&message), &ada.resume_token).await;
            assert_eq!((answer.status, answer.header("content-type")), (200, Some(mime)));
        }
        for (media, words) in [
            (Media::sticker("👍"), "👍"),
            (
                Media::venue(41.0256, 28.9744, "Galata", "Beyoğlu"),
                "Galata\nBeyoğlu\nhttps://www.openstreetmap.org/?mlat=41.0256&mlon=28.9744#map=16/41.0256/28.9744",
            ),
        ] {
            let message = sent(office, &mut ada, message_id, &media).await;
            assert_eq!((&message["message_type"], &message["content"]), (&json!("text"), &json!(words)));
            assert!(message["file"].is_null());
        }

        office.olga.replies_with_album(message_id, &[Media::photo(b"\xff\xd8\xff1"), Media::photo(b"\xff\xd8\xff2")]);
        assert_eq!(office.telegram.deliver().await, [200, 200]);
        let (one, two) = (ada.frame("message").await, ada.frame("message").await);
        assert!(one["file"]["album"].is_string());
        assert_eq!(one["file"]["album"], two["file"]["album"]);
        assert_ne!(one["file"]["url"], two["file"]["url"]);
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_not_what_it_says_runs_nowhere() {
    let folder = Folder::new();
    for_each_office(&[("ATTACHMENT_URL", &folder.url()), ASKED_OFTEN], async |office: &Office| {
        let (mut ada, message_id) = asked(office, "Ada").await;
        for (name, mime, bytes, kept_name) in [
            ("cat.png", "image/png", b"<html><script>alert(1)</script>".as_slice(), "cat.png"),
            ("cat.png", "image/png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "cat.png"),
            ("x.svg", "image/svg+xml", b"<?xml version='1.0'?><svg/>", "x.svg"),
            ("x.html", "text/html", b"<!doctype html><p>x", "x.html"),
            ("../../\r\nSet-Cookie: a=\"b\u{202e}gnp.exe", "image/png", b"MZ\x90\0", "Set-Cookie_ a=_bgnp.exe"),
        ] {
            let message = sent(office, &mut ada, message_id, &Media::document(name, mime, bytes)).await;
            assert_eq!(message["file"]["name"], kept_name);
            assert_ne!(message["file"]["mime"], "image/svg+xml");
            let answer = fetched(office, &url(&message), &ada.resume_token).await;
            assert_eq!((answer.status, answer.body.as_slice()), (200, bytes));
            assert_eq!(answer.header("content-type"), Some("application/octet-stream"), "{name}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            assert!(answer.header("content-disposition").unwrap().starts_with("attachment; filename*=UTF-8''"));
            assert_eq!(answer.header("set-cookie"), None);
        }
        let names: Vec<_> = folder.files().iter().map(|file| file.file_name().unwrap().len()).collect();
        assert!(names.iter().all(|length| *length == 22), "a file's own name is no name of ours: {names:?}");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_passed_on_is_said_at_once_and_leaves_nothing() {
    let folder = Folder::new();
    for_each_office(&[("ATTACHMENT_URL", &folder.url())], async |office: &Office| {
        let (mut ada, message_id) = asked(office, "Ada").await;
        let film = Media::document("film.mp4", "video/mp4", b"x").size(21 * 1024 * 1024);
        let poll = json!({"message": {
            "message_id": 77_001, "date": 1, "chat": {"id": GROUP, "type": "supergroup"},
            "from": {"id": 501, "is_bot": false, "first_name": "Olga"}, "poll": {"question": "?"},
            "reply_to_message": {"message_id": message_id, "chat": {"id": GROUP}},
        }});

        office.olga.replies_with(message_id, &film);
        office.telegram.enqueue(GROUP, poll);
        assert_eq!(office.telegram.deliver().await, [200, 200]);

        let told: Vec<_> = office.telegram.webhook_replies().iter().map(|one| one.parameters["text"].clone()).collect();
        assert_eq!(told.len(), 2);
        assert!(told[0].as_str().unwrap().contains("larger than 20 MB"), "{told:?}");
        assert!(told[1].as_str().unwrap().contains("cannot be passed on"), "{told:?}");
        ada.send(&json!({"type": "ping"})).await;
        assert_eq!(ada.frame("pong").await["head_seq"], 1);
        assert!(folder.files().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_download_that_fails_comes_later_and_nobody_waits_for_it() {
    let folder = Folder::new();
    for_each_office(&[("ATTACHMENT_URL", &folder.url()), ASKED_OFTEN], async |office: &Office| {
        let (mut ada, message_id) = asked(office, "Ada").await;
        let (mut bob, _) = asked(office, "Bob").await;
        let faults = [Fault::Broken, Fault::Cut, Fault::BadGateway, Fault::LostAnswer];
        office.telegram.fail_calls("file", 0, &faults);
        let message = sent(office, &mut ada, message_id, &Media::photo(b"\xff\xd8\xff")).await;
        office.telegram.until("the first try", |telegram| !telegram.requests("getFile").is_empty()).await;

        let waiting = get(office, &url(&message), &[("Authorization", &bearer(&ada.resume_token))]).await;
        assert_eq!((waiting.status, waiting.header("retry-after")), (404, Some("2")));
        assert_eq!(waiting.error()["error"], "not_found");
        bob.says("and I?").await;
        office
            .telegram
            .until("Bob's words", |telegram| telegram.sent().iter().any(|s| s.text.contains("and I?")))
            .await;

        assert_eq!(fetched(office, &url(&message), &ada.resume_token).await.status, 200);
        assert_eq!(office.telegram.requests("getFile").len(), faults.len() + 1);
        assert_eq!(folder.files().iter().filter(|file| file.starts_with(folder.of(&ada))).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_file_that_never_comes_is_told_to_its_sender() {
    let folder = Folder::new();
    for_each_office(&[("ATTACHMENT_URL", &folder.url())], async |office: &Office| {
        let (mut ada, message_id) = asked(office, "Ada").await;
        // Telegram tells a size that it does not keep to.
        let own =
            office.olga.replies_with(message_id, &Media::document("film.mp4", "video/mp4", b"x").size(20_000_001));
        assert_eq!(office.telegram.deliver().await, [200]);
        let message = ada.frame("message").await;
        office.mirrored().await;

        let told =
            office.telegram.sent().into_iter().find(|sent| sent.text.contains("film.mp4 could not be")).expect("told");
        assert_eq!(told.reply_to, Some(own));
        let answer = get(office, &url(&message), &[("Authorization", &bearer(&ada.resume_token))]).await;
        assert_eq!((answer.status, answer.header("retry-after")), (404, None));
        assert_eq!(answer.error()["detail"], "The file could not be fetched.");
        // A run that ends before it has told the sender asks once more.
        let tries = office.telegram.requests("getFile").len();
        office.clock.advance(30 * SECOND);
        ada.says("and my film?").await;
        office.mirrored().await;
        assert_eq!(office.telegram.requests("getFile").len(), tries, "and is not asked for again");

        office.telegram.fail_calls("file", 0, &vec![Fault::Broken; 1_000]);
        office.olga.replies_with(message_id, &Media::photo(b"\xff\xd8\xff"));
        assert_eq!(office.telegram.deliver().await, [200]);
        ada.frame("message").await;
        office.telegram.until("a try", |telegram| telegram.requests("getFile").len() > tries).await;
        office.clock.advance(15 * MINUTE);
        let is_told = |sent: &Sent| sent.text.contains("photo.jpg could not be");
        office.telegram.until("it is given up", |telegram| telegram.sent().iter().any(is_told)).await;
        assert!(folder.files().is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_update_that_comes_three_times_brings_one_file() {
    let folder = Folder::new();
    for_each_office(&[("ATTACHMENT_URL", &folder.url()), ASKED_OFTEN], async |office: &Office| {
        let (mut ada, message_id) = asked(office, "Ada").await;
        office.telegram.lose_webhook_answers(2);
        office.olga.replies_with(message_id, &Media::document("a.png", "image/png", PNG));
        for _ in 0..3 {
            office.telegram.deliver().await;
            office.clock.advance(2 * SECOND);
        }
        assert_eq!(office.telegram.pending(), 0);

        let message = ada.frame("message").await;
        assert_eq!(fetched(office, &url(&message), &ada.resume_token).await.body, PNG);
        office.mirrored().await;
        ada.send(&json!({"type": "ping"})).await;
        assert_eq!(ada.frame("pong").await["head_seq"], 2);
        let own = folder.of(&ada);
        assert_eq!(folder.files().iter().filter(|file| file.starts_with(&own)).count(), 1);
        assert_eq!(office.telegram.requests("getFile").len(), 1);
    })
    .await;
}
