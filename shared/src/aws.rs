//! What both AWS clients are built from: who we are, where, and how bytes travel. Nothing is probed for: Lambda sets all of
//! it, and a local server needs none of it.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::config::AwsEnvironment;
use crate::outgoing;

/// Connecting is part of an attempt; what an attempt may take, its caller says.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Longer than any attempt.
const TIMEOUT: Duration = Duration::from_secs(30);
/// What a local server is told, which believes anything.
const NOBODY: &str = "local";

/// The parts of a client.
pub(crate) struct Aws {
    /// How bytes travel: by the client that calls Telegram too, so that a bootstrap holds one HTTP and one TLS stack.
    pub(crate) http: SharedHttpClient,
    /// What requests are signed with.
    pub(crate) credentials: Credentials,
    /// Where.
    pub(crate) region: String,
}

impl Aws {
    /// Reads what Lambda sets; `local` fills in what is missing.
    pub(crate) fn from_env(local: bool) -> Result<Self, String> {
        let found = identity(local)?;
        let credentials =
            Credentials::new(found.access_key_id, found.secret_access_key, found.session_token, None, "environment");
        let client = outgoing::client(CONNECT_TIMEOUT, TIMEOUT).and_then(|c| c.build().map_err(crate::Error::internal));
        let connector = SharedHttpConnector::new(Http(client.map_err(|error| error.to_string())?));
        let http = http_client_fn(move |_, _| connector.clone());
        Ok(Self { http, credentials, region: found.region })
    }
}

/// Who we are and where: what Lambda sets; `local` fills in what is missing.
pub(crate) fn identity(local: bool) -> Result<AwsEnvironment, String> {
    match AwsEnvironment::from_env() {
        Err(_) if local => Ok(AwsEnvironment {
            access_key_id: NOBODY.into(),
            secret_access_key: NOBODY.into(),
            session_token: None,
            region: "us-east-1".into(),
        }),
        found => found,
    }
}

/// A limit for one attempt, and one for all attempts together.
pub(crate) fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(attempt)
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}

#[derive(Debug)]
struct Http(reqwest::Client);

impl HttpConnector for Http {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move { call(&client, request).await })
    }
}

async fn call(client: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    let body = body.bytes().ok_or_else(|| ConnectorError::user("a body that is not in memory".into()))?.to_vec();
    let request = http::Request::from_parts(parts, body).try_into();
    let request: reqwest::Request = request.map_err(|error: reqwest::Error| ConnectorError::user(error.into()))?;
    let answer = client.execute(request).await.map_err(no_answer)?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = http::Response::new(SdkBody::from(answer.bytes().await.map_err(no_answer)?));
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
}

/// The URL stays out of logs: it may hold what a client sent.
fn no_answer(error: reqwest::Error) -> ConnectorError {
    let error = error.without_url();
    if error.is_timeout() { ConnectorError::timeout(error.into()) } else { ConnectorError::io(error.into()) }
}
