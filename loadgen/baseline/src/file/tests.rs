//! The file is read back as it was written, and refused where it was not.

use serde_json::{Value, json};

use super::*;
use crate::sample::baseline;

fn refused(change: impl Fn(&mut Value)) -> String {
    let mut document: Value = serde_json::from_str(&baseline().to_json()).unwrap();
    change(&mut document);
    Baseline::from_json("b.json", &document.to_string()).expect_err("a changed file").to_string()
}

#[test]
fn it_is_read_back_as_it_was_written() {
    let written = baseline();
    let read = Baseline::from_json("b.json", &written.to_json()).unwrap();
    assert_eq!(read.first_curve().levels.len(), written.first_curve().levels.len());
    assert!(read.settings == written.settings && read.target == written.target);
    let (left, right) = (&written.first_curve().levels[0], &read.first_curve().levels[0]);
    assert!(left.measurement.from_intended_micros == right.measurement.from_intended_micros, "the histogram");
    assert!((left.mean().unwrap().mean_micros / right.mean().unwrap().mean_micros - 1.0).abs() < 1e-12);
    assert_eq!((left.verdict, left.number), (right.verdict, right.number));
    assert!(read.first_curve().latency_fit.is_some() || read.first_curve().latency_fit_refused.is_some());
}

#[test]
fn a_file_of_before_the_generators_part_was_told_apart_is_read() {
    let mut document: Value = serde_json::from_str(&baseline().to_json()).unwrap();
    let level = document["curves"][0]["levels"][0].as_object_mut().unwrap();
    for field in
        ["unsent_by_generator", "mean_refused_in_flight", "generator_lateness_micros", "errors_by_request"]
    {
        assert!(level.remove(field).is_some(), "`{field}` is written");
    }
    let read = Baseline::from_json("b.json", &document.to_string()).unwrap();
    let measurement = &read.first_curve().levels[0].measurement;
    assert_eq!((measurement.unsent_by_generator, measurement.generator_lateness_micros.len()), (0, 0));
}

#[test]
fn what_is_wrong_is_named_with_its_path() {
    for (change, parts) in [
        (
            (|document| document["version"] = json!(2)) as fn(&mut Value),
            &["`b.json`", "`version`", "is 2, expected 1"][..],
        ),
        (|document| document["format"] = json!("csv"), &["`format`", "`csv`"]),
        (|document| document["seed"] = json!("one"), &["`seed`", "\"one\""]),
        (|document| document["extra"] = json!(1), &["extra"]),
        (|document| document["curves"] = json!([]), &["`curves`", "at least one"]),
        (|document| document["curves"][0]["replicas"] = json!(0), &["`curves[0].replicas`"]),
        (
            |document| document["curves"][0]["levels"][1]["scheduled"] = json!(-1),
            &["`curves[0].levels[1].scheduled`", "-1"],
        ),
        (
            |document| document["curves"][0]["levels"][0]["offered_rps"] = json!(0.0),
            &["curves[0].levels[0]", "offered_rps"],
        ),
        (
            |document| document["curves"][0]["levels"][0]["from_sent_micros"] = json!([[5, 1], [4, 1]]),
            &["curves[0].levels[0]", "`from_sent_micros`", "[4, 1]"],
        ),
        (
            |document| {
                document["curves"][0]["levels"][0]["from_sent_micros"] = json!([[3_600_000_001_u64, 1]]);
            },
            &["from_sent_micros", "3600000001"],
        ),
        (|document| document["settings"]["slo"] = json!(["rps=3"]), &["`settings.slo`", "rps=3"]),
        (
            |document| document["curves"][0]["levels"][0]["verdict"] = json!("void"),
            &["curves[0].levels[0]", "`verdict`"],
        ),
        (
            |document| document["capacity_per_replica_rps"] = json!(-5.0),
            &["`capacity_per_replica_rps`", "-5"],
        ),
    ] {
        let error = refused(change);
        assert!(error.contains("hint: "), "{error}");
        for part in parts {
            assert!(error.contains(part), "`{part}` is missing: {error}");
        }
    }
}

#[test]
fn what_is_no_baseline_is_refused() {
    for text in ["", "[]", "{", "null", "{}", "x"] {
        let error = Baseline::from_json("b.json", text).expect_err(text).to_string();
        assert!(error.contains("`b.json`") && error.contains("hint: "), "{error}");
    }
    let whole = baseline().to_json();
    assert!(Baseline::from_json("b.json", &whole[..whole.len() / 2]).is_err(), "cut off");
}
