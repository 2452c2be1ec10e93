//! Decides which pods count: ready, unready, without a sample, or ignored.

use alloc::vec::Vec;
use core::time::Duration;

use crate::policy::hpa::{ControllerSettings, Pod, PodPhase, Resource, Sample, Samples};

/// The pods of an evaluation by group, as positions in the list of pods. Each pod is in exactly one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodGroups {
    /// How many pods are ready.
    pub ready_count: usize,
    /// Pods that do not serve yet: pending, or a CPU sample that says nothing about serving.
    pub unready: Vec<usize>,
    /// Pods without a sample.
    pub missing: Vec<usize>,
    /// Pods that are being deleted, or have failed.
    pub ignored: Vec<usize>,
}

/// Puts each pod into its group.
///
/// Only for `cpu` is readiness looked at: for other metrics a running pod with a sample is ready.
/// Source: `replica_calculator.go`, `groupPods`.
pub fn group_pods(
    pods: &[Pod],
    samples: &Samples<'_>,
    resource: Option<&Resource>,
    settings: &ControllerSettings,
) -> PodGroups {
    let mut groups = PodGroups::default();
    for (at, pod) in pods.iter().enumerate() {
        let sample = samples.of_pods.get(at).and_then(Option::as_ref);
        if pod.deleting || pod.phase == PodPhase::Failed {
            groups.ignored.push(at);
        } else if pod.phase == PodPhase::Pending {
            groups.unready.push(at);
        } else if let Some(sample) = sample {
            if resource == Some(&Resource::Cpu) && has_unready_cpu(pod, sample, settings) {
                groups.unready.push(at);
            } else {
                groups.ready_count += 1;
            }
        } else {
            groups.missing.push(at);
        }
    }
    groups
}

/// Whether a pod's CPU sample is not about serving requests.
fn has_unready_cpu(pod: &Pod, sample: &Sample, settings: &ControllerSettings) -> bool {
    let (Some(ready), Some(start_age)) = (pod.ready, pod.start_age) else { return true };
    if start_age.is_below(settings.cpu_initialization_period) {
        // A whole window must have passed since the pod turned ready, or the sample covers its start-up.
        !ready || pod.ready_transition_age.is_some_and(|changed| sample.age.plus(sample.window) > changed)
    } else {
        !ready && never_was_ready(pod, settings.initial_readiness_delay)
    }
}

/// Whether the Ready condition has not changed since shortly after the start.
fn never_was_ready(pod: &Pod, delay: Duration) -> bool {
    match (pod.start_age, pod.ready_transition_age) {
        (Some(start), Some(changed)) => changed.plus(delay) > start,
        _ => true,
    }
}

impl Samples<'_> {
    /// Drops the samples of ignored and unready pods, which never count.
    ///
    /// Source: `replica_calculator.go`, `removeMetricsForPods`.
    pub(crate) fn drop_uncounted(&mut self, groups: &PodGroups) {
        for &at in groups.unready.iter().chain(&groups.ignored) {
            if let Some(slot) = self.of_pods.get_mut(at) {
                *slot = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::policy::age::Age;

    fn grouped(pod: Pod, sample: Option<Sample>, resource: Option<&Resource>) -> PodGroups {
        let samples = Samples { of_pods: vec![sample], ..Samples::default() };
        group_pods(&[pod], &samples, resource, &ControllerSettings::default())
    }

    fn sample(age_seconds: f64, window_seconds: u64) -> Sample {
        let window = Duration::from_secs(window_seconds);
        Sample { age: Age::from_seconds(age_seconds), window, value_milli: 1 }
    }

    fn pod(ready: Option<bool>, start: f64, changed: f64) -> Pod {
        Pod {
            ready,
            start_age: Some(Age::from_seconds(start)),
            ready_transition_age: Some(Age::from_seconds(changed)),
            ..Pod::ready("p")
        }
    }

    fn is_unready(pod: Pod, sample: Sample) -> bool {
        grouped(pod, Some(sample), Some(&Resource::Cpu)).unready == [0]
    }

    #[test]
    fn deletion_comes_before_pending_and_pending_before_a_missing_sample() {
        let deleting = Pod { deleting: true, phase: PodPhase::Pending, ..Pod::ready("p") };
        assert_eq!(grouped(deleting, None, None).ignored, [0]);
        let failed = Pod { phase: PodPhase::Failed, ..Pod::ready("p") };
        assert_eq!(grouped(failed, Some(sample(0.0, 0)), None).ignored, [0]);
        let pending = Pod { phase: PodPhase::Pending, ..Pod::ready("p") };
        assert_eq!(grouped(pending, None, None).unready, [0]);
        assert_eq!(grouped(Pod::ready("p"), None, None).missing, [0]);
    }

    #[test]
    fn a_finished_pod_with_a_sample_is_ready() {
        let done = Pod { phase: PodPhase::Succeeded, ..Pod::ready("p") };
        assert_eq!(grouped(done, Some(sample(0.0, 0)), Some(&Resource::Cpu)).ready_count, 1);
    }

    #[test]
    fn other_metrics_do_not_look_at_readiness() {
        let memory = Resource::Memory;
        assert_eq!(grouped(pod(Some(false), 1.0, 1.0), Some(sample(0.0, 0)), Some(&memory)).ready_count, 1);
        assert_eq!(grouped(pod(None, 1.0, 1.0), Some(sample(0.0, 0)), None).ready_count, 1);
    }

    #[test]
    fn while_a_pod_initialises_a_whole_window_must_have_passed_since_it_turned_ready() {
        assert!(!is_unready(pod(Some(true), 60.0, 35.0), sample(5.0, 30)), "exactly one window");
        assert!(is_unready(pod(Some(true), 60.0, 35.0), sample(5.001, 30)));
        assert!(is_unready(pod(Some(false), 60.0, 59.0), sample(0.0, 0)));
    }

    #[test]
    fn initialisation_ends_exactly_with_its_period() {
        assert!(is_unready(pod(Some(true), 299.999, 1.0), sample(0.0, 30)));
        assert!(!is_unready(pod(Some(true), 300.0, 1.0), sample(0.0, 30)));
    }

    #[test]
    fn later_only_a_pod_that_never_was_ready_is_unready() {
        assert!(is_unready(pod(Some(false), 1000.0, 970.001), sample(0.0, 30)));
        assert!(!is_unready(pod(Some(false), 1000.0, 970.0), sample(0.0, 30)), "strictly within the delay");
        assert!(!is_unready(pod(Some(false), 1000.0, 5.0), sample(0.0, 30)), "was ready once");
    }

    #[test]
    fn without_a_condition_or_a_start_time_a_pod_is_unready() {
        assert!(is_unready(pod(None, 1000.0, 5.0), sample(0.0, 30)));
        assert!(is_unready(Pod { start_age: None, ..Pod::ready("p") }, sample(0.0, 30)));
    }
}
