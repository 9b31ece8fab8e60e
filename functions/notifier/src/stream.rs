//! Where events come by a table's stream: files of what was deleted are erased at once, and what happened is put into Telegram's
//! lane, which is then drained.

use aws_lambda_events::dynamodb::{self, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use shared::event::stream::{Told, told, wake};
use shared::event::{Event, EventKind, Lane};
use shared::id::sortable_id;
use shared::telegram::chat::all_paused_until;
use shared::time::SECOND;
use shared::{App, Error};

use crate::lane;

/// Telegram's lane is ours for so long, which is one step's: its 5 s, a call's 25 s, and as much again for a slow store.
const LEASE: i64 = 60 * SECOND;
/// No step begins after so long; the rest is left to the next run.
const RUN: i64 = 25 * SECOND;

/// Handles a batch of records; answers those that must come again.
///
/// What failed at Telegram does not: it waits in the lane, and the lane is woken until it is empty.
pub async fn stream(app: &App, event: dynamodb::Event) -> DynamoDbEventResponse {
    let mut response = DynamoDbEventResponse::default();
    let mut lane_matters = false;
    for record in &event.records {
        let taken = match told(record) {
            Told::Happened(event, place) => take(app, &event, place).await,
            Told::Wake => Ok(()),
            Told::Nothing => continue,
        };
        lane_matters = true;
        if let Err(error) = taken {
            error.log(&record.event_id);
            response.batch_item_failures.push(failure(record));
        }
    }
    if lane_matters
        && app.telegram.is_some()
        && let Err(error) = telegram(app).await
        && let Some(last) = event.records.last()
    {
        error.log(&last.event_id);
        // All of them wait in the lane; one is enough to come back for it.
        response.batch_item_failures.push(failure(last));
    }
    response
}

async fn take(app: &App, event: &Event, place: i64) -> Result<(), Error> {
    if event.kind == EventKind::ConversationDeleted {
        super::erase(app, &event.conversation_id).await?;
    }
    if app.telegram.is_some() {
        app.store.accept(Lane::Telegram, event, place).await?;
    }
    Ok(())
}

/// Drains Telegram's lane. Of all functions that run only one does; the others see to it that somebody looks again.
async fn telegram(app: &App) -> Result<(), Error> {
    if all_paused_until(app).await?.is_some() {
        return ask_to_be_woken(app).await;
    }
    let (started, owner) = (app.now(), sortable_id());
    let name = format!("outbox:{}", Lane::Telegram.as_str());
    loop {
        let now = app.now();
        if !app.store.lease(&name, &owner, now, now.plus(LEASE)).await? {
            return ask_to_be_woken(app).await;
        }
        let step = lane::deliver(app).await;
        let now = app.now();
        app.store.lease(&name, &owner, now, now).await?;
        let delivered = step?.delivered;
        // Looked at after the lane was given back: whoever found it taken before relies on it.
        let (waiting, _) = app.store.backlog(Lane::Telegram).await?;
        match (waiting, delivered) {
            (0, _) => return Ok(()),
            (_, 0) => return ask_to_be_woken(app).await,
            _ if now.since(started) > RUN => return ask_to_be_woken(app).await,
            _ => {}
        }
    }
}

async fn ask_to_be_woken(app: &App) -> Result<(), Error> {
    let (name, now) = (wake(Lane::Telegram), app.now());
    app.store.lease(&name, &name, now, now.plus(LEASE)).await?;
    Ok(())
}

fn failure(record: &EventRecord) -> DynamoDbBatchItemFailure {
    let mut failure = DynamoDbBatchItemFailure::default();
    failure.item_identifier.clone_from(&record.change.sequence_number);
    failure
}
