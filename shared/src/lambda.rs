//! What a Lambda `bootstrap` builds once, before its first event.

mod api_gateway;

use std::sync::Arc;

use crate::app::App;
use crate::config::{Config, Place};
use crate::store;
use crate::time::SystemClock;

/// Reads the settings, opens the store and the way to the sockets, starts the log (JSON, to standard output, which Lambda
/// keeps).
pub async fn app() -> Result<App, Box<dyn std::error::Error + Send + Sync>> {
    let config = Config::from_env(Place::Lambda)?;
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(tracing_subscriber::EnvFilter::new(&config.rust_log))
        .with_current_span(true)
        .init();
    let store = store::open(&config).await?;
    let connections = Arc::new(api_gateway::ApiGateway::new(&config)?);
    Ok(App::new(config, store, connections, Arc::new(SystemClock))?)
}
