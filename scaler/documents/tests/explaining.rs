//! Explains documents on a service with four workers of 50 ms: 80 requests per second a replica.
#![expect(clippy::disallowed_methods, reason = "tests read manifests, which the crate gets as texts")]

use std::collections::BTreeMap;

use scaler_documents::{Assumptions, Explanation, Manifest, ServiceState, explain, explain_own};
use scaler_engine::ThresholdPolicy;
use scaler_engine::hpa::ControllerSettings;

fn manifest(name: &str) -> Manifest {
    let path = format!("{}/tests/manifests/valid/{name}", env!("CARGO_MANIFEST_DIR"));
    Manifest::read(&std::fs::read_to_string(path).expect("a readable manifest"))
}

/// A service without waiting.
fn service(load_rps: f64) -> impl Fn(u32) -> ServiceState {
    move |replicas| {
        let busy = (load_rps / f64::from(replicas) * 0.05).min(4.0);
        #[expect(clippy::cast_possible_truncation, reason = "at most 1000")]
        let cpu_milli = (busy * 250.0).round() as i64;
        ServiceState {
            replicas,
            load_rps,
            response_time_seconds: if busy < 4.0 { 0.05 } else { 1.3 },
            utilization: busy / 4.0,
            refused_per_second: 0.0,
            waiting_per_replica: 0.0,
            cpu_milli,
            memory_milli: 48 * 1_048_576 * 1_000,
        }
    }
}

fn explained(
    manifest: &Manifest,
    load_rps: f64,
    replicas: u32,
    values: &[(&str, f64)],
    at: Option<&str>,
) -> Explanation {
    let service = service(load_rps);
    let assumptions = Assumptions {
        service: &service,
        replicas,
        cpu_request_milli: 1_000,
        memory_request_milli: 64 * 1_048_576 * 1_000,
        values: values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect::<BTreeMap<_, _>>(),
        at: at.map(|at| at.parse().expect("a time")),
        partitions: None,
        controller: ControllerSettings::default(),
    };
    explain(manifest, &assumptions).remove(0)
}

fn hpa(name: &str, load: f64, replicas: u32) -> Explanation {
    explained(&manifest(name), load, replicas, &[], None)
}

#[test]
fn cpu_is_worked_out_from_the_load() {
    let explanation = hpa("with-deployment.yaml", 120.0, 2);
    assert_eq!((explanation.current, explanation.desired), (2, 4));
    let cpu = &explanation.metrics[0];
    assert_eq!((cpu.name.as_str(), cpu.value, cpu.target, cpu.proposed), ("cpu", Some(150.0), 70.0, Some(5)));
    assert!(
        cpu.words.contains("150 % ÷ 70 % = 2.143") && cpu.words.contains("rounded up to 5"),
        "{}",
        cpu.words
    );
    assert_eq!(explanation.limited_by.as_deref(), Some("ScaleUpLimit"));
    assert!(explanation.reason.contains("goes from 2 to 4"), "{}", explanation.reason);
    let chain: Vec<(u64, u32)> =
        explanation.chain.steps.iter().map(|step| (step.after.as_secs(), step.to)).collect();
    assert_eq!((chain, explanation.chain.settles_at), (vec![(15, 4), (30, 5)], Some(5)));
    assert!(
        explanation.rules.iter().any(|rule| rule.contains("ready after 10 s")),
        "{:?}",
        explanation.rules
    );
    assert!(explanation.assumed.iter().all(|assumed| !assumed.contains("no Deployment")));
}

#[test]
fn a_pod_never_uses_more_than_its_limit() {
    let text = std::fs::read_to_string(format!(
        "{}/tests/manifests/valid/with-deployment.yaml",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap();
    let capped = Manifest::read(&text.replace("limits: {cpu: \"1\"", "limits: {cpu: 600m"));
    let explanation = explained(&capped, 120.0, 2, &[], None);
    assert_eq!(explanation.metrics[0].value, Some(120.0), "600m of 500m");
    assert!(
        explanation.assumed.iter().any(|assumed| assumed.contains("its limit")),
        "{:?}",
        explanation.assumed
    );
}

#[test]
fn what_holds_a_count_back_is_named() {
    let within = hpa("v1.yaml", 120.0, 2);
    assert_eq!((within.desired, within.limited_by.as_deref()), (2, None));
    assert!(within.metrics[0].words.contains("within 0.9 to 1.1"), "{}", within.metrics[0].words);
    let held = hpa("v1.yaml", 20.0, 2);
    assert_eq!((held.desired, held.limited_by.as_deref()), (2, Some("ScaleDownStabilized")));
    assert!(held.reason.contains("last 5 min"), "{}", held.reason);
    assert_eq!(held.chain.settles_at, Some(1), "after the window it goes down");
    let bound = hpa("v1.yaml", 40.0, 9);
    assert_eq!((bound.desired, bound.limited_by.as_deref()), (5, Some("TooManyReplicas")));
    assert!(bound.metrics[0].words.contains("not looked at"), "{}", bound.metrics[0].words);
    let most = hpa("v1.yaml", 4_000.0, 5);
    assert_eq!((most.desired, most.limited_by.as_deref()), (5, Some("TooManyReplicas")));
    let disabled = hpa("tolerance.yaml", 10.0, 3);
    assert_eq!((disabled.desired, disabled.chain.settles_at), (3, Some(3)));
}

#[test]
fn given_values_replace_assumed_ones() {
    let mixed = manifest("object-and-external.yaml");
    let explanation =
        explained(&mixed, 0.0, 2, &[("queue_depth", 152.5), ("requests_per_second", 100.0)], None);
    assert_eq!(explanation.metrics[1].proposed, Some(5), "152.5 ÷ 30.5");
    assert_eq!((explanation.desired, explanation.limited_by.as_deref()), (4, Some("ScaleUpLimit")));
    assert!(!explanation.assumed.iter().any(|assumed| assumed.contains("queue_depth")));
    let cpu = explained(&manifest("v1.yaml"), 0.0, 2, &[("cpu", 1.4)], None);
    assert_eq!(cpu.metrics[0].value, Some(140.0));
}

#[test]
fn a_metric_that_fails_is_told_and_removes_nothing() {
    let text = std::fs::read_to_string(format!(
        "{}/tests/manifests/valid/with-deployment.yaml",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap();
    let without = Manifest::read(
        &text
            .replace("requests: {cpu: 500m, memory: 128Mi}", "requests: {memory: 128Mi}")
            .replace("limits: {cpu: \"1\", ", "limits: {"),
    );
    assert_eq!(without.problems, []);
    let explanation = explained(&without, 120.0, 3, &[], None);
    assert_eq!(explanation.desired, 3);
    assert!(
        explanation.metrics[0].error.as_deref().is_some_and(|error| error.contains("missing request")),
        "{explanation:?}"
    );
    assert!(explanation.reason.contains("stays at 3"), "{}", explanation.reason);
}

#[test]
fn keda_moves_from_and_to_zero_itself() {
    let kafka = manifest("keda-kafka.yaml");
    let woken = explained(&kafka, 120.0, 0, &[], None);
    assert_eq!(woken.desired, 1);
    assert!(woken.reason.contains("KEDA brings 0 to 1"), "{}", woken.reason);
    assert_eq!(woken.chain.settles_at, Some(2), "120 of 100 each");
    let idle = explained(&kafka, 0.0, 2, &[], None);
    assert_eq!(idle.desired, 0);
    assert!(idle.reason.contains("no trigger is active"), "{}", idle.reason);
    let lag = explained(&kafka, 0.0, 2, &[("s0-kafka-purchases", 450.0)], None);
    assert_eq!((lag.desired, lag.metrics[0].proposed), (4, Some(5)));
}

#[test]
fn a_schedule_is_looked_at_when_it_is_told() {
    let cron = manifest("keda-prometheus-cron.yaml");
    let inside = explained(&cron, 30.0, 1, &[], Some("2026-11-30T09:00:00+01:00"));
    assert_eq!(inside.metrics[1].proposed, Some(3), "{:?}", inside.steps);
    let outside = explained(&cron, 30.0, 1, &[], Some("2026-11-29T09:00:00+01:00"));
    assert_eq!(outside.metrics[1].proposed, Some(1));
    assert!(explained(&cron, 30.0, 1, &[], None).assumed.iter().any(|assumed| assumed.contains("--at")));
}

#[test]
fn knative_panics_and_comes_down_again() {
    let explanation = hpa("knative-concurrency.yaml", 120.0, 1);
    // 120/s at a saturated replica: 156 in flight, at 70 % of 3 each, of which 10 are the most.
    assert_eq!((explanation.desired, explanation.limited_by.as_deref()), (10, Some("max-scale")));
    assert!(explanation.steps.iter().any(|step| step.contains("panic")), "{:?}", explanation.steps);
    assert_eq!(explanation.chain.settles_at, Some(3), "6 in flight ÷ 2.1: {}", explanation.chain.sentence());
    let idle = hpa("knative-concurrency.yaml", 0.0, 1);
    assert!(idle.reason.contains("goes to 0"), "{}", idle.reason);
}

#[test]
fn the_labs_own_policies_are_explained_too() {
    let service = service(120.0);
    let assumptions = Assumptions {
        service: &service,
        replicas: 1,
        cpu_request_milli: 1_000,
        memory_request_milli: 1_000,
        values: BTreeMap::new(),
        at: None,
        partitions: None,
        controller: ControllerSettings::default(),
    };
    let explanation = explain_own("moderate", &ThresholdPolicy::default(), &assumptions);
    assert_eq!((explanation.kind.as_str(), explanation.desired), ("ThresholdPolicy", 2));
    assert!(
        explanation.reason.contains("for 2 checks") && explanation.reason.contains("after 20 s"),
        "{}",
        explanation.reason
    );
    assert_eq!(explanation.metrics.len(), 1, "{:?}", explanation.metrics);
}

#[test]
fn nothing_that_can_be_assumed_ends_the_program() {
    for name in [
        "cpu-memory-behavior.yaml",
        "container-resource.yaml",
        "keda-kafka.yaml",
        "keda-prometheus-cron.yaml",
        "knative-concurrency.yaml",
        "object-and-external.yaml",
        "requests-per-second.yaml",
    ] {
        let manifest = manifest(name);
        for load in [0.0, 1e-300, 1e9] {
            for replicas in [0, 1, 500] {
                let explanation = explained(&manifest, load, replicas, &[("queue_depth", f64::MAX)], None);
                assert!(!explanation.reason.is_empty(), "{name}");
            }
        }
    }
}
