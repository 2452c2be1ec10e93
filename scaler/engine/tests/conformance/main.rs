//! Plays conformance vectors against the autoscalers of other systems: `cargo test -p scaler-engine --test conformance`.
//!
//! The vectors stand in `vectors/`; `CONFORMANCE_DIR=…` plays the `*.json` files of another directory instead. For
//! each file the outcome is printed, with each vector that failed and why.

mod compare;
mod hpa;
mod instants;
mod keda;
mod knative;
mod vector;

use std::env;
use std::fs;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

use compare::differences;
use vector::{Vector, VectorFile};

fn main() -> ExitCode {
    // The one answer that test runners ask of every test program.
    if env::args().any(|argument| argument == "--list") {
        return report("conformance: test");
    }
    let given = env::var_os("CONFORMANCE_DIR").map(PathBuf::from);
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/vectors");
    match play_directory(&given.unwrap_or(own)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            report(&format!("conformance: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Plays all files of a directory; true if every vector passed. A directory without vectors is an error, or a wrong
/// path would pass.
fn play_directory(directory: &Path) -> Result<bool, String> {
    let shown = directory.display();
    let entries = fs::read_dir(directory).map_err(|error| format!("{shown}: {error}"))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| format!("{shown}: {error}"))?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    let (mut passed, mut total) = (0, 0);
    let mut readable = true;
    for file in &files {
        let name = file.file_name().unwrap_or_default().display();
        match VectorFile::read(file) {
            Ok(read) => {
                let failures: Vec<String> = read.vectors.iter().filter_map(failure).collect();
                let in_file = read.vectors.len();
                report(&format!("{name}: passed {} of {in_file}", in_file - failures.len()));
                for failure in &failures {
                    report(&format!("  {failure}"));
                }
                passed += in_file - failures.len();
                total += in_file;
            }
            Err(error) => {
                report(&format!("{name}: {error}"));
                readable = false;
            }
        }
    }
    if total == 0 {
        return Err(format!("{shown}: no vectors, expected *.json files with some"));
    }
    report(&format!("conformance: passed {passed} of {total}"));
    Ok(readable && passed == total)
}

/// Why a vector fails; none if it passes.
fn failure(vector: &Vector) -> Option<String> {
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| play(vector)));
    let why = match outcome {
        Ok(Ok(got)) => differences(&vector.expect, &got, &vector.expect_tolerance),
        Ok(Err(error)) => vec![error],
        Err(_) => vec!["panicked".to_owned()],
    };
    (!why.is_empty()).then(|| format!("{} ({}): {}", vector.id, vector.kind, why.join("; ")))
}

fn play(vector: &Vector) -> Result<Value, String> {
    let family = match vector.kind.split('_').next() {
        Some("kpa") => knative::play,
        Some("keda") => keda::play,
        _ => hpa::play,
    };
    family(vector)
}

/// Prints a line. If the output is closed, the exit status still tells.
fn report(line: &str) -> ExitCode {
    match writeln!(io::stdout(), "{line}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
