//! The comparison of conformance vectors itself: what must make a vector fail, and what must not.

#[path = "conformance/compare.rs"]
mod compare;

use std::collections::BTreeMap;

use compare::differences;
use serde_json::{Value, json};

fn differs(expect: &Value, got: &Value) -> bool {
    differs_within(expect, got, &BTreeMap::new())
}

fn differs_within(expect: &Value, got: &Value, tolerances: &BTreeMap<String, f64>) -> bool {
    !differences(expect.as_object().expect("an expectation is an object"), got, tolerances).is_empty()
}

#[test]
fn only_expected_keys_are_compared_and_they_must_be_there() {
    assert!(!differs(&json!({ "replicas": 3 }), &json!({ "replicas": 3, "more": 1 })));
    assert!(differs(&json!({ "replicas": 3 }), &json!({ "replicas": 4 })));
    assert!(differs(&json!({ "replicas": 3 }), &json!({ "error": "no_pods" })));
    assert!(differs(&json!({ "panic": null }), &json!({ "panic": 5 })));
}

#[test]
fn objects_and_lists_are_exact() {
    assert!(differs(&json!({ "conditions": { "a": 1 } }), &json!({ "conditions": { "a": 1, "b": 2 } })));
    assert!(differs(&json!({ "list": [1, 2] }), &json!({ "list": [2, 1] })));
    assert!(differs(&json!({ "list": [1] }), &json!({ "list": [1, 2] })));
    assert!(!differs(&json!({ "list": [1.0, 2] }), &json!({ "list": [1, 2.0] })));
}

#[test]
fn steps_are_compared_key_by_key_and_none_may_be_missing() {
    let got = json!({ "steps": [{ "valid": true, "desired": 4 }, { "valid": false, "desired": null }] });
    assert!(!differs(&json!({ "steps": [{ "desired": 4 }, { "valid": false }] }), &got));
    assert!(differs(&json!({ "steps": [{ "desired": 4 }, { "valid": true }] }), &got));
    assert!(differs(&json!({ "steps": [{ "desired": 4 }] }), &got));
}

#[test]
fn a_tolerance_holds_for_its_key_alone() {
    let tolerances = BTreeMap::from([("excess".to_owned(), 1.0)]);
    let got = json!({ "steps": [{ "excess": 5, "desired": 5 }] });
    assert!(!differs_within(&json!({ "steps": [{ "excess": 4 }] }), &got, &tolerances));
    assert!(differs_within(&json!({ "steps": [{ "excess": 3 }] }), &got, &tolerances));
    assert!(differs_within(&json!({ "steps": [{ "desired": 4 }] }), &got, &tolerances));
    assert!(differs_within(&json!({ "excess": 1.5 }), &json!({ "excess": "1.5" }), &tolerances));
}

#[test]
fn large_integers_are_not_compared_as_floats() {
    let (largest, below) = (i64::MAX, i64::MAX - 1);
    assert!(differs(&json!({ "milli": largest }), &json!({ "milli": below })));
    assert!(differs(&json!({ "milli": u64::MAX / 2 + 2 }), &json!({ "milli": largest })));
    assert!(!differs(&json!({ "milli": largest }), &json!({ "milli": largest })));
}

#[test]
fn a_named_error_must_be_that_error_and_a_free_name_only_some_error() {
    assert!(differs(&json!({ "error": "no_pods" }), &json!({ "error": "no_ready_samples" })));
    assert!(differs(&json!({ "error": "no_pods" }), &json!({ "replicas": 3 })));
    assert!(!differs(&json!({ "error": "bad_status" }), &json!({ "error": "http_status" })));
    assert!(differs(&json!({ "error": "bad_status" }), &json!({ "value": 3 })));
    assert!(!differs(&json!({ "error": "no_pods", "error_contains": "x" }), &json!({ "error": "no_pods" })));
}

#[test]
fn a_flag_of_an_error_is_compared_as_it_is() {
    assert!(differs(&json!({ "error": true }), &json!({ "error": false })));
}
