//! `$default`: one frame in, one rule called, at most one answer to its sender.

mod admin;
mod visitor;

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use shared::connections::Frame;
use shared::model::Side;
use shared::socket::{SocketFrame, accepted};
use shared::wire::{ErrorFrame, FRAME_BYTES, Incoming, Outgoing};
use shared::{App, Error};

/// Handles a frame. Errors go to the sender as `error` frames; the connection stays open.
pub fn handle(
    app: &App,
    event: ApiGatewayWebsocketProxyRequest,
) -> impl Future<Output = ApiGatewayProxyResponse> + Send {
    // An event is large, and what a future was given it keeps.
    let frame = SocketFrame::new(event);
    async move {
        let mut client_id = None;
        if let Err(error) = act(app, &frame, &mut client_id).await {
            error.log(&frame.request_id);
            let answer = ErrorFrame::new(&error, client_id.as_deref(), &frame.request_id);
            if let Ok(answer) = Frame::new(&Outgoing::Error(answer)) {
                frame.reply(app, &answer).await;
            }
        }
        accepted()
    }
}

/// Decodes, finds out who speaks, calls the rule. Who that is stands in the connection's row: API Gateway's event of a
/// frame has no headers, and its address may be a proxy's.
/// `client_id` is filled as soon as it is known, for the error's sake.
async fn act(app: &App, frame: &SocketFrame, client_id: &mut Option<String>) -> Result<(), Error> {
    if frame.text.len() > FRAME_BYTES {
        return Err(Error::MessageTooLarge { max: FRAME_BYTES });
    }
    let incoming = Incoming::parse(&frame.text)?;
    client_id.clone_from(&incoming.client_id);
    let (id, now) = (&frame.connection_id, app.now());
    let connection = match incoming.kind.as_deref() {
        Some("message" | "admin_message") => app.store.recent_connection(id, now).await?,
        _ => app.store.connection(id, now).await?,
    };
    let connection = connection.ok_or(Error::NotJoined)?;
    let answer = match &connection.side {
        Side::Visitor { conversation_id } => {
            visitor::act(app, &incoming, &connection, conversation_id.as_deref()).await?
        }
        Side::Admin { session_id } => Box::pin(admin::act(app, &incoming, &connection, session_id)).await?,
    };
    if let Some(answer) = answer {
        frame.reply(app, &answer).await;
    }
    Ok(())
}
