//! A value as a message shows it: short, and without characters that a terminal would obey.

use excerpt::excerpt;

/// The value in backticks, short and without control characters.
pub(crate) fn shown(value: &str) -> String {
    format!("`{}`", excerpt(value))
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_value_is_short_and_harmless() {
        assert_eq!(shown("a b"), "`a b`");
        assert_eq!(shown("\u{1b}[31m\n"), "`\\u{1b}[31m\\n`");
        assert_eq!(shown(&"ü".repeat(1000)), format!("`{}… (1000 characters)`", "ü".repeat(80)));
    }
}
