//! Conversations that are gone: their files go, and their topics too, or stay closed, as `TELEGRAM_ON_DELETE` says.

use shared::App;
use shared::config::OnDelete;
use shared::event::EventKind;
use shared::store::Pending;
use shared::telegram::TelegramError;
use shared::telegram::chat::{Gate, Urgency};
use shared::telegram::topic;
use shared::time::Timestamp;

use crate::conversation::{Outcome, Stop, stop};
use crate::erase;

/// What else waits of a conversation that has been erased is not told.
pub(crate) async fn deliver(
    app: &App,
    gate: &mut Gate<'_>,
    waiting: &[Pending],
    group_blocked: Option<(Timestamp, bool)>,
) -> Outcome {
    let place = waiting.iter().position(|pending| pending.event.kind == EventKind::ConversationDeleted);
    let Some(place) = place else { return Outcome::new(waiting.len(), Vec::new()) };
    let until_then = |stop| Outcome::new(place, vec![stop]);
    let event = &waiting[place].event;
    if let Err(error) = erase(app, &event.conversation_id).await {
        return until_then(Stop::Failed(error));
    }
    let ended = match (event.seq, group_blocked) {
        (0, _) => Ok(()),
        (_, Some((until, paused))) => return until_then(Stop::Group { until, paused }),
        (thread_id, None) => end_topic(app, gate, &event.conversation_id, thread_id).await,
    };
    match ended {
        Ok(()) => Outcome::new(waiting.len(), Vec::new()),
        Err(error) => until_then(stop(error.into(), app.now(), true)),
    }
}

/// A topic that cannot be deleted for want of a right is closed meanwhile.
async fn end_topic(app: &App, gate: &mut Gate<'_>, conversation_id: &str, thread_id: i64) -> Result<(), TelegramError> {
    let (chat_id, telegram) = (gate.chat_id, gate.telegram);
    // Its own links may still be there, where the event comes before the last row has gone.
    let linked = app.store.linked(chat_id, thread_id).await?;
    if linked.is_some_and(|link| link.conversation_id != conversation_id) {
        // In a chat that came after, this number is another conversation's.
        return Ok(());
    }
    let on_delete = app.config.telegram.as_ref().map_or(OnDelete::Delete, |telegram| telegram.on_delete);
    let ended = match on_delete {
        OnDelete::Close => gate.ask(chat_id, Urgency::Aside, telegram.close_topic(chat_id, thread_id)).await,
        OnDelete::Delete => gate.ask(chat_id, Urgency::Aside, telegram.delete_topic(chat_id, thread_id)).await,
    };
    match ended {
        // It is gone, or was of another chat, or of a group that has no topics any more.
        Err(error) if topic::is_gone(&error) || topic::is_no_forum(&error) => Ok(()),
        Err(error) if error.bad_request().is_some() => {
            if on_delete == OnDelete::Delete {
                gate.ask(chat_id, Urgency::Aside, telegram.close_topic(chat_id, thread_id)).await?;
            }
            gate.lacks_a_right(&error).await?;
            Err(error)
        }
        ended => ended,
    }
}
