//! A value as a message shows it: short, and without characters that a terminal would obey.

/// Longest that a value is shown, in characters.
const LONGEST: usize = 80;

/// The value in backticks, control characters escaped, cut where it is long.
pub(crate) fn shown(value: &str) -> String {
    let mut text = String::from("`");
    for (index, each) in value.chars().enumerate() {
        if index == LONGEST {
            text.push('…');
            break;
        }
        if each.is_control() {
            text.extend(each.escape_default());
        } else {
            text.push(each);
        }
    }
    text.push('`');
    text
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_value_is_short_and_harmless() {
        assert_eq!(shown("a b"), "`a b`");
        assert_eq!(shown("\u{1b}[31m\n"), "`\\u{1b}[31m\\n`");
        assert_eq!(shown(&"ü".repeat(1000)), format!("`{}…`", "ü".repeat(80)));
    }
}
