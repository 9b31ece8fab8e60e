//! `SQLite`, by `rusqlite`.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, OpenFlags};

use super::{Error, Query, Result, Row, Value, Wanted, misfit};
use crate::store::sql::backup::beside;

/// `synchronous=full`: what is confirmed survives a power cut. The checkpoint keeps the write-ahead log near 16 MiB: the rarer it
/// is, the more often a page was written that it copies once.
const PRAGMAS: &str = "pragma busy_timeout = 5000; pragma journal_mode = wal; pragma synchronous = full;
    pragma foreign_keys = on; pragma wal_autocheckpoint = 4000; pragma temp_store = memory";
/// Bytes of a write-ahead log at a checkpoint, and of a commit of many pages more.
const LOG: u64 = 18 << 20;
/// More than the store has.
const STATEMENTS: usize = 192;

/// Where a database is.
#[derive(Clone, Debug)]
pub(in crate::store::sql) enum Place {
    /// In this process, for all who know its name; it ends with the last connection.
    Memory(String),
    /// A file that exists. This process has it alone, as long as one connection is open: to take and give back the locks for
    /// others is six system calls a message, and live sockets are in memory, of which another process would know nothing.
    File(PathBuf),
}

impl Place {
    /// What SQLite calls it by, and its own name for the way there.
    pub(in crate::store::sql) fn way(&self) -> (PathBuf, &'static CStr) {
        match self {
            Self::Memory(name) => (name.into(), c"memdb"),
            Self::File(path) => (path.clone(), c"unix-excl"),
        }
    }
}

/// What is asked of a statement once.
struct Shape {
    /// The names of its columns.
    columns: Arc<[String]>,
    /// The number of each parameter: `$2` is a name to SQLite, which counts parameters in the order in which they occur.
    parameters: Vec<usize>,
}

impl Shape {
    fn of(statement: &CachedStatement) -> Self {
        let columns = statement.column_names().into_iter().map(str::to_owned).collect();
        let number = |index| {
            let name = statement.parameter_name(index).and_then(|name| name.get(1..));
            name.and_then(|name| name.parse().ok()).unwrap_or(index)
        };
        Self { columns, parameters: (1..=statement.parameter_count()).map(number).collect() }
    }
}

/// A connection.
pub(in crate::store::sql) struct Client {
    connection: Connection,
    /// A statement is known by where its text stands, since it is never made at run time.
    shapes: BTreeMap<(usize, usize), Shape>,
}

impl Client {
    pub(in crate::store::sql) fn open(place: &Place) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let (name, vfs) = place.way();
        let connection = Connection::open_with_flags_and_vfs(name, flags, vfs)?;
        connection.execute_batch(PRAGMAS)?;
        // Or a statement is compiled anew for every other value of a parameter that a plan might depend on.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(Self { connection, shapes: BTreeMap::new() })
    }

    /// Lets it keep 8 MiB of pages instead of 2: one that only reads throws them away after each commit of the writer.
    pub(in crate::store::sql) fn keep_more_pages(&self) -> Result<()> {
        Ok(self.connection.execute_batch("pragma cache_size = -8192")?)
    }

    /// Gives the write-ahead log of a file its full length at once, in zeros, which end a log as its last byte does: where a
    /// commit makes a file longer, it waits for what the file system itself has to write of that. Where there is no room, the
    /// log grows as it is used.
    pub(in crate::store::sql) fn lengthen_log(&self, place: &Place) -> Result<()> {
        let Place::File(path) = place else { return Ok(()) };
        // The log exists from the first read on.
        self.connection.execute_batch("select 1 from sqlite_schema")?;
        let _ = lengthen(&beside(path, "-wal"));
        Ok(())
    }

    /// Writes what everybody sees at this moment into an empty file.
    pub(in crate::store::sql) fn copy_into(&self, file: &Path) -> Result<()> {
        let file = file.to_str().ok_or_else(|| Error::Value("the path is not UTF-8".into()))?;
        Ok(self.connection.execute("vacuum into ?1", [file]).map(|_| ())?)
    }

    pub(super) fn execute(&mut self, query: &Query) -> Result<u64> {
        let (mut statement, _) = prepare(&self.connection, &mut self.shapes, query)?;
        let mut rows = statement.raw_query();
        while rows.next()?.is_some() {}
        Ok(self.connection.changes())
    }

    pub(super) fn fetch(&mut self, query: &Query, wanted: Wanted) -> Result<Vec<Row>> {
        let (mut statement, shape) = prepare(&self.connection, &mut self.shapes, query)?;
        let columns = &shape.columns;
        let (count, mut found) = (columns.len(), Vec::new());
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            let values = (0..count).map(|index| value(row.get_ref(index)?)).collect::<Result<_>>()?;
            found.push(Row::Sqlite(columns.clone(), values));
            if matches!(wanted, Wanted::First) {
                break;
            }
        }
        Ok(found)
    }
}

fn lengthen(log: &Path) -> io::Result<()> {
    let mut log = OpenOptions::new().append(true).open(log)?;
    let before = log.metadata()?.len();
    // What others need of a full disk is given back.
    fill(&mut log).or_else(|_| log.set_len(before))
}

fn fill(log: &mut File) -> io::Result<()> {
    let zeros = vec![0; 64 << 10];
    while log.metadata()?.len() < LOG {
        log.write_all(&zeros)?;
    }
    log.sync_all()
}

fn prepare<'c>(
    connection: &'c Connection,
    shapes: &'c mut BTreeMap<(usize, usize), Shape>,
    query: &Query,
) -> Result<(CachedStatement<'c>, &'c Shape)> {
    let mut statement = connection.prepare_cached(query.statement)?;
    let key = (query.statement.as_ptr().addr(), query.statement.len());
    let shape = shapes.entry(key).or_insert_with(|| Shape::of(&statement));
    for (index, number) in (1..).zip(&shape.parameters) {
        match query.values.get(number.saturating_sub(1)) {
            Some(Value::Number(number)) => statement.raw_bind_parameter(index, number)?,
            Some(Value::Text(text)) => statement.raw_bind_parameter(index, text)?,
            None => return Err(Error::Value(format!("the parameter ${number} is missing").into())),
        }
    }
    Ok((statement, shape))
}

fn value(value: ValueRef) -> Result<Value> {
    match value {
        ValueRef::Null => Ok(Value::Number(None)),
        ValueRef::Integer(number) => Ok(Value::Number(Some(number))),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Ok(Value::Text(Some(text.to_owned().into()))),
            Err(error) => Err(Error::Value(error.into())),
        },
        ValueRef::Real(_) | ValueRef::Blob(_) => Err(Error::Value("no column is of this type".into())),
    }
}

pub(super) fn column<'v>(names: &[String], values: &'v [Value], column: &str) -> Result<&'v Value> {
    let place = names.iter().position(|name| name == column);
    place.and_then(|place| values.get(place)).ok_or_else(|| misfit(column))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::query;
    use super::*;

    #[test]
    fn a_commit_does_not_lengthen_the_log_and_is_found_after_a_crash() {
        let folder = std::env::temp_dir().join(format!("parley-{}", crate::id::sortable_id()));
        let (here, copied) = (folder.join("here"), folder.join("copied"));
        fs::create_dir_all(&folder).unwrap();
        let mut client = Client::open(&Place::File(here.clone())).unwrap();
        client.lengthen_log(&Place::File(here.clone())).unwrap();

        client.execute(&query("create table fact (number bigint)")).unwrap();
        client.execute(&query("insert into fact values ($1)").bind(7)).unwrap();
        for ending in ["", "-wal"] {
            fs::copy(format!("{}{ending}", here.display()), format!("{}{ending}", copied.display())).unwrap();
        }
        let mut survivor = Client::open(&Place::File(copied.clone())).unwrap();
        survivor.lengthen_log(&Place::File(copied.clone())).unwrap();

        let found = survivor.fetch(&query("select number from fact"), Wanted::All).unwrap();
        assert_eq!(found.iter().map(|row| row.number("number").unwrap()).collect::<Vec<_>>(), [Some(7)]);
        for log in [here, copied] {
            assert_eq!(fs::metadata(format!("{}-wal", log.display())).unwrap().len(), LOG);
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
