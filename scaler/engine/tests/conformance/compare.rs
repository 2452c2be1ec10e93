//! Compares what came out with what a vector expects.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

/// The names of errors that the vectors' own description fixes. Any other name only says that there is an error.
const NAMED_ERRORS: [&str; 11] = [
    "container_not_found",
    "empty_result",
    "fallback_failed",
    "metrics_unavailable",
    "missing_request",
    "no_known_pods",
    "no_pods",
    "no_ready_samples",
    "not_finite",
    "query_failed",
    "short_value",
];

/// The differences, one text each. Only keys that are expected count; below them objects and lists are exact, but
/// the elements of `steps` are compared key by key again.
pub(crate) fn differences(
    expect: &Map<String, Value>,
    got: &Value,
    tolerances: &BTreeMap<String, f64>,
) -> Vec<String> {
    let mut found = Vec::new();
    for (key, expected) in expect {
        let actual = got.get(key);
        match (key.as_str(), expected, actual) {
            // A fragment of another program's message.
            ("error_contains", ..) => {}
            ("steps", Value::Array(expected), Some(Value::Array(actual)))
                if expected.len() == actual.len() =>
            {
                for (step, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                    let Value::Object(expected) = expected else {
                        found.push(format!("step {step}: the expectation is not an object"));
                        continue;
                    };
                    let of_step = differences(expected, actual, tolerances);
                    found.extend(of_step.into_iter().map(|difference| format!("step {step}: {difference}")));
                }
            }
            ("error", Value::String(name), Some(Value::String(_)))
                if !NAMED_ERRORS.contains(&name.as_str()) => {}
            (_, expected, Some(actual)) if is_same(expected, actual, tolerances.get(key).copied()) => {}
            (_, expected, Some(actual)) => found.push(format!("{key}: expected {expected}, got {actual}")),
            (_, expected, None) => found.push(format!("{key}: expected {expected}, got nothing of {got}")),
        }
    }
    found
}

/// A number without a fraction, which a float could not hold exactly.
fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn is_same(expected: &Value, actual: &Value, tolerance: Option<f64>) -> bool {
    match (expected, actual) {
        (Value::Number(left), Value::Number(right)) => {
            if let (None, Some(left), Some(right)) = (tolerance, integer(left), integer(right)) {
                return left == right;
            }
            let (Some(left), Some(right)) = (left.as_f64(), right.as_f64()) else { return false };
            // Without a tolerance doubles are the same or they are not.
            (left - right).abs() <= tolerance.unwrap_or(0.0)
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| is_same(left, right, tolerance))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, left)| right.get(key).is_some_and(|right| is_same(left, right, tolerance)))
        }
        (left, right) => left == right,
    }
}
