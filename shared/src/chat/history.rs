//! Reading: the messages of a conversation, the list of conversations.

use crate::app::App;
use crate::error::Error;
use crate::model::Conversation;
use crate::store::{ConversationFilter, PageRequest};
use crate::wire::{self, HISTORY_BYTES, HISTORY_MESSAGES, History, Item, Read};

/// The history of a conversation by id; see [`history`].
pub async fn history_of(
    app: &App,
    conversation_id: &str,
    since: Option<i64>,
    before: Option<i64>,
) -> Result<History, Error> {
    let found = app.store.conversation(conversation_id, app.now()).await?;
    history(app, found.ok_or(Error::ConversationNotFound)?, since, before).await
}

/// Messages after `since`, or before `before`, or the newest: oldest first, at most 50 and at most 96 KiB.
///
/// A `since` ahead of the store (it was restored from a backup) is answered from the start, with `reset`.
pub async fn history(
    app: &App,
    conversation: Conversation,
    since: Option<i64>,
    before: Option<i64>,
) -> Result<History, Error> {
    if before.is_some_and(|before| before < 1) {
        return Err(Error::field("before", "must be at least 1"));
    }
    let reset = since.is_some_and(|since| since > conversation.head_seq);
    let after = if reset { 0 } else { since.unwrap_or(0).max(0) };
    let newest = since.is_none();
    let bound = before.filter(|_| newest).unwrap_or(i64::MAX);
    let found = app.store.messages(&conversation.conversation_id, after, bound, newest, HISTORY_MESSAGES).await?;
    let messages = wire::fit(found, newest);
    // A message stored since the head was read may already be here.
    let head_seq = messages.last().map_or(0, |message| message.seq).max(conversation.head_seq);
    let has_more = match (messages.first(), messages.last()) {
        (Some(first), _) if newest => first.seq > 1,
        (_, Some(last)) => last.seq < head_seq,
        _ => false,
    };
    Ok(History {
        visitor_name: conversation.visitor_name,
        status: conversation.status,
        messages,
        head_seq,
        has_more,
        read: Read { visitor: conversation.visitor_read, admin: conversation.admin_read },
        reset,
        max_message_len: app.config.max_message_len,
        admins_online: app.store.admins_online(app.now()).await?,
        online: conversation.online,
        conversation_id: conversation.conversation_id,
    })
}

/// A page of the list that fits into a frame.
pub async fn list(
    app: &App,
    filter: &ConversationFilter,
    mut page: PageRequest,
) -> Result<(Vec<Item>, Option<String>), Error> {
    loop {
        let found = app.store.conversations(filter, &page, app.now()).await?;
        let items: Vec<Item> = found.items.into_iter().map(Item::from).collect();
        let size = serde_json::to_vec(&items).map_err(Error::internal)?.len();
        if size <= HISTORY_BYTES || page.limit <= 1 {
            return Ok((items, found.next_cursor));
        }
        page.limit /= 2;
    }
}
