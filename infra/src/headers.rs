//! The headers that every answer carries for the browser's sake.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use crate::platform::Platform;

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";

/// Adds what the answer has not set itself.
pub(crate) async fn add(State(platform): State<Arc<Platform>>, request: Request, next: Next) -> Response {
    let is_panel = request.uri().path() == "/admin";
    let policy = content_security_policy(&platform, &platform.domain(request.headers()), is_panel);
    let mut response = next.run(request).await;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return response;
    }
    let headers = response.headers_mut();
    default(headers, &CONTENT_SECURITY_POLICY, &policy);
    default(headers, &X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(headers, &PERMISSIONS_POLICY, PERMISSIONS);
    default(headers, &REFERRER_POLICY, if is_panel { "no-referrer" } else { "strict-origin-when-cross-origin" });
    default(headers, &CACHE_CONTROL, "no-store");
    if is_panel {
        default(headers, &X_FRAME_OPTIONS, "DENY");
        default(headers, &OPENER_POLICY, "same-origin");
    }
    if platform.is_https() {
        default(headers, &STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}

fn default(headers: &mut HeaderMap, name: &HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.entry(name).or_insert(value);
    }
}

fn content_security_policy(platform: &Platform, domain: &str, is_panel: bool) -> String {
    let config = &platform.config;
    let public = config.public_url.replacen("http", "ws", 1);
    let sockets = if public.ends_with(&format!("//{domain}")) {
        public
    } else {
        format!("{public} ws://{domain} wss://{domain}")
    };
    let ancestors = if is_panel { "'none'".into() } else { format!("'self' {}", config.allowed_origins) };
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
         media-src 'self' blob:; font-src 'self'; connect-src 'self' {sockets}; \
         manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
    )
}
