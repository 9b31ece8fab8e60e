//! Ending, reopening, erasing and tagging conversations.

use super::push;
use crate::app::App;
use crate::connections::Frame;
use crate::error::Error;
use crate::model::{Conversation, Status};
use crate::wire::{Item, Outgoing};

/// A conversation as lists show it.
pub async fn item(app: &App, conversation_id: &str) -> Result<Item, Error> {
    let found = app.store.conversation(conversation_id, app.now()).await?;
    found.map(Item::from).ok_or(Error::ConversationNotFound)
}

/// Closes a conversation and tells everybody. Closing a closed one changes and tells nothing.
pub async fn close(app: &App, conversation_id: &str) -> Result<Item, Error> {
    set_status(app, conversation_id, Status::Closed, &Outgoing::ConversationClosed { conversation_id }).await
}

/// Opens a closed conversation again and tells everybody.
pub async fn reopen(app: &App, conversation_id: &str) -> Result<Item, Error> {
    set_status(app, conversation_id, Status::Open, &Outgoing::ConversationReopened { conversation_id }).await
}

async fn set_status(app: &App, conversation_id: &str, status: Status, news: &Outgoing<'_>) -> Result<Item, Error> {
    let found = app.store.set_status(conversation_id, status, app.now()).await?;
    let (conversation, changed) = found.ok_or(Error::ConversationNotFound)?;
    let item = Item::from(conversation);
    if changed {
        let audience = app.store.audience(conversation_id, app.now()).await?;
        push(app, &audience.everyone(), &Frame::new(news)?).await?;
        push_updated(app, &item).await?;
    }
    Ok(item)
}

/// Erases a conversation and everything of it, then tells everybody who was there.
pub async fn delete(app: &App, conversation_id: &str) -> Result<(), Error> {
    let audience = app.store.audience(conversation_id, app.now()).await?;
    if !app.store.delete(conversation_id, app.now()).await? {
        return Err(Error::ConversationNotFound);
    }
    let frame = Frame::new(&Outgoing::ConversationDeleted { conversation_id })?;
    push(app, &audience.everyone(), &frame).await
}

/// Adds a tag; answers all of them.
pub async fn add_tag(app: &App, conversation_id: &str, tag: &str) -> Result<Vec<String>, Error> {
    let tags = app.store.add_tag(conversation_id, tag).await?;
    tagged(app, conversation_id, tags).await
}

/// Takes a tag away; answers the rest.
pub async fn remove_tag(app: &App, conversation_id: &str, tag: &str) -> Result<Vec<String>, Error> {
    let tags = app.store.remove_tag(conversation_id, tag).await?;
    tagged(app, conversation_id, tags).await
}

async fn tagged(app: &App, conversation_id: &str, tags: Option<Vec<String>>) -> Result<Vec<String>, Error> {
    let tags = tags.ok_or(Error::ConversationNotFound)?;
    let conversation: Option<Conversation> = app.store.conversation(conversation_id, app.now()).await?;
    if let Some(conversation) = conversation {
        push_updated(app, &Item::from(conversation)).await?;
    }
    Ok(tags)
}

async fn push_updated(app: &App, item: &Item) -> Result<(), Error> {
    let admins = app.store.admin_connections(app.now()).await?;
    push(app, &admins, &Frame::new(&Outgoing::ConversationUpdated(item))?).await
}
