//! The private chat with the bot in which a visitor goes on: what the team answers comes there as well.

use shared::event::EventKind;
use shared::model::{Message, Sender};
use shared::store::{MirrorPost, VisitorMirror};
use shared::telegram::TelegramError;
use shared::telegram::chat::Urgency;
use shared::telegram::media::Source;
use shared::telegram::send::Post;
use shared::telegram::text::{Text, split};

use crate::conversation::{Trouble, Unit, Work};
use crate::parcel::{self, Files, Parcel};

/// Brings what is not there yet. A visitor who will not have it any more is not in Telegram any more.
pub(crate) async fn run(work: &mut Work<'_, '_>, chat_id: i64, units: &[Unit]) -> Result<(), Trouble> {
    if work.mirror.visitor.as_ref().is_none_or(|visitor| visitor.chat_id != chat_id) {
        work.mirror.visitor = Some(VisitorMirror { chat_id, ..VisitorMirror::default() });
    }
    let brought = bring(work, units).await;
    match brought {
        Err(Trouble::Telegram(error)) if is_unwelcome(&error) => {
            let conversation_id = &work.conversation.conversation_id;
            tracing::info!(conversation_id, %error, "the visitor's private chat is closed to the bot");
            work.app.store.unbind_chat(chat_id).await?;
            work.mirror.visitor = None;
            Ok(())
        }
        brought => brought,
    }
}

fn is_unwelcome(error: &TelegramError) -> bool {
    match error {
        TelegramError::Refused { code: 403, .. } => true,
        error => error.bad_request().is_some_and(|words| words.contains("chat not found")),
    }
}

async fn bring(work: &mut Work<'_, '_>, units: &[Unit]) -> Result<(), Trouble> {
    if !mark(work).is_greeted {
        greet(work).await?;
    }
    for unit in units {
        if unit.position <= mark(work).position {
            continue;
        }
        match unit.kind {
            EventKind::MessageStored => messages(work, unit.seq).await?,
            EventKind::MessageEdited => edited(work, unit.seq).await?,
            EventKind::ConversationClosed => notice(work, "telegram.visitor_closed", unit).await?,
            EventKind::ConversationReopened => notice(work, "telegram.visitor_reopened", unit).await?,
            _ => {}
        }
        mark(work).position = unit.position;
    }
    Ok(())
}

/// How far this place is; [`run`] has seen to it that there is one.
fn mark<'w>(work: &'w mut Work<'_, '_>) -> &'w mut VisitorMirror {
    work.mirror.visitor.get_or_insert_default()
}

fn is_shown(message: &Message) -> bool {
    message.sender != Sender::Visitor
}

/// What was said before, so that the conversation goes on where it stood.
async fn greet(work: &mut Work<'_, '_>) -> Result<(), Trouble> {
    let lines = work.lines_before(i64::MAX - 1).await?;
    let pieces = if lines.is_empty() { Vec::new() } else { split(&parcel::told(&lines.iter().collect::<Vec<_>>())) };
    let begun = mark(work).pieces;
    for piece in pieces.iter().skip(begun) {
        post(work, piece, None).await?;
        mark(work).pieces += 1;
        work.save().await?;
    }
    let mark = mark(work);
    (mark.is_greeted, mark.pieces) = (true, 0);
    mark.sent_seq = lines.last().map_or(0, |line| line.seq);
    work.save().await
}

async fn messages(work: &mut Work<'_, '_>, through: i64) -> Result<(), Trouble> {
    let (mut joined, mut with_files) = (true, true);
    loop {
        let sent_seq = mark(work).sent_seq;
        if sent_seq >= through {
            return Ok(());
        }
        let waiting = work.messages(sent_seq, through + 1).await?;
        let files = if with_files { parcel::files(work, &waiting, is_shown).await? } else { Files::new() };
        let parcel = parcel::next(&waiting, is_shown, &files, joined);
        match send(work, &parcel).await {
            Err(Trouble::Telegram(error)) if is_the_messages_own(&error) => {
                if parcel.from < parcel.last || parcel.file.is_some() {
                    (joined, with_files) = (false, parcel.file.is_none());
                    continue;
                }
                let conversation_id = &work.conversation.conversation_id;
                tracing::error!(%error, conversation_id, seq = parcel.last, "Telegram will never take this message");
                mark(work).pieces = 0;
            }
            sent => sent?,
        }
        with_files = true;
        mark(work).sent_seq = parcel.to.max(sent_seq + i64::from(waiting.is_empty()));
    }
}

fn is_the_messages_own(error: &TelegramError) -> bool {
    matches!(error, TelegramError::Refused { code: 400 | 413, .. }) && !is_unwelcome(error)
}

async fn send(work: &mut Work<'_, '_>, parcel: &Parcel) -> Result<(), Trouble> {
    let begun = mark(work).pieces;
    for (index, piece) in parcel.pieces.iter().enumerate().skip(begun) {
        let source = parcel.file_of(index);
        let message_id = post(work, piece, source).await?;
        let mark = mark(work);
        let is_file = source.is_some();
        parcel::remember(&mut mark.posts, MirrorPost { message_id, from: parcel.from, to: parcel.last, is_file });
        mark.pieces = index + 1;
        if mark.pieces == parcel.pieces.len() {
            (mark.pieces, mark.sent_seq) = (0, parcel.to);
        }
        work.save().await?;
    }
    Ok(())
}

/// The visitor's own language speaks here.
async fn notice(work: &mut Work<'_, '_>, key: &str, unit: &Unit) -> Result<(), Trouble> {
    let text = Text::plain(work.app.catalogue.text(work.conversation.locale.as_deref(), key, &[]));
    post(work, &text, None).await?;
    mark(work).position = unit.position;
    work.save().await
}

/// Changes what was posted, as far as it still can be.
async fn edited(work: &mut Work<'_, '_>, seq: i64) -> Result<(), Trouble> {
    let posts = parcel::holding(&mark(work).posts, seq);
    let Some(first) = posts.first() else { return Ok(()) };
    let said = work.messages(first.from - 1, first.to + 1).await?;
    let shown: Vec<&Message> = said.iter().filter(|message| is_shown(message)).collect();
    let pieces = parcel::told_again(&posts, &shown);
    let (chat_id, telegram) = (mark(work).chat_id, work.gate.telegram);
    for (post, piece) in posts.iter().zip(&pieces) {
        let change = parcel::change(telegram, chat_id, post, piece);
        match work.gate.ask(chat_id, Urgency::Text, change).await {
            Err(error) if is_the_messages_own(&error) => {
                tracing::info!(%error, "an edit did not reach a visitor's private chat");
            }
            changed => changed?,
        }
    }
    Ok(())
}

async fn post(work: &mut Work<'_, '_>, text: &Text, file: Option<Source<'_>>) -> Result<i64, Trouble> {
    let (chat_id, post) = (mark(work).chat_id, Post::new(text));
    Ok(match file {
        Some(file) => work.gate.post_file(chat_id, Urgency::Text, file, &post).await?,
        None => work.gate.post(chat_id, Urgency::Text, &post).await?,
    })
}
