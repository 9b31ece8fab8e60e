//! What clients send, parsed into values that are valid once they exist.

use std::borrow::Cow;

use serde::Deserialize;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::error::Error;
use crate::model::Status;

/// A frame or body from a client: every field of every type, each optional here and required where it is used.
/// Unknown fields are ignored, so a client cannot set anything that is not listed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Incoming {
    /// The frame's type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// `join`.
    pub display_name: Option<String>,
    /// `join`: a BCP 47 tag.
    pub locale: Option<String>,
    /// `join`.
    pub page_url: Option<String>,
    /// `join`.
    pub referrer: Option<String>,
    /// `join`.
    pub site: Option<String>,
    /// Which conversation.
    pub conversation_id: Option<String>,
    /// `resume`.
    pub resume_token: Option<String>,
    /// `resume`, `history`: after this `seq`.
    pub since: Option<i64>,
    /// `history`: before this `seq`.
    pub before: Option<i64>,
    /// `message`, `admin_message`.
    pub content: Option<String>,
    /// `message`, `admin_message`.
    pub client_id: Option<String>,
    /// `read`.
    pub seq: Option<i64>,
    /// `subscribe`.
    pub limit: Option<i64>,
    /// `subscribe`.
    pub status: Option<Status>,
    /// `login`.
    pub code: Option<String>,
    /// `login`.
    pub name: Option<String>,
}

impl Incoming {
    /// Reads JSON: `invalid_json` when it is none, `invalid_message` naming the field when one has the wrong type.
    pub fn parse(json: &str) -> Result<Self, Error> {
        match serde_json::from_str(json) {
            // A derived struct would also take an array, field by field.
            Ok(incoming) if json.trim_start().starts_with('{') => return Ok(incoming),
            Ok(_) => return Err(Error::field("body", "must be a JSON object")),
            Err(_) if serde_json::from_str::<serde_json::Value>(json).is_err() => return Err(Error::InvalidJson),
            Err(_) => {}
        }
        let path = serde_path_to_error::deserialize::<_, Self>(&mut serde_json::Deserializer::from_str(json))
            .err()
            .map(|error| error.path().to_string())
            .filter(|path| path != ".");
        Err(Error::field(path.as_deref().unwrap_or("body"), "has the wrong type"))
    }
}

/// A field that must be there.
pub fn require<T>(field: Option<T>, name: &str) -> Result<T, Error> {
    field.ok_or_else(|| Error::field(name, "is missing"))
}

/// The text of a message: NFC, without control characters but `\n` and `\t`, trimmed, not empty, not too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageText(String);

impl MessageText {
    /// Cleans and checks a text; `max` is in Unicode scalar values.
    pub fn parse(text: &str, max: usize) -> Result<Self, Error> {
        let text = clean(text, |c| matches!(c, '\n' | '\t'));
        match text.chars().count() {
            0 => Err(Error::MessageEmpty),
            count if count > max => Err(Error::MessageTooLong { max }),
            _ => Ok(Self(text)),
        }
    }

    /// The text.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// A `client_id`: 1–64 of `[A-Za-z0-9_-]`.
pub fn client_id(text: &str) -> Result<String, Error> {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    match text.len() {
        1..=64 if text.bytes().all(valid) => Ok(text.to_owned()),
        _ => Err(Error::field("client_id", "must be 1 to 64 of A-Z a-z 0-9 _ -")),
    }
}

/// A site's name: 1–64 of `[a-z0-9-]`, `default` when absent.
pub fn site(text: Option<&str>) -> Result<String, Error> {
    let valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let text = text.unwrap_or("default");
    match text.len() {
        1..=64 if text.bytes().all(valid) => Ok(text.to_owned()),
        _ => Err(Error::field("site", "must be 1 to 64 of a-z 0-9 -")),
    }
}

/// A name on one line, at most 80 characters; `None` when nothing is left of it.
pub fn display_name(field: &str, text: Option<&str>) -> Result<Option<String>, Error> {
    let name = clean(text.unwrap_or_default(), |_| false);
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    match name.chars().count() {
        0 => Ok(None),
        1..=80 => Ok(Some(name)),
        _ => Err(Error::field(field, "must have at most 80 characters")),
    }
}

/// A tag: 1–40 characters on one line, lower case.
pub fn tag(text: &str) -> Result<String, Error> {
    let tag = clean(text, |_| false).to_lowercase();
    match tag.chars().count() {
        1..=40 if !tag.contains('/') => Ok(tag),
        _ => Err(Error::field("tag", "must have 1 to 40 characters and no slash")),
    }
}

/// A text that is kept for people to see, cut to `max` characters; `None` when nothing is left of it.
pub fn optional_text(text: Option<&str>, max: usize) -> Option<String> {
    let text: String = clean(text.unwrap_or_default(), |_| false).chars().take(max).collect();
    (!text.is_empty()).then_some(text)
}

fn clean(text: &str, keep: impl Fn(char) -> bool) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.trim().to_owned();
    }
    let text = match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.nfc().collect()),
    };
    text.replace(|c: char| c.is_control() && !keep(c), "").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(json: &str) -> String {
        let error = Incoming::parse(json).unwrap_err();
        format!("{}: {error}", error.code())
    }

    #[test]
    fn what_is_wrong_with_a_frame_is_said() {
        assert_eq!(code("{"), "invalid_json: This is not valid JSON.");
        assert_eq!(code(""), "invalid_json: This is not valid JSON.");
        assert_eq!(code("[]"), "invalid_message: body: must be a JSON object");
        assert_eq!(code("\"join\""), "invalid_message: body: has the wrong type");
        assert_eq!(code(r#"{"type":"message","content":5}"#), "invalid_message: content: has the wrong type");
        assert_eq!(code(r#"{"type":"read","seq":1.5}"#), "invalid_message: seq: has the wrong type");
        assert_eq!(code(r#"{"content":"\ud800"}"#), "invalid_json: This is not valid JSON.");
    }

    #[test]
    fn a_text_is_cleaned_but_never_escaped() {
        let text = MessageText::parse(" <b>caf\u{65}\u{301}</b>\r\n\u{7}x\ty \0", 100).unwrap();

        assert_eq!(text.into_string(), "<b>caf\u{e9}</b>\nx\ty");
        assert_eq!(MessageText::parse(" \u{0} \n", 10).unwrap_err().code(), "message_empty");
        assert!(MessageText::parse("🙂🙂", 2).is_ok());
        assert_eq!(MessageText::parse("🙂🙂🙂", 2).unwrap_err().code(), "message_too_long");
    }

    #[test]
    fn names_sites_and_client_ids_keep_to_their_alphabets() {
        assert_eq!(display_name("display_name", Some(" Ada \n Lovelace ")).unwrap().as_deref(), Some("Ada Lovelace"));
        assert_eq!(display_name("display_name", Some("  ")).unwrap(), None);
        assert!(display_name("display_name", Some(&"x".repeat(81))).is_err());
        assert!(site(Some("Shop")).is_err() && site(Some("")).is_err());
        assert_eq!(site(None).unwrap(), "default");
        assert!(client_id("").is_err() && client_id(&"a".repeat(65)).is_err() && client_id("a b").is_err());
        assert!(client_id("9f0c-_A").is_ok());
    }
}
