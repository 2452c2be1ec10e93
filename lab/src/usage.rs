//! Says what is wrong with a command line, whose values may be of any length and hold anything.

use std::env;

use excerpt::{excerpt, one_line};

use crate::failure::ExitStatus;

/// Prints what the command line's reader says: help to standard output, mistakes to standard error.
#[expect(clippy::print_stderr, reason = "beside `Failure` the one place where a command tells why it ended")]
pub(crate) fn refuse(error: &clap::Error) -> ExitStatus {
    let values: Vec<String> =
        env::args_os().skip(1).map(|value| value.to_string_lossy().into_owned()).collect();
    if !error.use_stderr() || values.iter().all(|value| is_tame(value)) {
        error.exit();
    }
    eprint!("{}", tamed(&error.render().to_string(), &values));
    ExitStatus::BadInput
}

/// Whether a value can be repeated as it is.
fn is_tame(value: &str) -> bool {
    excerpt(value).to_string() == value
}

/// The text with each value that is long or holds control characters as a message shows it.
fn tamed(text: &str, values: &[String]) -> String {
    let mut text = text.to_owned();
    // A flag and its value may be one argument.
    let parts =
        values.iter().flat_map(|value| [Some(value.as_str()), value.split_once('=').map(|(_, part)| part)]);
    for value in parts.flatten().filter(|value| !is_tame(value)) {
        // Lists are told by their entries.
        let entries = value.split(',').filter(|entry| !entry.is_empty() && !is_tame(entry));
        for part in std::iter::once(value).chain(entries) {
            text = text.replace(part, &excerpt(part).to_string());
        }
    }
    text.lines().flat_map(|line| [one_line(line), "\n".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::tamed;

    #[test]
    fn values_are_repeated_shortly_and_without_what_steers_a_terminal() {
        let long = "x".repeat(100_000);
        for value in [long.as_str(), "\u{1b}[2Jred", "a\nerror: forged", "\u{202e}txt"] {
            for argument in [value.to_owned(), format!("--host={value}"), format!("good,{value}")] {
                let text = tamed(
                    &format!("error: invalid value '{value}' for '--host'\n\nsee --help\n"),
                    &[argument],
                );
                assert!(
                    text.starts_with("error: invalid value '") && text.ends_with("\nsee --help\n"),
                    "{text:.200}"
                );
                assert!(text.len() < 300 && text.lines().count() == 3, "{text:.400}");
                assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
            }
        }
    }
}
