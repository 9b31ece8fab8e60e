//! A store with what brings its events into the lanes of the outbox: on DynamoDB whoever reads the table's stream.

use std::ops::Deref;
use std::sync::Arc;

use gateway::stream::StreamReader;
use shared::event::Lane;
use shared::event::stream::{Told, told};
use shared::store::dynamodb::DynamoStore;
use shared::store::{Pending, Store, StoreResult};
use shared::time::Timestamp;
use tokio::sync::Mutex;

/// A store. What it is asked about its outbox it answers after every event of its stream has come in.
#[derive(Clone)]
pub struct TestStore {
    store: Arc<dyn Store>,
    stream: Option<Arc<Mutex<StreamReader>>>,
}

impl TestStore {
    /// One that writes its events itself.
    pub fn new(store: impl Store + 'static) -> Self {
        Self { store: Arc::new(store), stream: None }
    }

    /// One on a table, with the table's stream.
    pub fn streamed(store: DynamoStore, stream: StreamReader) -> Self {
        Self { store: Arc::new(store), stream: Some(Arc::new(Mutex::new(stream))) }
    }

    /// Whether its events come by a stream.
    pub fn is_streamed(&self) -> bool {
        self.stream.is_some()
    }

    /// The store itself, for whoever brings in its events by other means.
    pub fn shared(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// [`shared::store::Outbox::due`].
    pub async fn due(&self, lane: Lane, now: Timestamp, limit: i64) -> StoreResult<Vec<Pending>> {
        self.take_in().await?;
        self.store.due(lane, now, limit).await
    }

    /// [`shared::store::Outbox::backlog`].
    pub async fn backlog(&self, lane: Lane) -> StoreResult<(i64, Option<Timestamp>)> {
        self.take_in().await?;
        self.store.backlog(lane).await
    }

    /// Brings every event of the stream in.
    pub async fn take_in(&self) -> StoreResult<()> {
        let Some(stream) = &self.stream else { return Ok(()) };
        let mut stream = stream.lock().await;
        loop {
            let records = stream.next().await.expect("the stream can be read");
            if records.is_empty() {
                return Ok(());
            }
            for record in records {
                let Told::Happened(event, position) = told(&record) else { continue };
                for lane in [Lane::Files, Lane::Telegram].into_iter().filter(|lane| lane.takes(event.kind)) {
                    self.store.accept(lane, &event, position).await?;
                }
            }
        }
    }
}

impl Deref for TestStore {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &*self.store
    }
}
