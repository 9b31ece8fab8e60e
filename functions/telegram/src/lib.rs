//! Telegram's webhook: an operator's reply becomes a message of the conversation it answers.
//!
//! Telegram sends one chat's updates strictly one at a time and repeats one that we refuse for up to a day, so whatever is
//! not ours to handle is answered 200 as well. Never 410: after a day of it Telegram closes the webhook.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use serde_json::json;
use shared::chat::{self, Draft};
use shared::config::{TelegramConfig, admits};
use shared::http::{Call, json, respond};
use shared::id::Secret;
use shared::model::{Message, MessageType, Sender, Via};
use shared::store::Sight;
use shared::telegram::{
    self,
    update::{TelegramMessage, Update},
};
use shared::time::{DAY, HOUR};
use shared::{App, Error, wire};

/// Telegram repeats an update for a day; its id is remembered for two.
const UPDATE_TTL: i64 = 2 * DAY + HOUR;

/// Answers a request.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(app, request);
    respond(webhook(app, &call).await, &call.request_id)
}

async fn webhook(app: &App, call: &Call) -> Result<Response<Body>, Error> {
    call.check_front(app)?;
    let segments = call.segments();
    match (call.method(), segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice()) {
        (&Method::POST, ["telegram", "webhook"]) => {}
        (_, ["telegram", "webhook"]) => return Err(Error::MethodNotAllowed),
        _ => return Err(Error::NotFound),
    }
    let config = app.config.telegram.as_ref().ok_or(Error::NotFound)?;
    check_sender(app, call, config)?;
    // Whatever its size: a refusal would come again for a day.
    match serde_json::from_slice::<Update>(call.request.body()) {
        Ok(update) => once(app, config, update).await?,
        // The error itself would quote what somebody wrote.
        Err(error) => {
            let (kind, at) = (error.classify(), error.column());
            tracing::warn!(?kind, at, request_id = call.request_id, "update not understood");
        }
    }
    json(&json!({"ok": true}))
}

/// The secret is compared in constant time before anything is parsed; the address list is a second fence.
fn check_sender(app: &App, call: &Call, config: &TelegramConfig) -> Result<(), Error> {
    use subtle::ConstantTimeEq;
    if !admits(&app.config.telegram_webhook_ip_whitelist, &call.ip) {
        return Err(Error::Forbidden);
    }
    // Hashes have one length, so that the comparison tells nothing of the secret's.
    let presented = Secret::presented(call.header("x-telegram-bot-api-secret-token").unwrap_or_default()).hash();
    let expected = config.webhook_secret.hash();
    if bool::from(presented.as_bytes().ct_eq(expected.as_bytes())) { Ok(()) } else { Err(Error::Unauthorized) }
}

/// Handles an update unless it has been handled. It is marked afterwards: should we die between the two, Telegram's
/// repetition is handled, and what was stored already is recognised by its `client_id`.
async fn once(app: &App, config: &TelegramConfig, update: Update) -> Result<(), Error> {
    let Some(update_id) = update.update_id else { return Ok(()) };
    if app.store.sight(update_id, app.now()).await?.is_some() {
        return Ok(());
    }
    act(app, config, update).await?;
    let now = app.now();
    app.store.first_sight(update_id, &Sight::default(), now, now.plus(UPDATE_TTL)).await?;
    Ok(())
}

async fn act(app: &App, config: &TelegramConfig, update: Update) -> Result<(), Error> {
    match update {
        Update { message: Some(message), .. } if message.chat.id == config.chat_id => reply(app, &message).await,
        Update { edited_message: Some(message), .. } if message.chat.id == config.chat_id => {
            edited(app, &message).await
        }
        _ => Ok(()),
    }
}

/// An operator's reply to a message of a chain. The conversation is found only through our own link of that message.
async fn reply(app: &App, message: &TelegramMessage) -> Result<(), Error> {
    let (Some(answered), Some(text), Some(author)) = (&message.reply_to_message, &message.text, operator(message))
    else {
        return Ok(());
    };
    let chat_id = message.chat.id;
    if is_command(text) {
        return Ok(());
    }
    let Some(link) = app.store.linked(chat_id, answered.message_id).await? else {
        return if is_ours(app, answered) { answer(app, message, "telegram.is_gone").await } else { Ok(()) };
    };
    let draft = Draft {
        conversation_id: link.conversation_id,
        client_id: client_id(message),
        sender: Sender::Admin,
        via: Via::Telegram,
        author,
        content: text.clone(),
        message_type: MessageType::Text,
        file: None,
    };
    match chat::send(app, draft).await {
        Ok(sent) => remember(app, message, &sent.message).await,
        Err(Error::ConversationClosed) => answer(app, message, "telegram.is_closed").await,
        Err(Error::ConversationNotFound) => answer(app, message, "telegram.is_gone").await,
        Err(Error::MessageTooLong { .. }) => answer(app, message, "telegram.too_long").await,
        Err(Error::MessageEmpty) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The operator's own message joins the chain, so that a reply to it finds the conversation too.
async fn remember(app: &App, message: &TelegramMessage, stored: &Message) -> Result<(), Error> {
    let link = shared::store::TelegramLink {
        chat_id: message.chat.id,
        message_id: message.message_id,
        conversation_id: stored.conversation_id.clone(),
        seq: stored.seq,
    };
    Ok(app.store.link(&link).await?)
}

/// A command for another bot or a mistyped one is no word for a visitor.
fn is_command(text: &str) -> bool {
    text.trim_start().starts_with('/')
}

/// Whether our own bot wrote a message: one without a link is of a conversation that was erased, or of none.
fn is_ours(app: &App, message: &TelegramMessage) -> bool {
    let bot_id = app.telegram.as_ref().map(|telegram| telegram.bot_id);
    message.from.as_ref().is_some_and(|user| Some(user.id) == bot_id)
}

async fn edited(app: &App, message: &TelegramMessage) -> Result<(), Error> {
    let (Some(text), Some(link)) = (&message.text, app.store.linked(message.chat.id, message.message_id).await?) else {
        return Ok(());
    };
    if is_command(text) {
        return Ok(());
    }
    // Only an operator's own message is linked under the id that the operator can edit.
    let stored = app.store.message_by_client_id(&link.conversation_id, &client_id(message)).await?;
    match stored {
        Some(stored) => match chat::edit(app, &link.conversation_id, stored.seq, text).await {
            Ok(_) | Err(Error::MessageEmpty) => Ok(()),
            Err(Error::MessageTooLong { .. }) => answer(app, message, "telegram.too_long").await,
            Err(error) => Err(error),
        },
        None => Ok(()),
    }
}

/// Tells the operator why a reply went nowhere; if Telegram does not take it, so be it.
async fn answer(app: &App, message: &TelegramMessage, key: &str) -> Result<(), Error> {
    let Some(telegram) = &app.telegram else { return Ok(()) };
    let text = app.catalogue.text(None, key, &[]);
    if let Err(error) = telegram::tell(app, telegram, &text, Some(message.message_id)).await {
        tracing::warn!(%error, "operator not told");
    }
    Ok(())
}

fn operator(message: &TelegramMessage) -> Option<String> {
    let user = message.from.as_ref().filter(|user| !user.is_bot)?;
    wire::optional_text(Some(&user.name()), 80)
}

/// The same Telegram message always gets the same id, so a repeated update stores nothing twice.
fn client_id(message: &TelegramMessage) -> String {
    format!("tg_{}_{}", message.chat.id, message.message_id)
}
