//! Files that people sent in Telegram: fetched from Telegram into the attachment store once their message is stored.
//!
//! A file that does not come keeps its event waiting, and with it for a few seconds what comes after it in its
//! conversation; what waits already goes first, and nobody else waits longer than one download takes.

use std::collections::BTreeMap;
use std::time::Duration;

use shared::attachments::{self, AttachmentStore, Kept, PutError};
use shared::event::EventKind;
use shared::model::{Attachment, AttachmentState, Message, Sender};
use shared::store::{Pending, StoreError};
use shared::telegram::chat::{Gate, Urgency};
use shared::telegram::media::Source;
use shared::telegram::send::Post;
use shared::telegram::text::Text;
use shared::telegram::{Telegram, TelegramError};
use shared::time::{MINUTE, SECOND, Timestamp, backoff};
use shared::{App, Error};

/// A slower download is given up and begun anew: the lane is ours for a minute, of which others want some.
const LONGEST_DOWNLOAD: Duration = Duration::from_secs(20);
/// After so long its sender had better send the file again.
const PATIENCE: i64 = 15 * MINUTE;
/// The longest pause between two tries; the conversation waits for it.
const LONGEST_PAUSE: i64 = 15 * SECOND;

/// A file that is to be fetched, and the event that waits for it.
pub(crate) struct Awaited {
    pub(crate) pending: Pending,
    /// The event's place among those of its conversation.
    pub(crate) index: usize,
    message: Message,
    attachment: Attachment,
}

/// Why a file is not there.
enum Missing {
    /// It will never be.
    Forever(&'static str),
    /// It may be.
    Yet(Later),
}

/// Why something is to be tried again.
enum Later {
    /// It failed.
    Failed(Error),
    /// Nothing goes to Telegram before this.
    Paused(Timestamp),
}

impl From<StoreError> for Later {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<TelegramError> for Later {
    fn from(error: TelegramError) -> Self {
        match error {
            TelegramError::Paused { until, .. } | TelegramError::Paced { until } => Self::Paused(until),
            error => Self::Failed(Error::Unavailable(error.into())),
        }
    }
}

impl From<Later> for Missing {
    fn from(later: Later) -> Self {
        Self::Yet(later)
    }
}

impl From<TelegramError> for Missing {
    fn from(error: TelegramError) -> Self {
        Self::Yet(error.into())
    }
}

/// The first of a conversation's events whose message has a file that is still to be fetched. `read`: the places of messages
/// that are known already, and those of them that have a file.
pub(crate) async fn first(
    app: &App,
    events: &[Pending],
    read: &BTreeMap<i64, Option<Message>>,
) -> Result<Option<Awaited>, Error> {
    let stored = || events.iter().filter(|pending| pending.event.kind == EventKind::MessageStored);
    let seqs = || stored().map(|pending| pending.event.seq);
    let (Some(from), Some(to)) = (seqs().min(), seqs().max()) else { return Ok(None) };
    let id = &events[0].event.conversation_id;
    let messages = if seqs().all(|seq| read.contains_key(&seq)) {
        read.range(from..=to).filter_map(|(_, message)| message.clone()).collect()
    } else {
        app.store.messages(id, from - 1, to + 1, false, to - from + 1).await?
    };
    for message in messages {
        let awaiting =
            |pending: &Pending| pending.event.kind == EventKind::MessageStored && pending.event.seq == message.seq;
        let Some(index) = events.iter().position(awaiting) else { continue };
        let named = message.file.as_ref().and_then(|file| attachments::id_in_url(id, &file.url));
        let Some(named) = named else { continue };
        let attachment = app.store.attachment(id, named).await?;
        if let Some(attachment) = attachment.filter(|found| found.state == AttachmentState::Waiting) {
            return Ok(Some(Awaited { pending: events[index].clone(), index, message, attachment }));
        }
    }
    Ok(None)
}

/// Fetches a file; answers when to try again if that did not work.
pub(crate) async fn fetch(app: &App, gate: &mut Gate<'_>, awaited: &Awaited) -> Option<Timestamp> {
    let Awaited { pending, message, attachment, .. } = awaited;
    let brought = match &app.attachments {
        Some(store) => bring(gate, store, attachment).await,
        None => Err(Missing::Forever("there is no attachment store")),
    };
    let late = app.now().since(pending.event.at) > PATIENCE;
    let done = match brought {
        Ok(kept) => keep(app, attachment, kept).await.map_err(Later::Failed),
        Err(Missing::Yet(Later::Failed(cause))) if late => {
            tracing::error!(attachment.conversation_id, attachment.id, cause = %cause.cause(), "a file is given up");
            fail(app, gate, message, attachment, "it could not be fetched in time").await
        }
        Err(Missing::Forever(reason)) => fail(app, gate, message, attachment, reason).await,
        Err(Missing::Yet(later)) => Err(later),
    };
    match done {
        Ok(()) => None,
        Err(Later::Paused(until)) => Some(until),
        Err(Later::Failed(cause)) => {
            let pause = backoff(pending.tries).min(LONGEST_PAUSE);
            tracing::warn!(attachment.conversation_id, attachment.id, pause, cause = %cause.cause(), "a file is not fetched");
            Some(app.now().plus(pause))
        }
    }
}

async fn bring(gate: &mut Gate<'_>, store: &AttachmentStore, attachment: &Attachment) -> Result<Kept, Missing> {
    let source = attachment.source.as_deref().and_then(Source::read);
    let source = source.ok_or(Missing::Forever("nothing says where it is"))?;
    let (telegram, chat_id) = (gate.telegram, gate.chat_id);
    let path = match gate.ask(chat_id, Urgency::Free, telegram.file_path(source.file_id)).await {
        Err(error) if error.bad_request().is_some_and(|words| words.contains("too big")) => {
            return Err(Missing::Forever("it is too large"));
        }
        path => path?,
    };
    let kept = tokio::time::timeout(LONGEST_DOWNLOAD, download(telegram, store, attachment, &path)).await;
    kept.map_err(|_| Later::Failed(Error::Unavailable("the download takes too long".into())))?
}

async fn download(
    telegram: &Telegram,
    store: &AttachmentStore,
    attachment: &Attachment,
    path: &str,
) -> Result<Kept, Missing> {
    let bytes = match telegram.download(path).await {
        Err(TelegramError::Refused { code: 404, .. }) => return Err(Missing::Forever("Telegram has it no more")),
        bytes => bytes?,
    };
    store.put(&attachment.conversation_id, &attachment.id, bytes).await.map_err(|error| match error {
        PutError::TooLarge => Missing::Forever("it is too large"),
        error => Later::Failed(Error::Unavailable(error.into())).into(),
    })
}

/// The file is there. Should its conversation have gone meanwhile, it goes too.
async fn keep(app: &App, attachment: &Attachment, kept: Kept) -> Result<(), Error> {
    let stored = Attachment {
        mime: kept.mime.to_owned(),
        size: i64::try_from(kept.size).unwrap_or(i64::MAX),
        state: AttachmentState::Stored,
        ..attachment.clone()
    };
    if app.store.put_attachment(&stored).await? { Ok(()) } else { crate::erase(app, &stored.conversation_id).await }
}

/// The file will never come: its sender is told, where they sent it.
async fn fail(
    app: &App,
    gate: &mut Gate<'_>,
    message: &Message,
    attachment: &Attachment,
    reason: &str,
) -> Result<(), Later> {
    let name = [("name", attachment.name.as_str())];
    let mut ids = message.client_id.rsplitn(3, '_').map(|id| id.parse::<i64>().ok());
    let (reply_to, own_chat) = (ids.next().flatten(), ids.next().flatten());
    let (chat_id, thread_id, text) = if let Some(own_chat) = own_chat.filter(|_| message.sender == Sender::Visitor) {
        let conversation = app.store.conversation(&message.conversation_id, app.now()).await?;
        let locale = conversation.and_then(|conversation| conversation.locale);
        (own_chat, None, app.catalogue.text(locale.as_deref(), "telegram.visitor.file_failed", &name))
    } else {
        let mirror = app.store.mirror(&attachment.conversation_id).await?;
        let text = app.catalogue.text(None, "telegram.file.failed", &name);
        (gate.chat_id, mirror.and_then(|mirror| mirror.thread_id), text)
    };
    let text = Text::plain(text);
    let post = Post { thread_id, reply_to, ..Post::new(&text) };
    match gate.post(chat_id, Urgency::Text, &post).await {
        Ok(_) => {}
        // It comes no more, whatever Telegram thinks of our saying so, or a visitor who will not have the bot any more.
        Err(error @ TelegramError::Refused { code: 400 | 403, .. }) => tracing::warn!(%error, "sender not told"),
        Err(error) => return Err(error.into()),
    }
    let failed = Attachment { state: AttachmentState::Failed(reason.to_owned()), ..attachment.clone() };
    app.store.put_attachment(&failed).await?;
    Ok(())
}
