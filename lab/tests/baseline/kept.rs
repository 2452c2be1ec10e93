//! What was measured, and what was there before, is not lost; what cannot be told is not written.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::replica::Replica;
use crate::support::{self, send_signal, wait_until};

const BEFORE: &str = "what was there before";

/// A measurement of short levels, into a file that is there already.
fn measurement(folder: &TempDir, warm_up: &str, arguments: &[&str]) -> Command {
    std::fs::write(folder.path().join("baseline.json"), BEFORE).expect("a file");
    let mut command = support::lab();
    command
        .args(["baseline", "--warm-up", warm_up, "--hold", "1s", "--longest-hold", "1s", "--lateness", "5s"])
        .args(arguments)
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn written(folder: &TempDir) -> String {
    std::fs::read_to_string(folder.path().join("baseline.json")).expect("the file is there")
}

/// Its exit status, and what it said.
fn end(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().expect("it ends");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_reader_who_leaves_takes_nothing_along() {
    let folder = TempDir::new().expect("a folder");
    let mut child = measurement(&folder, "200ms", &["--levels", "40"]).spawn().expect("it starts");
    drop(child.stdout.take());
    let (status, said) = end(child);
    assert_eq!(status, Some(0), "{said}");
    let baseline: Value = serde_json::from_str(&written(&folder)).expect("JSON");
    assert_eq!(baseline["curves"][0]["levels"].as_array().map(Vec::len), Some(1));
    let files = std::fs::read_dir(folder.path()).expect("the folder").count();
    assert_eq!(files, 1, "something is left beside it");
}

#[tokio::test]
async fn stopped_before_the_first_level_it_leaves_what_was_there() {
    let folder = TempDir::new().expect("a folder");
    let replica = Replica::start("10ms", &[]);
    let arguments = ["--host", &replica.url, "--levels", "40,60"];
    let child = measurement(&folder, "30s", &arguments).spawn().expect("it starts");
    // Well within the warm-up, whether it has connected or not.
    tokio::time::sleep(Duration::from_secs(1)).await;
    send_signal(child.id(), "INT");
    let (status, said) = end(child);
    assert_ne!(status, Some(0), "{said}");
    assert_eq!(written(&folder), BEFORE, "{said}");
}

#[test]
fn replicas_that_come_meanwhile_end_it_with_a_hint() {
    let folder = TempDir::new().expect("a folder");
    let replica = Replica::start("10ms", &[]);
    let levels: Vec<String> = (20..60).map(|rate| rate.to_string()).collect();
    let arguments = ["--host", &replica.url, "--levels", &levels.join(",")];
    let mut child = measurement(&folder, "200ms", &arguments).spawn().expect("it starts");
    let _second = Replica::start("10ms", &["--peers", &replica.url]);
    let ended = wait_until(Duration::from_secs(30), || !matches!(child.try_wait(), Ok(None)));
    assert!(ended, "it went on");
    let (status, said) = end(child);
    assert_eq!(status, Some(3), "{said}");
    assert!(said.contains("ready replicas") && said.contains("/api/pause"), "{said}");
    assert_eq!(written(&folder), BEFORE);
}
