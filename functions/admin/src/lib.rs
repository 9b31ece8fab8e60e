//! REST for the panel. The route table is the first screen. (Protocol section 4.)

mod canned;
mod conversations;
mod login;
mod reports;

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use shared::auth::{self, Admin};
use shared::http::{Call, NEW_TOKEN, respond, set};
use shared::{App, Error};

/// Answers a request.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(app, request);
    let (result, new_token) = answer(app, &call).await;
    let mut response = respond(result, &call.request_id);
    // Even an error carries the new token: the old one ends with its grace.
    if let Some(token) = new_token {
        set(&mut response, NEW_TOKEN, token.reveal());
    }
    response
}

async fn answer(app: &App, call: &Call) -> (Result<Response<Body>, Error>, Option<shared::id::Secret>) {
    let segments = call.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    // `DELETE /delete/conversations/{id}` is an alias from the system before.
    let (["api", "admin", path @ ..] | ["delete", path @ ..]) = path.as_slice() else {
        return (Err(Error::NotFound), None);
    };
    if let Err(error) = call.check_front(app).and_then(|()| call.check_origin(app)) {
        return (Err(error), None);
    }
    match (call.method(), path) {
        (&Method::POST, ["request_otp"]) => (login::request_otp(app, call).await, None),
        (&Method::POST, ["login"]) => (login::login(app, call).await, None),
        (&Method::POST, ["login", "approval"]) => (login::approval(app, call).await, None),
        _ => match auth::authenticate(app, call).await {
            Ok(admin) => (route(app, call, &admin, path).await, admin.new_token),
            Err(error) => (Err(error), None),
        },
    }
}

async fn route(app: &App, call: &Call, admin: &Admin, path: &[&str]) -> Result<Response<Body>, Error> {
    match (call.method(), path) {
        (&Method::POST, ["logout"]) => login::logout(app, admin).await,
        (&Method::POST, ["ws_ticket"]) => login::ws_ticket(app, admin).await,
        (&Method::GET, ["session"]) => login::session(app, admin).await,
        (&Method::GET, ["conversations"]) => conversations::list(app, call).await,
        (&Method::GET, ["conversations", id]) => conversations::one(app, id).await,
        (&Method::DELETE, ["conversations", id]) => conversations::delete(app, admin, id).await,
        (&Method::POST, ["conversations", id, "read"]) => conversations::read(app, call, admin, id).await,
        (&Method::POST, ["conversations", id, "close"]) => conversations::close(app, admin, id).await,
        (&Method::POST, ["conversations", id, "reopen"]) => conversations::reopen(app, admin, id).await,
        (&Method::PUT, ["conversations", id, "tags", tag]) => conversations::add_tag(app, admin, id, tag).await,
        (&Method::DELETE, ["conversations", id, "tags", tag]) => conversations::remove_tag(app, admin, id, tag).await,
        (&Method::POST, ["conversations", id, "claim"]) => conversations::claim(app, admin, id).await,
        (&Method::POST, ["conversations", id, "release"]) => conversations::release(app, admin, id).await,
        (&Method::POST, ["conversations", id, "ban"]) => conversations::ban(app, admin, id).await,
        (&Method::POST, ["conversations", id, "unban"]) => conversations::unban(app, admin, id).await,
        (&Method::GET, ["conversations", id, "notes"]) => conversations::notes(app, id).await,
        (&Method::POST, ["conversations", id, "notes"]) => conversations::add_note(app, call, admin, id).await,
        (&Method::GET, ["conversations", id, "telegram"]) => conversations::telegram(app, id).await,
        (&Method::GET, ["canned"]) => canned::all(app).await,
        (&Method::PUT, ["canned", name]) => canned::put(app, call, admin, name).await,
        (&Method::DELETE, ["canned", name]) => canned::remove(app, admin, name).await,
        (&Method::GET, ["messages", id]) => conversations::messages(app, call, id).await,
        (&Method::POST, ["messages", id, "read"]) => conversations::read_message(app, admin, id).await,
        (&Method::POST, ["send"]) => conversations::send(app, call, admin).await,
        (&Method::GET, ["search"]) => reports::search(app, call, admin).await,
        (&Method::GET, ["statistics"]) => reports::statistics(app, call).await,
        (&Method::GET, ["activity"]) => reports::activity(app, call).await,
        _ => Err(Error::NotFound),
    }
}
