//! Files of conversations: what they are called, of what kind they are, and where their bytes are kept.

#[cfg(feature = "s3")]
mod bucket;
#[cfg(feature = "folder")]
mod folder;
mod kind;
mod name;
#[cfg(feature = "files")]
mod store;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub use kind::{OCTET_STREAM, known};
pub use name::file_name;
#[cfg(feature = "files")]
pub use store::{AttachmentStore, Content, Kept, OpenError, PutError};

/// The most that a file may have, in bytes: what Telegram lets a bot fetch.
pub const MAX_SIZE: u64 = 20 * 1024 * 1024;

/// A new attachment's id: 128 random bits.
pub fn id() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Where an attachment is served, to the two sides of its conversation.
pub fn url(conversation_id: &str, id: &str) -> String {
    format!("/files/{conversation_id}/{id}")
}

/// The attachment that a message's `file.url` names, if it is one of that conversation.
pub fn id_in_url<'a>(conversation_id: &str, url: &'a str) -> Option<&'a str> {
    let id = url.strip_prefix("/files/")?.strip_prefix(conversation_id)?.strip_prefix('/')?;
    is_plain(id).then_some(id)
}

/// Whether a text may be part of a key: ids are, and nothing that could lead elsewhere is.
fn is_plain(part: &str) -> bool {
    (1..=64).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_128_random_bits_and_is_found_again_in_its_address() {
        let (one, other) = (id().unwrap(), id().unwrap());

        assert_ne!(one, other);
        assert_eq!(URL_SAFE_NO_PAD.decode(&one).unwrap().len(), 16);
        assert_eq!(id_in_url("c1", &url("c1", &one)), Some(one.as_str()));
        for foreign in [url("c2", &one), url("c1", ".."), url("c1", "a/b"), url("c1", ""), "/other/c1/x".into()] {
            assert_eq!(id_in_url("c1", &foreign), None, "{foreign}");
        }
    }
}
