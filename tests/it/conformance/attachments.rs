//! Files of conversations, apart from their bytes; and settings.

use shared::model::{Attachment, AttachmentState};

use super::make::{START, attachment, begin};
use crate::stores::for_each_store;

#[tokio::test]
async fn an_attachment_is_kept_with_its_conversation_and_replaced_by_its_id() {
    for_each_store(|store| async move {
        let (ada, bob) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        let waiting = attachment(&ada, "p1");
        assert!(store.put_attachment(&waiting).await.unwrap());
        assert_eq!(store.attachment(&ada, "p1").await.unwrap().as_ref(), Some(&waiting));

        let stored = Attachment {
            source: None,
            name: "line\n\"two\" 🙂".into(),
            mime: "image/webp".into(),
            size: i64::MAX,
            state: AttachmentState::Stored,
            ..waiting.clone()
        };
        assert!(store.put_attachment(&stored).await.unwrap());
        let failed = Attachment { id: "p2".into(), state: AttachmentState::Failed("too large".into()), ..waiting };
        assert!(store.put_attachment(&failed).await.unwrap());

        assert_eq!(store.attachment(&ada, "p1").await.unwrap(), Some(stored));
        assert_eq!(store.attachment(&ada, "p2").await.unwrap(), Some(failed));
        assert_eq!(store.attachment(&ada, "p3").await.unwrap(), None);
        assert_eq!(store.attachment(&bob, "p1").await.unwrap(), None, "it is Ada's");
    })
    .await;
}

#[tokio::test]
async fn a_conversation_that_is_gone_gets_no_attachment() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        store.delete(&id, START).await.unwrap();

        assert!(!store.put_attachment(&attachment(&id, "p1")).await.unwrap());
        assert!(!store.put_attachment(&attachment("nobody", "p1")).await.unwrap());

        assert_eq!(store.attachment(&id, "p1").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_setting_is_the_value_that_was_set_last() {
    for_each_store(|store| async move {
        let long = "x".repeat(8_192);
        assert_eq!(store.setting("canned:hi").await.unwrap(), None);

        store.set_setting("canned:hi", Some("Hi!")).await.unwrap();
        store.set_setting("canned:hi", Some("Hello\0 🙂")).await.unwrap();
        store.set_setting("canned:bye", Some(&long)).await.unwrap();
        store.set_setting("canned", Some("")).await.unwrap();
        store.set_setting("canned-more", Some("another")).await.unwrap();
        store.set_setting("gone", Some("x")).await.unwrap();
        store.set_setting("gone", None).await.unwrap();
        store.set_setting("never", None).await.unwrap();

        assert_eq!(store.setting("canned:hi").await.unwrap().as_deref(), Some("Hello\u{fffd} 🙂"));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let canned = [pair("canned:bye", &long), pair("canned:hi", "Hello\u{fffd} 🙂")];
        assert_eq!(store.settings("canned:").await.unwrap(), canned);
        let names: Vec<_> = store.settings("").await.unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["canned", "canned-more", "canned:bye", "canned:hi"]);
        assert_eq!(store.setting("gone").await.unwrap(), None);
        assert_eq!(store.settings("gone").await.unwrap(), []);
    })
    .await;
}
