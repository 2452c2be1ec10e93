//! Reads good and bad policy files as a user would give them.

use std::time::Duration;

use scaler::policy_file::{NamedPolicy, PolicyFileError, PolicyOverrides, SHIPPED};
use scaler_engine::hpa::ControllerSettings;
use scaler_engine::{AnyPolicy, Policy as _, ResourceRequests, Signal, ThresholdSettings};

fn settings(policy: &NamedPolicy) -> &ThresholdSettings {
    match &policy.policy {
        AnyPolicy::Threshold(policy) => policy.settings(),
        other => panic!("expected a ThresholdPolicy, got {other:?}"),
    }
}

fn read(text: &str) -> Result<NamedPolicy, PolicyFileError> {
    NamedPolicy::from_text("my.yaml", "my", text, &PolicyOverrides::default())
}

fn with_spec(spec: &str) -> String {
    format!("apiVersion: autoscale-lab/v1\nkind: ThresholdPolicy\nmetadata:\n  name: mine\nspec:\n{spec}\n")
}

#[test]
fn the_shipped_policies_are_what_they_promise() {
    let load = |name| NamedPolicy::load(name, &PolicyOverrides::default()).unwrap();
    let moderate = load("moderate");
    assert_eq!(moderate.name, "moderate");
    assert_eq!(*settings(&moderate), ThresholdSettings::default(), "moderate spells the defaults out");
    for (name, up, down, max) in [("conservative", 0.8, 0.1, 4), ("aggressive", 0.4, 0.3, 10)] {
        let expected = ThresholdSettings {
            scale_up_threshold: up,
            scale_down_threshold: down,
            max_replicas: max,
            ..ThresholdSettings::default()
        };
        assert_eq!(*settings(&load(name)), expected, "{name}");
    }
    assert_eq!(SHIPPED.len(), 3);
}

#[test]
fn a_policy_is_read_by_path_with_units() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.yaml");
    let text = "apiVersion: autoscale-lab/v1\nkind: ThresholdPolicy\nspec:\n  signal: response_time_p95_seconds\n  scaleUpThreshold: 250ms\n  scaleDownThreshold: 0.1\n  checkInterval: 5\n  scaleDownCooldown: 5m\n  maxReplicas: 9\n";
    std::fs::write(&path, text).unwrap();
    let policy = NamedPolicy::load(path.to_str().unwrap(), &PolicyOverrides::default()).unwrap();
    assert_eq!(policy.name, "queue", "without metadata the file gives the name");
    let expected = ThresholdSettings {
        signal: Signal::ResponseTimeP95Seconds,
        scale_up_threshold: 0.25,
        scale_down_threshold: 0.1,
        check_interval: Duration::from_secs(5),
        scale_down_cooldown: Duration::from_mins(5),
        max_replicas: 9,
        ..ThresholdSettings::default()
    };
    assert_eq!(*settings(&policy), expected);
}

#[test]
fn yaml_is_read_as_its_standard_has_it_and_metadata_as_kubernetes_has_it() {
    for text in ["true", "True", "TRUE", "false", "False", "FALSE"] {
        let policy = read(&with_spec(&format!("  perReplica: {text}"))).expect(text);
        assert_eq!(settings(&policy).per_replica, text.eq_ignore_ascii_case("true"), "{text}");
    }
    for text in ["yes", "on", "tRUE", "1"] {
        let error = read(&with_spec(&format!("  perReplica: {text}"))).expect_err(text);
        assert!(error.to_string().contains("true or false") && error.line == Some(6), "{error}");
    }
    let plain = with_spec("  maxReplicas: 9");
    let labelled = plain.replace(
        "  name: mine\n",
        "  name: mine\n  labels:\n    app: web\n    tier: \"1\"\n  annotations: {a: b}\n  namespace: shop\n  creationTimestamp: null\n",
    );
    for (what, text) in [
        ("a document end", format!("{plain}...\n")),
        ("a trailing marker", format!("{plain}---\n")),
        ("markers around", format!("---\n{plain}---\n# nothing more\n---\n")),
        ("carriage returns", plain.replace('\n', "\r\n")),
        ("a byte order mark", format!("\u{feff}{plain}")),
        ("comments before", format!("# mine\n---\n{plain}")),
        ("labels", labelled),
        ("no labels", plain.replace("  name: mine\n", "  name: mine\n  labels:\n  annotations:\n")),
    ] {
        let policy = read(&text).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!((policy.name.as_str(), settings(&policy).max_replicas), ("mine", 9), "{what}");
    }
    for empty in ["spec:", "spec: ~", "spec: null", "spec: {}", "metadata:\nspec:", "metadata: {}"] {
        let policy =
            read(&format!("apiVersion: autoscale-lab/v1\nkind: ThresholdPolicy\n{empty}\n")).expect(empty);
        assert_eq!(
            (policy.name.as_str(), settings(&policy)),
            ("my", &ThresholdSettings::default()),
            "{empty}"
        );
    }
}

#[test]
fn each_mistake_is_named_with_its_place_value_and_a_hint() {
    let hpa =
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nspec:\n  scaleTargetRef: {name: web}\n";
    let cases: &[(String, Option<u64>, &[&str])] = &[
        (String::new(), None, &["`kind` is missing"]),
        ("kind: [".into(), Some(1), &[]),
        (hpa.into(), Some(1), &["`metadata.name` is missing"]),
        (hpa.replace("v2", "v2beta2"), Some(1), &["`apiVersion` is `autoscaling/v2beta2`", "autoscaling/v2"]),
        (
            "apiVersion: autoscale-lab/v1\nkind: SloPolicy\n".into(),
            Some(2),
            &["SloPolicy", "not supported by this version"],
        ),
        ("apiVersion: v1\nkind: Pod\n".into(), Some(2), &["`kind` is Pod", "ThresholdPolicy"]),
        (
            "apiVersion: v1\nkind: ThresholdPolicy\n".into(),
            Some(1),
            &["`apiVersion` is v1", "autoscale-lab/v1"],
        ),
        (with_spec("  scaleUpTreshold: 0.6"), Some(6), &["`spec.scaleUpTreshold`", "not a field"]),
        (with_spec("  scaleUpThreshold: fast"), Some(6), &["`spec.scaleUpThreshold` is `fast`", "a number"]),
        (
            with_spec("  minReplicas: 1\n  maxReplicas: -1"),
            Some(7),
            &["`spec.maxReplicas` is `-1`", "whole number"],
        ),
        (with_spec("  minReplicas: 0"), Some(6), &["`spec.minReplicas` is 0", "at least 1"]),
        (with_spec("  minReplicas: 8"), None, &["`spec.maxReplicas` is 6", "which is 8"]),
        (
            with_spec("  scaleDownThreshold: 0.7"),
            Some(6),
            &["`spec.scaleDownThreshold` is 0.7", "which is 0.6"],
        ),
        (with_spec("  scaleUpThreshold: .nan"), Some(6), &["`.nan`", "finite"]),
        (
            with_spec("  scaleUpThreshold: NaN"),
            Some(6),
            &["`spec.scaleUpThreshold` is NaN", "a number of at least 0"],
        ),
        (with_spec("  signal: latency"), Some(6), &["`latency`", "response_time_p95_seconds"]),
        (with_spec("  checkInterval: soon"), Some(6), &["`soon`", "30s"]),
        (with_spec("  checkInterval: 0"), Some(6), &["`spec.checkInterval`", "100ms"]),
        (with_spec("  scaleUpChecks: 2\n  scaleUpChecks: 3"), Some(7), &["scaleUpChecks"]),
        (with_spec("  scaleUpChecks: {a: 1}"), Some(6), &[]),
        (with_spec("  scaleUpChecks:"), Some(6), &[]),
        (format!("{}---\nkind: Other\n", with_spec("  scaleUpChecks: 3")), Some(8), &["second document"]),
        (
            with_spec("  scaleUpThreshold: 600"),
            Some(6),
            &["`spec.scaleUpThreshold` is 600", "at most 60 seconds"],
        ),
        (
            with_spec("  signal: cpu_utilization\n  scaleUpThreshold: 80"),
            Some(7),
            &["`spec.scaleUpThreshold` is 80", "cores"],
        ),
        (with_spec("  labels: {a: b}"), Some(6), &[]),
        (
            with_spec(&format!("  window: {}", "x".repeat(500))),
            Some(6),
            &["… (500 characters)`, expected a span"],
        ),
        (with_spec("  perReplica: \"a\\nb\""), Some(6), &["`a\\nb`"]),
        (format!("{}extra: 1\n", with_spec("  scaleUpChecks: 3")), Some(7), &["extra"]),
    ];
    for (text, line, parts) in cases {
        let error = read(text).expect_err(text);
        let shown = error.to_string();
        assert!(shown.starts_with("my.yaml"), "{shown}");
        assert_eq!(error.line, *line, "{shown}\nin:\n{text}");
        for part in *parts {
            assert!(shown.contains(part), "`{part}` is missing from: {shown}");
        }
        assert!(!error.hint.is_empty() && !shown.contains('\n'), "{shown:?}");
    }
}

#[test]
fn a_file_that_is_not_there_names_the_shipped_ones() {
    let error = NamedPolicy::load("modest", &PolicyOverrides::default()).unwrap_err();
    assert!(error.hint.contains("moderate"), "{}", error.hint);
    let error = NamedPolicy::load("/nowhere/policy.yaml", &PolicyOverrides::default()).unwrap_err();
    assert!(error.to_string().starts_with("/nowhere/policy.yaml: cannot be opened"), "{error}");
}

fn environment(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
    |name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

#[test]
fn flags_beat_the_environment_which_beats_the_file_which_beats_the_default() {
    let text = with_spec("  scaleUpThreshold: 0.5\n  maxReplicas: 5\n  minReplicas: 2");
    let flags = PolicyOverrides { max_replicas: Some(7), ..PolicyOverrides::default() };
    let classic = PolicyOverrides::from_environment(environment(&[
        ("MAX_REPLICAS", "8"),
        ("MIN_REPLICAS", "3"),
        ("SCALE_UP_COOLDOWN", "45"),
        ("SCALE_DOWN_COOLDOWN", "2m"),
        ("SCALE_DOWN_THRESHOLD", "150ms"),
        ("CHECK_INTERVAL", ""),
    ]))
    .unwrap();
    let policy = NamedPolicy::from_text("my.yaml", "my", &text, &flags.or(classic)).unwrap();
    let expected = ThresholdSettings {
        max_replicas: 7,
        min_replicas: 3,
        scale_up_cooldown: Duration::from_secs(45),
        scale_down_cooldown: Duration::from_mins(2),
        scale_down_threshold: 0.15,
        scale_up_threshold: 0.5,
        ..ThresholdSettings::default()
    };
    assert_eq!(*settings(&policy), expected);
}

#[test]
fn a_wrong_variable_is_named() {
    let error = PolicyOverrides::from_environment(environment(&[("CHECK_INTERVAL", "often")])).unwrap_err();
    let shown = error.to_string();
    assert!(shown.starts_with("CHECK_INTERVAL:") && shown.contains("`often`"), "{shown}");
}

#[test]
fn an_override_that_breaks_a_rule_is_not_blamed_on_the_file() {
    let overrides = PolicyOverrides { min_replicas: Some(0), ..PolicyOverrides::default() };
    let error =
        NamedPolicy::from_text("my.yaml", "my", &with_spec("  minReplicas: 1"), &overrides).unwrap_err();
    assert_eq!(error.line, None);
    assert!(error.to_string().contains("flag or an environment variable"), "{error}");
}

const HPA: &str = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: shop}\nspec:\n  scaleTargetRef: {kind: Deployment, name: shop}\n  minReplicas: 2\n  maxReplicas: 9\n  metrics:\n    - type: Resource\n      resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}\n";

#[test]
fn documents_of_other_systems_drive_the_loop_with_limits_and_controller_settings_over_them() {
    let controller = ControllerSettings {
        sync_period: Duration::from_secs(5),
        tolerance: 0.2,
        ..ControllerSettings::default()
    };
    let overrides =
        PolicyOverrides { max_replicas: Some(4), controller: Some(controller), ..PolicyOverrides::default() };
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec:\n  template: {spec: {containers: [{name: app, resources: {requests: {cpu: 500m, memory: 1Ki}}}]}}\n";
    let text = format!("{deployment}---\n{HPA}");
    let named = NamedPolicy::from_text("my-hpa.yaml", "my-hpa", &text, &overrides).unwrap();
    assert_eq!((named.name.as_str(), named.policy.kind()), ("shop", "HorizontalPodAutoscaler"));
    assert_eq!((named.policy.limits().min(), named.policy.limits().max()), (2, 4));
    assert_eq!(named.policy.check_interval(), Duration::from_secs(5));
    let requests = ResourceRequests { cpu_cores: Some(0.5), memory_bytes: Some(1_024.0) };
    assert_eq!(named.requests, requests, "of the Deployment beside it");
    let AnyPolicy::Hpa(hpa) = &named.policy else { panic!("{named:?}") };
    assert_eq!(*hpa.settings(), controller);
    let error = read(&HPA.replace("maxReplicas: 9", "maxReplicas: 1")).unwrap_err();
    assert_eq!(
        (error.line, error.to_string().starts_with("my.yaml:7: `spec.maxReplicas` is 1")),
        (Some(7), true),
        "{error}"
    );
}

#[test]
fn settings_of_a_threshold_policy_are_refused_over_other_documents() {
    let overrides = PolicyOverrides { scale_up_threshold: Some(0.5), ..PolicyOverrides::default() };
    let error = NamedPolicy::from_text("my.yaml", "my", HPA, &overrides).unwrap_err();
    assert!(error.to_string().contains("`scaleUpThreshold` is not a setting of this document"), "{error}");
}
