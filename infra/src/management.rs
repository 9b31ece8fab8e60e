//! What only this machine may ask: `/metrics`, and `/@connections` for functions that run outside this process.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, Path, Request, State};
use axum::http::header::{CONTENT_TYPE, FORWARDED, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use ipnet::IpNet;
use shared::Error;
use shared::event::Lane;
use shared::telegram::alert;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::event;
use crate::platform::{Caller, Platform};
use crate::registry::{Closing, MAX_PUSH, PostStatus};
use crate::rest;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Whether a request comes from this machine itself: not through a proxy on it, and not from a web page that has a name of
/// its own point here.
fn is_local(ip: IpAddr, headers: &HeaderMap, domain: &str) -> bool {
    let host = domain.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let host = host.map_or(domain, |(host, _)| host);
    let names_loopback = host == "localhost" || host == "[::1]" || host.starts_with("127.");
    ip.to_canonical().is_loopback()
        && names_loopback
        && !headers.contains_key(FORWARDED)
        && !headers.contains_key(FORWARDED_FOR)
}

/// Whether functions may ask `/@connections` from where this request comes: this machine, or the network of their containers.
/// Nothing that a browser sends is believed to be a function.
fn is_functions(network: Option<IpNet>, ip: IpAddr, headers: &HeaderMap, domain: &str) -> bool {
    let among_them = network.is_some_and(|network| network.contains(&ip.to_canonical()));
    let direct = !headers.contains_key(FORWARDED) && !headers.contains_key(FORWARDED_FOR);
    is_local(ip, headers, domain) || among_them && direct && !headers.contains_key(ORIGIN)
}

/// `GET /metrics`.
pub(crate) async fn metrics(
    State(platform): State<Arc<Platform>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Response {
    if !is_local(caller.ip, &headers, &platform.domain(&headers)) {
        return rest::refused(Error::NotFound, &event::request_id());
    }
    for lane in [Lane::Files, Lane::Telegram] {
        let Some(app) = &platform.app else { break };
        match app.store.backlog(lane).await {
            Ok((events, _)) => platform.metrics.backlog(lane.as_str(), events),
            Err(error) => Error::from(error).log("metrics"),
        }
    }
    if let Some(app) = &platform.app {
        match alert::current(app).await {
            Ok(alert) => platform.metrics.telegram_alert(alert.map(|alert| alert.code)),
            Err(error) => Error::from(error).log("metrics"),
        }
    }
    let mut response = Response::new(Body::from(platform.metrics.text()));
    let text = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}

/// `/@connections/{id}`, without a stage.
pub(crate) async fn connection(
    State(platform): State<Arc<Platform>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    answer(&platform, &caller, None, &id, request).await
}

/// `/{stage}/@connections/{id}`.
pub(crate) async fn connection_of_stage(
    State(platform): State<Arc<Platform>>,
    Extension(caller): Extension<Caller>,
    Path((stage, id)): Path<(String, String)>,
    request: Request,
) -> Response {
    answer(&platform, &caller, Some(&stage), &id, request).await
}

async fn answer(platform: &Platform, caller: &Caller, stage: Option<&str>, id: &str, request: Request) -> Response {
    let domain = platform.domain(request.headers());
    let network = platform.connections_from;
    if !platform.connections_api || !is_functions(network, caller.ip, request.headers(), &domain) {
        return rest::refused(Error::NotFound, &event::request_id());
    }
    if stage.is_some_and(|stage| stage != platform.template.stage) {
        return status(PostStatus::Forbidden);
    }
    let method = request.method().clone();
    match method {
        Method::POST => match rest::read(request.into_body(), MAX_PUSH).await {
            Ok(bytes) => match Utf8Bytes::try_from(bytes) {
                Ok(text) => status(platform.registry.post(id, text)),
                Err(_) => status(PostStatus::Malformed),
            },
            Err(_) => status(PostStatus::TooLarge),
        },
        Method::GET => match platform.registry.find(id) {
            Ok(peer) => {
                let identity = serde_json::json!({
                    "sourceIp": peer.context.source_ip,
                    "userAgent": peer.context.user_agent,
                });
                let body = serde_json::json!({
                    "connectedAt": peer.context.connected_at,
                    "lastActiveAt": peer.last_active(),
                    "identity": identity,
                });
                let mut response = Response::new(Body::from(body.to_string()));
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response
            }
            Err(why) => status(why),
        },
        Method::DELETE => match platform.registry.find(id) {
            Ok(peer) => {
                peer.close(Closing::SESSION_ENDED);
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NO_CONTENT;
                response
            }
            Err(why) => status(why),
        },
        _ => rest::refused(Error::MethodNotAllowed, &event::request_id()),
    }
}

fn status(status: PostStatus) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status.code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_in_containers_are_let_in_and_browsers_are_not() {
        let network = "172.17.0.0/16".parse().ok();
        let asks = |network, ip: &str, header: Option<&'static str>| {
            let headers = header.map(|name| (HeaderName::from_static(name), HeaderValue::from_static("x")));
            is_functions(network, ip.parse().unwrap(), &headers.into_iter().collect(), "172.17.0.1:8000")
        };

        assert!(asks(network, "172.17.0.2", None) && asks(network, "::ffff:172.17.0.2", None));
        assert!(!asks(None, "172.17.0.2", None) && !asks(network, "172.18.0.2", None));
        for header in ["origin", "forwarded", "x-forwarded-for"] {
            assert!(!asks(network, "172.17.0.2", Some(header)), "{header}");
        }
    }
}
