//! Telegram's HTML: few tags, every one of them closed, and four named entities.

use serde_json::{Value, json};

use crate::entities::units;

/// A tag that is open.
struct Open {
    name: String,
    offset: usize,
    url: Option<String>,
    /// The bytes of the source where it began.
    at: usize,
}

/// The text without its tags, and the entities that they were.
pub(crate) fn parse(source: &str) -> Result<(String, Vec<Value>), String> {
    let (mut text, mut entities, mut open): (String, Vec<Value>, Vec<Open>) = Default::default();
    let mut at = 0;
    while let Some(next) = source[at..].chars().next() {
        let rest = &source[at..];
        if next == '&' {
            let (character, length) = character(rest);
            text.push(character);
            at += length;
        } else if next == '<' {
            let Some(length) = rest.find('>') else {
                return Err(format!("Unclosed start tag at byte offset {at}"));
            };
            match rest[1..length].strip_prefix('/') {
                Some(name) => entities.extend(close(&mut open, name, at, units(&text))?),
                None => open.push(start(&rest[1..length], at, units(&text))?),
            }
            at += length + 1;
        } else {
            text.push(next);
            at += next.len_utf8();
        }
    }
    match open.last() {
        Some(left) => {
            Err(format!("Can't find end tag corresponding to start tag \"{}\" at byte offset {}", left.name, left.at))
        }
        None => Ok((text, entities)),
    }
}

/// What `&…;` stands for, and how long it is; an `&` that begins nothing stands for itself.
fn character(rest: &str) -> (char, usize) {
    let named = [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&'), ("&quot;", '"')];
    let found = named.into_iter().find(|(name, _)| rest.starts_with(name));
    found.map_or(('&', 1), |(name, character)| (character, name.len()))
}

fn kind(name: &str) -> Option<&'static str> {
    Some(match name {
        "b" | "strong" => "bold",
        "i" | "em" => "italic",
        "u" | "ins" => "underline",
        "s" | "strike" | "del" => "strikethrough",
        "tg-spoiler" => "spoiler",
        "code" => "code",
        "pre" => "pre",
        "a" => "text_link",
        "blockquote" => "blockquote",
        _ => return None,
    })
}

fn start(tag: &str, at: usize, offset: usize) -> Result<Open, String> {
    let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
    let name = name.to_ascii_lowercase();
    if kind(&name).is_none() {
        return Err(format!("Unsupported start tag \"{name}\" at byte offset {at}"));
    }
    let url = attributes.trim().strip_prefix("href=\"").and_then(|rest| rest.strip_suffix('"'));
    Ok(Open { name, offset, url: url.map(ToOwned::to_owned), at })
}

fn close(open: &mut Vec<Open>, name: &str, at: usize, end: usize) -> Result<Option<Value>, String> {
    let name = name.trim().to_ascii_lowercase();
    let Some(last) = open.pop() else {
        return Err(format!("Unexpected end tag at byte offset {at}"));
    };
    if last.name != name {
        let expected = last.name;
        return Err(format!("Unmatched end tag at byte offset {at}, expected \"</{expected}>\", found \"</{name}>\""));
    }
    let mut entity = json!({"type": kind(&last.name), "offset": last.offset, "length": end - last.offset});
    if let Some(url) = last.url {
        entity["url"] = url.into();
    }
    Ok((end > last.offset).then_some(entity))
}
