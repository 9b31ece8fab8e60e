//! Databases with little and with much in them, written by the store itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::try_join_all;
use shared::id::{self, Secret};
use shared::model::{Conversation, Message, MessageType, Sender, Status, Via};
use shared::store::{Appended, NewConversation, Store};
use shared::time::{DAY, Timestamp};

use crate::Result;
use crate::house;

/// Writes that share a commit.
const GROUP: usize = 250;
/// The conversation that is taken up, and the secret that opens it.
pub const CONVERSATION: &str = "ffffffff-0000-4000-8000-000000000000";
pub const TOKEN: &str = "the token of a measurement";

/// A database in a file, being filled.
pub struct Filling {
    /// Its file.
    pub file: PathBuf,
    /// Its store.
    pub store: Arc<dyn Store>,
    /// When the first message is written.
    pub began: Timestamp,
}

/// What opens a database file.
pub fn url(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}

impl Filling {
    /// Opens a database, new or not, that was written to from `began` on.
    pub async fn open(file: PathBuf, began: Timestamp) -> Result<Self> {
        Ok(Self { store: house::open(&url(&file)).await?, file, began })
    }

    /// Stores conversations, each ten seconds after the one before: some nine thousand a day.
    pub async fn conversations(&self, ids: &[String]) -> Result<()> {
        for (number, group) in ids.chunks(GROUP).enumerate() {
            let create =
                group.iter().enumerate().map(|(place, id)| self.create(id, self.at((number * GROUP + place) * 10_000)));
            try_join_all(create).await?;
        }
        Ok(())
    }

    async fn create(&self, id: &str, at: Timestamp) -> Result<()> {
        let resume_hash = Secret::presented(TOKEN).hash();
        Ok(self.store.create(&NewConversation { conversation: conversation(id, at), resume_hash }).await?)
    }

    /// Stores messages, each a millisecond after the one before.
    pub async fn messages(&self, messages: &[(String, String)]) -> Result<()> {
        for (number, group) in messages.chunks(GROUP).enumerate() {
            let say = group
                .iter()
                .enumerate()
                .map(|(place, (id, content))| self.say(message(id, content, self.at(number * GROUP + place))));
            try_join_all(say).await?;
        }
        Ok(())
    }

    /// Takes into the search index what fills it by whole blocks, as the gateway does.
    pub async fn index(&self) -> Result<()> {
        while self.store.index(house::now().plus(DAY), 256).await? > 0 {}
        Ok(())
    }

    async fn say(&self, message: Message) -> Result<()> {
        match self.store.append(&message, None).await? {
            Appended::Stored { .. } => Ok(()),
            other => Err(format!("not stored: {other:?}").into()),
        }
    }

    fn at(&self, place: usize) -> Timestamp {
        self.began.plus(i64::try_from(place).unwrap_or(i64::MAX))
    }
}

fn conversation(id: &str, at: Timestamp) -> Conversation {
    Conversation {
        conversation_id: id.to_owned(),
        site: "default".into(),
        visitor_name: "Ada".into(),
        locale: Some("tr".into()),
        page_url: Some("https://shop.example/cart".into()),
        referrer: None,
        user_agent: Some("Browser/1".into()),
        country: None,
        address: Some("192.0.2.1".into()),
        status: Status::Open,
        created_at: at,
        last_activity_at: at,
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

fn message(conversation_id: &str, content: &str, at: Timestamp) -> Message {
    Message {
        conversation_id: conversation_id.to_owned(),
        id: String::new(),
        seq: 0,
        client_id: id::client_id(),
        sender: Sender::Visitor,
        via: Via::Web,
        author: "Ada".into(),
        message_type: MessageType::Text,
        content: content.to_owned(),
        created_at: at,
        edited_at: None,
        file: None,
        reaction: None,
    }
}
