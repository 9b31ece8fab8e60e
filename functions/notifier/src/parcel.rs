//! What was said, made up into messages of Telegram's.

use std::borrow::Cow;
use std::collections::HashMap;

use shared::attachments;
use shared::model::{Message, Sender};
use shared::store::MirrorPost;
use shared::telegram::media::Source;
use shared::telegram::text::{Line, MAX_CAPTION, MAX_TEXT, Text, compose, split, split_after};
use shared::telegram::{Telegram, TelegramError};

use crate::conversation::{Trouble, Work};

/// Posts are remembered for the edits of what they say; only those of late are edited.
const POSTS: usize = 20;

/// Where Telegram has the files of messages, by their `seq`.
pub(crate) type Files = HashMap<i64, String>;

/// As many messages as one post holds, or one that needs several or has a file.
#[derive(Debug, Default)]
pub(crate) struct Parcel {
    /// The first message in it,
    pub(crate) from: i64,
    /// and the last.
    pub(crate) last: i64,
    /// The last message that is done with it.
    pub(crate) to: i64,
    /// The posts; none when nothing is shown.
    pub(crate) pieces: Vec<Text>,
    /// The file under which the first piece stands.
    pub(crate) file: Option<String>,
    /// Whether a visitor's words are in it.
    pub(crate) by_visitor: bool,
}

impl Parcel {
    /// The file under which a piece stands.
    pub(crate) fn file_of(&self, piece: usize) -> Option<Source<'_>> {
        self.file.as_deref().filter(|_| piece == 0).and_then(Source::read)
    }
}

/// Looks for the files of messages that are shown.
pub(crate) async fn files(
    work: &Work<'_, '_>,
    messages: &[Message],
    shown: fn(&Message) -> bool,
) -> Result<Files, Trouble> {
    let mut files = Files::new();
    for message in messages.iter().filter(|message| shown(message)) {
        let id = &message.conversation_id;
        let named = message.file.as_ref().and_then(|file| attachments::id_in_url(id, &file.url));
        let Some(named) = named else { continue };
        let source = work.app.store.attachment(id, named).await?.and_then(|found| found.source);
        if let Some(source) = source.filter(|kept| Source::read(kept).is_some()) {
            files.insert(message.seq, source);
        }
    }
    Ok(files)
}

/// The next parcel of messages, those that are not shown left out; a single one when they are not to be joined. A message
/// whose file Telegram has goes with it, and alone; any other file is called by its name.
pub(crate) fn next(messages: &[Message], shown: fn(&Message) -> bool, files: &Files, joined: bool) -> Parcel {
    let mut parcel = Parcel::default();
    let mut all: Vec<&Message> = Vec::new();
    let mut text = Text::default();
    for message in messages {
        if !shown(message) {
            parcel.to = message.seq;
            continue;
        }
        let file = files.get(&message.seq);
        if !all.is_empty() && (!joined || file.is_some()) {
            break;
        }
        if let Some(file) = file {
            return Parcel {
                from: message.seq,
                last: message.seq,
                to: message.seq,
                pieces: under_file(message),
                file: Some(file.clone()),
                by_visitor: message.sender == Sender::Visitor,
            };
        }
        all.push(message);
        let longer = told(&all);
        if longer.units() > MAX_TEXT && all.len() > 1 {
            break;
        }
        if all.len() == 1 {
            parcel.from = message.seq;
        }
        (parcel.last, parcel.to) = (message.seq, message.seq);
        parcel.by_visitor |= message.sender == Sender::Visitor;
        text = longer;
        if text.units() > MAX_TEXT {
            break;
        }
    }
    parcel.pieces = split(&text);
    parcel
}

/// One text of messages.
pub(crate) fn told(messages: &[&Message]) -> Text {
    let words: Vec<Cow<'_, str>> = messages.iter().map(|message| words(message)).collect();
    let lines = messages.iter().zip(&words).map(|(message, words)| line(message, words));
    compose(&lines.collect::<Vec<_>>())
}

/// What stands under a message's file, and what finds no room there.
fn under_file(message: &Message) -> Vec<Text> {
    split_after(&compose(&[line(message, own_words(message))]), MAX_CAPTION)
}

fn line<'a>(message: &'a Message, content: &'a str) -> Line<'a> {
    let mark = if message.sender == Sender::Visitor { "" } else { "↩ " };
    Line { mark, author: &message.author, content }
}

fn words(message: &Message) -> Cow<'_, str> {
    match (&message.file, own_words(message)) {
        (None, words) => words.into(),
        (Some(file), "") => format!("📎 {}", file.name).into(),
        (Some(file), words) => format!("📎 {}\n{words}", file.name).into(),
    }
}

/// What was said with a file. Where nothing was, the message says its name.
fn own_words(message: &Message) -> &str {
    let is_name = message.file.as_ref().is_some_and(|file| file.name == message.content);
    if is_name { "" } else { &message.content }
}

/// What posts of these messages say now.
pub(crate) fn told_again(posts: &[MirrorPost], shown: &[&Message]) -> Vec<Text> {
    match (posts, shown) {
        ([first, ..], [message]) if first.is_file => under_file(message),
        _ => split(&told(shown)),
    }
}

/// Changes what a post says.
pub(crate) async fn change(
    telegram: &Telegram,
    chat_id: i64,
    post: &MirrorPost,
    text: &Text,
) -> Result<(), TelegramError> {
    if post.is_file {
        telegram.edit_message_caption(chat_id, post.message_id, text).await
    } else {
        telegram.edit_message_text(chat_id, post.message_id, text, None).await
    }
}

/// Remembers a post.
pub(crate) fn remember(posts: &mut Vec<MirrorPost>, post: MirrorPost) {
    posts.push(post);
    let old = posts.len().saturating_sub(POSTS);
    posts.drain(..old);
}

/// The posts in which a message stands, oldest first.
pub(crate) fn holding(posts: &[MirrorPost], seq: i64) -> Vec<MirrorPost> {
    posts.iter().filter(|post| (post.from..=post.to).contains(&seq)).cloned().collect()
}
