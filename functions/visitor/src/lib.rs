//! REST for visitors: the fallback where sockets are blocked, files, and `/health`. (Protocol section 4.)

mod files;

use futures::TryStreamExt;
use lambda_http::http::header::{self, HeaderValue};
use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use serde_json::json;
use shared::chat::{self, Caller, Draft, Pass};
use shared::http::{Call, json, respond, set};
use shared::id::Secret;
use shared::model::{Conversation, MessageType, Reader, Sender, Via};
use shared::rate_limit::{self, Limit};
use shared::wire::{self, Incoming, Outgoing};
use shared::{App, Error};

pub use files::Content;

/// Answers a request.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(app, request);
    let (parts, content) = answered(app, &call).await.into_parts();
    match whole(content).await {
        Ok(body) => Response::from_parts(parts, body),
        Err(error) => respond(Err(error), &call.request_id),
    }
}

/// Answers a request without holding a file in memory, for those who can pass it on as it comes.
pub async fn answer(app: &App, request: Request) -> Response<Content> {
    answered(app, &Call::new(app, request)).await
}

async fn answered(app: &App, call: &Call) -> Response<Content> {
    let answer = route(app, call).await;
    let mut response = answer.unwrap_or_else(|error| respond(Err(error), &call.request_id).map(Content::Whole));
    allow_page(app, call, &mut response);
    response
}

async fn whole(content: Content) -> Result<Body, Error> {
    match content {
        Content::Whole(body) => Ok(body),
        Content::Streamed(bytes) => {
            let bytes = bytes.try_fold(Vec::new(), async |mut all, bytes| {
                all.extend_from_slice(&bytes);
                Ok(all)
            });
            Ok(Body::Binary(bytes.await.map_err(Error::Unavailable)?))
        }
    }
}

async fn route(app: &App, call: &Call) -> Result<Response<Content>, Error> {
    call.check_front(app)?;
    let segments = call.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (call.method(), path.as_slice()) {
        (&Method::GET, ["files", conversation_id, id]) => files::serve(app, call, conversation_id, id).await,
        (&Method::OPTIONS, ["files", ..]) => preflight(app, call, "GET", "authorization, range").map(in_memory),
        (_, ["files", _, _]) => Err(Error::MethodNotAllowed),
        (method, path) => rest(app, call, method, path).await.map(in_memory),
    }
}

fn in_memory(response: Response<Body>) -> Response<Content> {
    response.map(Content::Whole)
}

async fn rest(app: &App, call: &Call, method: &Method, path: &[&str]) -> Result<Response<Body>, Error> {
    match (method, path) {
        (&Method::GET, ["health"]) => health(app).await,
        (&Method::OPTIONS, ["api", "visitor", _]) => preflight(app, call, "GET, POST", "authorization, content-type"),
        (&Method::POST, ["api", "visitor", "join"]) => join(app, call).await,
        (&Method::GET, ["api", "visitor", "messages"]) => messages(app, call).await,
        (&Method::POST, ["api", "visitor", "send"]) => send(app, call).await,
        (&Method::POST, ["api", "visitor", "read"]) => read(app, call).await,
        (&Method::POST, ["api", "visitor", "end"]) => end(app, call).await,
        (&Method::POST, ["api", "visitor", "telegram_link"]) => telegram_link(app, call).await,
        (_, ["health"] | ["api", "visitor", "join" | "messages" | "send" | "read" | "end" | "telegram_link"]) => {
            Err(Error::MethodNotAllowed)
        }
        _ => Err(Error::NotFound),
    }
}

async fn health(app: &App) -> Result<Response<Body>, Error> {
    app.store.ping().await?;
    json(&json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "store": app.store.name()}))
}

async fn join(app: &App, call: &Call) -> Result<Response<Body>, Error> {
    check(app, call).await?;
    let caller = Caller { ip: &call.ip, user_agent: call.user_agent(), country: call.country(app) };
    json(&Outgoing::Joined(&chat::join(app, &call.body(app)?, caller).await?))
}

async fn messages(app: &App, call: &Call) -> Result<Response<Body>, Error> {
    check(app, call).await?;
    let conversation = own_conversation(app, call, call.query("conversation_id").as_deref()).await?;
    let since = call.number("since", 0..=i64::MAX)?;
    let before = call.number("before", 1..=i64::MAX)?;
    json(&Outgoing::History(&chat::history(app, &conversation.conversation_id, since, before).await?))
}

async fn send(app: &App, call: &Call) -> Result<Response<Body>, Error> {
    check(app, call).await?;
    let body: Incoming = call.body(app)?;
    let token = call.bearer().ok_or(Error::Unauthorized)?;
    let draft = Draft {
        conversation_id: wire::require(body.conversation_id, "conversation_id")?,
        client_id: wire::client_id(wire::require(body.client_id.as_deref(), "client_id")?)?,
        sender: Sender::Visitor,
        via: Via::Web,
        author: String::new(),
        content: wire::require(body.content, "content")?,
        message_type: MessageType::Text,
        file: None,
        pass: Pass::Token { token, ip: call.ip.clone() },
    };
    json(&Outgoing::Message(&chat::send(app, draft).await?.message))
}

async fn read(app: &App, call: &Call) -> Result<Response<Body>, Error> {
    let (body, conversation) = opened(app, call).await?;
    let (conversation_id, seq) = (&conversation.conversation_id, wire::require(body.seq, "seq")?);
    chat::read(app, conversation_id, Reader::Visitor, seq, None).await?;
    json(&Outgoing::Read { conversation_id, reader: Reader::Visitor, seq: seq.min(conversation.head_seq) })
}

async fn end(app: &App, call: &Call) -> Result<Response<Body>, Error> {
    let (_, conversation) = opened(app, call).await?;
    let conversation_id = &conversation.conversation_id;
    chat::close(app, conversation_id).await?;
    json(&Outgoing::ConversationClosed { conversation_id })
}

async fn telegram_link(app: &App, call: &Call) -> Result<Response<Body>, Error> {
    let (_, conversation) = opened(app, call).await?;
    let (url, expires_at) = chat::telegram_link(app, &conversation.conversation_id).await?;
    json(&json!({"url": url, "expires_at": expires_at}))
}

async fn opened(app: &App, call: &Call) -> Result<(Incoming, Conversation), Error> {
    check(app, call).await?;
    let body = call.body(app)?;
    let conversation = own_conversation(app, call, body.conversation_id.as_deref()).await?;
    Ok((body, conversation))
}

/// The conversation that the bearer's resume token opens.
async fn own_conversation(app: &App, call: &Call, conversation_id: Option<&str>) -> Result<Conversation, Error> {
    let token: Secret = call.bearer().ok_or(Error::Unauthorized)?;
    let caller = Caller { ip: &call.ip, user_agent: call.user_agent(), country: call.country(app) };
    chat::resume(app, wire::require(conversation_id, "conversation_id")?, &token, caller).await
}

async fn check(app: &App, call: &Call) -> Result<(), Error> {
    call.check_origin(app)?;
    rate_limit::take(&*app.store, &app.config, &Limit::Rest(&call.ip_key), app.now()).await
}

fn preflight(app: &App, call: &Call, methods: &'static str, headers: &'static str) -> Result<Response<Body>, Error> {
    call.check_origin(app)?;
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    let answer = response.headers_mut();
    answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(headers));
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    Ok(response)
}

/// Lets pages of `ALLOWED_ORIGINS` read the answer. There are no cookies here, so credentials are never allowed.
fn allow_page(app: &App, call: &Call, response: &mut Response<Content>) {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = call.header("origin").filter(|origin| app.config.allowed_origins.allow(origin)) {
        set(response, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        response
            .headers_mut()
            .insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("content-range, retry-after"));
    }
}
