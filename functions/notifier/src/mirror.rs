//! The mirror in Telegram: each conversation a chain of replies in the operators' chat.

use shared::config::NotifyOn;
use shared::event::{Event, EventKind};
use shared::model::{Conversation, Message, Sender, Via};
use shared::store::TelegramLink;
use shared::telegram::{Telegram, TelegramError, split};
use shared::time::SECOND;
use shared::{App, Error};

use crate::Failure;

/// Mirrors one event.
pub async fn deliver(app: &App, telegram: &Telegram, event: &Event) -> Result<(), Failure> {
    let conversation_id = &event.conversation_id;
    let found = app.store.conversation(conversation_id, app.now()).await.map_err(Error::from)?;
    // What has been erased since is not told; its deletion is an event of its own.
    let Some(conversation) = found else { return Ok(()) };
    match event.kind {
        EventKind::ConversationOpened => match app.config.telegram.as_ref().map(|telegram| telegram.notify_on) {
            Some(NotifyOn::Join) => announce(app, telegram, &conversation).await,
            _ => Ok(()),
        },
        EventKind::MessageStored => message(app, telegram, &conversation, event.seq).await,
        EventKind::ConversationClosed => notice(app, telegram, &conversation, "telegram.closed").await,
        EventKind::ConversationReopened => notice(app, telegram, &conversation, "telegram.reopened").await,
        EventKind::MessageEdited | EventKind::ConversationDeleted => Ok(()),
    }
}

async fn announce(app: &App, telegram: &Telegram, conversation: &Conversation) -> Result<(), Failure> {
    if last_link(app, telegram, conversation).await?.is_some() {
        return Ok(());
    }
    let link = format!("{}/admin?c={}", app.config.public_url, conversation.conversation_id);
    let name = conversation.visitor_name.as_str();
    let mut lines = vec![app.catalogue.text(None, "telegram.joined", &[("name", name)])];
    lines.extend(conversation.page_url.clone());
    lines.push(app.catalogue.text(None, "telegram.open_in_panel", &[("link", &link)]));
    post(app, telegram, conversation, 0, &lines.join("\n")).await
}

async fn message(app: &App, telegram: &Telegram, conversation: &Conversation, seq: i64) -> Result<(), Failure> {
    let found = app.store.messages(&conversation.conversation_id, seq - 1, seq + 1, false, 1).await;
    let Some(message) = found.map_err(Error::from)?.pop() else { return Ok(()) };
    let written_there = message.via == Via::Telegram && message.sender == Sender::Admin;
    let links = links(app, telegram, conversation).await?;
    if written_there || links.iter().any(|link| link.seq == seq) {
        return Ok(());
    }
    if links.is_empty() {
        announce(app, telegram, conversation).await?;
    }
    post(app, telegram, conversation, seq, &line(&message)).await
}

async fn notice(app: &App, telegram: &Telegram, conversation: &Conversation, key: &str) -> Result<(), Failure> {
    if last_link(app, telegram, conversation).await?.is_none() {
        return Ok(());
    }
    let text = app.catalogue.text(None, key, &[("name", &conversation.visitor_name)]);
    post(app, telegram, conversation, 0, &text).await
}

fn line(message: &Message) -> String {
    let mark = if message.sender == Sender::Visitor { "" } else { "↩ " };
    format!("{mark}{}: {}", message.author, message.content)
}

/// Sends a text, in pieces if need be, each in reply to the newest message of the conversation's chain.
async fn post(
    app: &App,
    telegram: &Telegram,
    conversation: &Conversation,
    seq: i64,
    text: &str,
) -> Result<(), Failure> {
    let chat_id = telegram.chat_id;
    let mut reply_to = last_link(app, telegram, conversation).await?.map(|link| link.message_id);
    for piece in split(text) {
        let message_id = match telegram.send_message(chat_id, piece, reply_to).await {
            Ok(message_id) => message_id,
            Err(error) if error.passes() => return Err(failure(&error)),
            Err(error) => {
                let conversation_id = &conversation.conversation_id;
                tracing::error!(%error, conversation_id, seq, "Telegram will not take this message");
                return Ok(());
            }
        };
        let conversation_id = conversation.conversation_id.clone();
        let link = TelegramLink { chat_id, message_id, conversation_id, seq };
        app.store.link(&link).await.map_err(Error::from)?;
        reply_to = Some(message_id);
    }
    Ok(())
}

/// All goes to one chat, so what one event meets the next one would meet too.
fn failure(error: &TelegramError) -> Failure {
    let pause_ms = match error {
        TelegramError::RetryAfter(seconds) => Some(seconds * SECOND),
        _ => None,
    };
    Failure { cause: error.to_string(), pause_ms, everybody: true }
}

async fn last_link(app: &App, telegram: &Telegram, conversation: &Conversation) -> Result<Option<TelegramLink>, Error> {
    Ok(app.store.links_of(&conversation.conversation_id, telegram.chat_id, 1).await?.pop())
}

async fn links(app: &App, telegram: &Telegram, conversation: &Conversation) -> Result<Vec<TelegramLink>, Error> {
    Ok(app.store.links_of(&conversation.conversation_id, telegram.chat_id, 100).await?)
}
