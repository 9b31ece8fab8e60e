//! `$connect`: who may open a socket. Runs while the upgrade is pending; nothing can be sent to the socket yet.

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use shared::config::limit_key;
use shared::model::{Connection, Side};
use shared::socket::{SocketCall, accepted, refused};
use shared::store::{Connected, ConnectionCaps};
use shared::time::MINUTE;
use shared::{App, Error, auth, chat, http};

/// API Gateway closes a connection after 2 h; its row may stand a little longer.
const CONNECTION_TTL: i64 = 130 * MINUTE;
/// Sockets from one address, both sides together.
const SOCKETS_PER_ADDRESS: i64 = 50;

/// Lets a socket in (200) or refuses it with the contract's error.
pub async fn handle(app: &App, event: ApiGatewayWebsocketProxyRequest) -> ApiGatewayProxyResponse {
    let call = SocketCall::new(event);
    match connect(app, &call).await {
        Ok(()) => accepted(),
        Err(error) => refused(&error, &call.request_id),
    }
}

async fn connect(app: &App, call: &SocketCall) -> Result<(), Error> {
    call.check_front(app)?;
    check_origin(app, call)?;
    match call.query("socket") {
        Some("client") => save(app, call, Side::Visitor { conversation_id: None }, app.config.ws_max_clients).await,
        Some("admin") => connect_admin(app, call).await,
        _ => Err(Error::NotFound),
    }
}

/// A visitor's page must be on the list. The panel's socket has its ticket, so a program without `Origin` may pass.
fn check_origin(app: &App, call: &SocketCall) -> Result<(), Error> {
    let allowed = match call.header("origin") {
        Some(origin) => http::may_call(app, origin),
        None => call.query("socket") == Some("admin"),
    };
    if allowed { Ok(()) } else { Err(Error::OriginNotAllowed) }
}

async fn connect_admin(app: &App, call: &SocketCall) -> Result<(), Error> {
    let ticket = call.query("ticket").unwrap_or_default();
    let session = auth::redeem_ticket(app, ticket, &call.ip(app)).await?;
    let before = app.store.admins_online(app.now()).await?;
    save(app, call, Side::Admin { session_id: session.session_id }, app.config.ws_max_admins).await?;
    if before == 0 {
        chat::push_admins_online(app, 1).await?;
    }
    Ok(())
}

async fn save(app: &App, call: &SocketCall, side: Side, cap: i64) -> Result<(), Error> {
    let now = app.now();
    let connection = Connection {
        connection_id: call.connection_id.clone(),
        side,
        ip: limit_key(&call.ip(app)),
        user_agent: call.header("user-agent").map(|text| text.chars().take(300).collect()),
        country: call.country(app).map(ToOwned::to_owned),
        connected_at: now,
        expires_at: now.plus(CONNECTION_TTL),
    };
    match app.store.connect(&connection, ConnectionCaps { side: cap, ip: SOCKETS_PER_ADDRESS }).await? {
        Connected::Stored => Ok(()),
        Connected::Full => Err(Error::Capacity),
    }
}
