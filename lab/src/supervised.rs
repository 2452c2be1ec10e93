//! A process that a supervisor started: standard input brings its settings, and its end when the supervisor is gone.

use std::fs::File;
use std::io::{BufRead, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;

use serde::de::DeserializeOwned;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tracing::error;

use crate::failure::Failure;

/// Longest line of settings that is read; bytes.
const MAX_SETTINGS_BYTES: u64 = 1024 * 1024;

const HINT: &str = "leave --supervised away, it is for a process that `lab up` starts";

/// The settings that the supervisor wrote as the first line of standard input, in JSON, in the place of flags.
///
/// A command line can be read by everybody on the machine, and has to be put together and taken apart flag by flag.
pub(crate) fn settings<T: DeserializeOwned>() -> Result<T, Failure> {
    let refuse =
        |problem: String| Failure::bad_input(format!("the supervisor's settings {problem}; hint: {HINT}"));
    let input = std::io::stdin();
    let is_pipe = input
        .as_fd()
        .try_clone_to_owned()
        .and_then(|descriptor| File::from(descriptor).metadata())
        .is_ok_and(|metadata| metadata.file_type().is_fifo());
    if !is_pipe {
        return Err(refuse("are missing: standard input is not a pipe".to_owned()));
    }
    let mut line = String::new();
    input
        .lock()
        .take(MAX_SETTINGS_BYTES)
        .read_line(&mut line)
        .map_err(|error| refuse(format!("cannot be read from standard input: {error}")))?;
    if !line.ends_with('\n') {
        return Err(refuse("are missing: standard input ended before the end of their line".to_owned()));
    }
    serde_json::from_str(&line).map_err(|error| refuse(format!("are not understood: {error}")))
}

/// Ends this process at once when standard input closes.
///
/// A supervisor holds the other end of that pipe. The system closes it however the supervisor ends, SIGKILL
/// included, so no child outlives it; a Linux-only death signal would not cover macOS.
pub(crate) fn end_with_supervisor() -> Result<(), Failure> {
    let refuse = |problem: std::io::Error| {
        Failure::bad_input(format!(
            "standard input is no pipe ({problem}), but --supervised needs one; hint: {HINT}"
        ))
    };
    let descriptor = std::io::stdin().as_fd().try_clone_to_owned().map_err(refuse)?;
    let mut pipe = pipe::Receiver::from_owned_fd(descriptor).map_err(refuse)?;
    tokio::spawn(async move {
        let mut buffer = [0; 64];
        // Nothing is written after the settings; anything that is, is ignored.
        while matches!(pipe.read(&mut buffer).await, Ok(length) if length > 0) {}
        error!("the supervisor is gone: ending");
        std::process::exit(3);
    });
    Ok(())
}
