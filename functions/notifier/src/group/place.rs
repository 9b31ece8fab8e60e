//! Where a conversation is in the operators' chat: made when it is needed, and anew when it has vanished.

use shared::model::Status;
use shared::store::TelegramLink;
use shared::telegram::chat::Urgency;
use shared::telegram::send::Keyboard;
use shared::telegram::text::{Text, split};
use shared::telegram::{TelegramError, icons, topic};

use super::post;
use crate::conversation::{Trouble, Work};
use crate::parcel;

/// Sees to it that there is a place, that it is announced, and that it has what was said before.
pub(super) async fn find(work: &mut Work<'_, '_>) -> Result<(), Trouble> {
    let is_forum = work.gate.is_forum().await?;
    let mirror = &mut work.mirror;
    let is_elsewhere = mirror.chat_id != work.gate.chat_id;
    if is_elsewhere || (mirror.is_announced && mirror.thread_id.is_some() != is_forum) {
        forget(work);
    }
    if is_forum && work.mirror.thread_id.is_none() {
        make_topic(work).await?;
    }
    if !work.mirror.is_announced {
        announce(work).await?;
    }
    if work.mirror.is_replaying { replay(work).await } else { Ok(()) }
}

/// Whether the conversation ever had a place.
pub(super) fn is_known(work: &Work<'_, '_>) -> bool {
    let mirror = &work.mirror;
    mirror.is_announced || mirror.is_replaying || mirror.thread_id.is_some()
}

/// Whether a refusal means that there is no such place any more.
pub(super) fn is_lost(work: &Work<'_, '_>, error: &TelegramError) -> bool {
    matches!(error, TelegramError::Migrated(_))
        || topic::is_no_forum(error)
        || (work.mirror.thread_id.is_some() && topic::is_gone(error))
}

/// The place has vanished. Links to it stay, so that a reply to what can still be seen of it finds the conversation.
pub(super) async fn lose(work: &mut Work<'_, '_>) -> Result<(), Trouble> {
    tracing::warn!(
        conversation_id = work.conversation.conversation_id,
        "its place in Telegram is gone; making another"
    );
    forget(work);
    work.gate.forget_forum();
    work.save().await
}

fn forget(work: &mut Work<'_, '_>) {
    let mirror = &mut work.mirror;
    mirror.chat_id = work.gate.chat_id;
    mirror.thread_id = None;
    mirror.icon.clear();
    mirror.is_closed = false;
    mirror.is_announced = false;
    mirror.is_replaying = mirror.sent_seq > 0;
    mirror.pieces = 0;
    mirror.posts.clear();
}

/// Makes the topic and keeps its number. A process that dies in between leaves an empty topic without a conversation, which
/// Telegram offers no way to find again; the next try makes another.
async fn make_topic(work: &mut Work<'_, '_>) -> Result<(), Trouble> {
    let (chat_id, telegram, app) = (work.gate.chat_id, work.gate.telegram, work.app);
    let state = icons::state(work.conversation);
    let icon = icons::icon(app, work.gate, state).await?;
    let title = title(work);
    let made = work.gate.ask(chat_id, Urgency::Text, telegram.create_topic(chat_id, &title, icon.as_deref())).await;
    let thread_id = made?;
    let mirror = &mut work.mirror;
    (mirror.chat_id, mirror.thread_id, mirror.title, mirror.icon) = (chat_id, Some(thread_id), title, state.into());
    match work.save().await {
        Err(Trouble::Gone) => {
            // Its deletion knows nothing of a topic, so that this one is taken away here.
            work.gate.ask(chat_id, Urgency::Aside, telegram.delete_topic(chat_id, thread_id)).await?;
            return Err(Trouble::Gone);
        }
        saved => saved?,
    }
    link(work, thread_id).await
}

/// The message that made a topic stands for it.
async fn link(work: &Work<'_, '_>, thread_id: i64) -> Result<(), Trouble> {
    let conversation_id = work.conversation.conversation_id.clone();
    let link = TelegramLink { chat_id: work.mirror.chat_id, message_id: thread_id, conversation_id, seq: 0 };
    Ok(work.app.store.link(&link).await?)
}

/// The visitor's name and what tells two of one name apart.
fn title(work: &Work<'_, '_>) -> String {
    const MARK: usize = 4;
    let mark: String =
        work.conversation.conversation_id.chars().filter(char::is_ascii_alphanumeric).take(MARK).collect();
    let room = topic::MAX_TITLE - MARK - 2;
    let (mut units, name) = (0, &work.conversation.visitor_name);
    let name: String = name
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .take_while(|c| {
            units += c.len_utf16();
            units <= room
        })
        .collect();
    format!("{name} #{mark}")
}

async fn announce(work: &mut Work<'_, '_>) -> Result<(), Trouble> {
    // A topic whose maker died before linking it is linked now.
    if let Some(thread_id) = work.mirror.thread_id {
        link(work, thread_id).await?;
    }
    let (text, buttons) = (first_post(work), buttons(work));
    let text = split(&text).swap_remove(0);
    post(work, &text, Some(&buttons), 0).await?;
    work.mirror.is_announced = true;
    work.save().await
}

/// Who has come, from where, and where the panel is.
fn first_post(work: &Work<'_, '_>) -> Text {
    let conversation = work.conversation;
    let key = if work.mirror.thread_id.is_some() { "telegram.joined_topic" } else { "telegram.joined" };
    let mut text = work.text(key, &[("name", &conversation.visitor_name)]);
    if let Some(page_url) = &conversation.page_url {
        text.add(&Text::plain(page_url));
    }
    if let Some(locale) = &conversation.locale {
        text.add(&work.text("telegram.language", &[("language", locale)]));
    }
    if let Some(country) = &conversation.country {
        text.add(&work.text("telegram.country", &[("country", country)]));
    }
    let link = format!("{}/admin?c={}", work.app.config.public_url, conversation.conversation_id);
    text.add(&work.text("telegram.open_in_panel", &[("link", &link)]));
    text
}

fn buttons(work: &Work<'_, '_>) -> Keyboard {
    let id = &work.conversation.conversation_id;
    let button = |act: &str| (work.text(&format!("telegram.button_{act}"), &[]).text, format!("{act}:{id}"));
    Keyboard::row(["claim", "close", "ban"].map(button))
}

/// Repeats what was said before, in as few posts as it takes.
async fn replay(work: &mut Work<'_, '_>) -> Result<(), Trouble> {
    let lines = work.lines_before(work.mirror.sent_seq).await?;
    let mut text = work.text("telegram.replayed", &[]);
    text.add(&parcel::told(&lines.iter().collect::<Vec<_>>()));
    let pieces = if lines.is_empty() { Vec::new() } else { split(&text) };
    for piece in pieces.iter().skip(work.mirror.pieces) {
        post(work, piece, None, 0).await?;
        work.mirror.pieces += 1;
        work.save().await?;
    }
    (work.mirror.is_replaying, work.mirror.pieces) = (false, 0);
    work.save().await
}

/// Shows the conversation's state by the topic's icon, and closes the topic anew that was made for a closed conversation.
/// Nobody waits for that: while others wait it is left out and done with the next event, while the limits are near it is put off.
pub(super) async fn trim(work: &mut Work<'_, '_>, alone: bool) -> Result<(), Trouble> {
    let Some(thread_id) = work.mirror.thread_id.filter(|_| alone && work.mirror.is_announced) else { return Ok(()) };
    let (chat_id, telegram, app) = (work.mirror.chat_id, work.gate.telegram, work.app);
    let state = icons::state(work.conversation);
    if work.mirror.icon != state {
        let done = match icons::icon(app, work.gate, state).await {
            Ok(Some(icon)) => {
                work.gate.ask(chat_id, Urgency::Spare, telegram.set_topic_icon(chat_id, thread_id, &icon)).await
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if trimmed(done)? {
            work.mirror.icon = state.into();
        }
    }
    if work.conversation.status == Status::Closed && !work.mirror.is_closed {
        let done = work.gate.ask(chat_id, Urgency::Spare, telegram.close_topic(chat_id, thread_id)).await;
        work.mirror.is_closed = trimmed(done)?;
    }
    Ok(())
}

/// Whether it was done. It waits for its turn like what people wrote; that Telegram refused it holds nothing up.
fn trimmed(done: Result<(), TelegramError>) -> Result<bool, Trouble> {
    match done {
        Ok(()) => Ok(true),
        Err(TelegramError::Store(error)) => Err(error.into()),
        Err(TelegramError::Paced { until }) => Err(Trouble::Hold(until)),
        Err(error) => {
            tracing::debug!(%error, "a topic was not trimmed");
            Ok(false)
        }
    }
}
