//! The mirror in Telegram: each conversation a chain of replies in the operators' chat.

use shared::config::NotifyOn;
use shared::event::{Event, EventKind};
use shared::model::{Conversation, Message, Sender, Via};
use shared::store::TelegramLink;
use shared::telegram::{self, Telegram, TelegramError, split};
use shared::time::SECOND;
use shared::{App, Error};

use crate::Failure;

/// A message's pieces that arrived are looked for among so many of the newest messages of its chain; only what operators
/// wrote meanwhile can have come after them.
const LINKS: i64 = 100;

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
        EventKind::MessageEdited
        | EventKind::ConversationDeleted
        | EventKind::ConversationClaimed
        | EventKind::ConversationReleased
        | EventKind::NoteAdded => Ok(()),
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
    post(app, telegram, conversation, 0, &split(&lines.join("\n"))).await
}

async fn message(app: &App, telegram: &Telegram, conversation: &Conversation, seq: i64) -> Result<(), Failure> {
    let found = app.store.messages(&conversation.conversation_id, seq - 1, seq + 1, false, 1).await;
    let Some(message) = found.map_err(Error::from)?.pop() else { return Ok(()) };
    if message.via == Via::Telegram && message.sender == Sender::Admin {
        return Ok(());
    }
    let links =
        app.store.links_of(&conversation.conversation_id, telegram.chat_id, LINKS).await.map_err(Error::from)?;
    if links.is_empty() {
        announce(app, telegram, conversation).await?;
    }
    let arrived = links.iter().filter(|link| link.seq == seq).count();
    let line = line(&message);
    let pieces = split(&line);
    post(app, telegram, conversation, seq, pieces.get(arrived..).unwrap_or_default()).await
}

async fn notice(app: &App, telegram: &Telegram, conversation: &Conversation, key: &str) -> Result<(), Failure> {
    if last_link(app, telegram, conversation).await?.is_none() {
        return Ok(());
    }
    let text = app.catalogue.text(None, key, &[("name", &conversation.visitor_name)]);
    post(app, telegram, conversation, 0, &split(&text)).await
}

fn line(message: &Message) -> String {
    let mark = if message.sender == Sender::Visitor { "" } else { "↩ " };
    format!("{mark}{}: {}", message.author, message.content)
}

/// Sends a text's pieces, each in reply to the newest message of the conversation's chain, and links each as it arrives:
/// when a later one fails, the next try begins with that one.
async fn post(
    app: &App,
    telegram: &Telegram,
    conversation: &Conversation,
    seq: i64,
    pieces: &[&str],
) -> Result<(), Failure> {
    let (chat_id, conversation_id) = (telegram.chat_id, &conversation.conversation_id);
    let mut reply_to = last_link(app, telegram, conversation).await?.map(|link| link.message_id);
    for piece in pieces {
        let message_id = match telegram::tell(app, telegram, piece, reply_to).await {
            Ok(message_id) => message_id,
            Err(error) if error.is_the_messages_own() => {
                tracing::error!(%error, conversation_id, seq, "Telegram will never take this message");
                continue;
            }
            Err(error) => return Err(failure(error)),
        };
        let link = TelegramLink { chat_id, message_id, conversation_id: conversation_id.clone(), seq };
        app.store.link(&link).await.map_err(Error::from)?;
        reply_to = Some(message_id);
    }
    Ok(())
}

/// All goes to one chat, so what one event meets the next one would meet too.
fn failure(error: TelegramError) -> Failure {
    let pause_ms = match error {
        TelegramError::RetryAfter(seconds) => Some(seconds * SECOND),
        TelegramError::Store(error) => return Error::from(error).into(),
        TelegramError::Migrated(chat_id) => {
            tracing::error!(chat_id, "the group has become a supergroup: set TELEGRAM_DEFAULT_CHAT_ID to its new id");
            None
        }
        _ => None,
    };
    Failure { cause: error.to_string(), pause_ms, everybody: true }
}

async fn last_link(app: &App, telegram: &Telegram, conversation: &Conversation) -> Result<Option<TelegramLink>, Error> {
    Ok(app.store.links_of(&conversation.conversation_id, telegram.chat_id, 1).await?.pop())
}
