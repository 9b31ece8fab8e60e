//! The page: its files, the state of the group, and what the person before it does.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::acts::Cast;

/// How long a question waits for news.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOKS: Duration = Duration::from_millis(80);
/// More than Telegram lets a bot have, so that its limit can be tried.
const LARGEST_FILE: usize = 30_000_000;
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The page's files, by their names.
const FILES: [(&str, &str, &str); 10] = [
    ("", "text/html", include_str!("page/index.html")),
    ("icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
    ("sandbox.css", "text/css", include_str!("page/sandbox.css")),
    ("thread.css", "text/css", include_str!("page/thread.css")),
    ("main.js", "text/javascript", include_str!("page/main.js")),
    ("api.js", "text/javascript", include_str!("page/api.js")),
    ("list.js", "text/javascript", include_str!("page/list.js")),
    ("thread.js", "text/javascript", include_str!("page/thread.js")),
    ("composer.js", "text/javascript", include_str!("page/composer.js")),
    ("nodes.js", "text/javascript", include_str!("page/nodes.js")),
];

/// Serves until the process ends.
pub(crate) async fn serve(listener: TcpListener, cast: Arc<Cast>) {
    let app = Router::new()
        .route("/", get(async || file("")))
        .route("/{name}", get(async |Path(name): Path<String>| file(&name)))
        .route("/api/state", get(state))
        .route("/api/act", post(act))
        .route("/api/send", post(send))
        .route("/api/media/{id}", get(media))
        .layer(DefaultBodyLimit::max(LARGEST_FILE))
        .with_state(cast);
    if let Err(error) = axum::serve(listener, app).await {
        eprintln!("The group's page has ended: {error}.");
    }
}

fn file(name: &str) -> Response {
    let Some((_, mime, text)) = FILES.into_iter().find(|(known, _, _)| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, format!("{mime}; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, POLICY.to_owned()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    (headers, text).into_response()
}

/// Answers as soon as something differs from what the page has.
async fn state(State(cast): State<Arc<Cast>>, RawQuery(query): RawQuery) -> Response {
    let known = query.unwrap_or_default();
    let news = async {
        let mut looks = tokio::time::interval(LOOKS);
        loop {
            looks.tick().await;
            let view = cast.view();
            let mut hasher = DefaultHasher::new();
            view.to_string().hash(&mut hasher);
            let version = format!("{:016x}", hasher.finish());
            if version != known {
                return json!({"version": version, "view": view});
            }
        }
    };
    match tokio::time::timeout(PATIENCE, news).await {
        Ok(news) => told(&news),
        Err(_) => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn act(State(cast): State<Arc<Cast>>, headers: HeaderMap, body: Bytes) -> Response {
    if is_foreign(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let asked = serde_json::from_slice(&body).unwrap_or_default();
    outcome(cast.act(&asked))
}

/// A file, whose bytes are the body; what it is stands in the query as JSON.
async fn send(State(cast): State<Arc<Cast>>, headers: HeaderMap, RawQuery(query): RawQuery, body: Bytes) -> Response {
    if is_foreign(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let text = percent_decoded(&query.unwrap_or_default());
    let asked = serde_json::from_str(&text).unwrap_or_default();
    outcome(cast.send(&asked, &body))
}

async fn media(State(cast): State<Arc<Cast>>, Path(id): Path<String>) -> Response {
    let nosniff = (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    match cast.file(&id) {
        Some((mime, bytes)) => {
            ([(header::CONTENT_TYPE, HeaderValue::from_static(mime)), nosniff], bytes).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Whether another site's page asks.
fn is_foreign(headers: &HeaderMap) -> bool {
    let from = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = from("origin") else { return false };
    origin.strip_prefix("http://") != from("host")
}

fn outcome(done: Result<(), String>) -> Response {
    match done {
        Ok(()) => told(&json!({"ok": true})),
        Err(words) => (StatusCode::UNPROCESSABLE_ENTITY, words).into_response(),
    }
}

fn told(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let escaped = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(escaped.unwrap_or(*byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
