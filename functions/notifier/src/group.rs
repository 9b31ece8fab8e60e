//! The operators' chat: a conversation's topic there, or its chain of replies where the group has no topics.

mod happened;
mod place;

use shared::config::NotifyOn;
use shared::event::EventKind;
use shared::model::{Message, Sender, Via};
use shared::store::{MirrorPost, TelegramLink};
use shared::telegram::chat::Urgency;
use shared::telegram::media::Source;
use shared::telegram::send::{Keyboard, Post};
use shared::telegram::text::Text;
use shared::telegram::{TelegramError, topic};
use shared::time::SECOND;

use crate::conversation::{Trouble, Unit, Work};
use crate::parcel::{self, Files, Parcel};
use crate::status;

/// What a visitor writes so soon after what was posted last goes in one message.
const BURST: i64 = 3 * SECOND;
/// A place that vanishes is replaced so often at once; then somebody had better look.
const PLACES: usize = 2;
/// Failures are remembered for the panel; it shows those of late.
const FAILURES: usize = 20;

/// Brings what is not there yet.
pub(crate) async fn run(work: &mut Work<'_, '_>, units: &[Unit], alone: bool) -> Result<(), Trouble> {
    let only_messages = units.iter().all(|unit| unit.kind == EventKind::MessageStored);
    let mut places = 0;
    for unit in units.iter().filter(|unit| unit.position > work.mirror.position).collect::<Vec<_>>() {
        loop {
            match bring(work, unit, only_messages).await {
                Ok(()) => break,
                Err(Trouble::Telegram(error)) if place::is_lost(work, &error) && places < PLACES => {
                    places += 1;
                    place::lose(work).await?;
                }
                Err(trouble) => return Err(trouble),
            }
        }
        work.mirror.position = unit.position;
        status::recovered(work).await.map_err(Trouble::Store)?;
    }
    match place::trim(work, alone).await {
        // The last event comes again until the topic looks as it should.
        Err(Trouble::Hold(until)) => work.untrimmed_until = Some(until),
        trimmed => trimmed?,
    }
    Ok(())
}

async fn bring(work: &mut Work<'_, '_>, unit: &Unit, only_messages: bool) -> Result<(), Trouble> {
    match unit.kind {
        EventKind::ConversationOpened => {
            let notify_on = work.app.config.telegram.as_ref().map(|telegram| telegram.notify_on);
            if notify_on == Some(NotifyOn::Join) { place::find(work).await } else { Ok(()) }
        }
        EventKind::MessageStored => messages(work, unit.seq, only_messages).await,
        // Nobody in the chat knows of it.
        _ if !place::is_known(work) => Ok(()),
        _ => {
            place::find(work).await?;
            happened::tell(work, unit).await
        }
    }
}

/// What an operator wrote in the chat is there.
fn is_shown(message: &Message) -> bool {
    message.via != Via::Telegram || message.sender != Sender::Admin
}

/// Brings the messages up to `through`, as many in one post as it holds.
async fn messages(work: &mut Work<'_, '_>, through: i64, may_wait: bool) -> Result<(), Trouble> {
    let (mut joined, mut with_files) = (true, true);
    while work.mirror.sent_seq < through {
        let waiting = work.messages(work.mirror.sent_seq, through + 1).await?;
        let more = work.mirror.sent_at.plus(BURST);
        if may_wait
            && work.mirror.pieces == 0
            && work.app.now() < more
            && waiting.iter().all(|message| message.sender == Sender::Visitor)
        {
            return Err(Trouble::Hold(more));
        }
        let files = if with_files { parcel::files(work, &waiting, is_shown).await? } else { Files::new() };
        let parcel = parcel::next(&waiting, is_shown, &files, joined);
        if !parcel.pieces.is_empty() {
            place::find(work).await?;
        }
        match send(work, &parcel).await {
            Ok(()) => {
                work.mirror.sent_seq = parcel.to.max(work.mirror.sent_seq + i64::from(waiting.is_empty()));
                with_files = true;
            }
            Err(Trouble::Telegram(error)) if is_the_messages_own(&error) && parcel.file.is_some() => {
                (joined, with_files) = (false, false);
            }
            Err(Trouble::Telegram(error)) if is_the_messages_own(&error) => {
                // Which of several it is shows when each goes alone.
                if parcel.from == parcel.last {
                    fail(work, &parcel, &error).await?;
                }
                joined = false;
            }
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(())
}

/// Sends what is not there yet of a parcel, and marks each post as it arrives: when a later one fails, the next try begins
/// with that one.
async fn send(work: &mut Work<'_, '_>, parcel: &Parcel) -> Result<(), Trouble> {
    let count = parcel.pieces.len();
    for (index, piece) in parcel.pieces.iter().enumerate().skip(work.mirror.pieces) {
        let file = parcel.file_of(index);
        let message_id = put(work, piece, None, file, parcel.last).await?;
        let is_file = file.is_some();
        let post = MirrorPost { message_id, from: parcel.from, to: parcel.last, is_file };
        parcel::remember(&mut work.mirror.posts, post);
        work.mirror.pieces = index + 1;
        if index + 1 == count {
            (work.mirror.pieces, work.mirror.sent_seq) = (0, parcel.to);
            if parcel.by_visitor {
                work.mirror.sent_at = work.app.now();
            }
        }
        work.save().await?;
    }
    Ok(())
}

/// Whether Telegram will never take this message, whatever becomes of the bot and its chat.
fn is_the_messages_own(error: &TelegramError) -> bool {
    let own = matches!(error, TelegramError::Refused { code: 400 | 413, .. });
    own && !topic::is_gone(error) && !topic::is_closed(error)
}

async fn fail(work: &mut Work<'_, '_>, parcel: &Parcel, error: &TelegramError) -> Result<(), Trouble> {
    let (conversation_id, seq) = (&work.conversation.conversation_id, parcel.last);
    tracing::error!(%error, conversation_id, seq, "Telegram will never take this message");
    let failures = &mut work.mirror.failures;
    failures.push((seq, error.to_string()));
    let old = failures.len().saturating_sub(FAILURES);
    failures.drain(..old);
    (work.mirror.sent_seq, work.mirror.pieces) = (parcel.to, 0);
    work.save().await?;
    status::show(work, None).await.map_err(Trouble::Store)
}

/// Puts one text into the conversation's place.
async fn post(work: &mut Work<'_, '_>, text: &Text, keyboard: Option<&Keyboard>, seq: i64) -> Result<i64, Trouble> {
    put(work, text, keyboard, None, seq).await
}

/// Puts a text, or a file with the text under it, into the conversation's place and links it, so that a reply to it finds the
/// conversation.
async fn put(
    work: &mut Work<'_, '_>,
    text: &Text,
    keyboard: Option<&Keyboard>,
    file: Option<Source<'_>>,
    seq: i64,
) -> Result<i64, Trouble> {
    let (chat_id, thread_id) = (work.mirror.chat_id, work.mirror.thread_id);
    let conversation_id = &work.conversation.conversation_id;
    let reply_to = match thread_id {
        Some(_) => None,
        None => work.app.store.links_of(conversation_id, chat_id, 1).await?.pop().map(|link| link.message_id),
    };
    let post = Post { text, thread_id, reply_to, keyboard };
    let sent = match (call(work, file, &post).await, thread_id) {
        (Err(error), Some(thread_id)) if topic::is_closed(&error) => {
            let telegram = work.gate.telegram;
            work.gate.ask(chat_id, Urgency::Text, telegram.reopen_topic(chat_id, thread_id)).await?;
            work.mirror.is_closed = false;
            call(work, file, &post).await
        }
        (sent, _) => sent,
    };
    let message_id = sent?;
    let link = TelegramLink { chat_id, message_id, conversation_id: conversation_id.clone(), seq };
    work.app.store.link(&link).await?;
    work.has_posted = true;
    Ok(message_id)
}

/// A group may let nobody send files: texts go there all the same.
async fn call(work: &mut Work<'_, '_>, file: Option<Source<'_>>, post: &Post<'_>) -> Result<i64, TelegramError> {
    let chat_id = work.mirror.chat_id;
    match file {
        Some(file) => work.gate.post_file(chat_id, Urgency::Aside, file, post).await,
        None => work.gate.post(chat_id, Urgency::Text, post).await,
    }
}
