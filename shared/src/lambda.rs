//! What a Lambda `bootstrap` builds once, before its first event.

pub mod api_gateway;

use std::sync::Arc;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::app::App;
use crate::config::{Config, Place};
use crate::store;
use crate::time::SystemClock;

/// As [`app`], for functions that keep or serve files: those of `ATTACHMENT_URL`, if it is set.
#[cfg(feature = "s3")]
pub async fn app_with_attachments() -> Result<App, Box<dyn std::error::Error + Send + Sync>> {
    let app = app().await?;
    Ok(match &app.config.attachment_url {
        Some(url) => {
            let attachments = crate::attachments::AttachmentStore::open(url)?;
            app.with_attachments(attachments)
        }
        None => app,
    })
}

/// Reads the settings, opens the store and the way to the sockets, starts the log (JSON, to standard output, which Lambda
/// keeps).
pub async fn app() -> Result<App, Box<dyn std::error::Error + Send + Sync>> {
    let config = Config::from_env(Place::Lambda)?;
    // A mistake in it is no reason to answer nobody.
    let filter = config.rust_log.parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    tracing_subscriber::registry().with(filter).with(fmt::layer().json()).init();
    let store = store::open(&config).await?;
    let table = store.clone();
    let rest = async {
        let connections = Arc::new(api_gateway::ApiGateway::new(&config)?);
        Ok(App::new(config.clone(), store, connections, Arc::new(SystemClock))?)
    };
    // The way to the table is opened while nobody waits yet, and while the rest is built.
    let (reached, app) = tokio::join!(table.ping(), rest);
    if let Err(error) = reached {
        // The first event finds out whether it lasts.
        crate::Error::from(error).log("init");
    }
    app
}
