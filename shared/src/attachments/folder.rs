//! A folder of this machine, by `object_store`: what is there is whole and survives a power cut.

use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::{GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};

use super::store::{Cause, Content, Incoming, Key, OpenError, Place, PutError};

/// So much is held in memory while a file comes in; the gateway serves many at once.
const CHUNK: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct Folder {
    files: LocalFileSystem,
    /// Where it is, for `files`.
    root: object_store::path::Path,
    /// The same for the system.
    base: PathBuf,
}

impl Folder {
    /// A folder that is made when the first file comes.
    pub(super) fn open(folder: &Path) -> Result<Self, OpenError> {
        let folder = std::path::absolute(folder).map_err(|error| OpenError::Unusable(error.into()))?;
        let root = object_store::path::Path::from_absolute_path(&folder);
        let root = root.map_err(|error| OpenError::Unusable(error.into()))?;
        Ok(Self { files: LocalFileSystem::new().with_fsync(true), root, base: folder })
    }

    fn path(&self, key: Key<'_>) -> object_store::path::Path {
        self.root.clone().join(key.conversation_id).join(key.id)
    }
}

#[async_trait]
impl Place for Folder {
    async fn put(&self, key: Key<'_>, incoming: &mut Incoming<'_>) -> Result<(), PutError> {
        let path = self.path(key);
        let first = incoming.chunk(CHUNK).await?;
        if first.iter().map(Bytes::len).sum::<usize>() < CHUNK {
            let whole = self.files.put(&path, first.into_iter().collect()).await;
            return whole.map(drop).map_err(store);
        }
        let mut upload = self.files.put_multipart(&path).await.map_err(store)?;
        let written = write(&mut *upload, first, incoming).await;
        if written.is_err() {
            upload.abort().await.map_err(store)?;
        }
        written
    }

    async fn get(&self, key: Key<'_>, part: Range<u64>) -> Result<Option<Content>, Cause> {
        // Of an empty file there is no part.
        let range = (!part.is_empty()).then_some(GetRange::Bounded(part));
        match self.files.get_opts(&self.path(key), GetOptions { range, ..GetOptions::default() }).await {
            Ok(found) => Ok(Some(found.into_stream().map_err(Into::into).boxed())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn link(&self, _: Key<'_>, _: &[(&str, &str)]) -> Result<Option<String>, Cause> {
        Ok(None)
    }

    /// The folder as a whole: what a crash left unfinished is no object yet, and must go too.
    async fn erase(&self, conversation_id: &str) -> Result<(), Cause> {
        let folder = self.base.join(conversation_id);
        match tokio::task::spawn_blocking(move || std::fs::remove_dir_all(folder)).await? {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

async fn write(
    upload: &mut dyn MultipartUpload,
    first: Vec<Bytes>,
    incoming: &mut Incoming<'_>,
) -> Result<(), PutError> {
    let mut part = first;
    while !part.is_empty() {
        upload.put_part(part.into_iter().collect::<PutPayload>()).await.map_err(store)?;
        part = incoming.chunk(CHUNK).await?;
    }
    upload.complete().await.map(drop).map_err(store)
}

fn store(error: object_store::Error) -> PutError {
    PutError::Store(error.into())
}
