//! The rules of a conversation. Every way in joins here; every way out starts here.

mod delivery;
mod history;
mod join;
mod moderate;
mod telegram;

pub use delivery::{left, push, push_admins_online};
pub use history::{history, list};
pub use join::{Caller, join, join_socket, resume, resume_socket};
pub use moderate::{add_note, add_tag, ban, claim, close, delete, item, release, remove_tag, reopen, unban};
pub use telegram::{enter_telegram, leave_telegram, telegram_link};

use join::unknown;
use moderate::ban_of;

use crate::app::App;
use crate::connections::Frame;
use crate::error::Error;
use crate::id::Secret;
use crate::model::{Activity, File, Message, MessageType, Reader, Sender, Side, Via};
use crate::rate_limit::{self, Limit, Rate};
use crate::store::Appended;
use crate::wire::{MessageText, Outgoing};

/// A message as its sender hands it in.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Where it goes.
    pub conversation_id: String,
    /// Chosen by the sender; see [`crate::wire::client_id`].
    pub client_id: String,
    /// Who writes.
    pub sender: Sender,
    /// The way it came.
    pub via: Via,
    /// The name shown to people; a visitor's is taken from the conversation.
    pub author: String,
    /// As typed; a file's caption, or its name.
    pub content: String,
    /// What it holds.
    pub message_type: MessageType,
    /// The file that goes with it.
    pub file: Option<File>,
    /// What lets its sender write there.
    pub pass: Pass,
}

/// What lets somebody write to a conversation.
#[derive(Clone, Debug)]
pub enum Pass {
    /// It was looked at before.
    Seen,
    /// The visitor's socket that it came by, as [`crate::store::ConnectionRows::recent_connection`] told of it.
    Socket(String),
    /// A resume token. It is looked at when the message is stored, as [`resume`] would.
    Token {
        /// As it was presented.
        token: Secret,
        /// The address that it was presented from.
        ip: String,
    },
}

/// What became of a draft.
#[derive(Clone, Debug)]
pub struct SentMessage {
    /// As stored.
    pub message: Message,
    /// It had been stored before; nobody was told again.
    pub repeated: bool,
}

/// Stores a message and shows it to every socket of the conversation and every admin.
///
/// Returns after the commit and after every push has ended. The same `client_id` again answers with the first message.
pub async fn send(app: &App, draft: Draft) -> Result<SentMessage, Error> {
    send_told(app, draft, None).await
}

/// The same with the line of the audit trail, of somebody of the team.
pub async fn send_told(app: &App, draft: Draft, line: Option<&Activity>) -> Result<SentMessage, Error> {
    let content = MessageText::parse(&draft.content, app.config.max_message_len)?.into_string();
    let rate = (draft.sender == Sender::Visitor).then(|| rate_limit::visitor_messages(&app.config));
    let now = app.now();
    let message = Message {
        conversation_id: draft.conversation_id,
        id: String::new(),
        seq: 0,
        client_id: draft.client_id,
        sender: draft.sender,
        via: draft.via,
        author: draft.author,
        message_type: draft.message_type,
        content,
        created_at: now,
        edited_at: None,
        file: draft.file,
        reaction: None,
    };
    let appended = match line {
        Some(line) => app.store.append_told(&message, line).await?,
        None => append(app, message, rate, &draft.pass).await?,
    };
    match appended {
        Appended::Stored { message, audience, .. } => {
            let frame = Frame::new(&Outgoing::Message(&message))?;
            push(app, &audience.everyone(), &frame).await?;
            Ok(SentMessage { message, repeated: false })
        }
        Appended::Duplicate(message) => Ok(SentMessage { message, repeated: true }),
        Appended::Closed => Err(Error::ConversationClosed),
        Appended::NotFound => Err(Error::ConversationNotFound),
        Appended::RateLimited { retry_after_ms } => Err(Error::RateLimited { retry_after_ms }),
    }
}

/// Stores a message as far as its sender may write.
async fn append(app: &App, mut message: Message, rate: Option<Rate>, pass: &Pass) -> Result<Appended, Error> {
    match pass {
        Pass::Seen => Ok(app.store.append(&message, rate).await?),
        Pass::Socket(socket) => append_from(app, &mut message, rate, socket).await,
        Pass::Token { token, ip } => match app.store.append_by_token(&token.hash(), &message, rate).await? {
            Some(appended) => Ok(appended),
            None => Err(unknown(app, ip).await),
        },
    }
}

/// Stores a message where its socket belongs by now.
async fn append_from(app: &App, message: &mut Message, rate: Option<Rate>, socket: &str) -> Result<Appended, Error> {
    if let Some(appended) = app.store.append_from(socket, message, rate).await? {
        return Ok(appended);
    }
    let connection = app.store.connection(socket, app.now()).await?;
    let Some(Side::Visitor { conversation_id: Some(bound) }) = connection.map(|connection| connection.side) else {
        return Err(Error::NotJoined);
    };
    message.conversation_id = bound;
    Ok(app.store.append(message, rate).await?)
}

/// Changes a message's text and shows the change to everybody. Answers `None` for a message that is not there.
pub async fn edit(app: &App, conversation_id: &str, seq: i64, content: &str) -> Result<Option<Message>, Error> {
    let content = MessageText::parse(content, app.config.max_message_len)?.into_string();
    let Some(message) = app.store.edit(conversation_id, seq, &content, app.now()).await? else { return Ok(None) };
    let frame = Frame::new(&Outgoing::MessageEdited(&message))?;
    let audience = app.store.audience(conversation_id, app.now()).await?;
    push(app, &audience.everyone(), &frame).await?;
    Ok(Some(message))
}

/// Sets or takes away the reaction to a message and shows it to everybody. `false`: no such message.
pub async fn react(app: &App, conversation_id: &str, seq: i64, reaction: Option<&str>) -> Result<bool, Error> {
    let Some((message, changed)) = app.store.react(conversation_id, seq, reaction).await? else { return Ok(false) };
    if changed {
        let reaction = message.reaction.as_deref();
        let frame = Frame::new(&Outgoing::MessageReaction { conversation_id, seq, reaction })?;
        let audience = app.store.audience(conversation_id, app.now()).await?;
        push(app, &audience.everyone(), &frame).await?;
    }
    Ok(true)
}

/// Tells the admins that the visitor writes; at most once in 3 s, silently.
pub async fn typing(app: &App, conversation_id: &str) -> Result<(), Error> {
    if !may_type(app, &Limit::Typing(conversation_id, "visitor")).await? {
        return Ok(());
    }
    let audience = app.store.audience(conversation_id, app.now()).await?;
    let frame = Frame::new(&Outgoing::Typing { conversation_id, sender: Sender::Visitor })?;
    push(app, &audience.admins, &frame).await
}

/// Tells the visitor that somebody of the team writes, likewise. A conversation that has a page open is there; of another one
/// that is looked up.
pub async fn admin_typing(app: &App, conversation_id: &str) -> Result<(), Error> {
    let audience = app.store.audience(conversation_id, app.now()).await?;
    if audience.visitor.is_empty() {
        return item(app, conversation_id).await.map(drop);
    }
    if !may_type(app, &Limit::Typing(conversation_id, "admin")).await? {
        return Ok(());
    }
    let frame = Frame::new(&Outgoing::Typing { conversation_id, sender: Sender::Admin })?;
    push(app, &audience.visitor, &frame).await
}

async fn may_type(app: &App, limit: &Limit<'_>) -> Result<bool, Error> {
    match rate_limit::take(&*app.store, &app.config, limit, app.now()).await {
        Err(Error::RateLimited { .. }) => Ok(false),
        other => other.map(|()| true),
    }
}

/// Moves a side's read mark forward and tells whom it concerns: admins of the visitor's, everybody of the team's. `false`: it is
/// there already, or there is no such conversation. The line of the audit trail is stored when it moves.
pub async fn read(
    app: &App,
    conversation_id: &str,
    reader: Reader,
    seq: i64,
    line: Option<&Activity>,
) -> Result<bool, Error> {
    if seq < 0 {
        return Err(Error::field("seq", "must not be negative"));
    }
    let Some(seq) = app.store.mark_read(conversation_id, reader, seq, line).await? else { return Ok(false) };
    let audience = app.store.audience(conversation_id, app.now()).await?;
    let frame = Frame::new(&Outgoing::Read { conversation_id, reader, seq })?;
    let concerned = match reader {
        Reader::Visitor => audience.admins,
        Reader::Admin => audience.everyone(),
    };
    push(app, &concerned, &frame).await?;
    Ok(true)
}
