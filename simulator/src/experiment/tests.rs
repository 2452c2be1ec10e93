use super::*;

fn read(spec: &str) -> Result<Experiment, ExperimentError> {
    let text =
        format!("apiVersion: autoscale-lab/v1\nkind: Experiment\nmetadata: {{name: test}}\nspec:\n{spec}");
    Experiment::from_text("test.yaml", "fallback", &text)
}

#[test]
fn every_shipped_experiment_is_read() {
    for (name, text) in SHIPPED {
        let experiment = Experiment::from_text(name, name, text).expect(name);
        assert_eq!(experiment.name, name);
        assert!(experiment.expected_requests() > 1000.0, "{name} has a load");
    }
}

#[test]
fn the_whole_form_is_read() {
    let experiment = read(
        "  duration: 30m\n  seeds: [1, 2]\n  service: {workers: 2, serviceTime: 20ms, distribution: exponential, \
         cv: 1, queue: 10, startup: 3s, startupCv: 0.2}\n  workload: {baseRps: 80, shape: {kind: spike, base: 1, peak: 5, \
         hold_seconds: 120, ramp_seconds: 30}, arrivals: constant}\n  slo: {p99: 500ms, errors: 0.5%}\n  signals: \
         {scrapeInterval: 5s, window: 15s, delay: 2s}\n  gateway: {timeout: 2s, retries: 0}\n  cost: {replicaHour: 0.1, \
         violationMinute: 1}\n  replicas: {initial: 2, max: 9}\n  faults: [{at: 5m, replica: 1}]\n  policies: [{file: \
         hpa.yaml}, {shipped: moderate}, {fixed: 3}]\n",
    )
    .unwrap();
    let model = &experiment.model;
    assert_eq!(model.duration, Duration::from_mins(30));
    assert_eq!((model.service.workers.get(), model.service.queue_capacity), (2, 10));
    assert_eq!(model.service.start_up.description().mean(), Duration::from_secs(3));
    assert!((model.workload.rate_at(Duration::from_secs(10)) - 400.0).abs() < 1e-9);
    assert!((model.slo.quantile - 0.99).abs() < 1e-9 && (model.slo.errors - 0.005).abs() < 1e-9);
    assert_eq!(model.signals.delay, Duration::from_secs(2));
    assert_eq!(experiment.signal_window, Some(Duration::from_secs(15)));
    assert_eq!((model.replicas.initial, model.replicas.max, model.gateway.retries), (2, 9, 0));
    assert_eq!(model.faults.len(), 1);
    let named = [
        PolicyChoice::File("hpa.yaml".to_owned()),
        PolicyChoice::Shipped("moderate".to_owned()),
        PolicyChoice::Fixed(3),
    ];
    assert_eq!(experiment.policies, named);
    assert_eq!(experiment.seeds, [1, 2]);
}

#[test]
fn what_is_wrong_is_named_with_line_field_and_hint() {
    for (spec, line, parts) in [
        ("  duration: 30\n", 5, ["`spec.duration` is `30`", "30s"]),
        ("  duration: 1m\n  seeds: [1, 1]\n", 6, ["`spec.seeds` is `1`", "different"]),
        ("  service: {workers: 0}\n", 5, ["`spec.service.workers` is `0`", "plain whole number"]),
        ("  service: {wrokers: 1}\n", 5, ["wrokers", "apiVersion"]),
        ("  service:\n    distribution: bimodal\n    cv: 9\n", 7, ["coefficient of variation", "lower `cv`"]),
        ("  workload: {baseRps: many}\n", 5, ["`spec.workload.baseRps` is `many`", "plain number"]),
        ("  workload: {trace: a.csv, baseRps: 3}\n", 5, ["`trace` and a `shape` or `baseRps`", "scale"]),
        ("  workload: {scale: 3}\n", 5, ["beside `trace`", "baseRps"]),
        ("  workload: {shape: {kind: steady, level: -1}}\n", 5, ["spec.workload.shape", "PUT /load"]),
        ("  slo: {p95: fast}\n", 5, ["`spec.slo.p95` is `fast`", "250ms"]),
        ("  slo: {latency: 1s}\n", 5, ["`spec.slo.latency`", "p95: 250ms"]),
        ("  slo: {errors: 200%}\n", 5, ["`spec.slo.errors` is `200%`", "0.1%"]),
        ("  replicas: {initial: 5, max: 3}\n", 5, ["`spec.replicas.initial` is `5`", "whole number"]),
        ("  policies: []\n", 5, ["`spec.policies` is empty", "{fixed: 3}"]),
        ("  policies: [{fixed: 3, shipped: moderate}]\n", 5, ["`spec.policies[0]`", "{fixed: 3}"]),
        ("  policies: [{fixed: 0}]\n", 5, ["`spec.policies[0].fixed` is `0`", "whole number"]),
        ("  signals: {scrapeInterval: 0s}\n", 5, ["`spec.signals.scrapeInterval` is `0s`", "250ms"]),
    ] {
        let error = read(spec).expect_err(spec);
        let shown = format!("{error}; hint: {}", error.hint);
        assert!(shown.starts_with("test.yaml:"), "{shown}");
        assert_eq!(error.line, Some(line), "{shown}");
        for part in parts {
            assert!(shown.contains(part), "`{part}` is missing: {shown}");
        }
    }
    let error = Experiment::from_text("a.yaml", "a", "apiVersion: v1\nkind: Experiment\n").unwrap_err();
    assert!(error.to_string().contains("`apiVersion` is `v1`"), "{error}");
}

#[test]
fn a_trace_gives_its_rates_and_its_length() {
    let mut experiment = read("  workload: {trace: a.csv, scale: 50, repeat: 2}\n").unwrap();
    assert_eq!(experiment.trace.as_ref().map(|trace| trace.repeat), Some(2));
    experiment.play_trace(Shape::steady(2.0).unwrap(), Duration::from_secs(100), 50.0);
    assert!((experiment.expected_requests() - 10_000.0).abs() < 1.0);
}
