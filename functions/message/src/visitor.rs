//! Frames of the visitor's socket (protocol section 2).

use shared::chat::{self, Caller, Draft, Pass};
use shared::connections::Frame;
use shared::model::{Connection, MessageType, Reader, Sender, Status, Via};
use shared::wire::{self, Incoming, Outgoing};
use shared::{App, Error};

/// Calls the rule of a frame; answers what its sender alone is to get.
pub async fn act(
    app: &App,
    incoming: &Incoming,
    connection: &Connection,
    bound: Option<&str>,
) -> Result<Option<Frame>, Error> {
    match wire::require(incoming.kind.as_deref(), "type")? {
        "message" => message(app, incoming, connection, bound.ok_or(Error::NotJoined)?).await,
        // A future is as large as the largest that it may wait for, and most frames are messages.
        kind => Box::pin(other(app, kind, incoming, connection, bound)).await,
    }
}

async fn other(
    app: &App,
    kind: &str,
    incoming: &Incoming,
    connection: &Connection,
    bound: Option<&str>,
) -> Result<Option<Frame>, Error> {
    let caller = Caller {
        ip: &connection.ip,
        user_agent: connection.user_agent.as_deref(),
        country: connection.country.as_deref(),
    };
    let conversation_id = || bound.ok_or(Error::NotJoined);
    match kind {
        "join" => {
            let joined = chat::join_socket(app, incoming, caller, connection).await?;
            Frame::new(&Outgoing::Joined(&joined)).map(Some)
        }
        "resume" => {
            let history = chat::resume_socket(app, incoming, caller, connection).await?;
            Frame::new(&Outgoing::History(&history)).map(Some)
        }
        "history" => {
            let before = wire::require(incoming.before, "before");
            let history = chat::history(app, conversation_id()?, None, Some(before?)).await?;
            Frame::new(&Outgoing::History(&history)).map(Some)
        }
        "typing" => chat::typing(app, conversation_id()?).await.map(|()| None),
        "read" => {
            let conversation_id = conversation_id()?;
            let seq = wire::require(incoming.seq, "seq")?;
            chat::read(app, conversation_id, Reader::Visitor, seq, None).await.map(|_| None)
        }
        "end" => end(app, conversation_id()?).await,
        "ping" => pong(app, conversation_id()?).await.map(Some),
        _ => Err(Error::UnknownType),
    }
}

async fn message(
    app: &App,
    incoming: &Incoming,
    connection: &Connection,
    conversation_id: &str,
) -> Result<Option<Frame>, Error> {
    let draft = Draft {
        conversation_id: conversation_id.to_owned(),
        client_id: wire::client_id(wire::require(incoming.client_id.as_deref(), "client_id")?)?,
        sender: Sender::Visitor,
        via: Via::Web,
        author: String::new(),
        content: wire::require(incoming.content.clone(), "content")?,
        message_type: MessageType::Text,
        file: None,
        pass: Pass::Socket(connection.connection_id.clone()),
    };
    let sent = chat::send(app, draft).await?;
    // A stored message went to every socket of the conversation, this one included; a repeated one is this one's alone.
    if sent.repeated { Frame::new(&Outgoing::Message(&sent.message)).map(Some) } else { Ok(None) }
}

/// Everybody is told when the conversation ends; of one that has ended already only the asking socket is.
async fn end(app: &App, conversation_id: &str) -> Result<Option<Frame>, Error> {
    let before = chat::item(app, conversation_id).await?;
    chat::close(app, conversation_id).await?;
    match before.status {
        Status::Open => Ok(None),
        Status::Closed => Frame::new(&Outgoing::ConversationClosed { conversation_id }).map(Some),
    }
}

async fn pong(app: &App, conversation_id: &str) -> Result<Frame, Error> {
    let found = app.store.conversation(conversation_id, app.now()).await?;
    let head_seq = found.ok_or(Error::ConversationNotFound)?.head_seq;
    Frame::new(&Outgoing::Pong { head_seq: Some(head_seq), server_time: app.now() })
}
