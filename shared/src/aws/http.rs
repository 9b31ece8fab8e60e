//! How requests travel: by the client beneath `reqwest`, whose redirects, cookies and URLs the SDK has no use for.

use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as Tcp;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::sign::{Signed, Signer};
use crate::outgoing;
use crate::time::{Clock, SystemClock};

/// Connecting is part of an attempt; what an attempt may take, its caller says.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// A connection that has been idle for so long is closed; AWS closes its own earlier.
const IDLE: Duration = Duration::from_secs(90);

type HttpClient = Client<HttpsConnector<Tcp>, Full<Bytes>>;

#[derive(Debug)]
pub(super) struct Http {
    client: HttpClient,
    signer: Signer,
    attempt: Duration,
}

impl Http {
    pub(super) fn new(signer: Signer, attempt: Duration) -> crate::Result<Self> {
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let https = HttpsConnectorBuilder::new().with_tls_config(outgoing::tls()?).https_or_http().enable_http1();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(https.wrap_connector(tcp));
        Ok(Self { client, signer, attempt })
    }

    /// Signs a request, sends it once and waits for the whole answer.
    pub(super) async fn send(&self, request: Request<Bytes>) -> Result<HttpResponse, ConnectorError> {
        let request = signed(&self.signer, request).map_err(ConnectorError::user)?;
        let answer = tokio::time::timeout(self.attempt, answer(&self.client, request)).await;
        answer.map_err(|late| ConnectorError::timeout(late.into()))?.map_err(ConnectorError::io)
    }
}

async fn answer(client: &HttpClient, request: Request<Full<Bytes>>) -> Result<HttpResponse, BoxError> {
    let (parts, body) = client.request(request).await?.into_parts();
    let body = SdkBody::from(body.collect().await?.to_bytes());
    Ok(HttpResponse::try_from(Response::from_parts(parts, body))?)
}

/// What an operation has written, with where it goes.
pub(super) fn addressed(mut request: HttpRequest, endpoint: &str) -> Result<Request<Bytes>, BoxError> {
    request.uri_mut().set_endpoint(endpoint)?;
    let (mut parts, body) = request.try_into_http1x()?.into_parts();
    let host = parts.uri.authority().ok_or("an address without a host")?;
    parts.headers.insert(HOST, HeaderValue::from_str(host.as_str())?);
    let body = Bytes::copy_from_slice(body.bytes().ok_or("a body that is not in memory")?);
    Ok(Request::from_parts(parts, body))
}

/// A request as it is sent.
fn signed(signer: &Signer, request: Request<Bytes>) -> Result<Request<Full<Bytes>>, BoxError> {
    let (mut parts, body) = request.into_parts();
    let sent = Signed { method: parts.method.as_str(), path: parts.uri.path(), body: &body };
    signer.sign(&sent, &mut parts.headers, SystemClock.now())?;
    Ok(Request::from_parts(parts, Full::new(body)))
}
