//! `lab baseline`, its comparison and its policy, as a user runs them: live, against replicas that it starts itself.

use std::path::Path;
use std::process::{Command, Output};

use scaler::policy_file::{NamedPolicy, PolicyOverrides};
use serde_json::Value;
use tempfile::TempDir;

/// Runs the binary under test in a folder.
fn lab(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    // A developer's own settings must not change what is tested.
    for (name, _) in std::env::vars() {
        if ["LAB_", "SCALE_", "OTEL_"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.args(arguments).current_dir(folder).output().expect("the lab runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("it was ended: {}", text(&output.stderr)))
}

/// A replica of 400/s; sends may be late, because the machine that tests is busy, and its capacity does not depend on it.
const MEASURE: [&str; 15] = [
    "baseline",
    "--service-time",
    "10ms",
    "--levels",
    "40,600,800",
    "--hold",
    "4s",
    "--longest-hold",
    "4s",
    "--warm-up",
    "1s",
    "--lateness",
    "5s",
    "--slo",
    "p95=1s",
];

#[test]
fn a_replica_is_measured_compared_and_made_a_policy_of() {
    let folder = TempDir::new().expect("a folder");
    let arguments: Vec<&str> =
        MEASURE.into_iter().chain(["--out", "a.json", "--report", "a.html,a.csv,a.md", "--json"]).collect();
    let measured = lab(folder.path(), &arguments);
    assert_eq!(status(&measured), 0, "{}", text(&measured.stderr));
    let baseline: Value = serde_json::from_slice(&measured.stdout).expect("JSON");
    let curve = &baseline["curves"][0];
    let plateau = curve["outcome"]["plateau_rps"].as_f64().expect("it was overloaded");
    println!("plateau {plateau:.1}/s of 400/s, start-up {} s", curve["start_up_seconds"]);
    assert!(
        (plateau / 400.0 - 1.0).abs() <= 0.03,
        "the plateau is {plateau}/s, four workers of 10 ms are 400/s"
    );
    for file in ["a.json", "a.html", "a.csv", "a.md"] {
        let length = std::fs::metadata(folder.path().join(file)).map_or(0, |metadata| metadata.len());
        assert!(length > 100, "{file} has {length} bytes");
    }

    let same = lab(folder.path(), &["baseline", "diff", "a.json", "a.json"]);
    assert_eq!(status(&same), 0, "{}{}", text(&same.stdout), text(&same.stderr));
    assert!(text(&same.stdout).contains("0 worse"), "{}", text(&same.stdout));

    let suggested = lab(folder.path(), &["policy", "suggest", "--from", "a.json"]);
    assert_eq!(status(&suggested), 0, "{}", text(&suggested.stderr));
    let policy = text(&suggested.stdout);
    NamedPolicy::from_text("suggested.yaml", "webapp", &policy, &PolicyOverrides::default())
        .unwrap_or_else(|error| panic!("{error}\n{policy}"));
    assert!(policy.contains("perReplica: true"), "{policy}");
    let manifest = lab(folder.path(), &["policy", "suggest", "--from", "a.json", "--format", "hpa"]);
    assert!(text(&manifest.stdout).contains("kind: HorizontalPodAutoscaler"), "{}", text(&manifest.stdout));
}

#[test]
fn bad_input_is_named_and_nothing_is_started() {
    let folder = TempDir::new().expect("a folder");
    std::fs::write(
        folder.path().join("broken.json"),
        "{\"format\": \"autoscale-lab/baseline\", \"version\": 9}",
    )
    .expect("a file");
    for (arguments, expected_status, part) in [
        (&["baseline", "--slo", "rps=3"][..], 2, "response time"),
        (&["baseline", "--levels", "0"], 2, "--levels"),
        (&["baseline", "--resolution", "0"], 2, "--resolution"),
        (&["baseline", "--request", "GET"], 2, "METHOD PATH"),
        (&["baseline", "--replicas", "0..3"], 2, "--replicas"),
        (&["baseline", "--replicas", "2", "--host", "http://127.0.0.1:1"], 2, "--host"),
        (&["baseline", "--report", "a.pdf"], 2, ".html"),
        (&["baseline", "--out", "nowhere/a.json"], 3, "nowhere/a.json"),
        (&["baseline", "--host", "http://127.0.0.1:1"], 3, "127.0.0.1:1"),
        (&["baseline", "--workers", "0"], 2, "workers"),
        (&["baseline", "diff", "broken.json", "broken.json"], 2, "`version`"),
        (&["baseline", "diff", "none.json", "none.json"], 2, "none.json"),
        (&["baseline", "diff", "--interleave", "a", "b"], 2, "--levels"),
        (&["policy", "suggest", "--from", "none.json"], 2, "none.json"),
        (&["policy", "suggest", "--name", "a b"], 2, "--name"),
    ] {
        let output = lab(folder.path(), arguments);
        let error = text(&output.stderr);
        assert_eq!(status(&output), expected_status, "{arguments:?}: {error}");
        assert!(error.contains(part), "{arguments:?} says nothing of `{part}`: {error}");
    }
}
