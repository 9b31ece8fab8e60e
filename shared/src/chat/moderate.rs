//! Ending, reopening, erasing and tagging conversations.

use super::push;
use crate::app::App;
use crate::connections::Frame;
use crate::error::Error;
use crate::model::{Conversation, Note, Status};
use crate::time::DAY;
use crate::wire::{Item, Outgoing};

/// The tag of a conversation whose visitor is banned.
const BANNED: &str = "banned";
/// A ban ends by itself after so long: addresses change hands.
const BAN: i64 = 365 * DAY;

/// The lease that stands for the ban of an address, in the form that limits count by.
pub(super) fn ban_of(address: &str) -> String {
    format!("ban:{address}")
}

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

/// Takes a conversation on. The first claim wins; the item says whose it is.
pub async fn claim(app: &App, conversation_id: &str, name: &str) -> Result<Item, Error> {
    let found = app.store.claim(conversation_id, name, app.now()).await?;
    claimed(app, found).await
}

/// Ends a claim, whoever has it.
pub async fn release(app: &App, conversation_id: &str) -> Result<Item, Error> {
    let found = app.store.release(conversation_id, app.now()).await?;
    claimed(app, found).await
}

async fn claimed(app: &App, found: Option<(Conversation, bool)>) -> Result<Item, Error> {
    let (conversation, changed) = found.ok_or(Error::ConversationNotFound)?;
    let item = Item::from(conversation);
    if changed {
        push_updated(app, &item).await?;
    }
    Ok(item)
}

/// Adds a note and shows it to every admin. The same `id` again answers the first one and tells nobody.
pub async fn add_note(app: &App, note: &Note) -> Result<(Note, bool), Error> {
    let (note, added) = app.store.add_note(note).await?.ok_or(Error::ConversationNotFound)?;
    if added {
        let frame = Frame::new(&Outgoing::NoteAdded { conversation_id: &note.conversation_id, note: &note })?;
        let admins = app.store.admin_connections(app.now()).await?;
        push(app, &admins, &frame).await?;
    }
    Ok((note, added))
}

/// Closes a conversation and keeps its visitor's address from beginning another one, for a year.
pub async fn ban(app: &App, conversation_id: &str) -> Result<Item, Error> {
    let now = app.now();
    let conversation = app.store.conversation(conversation_id, now).await?.ok_or(Error::ConversationNotFound)?;
    if let Some(address) = &conversation.address {
        app.store.lease(&ban_of(address), BANNED, now, now.plus(BAN)).await?;
    }
    add_tag(app, conversation_id, BANNED).await?;
    close(app, conversation_id).await
}

/// Lifts a ban. The conversation stays closed.
pub async fn unban(app: &App, conversation_id: &str) -> Result<Item, Error> {
    let now = app.now();
    let conversation = app.store.conversation(conversation_id, now).await?.ok_or(Error::ConversationNotFound)?;
    if let Some(address) = &conversation.address {
        app.store.lease(&ban_of(address), BANNED, now, now).await?;
    }
    remove_tag(app, conversation_id, BANNED).await?;
    item(app, conversation_id).await
}

/// Shows every admin what a conversation is now.
pub(super) async fn push_updated(app: &App, item: &Item) -> Result<(), Error> {
    let admins = app.store.admin_connections(app.now()).await?;
    push(app, &admins, &Frame::new(&Outgoing::ConversationUpdated(item))?).await
}
