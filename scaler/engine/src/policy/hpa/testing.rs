//! Pods, samples and settings for the unit tests of this folder.

use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;

use crate::policy::age::Age;
use crate::policy::hpa::samples::PodIndex;
use crate::policy::hpa::{Container, ControllerSettings, Pod, Requests, Resource, Sample, Samples};

/// Ready pods `p0`, `p1`, … with one container that requests so much CPU and memory.
pub(super) fn pods_requesting(count: usize, request_milli: i64) -> Vec<Pod> {
    let requests = Requests::from([(Resource::Cpu, request_milli), (Resource::Memory, request_milli)]);
    (0..count)
        .map(|at| Pod {
            containers: [Container { name: "app".into(), requests: requests.clone() }].into(),
            ..Pod::ready(&format!("p{at}"))
        })
        .collect()
}

/// Fresh samples by pod name.
pub(super) fn samples_of<'a>(pods: &[Pod], values: &[(&'a str, i64)]) -> Samples<'a> {
    let sample = |value_milli| Sample { age: Age::ZERO, window: Duration::from_secs(30), value_milli };
    Samples::arrange(&PodIndex::new(pods), values.iter().map(|&(name, value)| (name, sample(value))))
}

/// The defaults of the newest release.
pub(super) fn settings() -> ControllerSettings {
    ControllerSettings::default()
}
