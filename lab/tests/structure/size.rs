//! No source file is long.

use std::path::{Path, PathBuf};

use crate::crates::repository;

/// Above this a file holds more than one thing.
const MAX_LINES: usize = 500;

/// What people write and read as code.
const ENDINGS: [&str; 7] = ["rs", "js", "css", "html", "sh", "py", "awk"];

fn sources_in(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("a folder can be listed").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // What is built and what tools keep for themselves.
        if name.starts_with('.') || name == "target" || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            sources_in(&path, found);
        } else if path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known)) {
            found.push(path);
        }
    }
}

#[test]
fn no_source_file_is_longer_than_500_lines() {
    let mut sources = Vec::new();
    sources_in(repository(), &mut sources);
    assert!(sources.len() > 400, "only {} sources were found", sources.len());
    for path in sources {
        let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let lines = String::from_utf8_lossy(&text).lines().count();
        assert!(
            lines <= MAX_LINES,
            "{} has {lines} lines, at most {MAX_LINES} are allowed; hint: give its second thing a file of its own",
            path.display()
        );
    }
}
