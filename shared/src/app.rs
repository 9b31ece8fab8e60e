//! Everything a handler needs, built once in `main`.

use std::sync::Arc;

use crate::config::Config;
use crate::connections::Connections;
use crate::i18n::Catalogue;
use crate::store::Store;
use crate::time::{Clock, Timestamp};

/// The parts that rules and handlers work with. Shared by reference; cheap to build for a test.
pub struct App {
    /// The settings.
    pub config: Config,
    /// The database.
    pub store: Arc<dyn Store>,
    /// The way to sockets.
    pub connections: Arc<dyn Connections>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The words.
    pub catalogue: Catalogue,
}

impl App {
    /// Puts the parts together.
    pub fn new(
        config: Config,
        store: Arc<dyn Store>,
        connections: Arc<dyn Connections>,
        clock: Arc<dyn Clock>,
    ) -> crate::Result<Self> {
        let catalogue = Catalogue::load(&config.default_locale)?;
        Ok(Self { config, store, connections, clock, catalogue })
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
