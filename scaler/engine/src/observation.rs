//! Carries what was seen of a service at one moment: its replicas, their readiness, and each signal's value or absence.
//!
//! Times are run times: spans since an origin that the caller chose once. The live driver takes the Unix epoch,
//! so that saved cooldowns keep their meaning over a restart; the simulator starts at zero.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::signal::Signal;

/// Everything a policy may look at, as of one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// When this was seen (run time); never earlier than in the observation before.
    pub at: Duration,
    /// The span that means, rates and quantiles cover; gauges are as of the moment.
    pub window: Duration,
    /// The replicas, in any order.
    pub replicas: Vec<ReplicaObservation>,
    /// Signals of the service as a whole. A signal without an entry was not measured.
    pub service: BTreeMap<Signal, Reading>,
    /// Replicas that exist and are not being deleted, as the platform reported them.
    pub current: u32,
    /// Replicas that receive requests.
    pub ready: u32,
    /// Replicas the platform was last asked for (Kubernetes' `spec.replicas`); used where the engine has no
    /// count of its own yet.
    pub desired: u32,
    /// How long it has been since the list of replicas in rotation was last known; none while it is known. `ready`
    /// and each replica's readiness are of that moment then.
    #[serde(default)]
    pub rotation_unknown_for: Option<Duration>,
    /// Work that stood still, which is why signals of completed jobs may be absent; none if there was none.
    #[serde(default)]
    pub standstill: Option<Standstill>,
}

/// Ready replicas that had work and completed none of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Standstill {
    /// How many replicas.
    pub replicas: u32,
    /// Jobs waiting or being worked on in them.
    pub jobs: f64,
    /// Jobs that they refused, per second.
    pub refused_per_second: f64,
    /// How long the one that has stood still longest has, at least.
    pub at_least: Duration,
}

/// One replica as it was seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReplicaObservation {
    /// The platform's name for it.
    pub id: String,
    /// Whether it receives requests.
    pub ready: bool,
    /// When `ready` last changed, in either direction; none if it never did or nobody knows.
    pub readiness_changed_at: Option<Duration>,
    /// When its process started; none if nobody knows.
    pub started_at: Option<Duration>,
    /// Whether it is on its way out (draining or stopping).
    pub deleting: bool,
    /// Requests it is answering at this moment, as the gateway counts them.
    pub in_flight: u32,
    /// When the newest sample behind `signals` was taken; none without any.
    pub sampled_at: Option<Duration>,
    /// Its own signals; `None` (or no entry) where it was asked and had no value to give.
    pub signals: BTreeMap<Signal, Option<f64>>,
}

/// A service-wide value and how old it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The value in the signal's own unit; none where there is nothing to measure it by. JSON has no NaN, so a
    /// NaN becomes none when an observation is saved.
    pub value: Option<f64>,
    /// Time since the newest sample it rests on.
    pub age: Duration,
}

impl Reading {
    /// A value measured just now.
    pub const fn fresh(value: f64) -> Self {
        Self { value: Some(value), age: Duration::ZERO }
    }
}

impl Observation {
    /// `count` replicas, all ready and without any signal yet; for simulations and tests.
    pub fn of_replicas(at: Duration, count: u32) -> Self {
        let replica = |index: u32| ReplicaObservation {
            id: format!("replica-{index}"),
            ready: true,
            ..ReplicaObservation::default()
        };
        Self {
            at,
            replicas: (1..=count).map(replica).collect(),
            current: count,
            ready: count,
            desired: count,
            ..Self::default()
        }
    }

    /// Sets a fresh service-wide value, reported by every replica alike; for simulations and tests.
    pub fn report_from_all(&mut self, signal: Signal, value: f64) {
        self.service.insert(signal, Reading::fresh(value));
        for replica in &mut self.replicas {
            replica.sampled_at = Some(self.at);
            replica.signals.insert(signal, Some(value));
        }
    }

    /// How many ready replicas gave a finite value for `signal`.
    pub fn reported(&self, signal: Signal) -> u32 {
        let has_value = |replica: &&ReplicaObservation| {
            replica.ready && replica.signals.get(&signal).copied().flatten().is_some_and(f64::is_finite)
        };
        u32::try_from(self.replicas.iter().filter(has_value).count()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ready_replicas_with_a_finite_value_have_reported() {
        let signal = Signal::QueueDepth;
        let mut seen = Observation::of_replicas(Duration::ZERO, 4);
        seen.report_from_all(signal, 3.0);
        assert_eq!(seen.reported(signal), 4);
        seen.replicas[0].ready = false;
        seen.replicas[1].signals.insert(signal, None);
        seen.replicas[2].signals.insert(signal, Some(f64::NAN));
        assert_eq!(seen.reported(signal), 1);
        assert_eq!(seen.reported(Signal::InFlight), 0, "a signal nobody measured");
    }

    #[test]
    fn an_observation_survives_json() {
        let mut seen = Observation::of_replicas(Duration::from_millis(1500), 2);
        seen.report_from_all(Signal::Utilization, 0.5);
        let text = serde_json::to_string(&seen).unwrap();
        assert_eq!(serde_json::from_str::<Observation>(&text).unwrap(), seen);
    }
}
