//! Files of visitors who went on in Telegram, and for them: they arrive as what they are.

use serde_json::json;
use shared::time::{MINUTE, SECOND};
use telegram_server::{Fault, Media, Person, Sent};

use super::{ASKED_OFTEN, Folder, asked, fetched, sent, url};
use crate::telegram::stage::{GROUP, Office, Page, bearer, for_each_office};

/// Ada's phone.
const ADA: i64 = 8_100;

/// Ada has gone on in Telegram, and what was said before is there.
async fn moved(office: &Office) -> (Page, i64, Person) {
    let (mut ada, message_id) = asked(office, "Ada").await;
    let body = json!({"conversation_id": ada.conversation_id});
    let path = "/api/visitor/telegram_link";
    let (_, _, link) = office.post(path, &[("Authorization", &bearer(&ada.resume_token))], &body).await;
    let phone = office.telegram.person(ADA, "A.", "Lovelace");
    phone.starts(link["url"].as_str().unwrap().split_once("?start=").expect("a link of the bot's").1);
    assert_eq!(office.telegram.deliver().await, [200]);
    ada.frame("message").await;
    office.mirrored().await;
    (ada, message_id, phone)
}

/// What is in her private chat, but for the history that it began with.
fn there(office: &Office) -> Vec<Sent> {
    let private = office.telegram.sent().into_iter().filter(|sent| sent.chat_id == ADA);
    private.filter(|sent| sent.text.starts_with("↩ Olga") || sent.file.is_some()).collect()
}

#[tokio::test]
async fn a_file_arrives_in_a_private_chat_as_what_it_is() {
    let folder = Folder::new();
    for_each_office(&[("ATTACHMENT_URL", &folder.url())], async |office: &Office| {
        let (mut ada, message_id, _) = moved(office).await;
        let kinds = [
            (Media::photo(b"\xff\xd8\xff a shop").caption("our <shop>"), "photo", "↩ Olga Petrova: our <shop>"),
            (Media::voice(b"OggS"), "voice", "↩ Olga Petrova"),
            (Media::audio("song.mp3", b"ID3"), "audio", "↩ Olga Petrova"),
            (Media::video(b"mp4"), "video", "↩ Olga Petrova"),
            (Media::video_note(b"mp4"), "video_note", ""),
            (Media::document("prices.pdf", "application/pdf", b"%PDF-1.7"), "document", "↩ Olga Petrova"),
        ];
        for (media, kind, words) in &kinds {
            let before = there(office).len();
            sent(office, &mut ada, message_id, media).await;
            office.mirrored().await;
            let new = &there(office)[before..];
            let (is, file_id) = new[0].file.clone().expect("a file");
            assert_eq!((new.len(), is.as_str(), new[0].text.as_str()), (1, *kind, *words));
            assert!(file_id.ends_with(kind), "{file_id}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_stands_under_a_file_changes_with_its_message_and_goes_on_where_it_is_too_long() {
    let folder = Folder::new();
    let settings = [("ATTACHMENT_URL", folder.url()), ("MAX_MESSAGE_LEN", "6000".into())];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    for_each_office(&settings, async |office: &Office| {
        let (mut ada, message_id, _) = moved(office).await;
        let own = office.olga.replies_with(message_id, &Media::photo(b"\xff\xd8\xff").caption("our shop"));
        assert_eq!(office.telegram.deliver().await, [200]);
        ada.frame("message").await;
        office.mirrored().await;
        office.olga.edits(own, "our new shop");
        assert_eq!(office.telegram.deliver().await, [200]);
        office.mirrored().await;
        let edits = office.telegram.edits();
        let edited = edits.iter().find(|edited| edited.chat_id == ADA).expect("an edit");
        assert_eq!((edited.text.as_str(), edited.file.is_some()), ("↩ Olga Petrova: our new shop", true));

        let long = "word ".repeat(400);
        sent(office, &mut ada, message_id, &Media::photo(b"\xff\xd8\xff").caption(&long)).await;
        office.mirrored().await;
        let new = &there(office)[1..];
        assert!(new[0].file.is_some() && new[0].text.encode_utf16().count() <= 1_024);
        let all = office.telegram.sent();
        let rest = all.iter().rfind(|sent| sent.chat_id == ADA).unwrap();
        assert_eq!(format!("{} {}", new[0].text, rest.text), format!("↩ Olga Petrova: {}", long.trim()));
    })
    .await;
}

#[tokio::test]
async fn a_file_that_telegram_does_not_send_on_is_called_by_its_name() {
    let folder = Folder::new();
    for_each_office(&[("ATTACHMENT_URL", &folder.url())], async |office: &Office| {
        let (mut ada, message_id, _) = moved(office).await;
        // As in the chat of somebody who lets nobody send them voice messages: whoever is cut off after the first try is
        // refused again.
        office.telegram.fail_calls("sendVoice", 0, &vec![Fault::Unsendable; 10]);
        sent(office, &mut ada, message_id, &Media::voice(b"OggS")).await;
        sent(office, &mut ada, message_id, &Media::photo(b"\xff\xd8\xff").caption("our shop")).await;
        office.mirrored().await;
        let new = there(office);
        let told: Vec<_> = new.iter().map(|sent| (sent.text.as_str(), sent.file.is_some())).collect();
        assert_eq!(told, [("↩ Olga Petrova: 📎 voice.ogg", false), ("↩ Olga Petrova: our shop", true)]);
    })
    .await;
}

#[tokio::test]
async fn what_a_visitor_sends_reaches_the_team_as_what_it_is() {
    let folder = Folder::new();
    for is_forum in [false, true] {
        for_each_office(&[("ATTACHMENT_URL", &folder.url()), ASKED_OFTEN], async |office: &Office| {
            office.telegram.set_forum(GROUP, is_forum);
            let (mut panel, session) = office.panel().await;
            let (mut ada, _, phone) = moved(office).await;
            let before = office.telegram.sent().len();
            let own = phone.sends(&Media::photo(b"\xff\xd8\xff my cat").caption("this one"));
            assert_eq!(office.telegram.deliver().await, [200]);
            let message = ada.frame("message").await;
            let told = [&message["sender"], &message["message_type"], &message["content"], &message["file"]["name"]];
            assert_eq!(told, ["visitor", "image", "this one", "photo.jpg"]);
            while panel.frame("message").await != message {}
            office.mirrored().await;
            for token in [&ada.resume_token, &session] {
                assert_eq!(fetched(office, &url(&message), token).await.body, b"\xff\xd8\xff my cat");
            }
            phone.edits(own, "this one here");
            phone.sends(&Media::sticker("👍"));
            assert_eq!(office.telegram.deliver().await, [200, 200]);
            office.mirrored().await;

            let new = &office.telegram.sent()[before..];
            let there: Vec<_> = new.iter().filter(|sent| sent.chat_id == GROUP).collect();
            assert_eq!(there[0].file.as_ref().map(|(kind, _)| kind.as_str()), Some("photo"));
            assert_eq!((there[0].text.as_str(), there[0].thread_id.is_some()), ("Ada: this one", is_forum));
            assert_eq!((there[1].text.as_str(), there.len()), ("Ada: 👍", 2));
            let edited = office.telegram.edits().pop().expect("an edit");
            assert_eq!((edited.text.as_str(), edited.message_id), ("Ada: this one here", there[0].message_id));
        })
        .await;
    }
}

#[tokio::test]
async fn a_visitors_files_have_a_limit_and_one_that_is_lost_is_told_to_them() {
    let folder = Folder::new();
    for_each_office(&[("ATTACHMENT_URL", &folder.url())], async |office: &Office| {
        let (_ada, _, phone) = moved(office).await;
        // Telegram tells a size that it does not keep to.
        phone.sends(&Media::document("film.mp4", "video/mp4", b"x").size(20_000_001));
        assert_eq!(office.telegram.deliver().await, [200]);
        let is_told = |sent: &Sent| sent.chat_id == ADA && sent.text.contains("film.mp4 could not be fetched");
        office.telegram.until("she is told", |telegram| telegram.sent().iter().any(is_told)).await;

        // However long that took, now there may be as many as ever at once; one more may come after a minute.
        office.clock.advance(10 * MINUTE);
        for _ in 0..11 {
            phone.sends(&Media::document("a.txt", "text/plain", b"a"));
            assert_eq!(office.telegram.deliver().await, [200]);
            office.clock.advance(SECOND);
        }
        let replies = office.telegram.webhook_replies();
        let last = replies.last().unwrap().parameters["text"].as_str().unwrap();
        assert!(last.contains("too fast"), "{last}");
    })
    .await;
}
