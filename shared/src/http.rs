//! HTTP at the edge: what a handler needs of a request, and the one place where an [`Error`] becomes a response.

use lambda_http::http::header::{self, HeaderName, HeaderValue};
use lambda_http::http::{Method, StatusCode};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt, Response};
use serde::Serialize;

use crate::app::App;
use crate::config::limit_key;
use crate::error::Error;
use crate::front;
use crate::id::Secret;
use crate::wire::Incoming;

/// The response header that carries a rotated session token.
pub const NEW_TOKEN: HeaderName = HeaderName::from_static("x-new-token");

/// A request, with who is calling.
pub struct Call {
    /// As API Gateway made it.
    pub request: Request,
    /// The client's address.
    pub ip: String,
    /// The form of the address that limits count by.
    pub ip_key: String,
    /// Names this request in logs and errors.
    pub request_id: String,
}

impl Call {
    /// Finds out who is calling.
    pub fn new(app: &App, request: Request) -> Self {
        let (peer, request_id) = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => (
                context.http.source_ip.clone().unwrap_or_default(),
                context.request_id.clone().unwrap_or_else(crate::id::sortable_id),
            ),
            _ => (String::new(), crate::id::sortable_id()),
        };
        let ip = front::client_ip(&app.config, &peer, |name| text(&request, name));
        Self { ip_key: limit_key(&ip), ip, request_id, request }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        self.request.method()
    }

    /// The path's segments, percent-decoded, without empty ones.
    pub fn segments(&self) -> Vec<String> {
        let path = self.request.raw_http_path();
        let decode = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
        path.split('/').filter(|part| !part.is_empty()).map(decode).collect()
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        text(&self.request, name)
    }

    /// A query parameter's first value; an empty one counts as absent.
    pub fn query(&self, name: &str) -> Option<String> {
        let parameters = self.request.query_string_parameters_ref()?;
        parameters.first(name).filter(|value| !value.is_empty()).map(ToOwned::to_owned)
    }

    /// A query parameter that must be a number in `range` when it is given.
    pub fn number(&self, name: &str, range: std::ops::RangeInclusive<i64>) -> Result<Option<i64>, Error> {
        let Some(value) = self.query(name) else { return Ok(None) };
        let number = value.parse().ok().filter(|number| range.contains(number));
        let rule = || format!("must be a whole number from {} to {}", range.start(), range.end());
        number.map(Some).ok_or_else(|| Error::field(name, &rule()))
    }

    /// The secret of `Authorization: Bearer …`.
    pub fn bearer(&self) -> Option<Secret> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| Secret::presented(token.trim()))
    }

    /// A cookie's value.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.request.headers().get_all(header::COOKIE).iter();
        let pairs = cookies.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
        let mut named = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(key, _)| *key == name);
        named.next().map(|(_, value)| value.to_owned())
    }

    /// `User-Agent`.
    pub fn user_agent(&self) -> Option<&str> {
        self.header("user-agent")
    }

    /// The country that the front saw the request come from.
    pub fn country(&self, app: &App) -> Option<&str> {
        front::country(&app.config, |name| self.header(name))
    }

    /// The body as a frame's fields; an empty body is an empty object.
    pub fn body(&self, app: &App) -> Result<Incoming, Error> {
        let bytes = self.bytes(app)?;
        let json = std::str::from_utf8(bytes).map_err(|_| Error::InvalidJson)?;
        if json.trim().is_empty() { Ok(Incoming::default()) } else { Incoming::parse(json) }
    }

    /// The body, if it is not too large.
    pub fn bytes(&self, app: &App) -> Result<&[u8], Error> {
        let bytes: &[u8] = self.request.body();
        let max = app.config.max_request_size;
        if bytes.len() > max { Err(Error::MessageTooLarge { max }) } else { Ok(bytes) }
    }

    /// Refuses a request that went around the front.
    pub fn check_front(&self, app: &App) -> Result<(), Error> {
        front::check(&app.config, |name| self.header(name))
    }

    /// Refuses a browser's request from a page that is not allowed. Other programs send no `Origin`.
    pub fn check_origin(&self, app: &App) -> Result<(), Error> {
        match self.header("origin") {
            Some(origin) if !may_call(app, origin) => Err(Error::OriginNotAllowed),
            _ => Ok(()),
        }
    }
}

/// Whether pages of an origin may call: those of `ALLOWED_ORIGINS` and of `PUBLIC_URL` itself.
pub fn may_call(app: &App, origin: &str) -> bool {
    app.config.allowed_origins.allow(origin)
        || crate::config::Origins::parse(&app.config.public_url).is_ok_and(|own| own.allow(origin))
}

fn text<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

/// A JSON answer with status 200.
pub fn json(value: &impl Serialize) -> Result<Response<Body>, Error> {
    let body = serde_json::to_string(value).map_err(Error::internal)?;
    Ok(response(StatusCode::OK, body))
}

/// The answer to a call: the result, or the error in the contract's shape.
pub fn respond(result: Result<Response<Body>, Error>, request_id: &str) -> Response<Body> {
    result.unwrap_or_else(|error| {
        error.log(request_id);
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = response(status, error.body(request_id));
        if let Some(seconds) = error.retry_after_seconds() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    })
}

/// Sets a header whose value may come from outside; one that cannot stand in a header is left out.
pub fn set<T>(response: &mut Response<T>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn response(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::Text(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
