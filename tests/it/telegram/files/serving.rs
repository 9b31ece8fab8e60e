//! Who gets a file, how, and for how long.

use serde_json::json;
use shared::time::{DAY, MINUTE};
use telegram_server::Media;

use super::{ASKED_OFTEN, Folder, PNG, asked, fetched, get, sent, url};
use crate::people::eventually;
use crate::telegram::stage::{Office, Page, bearer, for_each_office};

#[tokio::test]
async fn a_new_session_token_is_not_kept_with_a_file() {
    let folder = Folder::new();
    for_each_office(&[("ATTACHMENT_URL", &folder.url()), ASKED_OFTEN], async |office: &Office| {
        let (_, session) = office.panel().await;
        let (mut ada, message_id) = asked(office, "Ada").await;
        let message = sent(office, &mut ada, message_id, &Media::photo(b"\xff\xd8\xff")).await;
        fetched(office, &url(&message), &ada.resume_token).await;
        office.clock.advance(6 * MINUTE);

        let answer = get(office, &url(&message), &[("Authorization", &bearer(&session))]).await;

        assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
        let token = answer.header("x-new-token").expect("a new token").to_owned();
        assert_eq!(get(office, &url(&message), &[("Authorization", &bearer(&token))]).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn whoever_is_of_neither_side_learns_nothing() {
    let folder = Folder::new();
    for_each_office(&[("ATTACHMENT_URL", &folder.url()), ASKED_OFTEN], async |office: &Office| {
        let (mut ada, message_id) = asked(office, "Ada").await;
        let bob = office.visitor("Bob").await;
        let message = sent(office, &mut ada, message_id, &Media::photo(b"\xff\xd8\xff")).await;
        let path = url(&message);
        fetched(office, &path, &ada.resume_token).await;

        let id = path.rsplit('/').next().unwrap();
        let unknown = format!("/files/{}/AAAAAAAAAAAAAAAAAAAAAA", ada.conversation_id);
        let elsewhere = format!("/files/{}/{id}", bob.conversation_id);
        let nowhere = format!("/files/00000000-0000-4000-8000-000000000000/{id}");
        let outside = format!("/files/{}/..%2F..%2Fdata", ada.conversation_id);
        let mut answers = Vec::new();
        for (path, token) in [
            (&path, &bob.resume_token),
            (&path, &"x".repeat(43)),
            (&unknown, &ada.resume_token),
            (&elsewhere, &ada.resume_token),
            (&elsewhere, &bob.resume_token),
            (&nowhere, &ada.resume_token),
            (&outside, &ada.resume_token),
        ] {
            let answer = get(office, path, &[("Authorization", &bearer(token))]).await;
            assert_eq!((answer.status, answer.header("retry-after")), (404, None), "{path}");
            answers.push(answer.error());
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        for (path, headers) in [
            (path.clone(), vec![]),
            (format!("{path}?token={}", ada.resume_token), vec![]),
            (path.clone(), vec![("Cookie", "token=x")]),
        ] {
            assert_eq!(get(office, &path, &headers).await.status, 401, "{path}");
        }
        let authorization = bearer(&ada.resume_token);
        let foreign = [("Authorization", authorization.as_str()), ("Origin", "https://evil.example")];
        assert_eq!(get(office, &path, &foreign).await.status, 403);
        let own = [("Authorization", authorization.as_str()), ("Origin", "http://127.0.0.1:8000")];
        let answer = get(office, &path, &own).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("http://127.0.0.1:8000"));
    })
    .await;
}

#[tokio::test]
async fn a_part_of_a_file_can_be_had() {
    let folder = Folder::new();
    for_each_office(&[("ATTACHMENT_URL", &folder.url()), ASKED_OFTEN], async |office: &Office| {
        let (mut ada, message_id) = asked(office, "Ada").await;
        // More than is held in memory at once.
        let song: Vec<u8> = b"ID3".iter().copied().chain((0..700_000_u32).map(|n| n.to_le_bytes()[1])).collect();
        let message = sent(office, &mut ada, message_id, &Media::audio("song.mp3", &song)).await;
        let whole = fetched(office, &url(&message), &ada.resume_token).await;
        assert!(whole.body == song, "all of it");

        let authorization = bearer(&ada.resume_token);
        for (range, status, part, told) in [
            ("bytes=0-9", 206, 0..10, "bytes 0-9/700003"),
            ("bytes=600000-", 206, 600_000..700_003, "bytes 600000-700002/700003"),
            ("bytes=-3", 206, 700_000..700_003, "bytes 700000-700002/700003"),
        ] {
            let headers = [("Authorization", authorization.as_str()), ("Range", range)];
            let answer = get(office, &url(&message), &headers).await;
            assert_eq!((answer.status, answer.header("content-range")), (status, Some(told)));
            assert!(answer.body == song[part], "{range}");
        }
        let behind = [("Authorization", authorization.as_str()), ("Range", "bytes=700003-")];
        let answer = get(office, &url(&message), &behind).await;
        assert_eq!((answer.status, answer.header("content-range")), (416, Some("bytes */700003")));
        assert_eq!(answer.error()["error"], "invalid_message");
    })
    .await;
}

#[tokio::test]
async fn files_go_with_their_conversation_and_with_nothing_else() {
    let folder = Folder::new();
    let place = folder.url();
    let settings = [("ATTACHMENT_URL", place.as_str()), ("RETENTION_DAYS", "30"), ASKED_OFTEN];
    for_each_office(&settings, async |office: &Office| {
        let (mut panel, _) = office.panel().await;
        let mut pages = Vec::new();
        for name in ["Ada", "Bob", "Cem"] {
            let (mut page, message_id) = asked(office, name).await;
            let message = sent(office, &mut page, message_id, &Media::document("a.png", "image/png", PNG)).await;
            fetched(office, &url(&message), &page.resume_token).await;
            pages.push((page, url(&message)));
        }
        let is_kept = |page: &Page| folder.of(page).exists();
        assert!(pages.iter().all(|(page, _)| is_kept(page)));

        let ada = &pages[0].0;
        panel.send(&json!({"type": "delete_conversation", "conversation_id": ada.conversation_id})).await;
        eventually("the file of the deleted is gone", async || (!is_kept(ada)).then_some(())).await;
        let gone = get(office, &pages[0].1, &[("Authorization", &bearer(&ada.resume_token))]).await;
        assert_eq!(gone.status, 404);

        let bob = &pages[1].0;
        panel.send(&json!({"type": "close_conversation", "conversation_id": bob.conversation_id})).await;
        panel.frame("conversation_updated").await;
        office.clock.advance(31 * DAY);
        eventually("the old one's is gone", async || (!is_kept(bob)).then_some(())).await;
        let cem = get(office, &pages[2].1, &[("Authorization", &bearer(&pages[2].0.resume_token))]).await;
        assert_eq!((cem.status, cem.body.as_slice()), (200, PNG), "an open conversation keeps its own, however old");
    })
    .await;
}
