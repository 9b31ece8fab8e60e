//! What was said, made up into messages of Telegram's.

use std::borrow::Cow;

use shared::model::{Message, Sender};
use shared::store::MirrorPost;
use shared::telegram::text::{Line, MAX_TEXT, Text, compose, split};

/// Posts are remembered for the edits of what they say; only those of late are edited.
const POSTS: usize = 20;

/// As many messages as one post holds, or one that needs several.
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
    /// Whether a visitor's words are in it.
    pub(crate) by_visitor: bool,
}

/// The next parcel of messages, those that are not shown left out; a single one when they are not to be joined.
pub(crate) fn next(messages: &[Message], shown: fn(&Message) -> bool, joined: bool) -> Parcel {
    let mut parcel = Parcel::default();
    let mut all: Vec<&Message> = Vec::new();
    let mut text = Text::default();
    for message in messages {
        if !shown(message) {
            parcel.to = message.seq;
            continue;
        }
        if !joined && !all.is_empty() {
            break;
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
    let lines = messages.iter().zip(&words).map(|(message, words)| Line {
        mark: if message.sender == Sender::Visitor { "" } else { "↩ " },
        author: &message.author,
        content: words,
    });
    compose(&lines.collect::<Vec<_>>())
}

fn words(message: &Message) -> Cow<'_, str> {
    match &message.file {
        None => message.content.as_str().into(),
        Some(file) if message.content.is_empty() => format!("📎 {}", file.name).into(),
        Some(file) => format!("📎 {}\n{}", file.name, message.content).into(),
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
