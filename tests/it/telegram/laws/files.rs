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
