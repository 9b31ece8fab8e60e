//! Where a server keeps its messages: a place of its own for each run, so that none finds what another has left.

use std::fmt;
use std::path::PathBuf;

use tokio_postgres::NoTls;

use crate::Result;

/// What a comparison is held on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Store {
    /// Nothing is kept; relay only.
    Nothing,
    /// One file, write-ahead log, `synchronous=FULL`.
    Sqlite,
    /// A server on this machine with its own durable settings.
    Postgres,
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing kept",
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// A `PostgreSQL` server.
#[derive(Clone)]
pub struct Postgres {
    /// With a database in which others can be created.
    pub url: String,
    /// The process that all others of it come from.
    pub postmaster: u32,
}

/// Where there is room.
#[derive(Clone)]
pub struct Room {
    /// For files.
    pub folder: PathBuf,
    /// For databases.
    pub postgres: Postgres,
}

/// The place of one run.
pub enum Place {
    /// None.
    Nothing,
    /// A folder with the file in it.
    Sqlite(PathBuf),
    /// A database of a server.
    Postgres {
        /// The server.
        server: Postgres,
        /// The database.
        name: String,
    },
}

impl Room {
    /// Makes a place for the run of this number.
    pub async fn place(&self, store: Store, number: usize) -> Result<Place> {
        let name = format!("run_{number}");
        Ok(match store {
            Store::Nothing => Place::Nothing,
            Store::Sqlite => {
                let folder = self.folder.join(name);
                std::fs::create_dir_all(&folder)?;
                Place::Sqlite(folder)
            }
            Store::Postgres => {
                let server = self.postgres.clone();
                server.execute(&format!("create database {name}")).await?;
                // What the run before has left to write must not be written in this one.
                server.execute("checkpoint").await?;
                Place::Postgres { server, name }
            }
        })
    }
}

impl Place {
    /// As the gateway's setting.
    pub fn gateway_url(&self) -> String {
        match self {
            Self::Nothing => "sqlite::memory:".into(),
            Self::Sqlite(folder) => format!("sqlite://{}/parley.db", folder.display()),
            Self::Postgres { server, name } => server.database(name),
        }
    }

    /// As the relay's argument.
    pub fn relay_url(&self) -> String {
        match self {
            Self::Nothing => "bare".into(),
            Self::Sqlite(folder) => format!("sqlite:{}/relay.db", folder.display()),
            Self::Postgres { server, name } => server.database(name),
        }
    }

    /// The database's process, when it has one.
    pub fn postmaster(&self) -> Option<u32> {
        match self {
            Self::Nothing | Self::Sqlite(_) => None,
            Self::Postgres { server, .. } => Some(server.postmaster),
        }
    }

    /// Throws it away with all that is in it.
    pub async fn remove(&self) -> Result<()> {
        match self {
            Self::Nothing => {}
            Self::Sqlite(folder) => std::fs::remove_dir_all(folder)?,
            Self::Postgres { server, name } => {
                server.execute(&format!("drop database {name} with (force)")).await?;
            }
        }
        Ok(())
    }
}

impl Postgres {
    fn database(&self, name: &str) -> String {
        let base = self.url.rsplit_once('/').map_or(self.url.as_str(), |(base, _)| base);
        format!("{base}/{name}")
    }

    async fn execute(&self, statement: &str) -> Result<()> {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await?;
        let connection = tokio::spawn(connection);
        client.batch_execute(statement).await?;
        drop(client);
        Ok(connection.await??)
    }
}
