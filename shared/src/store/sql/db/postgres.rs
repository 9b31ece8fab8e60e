//! PostgreSQL, by `sqlx`.

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::{Connection, Row};

use super::{Query, Result, Value, Wanted};

/// A connection to a server.
pub(in crate::store::sql) struct Server(pub(in crate::store::sql) PoolConnection<Postgres>);

impl Server {
    pub(super) async fn execute(&mut self, query: Query) -> Result<u64> {
        Ok(with_values(query).execute(&mut *self.0).await?.rows_affected())
    }

    pub(super) async fn fetch(&mut self, query: Query, wanted: Wanted) -> Result<Vec<super::Row>> {
        let (query, on) = (with_values(query), &mut *self.0);
        let rows = match wanted {
            Wanted::All => query.fetch_all(on).await?,
            Wanted::First => query.fetch_optional(on).await?.into_iter().collect(),
        };
        Ok(rows.into_iter().map(super::Row::Postgres).collect())
    }

    /// Whether it is still there.
    pub(in crate::store::sql) async fn answers(&mut self) -> bool {
        self.0.ping().await.is_ok()
    }
}

fn with_values(query: Query) -> sqlx::query::Query<'static, Postgres, PgArguments> {
    query.values.into_iter().fold(sqlx::query(query.statement), |statement, value| match value {
        Value::Number(number) => statement.bind(number),
        Value::Text(text) => statement.bind(text),
    })
}

pub(super) fn number(row: &PgRow, column: &str) -> Result<Option<i64>> {
    // A literal number is an INTEGER there.
    Ok(row.try_get(column).or_else(|_| row.try_get::<Option<i32>, _>(column).map(|number| number.map(i64::from)))?)
}

pub(super) fn text(row: &PgRow, column: &str) -> Result<Option<String>> {
    Ok(row.try_get(column)?)
}
