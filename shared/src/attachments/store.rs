//! What an attachment store does, wherever it keeps its bytes.

use std::error::Error;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{BoxStream, Stream, StreamExt, TryStreamExt};

use super::{MAX_SIZE, is_plain, kind};
use crate::model::Attachment;

/// So much of a file is enough to tell what it is.
const HEAD: usize = 8 * 1024;

/// What stands behind a failure.
pub(super) type Cause = Box<dyn Error + Send + Sync>;
/// Bytes of a file, as they come.
pub type Content = BoxStream<'static, Result<Bytes, Cause>>;

/// The attachment store that `ATTACHMENT_URL` names. Keys are `{conversation_id}/{id}` below its folder or prefix.
#[derive(Clone, Debug)]
pub struct AttachmentStore {
    place: Arc<dyn Place>,
}

/// Why there is no attachment store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Neither a folder nor `s3://bucket/prefix`, or this build has none of that kind.
    #[error("ATTACHMENT_URL names no folder and no bucket that this build of Parley can use")]
    NotUnderstood,
    /// It cannot be used.
    #[error("the attachment store cannot be opened")]
    Unusable(#[source] Cause),
}

/// Why a file was not kept. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// It is larger than [`MAX_SIZE`].
    #[error("the file is larger than {MAX_SIZE} bytes")]
    TooLarge,
    /// It did not come to its end.
    #[error("the file broke off")]
    BrokeOff(#[source] Cause),
    /// The attachment store did not take it.
    #[error("the attachment store does not take it")]
    Store(#[source] Cause),
}

/// What was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Bytes.
    pub size: u64,
    /// What its first bytes say that it is.
    pub mime: &'static str,
}

impl AttachmentStore {
    /// The store at `url`; nothing is made or called yet.
    pub fn open(url: &str) -> Result<Self, OpenError> {
        let place: Arc<dyn Place> = match url.split_once("://") {
            #[cfg(feature = "folder")]
            None => Arc::new(super::folder::Folder::open(std::path::Path::new(url))?),
            #[cfg(feature = "folder")]
            Some(("file", _)) => {
                let path = url::Url::parse(url).ok().and_then(|url| url.to_file_path().ok());
                Arc::new(super::folder::Folder::open(&path.ok_or(OpenError::NotUnderstood)?)?)
            }
            #[cfg(feature = "s3")]
            Some(("s3", _)) => Arc::new(super::bucket::Bucket::open(url)?),
            _ => return Err(OpenError::NotUnderstood),
        };
        Ok(Self { place })
    }

    /// Keeps a file of at most [`MAX_SIZE`] bytes in place of the one before. Until it is there as a whole nothing is.
    pub async fn put<E: Into<Cause>>(
        &self,
        conversation_id: &str,
        id: &str,
        bytes: impl Stream<Item = Result<Bytes, E>> + Send,
    ) -> Result<Kept, PutError> {
        let key = Key::new(conversation_id, id).map_err(PutError::Store)?;
        let mut incoming = Incoming { bytes: bytes.map_err(Into::into).boxed(), waiting: Vec::new(), size: 0 };
        let mime = kind::told_by(&incoming.head().await?);
        self.place.put(key, &mut incoming).await?;
        Ok(Kept { size: incoming.size, mime })
    }

    /// A part of a file; `None` when the file is not there.
    pub async fn get(&self, attachment: &Attachment, part: Range<u64>) -> crate::Result<Option<Content>> {
        self.place.get(Key::of(attachment)?, part).await.map_err(crate::Error::Unavailable)
    }

    /// An address that gives the file to whoever has it, for a minute, with these headers, for a file that is too large to
    /// be handed on; a bucket has such, a folder has none.
    pub fn link(&self, attachment: &Attachment, headers: &[(&str, &str)]) -> crate::Result<Option<String>> {
        self.place.link(Key::of(attachment)?, headers).map_err(crate::Error::internal)
    }

    /// Erases every file of a conversation, unfinished ones included. Safe to repeat.
    pub async fn erase(&self, conversation_id: &str) -> crate::Result<()> {
        if !is_plain(conversation_id) {
            return Err(crate::Error::internal("no conversation has such an id"));
        }
        self.place.erase(conversation_id).await.map_err(crate::Error::Unavailable)
    }
}

/// What names a file in a place. Both parts are plain, so that they lead nowhere else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'a> {
    pub(super) conversation_id: &'a str,
    pub(super) id: &'a str,
}

impl<'a> Key<'a> {
    fn new(conversation_id: &'a str, id: &'a str) -> Result<Self, Cause> {
        if is_plain(conversation_id) && is_plain(id) {
            Ok(Self { conversation_id, id })
        } else {
            Err("no file has such a key".into())
        }
    }

    fn of(attachment: &'a Attachment) -> crate::Result<Self> {
        Self::new(&attachment.conversation_id, &attachment.id).map_err(crate::Error::Internal)
    }
}

/// Where bytes are kept.
#[async_trait]
pub(super) trait Place: Debug + Send + Sync {
    /// Keeps a file as a whole or not at all.
    async fn put(&self, key: Key<'_>, incoming: &mut Incoming<'_>) -> Result<(), PutError>;
    /// A part of a file.
    async fn get(&self, key: Key<'_>, part: Range<u64>) -> Result<Option<Content>, Cause>;
    /// An address for others.
    fn link(&self, key: Key<'_>, headers: &[(&str, &str)]) -> Result<Option<String>, Cause>;
    /// Erases what a conversation has.
    async fn erase(&self, conversation_id: &str) -> Result<(), Cause>;
}

/// A file as it comes in.
pub(super) struct Incoming<'a> {
    bytes: BoxStream<'a, Result<Bytes, Cause>>,
    waiting: Vec<Bytes>,
    size: u64,
}

impl Incoming<'_> {
    /// At least `least` bytes, or less at the end.
    pub(super) async fn chunk(&mut self, least: usize) -> Result<Vec<Bytes>, PutError> {
        let mut chunk = std::mem::take(&mut self.waiting);
        let mut length: usize = chunk.iter().map(Bytes::len).sum();
        while length < least
            && let Some(bytes) = self.bytes.next().await
        {
            let bytes = bytes.map_err(PutError::BrokeOff)?;
            length += bytes.len();
            self.size += bytes.len() as u64;
            if self.size > MAX_SIZE {
                return Err(PutError::TooLarge);
            }
            chunk.push(bytes);
        }
        Ok(chunk)
    }

    async fn head(&mut self) -> Result<Vec<u8>, PutError> {
        self.waiting = self.chunk(HEAD).await?;
        Ok(self.waiting.iter().flat_map(|bytes| bytes.iter().copied()).take(HEAD).collect())
    }
}
