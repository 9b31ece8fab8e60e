//! Stores to test with: each empty, each its own.

mod questions;
mod storm;
mod streamed;
mod table;
mod undelivered;

use std::future::Future;
use std::path::{Path, PathBuf};

use gateway::stream::{Start, StreamReader};
use shared::config::DatabaseUrl;
use shared::event::Lane;
use shared::store::dynamodb::DynamoStore;
use shared::store::sql::{SqlOptions, SqlStore};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

pub use storm::Storm;
pub use streamed::TestStore;
pub use table::Table;
pub use undelivered::Undelivered;

/// A place where a database may be opened, dropped and opened again.
pub struct Home {
    pub url: DatabaseUrl,
    place: Place,
}

enum Place {
    Memory,
    Folder(PathBuf),
    /// A schema of PostgreSQL.
    Schema(String),
    Table(Table),
}

impl Home {
    pub fn in_memory() -> Self {
        Self { url: DatabaseUrl::new("sqlite::memory:"), place: Place::Memory }
    }

    pub fn in_a_file() -> Self {
        let folder = std::env::temp_dir().join(format!("parley-{}", Uuid::now_v7()));
        let url = DatabaseUrl::new(format!("sqlite://{}/data/parley.db", folder.display()));
        Self { url, place: Place::Folder(folder) }
    }

    /// A schema of its own on the server that `TEST_POSTGRES_URL` names.
    pub async fn on_postgres() -> Self {
        let schema = format!("parley_{}", Uuid::now_v7().simple());
        execute_on_postgres(format!("create schema {schema}")).await;
        let server = postgres_url();
        let glue = if server.contains('?') { '&' } else { '?' };
        let url = DatabaseUrl::new(format!("{server}{glue}options=-csearch_path%3D{schema}"));
        Self { url, place: Place::Schema(schema) }
    }

    /// A table of its own on the server that `TEST_DYNAMODB_URL` names.
    pub async fn on_dynamodb() -> Self {
        let table = Table::create().await;
        Self { url: table.url(), place: Place::Table(table) }
    }

    /// Every kind.
    pub async fn every() -> Vec<Self> {
        let memory = wanted("sqlite").then(Self::in_memory);
        memory.into_iter().chain(Self::lasting().await).collect()
    }

    /// Every kind that outlives its store: `sqlite::memory:` forgets with its last connection.
    pub async fn lasting() -> Vec<Self> {
        let mut homes = Self::on_sql().await;
        if wanted("dynamodb") {
            homes.push(Self::on_dynamodb().await);
        }
        homes
    }

    /// Those whose rows SQL can tell.
    pub async fn on_sql() -> Vec<Self> {
        let mut homes = Vec::new();
        if wanted("sqlite") {
            homes.push(Self::in_a_file());
        }
        if wanted("postgres") {
            homes.push(Self::on_postgres().await);
        }
        homes
    }

    /// The table, on DynamoDB.
    pub fn table(&self) -> Option<&Table> {
        match &self.place {
            Place::Table(table) => Some(table),
            _ => None,
        }
    }

    /// A connection of the test's own, past the store.
    pub async fn connection(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(self.url.reveal()).await.expect("the database answers")
    }

    /// The database's file, when it has one.
    pub fn file(&self) -> Option<PathBuf> {
        match &self.place {
            Place::Folder(folder) => Some(Path::new(folder).join("data/parley.db")),
            _ => None,
        }
    }

    /// What the events of the store come by, where it does not write them into its outbox.
    pub async fn stream(&self) -> Option<StreamReader> {
        let table = self.table()?;
        let stream = StreamReader::open(table.server(), table.name(), Start::TrimHorizon).await;
        Some(stream.expect("the table has a stream"))
    }

    /// Opens the store, and whatever brings its events into every lane.
    pub async fn open(&self) -> TestStore {
        if let Some(stream) = self.stream().await {
            return TestStore::streamed(DynamoStore::open(&self.url).expect("the URL is right"), stream);
        }
        let options = SqlOptions { lanes: vec![Lane::Files, Lane::Telegram] };
        TestStore::new(SqlStore::open(&self.url, options).await.expect("the store opens"))
    }

    /// Takes everything away.
    pub async fn leave(self) {
        match self.place {
            Place::Memory => {}
            Place::Folder(folder) => std::fs::remove_dir_all(folder).expect("the folder can be removed"),
            Place::Schema(schema) => execute_on_postgres(format!("drop schema {schema} cascade")).await,
            Place::Table(table) => table.remove().await,
        }
    }
}

/// Runs a story on every SQL store, each time with an empty one.
pub async fn for_each_sql_store(tell: impl AsyncFn(TestStore)) {
    let memory = wanted("sqlite").then(Home::in_memory);
    for home in memory.into_iter().chain(Home::on_sql().await) {
        eprintln!("on {:?}", home.url);
        tell(home.open().await).await;
        home.leave().await;
    }
}

/// Runs a story on every store, each time with an empty one.
pub async fn for_each_store<F: Future<Output = ()>>(tell: impl Fn(TestStore) -> F) {
    for home in Home::every().await {
        eprintln!("on {:?}", home.url);
        tell(home.open().await).await;
        home.leave().await;
    }
}

/// Whether stories are to be told on this store: on all, unless `TEST_STORES` names some.
#[expect(clippy::disallowed_methods, reason = "the harness is told what to look at")]
fn wanted(store: &str) -> bool {
    std::env::var("TEST_STORES").map_or(true, |named| named.split(',').any(|one| one == store))
}

#[expect(clippy::disallowed_methods, reason = "the harness is told where its server is")]
fn postgres_url() -> String {
    std::env::var("TEST_POSTGRES_URL")
        .expect("TEST_POSTGRES_URL must name a PostgreSQL server to test on; `make test` starts one and sets it")
}

async fn execute_on_postgres(statement: String) {
    let mut connection = PgConnection::connect(&postgres_url()).await.expect("the PostgreSQL server answers");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.expect("the statement runs");
    connection.close().await.expect("the connection closes");
}
