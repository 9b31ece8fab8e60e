//! What an update is about: the operators' chat, a private one, or nothing of ours.

use serde_json::Value;
use shared::telegram::login::Decision;
use shared::telegram::setup::ChatMember;
use shared::telegram::update::{Standing, TelegramMessage, Update};
use shared::telegram::{self, chat};
use shared::{App, Error};

use crate::{buttons, login, operators, private, reactions};

/// Handles an update; answers what Telegram is to do about it.
pub async fn act(app: &App, update: Update) -> Result<Option<Value>, Error> {
    match update {
        Update { message: Some(message), .. } => written(app, &message).await,
        Update { edited_message: Some(message), .. } => edited(app, &message).await,
        Update { callback_query: Some(query), .. } => match query.data.as_deref().and_then(Decision::parse) {
            Some(decision) => login::decide(app, &query, &decision).await.map(Some),
            None => buttons::pressed(app, &query).await.map(Some),
        },
        Update { message_reaction: Some(change), .. } if is_operators(app, change.chat.id).await? => {
            reactions::changed(app, &change).await.map(|()| None)
        }
        Update { my_chat_member: Some(standing), .. } => moved(app, &standing).await.map(|()| None),
        _ => Ok(None),
    }
}

/// Whether a chat is the operators': the one that is configured, or the supergroup that it became.
pub async fn is_operators(app: &App, chat_id: i64) -> Result<bool, Error> {
    let configured = app.config.telegram.as_ref().map(|telegram| telegram.chat_id);
    // A private chat is never asked for in the store.
    Ok(configured == Some(chat_id) || (chat_id < 0 && telegram::chat_id(app).await? == Some(chat_id)))
}

async fn written(app: &App, message: &TelegramMessage) -> Result<Option<Value>, Error> {
    if message.chat.is_private() {
        return private::wrote(app, message).await;
    }
    if let Some(old) = message.migrate_from_chat_id
        && is_operators(app, old).await?
    {
        chat::follow_migration(app, old, message.chat.id).await?;
        return Ok(None);
    }
    if !is_operators(app, message.chat.id).await? {
        return Ok(None);
    }
    if let Some(new) = message.migrate_to_chat_id {
        chat::follow_migration(app, message.chat.id, new).await?;
        return Ok(None);
    }
    operators::wrote(app, message).await
}

async fn edited(app: &App, message: &TelegramMessage) -> Result<Option<Value>, Error> {
    if message.chat.is_private() {
        return private::edited(app, message).await;
    }
    if is_operators(app, message.chat.id).await? { operators::edited(app, message).await } else { Ok(None) }
}

/// The bot's standing changed: in the operators' chat what failed may go again; a person's blocking it ends their going on
/// there.
async fn moved(app: &App, standing: &Standing) -> Result<(), Error> {
    let is_in = standing.new_chat_member.as_ref().is_some_and(ChatMember::is_there);
    if standing.chat.is_private() {
        if !is_in {
            shared::chat::leave_telegram(app, standing.chat.id).await?;
        }
        return Ok(());
    }
    if is_operators(app, standing.chat.id).await? {
        chat::bot_changed(app).await?;
    }
    Ok(())
}
