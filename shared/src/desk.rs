//! What an admin does to conversations: the rules of [`chat`], each with its line in the audit trail.

use serde_json::json;

use crate::app::App;
use crate::auth::{Admin, audit};
use crate::chat::{self, Draft, SentMessage};
use crate::error::Error;
use crate::id;
use crate::model::{Message, MessageType, Reader, Sender, Via};
use crate::search;
use crate::store::{Page, PageRequest};
use crate::wire::{self, Item};

/// Answers a visitor. Without a `client_id` of the sender's one is made.
pub async fn send(
    app: &App,
    admin: &Admin,
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
        author: admin.session.name.clone(),
        content,
        message_type: MessageType::Text,
        file: None,
    };
    let sent = chat::send(app, draft).await?;
    if !sent.repeated {
        audit(app, admin, "send", Some(conversation_id), json!({"seq": sent.message.seq})).await?;
    }
    Ok(sent)
}

/// Closes a conversation.
pub async fn close(app: &App, admin: &Admin, conversation_id: &str) -> Result<Item, Error> {
    let item = chat::close(app, conversation_id).await?;
    audit(app, admin, "close", Some(conversation_id), json!({})).await?;
    Ok(item)
}

/// Opens a closed conversation again.
pub async fn reopen(app: &App, admin: &Admin, conversation_id: &str) -> Result<Item, Error> {
    let item = chat::reopen(app, conversation_id).await?;
    audit(app, admin, "reopen", Some(conversation_id), json!({})).await?;
    Ok(item)
}

/// Erases a conversation and everything of it but this line of the trail.
pub async fn delete(app: &App, admin: &Admin, conversation_id: &str) -> Result<(), Error> {
    chat::delete(app, conversation_id).await?;
    audit(app, admin, "delete", Some(conversation_id), json!({})).await
}

/// Moves the team's read mark; the trail hears of it only when there is such a conversation.
pub async fn read(app: &App, admin: &Admin, conversation_id: &str, seq: i64) -> Result<(), Error> {
    chat::item(app, conversation_id).await?;
    chat::read(app, conversation_id, Reader::Admin, seq).await?;
    audit(app, admin, "read", Some(conversation_id), json!({"seq": seq})).await
}

/// Adds a tag; answers all of them.
pub async fn add_tag(app: &App, admin: &Admin, conversation_id: &str, tag: &str) -> Result<Vec<String>, Error> {
    let tag = wire::tag(tag)?;
    let tags = chat::add_tag(app, conversation_id, &tag).await?;
    audit(app, admin, "tag", Some(conversation_id), json!({"tag": tag})).await?;
    Ok(tags)
}

/// Takes a tag away; answers the rest.
pub async fn remove_tag(app: &App, admin: &Admin, conversation_id: &str, tag: &str) -> Result<Vec<String>, Error> {
    let tag = wire::tag(tag)?;
    let tags = chat::remove_tag(app, conversation_id, &tag).await?;
    audit(app, admin, "untag", Some(conversation_id), json!({"tag": tag})).await?;
    Ok(tags)
}

/// Finds messages by the beginnings of their words, newest first, with the visitor's name. The trail keeps how many words
/// were asked for, not which: they may be a customer's own.
pub async fn find(app: &App, admin: &Admin, words: &str, page: &PageRequest) -> Result<Page<(Message, String)>, Error> {
    let terms = search::terms(words);
    if terms.is_empty() {
        return Err(Error::field("q", "must have at least one word"));
    }
    let found = app.store.search(&terms, page).await?;
    audit(app, admin, "search", None, json!({"words": terms.len()})).await?;
    Ok(found)
}
