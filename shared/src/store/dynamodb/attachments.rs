//! Files of conversations, apart from their bytes.

use async_trait::async_trait;
use futures::future::try_join;

use super::DynamoStore;
use super::item::{Key, conversation, read, short, text};
use super::table::Terms;
use crate::model::{Attachment, AttachmentState};
use crate::store::{Attachments, StoreResult};

fn key(conversation_id: &str, id: &str) -> Key {
    Key::new(conversation(conversation_id), format!("PART#{}", short(id)))
}

/// As it is kept.
fn kept(attachment: &Attachment) -> Attachment {
    let state = match &attachment.state {
        AttachmentState::Failed(reason) => AttachmentState::Failed(text(reason)),
        state => state.clone(),
    };
    Attachment {
        conversation_id: text(&attachment.conversation_id),
        id: text(&attachment.id),
        source: attachment.source.as_deref().map(text),
        name: text(&attachment.name),
        mime: text(&attachment.mime),
        size: attachment.size,
        state,
    }
}

#[async_trait]
impl Attachments for DynamoStore {
    async fn put_attachment(&self, attachment: &Attachment) -> StoreResult<bool> {
        let key = key(&attachment.conversation_id, &attachment.id);
        self.put(key.item(&kept(attachment))?, Terms::default()).await?;
        self.stays(&attachment.conversation_id, &[key]).await
    }

    async fn attachment(&self, conversation_id: &str, id: &str) -> StoreResult<Option<Attachment>> {
        let key = key(conversation_id, id);
        let (head, item) = try_join(self.head(conversation_id), self.get(&key, true)).await?;
        item.filter(|_| head.is_some()).map(read).transpose()
    }
}
