//! What commands print and write: a reader who goes away, such as `head`, ends neither the command nor what it does.

use std::fmt::Display;
use std::io::Write as _;
use std::path::Path;

use crate::failure::Failure;

/// Writes the command's result; a reader who has seen enough, such as `head`, is no reason to fail.
pub(crate) fn say(text: &str) {
    let _gone = writeln!(std::io::stdout().lock(), "{text}");
}

/// Writes a line of progress to standard error, beside the result on standard output.
pub(crate) fn note(line: &impl Display) {
    let _gone = writeln!(std::io::stderr().lock(), "{line}");
}

/// Replaces a file as a whole: what was there stays until all of the new text is beside it.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    // The file itself where it is a link to it.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let refuse = |error: std::io::Error| {
        Failure::could_not_run(format!(
            "`{}` could not be written: {error}; hint: does its folder exist, is there room, and may this user write there",
            path.display()
        ))
    };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let beside = path.with_file_name(name);
    // A device or a pipe, such as /dev/stdout, is written to and not replaced.
    if path.exists() && !path.is_file() {
        return std::fs::write(path, text).map_err(refuse);
    }
    std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path)).map_err(|error| {
        let _nothing_to_remove = std::fs::remove_file(&beside);
        refuse(error)
    })
}
