//! One way to ask `SQLite` and `PostgreSQL`.
//!
//! On `PostgreSQL` a query goes through `sqlx`. On `SQLite` it runs where it is asked, by `rusqlite`: a driver that has a thread of
//! its own costs two changes of threads for each statement, more than most statements take. The writer has a thread of its own
//! instead, on which the whole of a transaction runs; what is read comes from threads of its own too, unless that is brief.

mod postgres;
mod readers;
mod sqlite;

use std::borrow::Cow;
use std::sync::Arc;

use sqlx::postgres::PgRow;

use super::Database;
use super::kept::Shared;
pub(super) use postgres::Server;
pub(super) use readers::Readers as SqliteReaders;
pub(super) use sqlite::{Client as SqliteClient, Place as SqlitePlace};

/// What a database, or what was read from it, has against a query.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// Of `SQLite`.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// Of `PostgreSQL` or the way there.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
    /// A row that was there a statement ago is gone, or has changed.
    #[error("a row is not as it was")]
    Moved,
    /// A value that does not fit.
    #[error("{0}")]
    Value(Box<dyn std::error::Error + Send + Sync>),
    /// The threads on which readers run have ended.
    #[error("the store has stopped")]
    Stopped,
}

/// Of a query.
pub(super) type Result<T> = std::result::Result<T, Error>;

/// What a parameter is, and what a column of `SQLite` was: the schema knows two types.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// BIGINT.
    Number(Option<i64>),
    /// TEXT.
    Text(Option<Cow<'static, str>>),
}

/// One of the words of the contract.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word(pub(super) &'static str);

macro_rules! values {
    ($($from:ty, $value:ident => $into:expr;)+) => {
        $(impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $into
            }
        })+
    };
}
values! {
    i64, value => Self::Number(Some(value));
    &i64, value => Self::Number(Some(*value));
    Option<i64>, value => Self::Number(value);
    String, value => Self::Text(Some(value.into()));
    &String, value => Self::Text(Some(value.clone().into()));
    &str, value => Self::Text(Some(value.to_owned().into()));
    Option<String>, value => Self::Text(value.map(Cow::from));
    Option<&str>, value => Self::Text(value.map(|text| text.to_owned().into()));
    Word, value => Self::Text(Some(value.0.into()));
    Option<Word>, value => Self::Text(value.map(|word| word.0.into()));
}

/// A statement with its parameters.
#[derive(Clone, Debug)]
pub(super) struct Query {
    statement: &'static str,
    values: Vec<Value>,
    brief: bool,
}

/// Few statements have more parameters.
const USUAL: usize = 20;

/// A statement whose parameters are `$1`, `$2` and so on.
pub(super) fn query(statement: &'static str) -> Query {
    Query { statement, values: Vec::with_capacity(USUAL), brief: false }
}

/// Who runs a query.
pub(super) enum On<'a> {
    /// A connection of one's own.
    Client(&'a mut Client),
    /// Any that is free.
    Readers(&'a Readers),
}

/// A connection.
pub(super) enum Client {
    /// Of `SQLite`.
    Sqlite(SqliteClient),
    /// Of `PostgreSQL`.
    Postgres(Server),
}

/// Connections that many share; each query of theirs stands alone.
#[derive(Clone)]
pub(super) enum Readers {
    /// Of `SQLite`.
    Sqlite(SqliteReaders),
    /// Of `PostgreSQL`.
    Postgres(Shared),
}

impl<'a> From<&'a mut Client> for On<'a> {
    fn from(client: &'a mut Client) -> Self {
        Self::Client(client)
    }
}

impl<'a> From<&'a Readers> for On<'a> {
    fn from(readers: &'a Readers) -> Self {
        Self::Readers(readers)
    }
}

/// How many rows are wanted.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    /// Whatever is found.
    All,
    /// The first, if there is one.
    First,
}

impl Client {
    /// As many rows as are wanted.
    pub(super) async fn fetch(&mut self, query: Query, wanted: Wanted) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite(client) => client.fetch(&query, wanted),
            Self::Postgres(server) => server.fetch(query, wanted).await,
        }
    }
}

impl Query {
    /// Gives the next parameter.
    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Says that it finds few rows by a key: on SQLite that takes less than to hand it to another thread.
    pub(super) fn brief(mut self) -> Self {
        self.brief = true;
        self
    }

    /// All rows.
    pub(super) async fn fetch_all(self, on: impl Into<On<'_>>) -> Result<Vec<Row>> {
        self.fetch(on.into(), Wanted::All).await
    }

    /// The first row, if there is one.
    pub(super) async fn fetch_optional(self, on: impl Into<On<'_>>) -> Result<Option<Row>> {
        Ok(self.fetch(on.into(), Wanted::First).await?.pop())
    }

    /// The first row, which has to be there.
    pub(super) async fn fetch_one(self, on: impl Into<On<'_>>) -> Result<Row> {
        self.fetch_optional(on).await?.ok_or(Error::Moved)
    }

    /// Runs it for what it changes; answers how many rows that were.
    pub(super) async fn execute(self, client: &mut Client) -> Result<u64> {
        match client {
            Client::Sqlite(client) => client.execute(&self),
            Client::Postgres(server) => server.execute(self).await,
        }
    }

    async fn fetch(self, on: On<'_>, wanted: Wanted) -> Result<Vec<Row>> {
        match on {
            On::Client(client) => client.fetch(self, wanted).await,
            On::Readers(Readers::Sqlite(readers)) => readers.fetch(self, wanted).await,
            On::Readers(Readers::Postgres(readers)) => readers.fetch(self, wanted).await,
        }
    }
}

/// Runs something in a transaction: all of it comes to pass, or nothing.
pub(super) async fn transaction<T>(
    client: &mut Client,
    database: Database,
    run: impl AsyncFnOnce(&mut Client) -> Result<T>,
) -> Result<T> {
    let committed = async {
        query(database.begin()).execute(client).await?;
        let done = run(client).await?;
        query("commit").execute(client).await?;
        Ok(done)
    };
    let committed = committed.await;
    if committed.is_err() {
        // There may be no transaction, and nothing can be done about a connection that is gone.
        let _ = query("rollback").execute(client).await;
    }
    committed
}

/// What was found.
pub(super) enum Row {
    /// By `SQLite`: the names of the columns and their values.
    Sqlite(Arc<[String]>, Vec<Value>),
    /// By `PostgreSQL`.
    Postgres(PgRow),
}

impl Row {
    /// A number, if it is not null.
    pub(super) fn number(&self, column: &str) -> Result<Option<i64>> {
        match self {
            Self::Sqlite(names, values) => match sqlite::column(names, values, column)? {
                Value::Number(number) => Ok(*number),
                Value::Text(None) => Ok(None),
                Value::Text(Some(_)) => Err(misfit(column)),
            },
            Self::Postgres(row) => postgres::number(row, column),
        }
    }

    /// A text, if it is not null.
    pub(super) fn text(&self, column: &str) -> Result<Option<String>> {
        match self {
            Self::Sqlite(names, values) => match sqlite::column(names, values, column)? {
                Value::Text(text) => Ok(text.as_deref().map(str::to_owned)),
                Value::Number(None) => Ok(None),
                Value::Number(Some(_)) => Err(misfit(column)),
            },
            Self::Postgres(row) => postgres::text(row, column),
        }
    }
}

fn misfit(column: &str) -> Error {
    Error::Value(format!("the column {column} is missing or of another type").into())
}
