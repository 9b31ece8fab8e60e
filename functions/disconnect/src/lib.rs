//! `$disconnect`: best effort. What it misses, `expires_at` and the next failed push put right.

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use shared::socket::{SocketCall, accepted, refused};
use shared::{App, chat};

/// Forgets the socket and tells those whom its absence concerns.
pub async fn handle(app: &App, event: ApiGatewayWebsocketProxyRequest) -> ApiGatewayProxyResponse {
    let call = SocketCall::new(event);
    match chat::left(app, &call.connection_id).await {
        Ok(()) => accepted(),
        Err(error) => refused(&error, &call.request_id),
    }
}
