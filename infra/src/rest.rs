//! The HTTP API: a request becomes an event, a function's answer becomes a response.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http_body_util::BodyExt;
use shared::Error;

use crate::event::{self, HttpCall};
use crate::functions::{Failure, in_one_piece};
use crate::platform::{Caller, Platform};
use crate::template::HttpRoute;

/// How long a client may take to send a body.
const BODY_TIME: Duration = Duration::from_secs(20);
/// Of a body that is too large so much more is read and thrown away, so that the client gets to read the answer.
const MAX_WASTE: usize = 8 * 1024 * 1024;

/// Answers a request by the function behind `route`.
pub(crate) async fn call(
    platform: Arc<Platform>,
    route: Arc<HttpRoute>,
    proxy: Option<String>,
    caller: Caller,
    request: Request,
) -> Response {
    let request_id = event::request_id();
    let (parts, body) = request.into_parts();
    let body = match read(body, platform.config.max_request_size).await {
        Ok(body) => body,
        Err(error) => return refused(error, &request_id),
    };
    let domain = platform.domain(&parts.headers);
    let event = event::http(
        &HttpCall {
            request_id: &request_id,
            route_key: &route.key(),
            proxy: proxy.as_deref(),
            source_ip: &caller.ip.to_string(),
            scheme: if platform.is_https() { "https" } else { "http" },
            domain: &domain,
            now: platform.now(),
        },
        &parts,
        &body,
    );
    let span = tracing::info_span!("http", request_id, method = %parts.method, path = parts.uri.path());
    let run = async move {
        let answer = platform.functions.streamed(&route.function, event);
        platform.run(&route.function, true, span, answer).await
    };
    match tokio::spawn(run).await.unwrap_or(Err(Failure::Panicked)) {
        Ok(answer) => answer,
        Err(failure) => failed(failure, &request_id),
    }
}

/// Reads a body of at most `max` bytes.
pub(crate) async fn read(mut body: Body, max: usize) -> Result<Vec<u8>, Error> {
    let all = async {
        let (mut kept, mut size) = (Vec::new(), 0_usize);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Error::InvalidMessage("body: it ended early".into()))?;
            let Ok(data) = frame.into_data() else { continue };
            size = size.saturating_add(data.len());
            if size > max.saturating_add(MAX_WASTE) {
                break;
            }
            if size <= max {
                kept.extend_from_slice(&data);
            }
        }
        if size > max { Err(Error::MessageTooLarge { max }) } else { Ok(kept) }
    };
    let late = |_| Error::InvalidMessage("body: it did not arrive in time".into());
    tokio::time::timeout(BODY_TIME, all).await.map_err(late)?
}

/// The contract's answer to a function that gave none.
pub(crate) fn failed(failure: Failure, request_id: &str) -> Response {
    refused(failure.error(), request_id)
}

/// An error of the gateway itself, in the contract's shape.
pub(crate) fn refused(error: Error, request_id: &str) -> Response {
    shared::http::respond(Err(error), request_id).map(in_one_piece)
}
