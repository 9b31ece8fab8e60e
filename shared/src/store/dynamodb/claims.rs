//! Who of the team has taken a conversation on.

use serde::{Deserialize, Serialize};

use super::DynamoStore;
use super::change::Move;
use super::conversations::complete;
use super::head::Head;
use super::info::Info;
use super::item::{Key, millis, read, text};
use crate::event::EventKind;
use crate::model::{Claim, Conversation};
use crate::store::StoreResult;
use crate::time::Timestamp;

/// A claim as a head keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claimed {
    #[serde(rename = "n")]
    name: String,
    #[serde(rename = "a", with = "millis")]
    at: Timestamp,
}

impl Claimed {
    /// The claim as others see it.
    pub(super) fn claim(&self) -> Claim {
        Claim { name: self.name.clone(), at: self.at }
    }
}

impl Head {
    /// Takes the conversation on, unless somebody has it.
    pub(super) fn take_on(&mut self, name: &str, now: Timestamp) -> bool {
        if self.claimed.is_some() {
            return false;
        }
        self.claimed = Some(Claimed { name: text(name), at: now });
        self.tell(EventKind::ConversationClaimed, 0, now);
        true
    }

    /// Ends the claim. `false`: there was none.
    fn let_go(&mut self, now: Timestamp) -> bool {
        if self.claimed.take().is_none() {
            return false;
        }
        self.tell(EventKind::ConversationReleased, 0, now);
        true
    }
}

impl DynamoStore {
    /// [`crate::store::Conversations::claim`].
    pub(super) async fn take_on(
        &self,
        conversation_id: &str,
        name: &str,
        now: Timestamp,
    ) -> StoreResult<Option<(Conversation, bool)>> {
        let changed = self.change(conversation_id, |head| Move::by(head.take_on(name, now))).await?;
        self.with_particulars(conversation_id, changed, now).await
    }

    /// [`crate::store::Conversations::release`].
    pub(super) async fn let_go(
        &self,
        conversation_id: &str,
        now: Timestamp,
    ) -> StoreResult<Option<(Conversation, bool)>> {
        let changed = self.change(conversation_id, |head| Move::by(head.let_go(now))).await?;
        self.with_particulars(conversation_id, changed, now).await
    }

    async fn with_particulars(
        &self,
        conversation_id: &str,
        changed: Option<(bool, Head)>,
        now: Timestamp,
    ) -> StoreResult<Option<(Conversation, bool)>> {
        let Some((changed, head)) = changed else { return Ok(None) };
        let info = self.get(&Key::info(conversation_id), true).await?.map(read::<Info>).transpose()?;
        Ok(Some((complete(head.conversation(conversation_id, now), info), changed)))
    }
}
