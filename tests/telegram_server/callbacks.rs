//! Buttons that were pressed, and the bot's answers to that.

use serde_json::{Value, json};
use shared::time::{SECOND, Timestamp};

use crate::World;
use crate::api::{Answer, Outcome};

/// Telegram takes an answer, and delivers the press at all, for so long.
pub(crate) const LIFETIME: i64 = 150 * SECOND;
/// The longest answer, in characters.
const MAX_TEXT: usize = 200;

/// A press that waits for its answer.
#[derive(Debug)]
pub(crate) struct Pressed {
    pub(crate) at: Timestamp,
    pub(crate) answer: Option<CallbackAnswer>,
}

/// What the person who pressed a button is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackAnswer {
    /// Nothing but the end of the spinner when it is empty.
    pub text: String,
    /// In a window that has to be closed.
    pub show_alert: bool,
}

impl World {
    pub(crate) fn answer_callback_query(&mut self, parameters: &Value) -> Outcome {
        let now = self.clock.now();
        let id = parameters["callback_query_id"].as_str().unwrap_or_default();
        let late = || Answer::bad("query is too old and response timeout expired or query ID is invalid");
        let pressed = self.pressed.get_mut(id).ok_or_else(late)?;
        if pressed.answer.is_some() || now.since(pressed.at) >= LIFETIME {
            return Err(late());
        }
        let text = parameters["text"].as_str().unwrap_or_default().to_owned();
        if text.chars().count() > MAX_TEXT {
            return Err(Answer::bad("MESSAGE_TOO_LONG"));
        }
        pressed.answer = Some(CallbackAnswer { text, show_alert: parameters["show_alert"] == true });
        Ok(json!(true))
    }
}
