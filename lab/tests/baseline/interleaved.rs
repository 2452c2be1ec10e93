//! Two services measured by turns, A B A B: a difference is found, and none is where there is none.

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{lab, status, text};
use crate::replica::Replica;

/// Exit status and result.
fn diff(before: &Replica, after: &Replica) -> (i32, Value) {
    let folder = TempDir::new().expect("a folder");
    let arguments = [
        "baseline",
        "diff",
        "--interleave",
        "--levels",
        "40",
        "--rounds",
        "2",
        "--warm-up",
        "500ms",
        "--hold",
        "2s",
        "--lateness",
        "5s",
        "--json",
        &before.url,
        &after.url,
    ];
    let output = lab(folder.path(), &arguments);
    let told = text(&output.stderr);
    let (plan, levels) = told.split_once('\n').expect("a plan, then the levels");
    assert!(plan.starts_with("4 levels by turns"), "{told}");
    let turns: Vec<&str> = levels.lines().filter_map(|line| line.get(..2)).collect();
    assert_eq!(turns, ["A ", "B ", "A ", "B "], "{told}");
    (
        status(&output),
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}")),
    )
}

#[test]
fn a_service_that_is_ten_percent_slower_is_found_by_turns() {
    let (fast, slow) = (Replica::start("100ms", &[]), Replica::start("110ms", &[]));
    for (before, after, expected_status, verdict) in [(&fast, &slow, 1, "worse"), (&slow, &fast, 0, "better")]
    {
        let (status, result) = diff(before, after);
        assert_eq!(
            (status, &result["levels"][0]["verdict"]),
            (expected_status, &Value::from(verdict)),
            "{result}"
        );
    }
    // Both numbers are of the same replica: whatever is seen between them is the machine.
    let (status, result) = diff(&fast, &fast);
    assert_eq!(status, 0, "{result}");
    assert_ne!(result["levels"][0]["verdict"], "better", "{result}");
}
