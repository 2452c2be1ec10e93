//! `lab policy diff` and `lab policy export`.

use crate::command::{manifest, policy};

#[test]
fn differences_have_status_1_and_equal_policies_0() {
    let told = policy(&["diff", "moderate", "aggressive"]);
    assert!(told.status == 1 && told.stdout.contains("maximum: 6 → 10"), "{}", told.stdout);
    let same = policy(&["diff", "moderate", "moderate"]);
    assert_eq!((same.status, same.stdout.as_str()), (0, "no difference\n"));
    let json =
        policy(&["diff", "--json", &manifest("valid/v1.yaml"), &manifest("valid/with-deployment.yaml")]);
    assert_eq!(json.status, 1);
    let json = json.json();
    let maximum =
        json["differences"].as_array().and_then(|all| all.iter().find(|each| each["field"] == "maximum"));
    assert_eq!(
        maximum.map(|each| (&each["before"], &each["after"])),
        Some((&"5".into(), &"6".into())),
        "{json}"
    );
    assert_eq!(policy(&["diff", "moderate", &manifest("wrong/bad-quantity.yaml")]).status, 2);
}

#[test]
fn an_export_is_checked_by_the_same_command() {
    let folder = tempfile::tempdir().expect("a folder");
    for (from, to) in [
        ("moderate".to_owned(), "hpa"),
        ("moderate".to_owned(), "keda"),
        (manifest("valid/cpu-memory-behavior.yaml"), "keda"),
    ] {
        let out = folder.path().join("exported.yaml");
        let out = out.to_str().expect("a path");
        let told = policy(&["export", &from, "--to", to, "--out", out]);
        assert_eq!(told.status, 0, "{}", told.stderr);
        assert_eq!(policy(&["check", out]).status, 0, "{from} as {to}");
    }
    let told = policy(&["export", "moderate", "--to", "hpa"]);
    assert!(
        told.stdout.contains("# Not expressed: ") && told.stderr.contains("not expressed: two thresholds"),
        "{}",
        told.stderr
    );
    let rules =
        policy(&["export", &manifest("valid/requests-per-second.yaml"), "--to", "prometheus-adapter"]);
    assert!(
        rules.stdout.contains("sum(rate(<<.Series>>{<<.LabelMatchers>>}[1m])) by (<<.GroupBy>>)"),
        "{}",
        rules.stdout
    );
    let json = policy(&["export", "--json", "aggressive", "--to", "hpa"]).json();
    assert!(json["not_expressed"].as_array().is_some_and(|lost| !lost.is_empty()), "{json}");
    assert_eq!(policy(&["export", &manifest("valid/knative-concurrency.yaml"), "--to", "hpa"]).status, 2);
    assert_eq!(policy(&["export", "moderate"]).status, 2);
}
