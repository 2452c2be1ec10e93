//! The threat model names a test for each of its lines, and each of these tests exists.

use crate::files::{read, repository};

/// The rows of the tables that have a column of tests: what stands in their last cell.
fn last_cells(markdown: &str) -> Vec<(&str, &str)> {
    let mut names_tests = false;
    let mut cells = Vec::new();
    for line in markdown.lines() {
        let Some(row) = line.strip_prefix('|') else {
            names_tests = false;
            continue;
        };
        let last = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default().trim();
        match last {
            "kept by" => names_tests = true,
            _ if last.chars().all(|letter| letter == '-') => {}
            _ if names_tests => cells.push((line, last)),
            _ => {}
        }
    }
    cells
}

#[test]
fn every_line_of_the_threat_model_is_kept_by_a_test_that_exists() {
    let text = read(&repository().join("docs/SECURITY.md"));
    let cells = last_cells(&text);
    assert!(cells.len() >= 30, "only {} lines with a test were found", cells.len());
    for (line, cell) in cells {
        let quoted: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        let [path, function] = quoted.as_slice() else {
            panic!("a line names `file` and `function` of its test, but this one does not:\n{line}");
        };
        let source = read(&repository().join(path));
        let (head, _) = source
            .split_once(&format!("fn {function}("))
            .unwrap_or_else(|| panic!("{path} has no function `{function}`, which this line names:\n{line}"));
        let attributes: String = head.lines().rev().take(4).collect();
        assert!(attributes.contains("test"), "`{function}` in {path} is not a test");
    }
}
