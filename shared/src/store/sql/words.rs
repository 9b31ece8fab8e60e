//! The beginnings of words, as the index keeps them.
//!
//! Each term is entered under its first 1, 3 and 5 characters. What is looked for is looked up under the longest of
//! these that it has, and every candidate is then checked against its text: the answer is exact, and its cost does not
//! grow with the number of messages. Beginnings are kept as 63 bits of their SHA-256, a number that every database compares
//! alike.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::search::terms;

const LENGTHS: [usize; 3] = [1, 3, 5];
/// Characters of a message's id in a list of the index: 128 bits in base64.
pub(super) const KEY: usize = 22;

fn hash(beginning: &str) -> i64 {
    let digest = Sha256::digest(beginning.as_bytes());
    let bytes = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    i64::try_from(bytes >> 1).unwrap_or_default()
}

/// The entry under which a term is looked up.
pub(super) fn prefix(term: &str) -> i64 {
    let length = term.chars().count();
    let kept = LENGTHS.into_iter().rev().find(|kept| *kept <= length).unwrap_or(length);
    hash(&term.chars().take(kept).collect::<String>())
}

/// The term that is likely to have the fewest entries.
pub(super) fn longest(wanted: &[String]) -> Option<&str> {
    wanted.iter().max_by_key(|term| term.chars().count()).map(String::as_str)
}

/// The entries of a text, ascending.
pub(super) fn entries(content: &str) -> Vec<i64> {
    let mut beginnings = Vec::new();
    for term in terms(content) {
        let ends = term.char_indices().map(|(at, _)| at).skip(1).chain([term.len()]);
        let ends = ends.enumerate().filter(|(index, _)| LENGTHS.contains(&(index + 1))).map(|(_, end)| end);
        beginnings.extend(ends.filter_map(|end| term.get(..end)).map(str::to_owned));
    }
    beginnings.sort_unstable();
    beginnings.dedup();
    let mut entries: Vec<_> = beginnings.iter().map(|beginning| hash(beginning)).collect();
    entries.sort_unstable();
    entries.dedup();
    entries
}

/// A message's id as the lists hold it; `None` for one that is no UUID, which no message has.
pub(super) fn key(id: &str) -> Option<String> {
    Uuid::try_parse(id).ok().map(|id| URL_SAFE_NO_PAD.encode(id.as_bytes()))
}

/// The ids of a list.
pub(super) fn ids(list: &str) -> impl Iterator<Item = String> {
    let keys = list.as_bytes().chunks(KEY).filter_map(|key| URL_SAFE_NO_PAD.decode(key).ok());
    keys.filter_map(|bytes| Uuid::from_slice(&bytes).ok()).map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_entered_under_three_beginnings_and_looked_up_under_its_longest() {
        let entries = entries("Çağrı çağ");

        assert_eq!(entries.len(), 3);
        for looked_up in ["c", "ca", "cag", "cagr", "cagri"] {
            assert!(entries.contains(&prefix(looked_up)), "{looked_up}");
        }
        assert_eq!(prefix("cagrilar"), prefix("cagri"));
    }

    #[test]
    fn lists_give_back_the_ids_that_were_put_in() {
        let made = [crate::id::sortable_id(), crate::id::sortable_id()];
        let list: String = made.iter().filter_map(|id| key(id)).collect();

        assert_eq!(list.len(), 2 * KEY);
        assert_eq!(ids(&list).collect::<Vec<_>>(), made);
        assert_eq!(key("no id"), None);
        assert_eq!(ids("neither").count(), 0);
    }
}
