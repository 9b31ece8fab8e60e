//! Texts and what stands out in them. Offsets and lengths count UTF-16 code units.

use serde_json::{Value, json};

use crate::api::Answer;
use crate::html;
use crate::markup::check_url;

/// The longest text, in UTF-16 code units after its entities were parsed.
pub(crate) const MAX_TEXT: usize = 4_096;
/// The longest caption, counted likewise.
const MAX_CAPTION: usize = 1_024;

const TYPES: [&str; 20] = [
    "mention",
    "hashtag",
    "cashtag",
    "bot_command",
    "url",
    "email",
    "phone_number",
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "blockquote",
    "expandable_blockquote",
    "code",
    "pre",
    "text_link",
    "text_mention",
    "custom_emoji",
    "date_time",
];

/// The content of a text message, checked: `text` and `entities`.
pub(crate) fn text(parameters: &Value) -> Result<Value, Answer> {
    let (text, entities) = read(parameters, "text", "entities")?;
    if text.is_empty() {
        return Err(Answer::bad("message text is empty"));
    }
    if units(&text) > MAX_TEXT {
        return Err(Answer::bad("message is too long"));
    }
    Ok(json!({"text": text, "entities": entities}))
}

/// What is to be written under a file, checked: `caption` and `caption_entities`.
pub(crate) fn caption(parameters: &Value) -> Result<Value, Answer> {
    let (caption, entities) = read(parameters, "caption", "caption_entities")?;
    if units(&caption) > MAX_CAPTION {
        return Err(Answer::bad("message caption is too long"));
    }
    let caption = Some(caption).filter(|caption| !caption.is_empty());
    Ok(json!({"caption": caption, "caption_entities": entities}))
}

fn read(parameters: &Value, text: &str, entities: &str) -> Result<(String, Option<Vec<Value>>), Answer> {
    let raw = parameters[text].as_str().unwrap_or_default();
    let (text, entities) = match parameters["parse_mode"].as_str().map(str::to_ascii_lowercase).as_deref() {
        None | Some("") => (raw.to_owned(), listed(&parameters[entities])?),
        Some("html") => html::parse(raw).map_err(|words| Answer::bad(&format!("can't parse entities: {words}")))?,
        Some(_) => return Err(Answer::bad("unsupported parse_mode")),
    };
    check(&text, &entities)?;
    let (text, entities) = trimmed(&text, entities);
    Ok((text, Some(entities).filter(|entities| !entities.is_empty())))
}

pub(crate) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A list, or the same as a string.
fn listed(value: &Value) -> Result<Vec<Value>, Answer> {
    let parsed = value.as_str().and_then(|text| serde_json::from_str(text).ok());
    match parsed.as_ref().unwrap_or(value) {
        Value::Null => Ok(Vec::new()),
        Value::Array(entities) => Ok(entities.clone()),
        _ => Err(Answer::bad("can't parse entities: Expected an Array of MessageEntity")),
    }
}

fn check(text: &str, entities: &[Value]) -> Result<(), Answer> {
    let encoded: Vec<u16> = text.encode_utf16().collect();
    let within_a_character = |at: i64| {
        let unit = usize::try_from(at).ok().and_then(|at| encoded.get(at));
        unit.is_some_and(|unit| (0xdc00..0xe000).contains(unit))
    };
    let all = i64::try_from(encoded.len()).unwrap_or(i64::MAX);
    for entity in entities {
        let (Some(offset), Some(length)) = (entity["offset"].as_i64(), entity["length"].as_i64()) else {
            return Err(Answer::bad("can't parse MessageEntity: Field \"offset\" must be a valid Number"));
        };
        let words = if !TYPES.iter().any(|known| entity["type"] == *known) {
            "can't parse MessageEntity: Unsupported type specified".to_owned()
        } else if offset < 0 {
            format!("receive an entity with incorrect offset {offset}")
        } else if length < 0 {
            format!("receive an entity with incorrect length {length}")
        } else if offset > all {
            format!("entity begins after the end of the text at UTF-16 offset {offset}")
        } else if offset + length > all {
            let end = offset + length;
            format!("entity beginning at UTF-16 offset {offset} ends after the end of the text at UTF-16 offset {end}")
        } else if within_a_character(offset) {
            format!("entity begins in a middle of a UTF-16 symbol at UTF-16 offset {offset}")
        } else if within_a_character(offset + length) {
            format!("entity beginning at UTF-16 offset {offset} ends in a middle of a UTF-16 symbol")
        } else {
            if entity["type"] == "text_link" {
                let url = entity["url"].as_str().unwrap_or_default();
                check_url(url).map_err(|why| Answer::bad(&format!("entity URL '{url}' is invalid: {why}")))?;
            }
            continue;
        };
        return Err(Answer::bad(&words));
    }
    Ok(())
}

/// Without the white space at both ends; entities move along.
fn trimmed(text: &str, entities: Vec<Value>) -> (String, Vec<Value>) {
    let end = i64::try_from(units(text.trim())).unwrap_or(i64::MAX);
    let lead = i64::try_from(units(text) - units(text.trim_start())).unwrap_or_default();
    let moved = entities.into_iter().filter_map(|mut entity| {
        let begins = entity["offset"].as_i64()?;
        let ends = (begins + entity["length"].as_i64()? - lead).min(end);
        let begins = (begins - lead).max(0);
        entity["offset"] = begins.into();
        entity["length"] = (ends - begins).into();
        (ends > begins).then_some(entity)
    });
    (text.trim().to_owned(), moved.collect())
}
