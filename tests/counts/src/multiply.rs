//! Many times what a store has written: its own rows again, under other ids and at later times.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection};

use crate::Result;

/// The tables that hold what was said, but for the search index, which the store makes itself; with the order in which their rows
/// are written again: their keys' own, so that they go to the end of what is there.
const TABLES: [(&str, &str); 2] = [("conversation", "k.n"), ("message", "k.n, t.number")];
/// Where the messages of each conversation stand, none of which has enough of them for a run.
const PLACES: &str = "create temp table place as
        select conversation_id, json_group_array(number order by seq) as newest from message group by conversation_id;
    create index temp.place_of on place (conversation_id);
    update conversation set newest = (select newest from place p where p.conversation_id = conversation.conversation_id)";
/// Nothing of this has to outlive a power cut.
const HASTY: &str = "pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -2000000;
    pragma temp_store = memory; pragma foreign_keys = off; pragma locking_mode = exclusive";
/// Threads that end take no longer.
const PATIENCE: Duration = Duration::from_secs(10);
const BETWEEN: Duration = Duration::from_millis(10);
/// How far apart two copies lie, in milliseconds.
pub const APART: i64 = 3_600_000;

/// Writes the rows of a closed database again until it has `times` as many, but for those of one conversation.
pub async fn multiply(file: &Path, times: u32, but: &str) -> Result<()> {
    let mut database = alone(file).await?;
    let numbers = format!(
        "create temp table k as with recursive k(n) as (select 1 union all select n + 1 from k where n < {})
         select n from k",
        times - 1
    );
    run(&mut database, numbers).await?;
    for (table, order) in TABLES {
        copy(&mut database, table, order, but).await?;
    }
    run(&mut database, PLACES.to_owned()).await?;
    run(&mut database, "pragma locking_mode = normal; pragma journal_mode = wal".into()).await?;
    Ok(database.close().await?)
}

/// A connection that nobody else shares; the threads of a store that was closed a moment ago may still have theirs.
async fn alone(file: &Path) -> Result<SqliteConnection> {
    let begin = Instant::now();
    loop {
        let mut database = SqliteConnectOptions::new().filename(file).disable_statement_logging().connect().await?;
        match run(&mut database, HASTY.to_owned()).await {
            Err(_) if begin.elapsed() < PATIENCE => tokio::time::sleep(BETWEEN).await,
            made => return made.map(|()| database),
        }
    }
}

/// The indexes that are no keys are made anew afterwards, which is faster by far than to keep them.
async fn copy(database: &mut SqliteConnection, table: &str, order: &str, but: &str) -> Result<()> {
    let indexes =
        format!("select name, sql from sqlite_master where tbl_name = '{table}' and type = 'index' and sql <> ''");
    let indexes = sqlx::query(AssertSqlSafe(indexes)).fetch_all(&mut *database).await?;
    for index in &indexes {
        run(database, format!("drop index {}", index.try_get::<String, _>("name")?)).await?;
    }
    let columns = sqlx::query(AssertSqlSafe(format!("pragma table_info({table})"))).fetch_all(&mut *database).await?;
    let columns = columns.iter().map(|column| column.try_get::<String, _>("name"));
    let mut columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
    // The database gives it, in the order of the rows.
    columns.retain(|column| column != "number");
    let values: Vec<String> = columns.iter().map(|column| value(column)).collect();
    let (columns, values) = (columns.join(", "), values.join(", "));
    run(database, format!("create temp table t as select * from {table} where conversation_id <> '{but}'")).await?;
    run(database, format!("insert into {table} ({columns}) select {values} from k cross join t order by {order}"))
        .await?;
    run(database, "drop table t".into()).await?;
    for index in &indexes {
        run(database, index.try_get("sql")?).await?;
    }
    Ok(())
}

/// A copy's column: ids begin with the copy's number, times are later, everything else is the same.
fn value(column: &str) -> String {
    match column {
        "conversation_id" => format!("printf('%08x', k.n) || substr(t.{column}, 9)"),
        "at" | "created_at" | "last_activity_at" | "last_created_at" | "waiting_since" | "event_at" => {
            format!("t.{column} + k.n * {APART}")
        }
        "active_minute" => format!("(t.last_activity_at + k.n * {APART}) / 60000"),
        _ => format!("t.{column}"),
    }
}

async fn run(database: &mut SqliteConnection, statement: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(database).await?;
    Ok(())
}
