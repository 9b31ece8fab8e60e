//! How requests travel: by the client beneath `reqwest`, whose redirects, cookies and URLs the SDK has no use for.

use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, Uri};
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
        // Its state is some kilobytes, which every future above would hold in itself.
        let answer = tokio::time::timeout(self.attempt, Box::pin(answer(&self.client, request))).await;
        answer.map_err(|late| ConnectorError::timeout(late.into()))?.map_err(ConnectorError::io)
    }
}

async fn answer(client: &HttpClient, request: Request<Full<Bytes>>) -> Result<HttpResponse, BoxError> {
    let (parts, body) = client.request(request).await?.into_parts();
    let body = SdkBody::from(body.collect().await?.to_bytes());
    Ok(HttpResponse::try_from(Response::from_parts(parts, body))?)
}

/// Where a service is.
#[derive(Debug)]
pub(super) struct Address {
    scheme: Scheme,
    authority: Authority,
    host: HeaderValue,
    /// What its paths begin with, without a slash at the end.
    path: String,
}

impl Address {
    pub(super) fn of(url: &str) -> Result<Self, BoxError> {
        let parts = url.parse::<Uri>()?.into_parts();
        let authority = parts.authority.ok_or("an address without a host")?;
        Ok(Self {
            scheme: parts.scheme.ok_or("an address without a scheme")?,
            host: HeaderValue::from_str(authority.as_str())?,
            authority,
            path: parts.path_and_query.map(|path| path.path().trim_end_matches('/').to_owned()).unwrap_or_default(),
        })
    }

    /// What an operation has written, with where it goes.
    pub(super) fn on(&self, request: HttpRequest) -> Result<Request<Bytes>, BoxError> {
        let (mut head, body) = request.try_into_http1x()?.into_parts();
        let mut uri = head.uri.into_parts();
        uri.scheme = Some(self.scheme.clone());
        uri.authority = Some(self.authority.clone());
        if !self.path.is_empty() {
            let asked = uri.path_and_query.as_ref().map_or("/", PathAndQuery::as_str);
            uri.path_and_query = Some(PathAndQuery::try_from([&self.path, asked].concat())?);
        }
        head.uri = Uri::from_parts(uri)?;
        // Its signature is three more.
        head.headers.reserve(4);
        head.headers.insert(HOST, self.host.clone());
        let body = Bytes::copy_from_slice(body.bytes().ok_or("a body that is not in memory")?);
        Ok(Request::from_parts(head, body))
    }
}

/// A request as it is sent.
fn signed(signer: &Signer, request: Request<Bytes>) -> Result<Request<Full<Bytes>>, BoxError> {
    let (mut parts, body) = request.into_parts();
    let sent = Signed { method: parts.method.as_str(), path: parts.uri.path(), body: &body };
    signer.sign(&sent, &mut parts.headers, SystemClock.now())?;
    Ok(Request::from_parts(parts, Full::new(body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_below_the_path_of_its_service() {
        let paths = [
            ("https://abc.execute-api.eu-central-1.amazonaws.com/live", "/live/@connections/L0SM9c%3D"),
            ("https://abc.execute-api.eu-central-1.amazonaws.com/live/", "/live/@connections/L0SM9c%3D"),
            ("http://127.0.0.1:8000", "/@connections/L0SM9c%3D"),
        ];
        for (url, path) in paths {
            let mut request = HttpRequest::new(SdkBody::from("{}"));
            request.set_uri("/@connections/L0SM9c%3D").unwrap();

            let sent = Address::of(url).unwrap().on(request).unwrap();

            let at = url.parse::<Uri>().unwrap();
            assert_eq!((sent.uri().path(), sent.uri().scheme()), (path, at.scheme()), "{url}");
            assert_eq!(sent.uri().authority(), at.authority(), "{url}");
            assert_eq!(sent.headers()[HOST], at.authority().unwrap().as_str(), "{url}");
            assert_eq!(sent.body(), "{}");
        }
        for url in ["", "/live", "127.0.0.1:8000", "https://"] {
            assert!(Address::of(url).is_err(), "{url}");
        }
    }
}
