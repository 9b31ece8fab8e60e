//! WebSocket events at the edge: what a handler needs of one, and how it answers.

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use aws_lambda_events::encodings::Body;

use crate::app::App;
use crate::connections::{Frame, Sent};
use crate::error::Error;
use crate::front;

/// An event of API Gateway's WebSocket API, with who is calling.
pub struct SocketCall {
    /// Which socket.
    pub connection_id: String,
    /// Names this event in logs and errors.
    pub request_id: String,
    /// The event itself.
    pub event: ApiGatewayWebsocketProxyRequest,
}

impl SocketCall {
    /// Finds out who is calling.
    pub fn new(mut event: ApiGatewayWebsocketProxyRequest) -> Self {
        let context = &mut event.request_context;
        Self {
            connection_id: context.connection_id.take().unwrap_or_default(),
            request_id: context.request_id.take().unwrap_or_else(crate::id::sortable_id),
            event,
        }
    }

    /// The client's address, of an upgrade request.
    pub fn ip(&self, app: &App) -> String {
        let peer = self.event.request_context.identity.source_ip.as_deref().unwrap_or_default();
        front::client_ip(&app.config, peer, |name| self.header(name))
    }

    /// The country that the front saw an upgrade request come from.
    pub fn country(&self, app: &App) -> Option<&str> {
        front::country(&app.config, |name| self.header(name))
    }

    /// Refuses an upgrade request that went around the front.
    pub fn check_front(&self, app: &App) -> Result<(), Error> {
        front::check(&app.config, |name| self.header(name))
    }

    /// A header of the upgrade request, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.event.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A query parameter of the upgrade request.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.event.query_string_parameters.first(name)
    }
}

/// A frame from a socket: what a handler needs of its event.
pub struct SocketFrame {
    /// Which socket.
    pub connection_id: String,
    /// Names this event in logs and errors.
    pub request_id: String,
    /// What the client wrote.
    pub text: String,
}

impl SocketFrame {
    /// Takes it out of its event.
    pub fn new(event: ApiGatewayWebsocketProxyRequest) -> Self {
        let SocketCall { connection_id, request_id, event } = SocketCall::new(event);
        Self { connection_id, request_id, text: event.body.unwrap_or_default() }
    }

    /// Sends a frame to the calling socket alone. One that is gone needs no answer.
    pub async fn reply(&self, app: &App, frame: &Frame) -> Sent {
        app.connections.send(&self.connection_id, frame).await
    }
}

/// The answer that lets an upgrade complete or ends an event well.
pub fn accepted() -> ApiGatewayProxyResponse {
    let mut response = ApiGatewayProxyResponse::default();
    response.status_code = 200;
    response
}

/// The answer that refuses an upgrade, with the error in the contract's shape.
pub fn refused(error: &Error, request_id: &str) -> ApiGatewayProxyResponse {
    error.log(request_id);
    let mut response = ApiGatewayProxyResponse::default();
    response.status_code = error.status().into();
    response.headers.insert("content-type", http::HeaderValue::from_static("application/json"));
    if let Some(seconds) = error.retry_after_seconds() {
        response.headers.insert("retry-after", http::HeaderValue::from(seconds));
    }
    response.body = Some(Body::Text(error.body(request_id)));
    response
}
