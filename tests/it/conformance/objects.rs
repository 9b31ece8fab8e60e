//! What an attachment store must do, in a folder and in a bucket. The bucket is on the server that `TEST_S3_ENDPOINT` names.

use std::path::PathBuf;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use shared::attachments::{AttachmentStore, Content, MAX_SIZE, PutError};
use shared::model::{Attachment, AttachmentState};
use uuid::Uuid;

type Piece = Result<Bytes, std::io::Error>;

/// A store of its own.
struct Objects {
    store: AttachmentStore,
    folder: Option<PathBuf>,
}

impl Objects {
    fn in_a_folder() -> Self {
        let folder = std::env::temp_dir().join(format!("parley objects-{}", Uuid::now_v7()));
        let store = AttachmentStore::open(folder.to_str().unwrap()).unwrap();
        Self { store, folder: Some(folder) }
    }

    async fn in_a_bucket(endpoint: &str) -> Self {
        let bucket = format!("parley-{}", Uuid::now_v7().simple());
        let made = reqwest_client().put(format!("{endpoint}/{bucket}")).send().await.unwrap();
        assert!(made.status().is_success(), "no bucket: {}", made.status());
        let url = format!("s3://{bucket}/some%20files?endpoint={endpoint}");
        Self { store: AttachmentStore::open(&url).unwrap(), folder: None }
    }

    async fn every() -> Vec<Self> {
        let mut every = vec![Self::in_a_folder()];
        if let Some(endpoint) = endpoint() {
            every.push(Self::in_a_bucket(&endpoint).await);
        }
        every
    }

    /// Every part of the file, or of it as a whole.
    async fn read(&self, conversation_id: &str, id: &str, part: std::ops::Range<u64>) -> Option<Vec<u8>> {
        let content: Content = self.store.get(&attachment(conversation_id, id), part).await.unwrap()?;
        let pieces: Vec<Bytes> = content.try_collect().await.unwrap();
        Some(pieces.concat())
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            // Where nothing was kept there is none.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the harness is told where its server is")]
fn endpoint() -> Option<String> {
    std::env::var("TEST_S3_ENDPOINT").ok()
}

fn reqwest_client() -> reqwest::Client {
    let second = std::time::Duration::from_secs(5);
    shared::outgoing::client(second, second).unwrap().build().unwrap()
}

fn attachment(conversation_id: &str, id: &str) -> Attachment {
    Attachment {
        conversation_id: conversation_id.into(),
        id: id.into(),
        source: None,
        name: "häß \"lich\".png".into(),
        mime: "image/png".into(),
        size: 0,
        state: AttachmentState::Stored,
    }
}

/// Bytes in pieces of this length.
fn pieces(bytes: &[u8], length: usize) -> impl futures::Stream<Item = Piece> + Send + use<> {
    let pieces: Vec<Piece> = bytes.chunks(length).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces)
}

#[tokio::test]
async fn what_was_kept_is_read_again_whole_and_in_parts() {
    let long: Vec<u8> =
        b"\x89PNG\r\n\x1a\n".iter().copied().chain((0..1_500_000_u32).map(|n| n.to_le_bytes()[1])).collect();
    for objects in Objects::every().await {
        let kept = objects.store.put("c1", "long", pieces(&long, 10_007)).await.unwrap();
        assert_eq!((kept.size, kept.mime), (1_500_008, "image/png"));
        objects.store.put("c1", "short", pieces(b"hello", 2)).await.unwrap();
        objects.store.put("c1", "empty", pieces(b"", 1)).await.unwrap();

        assert!(objects.read("c1", "long", 0..1_500_008).await.unwrap() == long);
        assert!(objects.read("c1", "long", 700_000..1_400_000).await.unwrap() == long[700_000..1_400_000]);
        assert_eq!(objects.read("c1", "short", 1..3).await.unwrap(), b"el");
        assert_eq!(objects.read("c1", "empty", 0..0).await.unwrap(), b"");
        assert_eq!(objects.read("c1", "other", 0..5).await, None);
        assert_eq!(objects.read("c2", "short", 0..5).await, None);

        objects.store.put("c1", "short", pieces(b"again", 9)).await.unwrap();
        assert_eq!(objects.read("c1", "short", 0..5).await.unwrap(), b"again", "in place of the one before");
    }
}

#[tokio::test]
async fn a_file_that_breaks_off_or_is_too_large_leaves_nothing() {
    for objects in Objects::every().await {
        for length in [10, 3_000_000] {
            let broken = stream::iter([Ok(Bytes::from(vec![7; length])), Err(std::io::Error::other("cut"))]);
            let refused = objects.store.put("c1", "broken", broken).await.unwrap_err();
            assert!(matches!(refused, PutError::BrokeOff(_)), "{refused}");
        }
        let piece = Bytes::from(vec![0; 1024 * 1024]);
        let endless = stream::repeat_with(move || Piece::Ok(piece.clone())).take(1_000);
        let refused = objects.store.put("c1", "endless", endless).await.unwrap_err();
        assert!(matches!(refused, PutError::TooLarge), "{refused}");
        let whole = pieces(&vec![0; usize::try_from(MAX_SIZE).unwrap()], 1024 * 1024);
        assert_eq!(objects.store.put("c1", "whole", whole).await.unwrap().size, MAX_SIZE);

        assert_eq!(objects.read("c1", "broken", 0..1).await, None);
        assert_eq!(objects.read("c1", "endless", 0..1).await, None);
        if let Some(folder) = &objects.folder {
            assert_eq!(std::fs::read_dir(folder.join("c1")).unwrap().count(), 1);
        }
    }
}

#[tokio::test]
async fn a_conversation_is_erased_with_all_it_has_and_no_other() {
    for objects in Objects::every().await {
        objects.store.erase("c1").await.unwrap();
        for (conversation_id, id) in [("c1", "a"), ("c1", "b"), ("c11", "a"), ("c", "a")] {
            objects.store.put(conversation_id, id, pieces(b"x", 1)).await.unwrap();
        }
        if let Some(folder) = &objects.folder {
            // What a crash leaves of a file that was coming in.
            std::fs::write(folder.join("c1/b#1"), b"half").unwrap();
        }

        objects.store.erase("c1").await.unwrap();
        objects.store.erase("c1").await.unwrap();

        assert_eq!((objects.read("c1", "a", 0..1).await, objects.read("c1", "b", 0..1).await), (None, None));
        assert_eq!(objects.read("c11", "a", 0..1).await.unwrap(), b"x");
        assert_eq!(objects.read("c", "a", 0..1).await.unwrap(), b"x");
        assert!(objects.folder.as_ref().is_none_or(|folder| !folder.join("c1").exists()));
    }
}

#[tokio::test]
async fn no_key_leads_elsewhere() {
    for objects in Objects::every().await {
        objects.store.put("c1", "a", pieces(b"x", 1)).await.unwrap();
        for (conversation_id, id) in
            [("..", "c1"), ("c1", ".."), ("", "a"), ("c1", "../c1/a"), ("c1/a", "b"), ("c1", "ü")]
        {
            assert!(objects.store.put(conversation_id, id, pieces(b"y", 1)).await.is_err(), "{conversation_id}/{id}");
            assert!(objects.store.get(&attachment(conversation_id, id), 0..1).await.is_err(), "{conversation_id}/{id}");
        }
        for conversation_id in ["", ".", "..", "c1/..", "/"] {
            assert!(objects.store.erase(conversation_id).await.is_err(), "{conversation_id}");
        }
        assert_eq!(objects.read("c1", "a", 0..1).await.unwrap(), b"x");
    }
}

#[tokio::test]
async fn a_bucket_gives_a_file_to_whoever_has_its_address() {
    for objects in Objects::every().await {
        objects.store.put("c1", "a", pieces(b"hello", 5)).await.unwrap();
        let headers =
            [("content-type", "image/png"), ("content-disposition", "attachment; filename*=UTF-8''a%20b.png")];
        let link = objects.store.link(&attachment("c1", "a"), &headers).unwrap();
        assert_eq!(link.is_some(), objects.folder.is_none());
        let Some(link) = link else { continue };

        let answer = reqwest_client().get(link).send().await.unwrap();

        assert_eq!(answer.status(), 200);
        for (name, value) in headers {
            assert_eq!(answer.headers()[name], value);
        }
        assert_eq!(answer.bytes().await.unwrap().as_ref(), b"hello");
    }
}

#[test]
fn an_address_that_names_no_place_is_refused() {
    for url in ["file://data/x", "s3://", "https://example.com/x", "s3:///x"] {
        assert!(AttachmentStore::open(url).is_err(), "{url}");
    }
}
