//! Telegram's lane, step by step: whose turn it is, and what becomes of those who have to wait.

use shared::event::{EventKind, Lane};
use shared::store::Pending;
use shared::telegram::chat::{Gate, all_paused_until, group_paused_until};
use shared::time::MINUTE;
use shared::{App, Error};

use crate::conversation::{self, Stop};
use crate::fetch::{self, Awaited};
use crate::{Drained, postpone};

const LANE: Lane = Lane::Telegram;
/// Events looked at in one step. What a visitor wrote meanwhile goes in one message as far as it is among them.
const WINDOW: i64 = 500;
/// Whoever waits for a pause of the chat leaves the window for so long at most, so that those behind them whom the pause
/// does not concern come into it; a pause that is lifted early is noticed with the next look.
const ASIDE: i64 = MINUTE;

/// The events of one conversation, in their order.
type Waiting = Vec<Pending>;

/// One step: everybody whose turn it is, the longest waiting first, until the chat takes no more.
pub(crate) async fn step(app: &App) -> Result<Drained, Error> {
    if let Some(until) = all_paused_until(app).await? {
        return Ok(Drained { next: Some(until), ..Drained::default() });
    }
    deliver(app).await
}

/// [`step`] for those who know that Telegram is not paused.
pub(crate) async fn deliver(app: &App) -> Result<Drained, Error> {
    let due = app.store.due(LANE, app.now(), WINDOW).await?;
    let mut report = Drained::default();
    if due.is_empty() {
        // Those who were set aside for a pause are due with its end.
        return Ok(Drained { next: group_paused_until(app).await?, ..report });
    }
    let Some(telegram) = &app.telegram else {
        // It has been switched off since.
        app.store.delivered(LANE, &due).await?;
        return Ok(Drained { delivered: due.len(), ..report });
    };
    let mut gate = Gate::open(app, telegram).await?;
    let (mut group_blocked, mut awaited) = (None, Vec::new());
    let queue = queue(due);
    for (index, waiting) in queue.iter().enumerate() {
        let alone = index + 1 == queue.len();
        let outcome = conversation::deliver(app, &mut gate, waiting, group_blocked, alone).await;
        app.store.delivered(LANE, &waiting[..outcome.done]).await?;
        report.delivered += outcome.done;
        awaited.extend(outcome.awaited);
        let Some(first) = waiting.get(outcome.done) else { continue };
        for stop in outcome.stops {
            match stop {
                Stop::Everything(until) => {
                    report.postpone_until(until);
                    return Ok(report.or_at_once(app.now()));
                }
                Stop::Group { until, paused } => {
                    report.postpone_until(until);
                    group_blocked = Some((until, paused));
                    if paused {
                        let aside = until.min(app.now().plus(ASIDE));
                        app.store.postpone(LANE, first, aside).await?;
                        report.postpone_until(aside);
                    }
                }
                Stop::Alone(until) => report.postpone_until(until),
                Stop::Failed(error) => report.postpone_until(postpone(app, LANE, first, &error).await?),
            }
        }
        if gate.is_over() {
            report.postpone_until(app.now());
            break;
        }
    }
    files(app, &mut gate, awaited, &mut report).await?;
    Ok(report.or_at_once(app.now()))
}

/// Files come last: what people wrote does not wait for them.
async fn files(app: &App, gate: &mut Gate<'_>, awaited: Vec<Awaited>, report: &mut Drained) -> Result<(), Error> {
    for one in awaited {
        if gate.is_over() {
            report.postpone_until(app.now());
            break;
        }
        match fetch::fetch(app, gate, &one).await {
            None => {
                app.store.delivered(LANE, std::slice::from_ref(&one.pending)).await?;
                report.delivered += 1;
            }
            Some(until) => {
                app.store.postpone(LANE, &one.pending, until).await?;
                report.postpone_until(until);
            }
        }
    }
    Ok(())
}

/// The conversations that wait: those in which somebody wrote before those in which only something happened, and then by
/// their oldest event.
fn queue(due: Vec<Pending>) -> Vec<Waiting> {
    let mut queue: Vec<Waiting> = Vec::new();
    for pending in due {
        let id = &pending.event.conversation_id;
        match queue.iter_mut().find(|waiting| waiting[0].event.conversation_id == *id) {
            Some(waiting) => waiting.push(pending),
            None => queue.push(vec![pending]),
        }
    }
    queue.sort_by_key(|waiting| !waiting.iter().any(|one| one.event.kind == EventKind::MessageStored));
    queue
}
