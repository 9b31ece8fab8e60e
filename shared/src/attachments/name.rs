//! What a file is called.

use unicode_normalization::UnicodeNormalization;

const MAX_CHARACTERS: usize = 100;
/// A longer one is no extension.
const MAX_EXTENSION: usize = 10;

/// A file's name as people may see it and save it under: the last part of a path, without anything that hides, turns around
/// or leads elsewhere, at most 100 characters, its extension kept. `None` when nothing is left.
pub fn file_name(told: &str) -> Option<String> {
    let last = told.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain = last.nfc().filter(|c| !is_invisible(*c)).map(|c| if is_special(c) { '_' } else { c });
    let plain: String = plain.collect();
    let name = plain.trim_matches(|c: char| c == '.' || c.is_whitespace());
    let Some(surplus) = name.chars().count().checked_sub(MAX_CHARACTERS + 1) else {
        return (!name.is_empty()).then(|| name.to_owned());
    };
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if extension.chars().count() <= MAX_EXTENSION => (stem, format!(".{extension}")),
        _ => (name, String::new()),
    };
    let kept = stem.chars().count().saturating_sub(surplus + 1);
    let stem: String = stem.chars().take(kept).collect();
    Some(format!("{}{extension}", stem.trim_end()))
}

fn is_special(c: char) -> bool {
    matches!(c, ':' | '*' | '?' | '"' | '<' | '>' | '|')
}

/// Control characters, and those that change how their neighbours are shown: `gpj.exe` backwards looks like a picture.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dangerous_name_becomes_a_plain_one() {
        for (told, name) in [
            ("holiday in Ayvalık.jpg", "holiday in Ayvalık.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\x.dll", "x.dll"),
            (".htaccess", "htaccess"),
            ("a\r\nSet-Cookie: b=1\".html", "aSet-Cookie_ b=1_.html"),
            ("photo\u{202e}gpj.exe", "photogpj.exe"),
            ("a\0b.txt. ", "ab.txt"),
            ("cafe\u{301}.txt", "café.txt"),
        ] {
            assert_eq!(file_name(told).as_deref(), Some(name), "{told:?}");
        }
        for nothing in ["", "..", "/", "a/", " . ", "\u{202e}\n"] {
            assert_eq!(file_name(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let name = file_name(&format!("{}.gz", "ü".repeat(300))).unwrap();

        assert_eq!(name.chars().count(), 100);
        assert!(name.ends_with("ü.gz"), "{name}");
        assert_eq!(file_name(&"x".repeat(300)).unwrap().len(), 100);
        assert_eq!(file_name(&format!("a.{}", "y".repeat(300))).unwrap().len(), 100);
    }
}
