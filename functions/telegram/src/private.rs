//! A person's private chat with the bot: there a visitor goes on, and admins get login codes.

use serde_json::Value;
use shared::chat::{self, Draft, Pass, SentMessage};
use shared::id::Secret;
use shared::model::{Conversation, MessageType, Sender, Via};
use shared::rate_limit::{self, Limit};
use shared::telegram::update::TelegramMessage;
use shared::{App, Error};

use crate::answer::say;
use crate::commands::Command;
use crate::media::{self, Brought, Sending};
use crate::operators::client_id;

/// A message in a private chat.
pub async fn wrote(app: &App, message: &TelegramMessage) -> Result<Option<Value>, Error> {
    if message.from.as_ref().is_none_or(|user| user.is_bot) {
        return Ok(None);
    }
    let command = message.text.as_deref().and_then(Command::parse);
    let answer = match command {
        Some(command) if command.name == "start" => start(app, message, &command.rest).await?,
        Some(command) if command.name == "stop" => stop(app, message).await?,
        Some(_) => here(app, message).await?.map_or_else(
            || not_bound(app, message),
            |conversation| words(app, Some(&conversation), message, "telegram.visitor.hint", &[]),
        ),
        None => match here(app, message).await? {
            Some(conversation) => return said(app, message, &conversation).await,
            None => not_bound(app, message),
        },
    };
    Ok(Some(say(message, &answer)))
}

/// The conversation that goes on in a chat.
async fn here(app: &App, message: &TelegramMessage) -> Result<Option<Conversation>, Error> {
    let Some(id) = app.store.chat_conversation(message.chat.id).await? else { return Ok(None) };
    Ok(app.store.conversation(&id, app.now()).await?)
}

/// `/start` with the secret of a one-time link, or what somebody presses who found the bot by themselves.
async fn start(app: &App, message: &TelegramMessage, secret: &str) -> Result<String, Error> {
    let is_admin = app.config.telegram.as_ref().is_some_and(|telegram| telegram.admin_ids.contains(&message.chat.id));
    if !secret.is_empty() {
        let bound = chat::enter_telegram(app, &Secret::presented(secret), message.chat.id).await?;
        if let Some(conversation) = bound {
            let name = [("name", conversation.visitor_name.as_str())];
            return Ok(words(app, Some(&conversation), message, "telegram.visitor.welcome", &name));
        }
    }
    Ok(match here(app, message).await? {
        // Also the answer to a link that is pressed twice.
        Some(conversation) => words(app, Some(&conversation), message, "telegram.visitor.here", &[]),
        None if is_admin => app.catalogue.text(None, "telegram.login.ready", &[]),
        None if secret.is_empty() => not_bound(app, message),
        None => words(app, None, message, "telegram.visitor.link_over", &[("link", &app.config.public_url)]),
    })
}

async fn stop(app: &App, message: &TelegramMessage) -> Result<String, Error> {
    let Some(conversation) = here(app, message).await? else { return Ok(not_bound(app, message)) };
    chat::leave_telegram(app, message.chat.id).await?;
    Ok(words(app, Some(&conversation), message, "telegram.visitor.stopped", &[("link", page(app, &conversation))]))
}

/// A visitor's words and files for the team, by the rules of what is written on the page.
async fn said(app: &App, message: &TelegramMessage, conversation: &Conversation) -> Result<Option<Value>, Error> {
    let sent = match (&message.text, media::brought(&message.media)) {
        (Some(text), _) => chat::send(app, wrote_down(message, conversation, text.clone())).await,
        (None, Brought::Words(text)) => chat::send(app, wrote_down(message, conversation, text)).await,
        (None, Brought::File(sending)) => send_file(app, message, conversation, &sending).await,
        (None, Brought::Nothing) => return Ok(None),
        (None, Brought::Refused(why)) => {
            let key = format!("telegram.visitor.{why}");
            return Ok(Some(say(message, &words(app, Some(conversation), message, &key, &[]))));
        }
    };
    match sent {
        Ok(_) => Ok(None),
        Err(error) => refused(app, message, conversation, error),
    }
}

fn wrote_down(message: &TelegramMessage, conversation: &Conversation, content: String) -> Draft {
    Draft {
        conversation_id: conversation.conversation_id.clone(),
        client_id: client_id(message),
        sender: Sender::Visitor,
        via: Via::Telegram,
        author: conversation.visitor_name.clone(),
        content,
        message_type: MessageType::Text,
        file: None,
        pass: Pass::Seen,
    }
}

/// Files are kept here, so there are fewer of them than of words.
async fn send_file(
    app: &App,
    message: &TelegramMessage,
    conversation: &Conversation,
    sending: &Sending,
) -> Result<SentMessage, Error> {
    let (id, author) = (&conversation.conversation_id, &conversation.visitor_name);
    rate_limit::take(&*app.store, &app.config, &Limit::Files(id), app.now()).await?;
    chat::send(app, media::draft(app, id, sending, &client_id(message), Sender::Visitor, author).await?).await
}

/// A visitor changed what they wrote.
pub async fn edited(app: &App, message: &TelegramMessage) -> Result<Option<Value>, Error> {
    let text = message.text.clone().or_else(|| media::edited_words(&message.media));
    let (Some(text), Some(conversation)) = (text, here(app, message).await?) else { return Ok(None) };
    let id = &conversation.conversation_id;
    let Some(stored) = app.store.message_by_client_id(id, &client_id(message)).await? else { return Ok(None) };
    // Telegram also calls it an edit when it has looked at a link.
    if stored.content == text.trim() {
        return Ok(None);
    }
    match chat::edit(app, id, stored.seq, &text).await {
        Ok(_) => Ok(None),
        Err(error) => refused(app, message, &conversation, error),
    }
}

/// Tells a visitor why their words went nowhere.
fn refused(
    app: &App,
    message: &TelegramMessage,
    conversation: &Conversation,
    error: Error,
) -> Result<Option<Value>, Error> {
    let tell = |key: &str, values: &[(&str, &str)]| {
        Ok(Some(say(message, &words(app, Some(conversation), message, key, values))))
    };
    match error {
        Error::ConversationClosed | Error::ConversationNotFound => {
            tell("telegram.visitor.closed", &[("link", page(app, conversation))])
        }
        Error::RateLimited { retry_after_ms } => {
            let seconds = ((retry_after_ms + 999) / 1_000).max(1).to_string();
            tell("telegram.visitor.too_fast", &[("seconds", &seconds)])
        }
        Error::MessageTooLong { max } => tell("telegram.visitor.too_long", &[("max", &max.to_string())]),
        Error::MessageEmpty => Ok(None),
        error => Err(error),
    }
}

fn not_bound(app: &App, message: &TelegramMessage) -> String {
    words(app, None, message, "telegram.visitor.not_here", &[("link", &app.config.public_url)])
}

/// Where the visitor wrote from.
fn page<'a>(app: &'a App, conversation: &'a Conversation) -> &'a str {
    conversation.page_url.as_deref().unwrap_or(&app.config.public_url)
}

/// A text in the conversation's language, or in that of the person's Telegram.
fn words(
    app: &App,
    conversation: Option<&Conversation>,
    message: &TelegramMessage,
    key: &str,
    values: &[(&str, &str)],
) -> String {
    let own = message.from.as_ref().and_then(|user| user.language_code.as_deref());
    let locale = conversation.and_then(|conversation| conversation.locale.as_deref()).or(own);
    app.catalogue.text(locale, key, values)
}
