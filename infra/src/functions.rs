//! The functions behind the routes, and what happens when one of them fails.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use futures::FutureExt;
use lambda_http::{Body, Request, Response};
use shared::{App, Error};

/// Runs a function by the name of its binary, as `template.yaml` gives it.
#[async_trait]
pub trait Functions: Send + Sync {
    /// A function behind a route of the WebSocket API.
    async fn socket(&self, function: &str, event: ApiGatewayWebsocketProxyRequest) -> ApiGatewayProxyResponse;
    /// A function behind a route of the HTTP API.
    async fn http(&self, function: &str, request: Request) -> Response<Body>;
}

/// The functions of this workspace, called in process.
pub struct InProcess(pub Arc<App>);

#[async_trait]
impl Functions for InProcess {
    async fn socket(&self, function: &str, event: ApiGatewayWebsocketProxyRequest) -> ApiGatewayProxyResponse {
        match function {
            "connect" => connect::handle(&self.0, event).await,
            "message" => message::handle(&self.0, event).await,
            "disconnect" => disconnect::handle(&self.0, event).await,
            _ => {
                let mut response = ApiGatewayProxyResponse::default();
                response.status_code = 502;
                response
            }
        }
    }

    async fn http(&self, function: &str, request: Request) -> Response<Body> {
        match function {
            "visitor" => visitor::handle(&self.0, request).await,
            "admin" => admin::handle(&self.0, request).await,
            "telegram" => telegram::handle(&self.0, request).await,
            _ => {
                let mut response = Response::new(Body::Empty);
                *response.status_mut() = axum::http::StatusCode::BAD_GATEWAY;
                response
            }
        }
    }
}

/// Why a function gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It took longer than API Gateway waits.
    TimedOut,
    /// It panicked.
    Panicked,
}

impl Failure {
    /// The failure in the contract's words.
    pub(crate) fn error(self) -> Error {
        match self {
            Self::TimedOut => Error::Unavailable("a function took too long".into()),
            Self::Panicked => Error::internal("a function panicked"),
        }
    }
}

/// Waits for a function as API Gateway does: so long and no longer, and whatever becomes of it.
pub(crate) async fn guarded<T>(limit: Duration, run: impl Future<Output = T>) -> Result<T, Failure> {
    tokio::time::timeout(limit, caught(run)).await.unwrap_or(Err(Failure::TimedOut))
}

/// Keeps a panic from ending more than the work that panicked.
pub(crate) async fn caught<T>(run: impl Future<Output = T>) -> Result<T, Failure> {
    AssertUnwindSafe(run).catch_unwind().await.map_err(|_| Failure::Panicked)
}
