//! From a URL to a store that is ready.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AnyPool, ConnectOptions};

use super::lookup::Lookup;
use super::writer::Writers;
use super::{Database, SqlOptions, SqlStore};
use crate::config::DatabaseUrl;
use crate::store::{StoreError, StoreResult};

/// A caller waits this long for a connection before it hears that the store is not available.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// Those that many share, and the one that looks sockets up.
const SQLITE_READERS: u32 = 2 + 1;
const POSTGRES_READERS: u32 = 4 + 1;
const POSTGRES_WRITERS: u32 = 4;

/// `synchronous=full`: what is confirmed survives a power cut. The checkpoint keeps the write-ahead log near 4 MiB.
const PRAGMAS: &str = "pragma busy_timeout = 5000; pragma journal_mode = wal; pragma synchronous = full;
    pragma foreign_keys = on; pragma wal_autocheckpoint = 1000; pragma temp_store = memory";

impl SqlStore {
    /// Connects, brings the schema up to date and starts the writers. A missing SQLite file is created, with its folder,
    /// readable by its owner only.
    pub async fn open(url: &DatabaseUrl, options: SqlOptions) -> StoreResult<Self> {
        install_default_drivers();
        let lanes: Arc<[_]> = options.lanes.into();
        let store = match url.scheme() {
            "sqlite" => Self::open_sqlite(url, lanes).await?,
            _ => Self::open_postgres(url, lanes).await?,
        };
        Ok(store)
    }

    async fn open_sqlite(url: &DatabaseUrl, lanes: Arc<[crate::event::Lane]>) -> StoreResult<Self> {
        let memory = url.reveal().contains(":memory:") || url.reveal().contains("mode=memory");
        if !memory {
            create_file(url)?;
        }
        let connect = connect_options(url)?;
        let writer = sqlite_pool(1).connect_with(connect.clone()).await?;
        migrate(&writer, Database::Sqlite).await?;
        // Each connection to `:memory:` would be a database of its own, so that readers and the writer share the one.
        let readers = if memory { writer.clone() } else { sqlite_pool(SQLITE_READERS).connect_with(connect).await? };
        Ok(Self::with(readers, &writer, 1, Database::Sqlite, memory, lanes))
    }

    async fn open_postgres(url: &DatabaseUrl, lanes: Arc<[crate::event::Lane]>) -> StoreResult<Self> {
        let pool = AnyPoolOptions::new()
            .max_connections(POSTGRES_READERS + POSTGRES_WRITERS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(connect_options(url)?)
            .await?;
        migrate(&pool, Database::Postgres).await?;
        Ok(Self::with(pool.clone(), &pool, POSTGRES_WRITERS, Database::Postgres, false, lanes))
    }

    fn with(
        readers: AnyPool,
        writer: &AnyPool,
        writers: u32,
        database: Database,
        shared: bool,
        lanes: Arc<[crate::event::Lane]>,
    ) -> Self {
        let lookup = Lookup::start(&readers, database, shared);
        Self { readers, lookup, writers: Writers::start(writer, writers, database, shared), lanes, database }
    }
}

fn sqlite_pool(connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async move { sqlx::raw_sql(PRAGMAS).execute(&mut *connection).await.map(|_| ()) })
        })
}

fn connect_options(url: &DatabaseUrl) -> StoreResult<AnyConnectOptions> {
    AnyConnectOptions::from_str(url.reveal()).map(ConnectOptions::disable_statement_logging).map_err(|_| bad_url())
}

/// The schema, and then what only SQLite has.
async fn migrate(pool: &AnyPool, database: Database) -> StoreResult<()> {
    run(sqlx::migrate!("./migrations"), pool).await?;
    match database {
        Database::Sqlite => run(sqlx::migrate!("./migrations/sqlite"), pool).await,
        Database::Postgres => Ok(()),
    }
}

/// Each set knows nothing of the other.
async fn run(mut migrations: Migrator, pool: &AnyPool) -> StoreResult<()> {
    let migrated = migrations.set_ignore_missing(true).run(pool).await;
    migrated.map_err(|error| match error {
        MigrateError::Execute(error) => error.into(),
        other => StoreError::Broken(Box::new(other)),
    })
}

/// Says nothing of the URL, which may hold a password.
fn bad_url() -> StoreError {
    StoreError::Broken("DATABASE_URL is not a URL that the database driver understands".into())
}

fn create_file(url: &DatabaseUrl) -> StoreResult<()> {
    let options = SqliteConnectOptions::from_str(url.reveal()).map_err(|_| bad_url())?;
    let path = options.get_filename();
    create_private(path).map_err(|error| StoreError::Unavailable(Box::new(error)))
}

fn create_private(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new();
    file.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(path).map(|_| ())
}
