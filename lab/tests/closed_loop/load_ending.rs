//! `lab load` ends with a complete result, whoever interrupts it or stops reading.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::support::{lab, send_signal, wait_until};

/// One user waits for an answer that never comes; the other tells the service that the run is over, and that Goose ends.
const SCENARIO: &str = "
apiVersion: autoscale-lab/v1
kind: Scenario
spec:
  users:
    - name: Waiting
      wait: none
      tasks: [{steps: [{path: /never}]}]
    - name: Leaving
      wait: {constant: 100ms}
      tasks: [{steps: [{path: /}]}]
      onStop: [{path: /left}]
";

/// A service that ends with the test's runtime; its URL, and whether a user has left.
async fn service() -> (String, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let left = Arc::<AtomicBool>::default();
    let seen = Arc::clone(&left);
    let routes = Router::new()
        .route("/", get(async || "fine"))
        .route("/never", get(std::future::pending::<()>))
        .route("/left", get(async move || seen.store(true, Ordering::Release)));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (url, left)
}

/// A load of two users for two seconds.
fn load(url: &str, folder: &Path) -> Command {
    std::fs::write(folder.join("visit.yaml"), SCENARIO).expect("a file");
    let mut command = lab();
    command
        .args(["load", "visit.yaml", "--host", url, "--users", "2", "--ramp-up", "0s", "--run-time", "2s"])
        .args(["--report", "load.json"])
        .current_dir(folder)
        .stdout(Stdio::piped());
    command
}

fn assert_complete(output: &Output, folder: &Path) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("all requests"), "{text}");
    let report = std::fs::read(folder.join("load.json")).expect("a report");
    serde_json::from_slice(&report).expect("a whole report")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_c_while_the_last_answers_are_awaited_costs_no_report() {
    let (url, left) = service().await;
    let folder = TempDir::new().expect("a folder");
    let child = load(&url, folder.path()).stderr(Stdio::null()).spawn().expect("the lab starts");
    let is_over = wait_until(Duration::from_secs(30), || left.load(Ordering::Acquire));
    send_signal(child.id(), "INT");
    let output = child.wait_with_output().expect("it is our child");
    assert!(is_over, "the run did not end");
    let report = assert_complete(&output, folder.path());
    assert_eq!(report["interrupted"], false, "it was over: {report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_of_the_progress_who_goes_away_ends_nothing() {
    let (url, _left) = service().await;
    let folder = TempDir::new().expect("a folder");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let child = load(&url, folder.path()).stderr(writer).spawn().expect("the lab starts");
    let waited = tokio::task::spawn_blocking(|| child.wait_with_output()).await.expect("no panic");
    assert_complete(&waited.expect("it is our child"), folder.path());
}
