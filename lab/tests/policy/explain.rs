//! `lab policy explain`.

use crate::command::{manifest, manifests, policy};

#[test]
fn every_valid_manifest_is_explained_without_prometheus_or_kafka() {
    for file in manifests("valid") {
        for replicas in ["0", "1", "2"] {
            let told = policy(&["explain", &file, "--load", "120", "--replicas", replicas]);
            assert_eq!(told.status, 0, "{file}: {}", told.stderr);
            for part in ["What it follows", "A worked example", "Next: ", "Assumed:"] {
                assert!(told.stdout.contains(part), "{part} in {}", told.stdout);
            }
        }
        let json = policy(&["explain", &file, "--load", "120", "--replicas", "2", "--json"]).json();
        for key in ["kind", "name", "reason"] {
            assert!(json[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {file}: {json}");
        }
        assert!(json["desired"].is_u64() && json.get("limited_by").is_some(), "{file}: {json}");
        assert!(json["metrics"].as_array().is_some_and(|metrics| !metrics.is_empty()), "{file}: {json}");
    }
}

#[test]
fn the_numbers_are_those_of_the_document_and_the_load() {
    let json =
        policy(&["explain", &manifest("valid/with-deployment.yaml"), "--load", "120", "--json"]).json();
    assert_eq!(
        (json["current"].as_u64(), json["desired"].as_u64()),
        (Some(2), Some(4)),
        "replicas of the Deployment"
    );
    assert_eq!(json["limited_by"], "ScaleUpLimit");
    assert_eq!(json["metrics"][0]["value"], 150.0);
    assert_eq!(json["settles_at"], 5);
    let wider = policy(&[
        "explain",
        &manifest("valid/v1.yaml"),
        "--load",
        "120",
        "--replicas",
        "2",
        "--hpa-tolerance",
        "0.05",
        "--json",
    ]);
    assert_eq!(wider.json()["desired"], 3, "75 % of 70 % are outside a tolerance of 5 %");
    let given = policy(&[
        "explain",
        &manifest("valid/keda-kafka.yaml"),
        "--replicas",
        "2",
        "--value",
        "s0-kafka-purchases=450",
        "--json",
    ]);
    assert_eq!(given.json()["metrics"][0]["desired"], 5);
    let office = [
        "explain",
        &manifest("valid/keda-prometheus-cron.yaml"),
        "--at",
        "2026-11-30T09:00:00+01:00",
        "--json",
    ];
    assert_eq!(policy(&office).json()["metrics"][1]["desired"], 3);
}

#[test]
fn shipped_policies_are_explained_and_bad_input_is_not() {
    let told = policy(&["explain", "moderate", "--load", "120"]);
    assert!(
        told.status == 0 && told.stdout.contains("above 600 ms for 2 checks: it goes from 1 to 2"),
        "{}",
        told.stdout
    );
    let wrong = policy(&["explain", &manifest("wrong/max-below-min.yaml")]);
    assert!(wrong.status == 2 && wrong.stdout.contains("max-below-min.yaml:11: "), "{}", wrong.stdout);
    for flags in [
        ["--load", "-1"],
        ["--load", "NaN"],
        ["--value", "cpu"],
        ["--at", "noon"],
        ["--profile", "1.20"],
        ["--replicas", "10001"],
        ["--hpa-sync-period", "0s"],
    ] {
        let told = policy(&["explain", "moderate", flags[0], flags[1]]);
        assert_eq!(told.status, 2, "{flags:?}: {}", told.stdout);
    }
}
