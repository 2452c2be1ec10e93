//! Runs the command as a user does, in a folder of the test's own.

use std::path::Path;
use std::process::Output;

use crate::support;

/// Runs the binary under test in a folder, to its end.
pub(crate) fn lab(folder: &Path, arguments: &[&str]) -> Output {
    support::lab().args(arguments).current_dir(folder).output().expect("the lab runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn status(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("it was ended: {}", text(&output.stderr)))
}
