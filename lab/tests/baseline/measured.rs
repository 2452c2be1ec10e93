//! A replica that the command starts is measured, by single requests and by a scenario, compared, and made a policy of.

use scaler::policy_file::{NamedPolicy, PolicyOverrides};
use serde_json::Value;
use tempfile::TempDir;

use crate::command::{lab, status, text};

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
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let unread = ["policy", "suggest", "--from", "a.json"];
    let unread = crate::support::lab().args(unread).current_dir(folder.path()).stdout(writer).status();
    assert_eq!(unread.expect("the lab runs").code(), Some(0), "a reader who goes away is no reason to fail");
    let manifest = lab(folder.path(), &["policy", "suggest", "--from", "a.json", "--format", "hpa"]);
    assert!(text(&manifest.stdout).contains("kind: HorizontalPodAutoscaler"), "{}", text(&manifest.stdout));
}

/// The same through the users of a scenario, whose engine needs more of a busy machine: a replica of 100/s. The file is of
/// another kind, with which one of single requests cannot be compared.
#[test]
fn a_scenario_is_measured_by_the_same_steps() {
    let folder = TempDir::new().expect("a folder");
    let arguments = "baseline --scenario api-user --service-time 40ms --queue 20 --levels 40,150,200 --hold 4s \
                     --longest-hold 4s --warm-up 1s --lateness 5s --slo p95=1s --out users.json --report users.csv --json";
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let measured = lab(folder.path(), &arguments);
    assert_eq!(status(&measured), 0, "{}", text(&measured.stderr));
    let baseline: Value = serde_json::from_slice(&measured.stdout).expect("JSON");
    assert_eq!(baseline["target"]["scenario"]["name"], "api-user");
    assert_eq!(baseline["target"]["requests"], serde_json::json!(["GET /api/dashboard", "POST /api/events"]));
    let outcome = &baseline["curves"][0]["outcome"];
    assert_eq!(outcome["highest_within_slo_rps"], 40.0, "{outcome}");
    let plateau = outcome["plateau_rps"].as_f64().expect("it was overloaded");
    println!("plateau {plateau:.1}/s of 100/s, with users");
    assert!(
        (plateau / 100.0 - 1.0).abs() <= 0.05,
        "the plateau is {plateau}/s, four workers of 40 ms are 100/s"
    );

    let same = lab(folder.path(), &["baseline", "diff", "users.json", "users.json"]);
    assert_eq!(status(&same), 0, "{}{}", text(&same.stdout), text(&same.stderr));
    let single = [
        "baseline",
        "--levels",
        "40",
        "--hold",
        "500ms",
        "--warm-up",
        "0s",
        "--lateness",
        "5s",
        "--out",
        "single.json",
    ];
    lab(folder.path(), &single);
    let refused = lab(folder.path(), &["baseline", "diff", "single.json", "users.json"]);
    assert_eq!(status(&refused), 2, "{}", text(&refused.stdout));
    let error = text(&refused.stderr);
    assert!(error.contains("single requests") && error.contains("scenario `api-user`"), "{error}");
}
