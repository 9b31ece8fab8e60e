//! Things to store.

use futures::future::join_all;
use shared::id;
use shared::model::{
    Activity, Attachment, AttachmentState, Connection, Conversation, Message, MessageType, Note, Sender, Session, Side,
    Status, Via,
};
use shared::rate_limit::Rate;
use shared::store::{Appended, ConnectionCaps, NewConversation, PageRequest, Store};
use shared::time::{DAY, HOUR, Timestamp};

/// When the stories begin: 2026-11-21T22:11:03.417Z.
pub const START: Timestamp = Timestamp(1_795_299_063_417);
/// Caps that nothing reaches.
pub const NO_CAPS: ConnectionCaps = ConnectionCaps { side: i64::MAX, ip: i64::MAX };
/// A bucket that is never empty.
pub const GENEROUS: Rate = Rate { burst: 1_000, interval_ms: 1 };

pub fn conversation(name: &str) -> Conversation {
    Conversation {
        conversation_id: id::conversation_id(),
        site: "default".into(),
        visitor_name: name.into(),
        locale: Some("tr".into()),
        page_url: Some("https://shop.example/cart".into()),
        referrer: None,
        user_agent: Some("Browser/1".into()),
        country: Some("TR".into()),
        address: Some("192.0.2.7".into()),
        status: Status::Open,
        created_at: START,
        last_activity_at: START,
        last_message: None,
        head_seq: 0,
        visitor_read: 0,
        admin_read: 0,
        waiting_since: None,
        tags: Vec::new(),
        claim: None,
        visitor_chat_id: None,
        online: false,
    }
}

/// The hash under which [`begin`] stores a conversation's resume token.
pub fn resume_hash(conversation_id: &str) -> String {
    id::Secret::presented(conversation_id).hash()
}

/// Stores a conversation and answers it.
pub async fn begin_as(store: &dyn Store, conversation: Conversation) -> Conversation {
    let resume_hash = resume_hash(&conversation.conversation_id);
    let new = NewConversation { conversation: conversation.clone(), resume_hash };
    store.create(&new).await.unwrap();
    conversation
}

/// Stores a new conversation and answers its id.
pub async fn begin(store: &dyn Store, name: &str) -> String {
    begin_as(store, conversation(name)).await.conversation_id
}

pub fn message(conversation_id: &str, sender: Sender, content: &str, at: Timestamp) -> Message {
    Message {
        conversation_id: conversation_id.into(),
        id: String::new(),
        seq: 0,
        client_id: id::client_id(),
        sender,
        via: Via::Web,
        author: "Ada".into(),
        message_type: MessageType::Text,
        content: content.into(),
        created_at: at,
        edited_at: None,
        file: None,
        reaction: None,
    }
}

/// Appends without a limit and answers the stored message.
pub async fn say(store: &dyn Store, conversation_id: &str, sender: Sender, content: &str, at: Timestamp) -> Message {
    stored(store.append(&message(conversation_id, sender, content, at), None).await.unwrap())
}

/// Takes every message into the search index.
pub async fn index(store: &dyn Store) {
    while store.index(START.plus(365 * DAY), 1).await.unwrap() > 0 {}
}

/// The message of an append that has to succeed.
pub fn stored(appended: Appended) -> Message {
    match appended {
        Appended::Stored { message, .. } => message,
        other => panic!("not stored: {other:?}"),
    }
}

/// The conversation as the store has it.
pub async fn head(store: &dyn Store, conversation_id: &str, now: Timestamp) -> Conversation {
    store.conversation(conversation_id, now).await.unwrap().expect("the conversation is there")
}

pub fn visitor_socket(ip: &str) -> Connection {
    Connection {
        connection_id: id::client_id(),
        side: Side::Visitor { conversation_id: None },
        ip: ip.into(),
        user_agent: Some("Browser/1".into()),
        country: Some("TR".into()),
        connected_at: START,
        expires_at: START.plus(2 * HOUR),
    }
}

pub fn admin_socket(session_id: &str, ip: &str) -> Connection {
    Connection { side: Side::Admin { session_id: session_id.into() }, ..visitor_socket(ip) }
}

pub fn session(name: &str) -> Session {
    Session {
        session_id: id::sortable_id(),
        name: name.into(),
        ip: "192.0.2.1".into(),
        user_agent_hash: id::Secret::presented("Browser/1").hash(),
        created_at: START,
        expires_at: START.plus(24 * HOUR),
        last_used_at: START,
        rotated_at: START,
    }
}

pub fn note(conversation_id: &str, id: &str, content: &str) -> Note {
    Note {
        conversation_id: conversation_id.into(),
        seq: 0,
        id: id.into(),
        author: "Oya".into(),
        via: Via::Telegram,
        content: content.into(),
        created_at: START,
    }
}

pub fn attachment(conversation_id: &str, id: &str) -> Attachment {
    Attachment {
        conversation_id: conversation_id.into(),
        id: id.into(),
        source: Some("AgACAgQAAx".into()),
        name: "cat.png".into(),
        mime: "image/png".into(),
        size: 68,
        state: AttachmentState::Waiting,
    }
}

pub fn activity(action: &str) -> Activity {
    Activity {
        id: id::sortable_id(),
        created_at: START,
        session_id: None,
        name: None,
        ip: "192.0.2.1".into(),
        action: action.into(),
        conversation_id: None,
        details: serde_json::json!({}),
    }
}

/// The first page of `limit`.
pub fn first(limit: i64) -> PageRequest {
    PageRequest { limit, cursor: None }
}

/// The page that a cursor leads to.
pub fn after(limit: i64, cursor: Option<String>) -> PageRequest {
    PageRequest { limit, cursor }
}

/// Lets all of them run, as many at once as a database answers in time on a busy machine.
pub async fn race<F: Future>(racers: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let (mut racers, mut answers) = (racers.into_iter(), Vec::new());
    loop {
        let some: Vec<_> = racers.by_ref().take(25).collect();
        if some.is_empty() {
            return answers;
        }
        answers.extend(join_all(some).await);
    }
}
