//! Pods as the autoscaler sees them.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::policy::age::Age;

/// A resource that containers request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// `cpu`; a thousandth is one millicore.
    Cpu,
    /// `memory`; a thousandth is one thousandth of a byte.
    Memory,
    /// Any other resource, by its name.
    Other(String),
}

impl Resource {
    /// The resource with this name.
    pub fn named(name: &str) -> Self {
        match name {
            "cpu" => Self::Cpu,
            "memory" => Self::Memory,
            other => Self::Other(other.into()),
        }
    }
}

/// Requested amounts in thousandths, per resource.
pub type Requests = BTreeMap<Resource, i64>;

/// The phase of a pod's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodPhase {
    /// Accepted, not yet running.
    Pending,
    /// At least one container runs.
    Running,
    /// All containers ended well.
    Succeeded,
    /// All containers ended, at least one of them badly.
    Failed,
    /// The node does not answer.
    Unknown,
}

/// A container of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Its name, unique in the pod.
    pub name: String,
    /// What it requests.
    pub requests: Requests,
}

/// An init container of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InitContainer {
    /// Its name and requests.
    pub container: Container,
    /// Whether it keeps running beside the others (`restartPolicy: Always`), and so counts.
    pub restartable: bool,
}

/// A pod that the target's selector matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its name, unique among the pods.
    pub name: String,
    /// Its phase.
    pub phase: PodPhase,
    /// The status of its Ready condition; none if it has no such condition.
    pub ready: Option<bool>,
    /// Whether it has a deletion timestamp.
    pub deleting: bool,
    /// How long ago the kubelet acknowledged it; none if it did not yet.
    pub start_age: Option<Age>,
    /// How long ago its Ready condition changed; none counts as infinitely long ago.
    pub ready_transition_age: Option<Age>,
    /// Its containers.
    pub containers: Vec<Container>,
    /// Its init containers.
    pub init_containers: Vec<InitContainer>,
    /// Requests for the pod as a whole.
    pub pod_level_requests: Requests,
}

impl Pod {
    /// A running pod that has been ready for very long, without containers.
    pub fn ready(name: &str) -> Self {
        let long_ago = Some(Age::from_seconds(1e9));
        Self {
            name: name.into(),
            phase: PodPhase::Running,
            ready: Some(true),
            deleting: false,
            start_age: long_ago,
            ready_transition_age: long_ago,
            containers: Vec::new(),
            init_containers: Vec::new(),
            pod_level_requests: Requests::new(),
        }
    }

    /// Whether the pod serves: it runs and its Ready condition is true. A deletion timestamp does not matter.
    ///
    /// Source: `replica_calculator.go`, `getReadyPodsCount`.
    pub fn serves(&self) -> bool {
        self.phase == PodPhase::Running && self.ready == Some(true)
    }
}
