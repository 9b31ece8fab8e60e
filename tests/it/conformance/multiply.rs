//! Many times what a store has written: its own items again, under other ids and at earlier times, in a table of their own.

use serde_json::Value;
use shared::time::{MINUTE, Timestamp};

use super::make::START;
use crate::stores::Home;

/// How far apart two copies lie, in milliseconds. What is copied took less, and all copies are of one month, since the words
/// of a month have a partition of their own.
const APART: i64 = 30 * MINUTE;
/// Digits of a time.
const DIGITS: usize = 13;

/// A table with so many copies of conversations: of their messages and of their words.
pub async fn multiplied(home: &Home, conversations: &[String], times: i64) -> Home {
    let copy = Home::on_dynamodb().await;
    let mut items = home.table().unwrap().items().await;
    items.retain(is_said);
    for number in 0..times {
        let again: Vec<_> = items.iter().map(|item| again(item, conversations, number)).collect();
        copy.table().unwrap().put_all(&again).await;
    }
    copy
}

/// The particulars, which stand in an index, are not needed.
fn is_said(item: &Value) -> bool {
    let pk = item["pk"]["S"].as_str().unwrap();
    ["C#", "WORDS#", "MONTHS"].iter().any(|kind| pk.starts_with(kind)) && item["sk"]["S"] != "INFO"
}

/// An item of a copy.
fn again(item: &Value, conversations: &[String], number: i64) -> Value {
    let mut text = item.to_string();
    for id in conversations {
        if text.contains(id.as_str()) {
            text = text.replace(id, &format!("{number:08x}{}", &id[8..]));
        }
    }
    let mut item = serde_json::from_str(&text).unwrap();
    move_back(&mut item, number * APART);
    item
}

/// Moves every time, be it a value of its own or the beginning of a key.
fn move_back(value: &mut Value, by: i64) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|field| move_back(field, by)),
        Value::Array(parts) => parts.iter_mut().for_each(|part| move_back(part, by)),
        Value::String(text) => {
            let (digits, rest) = text.split_at_checked(DIGITS).unwrap_or((text, ""));
            let is_time = |at: &Timestamp| *at >= START && (rest.is_empty() || rest.starts_with('#'));
            let at = digits.parse().ok().map(Timestamp).filter(is_time);
            if let Some(at) = at {
                *text = format!("{}{rest}", at.plus(-by).0);
            }
        }
        _ => {}
    }
}
