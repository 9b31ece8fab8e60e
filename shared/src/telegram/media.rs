//! What a message in Telegram holds besides text, read as leniently as the rest of an update.

use std::fmt;

use serde::Deserialize;

use super::update::{lenient, lenient_each};

/// The parts of a message that are no text.
#[derive(Debug, Default, Deserialize)]
pub struct Media {
    /// What is written under a file.
    #[serde(default, deserialize_with = "lenient")]
    pub caption: Option<String>,
    /// Files that were sent together have this in common.
    #[serde(default, deserialize_with = "lenient")]
    pub media_group_id: Option<String>,
    /// One picture in several sizes.
    #[serde(default, deserialize_with = "lenient_each")]
    pub photo: Vec<TelegramFile>,
    /// Speech.
    #[serde(default, deserialize_with = "lenient")]
    pub voice: Option<TelegramFile>,
    /// Music.
    #[serde(default, deserialize_with = "lenient")]
    pub audio: Option<TelegramFile>,
    /// A moving picture without sound.
    #[serde(default, deserialize_with = "lenient")]
    pub animation: Option<TelegramFile>,
    /// A film.
    #[serde(default, deserialize_with = "lenient")]
    pub video: Option<TelegramFile>,
    /// A round film.
    #[serde(default, deserialize_with = "lenient")]
    pub video_note: Option<TelegramFile>,
    /// Any file; an animation is told here once more.
    #[serde(default, deserialize_with = "lenient")]
    pub document: Option<TelegramFile>,
    /// A sticker.
    #[serde(default, deserialize_with = "lenient")]
    pub sticker: Option<Sticker>,
    /// A place on the map.
    #[serde(default, deserialize_with = "lenient")]
    pub location: Option<Location>,
    /// A place with a name; its location is told in [`Self::location`] once more.
    #[serde(default, deserialize_with = "lenient")]
    pub venue: Option<Venue>,
    /// Somebody's number.
    #[serde(default, deserialize_with = "lenient")]
    pub contact: Option<Contact>,
    /// A kind of message that visitors are not shown.
    #[serde(default, deserialize_with = "lenient")]
    pub poll: Option<Other>,
    /// As [`Self::poll`].
    #[serde(default, deserialize_with = "lenient")]
    pub dice: Option<Other>,
    /// As [`Self::poll`].
    #[serde(default, deserialize_with = "lenient")]
    pub game: Option<Other>,
    /// As [`Self::poll`].
    #[serde(default, deserialize_with = "lenient")]
    pub story: Option<Other>,
    /// As [`Self::poll`].
    #[serde(default, deserialize_with = "lenient")]
    pub paid_media: Option<Other>,
    /// As [`Self::poll`].
    #[serde(default, deserialize_with = "lenient")]
    pub invoice: Option<Other>,
    /// As [`Self::poll`].
    #[serde(default, deserialize_with = "lenient")]
    pub checklist: Option<Other>,
    /// As [`Self::poll`].
    #[serde(default, deserialize_with = "lenient")]
    pub giveaway: Option<Other>,
}

impl Media {
    /// Whether it is of a kind that visitors are not shown.
    pub fn is_other(&self) -> bool {
        let others = [
            &self.poll,
            &self.dice,
            &self.game,
            &self.story,
            &self.paid_media,
            &self.invoice,
            &self.checklist,
            &self.giveaway,
        ];
        others.into_iter().any(Option::is_some)
    }
}

/// What Telegram takes a file for. It is sent on as that, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A picture.
    Photo,
    /// Speech.
    Voice,
    /// Music.
    Audio,
    /// A moving picture without sound.
    Animation,
    /// A film.
    Video,
    /// A round film, under which nothing can be written.
    VideoNote,
    /// Any file.
    Document,
}

impl FileKind {
    const ALL: [Self; 7] =
        [Self::Photo, Self::Voice, Self::Audio, Self::Animation, Self::Video, Self::VideoNote, Self::Document];

    /// Its name in messages and calls.
    pub fn name(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Voice => "voice",
            Self::Audio => "audio",
            Self::Animation => "animation",
            Self::Video => "video",
            Self::VideoNote => "video_note",
            Self::Document => "document",
        }
    }

    /// The method that sends it.
    pub(super) fn method(self) -> &'static str {
        match self {
            Self::Photo => "sendPhoto",
            Self::Voice => "sendVoice",
            Self::Audio => "sendAudio",
            Self::Animation => "sendAnimation",
            Self::Video => "sendVideo",
            Self::VideoNote => "sendVideoNote",
            Self::Document => "sendDocument",
        }
    }
}

/// Where an attachment comes from: a file of Telegram's. [`Attachment::source`](crate::model::Attachment) keeps it as
/// `kind:file_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source<'a> {
    /// What Telegram takes it for.
    pub kind: FileKind,
    /// What names it for this bot.
    pub file_id: &'a str,
}

impl<'a> Source<'a> {
    /// Reads what an attachment keeps. `None`: it is none of Telegram's.
    pub fn read(kept: &'a str) -> Option<Self> {
        let (name, file_id) = kept.split_once(':')?;
        let kind = FileKind::ALL.into_iter().find(|kind| kind.name() == name)?;
        Some(Self { kind, file_id })
    }
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.name(), self.file_id)
    }
}

/// A file in Telegram.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct TelegramFile {
    /// What names it for this bot.
    pub file_id: String,
    /// Bytes.
    #[serde(default, deserialize_with = "lenient")]
    pub file_size: Option<i64>,
    /// As its sender called it.
    #[serde(default, deserialize_with = "lenient")]
    pub file_name: Option<String>,
    /// As its sender's program called it.
    #[serde(default, deserialize_with = "lenient")]
    pub mime_type: Option<String>,
    /// Of a picture, in pixels.
    #[serde(default, deserialize_with = "lenient")]
    pub width: Option<i64>,
}

/// A sticker.
#[derive(Debug, Default, Deserialize)]
pub struct Sticker {
    /// What it stands for.
    #[serde(default, deserialize_with = "lenient")]
    pub emoji: Option<String>,
}

/// A place on the map, in degrees.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Location {
    /// North of the equator.
    pub latitude: f64,
    /// East of Greenwich.
    pub longitude: f64,
}

/// A place with a name.
#[derive(Debug, Default, Deserialize)]
pub struct Venue {
    /// Where.
    pub location: Location,
    /// Its name.
    #[serde(default, deserialize_with = "lenient")]
    pub title: Option<String>,
    /// Its address.
    #[serde(default, deserialize_with = "lenient")]
    pub address: Option<String>,
}

/// Somebody's number.
#[derive(Debug, Default, Deserialize)]
pub struct Contact {
    /// The number.
    pub phone_number: String,
    /// Whose.
    #[serde(default, deserialize_with = "lenient")]
    pub first_name: Option<String>,
    /// Often absent.
    #[serde(default, deserialize_with = "lenient")]
    pub last_name: Option<String>,
}

/// Something whose particulars say nothing to us.
#[derive(Debug, Deserialize)]
pub struct Other {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_read_as_it_was_kept() {
        for kind in FileKind::ALL {
            let source = Source { kind, file_id: "AgACAgQAAx" };
            assert_eq!(Source::read(&source.to_string()), Some(source));
        }
        for foreign in ["", "AgACAgQAAx", "sticker:AgACAgQAAx"] {
            assert_eq!(Source::read(foreign), None, "{foreign:?}");
        }
    }
}
