//! Reads documents as people have them: right ones, wrong ones, and as `kubectl` prints them.
#![expect(clippy::disallowed_methods, reason = "tests read manifests, which the crate gets as texts")]

use std::path::{Path, PathBuf};

use scaler_documents::{Document, Manifest, TriggerKind};
use scaler_engine::hpa::{Metric, MetricSource, MetricTarget, Resource};

fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests").join(folder);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).expect("a readable manifest"))
        })
        .collect()
}

#[test]
fn every_valid_manifest_is_taken() {
    let files = files("valid");
    assert!(files.len() >= 11);
    for (name, text) in files {
        let manifest = Manifest::read(&text);
        assert_eq!(manifest.problems, [], "{name}");
        assert_eq!(manifest.policies().count(), 1, "{name}");
    }
}

#[test]
fn every_wrong_manifest_is_refused_at_its_line_and_field() {
    let expected = [
        ("bad-quantity.yaml", 14, "spec.metrics[0].resource.target.averageValue", "`128MB`"),
        ("keda-number-as-number.yaml", 6, "spec.triggers[0].metadata.lagThreshold", "is 50, expected a text"),
        ("keda-trigger-without-type.yaml", 6, "spec.triggers[0].type", "is missing"),
        ("max-below-min.yaml", 11, "spec.maxReplicas", "is 3, expected at least minReplicas, which is 5"),
        (
            "negative-tolerance.yaml",
            20,
            "spec.behavior.scaleUp.tolerance",
            "is -100m, expected a fraction of at least 0",
        ),
        ("no-metrics-type.yaml", 13, "spec.metrics[0].type", "is missing"),
        (
            "period-too-long.yaml",
            21,
            "spec.behavior.scaleDown.policies[0].periodSeconds",
            "is 3600, expected a whole number from 1 to 1800",
        ),
        ("target-missing.yaml", 5, "spec.scaleTargetRef", "is missing"),
        ("typo-averagevalue.yaml", 16, "spec.metrics[0].pods.target.averagValue", "is not a field"),
        ("unknown-kind.yaml", 2, "kind", "`StatefulSet`"),
        ("utilization-of-pods-metric.yaml", 16, "spec.metrics[0].pods.target.averageValue", "is missing"),
        ("window-too-long.yaml", 20, "spec.behavior.scaleDown.stabilizationWindowSeconds", "is 7200"),
    ];
    let files = files("wrong");
    assert_eq!(files.len(), expected.len());
    for ((name, text), (expected_name, line, field, part)) in files.iter().zip(expected) {
        assert_eq!(name, expected_name);
        let problems = Manifest::read(text).problems;
        assert_eq!(problems.len(), 1, "{name}: one mistake, one problem: {problems:#?}");
        let problem = &problems[0];
        assert_eq!(
            (problem.line, problem.field.as_str()),
            (Some(line), field),
            "{name}: {}",
            problem.message
        );
        assert!(problem.message.contains(part), "{name}: {}", problem.message);
        assert!(problem.message.contains("expected") || problem.message.contains("is not a field"), "{name}");
        assert!(!problem.hint.is_empty(), "{name}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_their_lines() {
    let text = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: Shop\nspec:\n  scaleTargetRef:\n    kind: Deployment\n  \
                minReplicas: -1\n  maxReplicas: ten\n  metrics:\n    - type: resource\n    - type: Resource\n    - type: External\n      external:\n        \
                metric: {name: q}\n        target: {type: Value, value: \"0\", averageValue: 2}\n  behaviour: {}\n  behavior:\n    scaleUp:\n      \
                selectPolicy: max\n      policies: []\n    scaleDown:\n      policies:\n        - {type: Pods, value: 0}\n";
    let problems = Manifest::read(text).problems;
    let found: Vec<(u64, &str)> =
        problems.iter().map(|problem| (problem.line.unwrap(), problem.field.as_str())).collect();
    assert_eq!(
        found,
        [
            (4, "metadata.name"),
            (6, "spec.scaleTargetRef.name"),
            (8, "spec.minReplicas"),
            (9, "spec.maxReplicas"),
            (11, "spec.metrics[0].type"),
            (12, "spec.metrics[1].resource"),
            (16, "spec.metrics[2].external.target.value"),
            (17, "spec.behaviour"),
            (20, "spec.behavior.scaleUp.selectPolicy"),
            (21, "spec.behavior.scaleUp.policies"),
            (24, "spec.behavior.scaleDown.policies[0].value"),
            (24, "spec.behavior.scaleDown.policies[0].periodSeconds"),
        ],
        "{problems:#?}"
    );
    assert_eq!(problems[4].hint, "did you mean Resource?");
    assert_eq!(problems[7].hint, "did you mean `behavior`?");
}

fn hpa_of(manifest: &Manifest) -> &scaler_documents::HpaDocument {
    manifest
        .documents
        .iter()
        .find_map(|document| match document {
            Document::Hpa(hpa) => Some(&**hpa),
            _ => None,
        })
        .expect("an HPA is among them")
}

#[test]
fn an_autoscaler_is_found_beside_its_deployment() {
    let (_, text) = files("valid").into_iter().find(|(name, _)| name == "with-deployment.yaml").unwrap();
    let manifest = Manifest::read(&text);
    let hpa = hpa_of(&manifest);
    let workload = manifest.workload_of(&hpa.target.kind, &hpa.target.name).unwrap();
    assert_eq!(workload.replicas, Some(2));
    assert_eq!(workload.pod.request_milli(&Resource::Cpu, None), Some(500));
    assert_eq!(workload.pod.limit_milli(&Resource::Cpu, None), Some(1_000));
    assert_eq!(workload.pod.request_milli(&Resource::Memory, Some("app")), Some(128 * 1_048_576 * 1_000));
    let probe = workload.pod.containers[0].readiness.unwrap();
    assert_eq!((probe.initial_delay.as_secs(), probe.period.as_secs()), (10, 5));
}

#[test]
fn what_kubectl_prints_is_read_as_yaml_as_json_and_as_a_list() {
    let printed = "apiVersion: v1\nitems:\n- apiVersion: autoscaling/v2\n  kind: HorizontalPodAutoscaler\n  metadata:\n    annotations:\n      \
        kubectl.kubernetes.io/last-applied-configuration: |\n        {\"apiVersion\":\"autoscaling/v2\"}\n    creationTimestamp: \"2026-11-01T08:00:00Z\"\n    \
        generation: 3\n    managedFields:\n    - {apiVersion: autoscaling/v2, manager: kubectl}\n    name: shop\n    namespace: default\n    \
        resourceVersion: \"1234\"\n    uid: 6f\n  spec:\n    maxReplicas: 6\n    metrics:\n    - resource:\n        name: cpu\n        target:\n          \
        averageUtilization: 70\n          type: Utilization\n      type: Resource\n    minReplicas: 2\n    scaleTargetRef:\n      apiVersion: apps/v1\n      \
        kind: Deployment\n      name: shop\n  status:\n    conditions:\n    - {type: AbleToScale, status: \"True\"}\n    currentReplicas: 2\nkind: List\nmetadata:\n  resourceVersion: \"\"\n";
    let manifest = Manifest::read(printed);
    assert_eq!(manifest.problems, []);
    let hpa = hpa_of(&manifest);
    assert_eq!((hpa.spec.min_replicas, hpa.spec.max_replicas), (2, 6));
    let value: serde_json::Value = serde_json::from_str(
        "{\"apiVersion\": \"autoscaling/v2\", \"kind\": \"HorizontalPodAutoscaler\", \"metadata\": {\"name\": \"shop\"},\n \"spec\": {\"maxReplicas\": 6, \"minReplicas\": 2, \
         \"scaleTargetRef\": {\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", \"name\": \"shop\"}, \"metrics\": [{\"type\": \"Resource\", \
         \"resource\": {\"name\": \"cpu\", \"target\": {\"type\": \"Utilization\", \"averageUtilization\": 70}}}]}}",
    )
    .unwrap();
    for json in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
        let manifest = Manifest::read(&json);
        assert_eq!(manifest.problems, []);
        assert_eq!(hpa_of(&manifest).spec, hpa.spec);
    }
}

#[test]
fn the_first_version_is_converted_with_a_notice() {
    let (_, text) = files("valid").into_iter().find(|(name, _)| name == "v1.yaml").unwrap();
    let manifest = Manifest::read(&text);
    assert!(manifest.notices[0].message.contains("read as autoscaling/v2"), "{:?}", manifest.notices);
    let expected = Metric {
        source: MetricSource::Resource(Resource::Cpu),
        target: Some(MetricTarget::Utilization { percent: 70 }),
    };
    assert_eq!(hpa_of(&manifest).spec.metrics, [expected]);
    let beta = text.replace("autoscaling/v1", "autoscaling/v2beta2");
    let problem = &Manifest::read(&beta).problems[0];
    assert_eq!((problem.line, problem.field.as_str()), (Some(1), "apiVersion"));
    let without = text.replace("  targetCPUUtilizationPercentage: 70\n", "");
    assert_eq!(hpa_of(&Manifest::read(&without)).spec.metrics, [Metric::DEFAULT]);
}

#[test]
fn kubernetes_follows_the_value_that_is_set() {
    let hpa = |metric: &str| {
        let text = format!(
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: x}}\nspec:\n  scaleTargetRef: {{kind: Deployment, name: x}}\n  \
             maxReplicas: 3\n  metrics: [{metric}]\n"
        );
        let manifest = Manifest::read(&text);
        assert_eq!(manifest.problems, [], "{metric}");
        hpa_of(&manifest).spec.metrics[0].target
    };
    assert_eq!(
        hpa("{type: Resource, resource: {name: cpu, target: {type: Utilization, averageValue: 100m}}}"),
        Some(MetricTarget::AverageValue { milli: 100 })
    );
    assert_eq!(
        hpa("{type: External, external: {metric: {name: q}, target: {type: AverageValue, value: 5}}}"),
        Some(MetricTarget::Value { milli: 5_000 })
    );
    let object = "{type: Object, object: {describedObject: {kind: Ingress, name: i}, metric: {name: q}, target: {type: Value, averageValue: 5}}}";
    assert_eq!(hpa(object), None, "for an Object metric the type decides, and its value is not there");
}

#[test]
fn zero_replicas_need_a_metric_from_outside_the_pods() {
    let text = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: x}\nspec:\n  scaleTargetRef: {kind: Deployment, name: x}\n  minReplicas: 0\n  maxReplicas: 3\n";
    let problems = Manifest::read(text).problems;
    assert_eq!((problems.len(), problems[0].line), (1, Some(6)), "{problems:?}");
    let external = "  metrics: [{type: External, external: {metric: {name: q}, target: {type: AverageValue, averageValue: 5}}}]\n";
    assert_eq!(Manifest::read(&format!("{text}{external}")).problems, []);
}

fn scaled_object(spec: &str) -> String {
    format!(
        "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {{name: x}}\nspec:\n  scaleTargetRef: {{name: x}}\n{spec}"
    )
}

#[test]
fn triggers_are_typed_and_others_are_named_as_unsupported() {
    let text = scaled_object(
        "  triggers:\n    - {type: prometheus, metadata: {serverAddress: 'http://p:9090', query: up, threshold: '0.5', activationThreshold: '2'}}\n    \
         - {type: cpu, metricType: Utilization, metadata: {value: '60'}}\n    - {type: memory, metricType: AverageValue, metadata: {value: 64Mi, containerName: app}}\n    \
         - {type: cron, metadata: {timezone: Europe/Berlin, start: '0 8 * * 1-5', end: '0 18 * * 1-5', desiredReplicas: '3'}}\n    \
         - {type: metrics-api, metadata: {url: 'http://a/b', valueLocation: 'q.length', targetValue: '10'}}\n    \
         - {type: rabbitmq, metadata: {queueName: q}}\n    - {type: kafka, metadata: {bootstrapServersFromEnv: K, consumerGroup: g, topic: t, lagThreshold: '50', lagTreshold: '1'}}\n",
    );
    let manifest = Manifest::read(&text);
    assert_eq!(manifest.problems, []);
    let notices: Vec<&str> = manifest.notices.iter().map(|notice| notice.message.as_str()).collect();
    assert!(
        notices.iter().any(|notice| notice.contains("`rabbitmq`") && notice.contains("left out")),
        "{notices:?}"
    );
    assert!(
        notices
            .iter()
            .any(|notice| notice.contains("lagTreshold") && notice.contains("did you mean `lagThreshold`"))
    );
    let Document::ScaledObject(object) = &manifest.documents[0] else { panic!() };
    let names: Vec<&str> = object.object.triggers.iter().map(|trigger| trigger.name.as_str()).collect();
    let expected = [
        "s0-prometheus",
        "cpu",
        "memory",
        "s3-cron-Europe-Berlin-08xx1-5-018xx1-5",
        "s4-metric-api-q-length",
        "s6-kafka-t",
    ];
    assert_eq!(names, expected);
    assert!(matches!(&object.triggers[5].kind, TriggerKind::Unsupported(name) if name == "rabbitmq"));
}

#[test]
fn mistakes_in_a_scaled_object_are_found() {
    let cases: &[(&str, u64, &str)] = &[
        ("  triggers: []\n", 6, "spec.triggers"),
        (
            "  minReplicaCount: 8\n  maxReplicaCount: 7\n  triggers: [{type: cpu, metadata: {value: '1'}}]\n",
            6,
            "spec.minReplicaCount",
        ),
        (
            "  idleReplicaCount: 0\n  triggers: [{type: cpu, metadata: {value: '1'}}]\n",
            6,
            "spec.idleReplicaCount",
        ),
        (
            "  fallback: {replicas: 3}\n  triggers: [{type: cpu, metadata: {value: '1'}}]\n",
            6,
            "spec.fallback.failureThreshold",
        ),
        (
            "  triggers:\n    - type: cpu\n      metadata: {value: '0'}\n",
            8,
            "spec.triggers[0].metadata.value",
        ),
        ("  triggers:\n    - type: cpu\n      metadata: {value: 60}\n", 8, "spec.triggers[0].metadata.value"),
        (
            "  triggers:\n    - type: kafka\n      metricType: Utilization\n      metadata: {bootstrapServers: k, consumerGroup: g}\n",
            8,
            "spec.triggers[0].metricType",
        ),
        (
            "  triggers:\n    - type: kafka\n      metadata: {bootstrapServers: k}\n",
            8,
            "spec.triggers[0].metadata.consumerGroup",
        ),
        (
            "  triggers:\n    - type: kafka\n      metadata: {bootstrapServers: k, consumerGroup: g, lagThreshold: '0'}\n",
            8,
            "spec.triggers[0].metadata.lagThreshold",
        ),
        (
            "  triggers:\n    - type: prometheus\n      metadata: {serverAddress: p, query: up, threshold: high}\n",
            8,
            "spec.triggers[0].metadata.threshold",
        ),
        (
            "  triggers:\n    - type: cron\n      metadata: {timezone: Mars/Base, start: '0 8 * * *', end: '0 9 * * *', desiredReplicas: '1'}\n",
            8,
            "spec.triggers[0].metadata.timezone",
        ),
        (
            "  triggers:\n    - type: cron\n      metadata: {timezone: UTC, start: '0 8 * *', end: '0 9 * * *', desiredReplicas: '1'}\n",
            8,
            "spec.triggers[0].metadata.start",
        ),
        (
            "  triggers:\n    - type: cron\n      metadata: {timezone: UTC, start: '0 8 * * *', end: '0 8 * * *', desiredReplicas: '1'}\n",
            8,
            "spec.triggers[0].metadata.end",
        ),
        (
            "  triggers:\n    - {type: cpu, name: a, metadata: {value: '1'}}\n    - {type: cpu, name: a, metadata: {value: '1'}}\n",
            8,
            "spec.triggers[1].name",
        ),
        (
            "  pollingIntervall: 15\n  triggers: [{type: cpu, metadata: {value: '1'}}]\n",
            6,
            "spec.pollingIntervall",
        ),
        (
            "  advanced: {scalingModifiers: {formula: a}}\n  triggers: [{type: cpu, metadata: {value: '1'}}]\n",
            6,
            "spec.advanced.scalingModifiers.target",
        ),
    ];
    for (spec, line, field) in cases {
        let problems = Manifest::read(&scaled_object(spec)).problems;
        assert_eq!(problems.len(), 1, "{spec}: {problems:#?}");
        assert_eq!(
            (problems[0].line, problems[0].field.as_str()),
            (Some(*line), *field),
            "{}",
            problems[0].message
        );
    }
}

#[test]
fn annotations_of_knative_are_read_and_checked() {
    let service = |annotations: &str| {
        format!(
            "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {{name: x}}\nspec:\n  template:\n    metadata:\n      annotations:\n{annotations}    \
             spec:\n      containers: [{{image: x}}]\n"
        )
    };
    let text = service(
        "        autoscaling.knative.dev/minScale: \"2\"\n        autoscaling.knative.dev/metric: rps\n        autoscaling.knative.dev/target: \"150\"\n",
    );
    let manifest = Manifest::read(&text);
    assert_eq!(manifest.problems, []);
    let Document::Knative(service_read) = &manifest.documents[0] else { panic!() };
    assert_eq!(service_read.settings.min_scale, 2);
    assert!((service_read.target.target - 105.0).abs() < 1e-9, "70 % of 150");
    for (annotation, part) in [
        ("window: 5s", "6s to 3600s"),
        ("target: \"0\"", "at least 0.01"),
        ("max-scale: many", "whole number"),
        ("metric: latency", "concurrency or rps"),
        ("target-burst-capacity: \"-2\"", "at least -1"),
        ("panic-threshold-percentage: \"50\"", "110 to 1000"),
        ("min-scale: 3", "a text, in quotes"),
    ] {
        let problems =
            Manifest::read(&service(&format!("        autoscaling.knative.dev/{annotation}\n"))).problems;
        assert_eq!(problems.len(), 1, "{annotation}: {problems:?}");
        assert!(problems[0].line == Some(8) && problems[0].message.contains(part), "{}", problems[0].message);
    }
    let both = service(
        "        autoscaling.knative.dev/min-scale: \"5\"\n        autoscaling.knative.dev/max-scale: \"3\"\n",
    );
    assert_eq!(Manifest::read(&both).problems[0].line, Some(9));
    let misplaced = text.replace(
        "metadata: {name: x}",
        "metadata: {name: x, annotations: {autoscaling.knative.dev/max-scale: \"3\"}}",
    );
    assert!(Manifest::read(&misplaced).problems[0].message.contains("has no effect there"));
}

#[test]
fn hostile_files_are_refused_and_never_end_the_program() {
    let valid: Vec<String> = files("valid").into_iter().map(|(_, text)| text).collect();
    let fragments = [
        "null",
        "[]",
        "{}",
        "-1",
        "1e999",
        "\"\\u0000\"",
        "!!binary aGk=",
        "&a [*a]",
        "9999999999999999999999",
        "~",
    ];
    let mut read = 0;
    for text in &valid {
        let lines: Vec<&str> = text.lines().collect();
        for at in 0..lines.len() {
            for fragment in fragments {
                let Some((key, _)) = lines[at].split_once(": ").or_else(|| lines[at].split_once(':')) else {
                    continue;
                };
                let mut changed: Vec<String> = lines.iter().map(ToString::to_string).collect();
                changed[at] = format!("{key}: {fragment}");
                let _whatever = Manifest::read(&changed.join("\n"));
                read += 1;
            }
            let _cut = Manifest::read(&lines[..at].join("\n"));
        }
    }
    assert!(read > 1_000, "{read}");
    for text in [
        "",
        "---\n",
        "x",
        "[]",
        "kind: List\n",
        "kind: List\nitems: [1, {kind: List, items: []}]\n",
        "- kind: X\n",
        "\u{0}",
    ] {
        assert!(!Manifest::read(text).problems.is_empty(), "{text:?}");
    }
}
