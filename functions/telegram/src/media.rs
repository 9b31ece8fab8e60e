//! Messages that are more than text: files for the other side, and what can be said in words.

use shared::attachments::{self, MAX_SIZE, file_name, known};
use shared::auth::Actor;
use shared::chat::{Draft, Pass, SentMessage};
use shared::model::{Attachment, AttachmentState, File, MessageType, Sender, Status, Via};
use shared::telegram::media::{Contact, FileKind, Location, Media, Source, TelegramFile, Venue};
use shared::{App, Error, desk};

/// What a message brings besides text.
#[derive(Debug, PartialEq)]
pub enum Brought {
    /// Nothing: it is a text, or something that happened in the chat.
    Nothing,
    /// Something that words say as well.
    Words(String),
    /// A file.
    File(Sending),
    /// Nothing that can be passed on; the last part of the key of the text that says why.
    Refused(&'static str),
}

/// A file that is to be passed on.
#[derive(Debug, PartialEq)]
pub struct Sending {
    message_type: MessageType,
    kind: FileKind,
    file_id: String,
    name: String,
    mime: &'static str,
    size: i64,
    album: Option<String>,
    caption: Option<String>,
}

impl Sending {
    /// What is read with the file: its caption, or its name.
    pub fn words(&self) -> &str {
        self.caption.as_deref().filter(|caption| !caption.trim().is_empty()).unwrap_or(&self.name)
    }
}

/// Looks at a message.
pub fn brought(media: &Media) -> Brought {
    if let Some(sending) = file(media) {
        let too_large = u64::try_from(sending.size).is_ok_and(|size| size > MAX_SIZE);
        return if too_large { Brought::Refused("too_large") } else { Brought::File(sending) };
    }
    match words(media) {
        Some(words) => Brought::Words(words),
        None if media.is_other() || media.sticker.is_some() => Brought::Refused("other_kind"),
        None => Brought::Nothing,
    }
}

/// What an edited message says now: with its caption gone a file is called by its name again.
pub fn edited_words(media: &Media) -> Option<String> {
    file(media).map(|sending| sending.words().to_owned())
}

fn file(media: &Media) -> Option<Sending> {
    let sending = |kind, found: &TelegramFile, mime: &str, name: &str| Sending {
        message_type: shown_as(kind),
        kind,
        file_id: found.file_id.clone(),
        name: found.file_name.as_deref().and_then(file_name).unwrap_or_else(|| name.to_owned()),
        mime: known(found.mime_type.as_deref().unwrap_or(mime)),
        size: found.file_size.unwrap_or_default().max(0),
        album: media.media_group_id.clone().filter(|album| is_album(album)),
        caption: media.caption.clone(),
    };
    if let Some(photo) = largest(&media.photo) {
        return Some(sending(FileKind::Photo, photo, "image/jpeg", "photo.jpg"));
    }
    let kinds = [
        (FileKind::Voice, &media.voice, "audio/ogg", "voice.ogg"),
        (FileKind::Audio, &media.audio, "audio/mpeg", "audio.mp3"),
        // A document as well, which it must not be taken for.
        (FileKind::Animation, &media.animation, "video/mp4", "animation.mp4"),
        (FileKind::Video, &media.video, "video/mp4", "video.mp4"),
        (FileKind::VideoNote, &media.video_note, "video/mp4", "video.mp4"),
        (FileKind::Document, &media.document, "application/octet-stream", "file"),
    ];
    let found = kinds.into_iter().find_map(|(kind, found, mime, name)| Some((kind, found.as_ref()?, mime, name)));
    found.map(|(kind, found, mime, name)| sending(kind, found, mime, name))
}

/// As what page and panel show it.
fn shown_as(kind: FileKind) -> MessageType {
    match kind {
        FileKind::Photo => MessageType::Image,
        FileKind::Voice | FileKind::Audio => MessageType::Audio,
        FileKind::Animation | FileKind::Video | FileKind::VideoNote | FileKind::Document => MessageType::File,
    }
}

/// The largest size of a picture that a bot can get; the smallest when there is none.
fn largest(sizes: &[TelegramFile]) -> Option<&TelegramFile> {
    let width = |size: &&TelegramFile| (size.width.unwrap_or_default(), size.file_size.unwrap_or_default());
    let fits =
        |size: &&TelegramFile| size.file_size.is_none_or(|size| u64::try_from(size).is_ok_and(|s| s <= MAX_SIZE));
    sizes.iter().filter(fits).max_by_key(width).or_else(|| sizes.iter().min_by_key(width))
}

fn is_album(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn words(media: &Media) -> Option<String> {
    let Media { sticker, location, venue, contact, .. } = media;
    if let Some(emoji) = sticker.as_ref().and_then(|sticker| sticker.emoji.clone()) {
        return Some(emoji);
    }
    if let Some(Venue { location, title, address }) = venue {
        let lines = [title.clone(), address.clone(), Some(map(*location))];
        return Some(lines.into_iter().flatten().collect::<Vec<_>>().join("\n"));
    }
    if let Some(location) = location {
        return Some(map(*location));
    }
    let Contact { phone_number, first_name, last_name } = contact.as_ref()?;
    let name = [first_name, last_name].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
    Some(format!("{name}\n{phone_number}").trim().to_owned())
}

fn map(Location { latitude, longitude }: Location) -> String {
    format!("https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=16/{latitude}/{longitude}")
}

/// Passes an operator's file on. `words` are those that are for the visitor.
pub async fn send(
    app: &App,
    by: &Actor,
    id: &str,
    sending: &Sending,
    words: &str,
    client_id: &str,
) -> Result<SentMessage, Error> {
    let words = if words.trim().is_empty() { &sending.name } else { words };
    let draft = draft(app, id, sending, client_id, Sender::Admin, &by.name).await?;
    desk::hand_in(app, by, Draft { content: words.to_owned(), ..draft }).await
}

/// A message with a file. It is stored at once, the notifier fetches the file.
pub async fn draft(
    app: &App,
    id: &str,
    sending: &Sending,
    client_id: &str,
    sender: Sender,
    author: &str,
) -> Result<Draft, Error> {
    let file = match app.store.message_by_client_id(id, client_id).await? {
        // It came again: the message stands, and so does its file.
        Some(stored) => stored.file,
        None => Some(prepare(app, id, sending).await?),
    };
    Ok(Draft {
        conversation_id: id.to_owned(),
        client_id: client_id.to_owned(),
        sender,
        via: Via::Telegram,
        author: author.to_owned(),
        content: sending.words().to_owned(),
        message_type: sending.message_type,
        file,
        pass: Pass::Seen,
    })
}

/// Notes the file before its message, which may be read, and fetched for, as soon as it is there.
async fn prepare(app: &App, conversation_id: &str, sending: &Sending) -> Result<File, Error> {
    let attachment = Attachment {
        conversation_id: conversation_id.to_owned(),
        id: attachments::id()?,
        source: Some(Source { kind: sending.kind, file_id: &sending.file_id }.to_string()),
        name: sending.name.clone(),
        mime: sending.mime.to_owned(),
        size: sending.size,
        state: AttachmentState::Waiting,
    };
    let conversation = app.store.conversation(conversation_id, app.now()).await?.ok_or(Error::ConversationNotFound)?;
    if conversation.status == Status::Closed {
        return Err(Error::ConversationClosed);
    }
    if !app.store.put_attachment(&attachment).await? {
        return Err(Error::ConversationNotFound);
    }
    Ok(File {
        name: attachment.name,
        size: attachment.size,
        mime: attachment.mime,
        url: attachments::url(conversation_id, &attachment.id),
        album: sending.album.clone(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn look(message: Value) -> Brought {
        brought(&serde_json::from_value(message).expect("whatever it is"))
    }

    fn passed_on(message: Value) -> Sending {
        match look(message) {
            Brought::File(sending) => sending,
            other => panic!("no file but {other:?}"),
        }
    }

    #[test]
    fn of_a_picture_the_largest_size_goes_that_a_bot_can_get() {
        let size = |id: &str, width: i64, bytes: i64| json!({"file_id": id, "width": width, "file_size": bytes});
        let photo = json!([size("s", 90, 1_000), size("l", 1_280, 200_000), size("xl", 2_560, 30_000_000), 7]);

        let picture = passed_on(json!({"photo": photo, "caption": "our shop", "media_group_id": "139"}));

        assert_eq!(
            (picture.file_id.as_str(), picture.message_type, picture.mime),
            ("l", MessageType::Image, "image/jpeg")
        );
        assert_eq!((picture.words(), picture.album.as_deref()), ("our shop", Some("139")));
        assert_eq!(passed_on(json!({"photo": [size("l", 9, 9)]})).words(), "photo.jpg");
        assert_eq!(look(json!({"photo": [size("xl", 9, 21_000_000)]})), Brought::Refused("too_large"));
    }

    #[test]
    fn each_kind_of_file_is_what_it_is() {
        let file =
            |name: &str, mime: &str| json!({"file_id": "f", "file_name": name, "mime_type": mime, "file_size": 9});
        for (kind, found, expected) in [
            ("voice", json!({"file_id": "f"}), (MessageType::Audio, "voice.ogg", "audio/ogg")),
            ("audio", file("a.mp3", "audio/mpeg"), (MessageType::Audio, "a.mp3", "audio/mpeg")),
            ("video", file("../v.mp4", "video/mp4"), (MessageType::File, "v.mp4", "video/mp4")),
            ("video_note", json!({"file_id": "f", "file_size": -1}), (MessageType::File, "video.mp4", "video/mp4")),
            ("document", file("x.svg", "image/svg+xml"), (MessageType::File, "x.svg", attachments::OCTET_STREAM)),
            ("document", json!({"file_id": "f"}), (MessageType::File, "file", attachments::OCTET_STREAM)),
        ] {
            let sending = passed_on(json!({kind: found}));
            assert_eq!((sending.message_type, sending.name.as_str(), sending.mime), expected, "{kind}");
        }
        let both = json!({"animation": {"file_id": "a"}, "document": {"file_id": "d", "mime_type": "video/mp4"}});
        let both = passed_on(both);
        assert_eq!((both.kind, both.file_id.as_str()), (FileKind::Animation, "a"));
    }

    #[test]
    fn what_words_can_say_is_said_in_words() {
        let place = json!({"latitude": 39.3107, "longitude": 26.6939});
        let map = "https://www.openstreetmap.org/?mlat=39.3107&mlon=26.6939#map=16/39.3107/26.6939";
        for (message, words) in [
            (json!({"sticker": {"emoji": "👍"}}), "👍".to_owned()),
            (json!({"location": place}), map.to_owned()),
            (
                json!({"location": place, "venue": {"location": place, "title": "The shop", "address": "Harbour 1"}}),
                format!("The shop\nHarbour 1\n{map}"),
            ),
            (json!({"contact": {"phone_number": "+90 1", "first_name": "Ada"}}), "Ada\n+90 1".to_owned()),
            (json!({"contact": {"phone_number": "+90 1"}}), "+90 1".to_owned()),
        ] {
            assert_eq!(look(message), Brought::Words(words));
        }
    }

    #[test]
    fn what_cannot_be_passed_on_is_told_apart_from_what_is_nothing() {
        for kind in ["poll", "dice", "game", "story", "paid_media", "invoice", "checklist", "giveaway", "sticker"] {
            assert_eq!(look(json!({kind: {"x": 1}})), Brought::Refused("other_kind"), "{kind}");
        }
        for message in
            [json!({}), json!({"text": "x"}), json!({"pinned_message": {}}), json!({"document": 7, "photo": {}})]
        {
            assert_eq!(look(message.clone()), Brought::Nothing, "{message}");
        }
        let large = json!({"document": {"file_id": "f", "file_size": MAX_SIZE + 1}});
        assert_eq!(look(large), Brought::Refused("too_large"));
    }

    #[test]
    fn an_edited_file_says_its_caption_or_its_name() {
        let edited = |message: Value| edited_words(&serde_json::from_value(message).expect("whatever it is"));
        let photo = json!([{"file_id": "p"}]);

        assert_eq!(edited(json!({"photo": photo, "caption": "new"})).as_deref(), Some("new"));
        assert_eq!(edited(json!({"photo": photo})).as_deref(), Some("photo.jpg"));
        assert_eq!(edited(json!({"text": "x"})), None);
    }
}
