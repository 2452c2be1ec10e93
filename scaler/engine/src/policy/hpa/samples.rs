//! Samples per pod, as the metrics client hands them to the calculation.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::policy::age::Age;
use crate::policy::hpa::Pod;

/// The usage of one container in one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerUsage {
    /// The container's name.
    pub name: String,
    /// Its usage in thousandths; none if the container does not report the resource.
    pub usage_milli: Option<i64>,
}

/// What the resource metrics API says of one pod, for one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodUsage {
    /// The pod's name.
    pub pod: String,
    /// How long ago the measurement ended.
    pub age: Age,
    /// The span it averages over.
    pub window: Duration,
    /// Its containers.
    pub containers: Vec<ContainerUsage>,
}

/// What the custom metrics API says of one pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodValue {
    /// The pod's name.
    pub pod: String,
    /// How long ago it was measured.
    pub age: Age,
    /// The span it averages over.
    pub window: Duration,
    /// The value in thousandths.
    pub value_milli: i64,
}

/// One value of one pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// How long ago the measurement ended.
    pub age: Age,
    /// The span it averages over.
    pub window: Duration,
    /// The value in thousandths.
    pub value_milli: i64,
}

/// The samples of an evaluation, arranged by pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Samples<'a> {
    /// The sample of each listed pod, in the order of the list.
    pub of_pods: Vec<Option<Sample>>,
    /// Values of pods that are not in the list, in thousandths. They count in means, not in utilisation.
    pub stray_milli: BTreeMap<&'a str, i64>,
}

impl<'a> Samples<'a> {
    /// Arranges named samples. Of several for one pod the last counts.
    pub fn arrange(pods: &PodIndex<'_>, samples: impl IntoIterator<Item = (&'a str, Sample)>) -> Self {
        let mut arranged = Self { of_pods: alloc::vec![None; pods.len()], stray_milli: BTreeMap::new() };
        let mut expected_next = 0;
        for (name, sample) in samples {
            match pods.find(name, expected_next) {
                Some(at) => {
                    if let Some(slot) = arranged.of_pods.get_mut(at) {
                        *slot = Some(sample);
                    }
                    expected_next = at + 1;
                }
                None => {
                    arranged.stray_milli.insert(name, sample.value_milli);
                }
            }
        }
        arranged
    }

    /// How many values there are, strays included.
    pub fn len(&self) -> usize {
        self.of_pods.iter().flatten().count() + self.stray_milli.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.stray_milli.is_empty() && self.of_pods.iter().all(Option::is_none)
    }
}

/// Finds pods by name without scanning the list.
#[derive(Clone, Debug)]
pub struct PodIndex<'a> {
    names: Vec<&'a str>,
    /// Digest of a name, and its position. Pods of one set share a long prefix, so comparing digests is much faster
    /// than comparing names; names decide between equal digests.
    sorted: Vec<(u64, usize)>,
}

impl<'a> PodIndex<'a> {
    /// Indexes a list of pods.
    pub fn new(pods: &'a [Pod]) -> Self {
        let names: Vec<&str> = pods.iter().map(|pod| pod.name.as_str()).collect();
        let mut sorted: Vec<(u64, usize)> =
            names.iter().enumerate().map(|(at, name)| (digest(name), at)).collect();
        sorted.sort_unstable_by_key(|&(digest, at)| (digest, names.get(at).copied()));
        Self { names, sorted }
    }

    fn len(&self) -> usize {
        self.names.len()
    }

    /// The position of a pod. Samples mostly come in the order of the pods, so `expected` is tried first.
    fn find(&self, name: &str, expected: usize) -> Option<usize> {
        if self.names.get(expected).is_some_and(|&at_expected| at_expected == name) {
            return Some(expected);
        }
        let wanted = (digest(name), Some(name));
        let found = self
            .sorted
            .binary_search_by(|&(digest, at)| {
                digest.cmp(&wanted.0).then_with(|| self.names.get(at).copied().cmp(&wanted.1))
            })
            .ok()?;
        self.sorted.get(found).map(|&(_, at)| at)
    }
}

/// FNV-1a, whose constants these are.
fn digest(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |digest, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Reads resource samples. A pod has one only if each of its containers, or the named one, reports the resource.
///
/// Source: `metrics/client.go`, `getPodMetrics` and `getContainerMetrics` (since kubernetes/kubernetes#127193 a
/// missing container leaves the pod without a sample instead of failing the metric).
pub(crate) fn resource_samples<'a>(
    usages: &'a [PodUsage],
    container: Option<&'a str>,
) -> impl Iterator<Item = (&'a str, Sample)> {
    usages.iter().filter_map(move |usage| {
        let value_milli = match container {
            Some(name) => usage.containers.iter().find(|container| container.name == name)?.usage_milli?,
            None if usage.containers.is_empty() => return None,
            None => usage
                .containers
                .iter()
                .try_fold(0_i64, |sum, container| Some(sum.saturating_add(container.usage_milli?)))?,
        };
        Some((usage.pod.as_str(), Sample { age: usage.age, window: usage.window, value_milli }))
    })
}

/// Reads the values of a Pods metric.
pub(crate) fn value_samples(values: &[PodValue]) -> impl Iterator<Item = (&str, Sample)> {
    values.iter().map(|value| {
        let sample = Sample { age: value.age, window: value.window, value_milli: value.value_milli };
        (value.pod.as_str(), sample)
    })
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn usage(containers: &[(&str, Option<i64>)]) -> PodUsage {
        let containers = containers
            .iter()
            .map(|&(name, usage_milli)| ContainerUsage { name: name.into(), usage_milli })
            .collect();
        PodUsage { pod: "p".into(), age: Age::ZERO, window: Duration::ZERO, containers }
    }

    fn value(usage: &PodUsage, container: Option<&str>) -> Option<i64> {
        resource_samples(core::slice::from_ref(usage), container).next().map(|(_, sample)| sample.value_milli)
    }

    #[test]
    fn a_pod_without_the_resource_in_one_container_has_no_sample() {
        assert_eq!(value(&usage(&[("a", Some(1)), ("b", Some(2))]), None), Some(3));
        assert_eq!(value(&usage(&[("a", Some(1)), ("b", None)]), None), None);
        assert_eq!(value(&usage(&[]), None), None);
    }

    #[test]
    fn a_named_container_alone_decides() {
        let usage = usage(&[("a", Some(1)), ("b", None)]);
        assert_eq!(value(&usage, Some("a")), Some(1));
        assert_eq!(value(&usage, Some("b")), None);
        assert_eq!(value(&usage, Some("c")), None);
    }

    #[test]
    fn samples_are_found_in_any_order_and_the_last_of_a_pod_counts() {
        let pods = vec![Pod::ready("c"), Pod::ready("a"), Pod::ready("b")];
        let sample = |value_milli| Sample { age: Age::ZERO, window: Duration::ZERO, value_milli };
        let given = [("b", sample(1)), ("a", sample(2)), ("stray", sample(4)), ("b", sample(3))];
        let samples = Samples::arrange(&PodIndex::new(&pods), given);
        assert_eq!(samples.of_pods, vec![None, Some(sample(2)), Some(sample(3))]);
        assert_eq!(samples.stray_milli.get("stray"), Some(&4));
        assert_eq!(samples.len(), 3);
    }
}
