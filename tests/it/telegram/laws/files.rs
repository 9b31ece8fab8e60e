//! Files.

use serde_json::{Value, json};
use shared::time::HOUR;
use telegram_server::{BOT_TOKEN, Media};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::stage::{GROUP, SECRET};
use super::{Bot, bot};

impl Bot {
    async fn download(&self, token: &str, path: &Value) -> (u16, Vec<u8>) {
        let address = &self.telegram.url()["http://".len()..];
        let mut stream = TcpStream::connect(address).await.unwrap();
        let path = path.as_str().unwrap();
        let asked = format!("GET /file/bot{token}/{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(asked.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), answer[end + 4..].to_vec())
    }
}

#[tokio::test]
async fn a_file_has_a_link_of_an_hour_that_needs_the_token() {
    let bot = bot().await;
    let olga = bot.telegram.operator(GROUP, 501, "Olga", "");
    let message_id = olga.sends(&Media::photo(b"\xff\xd8\xffpicture").caption("look"));
    let message = bot.telegram.message(GROUP, message_id).unwrap();
    let sizes = message["photo"].as_array().unwrap();
    assert_eq!((sizes.len(), &message["caption"]), (3, &json!("look")));

    let file = bot.done("getFile", &json!({"file_id": sizes[2]["file_id"]})).await;
    let path = &file["file_path"];
    assert_eq!(file["file_size"], 10);
    assert_eq!(bot.download(BOT_TOKEN, path).await, (200, b"\xff\xd8\xffpicture".to_vec()));
    assert_eq!(bot.download("700100200:other", path).await.0, 404);
    bot.clock.advance(HOUR);
    assert_eq!(bot.download(BOT_TOKEN, path).await.0, 404);
}

#[tokio::test]
async fn a_bot_gets_no_file_beyond_20_megabytes() {
    let bot = bot().await;
    let olga = bot.telegram.operator(GROUP, 501, "Olga", "");
    let film = Media::document("film.mp4", "video/mp4", b"x").size(20_000_001);
    let message = bot.telegram.message(GROUP, olga.sends(&film)).unwrap();

    let asked = json!({"file_id": message["document"]["file_id"]});
    assert_eq!(bot.refused("getFile", &asked).await, "Bad Request: file is too big");
    let unknown = bot.refused("getFile", &json!({"file_id": "AgAC"})).await;
    assert_eq!(unknown, "Bad Request: wrong file_id or the file is temporarily unavailable");
}

#[tokio::test]
async fn people_send_all_kinds_of_things() {
    let bot = bot().await;
    bot.telegram.set_webhook("http://127.0.0.1:1/hook", SECRET);
    let olga = bot.telegram.operator(GROUP, 501, "Olga", "");
    let kinds = [
        (Media::voice(b"OggS"), "voice"),
        (Media::audio("song.mp3", b"ID3"), "audio"),
        (Media::video(b"mp4"), "video"),
        (Media::video_note(b"mp4"), "video_note"),
        (Media::document("a.pdf", "application/pdf", b"%PDF"), "document"),
        (Media::sticker("👍"), "sticker"),
        (Media::location(41.0, 29.0), "location"),
        (Media::venue(41.0, 29.0, "Galata", "Beyoğlu"), "venue"),
    ];
    for (media, kind) in &kinds {
        let message = bot.telegram.message(GROUP, olga.sends(media)).unwrap();
        assert!(message[kind].is_object() && message["text"].is_null(), "{message}");
    }
    let album = olga.sends_album(&[Media::photo(b"one"), Media::photo(b"two")]);
    let group = |id: i64| bot.telegram.message(GROUP, id).unwrap()["media_group_id"].clone();
    assert!(group(album[0]).is_string());
    assert_eq!(group(album[0]), group(album[1]));
    assert_eq!(bot.telegram.pending(), kinds.len() + 2);
}

#[tokio::test]
async fn a_bot_sends_a_file_on_as_what_it_is() {
    let bot = bot().await;
    let olga = bot.telegram.operator(GROUP, 501, "Olga", "");
    let message = bot.telegram.message(GROUP, olga.sends(&Media::photo(b"picture"))).unwrap();
    let photo = &message["photo"][2]["file_id"];
    let bold = json!([{"type": "bold", "offset": 0, "length": 4}]);
    let photo_with = |more: Value| {
        let mut parameters = json!({"chat_id": GROUP, "photo": photo});
        parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        parameters
    };

    let sent = bot.done("sendPhoto", &photo_with(json!({"caption": "look here", "caption_entities": bold}))).await;
    assert_eq!(
        (&sent["caption"], &sent["caption_entities"], &sent["text"]),
        (&json!("look here"), &bold, &Value::Null)
    );
    assert_eq!(sent["photo"][0]["file_id"], *photo);
    assert_eq!(bot.telegram.sent()[0].file, Some(("photo".into(), photo.as_str().unwrap().into())));
    bot.done("sendPhoto", &photo_with(json!({"caption": "🙂".repeat(512)}))).await;
    let long = bot.refused("sendPhoto", &photo_with(json!({"caption": "🙂".repeat(513)}))).await;
    assert_eq!(long, "Bad Request: message caption is too long");

    let document = json!({"chat_id": GROUP, "document": photo});
    assert_eq!(bot.refused("sendDocument", &document).await, "Bad Request: can't use file of type Photo as Document");
    let nothing = json!({"chat_id": GROUP});
    assert_eq!(bot.refused("sendVoice", &nothing).await, "Bad Request: there is no voice in the request");
    let unknown = json!({"chat_id": GROUP, "voice": "AwAC"});
    assert_eq!(bot.refused("sendVoice", &unknown).await, "Bad Request: wrong remote file identifier specified");
}

#[tokio::test]
async fn under_a_file_stands_a_caption_and_no_text() {
    let bot = bot().await;
    let olga = bot.telegram.operator(GROUP, 501, "Olga", "");
    let message = bot.telegram.message(GROUP, olga.sends(&Media::voice(b"OggS"))).unwrap();
    let voice = json!({"chat_id": GROUP, "voice": message["voice"]["file_id"], "caption": "hello"});
    let message_id = bot.done("sendVoice", &voice).await["message_id"].clone();
    let text_id = bot.done("sendMessage", &json!({"chat_id": GROUP, "text": "hello"})).await["message_id"].clone();
    let edit =
        |message_id: &Value, part: &str, words: &str| json!({"chat_id": GROUP, "message_id": message_id, part: words});

    let edited = bot.done("editMessageCaption", &edit(&message_id, "caption", "good day")).await;
    assert_eq!((&edited["caption"], &edited["voice"]), (&json!("good day"), &message["voice"]));
    let gone = bot.done("editMessageCaption", &edit(&message_id, "caption", "")).await;
    assert!(gone["caption"].is_null(), "{gone}");
    let refused = bot.refused("editMessageText", &edit(&message_id, "text", "good day")).await;
    assert_eq!(refused, "Bad Request: there is no text in the message to edit");
    let refused = bot.refused("editMessageCaption", &edit(&text_id, "caption", "good day")).await;
    assert_eq!(refused, "Bad Request: there is no caption in the message to edit");
}
