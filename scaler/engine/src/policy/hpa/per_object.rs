//! Proposes replicas from one value for the whole target.

use crate::policy::hpa::proposal::{Evaluation, MetricError, Proposal, Reported};
use crate::policy::rounding::{ceil_to_i32, ceil_to_i64};

/// The sum of all series of an External metric, which saturates.
///
/// Source: `replica_calculator.go`, `GetExternalMetricReplicas`.
pub fn external_total(values_milli: &[i64]) -> i64 {
    values_milli.iter().fold(0, |sum: i64, &value| sum.saturating_add(value))
}

/// Proposes replicas for a target of type Value: the count scales with the ready pods.
///
/// At zero replicas neither tolerance nor pods matter. With no ready pod the proposal is 0, also above target.
///
/// # Errors
/// Without pods, if the ratio is out of tolerance.
///
/// Source: `replica_calculator.go`, `getUsageRatioReplicaCount`.
pub fn proposal_for_value(
    total_milli: i64,
    target_milli: i64,
    evaluation: &Evaluation<'_>,
) -> Result<Proposal, MetricError> {
    let ratio = total_milli as f64 / target_milli as f64;
    let replicas = if evaluation.current_replicas == 0 {
        ceil_to_i32(ratio)
    } else if evaluation.tolerances.contains(ratio) {
        evaluation.current()
    } else if evaluation.pods.is_empty() {
        return Err(MetricError::NoPods);
    } else {
        let ready_pods = evaluation.pods.iter().filter(|pod| pod.serves()).count();
        ceil_to_i32(ratio * ready_pods as f64)
    };
    Ok(Proposal { replicas, reported: reported(total_milli) })
}

/// Proposes replicas for a target of type `AverageValue`: total divided by target, pods play no part.
///
/// The tolerance is tested against the replicas of the target's *status*, and within it these are proposed, not
/// the count asked for, unless the settings say otherwise.
///
/// Source: `replica_calculator.go`, `GetObjectPerPodMetricReplicas` and `GetExternalPerPodMetricReplicas`.
pub fn proposal_for_average_value(
    total_milli: i64,
    target_milli: i64,
    evaluation: &Evaluation<'_>,
) -> Proposal {
    let status_replicas = f64::from(evaluation.status_replicas);
    let ratio = total_milli as f64 / (target_milli as f64 * status_replicas);
    let replicas = if !evaluation.tolerances.contains(ratio) {
        ceil_to_i32(total_milli as f64 / target_milli as f64)
    } else if evaluation.settings.adopt_status_within_tolerance {
        i32::try_from(evaluation.status_replicas).unwrap_or(i32::MAX)
    } else {
        evaluation.current()
    };
    Proposal { replicas, reported: reported(ceil_to_i64(total_milli as f64 / status_replicas)) }
}

const fn reported(usage_milli: i64) -> Reported {
    Reported { utilization_percent: None, average_usage_milli: None, usage_milli: Some(usage_milli) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::hpa::testing::{pods_requesting, settings};
    use crate::policy::hpa::{ControllerSettings, Tolerances};

    fn evaluation<'a>(
        pods: &'a [crate::policy::hpa::Pod],
        current: u32,
        status: u32,
        settings: &'a ControllerSettings,
    ) -> Evaluation<'a> {
        Evaluation::new(pods, current, status, settings, Tolerances::both(0.1))
    }

    #[test]
    fn a_value_target_scales_by_ready_pods_even_down_while_over_target() {
        let settings = settings();
        let mut pods = pods_requesting(4, 1);
        let replicas = |pods: &[crate::policy::hpa::Pod]| {
            proposal_for_value(3_000, 1_000, &evaluation(pods, 10, 10, &settings)).unwrap().replicas
        };
        assert_eq!(replicas(&pods), 12);
        pods[0].deleting = true;
        assert_eq!(replicas(&pods), 12, "a deletion timestamp does not matter");
        for pod in &mut pods {
            pod.ready = Some(false);
        }
        assert_eq!(replicas(&pods), 0);
    }

    #[test]
    fn a_value_target_needs_pods_only_out_of_tolerance_and_above_zero() {
        let settings = settings();
        assert_eq!(
            proposal_for_value(3_000, 1_000, &evaluation(&[], 1, 1, &settings)),
            Err(MetricError::NoPods)
        );
        assert_eq!(proposal_for_value(1_100, 1_000, &evaluation(&[], 7, 7, &settings)).unwrap().replicas, 7);
        assert_eq!(proposal_for_value(1_001, 1_000, &evaluation(&[], 0, 0, &settings)).unwrap().replicas, 2);
    }

    #[test]
    fn within_tolerance_an_average_target_adopts_the_status_unless_switched_off() {
        let mut settings = settings();
        assert_eq!(proposal_for_average_value(30_000, 10_000, &evaluation(&[], 2, 3, &settings)).replicas, 3);
        settings.adopt_status_within_tolerance = false;
        assert_eq!(proposal_for_average_value(30_000, 10_000, &evaluation(&[], 2, 3, &settings)).replicas, 2);
        assert_eq!(proposal_for_average_value(50_000, 10_000, &evaluation(&[], 2, 3, &settings)).replicas, 5);
    }

    #[test]
    fn an_average_target_without_status_replicas_is_out_of_tolerance() {
        let settings = settings();
        let none = evaluation(&[], 0, 0, &settings);
        assert_eq!(proposal_for_average_value(2_500, 1_000, &none).replicas, 3);
        assert_eq!(proposal_for_average_value(0, 1_000, &none).replicas, 0);
    }

    #[test]
    fn sums_and_proposals_saturate() {
        assert_eq!(external_total(&[i64::MAX, 1]), i64::MAX);
        let settings = settings();
        let proposal = proposal_for_average_value(i64::MAX, 1, &evaluation(&[], 1, 1, &settings));
        assert_eq!(proposal.replicas, i32::MAX);
    }
}
