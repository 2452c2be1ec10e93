//! Writes what commands print, and the files they replace. A reader that leaves, such as `head`, ends no command.
//!
//! The only place that writes to standard output and standard error: `println!` and its like panic where the reader has
//! left, and the workspace's lints forbid them.
//!
//! A command whose reader has left runs on to its own end and keeps its own exit status, because that status says whether
//! a threshold, an SLO or a comparison held. Any other problem with standard output, such as a full disk, loses the
//! result, so the command ends with status 3 ([`check_delivery`]).

use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::OnceLock;

use crate::failure::Failure;

/// The first problem with standard output other than a reader that left.
static UNDELIVERED: OnceLock<String> = OnceLock::new();

/// Writes a line, or several, of the command's result to standard output.
pub(crate) fn say(text: &str) {
    record_delivery(writeln!(std::io::stdout().lock(), "{text}"));
}

/// Writes a line of progress, or a problem, to standard error, beside the result on standard output.
pub(crate) fn note(line: &impl Display) {
    // There is no better place to report that standard error cannot be written.
    let _unreported = writeln!(std::io::stderr().lock(), "{line}");
}

/// Remembers whether writing to standard output succeeded, for [`check_delivery`].
pub(crate) fn record_delivery(result: std::io::Result<()>) {
    if let Err(error) = result
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _keep_the_first = UNDELIVERED.set(error.to_string());
    }
}

/// Whether all that was meant for standard output could be written there.
pub(crate) fn check_delivery() -> Result<(), Failure> {
    match UNDELIVERED.get() {
        None => Ok(()),
        Some(problem) => Err(Failure::could_not_run(format!(
            "the result could not be written to standard output: {problem}; hint: check the device or file that it is \
             redirected to, for example for free space"
        ))),
    }
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
