//! Cursors: the last row's key in URL-safe base64.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Page, PageRequest};

/// Where a page begins: right after this key, in descending order.
#[derive(Clone, Debug)]
pub(in crate::store) struct Key {
    /// The time, or another number that sorts first.
    pub(in crate::store) at: i64,
    /// The id that decides among equals.
    pub(in crate::store) id: String,
    /// And the last part, for rows that have one.
    pub(in crate::store) seq: i64,
}

impl Key {
    fn before_all() -> Self {
        Self { at: i64::MAX, id: String::new(), seq: i64::MAX }
    }

    /// The cursor that stands for this key.
    pub(in crate::store) fn cursor(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}.{}.{}", self.at, self.seq, self.id))
    }

    fn read(cursor: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let mut parts = text.splitn(3, '.');
        let (at, seq, id) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { at: at.parse().ok()?, seq: seq.parse().ok()?, id: id.replace('\0', "\u{fffd}") })
    }
}

impl PageRequest {
    /// The key to go on after; `None` for a cursor that no store made.
    pub(in crate::store) fn key(&self) -> Option<Key> {
        self.cursor.as_deref().map_or_else(|| Some(Key::before_all()), Key::read)
    }

    /// The limit within its bounds.
    pub(in crate::store) fn size(&self) -> usize {
        usize::try_from(self.limit.clamp(1, 100)).unwrap_or(1)
    }
}

/// The page of `rows`, of which one more than `size` was asked for.
pub(in crate::store) fn page<T>(mut rows: Vec<T>, size: usize, key: impl Fn(&T) -> Key) -> Page<T> {
    let more = rows.len() > size;
    rows.truncate(size);
    let next_cursor = rows.last().filter(|_| more).map(|row| key(row).cursor());
    Page { items: rows, next_cursor }
}

/// A page with nothing on it, and nothing after it.
pub(in crate::store) fn empty<T>() -> Page<T> {
    Page { items: Vec::new(), next_cursor: None }
}
