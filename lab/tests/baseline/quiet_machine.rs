//! What the baseline claims, live: the rate at the SLO, differences, the scaling law, and the policy made of it.
//!
//! Each takes some minutes and a machine that does nothing else.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{lab, status, text};
use crate::support::Up;
use crate::theory;

/// Measures into a file and answers it; 1 is what `lab baseline` ends with where no rate kept the SLO.
fn baseline(folder: &Path, file: &str, arguments: &str) -> Value {
    let arguments: Vec<&str> =
        ["baseline", "--out", file].into_iter().chain(arguments.split_whitespace()).collect();
    let output = lab(folder, &arguments);
    show(&output);
    assert!(matches!(status(&output), 0 | 1), "{}", text(&output.stderr));
    let written = std::fs::read_to_string(folder.join(file)).expect("it was written");
    serde_json::from_str(&written).expect("JSON")
}

/// For whoever runs these by hand.
#[expect(clippy::print_stdout, reason = "what was measured is the result")]
fn show(output: &Output) {
    println!("{}", text(&output.stdout));
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

#[test]
#[ignore = "three minutes; scripts/long-run.sh baseline"]
fn the_rate_within_the_slo_is_that_of_the_formula() {
    let folder = TempDir::new().expect("a folder");
    let found = baseline(
        folder.path(),
        "found.json",
        "--service-distribution exponential --service-time 10ms --slo p95=50ms,errors=1% --start-rate 40 \
         --warm-up 1s --hold 10s",
    );
    let outcome = &found["curves"][0]["outcome"];
    let rate = number(&outcome["highest_within_slo_rps"]);
    let truth = theory::rate_at_p95(4, 0.01, 0.05);
    let plateau = number(&outcome["plateau_rps"]);
    println!("rate within the SLO {rate:.1}/s, formula {truth:.1}/s; plateau {plateau:.1}/s of 400/s");
    assert!((rate / truth - 1.0).abs() <= 0.08, "{rate}/s is not within 8 % of {truth}/s");
    assert!((plateau / 400.0 - 1.0).abs() <= 0.03, "{plateau}/s is not within 3 % of 400/s");
}

/// Three pairs, each with seeds of its own; how each comparison ended, and what it said.
fn pairs(service_time_after: &str) -> Vec<(i32, String)> {
    let folder = TempDir::new().expect("a folder");
    (1..=3)
        .map(|pair| {
            let measure = |file: &str, service_time: &str, seed: u32| {
                baseline(
                    folder.path(),
                    file,
                    &format!(
                        "--workers 16 --service-time {service_time} --seed {seed} --levels 200,400,600 --warm-up 1s --hold 10s"
                    ),
                );
            };
            measure("before.json", "10ms", 2 * pair);
            measure("after.json", service_time_after, 2 * pair + 1);
            let output = lab(folder.path(), &["baseline", "diff", "before.json", "after.json"]);
            show(&output);
            (status(&output), text(&output.stdout))
        })
        .collect()
}

#[test]
#[ignore = "four minutes; scripts/long-run.sh baseline"]
fn two_of_the_same_thing_are_not_called_different() {
    for (status, said) in pairs("10ms") {
        assert!(status == 0 && said.contains(" 0 worse, 0 better"), "{said}");
    }
}

#[test]
#[ignore = "four minutes; scripts/long-run.sh baseline"]
fn a_service_that_is_ten_percent_slower_is_found() {
    for (status, said) in pairs("11ms") {
        assert_eq!(status, 1, "{said}");
        assert!(said.contains(" 0 better"), "{said}");
    }
}

/// One to four replicas of 200/s each; the two highest levels are too much for all of them.
const SCALING: &str = "--replicas 1..4 --service-time 20ms --levels 100,150,1000,1200 --warm-up 1s --hold 6s \
                       --longest-hold 6s --slo p95=100ms,errors=1%";

#[test]
#[ignore = "three minutes; scripts/long-run.sh baseline"]
fn replicas_of_their_own_scale_without_contention() {
    let folder = TempDir::new().expect("a folder");
    let found = baseline(folder.path(), "replicas.json", SCALING);
    let scaling = &found["scaling"];
    assert!((number(&scaling["one_replica_rps"]["estimate"]) / 200.0 - 1.0).abs() <= 0.03, "{scaling}");
    for point in scaling["points"].as_array().expect("points") {
        let expected = 200.0 * number(&point["replicas"]);
        assert!((number(&point["capacity_rps"]) / expected - 1.0).abs() <= 0.05, "{point}");
    }
    for coefficient in ["contention", "coherency"] {
        assert!(number(&scaling[coefficient]["estimate"]) < 0.01, "{coefficient}: {scaling}");
    }
    for curve in found["curves"].as_array().expect("curves") {
        let start_up = number(&curve["start_up_seconds"]);
        assert!(start_up > 0.0 && start_up < 5.0, "{start_up} s");
    }
}

/// A database of 400/s that four replicas share. Each has eight workers, which a request holds for 20 ms of its own and
/// 20 ms at the database: 200/s for one, and with two the database is busy all the time.
#[test]
#[ignore = "three minutes; scripts/long-run.sh baseline"]
fn a_database_that_replicas_share_is_found() {
    let folder = TempDir::new().expect("a folder");
    let found = baseline(folder.path(), "shared.json", &format!("{SCALING} --workers 8 --with-dependency"));
    let scaling = &found["scaling"];
    let share = |coefficient: &str| number(&scaling[coefficient]["lower"]);
    let one = number(&scaling["one_replica_rps"]["estimate"]);
    assert!((one / 200.0 - 1.0).abs() <= 0.1, "one replica carries {one}/s of 200/s: {scaling}");
    assert!(share("contention") > 0.0 || share("coherency") > 0.0, "{scaling}");
    let four = scaling["points"].as_array().and_then(|points| points.last()).expect("four points");
    assert!(number(&four["capacity_rps"]) < 440.0, "the database carries 400/s: {four}");
}

#[tokio::test]
#[ignore = "five minutes; scripts/long-run.sh baseline"]
async fn the_suggested_policy_scales_and_keeps_the_slo() {
    let folder = TempDir::new().expect("a folder");
    baseline(
        folder.path(),
        "one.json",
        "--levels 20,40,50,60,66,72,120,160 --warm-up 2s --hold 10s --longest-hold 10s",
    );
    let suggest =
        ["policy", "suggest", "--from", "one.json", "--slo", "p95=250ms", "--out", "suggested.yaml"];
    let suggested = lab(folder.path(), &suggest);
    assert_eq!(status(&suggested), 0, "{}", text(&suggested.stderr));
    let policy = folder.path().join("suggested.yaml");
    println!("{}", std::fs::read_to_string(&policy).expect("it was written"));

    let up = Up::start(&["--policy", &policy.to_string_lossy(), "--base-rps", "0"]);
    up.wait_for_replicas(1, Duration::from_secs(10)).await;
    // Twice what one replica can do at all.
    let load = ["load", "api-user", "--rate", "160", "--host", &up.gateway];
    let rising = lab(folder.path(), &[&load[..], &["--run-time", "60s"]].concat());
    show(&rising);
    let replicas = up.in_rotation().await.len();
    assert!(replicas >= 3, "{replicas} replicas for 160/s, of 80/s each");
    let judged = ["--run-time", "45s", "--threshold", "p95=250ms,errors=0.1%", "--seed", "2"];
    let held = lab(folder.path(), &[&load[..], &judged].concat());
    println!("{replicas} replicas");
    show(&held);
    assert_eq!(status(&held), 0, "{}", text(&held.stdout));
}
