//! Two services measured by turns, A B A B: a difference is found, and none is where there is none.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{lab, status, text};
use crate::support;

/// A replica of 16 workers without synthetic demand, at which nobody waits; it ends with the test.
struct Replica {
    child: Child,
    url: String,
}

impl Replica {
    fn start(service_time: &str) -> Self {
        let mut child = support::lab()
            .args(["webapp", "--service-distribution", "constant", "--workers", "16", "--base-rps", "0"])
            .args(["--service-time", service_time, "--drain-wait", "0s", "--log-level", "warn"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a replica starts");
        let mut line = String::new();
        let output = child.stdout.as_mut().expect("standard output was piped");
        BufReader::new(output).read_line(&mut line).expect("it says where it listens");
        let url = line.trim().strip_prefix("listening on ").expect("an address").to_owned();
        Self { child, url }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

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
    let turns: Vec<&str> = told.lines().filter_map(|line| line.get(..2)).collect();
    assert_eq!(turns, ["A ", "B ", "A ", "B "], "{told}");
    (
        status(&output),
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}")),
    )
}

#[test]
fn a_service_that_is_ten_percent_slower_is_found_by_turns() {
    let (fast, slow) = (Replica::start("100ms"), Replica::start("110ms"));
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
