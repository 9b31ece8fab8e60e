//! What the team does to conversations, in the panel or in Telegram: the rules of [`chat`], each with its line in the audit
//! trail.

use serde_json::json;

use crate::app::App;
use crate::auth::{self, Actor, audit};
use crate::chat::{self, Draft, Pass, SentMessage};
use crate::error::Error;
use crate::id;
use crate::model::{Message, MessageType, Note, Reader, Sender, Via};
use crate::search;
use crate::store::{Page, PageRequest};
use crate::telegram;
use crate::time::HOUR;
use crate::wire::{self, Alert, Item, MessageText};

/// Whoever said to be there counts as there for so long.
const PRESENCE: i64 = 12 * HOUR;

/// Answers a visitor. Without a `client_id` of the sender's one is made.
pub async fn send(
    app: &App,
    by: &Actor,
    via: Via,
    conversation_id: &str,
    content: String,
    client_id: Option<&str>,
) -> Result<SentMessage, Error> {
    let draft = Draft {
        conversation_id: conversation_id.to_owned(),
        client_id: client_id.map_or_else(|| Ok(id::client_id()), wire::client_id)?,
        sender: Sender::Admin,
        via,
        author: by.name.clone(),
        content,
        message_type: MessageType::Text,
        file: None,
        pass: Pass::Seen,
    };
    hand_in(app, by, draft).await
}

/// Answers a visitor with a message of any kind.
pub async fn hand_in(app: &App, by: &Actor, draft: Draft) -> Result<SentMessage, Error> {
    let line = auth::line(app, Some(by), &by.ip, "send", Some(&draft.conversation_id), json!({}));
    chat::send_told(app, draft, Some(&line)).await
}

/// Closes a conversation.
pub async fn close(app: &App, by: &Actor, conversation_id: &str) -> Result<Item, Error> {
    let item = chat::close(app, conversation_id).await?;
    audit(app, by, "close", Some(conversation_id), json!({})).await?;
    Ok(item)
}

/// Opens a closed conversation again.
pub async fn reopen(app: &App, by: &Actor, conversation_id: &str) -> Result<Item, Error> {
    let item = chat::reopen(app, conversation_id).await?;
    audit(app, by, "reopen", Some(conversation_id), json!({})).await?;
    Ok(item)
}

/// Erases a conversation and everything of it but this line of the trail.
pub async fn delete(app: &App, by: &Actor, conversation_id: &str) -> Result<(), Error> {
    chat::delete(app, conversation_id).await?;
    audit(app, by, "delete", Some(conversation_id), json!({})).await
}

/// Moves the team's read mark; the trail hears of it only when there is such a conversation.
pub async fn read(app: &App, by: &Actor, conversation_id: &str, seq: i64) -> Result<(), Error> {
    let line = auth::line(app, Some(by), &by.ip, "read", Some(conversation_id), json!({"seq": seq}));
    match chat::read(app, conversation_id, Reader::Admin, seq, Some(&line)).await {
        // A mark that moves is one of a conversation that is there, and has its line.
        Ok(true) => Ok(()),
        other => {
            chat::item(app, conversation_id).await?;
            other?;
            Ok(app.store.record(&line).await?)
        }
    }
}

/// Adds a tag; answers all of them.
pub async fn add_tag(app: &App, by: &Actor, conversation_id: &str, tag: &str) -> Result<Vec<String>, Error> {
    let tag = wire::tag(tag)?;
    let tags = chat::add_tag(app, conversation_id, &tag).await?;
    audit(app, by, "tag", Some(conversation_id), json!({"tag": tag})).await?;
    Ok(tags)
}

/// Takes a tag away; answers the rest.
pub async fn remove_tag(app: &App, by: &Actor, conversation_id: &str, tag: &str) -> Result<Vec<String>, Error> {
    let tag = wire::tag(tag)?;
    let tags = chat::remove_tag(app, conversation_id, &tag).await?;
    audit(app, by, "untag", Some(conversation_id), json!({"tag": tag})).await?;
    Ok(tags)
}

/// Takes a conversation on in one's own name. The first claim wins; the item says whose it is.
pub async fn claim(app: &App, by: &Actor, conversation_id: &str) -> Result<Item, Error> {
    let item = chat::claim(app, conversation_id, &by.name).await?;
    if item.claimed_by.as_ref() == Some(&by.name) {
        audit(app, by, "claim", Some(conversation_id), json!({})).await?;
    }
    Ok(item)
}

/// Ends a claim, whoever has it.
pub async fn release(app: &App, by: &Actor, conversation_id: &str) -> Result<Item, Error> {
    let item = chat::release(app, conversation_id).await?;
    audit(app, by, "release", Some(conversation_id), json!({})).await?;
    Ok(item)
}

/// Closes a conversation and keeps its visitor from beginning another one.
pub async fn ban(app: &App, by: &Actor, conversation_id: &str) -> Result<Item, Error> {
    let item = chat::ban(app, conversation_id).await?;
    audit(app, by, "ban", Some(conversation_id), json!({})).await?;
    Ok(item)
}

/// Lifts a ban.
pub async fn unban(app: &App, by: &Actor, conversation_id: &str) -> Result<Item, Error> {
    let item = chat::unban(app, conversation_id).await?;
    audit(app, by, "unban", Some(conversation_id), json!({})).await?;
    Ok(item)
}

/// Adds a note among the team. Without a `client_id` of the sender's one is made; the same again adds nothing.
pub async fn add_note(
    app: &App,
    by: &Actor,
    via: Via,
    conversation_id: &str,
    content: &str,
    client_id: Option<&str>,
) -> Result<Note, Error> {
    let note = Note {
        conversation_id: conversation_id.to_owned(),
        seq: 0,
        id: client_id.map_or_else(|| Ok(id::client_id()), wire::client_id)?,
        author: by.name.clone(),
        via,
        content: MessageText::parse(content, app.config.max_message_len)?.into_string(),
        created_at: app.now(),
    };
    let (note, added) = chat::add_note(app, &note).await?;
    if added {
        audit(app, by, "note", Some(conversation_id), json!({"seq": note.seq})).await?;
    }
    Ok(note)
}

/// Says that an operator is there, or not any more, although without a socket. Visitors see whether anybody is.
pub async fn set_presence(app: &App, operator: &str, here: bool) -> Result<(), Error> {
    let now = app.now();
    let before = app.store.admins_online(now).await?;
    let until = if here { now.plus(PRESENCE) } else { now };
    app.store.operator_present(operator, until, now).await?;
    let after = app.store.admins_online(now).await?;
    if (before == 0) != (after == 0) {
        chat::push_admins_online(app, after).await?;
    }
    Ok(())
}

/// What has to be mended, if anything.
pub async fn alert(app: &App) -> Result<Option<Alert>, Error> {
    Ok(telegram::alert::current(app).await?)
}

/// Finds messages by the beginnings of their words, newest first, with the visitor's name. The trail keeps how many words
/// were asked for, not which: they may be a customer's own.
pub async fn find(app: &App, by: &Actor, words: &str, page: &PageRequest) -> Result<Page<(Message, String)>, Error> {
    let terms = search::terms(words);
    if terms.is_empty() {
        return Err(Error::field("q", "must have at least one word"));
    }
    let found = app.store.search(&terms, page).await?;
    audit(app, by, "search", None, json!({"words": terms.len()})).await?;
    Ok(found)
}
