//! The settings of `lab up` reach its processes, and stand on no command line.

use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::support::{TIMEOUT, Up, lab};

fn command_line(pid: u32) -> Vec<String> {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).expect("the process runs");
    let words = bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

#[tokio::test]
async fn flags_and_variables_reach_the_processes_and_no_command_line() {
    let flags = [
        "--workers=3",
        "--queue=17",
        "--service-time=1ms",
        "--base-rps=7",
        "--load-factor=2",
        "--min-replicas=2",
        "--scale-up-checks=9",
        "--with-dependency",
        "--dependency-pool=5",
        // No collector is there, which costs nothing.
        "--otlp-endpoint=http://user:secret@127.0.0.1:9",
    ];
    let up = Up::start_with(&[("SCALE_UP_COOLDOWN", "77"), ("LAB_UP_MAX_REPLICAS", "5")], &flags);
    up.wait_for_replicas(2, TIMEOUT).await;
    for (replica, _) in up.in_rotation().await {
        let reply = up.client.scrape(&format!("{replica}/metrics"), TIMEOUT).await.expect("it is answered");
        let text = String::from_utf8(reply.body.to_vec()).expect("metrics are text");
        for line in [
            "webapp_workers 3.0",
            "webapp_queue_capacity 17.0",
            "webapp_load_factor 2.0",
            "webapp_dependency_connections 5.0",
        ] {
            assert!(text.lines().any(|found| found == line), "`{line}` is missing from:\n{text}");
        }
        let load = up.get(&format!("{replica}/load")).await.expect("it is answered");
        assert_eq!(load["base_rps"], 7.0, "{load}");
    }
    let policy: Value = up.get(&format!("{}/api/policy", up.scaler)).await.expect("it is answered");
    for (setting, value) in [
        ("minReplicas", "2"),
        ("maxReplicas", "5"),
        ("scaleUpChecks", "9"),
        // From the classic variable.
        ("scaleUpCooldown", "\"1m 17s\""),
    ] {
        assert_eq!(policy["settings"][setting].to_string(), value, "{setting}: {policy}");
    }
    assert!(up.processes.len() >= 5, "{:?}", up.processes);
    for (name, pid) in &up.processes {
        let words = command_line(*pid);
        let [_, command, flag] = words.as_slice() else { panic!("{name} was called as {words:?}") };
        assert_eq!(flag, "--supervised", "{name}");
        let expected = if matches!(name.as_str(), "gateway" | "scaler") { name } else { "webapp" };
        assert_eq!(command, expected, "{name}");
    }
}

/// What a supervised process says when it gets this on standard input, which then ends.
fn supervised(command: &str, input: Stdio, settings: &[u8]) -> Output {
    let mut child = lab()
        .args([command, "--supervised"])
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the lab starts");
    if let Some(mut pipe) = child.stdin.take() {
        // It may have ended without reading.
        let _ended = pipe.write_all(settings);
    }
    child.wait_with_output().expect("it ends by itself")
}

#[test]
fn settings_that_are_missing_or_not_understood_are_bad_input() {
    let _alone = Up::turn();
    for command in ["webapp", "gateway", "scaler"] {
        for (input, settings, problem) in [
            (Stdio::null(), &b""[..], "standard input is not a pipe"),
            (Stdio::piped(), b"", "ended before the end of their line"),
            (Stdio::piped(), b"{\"listen\":", "ended before the end of their line"),
            (Stdio::piped(), b"\xff\xfe\n", "cannot be read"),
            (Stdio::piped(), b"[]\n", "are not understood"),
            (Stdio::piped(), b"{\"listen\": 3}\n", "are not understood"),
        ] {
            let output = supervised(command, input, settings);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{command} {settings:?}: {said}");
            assert!(said.contains(problem) && said.contains("\nhint: "), "{command} {settings:?}: {said}");
        }
    }
}
