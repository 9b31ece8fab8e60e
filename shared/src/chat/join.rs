//! How a visitor begins and takes up a conversation.

use super::delivery::push_visitor_presence;
use super::history::history;
use super::push;
use crate::app::App;
use crate::config::limit_key;
use crate::connections::Frame;
use crate::error::Error;
use crate::id::{self, Secret};
use crate::model::{Connection, Conversation, Side, Status};
use crate::rate_limit::{self, Limit};
use crate::store::NewConversation;
use crate::wire::{self, History, Incoming, Item, Joined, Outgoing};

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The client's address.
    pub ip: &'a str,
    /// The browser.
    pub user_agent: Option<&'a str>,
    /// The country that the front saw it come from.
    pub country: Option<&'a str>,
}

/// Begins a conversation and tells the admins.
pub async fn join(app: &App, asked: &Incoming, caller: Caller<'_>) -> Result<Joined, Error> {
    let (joined, conversation) = begin(app, asked, caller).await?;
    announce(app, conversation).await?;
    Ok(joined)
}

/// Begins a conversation on a socket: it is bound before anybody hears of it.
pub async fn join_socket(
    app: &App,
    asked: &Incoming,
    caller: Caller<'_>,
    connection: &Connection,
) -> Result<Joined, Error> {
    let (joined, mut conversation) = begin(app, asked, caller).await?;
    bind(app, connection, &joined.conversation_id).await?;
    conversation.online = true;
    announce(app, conversation).await?;
    Ok(joined)
}

async fn begin(app: &App, asked: &Incoming, caller: Caller<'_>) -> Result<(Joined, Conversation), Error> {
    let now = app.now();
    let locale = locale(asked.locale.as_deref())?;
    let name = wire::display_name("display_name", asked.display_name.as_deref())?;
    let site = wire::site(asked.site.as_deref())?;
    rate_limit::take(&*app.store, &app.config, &Limit::Join(&limit_key(caller.ip)), now).await?;

    if app.store.leased_until(&super::ban_of(&limit_key(caller.ip)), now).await?.is_some() {
        return Err(Error::Forbidden);
    }
    let token = Secret::random()?;
    let conversation = Conversation {
        conversation_id: id::conversation_id(),
        site,
        visitor_name: name.unwrap_or_else(|| app.catalogue.text(locale.as_deref(), "system.visitor", &[])),
        locale,
        page_url: wire::optional_text(asked.page_url.as_deref(), 1_000),
        referrer: wire::optional_text(asked.referrer.as_deref(), 1_000),
        user_agent: wire::optional_text(caller.user_agent, 300),
        country: caller.country.map(ToOwned::to_owned),
        address: Some(limit_key(caller.ip)),
        status: Status::Open,
        created_at: now,
        last_activity_at: now,
        last_message: None,
        head_seq: 0,
        visitor_read: 0,
        admin_read: 0,
        waiting_since: None,
        tags: Vec::new(),
        claim: None,
        visitor_chat_id: None,
        online: false,
    };
    app.store.create(&NewConversation { conversation: conversation.clone(), resume_hash: token.hash() }).await?;
    let joined = Joined {
        conversation_id: conversation.conversation_id.clone(),
        visitor_name: conversation.visitor_name.clone(),
        resume_token: token.reveal().to_owned(),
        head_seq: 0,
        max_message_len: app.config.max_message_len,
        admins_online: app.store.admins_online(now).await?,
        telegram: app.telegram.is_some(),
    };
    Ok((joined, conversation))
}

async fn announce(app: &App, conversation: Conversation) -> Result<(), Error> {
    let frame = Frame::new(&Outgoing::ConversationOpened(&Item::from(conversation)))?;
    let admins = app.store.admin_connections(app.now()).await?;
    push(app, &admins, &frame).await
}

/// The conversation that a resume token opens. A wrong token, a foreign and an unknown id give the same answer, and
/// each costs a token of the caller's address.
pub async fn resume(
    app: &App,
    conversation_id: &str,
    resume_token: &Secret,
    caller: Caller<'_>,
) -> Result<Conversation, Error> {
    let found = app.store.conversation_by_token(conversation_id, &resume_token.hash(), app.now()).await?;
    match found {
        Some(conversation) => Ok(conversation),
        None => Err(unknown(app, caller.ip).await),
    }
}

/// What is answered to a token that opens nothing, or to too many of them.
pub(super) async fn unknown(app: &App, ip: &str) -> Error {
    let taken = rate_limit::take(&*app.store, &app.config, &Limit::Resume(&limit_key(ip)), app.now()).await;
    taken.err().unwrap_or(Error::ConversationNotFound)
}

/// Takes up a conversation on a socket. The socket is bound before the history is read, so that nothing falls between.
pub async fn resume_socket(
    app: &App,
    asked: &Incoming,
    caller: Caller<'_>,
    connection: &Connection,
) -> Result<History, Error> {
    let conversation_id = wire::require(asked.conversation_id.as_deref(), "conversation_id")?;
    let token = Secret::presented(wire::require(asked.resume_token.as_deref(), "resume_token")?);
    if asked.since.is_some_and(|since| since < 0) {
        return Err(Error::field("since", "must not be negative"));
    }
    resume(app, conversation_id, &token, caller).await?;
    if bind(app, connection, conversation_id).await? {
        let gone = push_visitor_presence(app, conversation_id, true).await?;
        for connection_id in gone {
            super::left(app, &connection_id).await?;
        }
    }
    history(app, conversation_id, asked.since, None).await
}

/// Binds a socket; one that moves from another conversation leaves that one. Answers whether the visitor came.
async fn bind(app: &App, connection: &Connection, conversation_id: &str) -> Result<bool, Error> {
    let now = app.now();
    let came = app.store.bind(&connection.connection_id, conversation_id, now).await?.ok_or(Error::Unauthorized)?;
    if let Side::Visitor { conversation_id: Some(old) } = &connection.side
        && old != conversation_id
        && app.store.audience(old, now).await?.visitor.is_empty()
    {
        push_visitor_presence(app, old, false).await?;
    }
    Ok(came)
}

fn locale(text: Option<&str>) -> Result<Option<String>, Error> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let valid = text.len() <= 35 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if valid { Ok(Some(text.to_owned())) } else { Err(Error::field("locale", "must be a BCP 47 language tag")) }
}
