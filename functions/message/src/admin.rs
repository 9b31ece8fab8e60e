//! Frames of the panel's socket (protocol section 3).

use shared::auth::{self, Actor, Admin};
use shared::connections::Frame;
use shared::model::{Connection, Via};
use shared::store::{ConversationFilter, PageRequest};
use shared::wire::{self, Incoming, Outgoing};
use shared::{App, Error, chat, desk};

/// Calls the rule of a frame; answers what its sender alone is to get. A session that has ended is refused at once.
pub async fn act(
    app: &App,
    incoming: &Incoming,
    connection: &Connection,
    session_id: &str,
) -> Result<Option<Frame>, Error> {
    let kind = wire::require(incoming.kind.as_deref(), "type")?;
    let session = auth::session_of_socket(app, session_id, kind != "ping").await?;
    let by = Admin { session, ip: connection.ip.clone(), new_token: None }.actor();
    let conversation_id = || wire::require(incoming.conversation_id.as_deref(), "conversation_id");
    match kind {
        "subscribe" => subscribe(app, incoming).await.map(Some),
        "admin_message" => message(app, &by, incoming, conversation_id()?).await,
        "delete_conversation" => desk::delete(app, &by, conversation_id()?).await.map(|()| None),
        "close_conversation" => desk::close(app, &by, conversation_id()?).await.map(|_| None),
        "reopen_conversation" => desk::reopen(app, &by, conversation_id()?).await.map(|_| None),
        "typing" => chat::admin_typing(app, conversation_id()?).await.map(|()| None),
        "read" => {
            let conversation_id = conversation_id()?;
            let seq = wire::require(incoming.seq, "seq")?;
            desk::read(app, &by, conversation_id, seq).await.map(|()| None)
        }
        "history" => {
            let history = chat::history(app, conversation_id()?, incoming.since, incoming.before).await?;
            Frame::new(&Outgoing::History(&history)).map(Some)
        }
        "ping" => Frame::new(&Outgoing::Pong { head_seq: None, server_time: app.now() }).map(Some),
        _ => Err(Error::UnknownType),
    }
}

async fn subscribe(app: &App, incoming: &Incoming) -> Result<Frame, Error> {
    let limit = incoming.limit.unwrap_or(50);
    if !(1..=100).contains(&limit) {
        return Err(Error::field("limit", "must be a whole number from 1 to 100"));
    }
    let filter = ConversationFilter { status: incoming.status, ..ConversationFilter::default() };
    let (items, next_cursor) = chat::list(app, &filter, PageRequest { limit, cursor: None }).await?;
    let admins_online = app.store.admins_online(app.now()).await?;
    let alert = desk::alert(app).await?;
    let (next_cursor, alert) = (next_cursor.as_deref(), alert.as_ref());
    Frame::new(&Outgoing::Conversations { items: &items, next_cursor, admins_online, alert })
}

async fn message(app: &App, by: &Actor, incoming: &Incoming, conversation_id: &str) -> Result<Option<Frame>, Error> {
    let client_id = wire::require(incoming.client_id.as_deref(), "client_id")?;
    let content = wire::require(incoming.content.clone(), "content")?;
    let sent = desk::send(app, by, Via::Web, conversation_id, content, Some(client_id)).await?;
    if sent.repeated { Frame::new(&Outgoing::Message(&sent.message)).map(Some) } else { Ok(None) }
}
