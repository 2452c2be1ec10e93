//! `lab policy lint`.

use crate::command::{manifest, policy};

#[test]
fn findings_have_a_rule_a_place_and_the_numbers_of_the_document() {
    let told = policy(&["lint", "--json", &manifest("valid/response-time.yaml")]);
    assert_eq!(told.status, 1, "{}{}", told.stdout, told.stderr);
    let json = told.json();
    let finding = json["findings"]
        .as_array()
        .and_then(|findings| findings.iter().find(|finding| finding["rule"] == "latency-as-average"))
        .unwrap_or_else(|| panic!("{json}"));
    assert_eq!((finding["severity"].as_str(), finding["line"].as_u64()), (Some("warning"), Some(17)));
    assert_eq!(finding["numbers"]["target"], 0.6);
    assert_eq!(finding["field"], "spec.metrics[0].pods.target");
    let text = policy(&["lint", &manifest("valid/with-deployment.yaml")]);
    assert_eq!(text.status, 1);
    assert!(
        text.stdout.contains("with-deployment.yaml:5: warning: `spec.replicas` is 2 in Deployment shop"),
        "{}",
        text.stdout
    );
}

#[test]
fn files_are_judged_together() {
    let told = policy(&[
        "lint",
        "--json",
        &manifest("valid/requests-per-second.yaml"),
        &manifest("valid/cpu-memory-behavior.yaml"),
    ]);
    let json = told.json();
    let rules: Vec<&str> = json["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter_map(|finding| finding["rule"].as_str())
        .collect();
    assert!(
        rules.contains(&"two-autoscalers-on-one-target") && rules.contains(&"memory-scale-down"),
        "{rules:?}"
    );
}

#[test]
fn a_file_without_surprises_has_status_0_and_a_wrong_one_2() {
    let told = policy(&["lint", &manifest("valid/requests-per-second.yaml")]);
    assert_eq!((told.status, told.stdout.as_str()), (0, "nothing found\n"), "{}", told.stderr);
    let told = policy(&["lint", "--json", &manifest("wrong/max-below-min.yaml")]);
    assert_eq!((told.status, &told.json()["problems"][0]["line"]), (2, &11.into()));
    assert_eq!(policy(&["lint", "x.yaml", "--hpa-tolerance", "2"]).status, 2);
    let fewer = policy(&["lint", "--partitions", "3", &manifest("valid/keda-kafka.yaml")]);
    assert!(fewer.stdout.contains("the lag is cut to 300"), "{}", fewer.stdout);
    assert_eq!(policy(&["lint", "--partitions", "5", &manifest("valid/keda-kafka.yaml")]).status, 0);
}
