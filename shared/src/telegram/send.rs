//! Messages: sending and changing them. Always plain text with entities and never a parse mode, so that nothing a visitor
//! writes is taken for markup; never a link preview, for which Telegram would fetch what a visitor links to.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::media::Source;
use super::text::Text;
use super::{Telegram, TelegramError};

/// What marks a part of a text; places are in UTF-16 code units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entity {
    /// `bold`, `italic` …
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Where it begins.
    pub offset: usize,
    /// How long it is, at least 1.
    pub length: usize,
}

/// Buttons under a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Keyboard {
    /// Row by row.
    pub inline_keyboard: Vec<Vec<Button>>,
}

/// A button that tells the webhook when it is pressed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Button {
    /// What people read.
    pub text: String,
    /// What the webhook gets, 1–64 bytes.
    pub callback_data: String,
}

impl Keyboard {
    /// One row of buttons: text and data of each.
    pub fn row(buttons: impl IntoIterator<Item = (String, String)>) -> Self {
        let row = buttons.into_iter().map(|(text, callback_data)| Button { text, callback_data }).collect();
        Self { inline_keyboard: vec![row] }
    }
}

/// A message about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post<'a> {
    /// What it says; must fit [`super::MAX_TEXT`].
    pub text: &'a Text,
    /// The topic it goes to.
    pub thread_id: Option<i64>,
    /// The message that it answers; one that is gone does not matter.
    pub reply_to: Option<i64>,
    /// Its buttons.
    pub keyboard: Option<&'a Keyboard>,
}

impl<'a> Post<'a> {
    /// A message that says this, and nothing else.
    pub fn new(text: &'a Text) -> Self {
        Self { text, thread_id: None, reply_to: None, keyboard: None }
    }

    fn place(&self) -> Place<'a> {
        let reply_to = |message_id| ReplyParameters { message_id, allow_sending_without_reply: true };
        Place {
            message_thread_id: self.thread_id.filter(|thread_id| *thread_id != GENERAL),
            reply_parameters: self.reply_to.map(reply_to),
            reply_markup: self.keyboard,
        }
    }
}

#[derive(Serialize)]
struct SendFile<'a> {
    chat_id: i64,
    #[serde(flatten)]
    file: BTreeMap<&'static str, &'a str>,
    caption: &'a str,
    #[serde(skip_serializing_if = "<[Entity]>::is_empty")]
    caption_entities: &'a [Entity],
    #[serde(flatten)]
    place: Place<'a>,
}

#[derive(Serialize)]
struct EditMessageCaption<'a> {
    chat_id: i64,
    message_id: i64,
    caption: &'a str,
    #[serde(skip_serializing_if = "<[Entity]>::is_empty")]
    caption_entities: &'a [Entity],
}

/// Where in a chat a message goes, and what stands under it.
#[derive(Serialize)]
struct Place<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    message_thread_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_parameters: Option<ReplyParameters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_markup: Option<&'a Keyboard>,
}

#[derive(Serialize)]
struct SendMessage<'a> {
    chat_id: i64,
    text: &'a str,
    #[serde(skip_serializing_if = "<[Entity]>::is_empty")]
    entities: &'a [Entity],
    #[serde(flatten)]
    place: Place<'a>,
    link_preview_options: LinkPreviewOptions,
}

#[derive(Serialize)]
struct EditMessageText<'a> {
    chat_id: i64,
    message_id: i64,
    text: &'a str,
    #[serde(skip_serializing_if = "<[Entity]>::is_empty")]
    entities: &'a [Entity],
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_markup: Option<&'a Keyboard>,
    link_preview_options: LinkPreviewOptions,
}

#[derive(Serialize)]
struct ReplyParameters {
    message_id: i64,
    allow_sending_without_reply: bool,
}

#[derive(Serialize)]
struct LinkPreviewOptions {
    is_disabled: bool,
}

#[derive(Deserialize)]
struct SentMessage {
    message_id: i64,
}

/// The General topic of a forum has the number 1, but is found only without it.
const GENERAL: i64 = 1;

impl Telegram {
    /// Sends a message and answers its id.
    pub async fn send_message(&self, chat_id: i64, post: &Post<'_>) -> Result<i64, TelegramError> {
        let body = SendMessage {
            chat_id,
            text: &post.text.text,
            entities: &post.text.entities,
            place: post.place(),
            link_preview_options: LinkPreviewOptions { is_disabled: true },
        };
        self.call::<SentMessage>("sendMessage", &body).await.map(|sent| sent.message_id)
    }

    /// Sends a file that Telegram has and answers the message's id. The text stands under it and must fit
    /// [`super::MAX_CAPTION`]; a round film shows none.
    pub async fn send_file(&self, chat_id: i64, file: Source<'_>, post: &Post<'_>) -> Result<i64, TelegramError> {
        let body = SendFile {
            chat_id,
            file: BTreeMap::from([(file.kind.name(), file.file_id)]),
            caption: &post.text.text,
            caption_entities: &post.text.entities,
            place: post.place(),
        };
        self.call::<SentMessage>(file.kind.method(), &body).await.map(|sent| sent.message_id)
    }

    /// Changes what is written under a file of the bot's own.
    pub async fn edit_message_caption(&self, chat_id: i64, message_id: i64, text: &Text) -> Result<(), TelegramError> {
        let body = EditMessageCaption { chat_id, message_id, caption: &text.text, caption_entities: &text.entities };
        changed(self.call("editMessageCaption", &body).await)
    }

    /// Changes a message of the bot's own.
    pub async fn edit_message_text(
        &self,
        chat_id: i64,
        message_id: i64,
        text: &Text,
        keyboard: Option<&Keyboard>,
    ) -> Result<(), TelegramError> {
        let body = EditMessageText {
            chat_id,
            message_id,
            text: &text.text,
            entities: &text.entities,
            reply_markup: keyboard,
            link_preview_options: LinkPreviewOptions { is_disabled: true },
        };
        changed(self.call("editMessageText", &body).await)
    }
}

/// A message that says so already is as good as changed.
fn changed(answer: Result<IgnoredAny, TelegramError>) -> Result<(), TelegramError> {
    match answer {
        Err(error) if error.bad_request().is_some_and(|words| words.contains("message is not modified")) => Ok(()),
        answer => answer.map(|_| ()),
    }
}
