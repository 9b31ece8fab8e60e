//! WebSocket events at the edge: what a handler needs of one, and how it answers.

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use aws_lambda_events::encodings::Body;

use crate::app::App;
use crate::config::client_ip;
use crate::connections::{Frame, Sent};
use crate::error::Error;

/// An event of API Gateway's WebSocket API, with who is calling.
pub struct SocketCall {
    /// Which socket.
    pub connection_id: String,
    /// The client's address.
    pub ip: String,
    /// Names this event in logs and errors.
    pub request_id: String,
    /// The event itself.
    pub event: ApiGatewayWebsocketProxyRequest,
}

impl SocketCall {
    /// Finds out who is calling.
    pub fn new(app: &App, event: ApiGatewayWebsocketProxyRequest) -> Self {
        let context = &event.request_context;
        let peer = context.identity.source_ip.clone().unwrap_or_default();
        let forwarded = header(&event, "x-forwarded-for").unwrap_or_default();
        Self {
            connection_id: context.connection_id.clone().unwrap_or_default(),
            ip: client_ip(&peer, forwarded, &app.config.trusted_proxies),
            request_id: context.request_id.clone().unwrap_or_else(crate::id::sortable_id),
            event,
        }
    }

    /// A header of the upgrade request, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.event, name)
    }

    /// A query parameter of the upgrade request.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.event.query_string_parameters.first(name)
    }

    /// The frame's text.
    pub fn body(&self) -> &str {
        self.event.body.as_deref().unwrap_or_default()
    }

    /// Sends a frame to the calling socket alone. One that is gone needs no answer.
    pub async fn reply(&self, app: &App, frame: &Frame) -> Sent {
        app.connections.send(&self.connection_id, frame).await
    }
}

fn header<'a>(event: &'a ApiGatewayWebsocketProxyRequest, name: &str) -> Option<&'a str> {
    event.headers.get(name).and_then(|value| value.to_str().ok())
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
    let body = serde_json::json!({"error": error.code(), "detail": error.to_string(), "request_id": request_id});
    let mut response = ApiGatewayProxyResponse::default();
    response.status_code = error.status().into();
    response.headers.insert("content-type", http::HeaderValue::from_static("application/json"));
    if let Some(wait) = error.retry_after_ms() {
        response.headers.insert("retry-after", http::HeaderValue::from((wait + 999) / 1_000));
    }
    response.body = Some(Body::Text(body.to_string()));
    response
}
