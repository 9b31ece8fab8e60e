//! `$default`: one frame in, one rule called, at most one answer to its sender.

mod admin;
mod visitor;

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use shared::connections::Frame;
use shared::model::Side;
use shared::socket::{SocketCall, accepted};
use shared::wire::{ErrorFrame, FRAME_BYTES, Incoming, Outgoing};
use shared::{App, Error};

/// Handles a frame. Errors go to the sender as `error` frames; the connection stays open.
pub async fn handle(app: &App, event: ApiGatewayWebsocketProxyRequest) -> ApiGatewayProxyResponse {
    let call = SocketCall::new(event);
    let mut client_id = None;
    if let Err(error) = act(app, &call, &mut client_id).await {
        error.log(&call.request_id);
        let frame = ErrorFrame::new(&error, client_id.as_deref(), &call.request_id);
        if let Ok(frame) = Frame::new(&Outgoing::Error(frame)) {
            call.reply(app, &frame).await;
        }
    }
    accepted()
}

/// Decodes, finds out who speaks, calls the rule. Who that is stands in the connection's row: API Gateway's event of a
/// frame has no headers, and its address may be a proxy's.
/// `client_id` is filled as soon as it is known, for the error's sake.
async fn act(app: &App, call: &SocketCall, client_id: &mut Option<String>) -> Result<(), Error> {
    if call.body().len() > FRAME_BYTES {
        return Err(Error::MessageTooLarge { max: FRAME_BYTES });
    }
    let incoming = Incoming::parse(call.body())?;
    client_id.clone_from(&incoming.client_id);
    let connection = app.store.connection(&call.connection_id, app.now()).await?.ok_or(Error::NotJoined)?;
    let answer = match &connection.side {
        Side::Visitor { conversation_id } => {
            visitor::act(app, &incoming, &connection, conversation_id.as_deref()).await?
        }
        Side::Admin { session_id } => admin::act(app, &incoming, &connection, session_id).await?,
    };
    if let Some(frame) = answer {
        call.reply(app, &frame).await;
    }
    Ok(())
}
