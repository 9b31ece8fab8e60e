//! What people send besides text.

use serde_json::{Value, json};
use shared::time::Timestamp;

use crate::World;
use crate::files::File;

/// A picture, a voice message, a document … of a person.
#[derive(Clone, Debug)]
pub struct Media {
    kind: &'static str,
    bytes: Vec<u8>,
    size: Option<i64>,
    /// What stands beside the file's id.
    fields: Value,
    caption: Option<String>,
}

impl Media {
    fn new(kind: &'static str, bytes: &[u8], fields: Value) -> Self {
        Self { kind, bytes: bytes.to_vec(), size: None, fields, caption: None }
    }

    /// A picture, which Telegram offers in three sizes; these bytes are those of the largest.
    pub fn photo(bytes: &[u8]) -> Self {
        Self::new("photo", bytes, json!({"width": 1_280, "height": 960}))
    }

    /// A voice message.
    pub fn voice(bytes: &[u8]) -> Self {
        Self::new("voice", bytes, json!({"duration": 4, "mime_type": "audio/ogg"}))
    }

    /// Music.
    pub fn audio(name: &str, bytes: &[u8]) -> Self {
        let fields = json!({"duration": 180, "title": name, "file_name": name, "mime_type": "audio/mpeg"});
        Self::new("audio", bytes, fields)
    }

    /// A file with the type that its sender says it has.
    pub fn document(name: &str, mime: &str, bytes: &[u8]) -> Self {
        Self::new("document", bytes, json!({"file_name": name, "mime_type": mime}))
    }

    /// A round video.
    pub fn video_note(bytes: &[u8]) -> Self {
        Self::new("video_note", bytes, json!({"length": 240, "duration": 7}))
    }

    /// A video.
    pub fn video(bytes: &[u8]) -> Self {
        let fields = json!({"width": 1_280, "height": 720, "duration": 9, "mime_type": "video/mp4"});
        Self::new("video", bytes, fields)
    }

    /// A sticker, which stands for an emoji.
    pub fn sticker(emoji: &str) -> Self {
        let fields = json!({
            "type": "regular", "width": 512, "height": 512, "is_animated": false, "is_video": false, "emoji": emoji,
        });
        Self::new("sticker", b"RIFF\x04\0\0\0WEBP", fields)
    }

    /// A point on the map.
    pub fn location(latitude: f64, longitude: f64) -> Self {
        Self::new("location", b"", json!({"latitude": latitude, "longitude": longitude}))
    }

    /// A place with a name.
    pub fn venue(latitude: f64, longitude: f64, title: &str, address: &str) -> Self {
        let location = json!({"latitude": latitude, "longitude": longitude});
        Self::new("venue", b"", json!({"location": location, "title": title, "address": address}))
    }

    /// With words under it.
    #[must_use]
    pub fn caption(mut self, caption: &str) -> Self {
        self.caption = Some(caption.to_owned());
        self
    }

    /// Telegram says that it has so many bytes, whatever there is to be had.
    #[must_use]
    pub fn size(mut self, bytes: i64) -> Self {
        self.size = Some(bytes);
        self
    }

    fn path(&self, number: usize) -> String {
        match self.kind {
            "photo" => format!("photos/file_{number}.jpg"),
            "voice" => format!("voice/file_{number}.oga"),
            "audio" => format!("music/file_{number}.mp3"),
            "video" => format!("videos/file_{number}.mp4"),
            "video_note" => format!("video_notes/file_{number}.mp4"),
            "sticker" => format!("stickers/file_{number}.webp"),
            kind => {
                let name = self.fields["file_name"].as_str().unwrap_or_default();
                let ending = name.rsplit_once('.').map_or("bin", |(_, ending)| ending);
                format!("{kind}s/file_{number}.{ending}")
            }
        }
    }
}

impl World {
    /// Keeps the files; answers what a message with them holds.
    pub(crate) fn content_of(&mut self, media: &Media) -> Value {
        let mut content = match media.kind {
            "location" => json!({"location": media.fields}),
            "venue" => json!({"location": media.fields["location"], "venue": media.fields}),
            "photo" => {
                let thumbnail =
                    |side: i64| Media { size: None, bytes: b"a thumbnail".to_vec(), ..media.clone() }.sized(side);
                let sizes = [thumbnail(90), thumbnail(320), media.clone()];
                json!({"photo": sizes.map(|size| self.keep(&size))})
            }
            kind => json!({kind: self.keep(media)}),
        };
        if let Some(caption) = &media.caption {
            content["caption"] = caption.clone().into();
        }
        content
    }

    fn keep(&mut self, media: &Media) -> Value {
        let number = self.files.len() + 1;
        let id = format!("AgACAgQAAx{number:04}{}", media.kind);
        let size = media.size.unwrap_or_else(|| i64::try_from(media.bytes.len()).unwrap_or(i64::MAX));
        let mut told = media.fields.clone();
        told["file_id"] = id.clone().into();
        told["file_unique_id"] = format!("unique_{id}").into();
        told["file_size"] = size.into();
        let file = File {
            kind: media.kind,
            told: told.clone(),
            bytes: media.bytes.clone(),
            size,
            path: media.path(number),
            linked_until: Timestamp::default(),
        };
        self.files.insert(id, file);
        told
    }
}

impl Media {
    fn sized(mut self, side: i64) -> Self {
        self.fields = json!({"width": side, "height": side * 3 / 4});
        self
    }
}
