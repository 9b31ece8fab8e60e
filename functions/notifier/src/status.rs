//! Telling admins what hinders a conversation's mirror, and that nothing does any more.

use shared::chat;
use shared::connections::Frame;
use shared::telegram::status;
use shared::time::{SECOND, Timestamp};
use shared::wire::Outgoing;
use shared::{App, Error};

use crate::conversation::{Stop, Work};

/// A shorter pause is nothing that admins need to know.
const TROUBLE: i64 = 5 * SECOND;

/// Tells that messages wait, once.
pub(crate) async fn hindered(work: &mut Work<'_, '_>, stop: &Stop) -> Result<(), Error> {
    let until = match stop {
        Stop::Everything(until) | Stop::Group { until, paused: true } => *until,
        _ => return Ok(()),
    };
    if work.mirror.is_troubled || until.since(work.app.now()) < TROUBLE {
        return Ok(());
    }
    work.mirror.is_troubled = true;
    show(work, Some(until)).await
}

/// Tells that messages arrive again.
pub(crate) async fn recovered(work: &mut Work<'_, '_>) -> Result<(), Error> {
    if !work.mirror.is_troubled || !work.has_posted {
        return Ok(());
    }
    work.mirror.is_troubled = false;
    show(work, None).await
}

/// Shows every admin how the conversation stands.
pub(crate) async fn show(work: &Work<'_, '_>, paused_until: Option<Timestamp>) -> Result<(), Error> {
    let app: &App = work.app;
    let status = status::of(&work.mirror, paused_until, work.conversation.visitor_chat_id.is_some());
    let conversation_id = work.conversation.conversation_id.as_str();
    let frame = Frame::new(&Outgoing::TelegramStatus { conversation_id, status: &status })?;
    chat::push(app, &app.store.admin_connections(app.now()).await?, &frame).await
}
