//! What one conversation adds to the figures of a day.

use serde::{Deserialize, Serialize};

/// Counts of one day. The latest ones stand in the head; before another day begins there, or when they grow long, they are put
/// into an item of their own, `DAY#day` / `conversation#first seq`. A day may have several such parts.
///
/// A part whose `since` is that of the counts in the head is about to be replaced by them: the head's are the true ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// Days since 1970-01-01, UTC.
    #[serde(rename = "d")]
    pub(super) day: i64,
    /// The place of the first message that is counted here.
    #[serde(rename = "q")]
    pub(super) since: i64,
    /// Messages of the visitor.
    #[serde(rename = "v", default)]
    pub(super) visitor: i64,
    /// Messages of admins.
    #[serde(rename = "m", default)]
    pub(super) admin: i64,
    /// Milliseconds of each wait that an admin ended.
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) responses: Vec<i64>,
    /// The first of `responses` is the first answer of the conversation.
    #[serde(rename = "f", default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) has_first: bool,
}

/// The most answers of one part.
const RESPONSES: usize = 32;

impl Counts {
    /// Nothing counted yet.
    pub(super) fn begin(day: i64, since: i64) -> Self {
        Self { day, since, visitor: 0, admin: 0, responses: Vec::new(), has_first: false }
    }

    /// Counts an answer.
    pub(super) fn answered(&mut self, milliseconds: i64, first: bool) {
        self.has_first |= first;
        self.responses.push(milliseconds);
    }

    /// Whether a message of `day` cannot be counted here any more.
    pub(super) fn is_over(&self, day: i64) -> bool {
        self.day != day || self.responses.len() >= RESPONSES
    }
}
