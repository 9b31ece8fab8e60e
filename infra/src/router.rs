//! Who answers what: the template's routes, the two sockets, the pages, and this machine's own corner.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, RawPathParams, Request, State};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, any, get, on};
use shared::{Error, Result};

use crate::platform::{Caller, Platform};
use crate::socket::{self, Socket};
use crate::template::HttpRoute;
use crate::{event, headers, management, pages, rest};

/// Builds the routes.
pub(crate) fn build(platform: &Arc<Platform>) -> Result<Router> {
    let mut router = Router::new()
        .route("/ws/client", any(|state, caller, request| upgrade(state, caller, Socket::Client, request)))
        .route("/ws/admin", any(|state, caller, request| upgrade(state, caller, Socket::Admin, request)))
        .route("/metrics", get(management::metrics))
        .route("/@connections/{id}", any(management::connection))
        .route("/{stage}/@connections/{id}", any(management::connection_of_stage))
        .fallback(page);
    for route in &platform.template.routes {
        router = router.route(&route.path.replace("{proxy+}", "{*proxy}"), function(route)?);
    }
    // The fallback holds for the routes that are there when it is set.
    let router = router.method_not_allowed_fallback(nothing);
    Ok(router.layer(from_fn_with_state(platform.clone(), headers::add)).with_state(platform.clone()))
}

fn function(route: &HttpRoute) -> Result<MethodRouter<Arc<Platform>>> {
    let shared_route = Arc::new(route.clone());
    let handler = move |State(platform): State<Arc<Platform>>,
                        Extension(caller): Extension<Caller>,
                        params: RawPathParams,
                        request: Request| {
        let proxy = params.iter().find(|(name, _)| *name == "proxy").map(|(_, value)| value.to_owned());
        rest::call(platform, shared_route.clone(), proxy, caller, request)
    };
    if route.method == "ANY" {
        return Ok(any(handler));
    }
    let method = axum::http::Method::from_bytes(route.method.as_bytes()).map_err(Error::internal)?;
    Ok(on(MethodFilter::try_from(method).map_err(Error::internal)?, handler))
}

async fn upgrade(
    State(platform): State<Arc<Platform>>,
    Extension(caller): Extension<Caller>,
    socket: Socket,
    request: Request,
) -> Response {
    socket::upgrade(platform, socket, caller, request).await
}

async fn page(State(platform): State<Arc<Platform>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    pages::serve(&parts, &platform.config.default_locale, &event::request_id())
}

/// API Gateway knows a route by path and method together: another method is another route, and there is none.
async fn nothing() -> Response {
    rest::refused(Error::NotFound, &event::request_id())
}
