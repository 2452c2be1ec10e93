//! Keeps Goose out of all other files, so that another engine could take its place.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the sources are there when the tests run") {
        let path = entry.expect("an entry of a folder").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The lines of code that name the crate or one of its types; a module of ours that is called so is not one.
fn naming_goose(text: &str) -> Vec<&str> {
    let names = Regex::new(r"(^|[^\w:])(::)?goose::|\bextern crate goose\b|\buse goose\b|\bGoose[A-Z]\w*")
        .expect("the expression is one");
    let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    text.lines().filter(|line| names.is_match(&code(line))).collect()
}

#[test]
fn one_file_names_goose() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&folder, &mut files);
    assert!(files.len() > 50, "the sources are found: {}", files.len());
    let mut naming = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).expect("a source is a text");
        if file.ends_with("users/goose/tests.rs") {
            continue;
        }
        if !naming_goose(&text).is_empty() {
            naming.push(file.strip_prefix(&folder).expect("it lies in the folder").display().to_string());
        }
    }
    assert_eq!(naming, ["users/goose.rs"]);
}

#[test]
fn each_way_to_name_goose_is_seen() {
    for line in [
        "use goose::GooseError;",
        "    ::goose::end();",
        "let x = goose::x();",
        "fn f(error: &GooseError)",
        "use goose as g;",
    ] {
        assert_eq!(naming_goose(line), [line]);
    }
    for line in ["use crate::users::goose::Users;", "// what goose::x does", "Goose(String),", "mod goose;"] {
        assert!(naming_goose(line).is_empty(), "{line}");
    }
}
