//! How a value from elsewhere stands in a message: short, on one line, without control characters.
//!
//! A message repeats what a user, a file or a client sent, so that the mistake is found. Unbounded, 10 MB of a broken
//! file would fill the terminal; unescaped, the value could clear the screen, forge a second log line, or turn the
//! direction of the text around.
//!
//! ```
//! use excerpt::excerpt;
//! assert_eq!(excerpt("fast").to_string(), "fast");
//! assert_eq!(excerpt("\u{1b}[31mred").to_string(), r"\u{1b}[31mred");
//! assert!(excerpt(&"x".repeat(10_000_000)).to_string().ends_with("… (10000000 characters)"));
//! ```
#![no_std]

extern crate alloc;

use alloc::string::{String, ToString};
use core::fmt;

/// The most characters of a value in a message.
pub const VALUE_CHARS_MAX: usize = 80;

/// The most characters of another library's message, which repeats values of its own choice.
pub const SENTENCE_CHARS_MAX: usize = 240;

/// How many characters at the end of a shortened sentence stay: they say what was expected, and where.
const SENTENCE_TAIL_CHARS: usize = 100;

/// A value, as a message shows it.
#[derive(Clone, Copy, Debug)]
pub struct Excerpt<'a>(&'a str);

/// The value as a message shows it: at most [`VALUE_CHARS_MAX`] characters, then how many there are.
pub fn excerpt(value: &str) -> Excerpt<'_> {
    Excerpt(value)
}

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((cut, _)) = self.0.char_indices().nth(VALUE_CHARS_MAX) else {
            return escape(self.0, formatter);
        };
        escape(&self.0[..cut], formatter)?;
        write!(formatter, "… ({} characters)", self.0.chars().count())
    }
}

/// A sentence of another library, such as `unknown field …, expected …`: its beginning and its end, at most
/// [`SENTENCE_CHARS_MAX`] characters together.
pub fn sentence(text: &str) -> String {
    shortened(text, SENTENCE_CHARS_MAX)
}

/// A whole text of at most `chars_max` characters, on one line; what is too much is left out of its middle.
pub fn shortened(text: &str, chars_max: usize) -> String {
    let mut written = String::new();
    if text.char_indices().nth(chars_max).is_none() {
        write_escaped(text, &mut written);
        return written;
    }
    let tail = SENTENCE_TAIL_CHARS.min(chars_max / 2);
    let head_end = text.char_indices().nth(chars_max - tail).map_or(text.len(), |(at, _)| at);
    let tail_start = text.char_indices().rev().nth(tail - 1).map_or(0, |(at, _)| at);
    write_escaped(&text[..head_end], &mut written);
    let left_out = text[head_end..tail_start].chars().count();
    written.push_str(" … (");
    written.push_str(&left_out.to_string());
    written.push_str(" characters left out) … ");
    write_escaped(&text[tail_start..], &mut written);
    written
}

/// The text on one line, of any length: a rendering whose lines are separate messages is escaped line by line.
pub fn one_line(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    write_escaped(text, &mut written);
    written
}

fn write_escaped(text: &str, written: &mut String) {
    escape(text, written).expect("a string takes whatever is written");
}

fn escape(text: &str, sink: &mut impl fmt::Write) -> fmt::Result {
    for each in text.chars() {
        if is_unseen(each) {
            write!(sink, "{}", each.escape_default())?;
        } else {
            sink.write_char(each)?;
        }
    }
    Ok(())
}

/// Whether a terminal acts on the character, or shows nothing for it: controls, line and paragraph separators, marks of
/// direction, zero widths, and the invisible tags.
fn is_unseen(each: char) -> bool {
    each.is_control()
        || matches!(
            each,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::{SENTENCE_CHARS_MAX, VALUE_CHARS_MAX, excerpt, one_line, sentence, shortened};

    #[test]
    fn what_can_be_read_stays_as_it_is() {
        for value in ["", "fast", "two words", "größer 漢字 🙂", "`a\\b` \"c\" ${d}"] {
            assert_eq!(excerpt(value).to_string(), value);
            assert_eq!(sentence(value), value);
        }
    }

    #[test]
    fn what_a_terminal_would_act_on_is_escaped() {
        for (value, shown) in [
            ("\u{1b}[31mred", r"\u{1b}[31mred"),
            ("a\nb\r\tc", r"a\nb\r\tc"),
            ("nul\0bell\u{7}del\u{7f}", r"nul\u{0}bell\u{7}del\u{7f}"),
            ("c1\u{9b}31m", r"c1\u{9b}31m"),
            ("user\u{202e}gpj.exe", r"user\u{202e}gpj.exe"),
            ("\u{2066}isolate\u{2069}", r"\u{2066}isolate\u{2069}"),
            ("line\u{2028}separator", r"line\u{2028}separator"),
            ("\u{feff}mark", r"\u{feff}mark"),
            ("zero\u{200b}width", r"zero\u{200b}width"),
            ("tag\u{e0041}", r"tag\u{e0041}"),
        ] {
            assert_eq!(excerpt(value).to_string(), shown);
            assert_eq!(sentence(value), shown);
            assert_eq!(one_line(value), shown);
        }
    }

    #[test]
    fn a_long_value_is_cut_at_a_character_and_its_length_is_told() {
        let full = "ü".repeat(VALUE_CHARS_MAX);
        assert_eq!(excerpt(&full).to_string(), full);
        assert_eq!(excerpt(&format!("{full}ü")).to_string(), format!("{full}… (81 characters)"));
    }

    #[test]
    fn a_long_sentence_keeps_its_beginning_and_its_end() {
        let long = format!("invalid type: string \"{}\", expected a number at line 1", "é".repeat(100_000));
        let short = sentence(&long);
        assert!(
            short.starts_with("invalid type: string \"é") && short.ends_with("expected a number at line 1")
        );
        assert!(short.contains("characters left out"), "{short}");
        assert!(short.chars().count() < SENTENCE_CHARS_MAX + 50, "{short}");
        for chars_max in [2, 3, 10, 100] {
            assert!(shortened(&long, chars_max).chars().count() < chars_max + 50);
        }
    }
}
