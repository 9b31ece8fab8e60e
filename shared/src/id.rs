//! Identifiers and secrets: how they are made, hashed and kept out of logs.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A new conversation's id: 122 random bits. It names a conversation and opens nothing.
pub fn conversation_id() -> String {
    Uuid::new_v4().to_string()
}

/// A new id that sorts by the time it was made (UUID version 7), for sessions and audit rows.
pub fn sortable_id() -> String {
    Uuid::now_v7().to_string()
}

/// A `client_id` for a message whose sender gave none. It begins with the time (UUID version 7), as those of our pages do:
/// messages that are stored together then stand together in the index of their `client_id`s (RFC 9562, 6.13).
pub fn client_id() -> String {
    Uuid::now_v7().simple().to_string()
}

/// A 256-bit secret in URL-safe base64 (43 characters). `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new one from the operating system's random source.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// What somebody presents as a secret.
    pub fn presented(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself; for the one answer that hands it out.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored and looked up in its place: SHA-256 in lower-case hex (64 characters).
    ///
    /// A plain hash is enough for 256 random bits: there is nothing to guess. Looking a hash up by equality leaks at most
    /// timing about a hash, from which the secret does not follow.
    pub fn hash(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(self.0.as_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
