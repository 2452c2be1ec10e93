//! Who asks does not notice that replicas come and go.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::docker::{bounded, is_there, text};
use crate::project::Project;

/// Requests are in flight for a fifth of a second, and a replica still carries 80 of them per second: so each that leaves
/// has some to finish.
const SLOW_REPLICAS: [(&str, &str); 2] = [("LAB_WEBAPP_SERVICE_TIME", "200ms"), ("LAB_WEBAPP_WORKERS", "16")];

/// Requests per second, sent however slow the answers are: three quarters of what one replica carries.
const RATE: u32 = 60;

const SECONDS: u32 = 40;

#[tokio::test]
async fn scaling_under_load_loses_no_request() {
    if !is_there() {
        return;
    }
    let lab = Project::start("labcmp-loss", &SLOW_REPLICAS);
    lab.wait_for("a replica in rotation", Duration::from_secs(30), |status| status["replicas"]["ready"] == 1)
        .await;
    lab.let_scaler("pause").await;
    lab.set_load(0);

    let (rate, time) = (RATE.to_string(), format!("{SECONDS}s"));
    let mut load = bounded(Duration::from_secs(90), env!("CARGO_BIN_EXE_lab"));
    load.args(["load", "--host", &lab.gateway, "--rate", &rate, "--run-time", &time, "--json"]);
    let load = load.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the load can be started");
    let mut waves = 0;
    let began = std::time::Instant::now();
    while began.elapsed() < Duration::from_secs(u64::from(SECONDS) - 10) {
        for desired in [3, 1, 2, 4, 1] {
            lab.scale_by_hand(desired);
        }
        waves += 1;
    }
    let output = load.wait_with_output().expect("it was started");
    assert!(output.status.success(), "{}", text(&output));
    let result: Value = serde_json::from_slice(&output.stdout).expect("the result is JSON");
    let count = |name: &str| result[name].as_u64().unwrap_or_else(|| panic!("no `{name}` in {result}"));
    let lost = ["failures", "refusals", "unsent", "unanswered"].map(count);
    assert_eq!(lost, [0; 4], "{}\n{}\n{}", result["errors"], lab.logs("gateway"), lab.logs("scaler"));
    assert!(count("requests") > u64::from(RATE * SECONDS * 8 / 10), "only {}", count("requests"));
    assert!(waves > 0, "no replica came or went while the load lasted");
}
