//! API Gateway's events, built from real requests.

use std::collections::HashMap;

use aws_lambda_events::apigw::{
    ApiGatewayRequestIdentity, ApiGatewayV2httpRequest, ApiGatewayV2httpRequestContext,
    ApiGatewayV2httpRequestContextHttpDescription, ApiGatewayWebsocketProxyRequest,
    ApiGatewayWebsocketProxyRequestContext,
};
use aws_lambda_events::query_map::QueryMap;
use axum::http::header::{COOKIE, HOST, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use shared::time::Timestamp;
use uuid::Uuid;

const API_ID: &str = "local";
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// A request id as API Gateway's logs show one.
pub(crate) fn request_id() -> String {
    Uuid::new_v4().to_string()
}

/// What a request is about to become an event with.
pub(crate) struct HttpCall<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) route_key: &'a str,
    pub(crate) proxy: Option<&'a str>,
    pub(crate) source_ip: &'a str,
    /// `http` or `https`, as people reach this gateway.
    pub(crate) scheme: &'static str,
    pub(crate) domain: &'a str,
    pub(crate) now: Timestamp,
}

/// An HTTP API's event, payload format 2.0.
pub(crate) fn http(call: &HttpCall<'_>, parts: &Parts, body: &[u8]) -> ApiGatewayV2httpRequest {
    let query = parts.uri.query().unwrap_or_default();
    let (body, is_base64_encoded) = match std::str::from_utf8(body) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (STANDARD.encode(body), true),
    };
    let mut event = ApiGatewayV2httpRequest::default();
    event.version = Some("2.0".into());
    event.route_key = Some(call.route_key.into());
    event.raw_path = Some(parts.uri.path().into());
    event.raw_query_string = Some(query.into());
    event.query_string_parameters = query_map(query);
    event.cookies = Some(cookies(&parts.headers)).filter(|cookies| !cookies.is_empty());
    event.headers = joined_headers(call, &parts.headers);
    event.path_parameters = call.proxy.map(|proxy| ("proxy".into(), proxy.into())).into_iter().collect();
    event.request_context = http_context(call, parts);
    event.body = Some(body).filter(|body| !body.is_empty());
    event.is_base64_encoded = is_base64_encoded;
    event
}

fn http_context(call: &HttpCall<'_>, parts: &Parts) -> ApiGatewayV2httpRequestContext {
    let mut http = ApiGatewayV2httpRequestContextHttpDescription::default();
    http.method = parts.method.clone();
    http.path = Some(parts.uri.path().into());
    http.protocol = Some(format!("{:?}", parts.version));
    http.source_ip = Some(call.source_ip.into());
    http.user_agent = user_agent(&parts.headers);
    let mut context = ApiGatewayV2httpRequestContext::default();
    context.account_id = Some("anonymous".into());
    context.apiid = Some(API_ID.into());
    context.domain_name = Some(call.domain.into());
    context.domain_prefix = call.domain.split(['.', ':']).next().map(str::to_owned);
    context.http = http;
    context.request_id = Some(call.request_id.into());
    context.route_key = Some(call.route_key.into());
    context.stage = Some("$default".into());
    context.time = Some(log_time(call.now));
    context.time_epoch = call.now.0;
    context
}

/// Payload 2.0 joins repeated headers with commas and carries cookies apart. `Host` and `X-Forwarded-Proto` are ours, as
/// they are API Gateway's: a client's own would decide what the function takes for its address.
fn joined_headers(call: &HttpCall<'_>, headers: &HeaderMap) -> HeaderMap {
    let mut joined = HeaderMap::with_capacity(headers.keys_len());
    for name in headers.keys().filter(|name| **name != COOKIE) {
        let values: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        if let Ok(value) = HeaderValue::from_bytes(&values.join(&b","[..])) {
            joined.insert(name, value);
        }
    }
    joined.insert(FORWARDED_PROTO, HeaderValue::from_static(call.scheme));
    if let Ok(domain) = HeaderValue::from_str(call.domain) {
        joined.insert(HOST, domain);
    }
    joined
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).map(|cookie| cookie.trim().to_owned()).filter(|c| !c.is_empty()).collect()
}

/// One connection, as all its events tell it.
#[derive(Clone, Debug)]
pub(crate) struct SocketContext {
    pub(crate) connection_id: String,
    pub(crate) connected_at: Timestamp,
    pub(crate) source_ip: String,
    pub(crate) user_agent: Option<String>,
    pub(crate) domain: String,
    pub(crate) stage: String,
}

impl SocketContext {
    /// `$connect`, with the headers and the query of the upgrade request.
    pub(crate) fn connect(
        &self,
        request_id: &str,
        now: Timestamp,
        headers: &HeaderMap,
        query: QueryMap,
    ) -> ApiGatewayWebsocketProxyRequest {
        let mut event = self.event("$connect", "CONNECT", request_id, now);
        event.headers = headers.iter().map(|(name, value)| (name.clone(), value.clone())).fold(
            HeaderMap::with_capacity(headers.len()),
            |mut last, (name, value)| {
                last.insert(name, value);
                last
            },
        );
        event.multi_value_headers = headers.clone();
        event.multi_value_query_string_parameters = query.clone();
        event.query_string_parameters = query;
        event
    }

    /// `$default`: a frame.
    pub(crate) fn message(&self, request_id: &str, now: Timestamp, body: String) -> ApiGatewayWebsocketProxyRequest {
        let mut event = self.event("$default", "MESSAGE", request_id, now);
        event.request_context.message_id = Some(request_id.into());
        event.body = Some(body);
        event
    }

    /// `$disconnect`, with the close frame's code and reason.
    pub(crate) fn disconnect(
        &self,
        request_id: &str,
        now: Timestamp,
        code: u16,
        reason: &str,
    ) -> ApiGatewayWebsocketProxyRequest {
        let mut event = self.event("$disconnect", "DISCONNECT", request_id, now);
        event.request_context.disconnect_status_code = Some(i64::from(code));
        event.request_context.disconnect_reason = Some(reason.into());
        event
    }

    fn event(&self, route_key: &str, kind: &str, request_id: &str, now: Timestamp) -> ApiGatewayWebsocketProxyRequest {
        let mut identity = ApiGatewayRequestIdentity::default();
        identity.source_ip = Some(self.source_ip.clone());
        identity.user_agent.clone_from(&self.user_agent);
        let mut context = ApiGatewayWebsocketProxyRequestContext::default();
        context.apiid = Some(API_ID.into());
        context.connected_at = self.connected_at.0;
        context.connection_id = Some(self.connection_id.clone());
        context.domain_name = Some(self.domain.clone());
        context.event_type = Some(kind.into());
        context.extended_request_id = Some(request_id.into());
        context.identity = identity;
        context.message_direction = Some("IN".into());
        context.request_id = Some(request_id.into());
        context.request_time = Some(log_time(now));
        context.request_time_epoch = now.0;
        context.route_key = Some(route_key.into());
        context.stage = Some(self.stage.clone());
        let mut event = ApiGatewayWebsocketProxyRequest::default();
        event.request_context = context;
        event
    }
}

/// The query of `/ws/client` or `/ws/admin` as the one WebSocket API sees it: `socket` tells which, and is ours alone.
pub(crate) fn socket_query(query: &str, socket: &str) -> QueryMap {
    let mut all: HashMap<String, Vec<String>> = HashMap::new();
    for (name, value) in query_map(query).iter().filter(|(name, _)| *name != "socket") {
        all.entry(name.into()).or_default().push(value.into());
    }
    all.insert("socket".into(), vec![socket.into()]);
    QueryMap::from(all)
}

pub(crate) fn user_agent(headers: &HeaderMap) -> Option<String> {
    headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn query_map(query: &str) -> QueryMap {
    query.parse().unwrap_or_default()
}

/// `21/Nov/2026:22:11:03 +0000`, as API Gateway writes `requestTime`.
fn log_time(now: Timestamp) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = now.to_string();
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    let month = part(5..7).parse::<usize>().ok().and_then(|month| MONTHS.get(month.wrapping_sub(1))).unwrap_or(&"Jan");
    [part(8..10), "/", month, "/", part(0..4), ":", part(11..19), " +0000"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_time_is_written_as_api_gateway_writes_it() {
        assert_eq!(log_time(Timestamp(1_795_299_063_417)), "21/Nov/2026:22:11:03 +0000");
    }

    #[test]
    fn a_client_cannot_choose_its_socket() {
        let query = socket_query("socket=admin&ticket=abc&socket=x&n=1&n=2", "client");

        assert_eq!(query.all("socket"), Some(vec!["client"]));
        assert_eq!(query.first("ticket"), Some("abc"));
        assert_eq!(query.all("n"), Some(vec!["1", "2"]));
    }

    #[test]
    fn cookies_and_repeated_headers_take_the_form_of_payload_2() {
        let request = axum::http::Request::builder()
            .uri("/api/visitor/send?a=1")
            .header("X-Twice", "1")
            .header("X-Twice", "2")
            .header("Cookie", "a=1; b=2")
            .header("Cookie", "c=3")
            .header("X-Forwarded-Proto", "gopher")
            .header("Host", "evil host");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let call = HttpCall {
            request_id: "r",
            route_key: "ANY /api/visitor/{proxy+}",
            proxy: Some("send"),
            source_ip: "203.0.113.9",
            scheme: "http",
            domain: "localhost:8000",
            now: Timestamp(0),
        };

        let event = http(&call, &parts, b"\xff");

        assert_eq!(event.cookies, Some(vec!["a=1".to_owned(), "b=2".into(), "c=3".into()]));
        assert_eq!((event.body.as_deref(), event.is_base64_encoded), (Some("/w=="), true));
        assert_eq!(event.path_parameters["proxy"], "send");
        let header = |name: &str| event.headers[name].to_str().unwrap_or_default();
        assert_eq!(header("x-twice"), "1,2");
        assert_eq!((header("x-forwarded-proto"), header("host")), ("http", "localhost:8000"));
        assert!(!event.headers.contains_key("cookie"));
    }
}
