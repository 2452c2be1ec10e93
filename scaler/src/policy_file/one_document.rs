//! Finds the one YAML document that a file holds, whatever marks, comments and line ends stand around it.

/// A second document in a file that may have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondDocument {
    /// The line in which it begins, from 1.
    pub line: u64,
}

/// The text of the one document that has more than comments in it; lines of others are emptied, so that line numbers
/// stay. Markers (`---`, `...`) may stand before and after it, a byte order mark at the beginning, and CR LF or CR at the
/// ends of lines.
///
/// # Errors
/// If a second document has more than comments in it.
pub fn one_document(text: &str) -> Result<String, SecondDocument> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let mut kept: Vec<&str> = Vec::new();
    // Whether the document that is being read, and the one that was kept, have content.
    let (mut has_content, mut is_found) = (false, false);
    for (index, line) in text.split('\n').enumerate() {
        let begins = marker_rest(line, "---");
        if begins.is_some() || marker_rest(line, "...").is_some() {
            is_found |= has_content;
            has_content = false;
        }
        let content = if marker_rest(line, "...").is_some() { "" } else { begins.unwrap_or(line) }.trim();
        // Directives stand between documents only, where a line of content would be in one.
        let is_directive = line.starts_with('%') && !has_content;
        if !content.is_empty() && !content.starts_with('#') && !is_directive {
            if is_found {
                return Err(SecondDocument { line: index as u64 + 1 });
            }
            has_content = true;
        }
        kept.push(if has_content { line } else { "" });
    }
    Ok(kept.join("\n"))
}

/// What follows a marker at the beginning of its line.
fn marker_rest<'a>(line: &'a str, marker: &str) -> Option<&'a str> {
    line.strip_prefix(marker).filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_comments_around_a_document_are_no_documents() {
        for text in [
            "a: 1\n",
            "---\na: 1\n---\n",
            "a: 1\n---\n",
            "a: 1\n...\n",
            "# first\n---\n# second\n---\na: 1\n...\n---\n# last\n",
            "\u{feff}---\r\na: 1\r\n---\r\n",
            "%YAML 1.2\n---\na: 1\n...\n%YAML 1.2\n---\n",
            "--- # here\na: 1\n--- # and no more\n",
            "a: 1\r",
        ] {
            let found = one_document(text).unwrap();
            assert_eq!(found.trim(), "a: 1", "{text:?}");
            let line_of = |text: &str| text.lines().position(|line| line.starts_with("a:"));
            assert_eq!(line_of(&found), line_of(text.trim_start_matches('\u{feff}')), "{text:?}");
        }
        assert_eq!(one_document("--- {a: 1}\n---\n").unwrap().trim(), "--- {a: 1}");
        assert_eq!(one_document("").unwrap().trim(), "");
        assert_eq!(one_document("# only\n---\n# comments\n").unwrap().trim(), "");
    }

    #[test]
    fn a_second_document_is_found_with_its_line() {
        for (text, line) in [
            ("a: 1\n---\nb: 2\n", 3),
            ("a: 1\n--- {b: 2}\n", 2),
            ("---\na: 1\n---\n# comment\n\n---\nb: 2\n", 7),
            ("a: 1\n...\nb: 2\n", 3),
            ("a: 1\r\n---\r\nb: 2\r\n", 3),
        ] {
            assert_eq!(one_document(text), Err(SecondDocument { line }), "{text:?}");
        }
    }

    #[test]
    fn what_only_looks_like_a_marker_is_content() {
        for text in ["a: |\n  ---\n  x\n", "a: ---x\n", "---x: 1\n", "....: 1\n", "a: 50%\n%b: 1\n"] {
            assert_eq!(one_document(text).unwrap(), text, "{text:?}");
        }
    }
}
