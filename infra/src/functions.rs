//! The functions behind the routes, and what happens when one of them fails.

use std::future::{Future, ready};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayV2httpRequest, ApiGatewayWebsocketProxyRequest};
use aws_lambda_events::dynamodb;
use aws_lambda_events::streams::DynamoDbEventResponse;
use futures::FutureExt;
use futures::future::BoxFuture;
use lambda_http::request::LambdaRequest;
use lambda_http::{Body, Response};
use shared::{App, Error};

/// Runs a function by the name of its binary, as `template.yaml` gives it.
#[async_trait]
pub trait Functions: Send + Sync {
    /// A function behind a route of the WebSocket API. What is answered need not hold the event, which is large.
    fn socket<'a>(
        &'a self,
        function: &'a str,
        event: ApiGatewayWebsocketProxyRequest,
    ) -> BoxFuture<'a, Result<ApiGatewayProxyResponse, Failure>>;
    /// A function behind a route of the HTTP API.
    async fn http(&self, function: &str, event: ApiGatewayV2httpRequest) -> Result<Response<Body>, Failure>;
    /// The same, for a function that can answer piece by piece.
    async fn streamed(
        &self,
        function: &str,
        event: ApiGatewayV2httpRequest,
    ) -> Result<Response<axum::body::Body>, Failure> {
        Ok(self.http(function, event).await?.map(in_one_piece))
    }
    /// The function behind the table's stream; answers the records that must come again.
    async fn stream(&self, function: &str, batch: dynamodb::Event) -> Result<DynamoDbEventResponse, Failure>;
    /// The function behind the schedule.
    async fn schedule(&self, function: &str) -> Result<(), Failure>;
}

/// The functions of this workspace, called in process.
pub struct InProcess(pub Arc<App>);

#[async_trait]
impl Functions for InProcess {
    fn socket<'a>(
        &'a self,
        function: &'a str,
        event: ApiGatewayWebsocketProxyRequest,
    ) -> BoxFuture<'a, Result<ApiGatewayProxyResponse, Failure>> {
        match function {
            "connect" => Box::pin(connect::handle(&self.0, event).map(Ok)),
            "message" => Box::pin(message::handle(&self.0, event).map(Ok)),
            "disconnect" => Box::pin(disconnect::handle(&self.0, event).map(Ok)),
            _ => Box::pin(ready(Err(Failure::unknown(function)))),
        }
    }

    async fn http(&self, function: &str, event: ApiGatewayV2httpRequest) -> Result<Response<Body>, Failure> {
        let request = LambdaRequest::ApiGatewayV2(event).into();
        match function {
            "visitor" => Ok(visitor::handle(&self.0, request).await),
            "admin" => Ok(admin::handle(&self.0, request).await),
            "telegram" => Ok(telegram::handle(&self.0, request).await),
            _ => Err(Failure::unknown(function)),
        }
    }

    async fn streamed(
        &self,
        function: &str,
        event: ApiGatewayV2httpRequest,
    ) -> Result<Response<axum::body::Body>, Failure> {
        if function != "visitor" {
            return Ok(self.http(function, event).await?.map(in_one_piece));
        }
        let request = LambdaRequest::ApiGatewayV2(event).into();
        Ok(visitor::answer(&self.0, request).await.map(|content| match content {
            visitor::Content::Whole(body) => in_one_piece(body),
            visitor::Content::Streamed(bytes) => axum::body::Body::from_stream(bytes),
        }))
    }

    async fn stream(&self, function: &str, batch: dynamodb::Event) -> Result<DynamoDbEventResponse, Failure> {
        match function {
            "notifier" => Ok(notifier::stream(&self.0, batch).await),
            _ => Err(Failure::unknown(function)),
        }
    }

    async fn schedule(&self, function: &str) -> Result<(), Failure> {
        match function {
            "maintenance" => maintenance::handle(&self.0).await.map(drop).map_err(Failure::Failed),
            _ => Err(Failure::unknown(function)),
        }
    }
}

pub(crate) fn in_one_piece(body: Body) -> axum::body::Body {
    match body {
        Body::Text(text) => text.into(),
        Body::Binary(bytes) => bytes.into(),
        _ => axum::body::Body::empty(),
    }
}

/// Why a function gave no answer.
#[derive(Debug)]
pub enum Failure {
    /// It took longer than API Gateway waits.
    TimedOut,
    /// It panicked.
    Panicked,
    /// It failed, or could not be called.
    Failed(Error),
}

impl Failure {
    fn unknown(function: &str) -> Self {
        Self::Failed(Error::internal(format!("there is no function {function:?} here")))
    }

    /// The failure in the contract's words.
    pub fn error(self) -> Error {
        match self {
            Self::TimedOut => Error::Unavailable("a function took too long".into()),
            Self::Panicked => Error::internal("a function panicked"),
            Self::Failed(error) => error,
        }
    }
}

/// Waits for a function as API Gateway does: so long and no longer, and whatever becomes of it.
pub(crate) async fn guarded<T>(limit: Duration, run: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::time::timeout(limit, caught(run)).await.unwrap_or(Ok(Err(Failure::TimedOut)))?
}

/// Keeps a panic from ending more than the work that panicked.
pub(crate) async fn caught<T>(run: impl Future<Output = T>) -> Result<T, Failure> {
    AssertUnwindSafe(run).catch_unwind().await.map_err(|_| Failure::Panicked)
}
