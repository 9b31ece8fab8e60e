//! The pages and their files: inside the program, or read from `static/` by a debug build so that an edit shows at once.

use std::borrow::Cow;
use std::path::Path;

use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use data_encoding::HEXLOWER;
use rust_embed::Embed;
use shared::Error;

use crate::rest;

#[derive(Embed)]
#[folder = "../static"]
struct Files;

/// The pages' language where neither a choice nor the browser names one; `DEFAULT_LOCALE` takes its place.
const DEFAULT_LOCALE: &str = "data-default-locale=\"en\"";

/// Answers a request for a page or one of its files; what is neither is `not_found`.
///
/// Everything is asked for again at each use (`no-cache` with an `ETag`): the modules of a page belong together, and an old
/// one beside new ones after an upgrade would break it.
pub(crate) fn serve(parts: &Parts, default_locale: &str, request_id: &str) -> Response {
    let Some((name, file)) = find(parts.uri.path()) else { return rest::refused(Error::NotFound, request_id) };
    if parts.method != Method::GET && parts.method != Method::HEAD {
        let mut response = rest::refused(Error::MethodNotAllowed, request_id);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let hash = HEXLOWER.encode(file.metadata.sha256_hash().get(..16).unwrap_or_default());
    let etag = if is_html(&name) { format!("\"{hash}-{default_locale}\"") } else { format!("\"{hash}\"") };
    let known = parts.headers.get_all(IF_NONE_MATCH).iter().any(|known| names(known, &etag));
    let mut response = if known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let data = localized(&name, file.data, default_locale);
        let length = data.len();
        let body = if parts.method == Method::HEAD { Body::empty() } else { Body::from(data) };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, media_type(&name));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        response
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(ETAG, etag);
    }
    response
}

/// Pages have an address of their own; other files have their path's. A path that could lead elsewhere leads nowhere.
fn find(path: &str) -> Option<(String, rust_embed::EmbeddedFile)> {
    let name = match path {
        "/" => "index.html",
        "/admin" => "admin.html",
        _ => path.strip_prefix('/').filter(|name| is_plain(name) && !is_html(name))?,
    };
    Some((name.to_owned(), Files::get(name)?))
}

fn localized(name: &str, data: Cow<'static, [u8]>, default_locale: &str) -> Vec<u8> {
    match std::str::from_utf8(&data) {
        Ok(html) if is_html(name) => {
            html.replacen(DEFAULT_LOCALE, &format!("data-default-locale=\"{default_locale}\""), 1).into_bytes()
        }
        _ => data.into_owned(),
    }
}

fn is_html(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("html"))
}

fn is_plain(name: &str) -> bool {
    name.split('/').all(|part| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    })
}

fn media_type(name: &str) -> HeaderValue {
    let guess = mime_guess::from_path(name).first_raw().unwrap_or("application/octet-stream");
    let is_text = guess.starts_with("text/") || matches!(guess, "application/json" | "image/svg+xml");
    let text = if is_text { format!("{guess}; charset=utf-8") } else { guess.to_owned() };
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

fn names(known: &HeaderValue, etag: &str) -> bool {
    let known = known.to_str().unwrap_or_default();
    known.split(',').map(|part| part.trim().trim_start_matches("W/")).any(|part| part == etag || part == "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_could_lead_elsewhere_leads_nowhere() {
        for path in [
            "/../Cargo.toml",
            "/css/../../Cargo.toml",
            "/..%2fCargo.toml",
            "//etc/passwd",
            "/css\\base.css",
            "/.env",
            "/index.html",
            "",
            "/css/",
            "/css",
        ] {
            assert!(find(path).is_none(), "{path}");
        }
        assert!(find("/css/base.css").is_some());
    }

    #[test]
    fn both_pages_tell_the_language_of_the_installation() {
        for path in ["/", "/admin"] {
            let (name, file) = find(path).unwrap();

            let page = String::from_utf8(localized(&name, file.data, "tr")).unwrap();

            assert!(page.contains("data-default-locale=\"tr\""), "{path}");
        }
    }

    #[test]
    fn text_is_served_as_utf8() {
        for (name, expected) in [
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.css", "text/css; charset=utf-8"),
            ("a.html", "text/html; charset=utf-8"),
            ("a.json", "application/json; charset=utf-8"),
            ("a.svg", "image/svg+xml; charset=utf-8"),
            ("a.png", "image/png"),
            ("a", "application/octet-stream"),
        ] {
            assert_eq!(media_type(name), expected, "{name}");
        }
    }
}
