//! What commands print: a reader who goes away, such as `head`, ends neither the command nor what it does.

use std::fmt::Display;
use std::io::Write as _;

/// Writes the command's result; a reader who has seen enough, such as `head`, is no reason to fail.
pub(crate) fn say(text: &str) {
    let _gone = writeln!(std::io::stdout().lock(), "{text}");
}

/// Writes a line of progress to standard error, beside the result on standard output.
pub(crate) fn note(line: &impl Display) {
    let _gone = writeln!(std::io::stderr().lock(), "{line}");
}
