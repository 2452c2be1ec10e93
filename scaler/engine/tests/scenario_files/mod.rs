//! Reads the files of a folder that hold prose, then steps, then `----`, then what must come out, and plays them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Plays every `.txt` file of a folder below `tests/`; `play_case` answers what the steps of one case lead to.
/// `UPDATE_EXPECT=1` writes that into the files.
pub(crate) fn play_folder(folder: &str, play_case: fn(&[&str]) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no scenario file in {}", folder.display());
    let mut wrong = String::new();
    for path in files {
        let written = fs::read_to_string(&path).unwrap();
        let played = play_file(&written, play_case);
        if played == written {
            continue;
        }
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&path, played).unwrap();
        } else {
            let (number, (expected, got)) = written
                .lines()
                .chain([""])
                .zip(played.lines().chain([""]))
                .enumerate()
                .find(|(_, (expected, got))| expected != got)
                .unwrap_or((0, ("", "")));
            let name = path.file_name().unwrap().to_string_lossy();
            writeln!(wrong, "{name}:{}\n  expected: {expected}\n  decided:  {got}", number + 1).unwrap();
        }
    }
    assert!(wrong.is_empty(), "scenarios decide otherwise (UPDATE_EXPECT=1 rewrites them):\n{wrong}");
}

/// Rewrites a file with the decisions that its steps lead to.
fn play_file(text: &str, play_case: fn(&[&str]) -> String) -> String {
    let mut out = String::new();
    let mut steps = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        writeln!(out, "{line}").unwrap();
        if line == "----" {
            while lines.next_if(|line| !line.is_empty()).is_some() {}
            out.push_str(&play_case(&steps));
            steps.clear();
        } else if line.is_empty() {
            steps.clear();
        } else {
            steps.push(line);
        }
    }
    assert!(steps.is_empty() || !text.contains("----"), "the last case has no `----`: {steps:?}");
    out
}
