//! Buttons under a message.

use serde_json::{Value, json};

use crate::api::Answer;

/// The longest `callback_data`, in bytes.
const MAX_DATA: usize = 64;

/// A button under a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What stands on it.
    pub text: String,
    /// What the bot is told when it is pressed.
    pub data: Option<String>,
    /// Where it leads.
    pub url: Option<String>,
}

/// The buttons of a message, row by row.
pub(crate) fn buttons(message: &Value) -> Vec<Button> {
    let rows = message["reply_markup"]["inline_keyboard"].as_array().map(Vec::as_slice).unwrap_or_default();
    let all = rows.iter().filter_map(Value::as_array).flatten();
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    all.map(|button| Button {
        text: text(&button["text"]).unwrap_or_default(),
        data: text(&button["callback_data"]),
        url: text(&button["url"]),
    })
    .collect()
}

/// The `reply_markup` of a call, checked; `None` when it has no buttons.
pub(crate) fn checked(parameters: &Value) -> Result<Option<Value>, Answer> {
    let given = &parameters["reply_markup"];
    let parsed = given.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let rows = &parsed.as_ref().unwrap_or(given)["inline_keyboard"];
    if rows.is_null() {
        return Ok(None);
    }
    let wrong = || Answer::bad("can't parse inline keyboard: Expected an Array of Arrays of InlineKeyboardButton");
    for row in rows.as_array().ok_or_else(wrong)? {
        row.as_array().ok_or_else(wrong)?.iter().try_for_each(check)?;
    }
    let is_empty = rows.as_array().is_none_or(|rows| rows.iter().all(|row| row.as_array().is_none_or(Vec::is_empty)));
    Ok((!is_empty).then(|| json!({"inline_keyboard": rows})))
}

fn check(button: &Value) -> Result<(), Answer> {
    if button["text"].as_str().is_none_or(str::is_empty) {
        return Err(Answer::bad("can't parse inline keyboard button: Field \"text\" must be of type String"));
    }
    if let Some(data) = button["callback_data"].as_str().filter(|data| !data.is_empty()) {
        let fits = data.len() <= MAX_DATA;
        return if fits { Ok(()) } else { Err(Answer::bad("BUTTON_DATA_INVALID")) };
    }
    let Some(url) = button["url"].as_str().filter(|url| !url.is_empty()) else {
        let words = "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard";
        return Err(Answer::bad(words));
    };
    check_url(url).map_err(|why| Answer::bad(&format!("inline keyboard button URL '{url}' is invalid: {why}")))
}

/// A host needs a dot, so `localhost` is none.
pub(crate) fn check_url(url: &str) -> Result<(), &'static str> {
    let (protocol, rest) = url.split_once("://").unwrap_or(("http", url));
    match protocol.to_ascii_lowercase().as_str() {
        "tg" | "ton" => return Ok(()),
        "http" | "https" => {}
        _ => return Err("Unsupported URL protocol"),
    }
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
    if host.is_empty() {
        return Err("URL host is empty");
    }
    let ok = host.contains('.') && !host.contains(char::is_whitespace);
    if ok { Ok(()) } else { Err("Wrong HTTP URL") }
}
