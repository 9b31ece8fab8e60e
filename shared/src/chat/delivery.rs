//! Pushing frames, and what the end of a socket means.

use crate::app::App;
use crate::connections::{Frame, send_all};
use crate::error::Error;
use crate::model::Side;
use crate::time::SECOND;
use crate::wire::Outgoing;

/// A row may stand so long before its upgrade completes; until then the platform knows no such connection.
const UPGRADE_GRACE: i64 = 10 * SECOND;

/// Sends a frame to sockets, returns when every send has ended, and forgets those that are gone.
pub async fn push(app: &App, connection_ids: &[String], frame: &Frame) -> Result<(), Error> {
    let mut gone = send_all(&*app.connections, connection_ids, frame).await;
    // Telling others of one who left may find the next who left.
    while let Some(connection_id) = gone.pop() {
        let now = app.now();
        let row = app.store.connection(&connection_id, now).await?;
        if row.is_some_and(|row| now.since(row.connected_at) > UPGRADE_GRACE) {
            // Boxed, since hardly any push comes here and each holds the room for it.
            gone.extend(Box::pin(forget(app, &connection_id)).await?);
        }
    }
    Ok(())
}

/// Forgets a socket that has ended and tells those whom its absence concerns.
pub async fn left(app: &App, connection_id: &str) -> Result<(), Error> {
    let mut gone = vec![connection_id.to_owned()];
    while let Some(connection_id) = gone.pop() {
        gone.extend(forget(app, &connection_id).await?);
    }
    Ok(())
}

/// Tells every visitor how many admins are there now.
pub async fn push_admins_online(app: &App, admins_online: i64) -> Result<(), Error> {
    let visitors = app.store.visitor_connections(app.now()).await?;
    let frame =
        Frame::new(&Outgoing::Presence { conversation_id: None, online: None, admins_online: Some(admins_online) })?;
    send_all(&*app.connections, &visitors, &frame).await;
    Ok(())
}

/// Tells every admin whether a visitor is there.
pub async fn push_visitor_presence(app: &App, conversation_id: &str, online: bool) -> Result<Vec<String>, Error> {
    let admins = app.store.admin_connections(app.now()).await?;
    let conversation_id = Some(conversation_id);
    let frame = Frame::new(&Outgoing::Presence { conversation_id, online: Some(online), admins_online: None })?;
    Ok(send_all(&*app.connections, &admins, &frame).await)
}

async fn forget(app: &App, connection_id: &str) -> Result<Vec<String>, Error> {
    let now = app.now();
    let Some(ended) = app.store.disconnect(connection_id, now).await?.filter(|ended| ended.last) else {
        return Ok(Vec::new());
    };
    match ended.connection.side {
        Side::Visitor { conversation_id: Some(conversation_id) } => {
            push_visitor_presence(app, &conversation_id, false).await
        }
        Side::Visitor { conversation_id: None } => Ok(Vec::new()),
        Side::Admin { .. } => {
            // Visitors see whether anybody is there, so only the last one's leaving is news.
            if app.store.admins_online(now).await? == 0 {
                push_admins_online(app, 0).await?;
            }
            Ok(Vec::new())
        }
    }
}
