//! Reading: the messages of a conversation, the list of conversations.

use crate::app::App;
use crate::error::Error;
use crate::store::{ConversationFilter, PageRequest, Place};
use crate::wire::{self, HISTORY_BYTES, HISTORY_MESSAGES, History, Item, Read};

/// Messages after `since`, or before `before`, or the newest: oldest first, at most 50 and at most 96 KiB.
///
/// A `since` ahead of the store (it was restored from a backup) is answered from the start, with `reset`.
pub async fn history(
    app: &App,
    conversation_id: &str,
    since: Option<i64>,
    before: Option<i64>,
) -> Result<History, Error> {
    if before.is_some_and(|before| before < 1) {
        return Err(Error::field("before", "must be at least 1"));
    }
    let newest = since.is_none();
    let bound = before.filter(|_| newest).unwrap_or(i64::MAX);
    let read = |after| {
        let place = Place { after, before: bound, newest };
        app.store.history(conversation_id, place, HISTORY_MESSAGES, app.now())
    };
    let mut found = read(since.unwrap_or(0).max(0)).await?.ok_or(Error::ConversationNotFound)?;
    let reset = since.is_some_and(|since| since > found.0.head_seq);
    if reset {
        found = read(0).await?.ok_or(Error::ConversationNotFound)?;
    }
    let (conversation, found) = found;
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
        telegram: app.telegram.is_some(),
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
