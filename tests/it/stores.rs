//! Stores to test with: each empty, each its own.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use shared::config::DatabaseUrl;
use shared::event::Lane;
use shared::store::sql::{SqlOptions, SqlStore};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

/// A place where a database may be opened, dropped and opened again.
pub struct Home {
    pub url: DatabaseUrl,
    folder: Option<PathBuf>,
    schema: Option<String>,
}

impl Home {
    pub fn in_memory() -> Self {
        Self { url: DatabaseUrl::new("sqlite::memory:"), folder: None, schema: None }
    }

    pub fn in_a_file() -> Self {
        let folder = std::env::temp_dir().join(format!("parley-{}", Uuid::now_v7()));
        let url = DatabaseUrl::new(format!("sqlite://{}/data/parley.db", folder.display()));
        Self { url, folder: Some(folder), schema: None }
    }

    /// A schema of its own on the server that `TEST_POSTGRES_URL` names.
    pub async fn on_postgres() -> Self {
        let schema = format!("parley_{}", Uuid::now_v7().simple());
        execute_on_postgres(format!("create schema {schema}")).await;
        let server = postgres_url();
        let glue = if server.contains('?') { '&' } else { '?' };
        let url = DatabaseUrl::new(format!("{server}{glue}options=-csearch_path%3D{schema}"));
        Self { url, folder: None, schema: Some(schema) }
    }

    /// Every kind that outlives its store: `sqlite::memory:` forgets with its last connection.
    pub async fn lasting() -> [Self; 2] {
        [Self::in_a_file(), Self::on_postgres().await]
    }

    /// A connection of the test's own, past the store.
    pub async fn connection(&self) -> AnyConnection {
        AnyConnection::connect(self.url.reveal()).await.expect("the database answers")
    }

    /// The database's file, when it has one.
    pub fn file(&self) -> Option<PathBuf> {
        self.folder.as_deref().map(|folder| Path::new(folder).join("data/parley.db"))
    }

    /// Opens the store with every lane filled.
    pub async fn open(&self) -> SqlStore {
        let options = SqlOptions { lanes: vec![Lane::Index, Lane::Telegram] };
        SqlStore::open(&self.url, options).await.expect("the store opens")
    }

    /// Takes everything away.
    pub async fn leave(self) {
        if let Some(schema) = &self.schema {
            execute_on_postgres(format!("drop schema {schema} cascade")).await;
        }
        if let Some(folder) = &self.folder {
            std::fs::remove_dir_all(folder).expect("the folder can be removed");
        }
    }
}

/// Runs a story on every store, each time with an empty one.
pub async fn for_each_store<F: Future<Output = ()>>(tell: impl Fn(Arc<SqlStore>) -> F) {
    for home in [Home::in_memory(), Home::in_a_file(), Home::on_postgres().await] {
        eprintln!("on {:?}", home.url);
        let store = Arc::new(home.open().await);
        tell(store).await;
        home.leave().await;
    }
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
