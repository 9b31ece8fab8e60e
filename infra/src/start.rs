//! From checked settings to a gateway that serves, and to its end.

use std::error::Error;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;

use gateway::stream::{Start, StreamReader};
use gateway::{Gateway, GatewayOptions, Invoke, salt};
use shared::app::Terminal;
use shared::config::{Config, DatabaseUrl};
use shared::store::sql::back_up;
use shared::store::{self, Store};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use crate::{Arrangement, Elsewhere};

/// Sockets are files; the usual limit of 1,024 is less than `WS_MAX_CLIENTS` needs.
const OPEN_FILES: u64 = 65_536;

/// Why the gateway does not serve.
#[derive(Debug)]
pub(crate) struct Refused {
    /// One sentence for people.
    pub(crate) sentence: String,
    /// The process's exit code: 2 for a setting, 1 for the world.
    pub(crate) code: u8,
}

fn refused(sentence: impl Into<String>) -> Refused {
    Refused { sentence: sentence.into(), code: 1 }
}

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn run(config: Config, arrangement: Arrangement) -> Result<(), Refused> {
    if let Err(error) = rlimit::increase_nofile_limit(OPEN_FILES) {
        tracing::debug!(%error, "cannot raise the limit of open files");
    }
    let urls = (config.public_url.clone(), format!("{}/admin", config.public_url));
    let backups = back_up_when_asked(config.database_url.clone())?;
    let options = match arrangement.invoke {
        Some(elsewhere) => elsewhere_options(config, elsewhere).await?,
        None => own_options(config, arrangement.connections_api).await?,
    };
    let options = GatewayOptions { connections_from: arrangement.connections_from, ..options };
    let running = Gateway::start(options).await.map_err(|error| refused(sentence("cannot start", &error)))?;
    let (mut terminate, mut interrupt) = (listen_for(SignalKind::terminate())?, listen_for(SignalKind::interrupt())?);
    eprintln!("Parley {} is here.\n  Visitors  {}\n  Panel     {}", env!("CARGO_PKG_VERSION"), urls.0, urls.1);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    backups.abort();
    tracing::info!("stopping");
    tokio::select! {
        () = running.shutdown() => Ok(()),
        _ = interrupt.recv() => Err(refused("Stopped at once.")),
    }
}

/// Each SIGUSR1 asks for a copy of the database.
fn back_up_when_asked(url: DatabaseUrl) -> Result<JoinHandle<()>, Refused> {
    let mut asked = listen_for(SignalKind::user_defined1())?;
    Ok(tokio::spawn(async move {
        while asked.recv().await.is_some() {
            let url = url.clone();
            match tokio::task::spawn_blocking(move || back_up(&url)).await {
                Ok(Ok(Some(file))) => tracing::info!(file = %file.display(), "backed up"),
                Ok(Ok(None)) => tracing::warn!("only an SQLite database in a file is backed up by the gateway"),
                Ok(Err(error)) => tracing::error!("{}", sentence("cannot back up its database", &error)),
                Err(error) => tracing::error!(%error, "the backup has ended"),
            }
        }
    }))
}

async fn own_options(mut config: Config, connections_api: bool) -> Result<GatewayOptions, Refused> {
    if config.database_url.scheme() == "dynamodb" {
        let sentence = "DATABASE_URL: this gateway was built for sqlite:// and postgres://, without DynamoDB.".into();
        return Err(Refused { sentence, code: 2 });
    }
    let folder = salt::data_folder(&config.database_url);
    salt::provide(&mut config)
        .map_err(|error| refused(format!("The gateway cannot keep its salt in {}: {error}.", folder.display())))?;
    let listener = listen(config.listen_addr).await?;
    let store = open(&config).await?;
    let terminal = terminal(&config);
    Ok(GatewayOptions { connections_api, terminal, ..GatewayOptions::new(config, store, listener) })
}

async fn elsewhere_options(config: Config, elsewhere: Elsewhere) -> Result<GatewayOptions, Refused> {
    let cannot = |error| refused(sentence("cannot start", &error));
    let listener = listen(config.listen_addr).await?;
    let functions = Arc::new(Invoke::new(&elsewhere.url).map_err(cannot)?);
    let stream = match elsewhere.stream {
        // The oldest record would repeat a day's notices in Telegram at each start.
        Some((endpoint, table)) => Some(StreamReader::open(&endpoint, &table, Start::Latest).await.map_err(cannot)?),
        None => None,
    };
    Ok(GatewayOptions { stream, ..GatewayOptions::before(config, functions, listener) })
}

/// Login codes are shown on the terminal only to somebody who sits at this machine, and only without Telegram.
fn terminal(config: &Config) -> Option<Terminal> {
    if config.telegram.is_some() {
        return None;
    }
    if !config.listen_addr.ip().is_loopback() {
        tracing::warn!("nobody can log in: set up Telegram, or listen on a loopback address");
        return None;
    }
    Some(Arc::new(|line| eprintln!("{line}")))
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Refused> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            refused(format!("{address} is taken by another program; stop it, or set LISTEN_ADDR to another address."))
        }
        _ => refused(format!("The gateway cannot listen on {address}: {error}.")),
    })
}

async fn open(config: &Config) -> Result<Arc<dyn Store>, Refused> {
    store::open(config).await.map_err(|error| {
        let what = format!("cannot open its database ({})", config.database_url.scheme());
        refused(sentence(&what, &error))
    })
}

fn listen_for(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Refused> {
    signal(kind).map_err(|error| refused(format!("The gateway cannot listen for signals: {error}.")))
}

/// One sentence with the deepest cause, which says most.
fn sentence(what: &str, error: &dyn Error) -> String {
    let mut deepest = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    format!("The gateway {what}: {deepest}.")
}
