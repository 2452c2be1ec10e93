//! Proposes replicas from a metric that each pod has for itself.

use alloc::vec::Vec;

use crate::policy::hpa::proposal::{Evaluation, MetricError, Proposal, Reported};
use crate::policy::hpa::ratio::{UsageSums, UtilizationSums};
use crate::policy::hpa::{PodGroups, Resource, Samples, Tolerances, group_pods, pod_request_milli};
use crate::policy::rounding::{ceil_to_i32, saturate_to_i64};

/// What a set of samples enlarged by assumed ones comes to.
struct Enlarged {
    ratio: f64,
    samples: usize,
}

/// The rule that all metrics per pod share.
struct Step<'a> {
    current: i32,
    tolerances: Tolerances,
    groups: &'a PodGroups,
    /// The ratio of the samples as they came.
    ratio: f64,
}

impl Step<'_> {
    /// Missing and unready pods are assumed to use whatever speaks against scaling, and the direction never turns.
    ///
    /// Source: `replica_calculator.go`, `GetResourceReplicas` and `calcPlainMetricReplicas`.
    fn replicas(&self, enlarge: impl FnOnce() -> Option<Enlarged>) -> Result<i32, MetricError> {
        if self.groups.missing.is_empty() && !self.counts_unready() {
            // Multiplied by the ready pods, not by the current count, and without a look at the direction: one
            // ready pod of four at twice its target proposes two.
            return Ok(if self.tolerances.contains(self.ratio) {
                self.current
            } else {
                ceil_to_i32(self.ratio * self.groups.ready_count as f64)
            });
        }
        let Enlarged { ratio, samples } = enlarge().ok_or(MetricError::NoKnownPods)?;
        let turned = (self.ratio < 1.0 && ratio > 1.0) || (self.ratio > 1.0 && ratio < 1.0);
        if self.tolerances.contains(ratio) || turned {
            return Ok(self.current);
        }
        let proposed = ceil_to_i32(ratio * samples as f64);
        let contradicts =
            (ratio < 1.0 && proposed > self.current) || (ratio > 1.0 && proposed < self.current);
        Ok(if contradicts { self.current } else { proposed })
    }

    fn counts_unready(&self) -> bool {
        !self.groups.unready.is_empty() && self.ratio > 1.0
    }

    /// How many missing pods are assumed to have a value: none at a ratio of exactly 1.
    fn missing_filled(&self) -> &[usize] {
        if (self.ratio - 1.0).abs() > 0.0 { &self.groups.missing } else { &[] }
    }

    fn unready_filled(&self) -> &[usize] {
        if self.counts_unready() { &self.groups.unready } else { &[] }
    }
}

/// Groups the pods and drops what never counts.
fn counted<'a>(
    mut samples: Samples<'a>,
    resource: Option<&Resource>,
    evaluation: &Evaluation<'_>,
) -> Result<(PodGroups, Samples<'a>), MetricError> {
    if evaluation.pods.is_empty() {
        return Err(MetricError::NoPods);
    }
    let groups = group_pods(evaluation.pods, &samples, resource, evaluation.settings);
    samples.drop_uncounted(&groups);
    if samples.is_empty() {
        return Err(MetricError::NoReadySamples);
    }
    Ok((groups, samples))
}

/// Proposes replicas from utilisation: usage in percent of the requests.
///
/// # Errors
/// Without pods, without samples that count, without a known request, or if nothing is requested.
///
/// Source: `replica_calculator.go`, `GetResourceReplicas`.
pub fn proposal_for_utilization(
    samples: Samples<'_>,
    target_percent: i32,
    resource: &Resource,
    container: Option<&str>,
    evaluation: &Evaluation<'_>,
) -> Result<Proposal, MetricError> {
    let (groups, samples) = counted(samples, Some(resource), evaluation)?;
    let pod_level = evaluation.settings.pod_level_resources;
    let requests = evaluation
        .pods
        .iter()
        .map(|pod| pod_request_milli(pod, resource, container, pod_level))
        .collect::<Result<Vec<i64>, _>>()?;
    let mut sums = UtilizationSums::default();
    for (sample, &request) in samples.of_pods.iter().zip(&requests) {
        if let Some(sample) = sample {
            sums.add(sample.value_milli, request);
        }
    }
    let first = sums.ratio(target_percent).ok_or(MetricError::NoKnownPods)?;
    let step = Step {
        current: evaluation.current(),
        tolerances: evaluation.tolerances,
        groups: &groups,
        ratio: first.ratio,
    };
    let replicas = step.replicas(|| {
        let request_of = |at: usize| requests.get(at).copied().unwrap_or(0);
        for &at in step.missing_filled() {
            let assumed = if step.ratio < 1.0 { full_usage(request_of(at), target_percent) } else { 0 };
            sums.add(assumed, request_of(at));
        }
        for &at in step.unready_filled() {
            sums.add(0, request_of(at));
        }
        let samples = samples.len() + step.missing_filled().len() + step.unready_filled().len();
        sums.ratio(target_percent).map(|enlarged| Enlarged { ratio: enlarged.ratio, samples })
    })?;
    let reported = Reported {
        utilization_percent: Some(first.utilization_percent),
        average_usage_milli: Some(first.average_usage_milli),
        usage_milli: None,
    };
    Ok(Proposal { replicas, reported })
}

/// What a missing pod is assumed to use when the others are below target: its whole request, or the target if
/// that is more.
fn full_usage(request_milli: i64, target_percent: i32) -> i64 {
    saturate_to_i64(i128::from(request_milli) * i128::from(target_percent.max(100)) / 100)
}

/// Proposes replicas from a mean per pod. `resource` is none for custom metrics.
///
/// # Errors
/// Without pods, or without samples that count.
///
/// Source: `replica_calculator.go`, `calcPlainMetricReplicas`.
pub fn proposal_for_average(
    samples: Samples<'_>,
    target_milli: i64,
    resource: Option<&Resource>,
    evaluation: &Evaluation<'_>,
) -> Result<Proposal, MetricError> {
    let (groups, samples) = counted(samples, resource, evaluation)?;
    let mut sums = UsageSums::default();
    let of_pods = samples.of_pods.iter().flatten().map(|sample| sample.value_milli);
    for value_milli in of_pods.chain(samples.stray_milli.values().copied()) {
        sums.add(value_milli);
    }
    let first = sums.ratio(target_milli).ok_or(MetricError::NoReadySamples)?;
    let step = Step {
        current: evaluation.current(),
        tolerances: evaluation.tolerances,
        groups: &groups,
        ratio: first.ratio,
    };
    let replicas = step.replicas(|| {
        let assumed = if step.ratio < 1.0 { target_milli } else { 0 };
        sums.add_times(assumed, step.missing_filled().len());
        sums.add_times(0, step.unready_filled().len());
        let samples = samples.len() + step.missing_filled().len() + step.unready_filled().len();
        sums.ratio(target_milli).map(|enlarged| Enlarged { ratio: enlarged.ratio, samples })
    })?;
    let reported = Reported {
        utilization_percent: None,
        average_usage_milli: None,
        usage_milli: Some(first.usage_milli),
    };
    Ok(Proposal { replicas, reported })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::hpa::testing::{pods_requesting, samples_of, settings};
    use crate::policy::hpa::{Pod, PodPhase};

    fn average(pods: &[Pod], values: &[(&str, i64)], target: i64, current: u32) -> Result<i32, MetricError> {
        let settings = settings();
        let evaluation = Evaluation::new(pods, current, current, &settings, Tolerances::both(0.1));
        proposal_for_average(samples_of(pods, values), target, None, &evaluation)
            .map(|proposal| proposal.replicas)
    }

    fn utilization(
        pods: &[Pod],
        values: &[(&str, i64)],
        target: i32,
        current: u32,
    ) -> Result<i32, MetricError> {
        let settings = settings();
        let evaluation = Evaluation::new(pods, current, current, &settings, Tolerances::both(0.1));
        proposal_for_utilization(samples_of(pods, values), target, &Resource::Cpu, None, &evaluation)
            .map(|proposal| proposal.replicas)
    }

    #[test]
    fn one_ready_pod_of_four_at_twice_its_target_scales_down() {
        let mut pods = pods_requesting(4, 100);
        for pod in pods.iter_mut().skip(1) {
            pod.deleting = true;
        }
        assert_eq!(utilization(&pods, &[("p0", 100)], 50, 4), Ok(2));
    }

    #[test]
    fn a_stray_sample_counts_in_the_mean_but_not_in_utilisation() {
        let pods = pods_requesting(1, 100);
        assert_eq!(
            average(&pods, &[("p0", 10), ("stray", 30)], 10, 1),
            Ok(2),
            "mean 20 of 10, one ready pod"
        );
        assert_eq!(utilization(&pods, &[("p0", 50), ("stray", 900)], 50, 1), Ok(1));
    }

    #[test]
    fn a_stray_sample_counts_among_the_samples_that_are_multiplied() {
        // 40 of 200 requested, with the missing pod full 140 of 200 = 70 % of 100 %; three samples.
        let pods = pods_requesting(2, 100);
        assert_eq!(utilization(&pods, &[("p0", 40), ("stray", 0)], 100, 9), Ok(3));
    }

    #[test]
    fn only_strays_have_no_utilisation() {
        let pods = pods_requesting(1, 100);
        assert_eq!(utilization(&pods, &[("stray", 5)], 50, 1), Err(MetricError::NoKnownPods));
    }

    #[test]
    fn at_a_ratio_of_exactly_one_missing_pods_stay_out() {
        let pods = pods_requesting(5, 100);
        assert_eq!(average(&pods, &[("p0", 10), ("p1", 10), ("p2", 10)], 10, 5), Ok(5));
    }

    #[test]
    fn the_direction_never_turns() {
        // 15 of 10 with three missing pods counted as 0: 15 / 4 of 10 is below 1.
        let pods = pods_requesting(4, 100);
        assert_eq!(average(&pods, &[("p0", 15)], 10, 4), Ok(4));
        // Ratio 2 over two samples, far fewer pods than current: would propose below current.
        let pods = pods_requesting(2, 100);
        assert_eq!(average(&pods, &[("p0", 40)], 10, 9), Ok(9));
    }

    #[test]
    fn a_missing_pod_is_assumed_at_the_target_where_that_is_above_its_request() {
        // p0 10 %, p1 missing: 150 of 200 assumed with a target of 140 % would be (10 + 140) / 200 = 75 %.
        let pods = pods_requesting(2, 100);
        assert_eq!(utilization(&pods, &[("p0", 10)], 140, 2), Ok(2), "75 / 140 x 2 = 1.07");
    }

    #[test]
    fn pending_pods_count_as_idle_on_the_way_up_only() {
        let mut pods = pods_requesting(3, 100);
        pods[2].phase = PodPhase::Pending;
        assert_eq!(
            utilization(&pods, &[("p0", 90), ("p1", 90)], 50, 3),
            Ok(4),
            "60 % of 50 % with three samples"
        );
        assert_eq!(utilization(&pods, &[("p0", 10), ("p1", 10)], 50, 3), Ok(1), "20 % over two ready pods");
    }

    #[test]
    fn without_pods_or_samples_there_is_an_error() {
        assert_eq!(average(&[], &[("p0", 1)], 1, 1), Err(MetricError::NoPods));
        let pods = pods_requesting(1, 100);
        assert_eq!(average(&pods, &[], 1, 1), Err(MetricError::NoReadySamples));
        let nothing = pods_requesting(1, 0);
        assert_eq!(utilization(&nothing, &[("p0", 1)], 50, 1), Err(MetricError::NoKnownPods));
    }
}
