//! `/ws/client` and `/ws/admin`: the upgrade is held until `$connect` has answered.

mod session;

use std::sync::Arc;

use aws_lambda_events::apigw::ApiGatewayProxyResponse;
use aws_lambda_events::encodings;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    CONNECTION, CONTENT_TYPE, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::upgrade::OnUpgrade;
use shared::Error;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::event::{self, SocketContext};
use crate::functions::Failure;
use crate::platform::{Caller, Platform};
use crate::registry::{Peer, Registry};
use crate::rest;

/// Which of the two addresses of the one WebSocket API.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Socket {
    Client,
    Admin,
}

impl Socket {
    /// The value of the query parameter `socket`.
    fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Admin => "admin",
        }
    }

    fn side(self) -> &'static str {
        match self {
            Self::Client => "visitor",
            Self::Admin => "admin",
        }
    }
}

/// What `$connect` said, and the open connection if it said yes.
struct Connected {
    response: ApiGatewayProxyResponse,
    open: Option<Arc<Peer>>,
}

/// Answers an upgrade request.
pub(crate) async fn upgrade(platform: Arc<Platform>, socket: Socket, caller: Caller, mut request: Request) -> Response {
    let request_id = event::request_id();
    let key = match handshake(&request) {
        Ok(key) => key,
        Err(status) => return no_handshake(status, &request_id),
    };
    if platform.is_stopping() {
        return rest::refused(Error::Capacity, &request_id);
    }
    let on_upgrade = hyper::upgrade::on(&mut request);
    let (answer, answered) = oneshot::channel();
    let (parts, _) = request.into_parts();
    tokio::spawn(connect(platform.clone(), socket, caller.clone(), parts, request_id.clone(), answer));
    match answered.await {
        Ok(Ok(Connected { response, open: Some(peer) })) => switch(platform, peer, caller, on_upgrade, &key, &response),
        Ok(Ok(Connected { response, open: None })) => turned_away(response),
        Ok(Err(failure)) => rest::failed(failure, &request_id),
        Err(_) => rest::failed(Failure::Panicked, &request_id),
    }
}

/// Runs `$connect` to its end. A client that has gone away meanwhile is told to `$disconnect`, since its row may stand.
async fn connect(
    platform: Arc<Platform>,
    socket: Socket,
    caller: Caller,
    parts: Parts,
    request_id: String,
    answer: oneshot::Sender<Result<Connected, Failure>>,
) {
    let result = run_connect(&platform, socket, &caller, &parts, &request_id).await;
    if let Err(Ok(Connected { open: Some(peer), .. })) = answer.send(result) {
        platform.registry.forget(&peer);
        session::disconnect(&platform, &peer, session::LOST, "").await;
    }
}

async fn run_connect(
    platform: &Arc<Platform>,
    socket: Socket,
    caller: &Caller,
    parts: &Parts,
    request_id: &str,
) -> Result<Connected, Failure> {
    let Ok(connection_id) = Registry::new_id() else { return Err(Failure::Panicked) };
    let now = platform.now();
    let context = SocketContext {
        connection_id,
        connected_at: now,
        source_ip: caller.ip.to_string(),
        user_agent: event::user_agent(&parts.headers),
        domain: platform.domain(&parts.headers),
        stage: platform.template.stage.clone(),
    };
    let query = event::socket_query(parts.uri.query().unwrap_or_default(), socket.name());
    let event = context.connect(request_id, now, &parts.headers, query);
    let span =
        tracing::info_span!("connect", request_id, connection_id = context.connection_id, socket = socket.name());
    let response = session::run(platform, "$connect", false, span, event).await?;
    let open = (200..300).contains(&response.status_code).then(|| platform.registry.open(socket.side(), context));
    Ok(Connected { response, open })
}

fn switch(
    platform: Arc<Platform>,
    peer: Arc<Peer>,
    caller: Caller,
    on_upgrade: OnUpgrade,
    key: &str,
    answer: &ApiGatewayProxyResponse,
) -> Response {
    tokio::spawn(session::run_socket(platform, peer, caller, on_upgrade));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    let protocol =
        [&answer.headers, &answer.multi_value_headers].into_iter().find_map(|h| h.get(SEC_WEBSOCKET_PROTOCOL));
    if let Some(protocol) = protocol {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol.clone());
    }
    response
}

/// `$connect` refused: its status, headers and body are the client's answer.
fn turned_away(answer: ApiGatewayProxyResponse) -> Response {
    let body = match answer.body {
        Some(encodings::Body::Text(text)) => Body::from(text),
        Some(encodings::Body::Binary(bytes)) => Body::from(bytes),
        _ => Body::empty(),
    };
    let mut response = Response::new(body);
    let status = u16::try_from(answer.status_code).ok().and_then(|status| StatusCode::from_u16(status).ok());
    *response.status_mut() = status.filter(|status| status.as_u16() >= 300).unwrap_or(StatusCode::BAD_GATEWAY);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().extend(answer.headers);
    response
}

/// The key of a proper upgrade request.
fn handshake(request: &Request) -> Result<String, StatusCode> {
    let headers = request.headers();
    let upgrades = request.method() == Method::GET
        && has_token(headers, &CONNECTION, "upgrade")
        && has_token(headers, &UPGRADE, "websocket");
    if !upgrades || headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(StatusCode::UPGRADE_REQUIRED);
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).and_then(|key| key.to_str().ok()).unwrap_or_default();
    let bytes = STANDARD.decode(key).map_err(|_| StatusCode::BAD_REQUEST)?;
    if bytes.len() == 16 { Ok(key.to_owned()) } else { Err(StatusCode::BAD_REQUEST) }
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}

fn no_handshake(status: StatusCode, request_id: &str) -> Response {
    let error = Error::InvalidMessage("This address takes WebSocket connections only.".into());
    let mut response = rest::refused(error, request_id);
    *response.status_mut() = status;
    response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    response
}
