//! The value of a `metrics-api` trigger.

use alloc::string::String;

use crate::policy::keda::{QuantityError, TriggerMetric, exported_milli, parse_quantity};

/// What stands at the trigger's `valueLocation` in the answer.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricsApiValue {
    /// A number.
    Number(f64),
    /// A text, which must be a quantity.
    Text(String),
    /// Anything else, or nothing.
    Other,
}

/// Why an answer has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetricsApiError {
    /// The text is not a quantity.
    #[error(transparent)]
    Quantity(#[from] QuantityError),
    /// There is neither a number nor a text.
    #[error("the value is neither a number nor a text with a quantity")]
    NotAValue,
}

/// The raw value.
///
/// # Errors
/// If there is none.
///
/// Source: `pkg/scalers/metrics_api_scaler.go`, `GetValueFromResponse`.
pub fn metrics_api_value(value: &MetricsApiValue) -> Result<f64, MetricsApiError> {
    match value {
        MetricsApiValue::Number(number) => Ok(*number),
        MetricsApiValue::Text(text) => Ok(parse_quantity(text)?),
        MetricsApiValue::Other => Err(MetricsApiError::NotAValue),
    }
}

/// The metric of a raw value: active strictly above `activationTargetValue` (default: 0).
///
/// Source: `pkg/scalers/metrics_api_scaler.go`, `GetMetricsAndActivity`.
pub fn metrics_api_metric(value: f64, activation_target: f64) -> TriggerMetric {
    TriggerMetric { value_milli: exported_milli(value), active: value > activation_target }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_quantities_are_values() {
        assert_eq!(metrics_api_value(&MetricsApiValue::Number(2.5)), Ok(2.5));
        assert_eq!(metrics_api_value(&MetricsApiValue::Text("2k".into())), Ok(2_000.0));
        assert!(metrics_api_value(&MetricsApiValue::Text("many".into())).is_err());
        assert_eq!(metrics_api_value(&MetricsApiValue::Other), Err(MetricsApiError::NotAValue));
        assert!(!metrics_api_metric(3.0, 3.0).active);
        assert_eq!(metrics_api_metric(3.25, 3.0).value_milli, 3_250);
    }
}
