//! Going on in a private chat with the bot.

use super::moderate::push_updated;
use super::{Draft, Pass, send};
use crate::app::App;
use crate::error::Error;
use crate::id::Secret;
use crate::model::{Conversation, MessageType, Sender, Via};
use crate::time::{MINUTE, Timestamp};
use crate::wire::Item;

/// A link is worth something for so long.
const LINK_TTL: i64 = 10 * MINUTE;

/// A one-time link that takes a conversation to its visitor's private chat with the bot, and its end.
///
/// The secret is 24 of `[A-Za-z0-9_-]` (a start parameter may have 64), stored as a hash. `NotFound` while Telegram is off.
pub async fn telegram_link(app: &App, conversation_id: &str) -> Result<(String, Timestamp), Error> {
    let telegram = app.telegram.as_ref().ok_or(Error::NotFound)?;
    let username = telegram.username(app).await?;
    let secret: String = Secret::random()?.reveal().chars().take(24).collect();
    let expires_at = app.now().plus(LINK_TTL);
    app.store.put_start(&Secret::presented(secret.as_str()).hash(), conversation_id, expires_at).await?;
    Ok((format!("https://t.me/{username}?start={secret}"), expires_at))
}

/// Takes a link: from now on its conversation goes on in this chat as well, which both sides are told. `None`: the link has
/// been used, has expired or never was.
pub async fn enter_telegram(app: &App, secret: &Secret, chat_id: i64) -> Result<Option<Conversation>, Error> {
    let (hash, now) = (secret.hash(), app.now());
    let Some(id) = app.store.take_start(&hash, now).await? else { return Ok(None) };
    if !app.store.bind_chat(chat_id, &id).await? {
        return Ok(None);
    }
    let Some(conversation) = app.store.conversation(&id, now).await? else { return Ok(None) };
    let name = [("name", conversation.visitor_name.as_str())];
    // It is also what brings the history to the chat: the notifier looks there with each event.
    let draft = Draft {
        conversation_id: id,
        client_id: format!("start_{}", &hash[..32]),
        sender: Sender::System,
        via: Via::Telegram,
        author: app.catalogue.text(conversation.locale.as_deref(), "system.support", &[]),
        content: app.catalogue.text(conversation.locale.as_deref(), "telegram.visitor.moved", &name),
        message_type: MessageType::Text,
        file: None,
        pass: Pass::Seen,
    };
    match send(app, draft).await {
        Ok(_) | Err(Error::ConversationClosed | Error::ConversationNotFound) => {}
        Err(error) => return Err(error),
    }
    push_updated(app, &Item::from(conversation.clone())).await?;
    Ok(Some(conversation))
}

/// Ends a conversation's going on in a chat; on its page it goes on.
pub async fn leave_telegram(app: &App, chat_id: i64) -> Result<(), Error> {
    let Some(id) = app.store.chat_conversation(chat_id).await? else { return Ok(()) };
    app.store.unbind_chat(chat_id).await?;
    match app.store.conversation(&id, app.now()).await? {
        Some(conversation) => push_updated(app, &Item::from(conversation)).await,
        None => Ok(()),
    }
}
