//! Exports documents: what comes out is valid, and what is lost is told.
#![expect(clippy::disallowed_methods, reason = "tests read manifests, which the crate gets as texts")]

use scaler_documents::{Format, Intent, LintSettings, Manifest, decisive, diff, export, lint};
use scaler_engine::ThresholdSettings;

fn manifest(name: &str) -> Manifest {
    let path = format!("{}/tests/manifests/valid/{name}", env!("CARGO_MANIFEST_DIR"));
    Manifest::read(&std::fs::read_to_string(path).expect("a readable manifest"))
}

const HPAS: [&str; 7] = [
    "container-resource.yaml",
    "cpu-memory-behavior.yaml",
    "object-and-external.yaml",
    "requests-per-second.yaml",
    "response-time.yaml",
    "tolerance.yaml",
    "v1.yaml",
];

#[test]
fn an_autoscaler_exported_as_one_decides_by_the_same() {
    for name in HPAS {
        let original = manifest(name);
        let exported = export(&Intent::of(&original).unwrap(), Format::Hpa);
        let again = Manifest::read(&exported.text);
        assert_eq!(again.problems, [], "{name}:\n{}", exported.text);
        let differences = diff(&decisive(&original), &decisive(&again));
        assert_eq!(differences, [], "{name}:\n{}", exported.text);
    }
}

#[test]
fn whatever_is_exported_is_valid_and_a_loss_is_told() {
    let threshold = Intent::of_threshold("moderate", &ThresholdSettings::default());
    let names = HPAS.iter().chain(&["keda-kafka.yaml", "keda-prometheus-cron.yaml"]);
    let intents: Vec<Intent> =
        names.map(|name| Intent::of(&manifest(name)).unwrap()).chain([threshold]).collect();
    for intent in &intents {
        for format in [Format::Hpa, Format::Keda] {
            let exported = export(intent, format);
            let read = Manifest::read(&exported.text);
            assert_eq!(read.problems, [], "{format:?} of {}:\n{}", intent.name, exported.text);
            assert_eq!(read.policies().count(), 1);
            for sentence in &exported.lost {
                assert!(exported.text.contains(&format!("# Not expressed: {sentence}")), "{}", exported.text);
            }
        }
        let rules = Manifest::read(&export(intent, Format::PrometheusAdapter).text);
        assert_eq!(rules.problems, [], "{}", intent.name);
        assert_eq!(lint(&[&rules], &LintSettings::default()), [], "a rule groups by what is asked for");
    }
    let lost = export(&intents[9], Format::Hpa).lost;
    assert!(lost.iter().any(|sentence| sentence.contains("two thresholds")), "{lost:?}");
}

#[test]
fn a_schedule_stays_a_cron_trigger_and_is_lost_in_an_hpa() {
    let intent = Intent::of(&manifest("keda-prometheus-cron.yaml")).unwrap();
    let keda = export(&intent, Format::Keda);
    for part in [
        "type: cron",
        "timezone: \"Europe/Berlin\"",
        "start: \"0 8 * * 1-5\"",
        "desiredReplicas: \"3\"",
        "activationThreshold: \"5\"",
    ] {
        assert!(keda.text.contains(part), "{part} in\n{}", keda.text);
    }
    let hpa = export(&intent, Format::Hpa);
    assert!(hpa.lost.iter().any(|sentence| sentence.contains("schedule of 3 replicas")), "{:?}", hpa.lost);
    assert!(hpa.lost.iter().any(|sentence| sentence.contains("fallback")), "{:?}", hpa.lost);
}
