//! What a file is. Only kinds that no browser runs keep their name.

/// What everything else is called.
pub const OCTET_STREAM: &str = "application/octet-stream";

const KNOWN: [&str; 14] = [
    "application/pdf",
    "audio/aac",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "image/avif",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/plain",
    "video/mp4",
    "video/webm",
];

/// The name of a media type that somebody claims, if it is one of those that are passed on; [`OCTET_STREAM`] otherwise.
pub fn known(claimed: &str) -> &'static str {
    let claimed = claimed.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let name = match claimed.as_str() {
        "audio/m4a" | "audio/x-m4a" => "audio/mp4",
        "audio/mp3" => "audio/mpeg",
        "audio/opus" => "audio/ogg",
        "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "audio/wav",
        "image/jpg" => "image/jpeg",
        name => name,
    };
    KNOWN.into_iter().find(|known| *known == name).unwrap_or(OCTET_STREAM)
}

/// What a file's first bytes say that it is. Whoever sent it is not asked.
#[cfg(feature = "files")]
pub(super) fn told_by(head: &[u8]) -> &'static str {
    match infer::get(head) {
        Some(kind) => known(kind.mime_type()),
        None if is_text(head) => "text/plain",
        None => OCTET_STREAM,
    }
}

/// UTF-8 without control characters that is no markup.
#[cfg(feature = "files")]
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The last character may go on behind the head.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let is_clean = text.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{c}'));
    let begin = text.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace());
    is_clean && !begin.is_empty() && !begin.starts_with('<')
}

#[cfg(all(test, feature = "files"))]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_what_a_file_is() {
        let mut opus = [b"OggS".as_slice(), &[0; 24], b"OpusHead", &[0; 8]].concat();
        for (head, kind) in [
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), "image/png"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
            (b"GIF89a\x01\0\x01\0", "image/gif"),
            (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
            (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
            (b"ID3\x04\0\0\0\0\0\0", "audio/mpeg"),
            (b"\xff\xfb\x90\x44\0\0", "audio/mpeg"),
            (b"\0\0\0\x20ftypM4A \0\0\0\0", "audio/mp4"),
            (b"\0\0\0\x20ftypisom\0\0\0\0", "video/mp4"),
            (b"%PDF-1.7\n%", "application/pdf"),
            ("Grüße, Ada\n".as_bytes(), "text/plain"),
            (&opus, "audio/ogg"),
        ] {
            assert_eq!(told_by(head), kind);
        }
        opus.truncate(3);
        assert_eq!(told_by(&"🙂".as_bytes()[..3]), OCTET_STREAM, "nothing whole is there");
    }

    #[test]
    fn nothing_that_a_browser_runs_keeps_its_kind() {
        for head in [
            "<!DOCTYPE html><script>1</script>",
            "<html>",
            "\u{feff}  <svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"x()\"/>",
            "<?xml version=\"1.0\"?><svg/>",
            "<script>alert(1)</script>",
            "#!/bin/sh\nexit",
            "MZ\u{0}\u{1}",
            "PK\u{3}\u{4}",
            "\u{7f}ELF\u{2}",
            "text\u{0}with a zero",
            "",
        ] {
            assert_eq!(told_by(head.as_bytes()), OCTET_STREAM, "{head:?}");
        }
        for claimed in
            ["image/svg+xml", "text/html", "application/xhtml+xml", "text/javascript", "", "x", "text/plain2"]
        {
            assert_eq!(known(claimed), OCTET_STREAM, "{claimed}");
        }
    }

    #[test]
    fn a_kind_has_one_name_whatever_it_is_called() {
        for (claimed, name) in [
            ("IMAGE/PNG", "image/png"),
            ("text/plain; charset=utf-8", "text/plain"),
            ("audio/x-m4a", "audio/mp4"),
            ("audio/opus", "audio/ogg"),
        ] {
            assert_eq!(known(claimed), name);
        }
    }
}
