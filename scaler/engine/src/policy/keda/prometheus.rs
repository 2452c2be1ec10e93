//! Judges what a Prometheus answered to the query of a trigger.

use alloc::string::String;
use alloc::vec::Vec;

use crate::policy::keda::{TriggerMetric, exported_milli};

/// What a query of an instant answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrometheusAnswer {
    /// The status of the HTTP response.
    pub http_status: u16,
    /// The `value` of each result; empty if nothing matched.
    pub results: Vec<PrometheusValue>,
}

/// The pair of time and value in a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrometheusValue {
    /// An empty list.
    Empty,
    /// A time without a value.
    Short,
    /// A value that is null.
    Null,
    /// A value as text.
    Text(String),
}

/// Why an answer has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrometheusError {
    /// The status of the response is not one of success.
    #[error("prometheus answered with status {0}, expected 200 to 299")]
    HttpStatus(u16),
    /// The query matched nothing, and that counts as an error.
    #[error("the result of the query is empty")]
    EmptyResult,
    /// The query matched more than one series.
    #[error("the query has {0} results, expected one")]
    SeveralResults(usize),
    /// The result has a time but no value.
    #[error("the result has no value beside its time")]
    ShortValue,
    /// The value is not a number.
    #[error("the value of the result is not a number")]
    NotANumber,
    /// The value is NaN or infinite, and that counts as an error.
    #[error("the value of the result is not finite")]
    NotFinite,
}

/// The raw value of an answer. With `ignore_null_values` (default: true) an empty, NaN or infinite result is 0; a
/// null is −1 either way.
///
/// # Errors
/// If the answer has no value that counts.
///
/// Source: `pkg/scalers/prometheus_scaler.go`, `ExecutePromQuery`.
pub fn prometheus_value(answer: &PrometheusAnswer, ignore_null_values: bool) -> Result<f64, PrometheusError> {
    let nothing = |error| if ignore_null_values { Ok(0.0) } else { Err(error) };
    if !(200..300).contains(&answer.http_status) {
        return Err(PrometheusError::HttpStatus(answer.http_status));
    }
    let value = match answer.results.as_slice() {
        [] => return nothing(PrometheusError::EmptyResult),
        [value] => value,
        several => return Err(PrometheusError::SeveralResults(several.len())),
    };
    let text = match value {
        PrometheusValue::Empty => return nothing(PrometheusError::EmptyResult),
        PrometheusValue::Short => return Err(PrometheusError::ShortValue),
        PrometheusValue::Null => return Ok(-1.0),
        PrometheusValue::Text(text) => text,
    };
    let number: f64 = text.parse().map_err(|_| PrometheusError::NotANumber)?;
    if number.is_finite() {
        Ok(number)
    } else if text.contains(|character: char| character.is_ascii_digit()) {
        // A number out of range, not a written infinity.
        Err(PrometheusError::NotANumber)
    } else {
        nothing(PrometheusError::NotFinite)
    }
}

/// The metric of an answer's raw value: active strictly above the activation threshold (default: 0), exported with
/// three decimals.
///
/// Source: `pkg/scalers/prometheus_scaler.go`, `GetMetricsAndActivity`.
pub fn prometheus_metric(value: f64, activation_threshold: f64) -> TriggerMetric {
    TriggerMetric { value_milli: exported_milli(value), active: value > activation_threshold }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn text(text: &str) -> PrometheusAnswer {
        PrometheusAnswer { http_status: 200, results: vec![PrometheusValue::Text(text.into())] }
    }

    #[test]
    fn only_statuses_of_success_have_a_value() {
        for (http_status, expected) in
            [(199, false), (200, true), (204, true), (299, true), (300, false), (400, false), (500, false)]
        {
            let answer = PrometheusAnswer { http_status, ..text("2") };
            assert_eq!(prometheus_value(&answer, true).is_ok(), expected, "{http_status}");
        }
    }

    #[test]
    fn what_is_missing_counts_as_zero_or_as_an_error() {
        let empty_value = PrometheusAnswer { http_status: 200, results: vec![PrometheusValue::Empty] };
        let nothing = PrometheusAnswer { http_status: 200, results: vec![] };
        for answer in [empty_value, nothing, text("NaN"), text("+Inf"), text("-Inf")] {
            assert_eq!(prometheus_value(&answer, true), Ok(0.0));
            assert!(prometheus_value(&answer, false).is_err());
        }
    }

    #[test]
    fn a_null_is_minus_one_and_not_ignored() {
        let null = PrometheusAnswer { http_status: 200, results: vec![PrometheusValue::Null] };
        assert_eq!(prometheus_value(&null, true), Ok(-1.0));
        assert_eq!(prometheus_value(&null, false), Ok(-1.0));
    }

    #[test]
    fn a_short_or_ambiguous_answer_is_an_error_even_if_nulls_are_ignored() {
        let short = PrometheusAnswer { http_status: 200, results: vec![PrometheusValue::Short] };
        assert_eq!(prometheus_value(&short, true), Err(PrometheusError::ShortValue));
        let several = PrometheusAnswer { http_status: 200, results: vec![PrometheusValue::Null; 2] };
        assert_eq!(prometheus_value(&several, true), Err(PrometheusError::SeveralResults(2)));
    }

    #[test]
    fn what_is_not_a_number_is_an_error() {
        for wrong in ["", "abc", "1 2", "1e999"] {
            assert_eq!(prometheus_value(&text(wrong), true), Err(PrometheusError::NotANumber), "{wrong}");
        }
    }

    #[test]
    fn activation_looks_at_the_raw_value() {
        assert_eq!(prometheus_metric(0.000_1, 0.0), TriggerMetric { value_milli: 0, active: true });
        assert!(!prometheus_metric(5.0, 5.0).active);
        assert!(prometheus_metric(-1.0, -2.0).active);
        assert!(!prometheus_metric(f64::NAN, 0.0).active);
    }
}
