//! Words: one tokenizer for the index and for what people look for.
//!
//! Text is compatibility-decomposed, lower-cased, freed of the accents of Latin, Greek and Cyrillic (U+0300–U+036F) and
//! composed again: `café` and `cafe`, `ﬁne` and `fine`, `Ｆｕｌｌ` and `full` are the same. Turkish `İ`, `I`, `ı` and `i` all
//! become `i`, so that either alphabet finds the other's words. What is left is cut into Unicode words (UAX #29), and those
//! again at punctuation, so that `shop.example` is found by either of its parts.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// The most characters of a term that count; the rest of a longer word is ignored.
pub const MAX_TERM_CHARS: usize = 64;
/// The most distinct terms of one text that count.
pub const MAX_TERMS: usize = 200;

/// The distinct terms of a text in order of their first appearance.
pub fn terms(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut seen = HashSet::new();
    folded
        .unicode_words()
        .flat_map(|word| word.split(|c: char| c.is_ascii_punctuation() || c == '’'))
        .filter(|term| !term.is_empty())
        .map(|term| term.chars().take(MAX_TERM_CHARS).collect::<String>())
        .filter(|term| seen.insert(term.clone()))
        .take(MAX_TERMS)
        .collect()
}

/// Whether each of `wanted` (made by [`terms`]) is the beginning of some term of `text`. Nothing wanted matches nothing.
pub fn matches(wanted: &[String], text: &str) -> bool {
    let found = terms(text);
    !wanted.is_empty() && wanted.iter().all(|term| found.iter().any(|word| word.starts_with(term.as_str())))
}

fn fold(text: &str) -> String {
    text.nfkd()
        .flat_map(char::to_lowercase)
        .filter(|c| !('\u{300}'..='\u{36f}').contains(c))
        .map(|c| match c {
            'ı' => 'i',
            'ς' => 'σ',
            other => other,
        })
        .nfc()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_turkish_and_english_letters_find_each_other() {
        for text in ["İSTANBUL", "istanbul", "ISTANBUL", "ıstanbul"] {
            assert_eq!(terms(text), ["istanbul"], "{text}");
        }
        assert_eq!(terms("Çağrı ŞIŞLI"), ["cagri", "sisli"]);
    }

    #[test]
    fn accents_and_compatibility_forms_are_folded() {
        assert_eq!(terms("Café ﬁne Ｆｕｌｌ ΣΟΦΟΣ σοφος Ёлка"), ["cafe", "fine", "full", "σοφοσ", "елка"]);
    }

    #[test]
    fn words_are_cut_at_punctuation_and_kept_once() {
        assert_eq!(terms("Don't mail a.b@shop.example, don't!"), ["don", "t", "mail", "a", "b", "shop", "example"]);
        assert_eq!(terms(" \n—…🙂 "), Vec::<String>::new());
        assert_eq!(terms("日本"), ["日", "本"]);
    }

    #[test]
    fn terms_are_short_and_few() {
        let many = (0..5_000).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");

        assert_eq!(terms(&many).len(), MAX_TERMS);
        assert_eq!(terms(&"x".repeat(10_000)), ["x".repeat(MAX_TERM_CHARS)]);
    }

    #[test]
    fn every_wanted_term_must_begin_some_word() {
        let text = "It says \"Expired\" at checkout";

        assert!(matches(&terms("exp check"), text));
        assert!(!matches(&terms("exp cart"), text));
        assert!(!matches(&terms("pired"), text));
        assert!(!matches(&[], text));
    }
}
