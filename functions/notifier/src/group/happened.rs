//! What happened to a conversation, told in its place: closed, claimed, a note, an edit.

use shared::event::EventKind;
use shared::model::{Message, Note, Via};
use shared::telegram::chat::Urgency;
use shared::telegram::text::{Line, Text, compose, split};

use super::{is_shown, is_the_messages_own, post};
use crate::conversation::{Trouble, Unit, Work};
use crate::parcel;

/// Tells of one event. The place is there.
pub(super) async fn tell(work: &mut Work<'_, '_>, unit: &Unit) -> Result<(), Trouble> {
    match unit.kind {
        EventKind::ConversationClosed => {
            notice(work, "telegram.closed").await?;
            close(work).await
        }
        EventKind::ConversationReopened => {
            reopen(work).await?;
            notice(work, "telegram.reopened").await
        }
        EventKind::ConversationClaimed => claimed(work).await,
        EventKind::ConversationReleased => notice(work, "telegram.released").await,
        EventKind::NoteAdded => note(work, unit.seq).await,
        EventKind::MessageEdited => edited(work, unit.seq).await,
        EventKind::ConversationOpened | EventKind::MessageStored | EventKind::ConversationDeleted => Ok(()),
    }?;
    work.mirror.pieces = 0;
    work.mirror.position = unit.position;
    work.save().await
}

async fn notice(work: &mut Work<'_, '_>, key: &str) -> Result<(), Trouble> {
    let text = work.text(key, &[("name", &work.conversation.visitor_name)]);
    tell_once(work, &[text]).await
}

/// Posts the pieces of a notice that are not there yet; one that Telegram never takes is left out.
async fn tell_once(work: &mut Work<'_, '_>, pieces: &[Text]) -> Result<(), Trouble> {
    for piece in pieces.iter().skip(work.mirror.pieces) {
        match post(work, piece, None, 0).await {
            Err(Trouble::Telegram(error)) if is_the_messages_own(&error) => {
                tracing::error!(%error, "Telegram will never take this notice");
            }
            posted => {
                posted?;
            }
        }
        work.mirror.pieces += 1;
        work.save().await?;
    }
    Ok(())
}

async fn close(work: &mut Work<'_, '_>) -> Result<(), Trouble> {
    let Some(thread_id) = work.mirror.thread_id.filter(|_| !work.mirror.is_closed) else { return Ok(()) };
    let (chat_id, telegram) = (work.mirror.chat_id, work.gate.telegram);
    work.gate.ask(chat_id, Urgency::Text, telegram.close_topic(chat_id, thread_id)).await?;
    work.mirror.is_closed = true;
    Ok(())
}

async fn reopen(work: &mut Work<'_, '_>) -> Result<(), Trouble> {
    let Some(thread_id) = work.mirror.thread_id.filter(|_| work.mirror.is_closed) else { return Ok(()) };
    let (chat_id, telegram) = (work.mirror.chat_id, work.gate.telegram);
    work.gate.ask(chat_id, Urgency::Text, telegram.reopen_topic(chat_id, thread_id)).await?;
    work.mirror.is_closed = false;
    work.save().await
}

/// Of a claim that has been released since, the release tells enough.
async fn claimed(work: &mut Work<'_, '_>) -> Result<(), Trouble> {
    let Some(claim) = &work.conversation.claim else { return Ok(()) };
    let text = work.text("telegram.claimed", &[("admin", &claim.name), ("name", &work.conversation.visitor_name)]);
    tell_once(work, &[text]).await
}

/// A note that was written in the chat is there.
async fn note(work: &mut Work<'_, '_>, seq: i64) -> Result<(), Trouble> {
    let notes = work.app.store.notes(&work.conversation.conversation_id).await?;
    let Some(note) = notes.into_iter().find(|note| note.seq == seq && note.via != Via::Telegram) else { return Ok(()) };
    let Note { author, content, .. } = &note;
    tell_once(work, &split(&compose(&[Line { mark: "📝 ", author, content }]))).await
}

/// Changes what was posted, where it can still be changed; otherwise the new text is told. An operator's own text was changed
/// in the chat itself.
async fn edited(work: &mut Work<'_, '_>, seq: i64) -> Result<(), Trouble> {
    let is_there = seq <= work.mirror.sent_seq;
    let found = work.messages(seq - 1, seq + 1).await?.pop();
    let Some(message) = found.filter(|message| is_there && is_shown(message)) else { return Ok(()) };
    let posts = parcel::holding(&work.mirror.posts, seq);
    let said: Vec<Message> = match posts.first() {
        Some(post) => work.messages(post.from - 1, post.to + 1).await?,
        None => Vec::new(),
    };
    let shown: Vec<&Message> = said.iter().filter(|message| is_shown(message)).collect();
    let pieces = parcel::told_again(&posts, &shown);
    if posts.is_empty() || pieces.len() != posts.len() {
        return tell_anew(work, &message).await;
    }
    for (post, piece) in posts.iter().zip(&pieces) {
        let (chat_id, telegram) = (work.mirror.chat_id, work.gate.telegram);
        let change = parcel::change(telegram, chat_id, post, piece);
        match work.gate.ask(chat_id, Urgency::Text, change).await {
            // It has been deleted, or is too old to be changed.
            Err(error) if is_the_messages_own(&error) => return tell_anew(work, &message).await,
            changed => changed?,
        }
    }
    Ok(())
}

async fn tell_anew(work: &mut Work<'_, '_>, message: &Message) -> Result<(), Trouble> {
    let line = Line { mark: "✎ ", author: &message.author, content: &message.content };
    tell_once(work, &split(&compose(&[line]))).await
}
