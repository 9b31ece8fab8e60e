//! Texts as Telegram measures them: in UTF-16 code units, with entities that mark parts of them.

use super::send::Entity;

/// A message's text has 1–4096 UTF-16 code units.
pub const MAX_TEXT: usize = 4_096;
/// What is written under a file has 0–1024.
pub const MAX_CAPTION: usize = 1_024;

/// A text with its entities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The text, literally.
    pub text: String,
    /// What is marked in it.
    pub entities: Vec<Entity>,
}

impl Text {
    /// A text in which nothing is marked.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), entities: Vec::new() }
    }

    /// Its length in UTF-16 code units.
    pub fn units(&self) -> usize {
        units(&self.text)
    }

    /// Adds another text in a line of its own.
    pub fn add(&mut self, other: &Self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        if !other.entities.is_empty() {
            let moved = self.units();
            let entities = other.entities.iter();
            self.entities.extend(entities.map(|entity| Entity { offset: entity.offset + moved, ..entity.clone() }));
        }
        self.text.push_str(&other.text);
    }
}

/// The length of a text in UTF-16 code units.
pub fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Something said: `mark`, then the author's name in bold, then what they said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Before the name.
    pub mark: &'a str,
    /// The name.
    pub author: &'a str,
    /// The words.
    pub content: &'a str,
}

/// One text of what was said, one after another; who goes on speaking is not named again. Of somebody who says nothing the
/// name alone stands there.
pub fn compose(lines: &[Line<'_>]) -> Text {
    let mut all = Text::default();
    let mut before: Option<&Line<'_>> = None;
    for line in lines {
        if before.is_some_and(|before| (before.mark, before.author) == (line.mark, line.author)) {
            all.add(&Text::plain(line.content));
        } else {
            let name = Entity { kind: "bold", offset: units(line.mark), length: units(line.author) };
            let colon = if line.content.is_empty() { "" } else { ": " };
            let text = format!("{}{}{colon}{}", line.mark, line.author, line.content);
            all.add(&Text { text, entities: vec![name] });
        }
        before = Some(line);
    }
    all
}

/// Cuts a text into pieces of at most [`MAX_TEXT`] UTF-16 code units, at a line's or word's end where there is one in the
/// second half of a piece; never within a character. What is marked stays marked.
pub fn split(text: &Text) -> Vec<Text> {
    split_after(text, MAX_TEXT)
}

/// As [`split`], the first piece of at most `first` units.
pub fn split_after(text: &Text, first: usize) -> Vec<Text> {
    let mut pieces = Vec::new();
    let mut rest = text.text.as_str();
    let (mut at, mut most_units) = (0, first);
    while let Some(end) = overflow(rest, most_units) {
        let most = &rest[..end];
        let late = |cut: &usize| *cut > end / 2;
        let cut = most.rfind('\n').filter(late).or_else(|| most.rfind(' ').filter(late)).unwrap_or(end);
        let (piece, tail) = rest.split_at(cut);
        pieces.push(part(text, piece.trim_end(), at));
        at += units(piece) + units(&tail[..tail.len() - tail.trim_start().len()]);
        (rest, most_units) = (tail.trim_start(), MAX_TEXT);
    }
    if !rest.is_empty() {
        pieces.push(part(text, rest, at));
    }
    pieces
}

/// The piece of `whole` that begins `at`, with what is marked in it.
fn part(whole: &Text, piece: &str, at: usize) -> Text {
    let end = at + units(piece);
    let marked = whole.entities.iter().filter_map(|entity| {
        let (from, to) = (entity.offset.max(at), (entity.offset + entity.length).min(end));
        (from < to).then(|| Entity { offset: from - at, length: to - from, ..entity.clone() })
    });
    Text { text: piece.to_owned(), entities: marked.collect() }
}

/// Where a text has more units than `most`, if it has.
fn overflow(text: &str, most: usize) -> Option<usize> {
    let mut units = 0;
    text.char_indices().find_map(|(at, c)| {
        units += c.len_utf16();
        (units > most).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(piece: &Text) -> Vec<String> {
        let units: Vec<u16> = piece.text.encode_utf16().collect();
        let marked = piece.entities.iter().map(|entity| &units[entity.offset..entity.offset + entity.length]);
        marked.map(|units| String::from_utf16(units).unwrap()).collect()
    }

    #[test]
    fn a_long_text_is_cut_by_utf_16_units_and_never_within_a_character() {
        let text = Text::plain("🙂".repeat(3_000));

        let pieces = split(&text);

        assert_eq!(pieces.iter().map(Text::units).collect::<Vec<_>>(), [4096, 1904]);
        assert_eq!(pieces.iter().map(|piece| piece.text.as_str()).collect::<String>(), text.text);
    }

    #[test]
    fn a_long_text_is_cut_between_words() {
        let text = "word ".repeat(1_000);

        let pieces = split(&Text::plain(text.trim()));

        assert!(pieces.iter().all(|piece| piece.units() <= MAX_TEXT && piece.text.ends_with("word")));
        assert_eq!(pieces.iter().map(|piece| piece.text.as_str()).collect::<Vec<_>>().join(" "), text.trim());
    }

    #[test]
    fn what_finds_no_room_under_a_file_goes_on_in_messages() {
        let text = compose(&[Line { mark: "↩ ", author: "Ben", content: &"🙂".repeat(3_000) }]);

        let pieces = split_after(&text, MAX_CAPTION);

        assert_eq!(pieces.iter().map(Text::units).collect::<Vec<_>>(), [1023, 4096, 888]);
        assert_eq!(pieces.iter().map(|piece| piece.text.as_str()).collect::<String>(), text.text);
        let silent = compose(&[Line { mark: "↩ ", author: "Ben", content: "" }]);
        assert_eq!((silent.text.as_str(), marked(&silent)), ("↩ Ben", vec!["Ben".to_owned()]));
    }

    #[test]
    fn names_are_marked_in_whichever_piece_they_stand() {
        let (long, name) = ("🙂 ".repeat(1_300), "Ada 👩‍🚀");
        let said = |content| Line { mark: "", author: name, content };
        let answer = Line { mark: "↩ ", author: "Ben", content: "good day" };

        let pieces = split(&compose(&[said(&long), said("and more"), answer, said("thanks")]));

        assert_eq!(pieces.len(), 1);
        assert_eq!(marked(&pieces[0]), [name, "Ben", name]);
        assert!(pieces[0].text.contains("\nand more\n↩ Ben: good day\n"), "{}", pieces[0].text);

        let pieces = split(&compose(&[said(&long), answer, said(&long), answer]));
        assert_eq!(pieces.iter().map(marked).collect::<Vec<_>>(), [[name, "Ben"], [name, "Ben"]]);
    }

    #[test]
    fn a_mark_across_a_cut_is_on_both_sides_of_it() {
        let length = MAX_TEXT + 10;
        let text =
            Text { text: "x".repeat(length), entities: vec![Entity { kind: "bold", offset: 4_000, length: 106 }] };

        let pieces = split(&text);

        let places = |piece: &Text| (piece.entities[0].offset, piece.entities[0].length);
        assert_eq!((places(&pieces[0]), places(&pieces[1])), ((4_000, 96), (0, 10)));
    }
}
