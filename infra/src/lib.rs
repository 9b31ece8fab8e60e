//! API Gateway, its stream and its scheduler on one machine: real HTTP and WebSocket traffic becomes API Gateway's own
//! events, by API Gateway's own rules, and the functions run in this process, or in others that [`Invoke`] calls.
//!
//! Reading order: [`template`] (the routes), `router` (who answers what), `rest` and `socket` (traffic to events and
//! back), [`registry`] (pushing), `background` (the outbox and the schedule), [`stream`] and `mapping` (a table's events).

mod background;
mod event;
mod faults;
mod functions;
mod headers;
mod invoke;
mod management;
mod mapping;
mod metrics;
mod pages;
mod platform;
pub mod registry;
mod rest;
mod router;
pub mod salt;
mod server;
pub mod setup;
mod socket;
pub mod stream;
pub mod template;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use shared::app::Terminal;
use shared::attachments::AttachmentStore;
use shared::config::Config;
use shared::store::Store;
use shared::time::{Clock, SystemClock};
use shared::{App, Error, Result};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

pub use faults::Faults;
pub use functions::{Failure, Functions, InProcess};
pub use invoke::Invoke;

use background::Jobs;
use faults::Lots;
use metrics::Metrics;
use platform::{MAX_RUNNING, Platform};
use registry::{Closing, Registry};
use stream::StreamReader;
use template::Template;

/// At most so many TCP connections, sockets included.
const MAX_CONNECTIONS: u32 = 16_384;
/// How long running functions are waited for at the end.
const FINISH_TIME: Duration = Duration::from_secs(25);
/// How long sockets are waited for after that.
const CLOSE_TIME: Duration = Duration::from_secs(3);

/// What a gateway is started with.
pub struct GatewayOptions {
    /// The settings; `OTP_HASH_SALT` must be set.
    pub config: Config,
    /// The database, unless the functions run elsewhere and have it to themselves.
    pub store: Option<Arc<dyn Store>>,
    /// Where the events of the functions' table come from; without it they are drained from the store's outbox.
    pub stream: Option<StreamReader>,
    /// Where connections come in.
    pub listener: TcpListener,
    /// The time; the machine's own unless a test turns it.
    pub clock: Arc<dyn Clock>,
    /// Other functions than the workspace's own in this process.
    pub functions: Option<Arc<dyn Functions>>,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// How often the clock is looked at.
    pub tick: Duration,
    /// How long a function may take: API Gateway's 29 s.
    pub function_limit: Duration,
    /// Whether `/@connections` is served to this machine.
    pub connections_api: bool,
    /// And to this network, where functions run in containers.
    pub connections_from: Option<IpNet>,
    /// Where login codes are shown while Telegram is not set up.
    pub terminal: Option<Terminal>,
}

impl GatewayOptions {
    /// What people run: the functions in this process, on `store`.
    pub fn new(config: Config, store: Arc<dyn Store>, listener: TcpListener) -> Self {
        Self { store: Some(store), ..Self::common(config, listener) }
    }

    /// A gateway in front of functions that run elsewhere and have their store to themselves.
    pub fn before(config: Config, functions: Arc<dyn Functions>, listener: TcpListener) -> Self {
        Self { functions: Some(functions), connections_api: true, ..Self::common(config, listener) }
    }

    fn common(config: Config, listener: TcpListener) -> Self {
        Self {
            config,
            store: None,
            stream: None,
            listener,
            clock: Arc::new(SystemClock),
            functions: None,
            faults: Faults::default(),
            tick: Duration::from_secs(1),
            function_limit: Duration::from_secs(29),
            connections_api: false,
            connections_from: None,
            terminal: None,
        }
    }
}

/// Starts gateways. Nothing of one is global: several may run in one process.
pub struct Gateway;

impl Gateway {
    /// Starts one; it serves when this answers. Rows of sockets that died with the process before are forgotten.
    pub async fn start(options: GatewayOptions) -> Result<Running> {
        let address = options.listener.local_addr().map_err(Error::internal)?;
        let (stop, stopping) = watch::channel(false);
        let lots = Arc::new(Lots::new(options.faults));
        let metrics = Arc::new(Metrics::default());
        let (config, clock) = (options.config, options.clock);
        let registry = Arc::new(Registry::new(clock.clone(), lots.clone(), metrics.clone()));
        let app = match options.store {
            Some(store) => {
                store.forget_connections().await?;
                let app = App::new(config.clone(), store, registry.clone(), clock.clone())?;
                let app = app.with_terminal(options.terminal);
                Some(Arc::new(match &config.attachment_url {
                    Some(url) => app.with_attachments(AttachmentStore::open(url).map_err(Error::internal)?),
                    None => app,
                }))
            }
            None => None,
        };
        let in_process = || app.clone().map(|app| Arc::new(InProcess(app)) as Arc<dyn Functions>);
        let functions = options.functions.or_else(in_process);
        let platform = Arc::new(Platform {
            functions: functions.ok_or_else(|| Error::internal("there is neither a store nor are there functions"))?,
            config,
            clock,
            app,
            registry,
            metrics,
            jobs: Jobs::default(),
            lots,
            template: Template::built_in().map_err(Error::internal)?,
            slots: Arc::new(Semaphore::new(MAX_RUNNING as usize)),
            function_limit: options.function_limit,
            connections_api: options.connections_api,
            connections_from: options.connections_from,
            own_domain: address.to_string(),
            stopping: stopping.clone(),
        });
        let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS as usize));
        let mut tasks = background::start(&platform, options.tick, options.stream);
        tasks.spawn(server::serve(options.listener, router::build(&platform)?, connections.clone(), stopping));
        Ok(Running { address, platform, connections, stop, tasks })
    }
}

/// A gateway that serves. Without [`Running::shutdown`] it stops accepting and leaves its sockets to themselves.
pub struct Running {
    address: SocketAddr,
    platform: Arc<Platform>,
    connections: Arc<Semaphore>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Running {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The parts that its functions work with, when they run in here.
    pub fn app(&self) -> Option<&Arc<App>> {
        self.platform.app.as_ref()
    }

    /// The sockets that are open.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.platform.registry
    }

    /// Takes no more, finishes what runs (at most 25 s), closes every socket with 1001 and ends.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        let finished = async {
            // Tasks first: whoever holds all slots leaves none to a batch of the stream that is due.
            while self.tasks.join_next().await.is_some() {}
            let _all = self.platform.slots.acquire_many(MAX_RUNNING).await;
        };
        if tokio::time::timeout(FINISH_TIME, finished).await.is_err() {
            tracing::warn!("some functions did not finish in time");
        }
        self.platform.registry.close_all(Closing::GOING_AWAY);
        let closed = tokio::time::timeout(CLOSE_TIME, self.connections.acquire_many(MAX_CONNECTIONS));
        if closed.await.is_err() {
            tracing::debug!("some clients did not hang up in time");
        }
    }
}
