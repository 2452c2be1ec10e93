//! The value of a `cron` trigger.

use crate::policy::keda::TriggerMetric;

/// The target of the metric: 1, of type `AverageValue`, so that the value is the count.
pub const CRON_TARGET_MILLI: i64 = 1_000;

/// The metric of a cron trigger: the desired count inside its window, and 1 outside, where it is not active.
///
/// Source: `pkg/scalers/cron_scaler.go`, `GetMetricsAndActivity`.
pub fn cron_metric(is_inside: bool, desired_replicas: u32) -> TriggerMetric {
    let count = if is_inside { desired_replicas } else { 1 };
    TriggerMetric { value_milli: i64::from(count).saturating_mul(CRON_TARGET_MILLI), active: is_inside }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_its_window_a_schedule_asks_for_one_and_is_not_active() {
        assert_eq!(cron_metric(true, 5), TriggerMetric { value_milli: 5_000, active: true });
        assert_eq!(cron_metric(false, 5), TriggerMetric { value_milli: 1_000, active: false });
        assert_eq!(cron_metric(true, u32::MAX).value_milli, i64::from(u32::MAX) * 1_000);
    }
}
