//! Delivers events: to Telegram, and to the store of files. Idempotent; an event is acknowledged only after success.

mod conversation;
mod erased;
mod fetch;
mod group;
mod lane;
mod parcel;
mod status;
mod stream;
mod visitor;

use serde::Serialize;
use shared::event::Lane;
use shared::store::Pending;
use shared::time::{Timestamp, backoff};
use shared::{App, Error};

pub use stream::stream;

/// Events taken at once.
const BATCH: i64 = 50;

/// What one step of a lane brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Drained {
    /// Events delivered.
    pub delivered: usize,
    /// Events that failed and wait for another try.
    pub postponed: usize,
    /// When to look again although nothing new came.
    #[serde(skip)]
    pub next: Option<Timestamp>,
}

impl Drained {
    fn postpone_until(&mut self, until: Timestamp) {
        self.postponed += 1;
        self.next = Some(self.next.map_or(until, |next| next.min(until)));
    }

    /// More may have come while the step ran.
    fn or_at_once(mut self, now: Timestamp) -> Self {
        if self.delivered > 0 && self.next.is_none() {
            self.next = Some(now);
        }
        self
    }
}

/// Drains both lanes until nothing is due; for a function that a schedule invokes.
pub async fn handle(app: &App) -> Result<Vec<Drained>, Error> {
    let mut reports = Vec::new();
    for lane in [Lane::Files, Lane::Telegram] {
        let mut total = Drained::default();
        loop {
            let step = drain(app, lane).await?;
            total.delivered += step.delivered;
            total.postponed += step.postponed;
            if step.delivered == 0 {
                break;
            }
        }
        reports.push(total);
    }
    Ok(reports)
}

/// One step: delivers what is due in a lane, in order, and tells when to look again.
///
/// An event that fails holds up its own conversation; what all would meet holds up the lane or what goes to one chat, the
/// events that come meanwhile included. Nothing is given up, but for a message that Telegram will never take.
pub async fn drain(app: &App, lane: Lane) -> Result<Drained, Error> {
    match lane {
        Lane::Files => files(app).await,
        Lane::Telegram => lane::step(app).await,
    }
}

async fn files(app: &App) -> Result<Drained, Error> {
    let mut report = Drained::default();
    let mut erased = Vec::new();
    for pending in app.store.due(Lane::Files, app.now(), BATCH).await? {
        match erase(app, &pending.event.conversation_id).await {
            Ok(()) => erased.push(pending),
            Err(error) => report.postpone_until(postpone(app, Lane::Files, &pending, &error).await?),
        }
    }
    app.store.delivered(Lane::Files, &erased).await?;
    report.delivered = erased.len();
    Ok(report.or_at_once(app.now()))
}

/// Erases the files of a conversation that is gone. Both lanes do: one at once, whatever becomes of Telegram, and
/// Telegram's after the last file that it was fetching when the conversation went.
async fn erase(app: &App, conversation_id: &str) -> Result<(), Error> {
    match &app.attachments {
        Some(attachments) => attachments.erase(conversation_id).await,
        None => Ok(()),
    }
}

/// Notes that an event failed for its own sake; it waits longer each time.
async fn postpone(app: &App, lane: Lane, pending: &Pending, cause: &Error) -> Result<Timestamp, Error> {
    let pause = backoff(pending.tries);
    let until = app.now().plus(pause);
    app.store.postpone(lane, pending, until).await?;
    let conversation_id = &pending.event.conversation_id;
    tracing::warn!(conversation_id, tries = pending.tries + 1, pause, cause = %cause.cause(), "not delivered");
    Ok(until)
}
