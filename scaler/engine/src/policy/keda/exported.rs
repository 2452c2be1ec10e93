//! Values as KEDA's metrics server hands them to the autoscaler.

use alloc::format;

/// The value of a trigger, and whether it is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TriggerMetric {
    /// The exported value in thousandths.
    pub value_milli: i64,
    /// Whether the target should run because of it.
    pub active: bool,
}

/// Exports a value with three decimals; the binary value is rounded, halves to even. Negative values, NaN and the
/// infinities become 0, and values beyond the range its end.
///
/// Source: `pkg/scalers/scaler.go`, `GenerateMetricInMili`.
pub fn exported_milli(value: f64) -> i64 {
    if !value.is_finite() || value <= 0.0 {
        return 0;
    }
    // The formatter rounds the exact decimal expansion, which a multiplication by 1000 would not.
    let digits = format!("{value:.3}").replace('.', "");
    digits.parse().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_the_binary_value_go_to_even() {
        assert_eq!(exported_milli(0.062_5), 62, "an exact half");
        assert_eq!(exported_milli(0.187_5), 188, "an exact half");
        assert_eq!(exported_milli(1.000_5), 1_000, "below the half in binary");
        assert_eq!(exported_milli(2.345_67), 2_346);
    }

    #[test]
    fn what_is_not_a_positive_number_becomes_zero() {
        for value in [-3.5, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(exported_milli(value), 0);
        }
    }

    #[test]
    fn large_values_saturate() {
        assert_eq!(exported_milli(1e300), i64::MAX);
        assert_eq!(exported_milli(1e15), 1_000_000_000_000_000_000);
    }
}
