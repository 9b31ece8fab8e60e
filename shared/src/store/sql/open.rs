//! From a URL to a store that is ready.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::db::{Client, Readers, SqliteClient, SqlitePlace, SqliteReaders};
use super::failure::not_opened;
use super::kept::{ACQUIRE_TIMEOUT, Shared};
use super::writer::Writers;
use super::{Database, SqlOptions, SqlStore};
use crate::config::DatabaseUrl;
use crate::event::Lane;
use crate::id;
use crate::store::{StoreError, StoreResult};

const SQLITE_READERS: usize = 2;
const POSTGRES_READERS: u32 = 5;
/// Each row that is written is found by its key. The planner, which takes a list for a hundred rows, would read whole tables.
const BY_INDEX: [(&str, &str); 5] = [
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("plan_cache_mode", "force_generic_plan"),
    // A table that has to be read nevertheless looks so dear then that its statement would be compiled, a tenth of a second long.
    ("jit", "off"),
];

impl SqlStore {
    /// Connects, brings the schema up to date and starts the writers. A missing SQLite file is created, with its folder,
    /// readable by its owner only.
    pub async fn open(url: &DatabaseUrl, options: SqlOptions) -> StoreResult<Self> {
        let lanes: Arc<[_]> = options.lanes.into();
        match url.scheme() {
            "sqlite" => Self::open_sqlite(url, lanes).await,
            _ => Self::open_postgres(url, lanes).await,
        }
    }

    async fn open_sqlite(url: &DatabaseUrl, lanes: Arc<[Lane]>) -> StoreResult<Self> {
        let place = place(url)?;
        // Before the schema, so that it is written with the writer's settings.
        let writer = SqliteClient::open(&place).map_err(not_opened)?;
        writer.keep_more_pages()?;
        let (name, vfs) = place.way();
        let options = SqliteConnectOptions::new().filename(name).vfs(vfs.to_string_lossy());
        let mut connection = options.disable_statement_logging().connect().await?;
        run(sqlx::migrate!("./migrations"), &mut connection).await?;
        run(sqlx::migrate!("./migrations/sqlite"), &mut connection).await?;
        connection.close().await?;
        writer.lengthen_log(&place).map_err(not_opened)?;
        let readers = Readers::Sqlite(SqliteReaders::start(&place, SQLITE_READERS)?);
        let writers = Writers::on_a_thread(Client::Sqlite(writer));
        let writers = writers.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        Ok(Self::of(readers, writers, lanes, Database::Sqlite))
    }

    async fn open_postgres(url: &DatabaseUrl, lanes: Arc<[Lane]>) -> StoreResult<Self> {
        let options = PgConnectOptions::from_str(url.reveal()).map_err(|_| bad_url())?.disable_statement_logging();
        let pool = |size| PgPoolOptions::new().max_connections(size).acquire_timeout(ACQUIRE_TIMEOUT);
        let readers = pool(POSTGRES_READERS).connect_with(options.clone()).await?;
        let mut connection = readers.acquire().await?;
        run(sqlx::migrate!("./migrations"), &mut *connection).await?;
        run(sqlx::migrate!("./migrations/postgres"), &mut *connection).await?;
        drop(connection);
        let writers = pool(Writers::IN_A_POOL).connect_with(options.options(BY_INDEX)).await?;
        let writers = Writers::of_pool(&writers);
        let readers = Readers::Postgres(Shared::of(readers, POSTGRES_READERS));
        Ok(Self::of(readers, writers, lanes, Database::Postgres))
    }

    fn of(readers: Readers, writers: Writers, lanes: Arc<[Lane]>, database: Database) -> Self {
        let (live, operators, short_buckets, sessions, leases) = Default::default();
        Self { readers, live, operators, short_buckets, sessions, leases, writers, lanes, database }
    }
}

pub(super) fn place(url: &DatabaseUrl) -> StoreResult<SqlitePlace> {
    let memory = url.reveal().contains(":memory:") || url.reveal().contains("mode=memory");
    if memory {
        return Ok(SqlitePlace::Memory(format!("/{}", id::sortable_id())));
    }
    let options = SqliteConnectOptions::from_str(url.reveal()).map_err(|_| bad_url())?;
    let path = options.get_filename();
    create_private(path).map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    Ok(SqlitePlace::File(path.to_owned()))
}

/// Each set knows nothing of the other.
async fn run<C: Migrate>(mut migrations: Migrator, connection: &mut C) -> StoreResult<()> {
    let migrated = migrations.set_ignore_missing(true).run_direct(None, connection, false).await;
    migrated.map_err(|error| match error {
        MigrateError::Execute(error) => error.into(),
        other => StoreError::Broken(Box::new(other)),
    })
}

/// Says nothing of the URL, which may hold a password.
fn bad_url() -> StoreError {
    StoreError::Broken("DATABASE_URL is not a URL that the database driver understands".into())
}

pub(super) fn create_private(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new();
    file.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(path).map(|_| ())
}
