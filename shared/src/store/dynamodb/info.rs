//! A conversation's particulars, and its place in the list.

use serde::{Deserialize, Serialize};

use super::DynamoStore;
use super::head::{Head, State};
use super::item::{Item, Key, n, read, s, text};
use super::table::{Terms, Written};
use crate::error::chain;
use crate::model::Conversation;
use crate::store::StoreResult;
use crate::time::{MINUTE, Timestamp};

/// A conversation moves in the index at most once in so long.
pub(super) const SLOT: i64 = 10 * MINUTE;
/// Slots are written with as many digits as this.
const LAST: i64 = 9_999_999_999_999;

/// The item `INFO`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Info {
    /// The index's partition.
    list: String,
    /// The index's order.
    slot: String,
    /// The head's `rev` that the place was taken from.
    #[serde(rename = "r")]
    rev: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    locale: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    page_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    referrer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

impl Info {
    /// The particulars of a conversation that begins.
    pub(super) fn begin(one: &Conversation, head: &Head) -> Self {
        let maybe = |value: &Option<String>| value.as_deref().map(text);
        Self {
            list: partition(head.state).to_owned(),
            slot: slot(head.last_activity_at, &one.conversation_id),
            rev: head.rev,
            locale: maybe(&one.locale),
            page_url: maybe(&one.page_url),
            referrer: maybe(&one.referrer),
            user_agent: maybe(&one.user_agent),
            country: maybe(&one.country),
            address: maybe(&one.address),
        }
    }

    /// Adds the particulars to what the head told.
    pub(super) fn complete(self, conversation: Conversation) -> Conversation {
        Conversation {
            locale: self.locale,
            page_url: self.page_url,
            referrer: self.referrer,
            user_agent: self.user_agent,
            country: self.country,
            address: self.address,
            ..conversation
        }
    }

    /// When its slot begins.
    pub(super) fn begins(&self) -> i64 {
        self.slot.split('#').next().and_then(|start| start.parse().ok()).unwrap_or(0)
    }

    /// Whether the place is the one that a head would take.
    pub(super) fn is_placed_by(&self, conversation_id: &str, head: &Head) -> bool {
        self.list == partition(head.state) && self.slot == slot(head.last_activity_at, conversation_id)
    }
}

/// The index's partition of a state.
pub(super) fn partition(state: State) -> &'static str {
    if state == State::Open { "open" } else { "closed" }
}

/// When the slot of a moment begins, as the index writes it.
pub(super) fn start(at: Timestamp) -> i64 {
    let at = at.0.clamp(0, LAST);
    at - at % SLOT
}

/// A conversation's place in the index.
fn slot(at: Timestamp, conversation_id: &str) -> String {
    format!("{:013}#{conversation_id}", start(at))
}

impl DynamoStore {
    /// Takes the place in the list that a head tells, unless a newer one was taken already. Answers the particulars.
    pub(super) async fn place(&self, conversation_id: &str, head: &Head) -> StoreResult<Option<Info>> {
        let terms = Terms::change("SET #list = :list, #slot = :slot, r = :rev")
            .only_when("attribute_exists(pk) AND r < :rev")
            .name("#list", "list")
            .name("#slot", "slot")
            .value(":list", s(partition(head.state)))
            .value(":slot", s(slot(head.last_activity_at, conversation_id)))
            .value(":rev", n(head.rev));
        let (Written::Done(item) | Written::Refused(item)) = self.update(&Key::info(conversation_id), terms).await?;
        item.map(read::<Info>).transpose()
    }

    /// [`Self::place`] after a change that may have moved the conversation; nobody waits for the list to be told.
    pub(super) async fn follow(&self, conversation_id: &str, before: Timestamp, head: &Head) {
        if start(before) != start(head.last_activity_at)
            && let Err(error) = self.place(conversation_id, head).await
        {
            tracing::warn!(conversation_id, cause = %chain(&error), "the list was not told");
        }
    }

    /// The particulars of the items of a conversation's partition that a query found, and its head.
    pub(super) fn sort_out(items: Vec<Item>) -> StoreResult<(Option<Head>, Option<Info>)> {
        let (mut head, mut info) = (None, None);
        for item in items {
            match Key::of(&item)?.sk.as_str() {
                "HEAD" => head = Some(read::<Head>(item)?).filter(Head::lives),
                "INFO" => info = Some(read::<Info>(item)?),
                _ => {}
            }
        }
        Ok((head, info))
    }
}
