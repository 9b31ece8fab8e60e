//! The beginnings of words, as the index keeps them.
//!
//! Each term of a message is entered under every beginning of up to [`LONGEST`] characters. What is looked for is looked up under
//! the longest of these that it has, and every candidate is then checked against its text: the answer is exact, and its cost
//! does not grow with the number of messages, nor with how many words begin nearly so. Names, of which there are few, have
//! fewer beginnings. These are kept as 63 bits of their SHA-256, a number that every database compares alike.

use sha2::{Digest, Sha256};

use crate::search::terms;

/// The most characters of a beginning.
const LONGEST: usize = 8;
/// The lengths of the beginnings of names.
const OF_NAMES: [usize; 3] = [1, 3, 5];

fn hash(beginning: &str) -> i64 {
    let digest = Sha256::digest(beginning.as_bytes());
    let bytes = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    i64::try_from(bytes >> 1).unwrap_or_default()
}

/// The entry under which a term is looked up in messages.
pub(super) fn prefix(term: &str) -> i64 {
    hash(&term.chars().take(LONGEST).collect::<String>())
}

/// The entry under which a term is looked up in names.
pub(super) fn prefix_of_name(term: &str) -> i64 {
    let length = term.chars().count();
    let kept = OF_NAMES.into_iter().rev().find(|kept| *kept <= length).unwrap_or(length);
    hash(&term.chars().take(kept).collect::<String>())
}

/// The term that is likely to have the fewest entries.
pub(super) fn longest(wanted: &[String]) -> Option<&str> {
    wanted.iter().max_by_key(|term| term.chars().count()).map(String::as_str)
}

/// The entries of a message's text, ascending.
pub(super) fn entries(content: &str) -> Vec<i64> {
    entries_of(content, |length| length <= LONGEST)
}

/// The entries of a name, ascending.
pub(super) fn entries_of_name(name: &str) -> Vec<i64> {
    entries_of(name, |length| OF_NAMES.contains(&length))
}

fn entries_of(text: &str, takes: impl Fn(usize) -> bool) -> Vec<i64> {
    let mut beginnings = Vec::new();
    for term in terms(text) {
        let ends = term.char_indices().map(|(at, _)| at).skip(1).chain([term.len()]);
        let ends = ends.enumerate().filter(|(index, _)| takes(index + 1)).map(|(_, end)| end);
        beginnings.extend(ends.filter_map(|end| term.get(..end)).map(str::to_owned));
    }
    beginnings.sort_unstable();
    beginnings.dedup();
    let mut entries: Vec<_> = beginnings.iter().map(|beginning| hash(beginning)).collect();
    entries.sort_unstable();
    entries.dedup();
    entries
}

/// A message's number as the lists hold it: no other's is a part of it.
pub(super) fn key(message: i64) -> String {
    format!(",{message},")
}

/// The numbers of a list.
pub(super) fn numbers(list: &str) -> impl Iterator<Item = i64> {
    list.split(',').filter_map(|number| number.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_entered_under_its_beginnings_and_looked_up_under_its_longest() {
        let (entries, name) = (entries("Çağrı çağ"), entries_of_name("Çağrı çağ"));

        assert_eq!((entries.len(), name.len()), (5, 3));
        for looked_up in ["c", "ca", "cag", "cagr", "cagri"] {
            assert!(entries.contains(&prefix(looked_up)) && name.contains(&prefix_of_name(looked_up)), "{looked_up}");
        }
        assert_eq!(prefix("uluslararasi"), prefix("uluslara"));
        assert_eq!(prefix_of_name("cagrilar"), prefix_of_name("cagri"));
    }

    #[test]
    fn a_list_gives_back_what_was_put_in_and_loses_only_what_is_taken_out() {
        let list: String = [1, 12, 112, 2].into_iter().map(key).collect();

        assert_eq!(numbers(&list).collect::<Vec<_>>(), [1, 12, 112, 2]);
        assert_eq!(numbers(&list.replace(&key(12), "")).collect::<Vec<_>>(), [1, 112, 2]);
        assert_eq!(numbers("").count(), 0);
    }
}
