//! A copy of an SQLite database, made while it is in use.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::db::{SqliteClient, SqlitePlace};
use super::open::{create_private, place};
use crate::config::DatabaseUrl;
use crate::store::{StoreError, StoreResult};

/// Puts a copy of the database at `url`, as it is at this moment, beside its file: `parley.db.backup` for `parley.db`, in place of
/// the one before, which stays until the new one is complete and durable. Writers go on meanwhile; only the process that has the
/// database can do this. Blocks for as long as the database takes to be read and written once. Answers where the copy is, `None`
/// where there is no file.
///
/// # Errors
/// [`StoreError::Unavailable`] when the file system does not let it, [`StoreError::Broken`] when the database is damaged.
pub fn back_up(url: &DatabaseUrl) -> StoreResult<Option<PathBuf>> {
    if url.scheme() != "sqlite" {
        return Ok(None);
    }
    let place = place(url)?;
    let SqlitePlace::File(file) = &place else { return Ok(None) };
    let (copy, unfinished) = (beside(file, ".backup"), beside(file, ".backup.unfinished"));
    prepare(&unfinished).map_err(unavailable)?;
    SqliteClient::open(&place)?.copy_into(&unfinished)?;
    finish(&unfinished, &copy).map_err(unavailable)?;
    Ok(Some(copy))
}

/// The file whose name is that of another with more at its end.
pub(super) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// An empty file for its owner only, which SQLite takes; what an earlier try has left would not do.
fn prepare(unfinished: &Path) -> io::Result<()> {
    match fs::remove_file(unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    create_private(unfinished)
}

fn finish(unfinished: &Path, copy: &Path) -> io::Result<()> {
    File::open(unfinished)?.sync_all()?;
    fs::rename(unfinished, copy)?;
    let folder = copy.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn unavailable(error: io::Error) -> StoreError {
    StoreError::Unavailable(error.into())
}
