//! Carries what was seen of a service at one moment: its replicas, their readiness, and each signal's value or absence.
//!
//! Times are run times: spans since the Unix epoch, live and in a simulation, which chooses its own beginning. So saved
//! cooldowns keep their meaning over a restart, and a schedule has a calendar.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::need::{Metric, Need, Scope};
use crate::signal::Signal;

/// Everything a policy may look at, as of one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// When this was seen (run time); never earlier than in the observation before.
    pub at: Duration,
    /// The span that the means, rates and quantiles in `service` and in each replica's `signals` cover; gauges are as of
    /// the moment.
    pub window: Duration,
    /// The replicas, in any order.
    pub replicas: Vec<ReplicaObservation>,
    /// Signals of the service as a whole. A signal without an entry was not measured.
    pub service: BTreeMap<Signal, Reading>,
    /// Replicas that exist and are not being deleted, as the platform reported them.
    pub current: u32,
    /// Replicas that receive requests.
    pub ready: u32,
    /// Replicas the platform was last asked for (Kubernetes' `spec.replicas`), as the platform says it, and where it does
    /// not, as the engine believes; used where the engine has no count of its own yet.
    pub desired: u32,
    /// Whether the platform itself brings the count back to `desired` (a controller such as Kubernetes' or Swarm's).
    #[serde(default)]
    pub platform_restores: bool,
    /// Replicas that exist in addition for a while, because a rolling update replaces others; part of `current`.
    #[serde(default)]
    pub surge: u32,
    /// Answers to needs that `service` and the replicas' `signals` do not hold: other windows, named metrics, values from
    /// outside the service.
    #[serde(default)]
    pub further: Vec<Answer>,
    /// How long it has been since the list of replicas in rotation was last known; none while it is known. `ready`
    /// and each replica's readiness are of that moment then.
    #[serde(default)]
    pub rotation_unknown_for: Option<Duration>,
    /// Work that stood still, which is why signals of completed jobs may be absent; none if there was none.
    #[serde(default)]
    pub standstill: Option<Standstill>,
}

/// The answer to one need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// What was wanted.
    pub need: Need,
    /// The value of the service or from outside; none where it was not measured, or each replica has its own.
    pub reading: Option<Reading>,
    /// For each replica's id its own value; none where it was asked and had no value to give.
    #[serde(default)]
    pub of_replicas: BTreeMap<String, Option<f64>>,
    /// What was looked for, and where, if nothing was found.
    #[serde(default)]
    pub problem: Option<String>,
}

/// Where a replica is in its life, as the platform says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It exists, but its process has not started.
    Pending,
    /// Its process runs.
    #[default]
    Running,
    /// Its process ended and is not started again.
    Failed,
}

/// What a replica asked the platform for; none where nothing was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResourceRequests {
    /// CPU cores.
    pub cpu_cores: Option<f64>,
    /// Memory in bytes.
    pub memory_bytes: Option<f64>,
}

impl ResourceRequests {
    /// What is asked for here, and where nothing is, what `otherwise` says.
    #[must_use]
    pub fn or(self, otherwise: Self) -> Self {
        Self {
            cpu_cores: self.cpu_cores.or(otherwise.cpu_cores),
            memory_bytes: self.memory_bytes.or(otherwise.memory_bytes),
        }
    }
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
    /// Where it is in its life.
    #[serde(default)]
    pub phase: Phase,
    /// What it asked the platform for.
    #[serde(default)]
    pub requests: ResourceRequests,
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

    /// The answer to a need for one value, of the service or from outside; none if it was not measured.
    pub fn service_reading(&self, need: &Need) -> Option<Reading> {
        match &need.metric {
            Metric::Signal(signal) if need.scope == Scope::Service && need.window == self.window => {
                self.service.get(signal).copied()
            }
            _ => self.answer(need)?.reading,
        }
    }

    /// A replica's own value for a need of each replica; none if it had none to give.
    pub fn replica_value(&self, replica: &ReplicaObservation, need: &Need) -> Option<f64> {
        match &need.metric {
            Metric::Signal(signal) if need.window == self.window => replica.signals.get(signal).copied()?,
            _ => self.answer(need)?.of_replicas.get(&replica.id).copied()?,
        }
    }

    /// How many ready replicas gave a finite value for a need of each replica.
    pub fn reported(&self, need: &Need) -> u32 {
        let has_value = |replica: &&ReplicaObservation| {
            replica.ready && self.replica_value(replica, need).is_some_and(f64::is_finite)
        };
        u32::try_from(self.replicas.iter().filter(has_value).count()).unwrap_or(u32::MAX)
    }

    /// What was looked for, and where, if nothing answers this need.
    pub fn why_unanswered(&self, need: &Need) -> Option<&str> {
        self.answer(need)?.problem.as_deref()
    }

    fn answer(&self, need: &Need) -> Option<&Answer> {
        self.further.iter().find(|answer| answer.need == *need)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;

    #[test]
    fn only_ready_replicas_with_a_finite_value_have_reported() {
        let signal = Signal::QueueDepth;
        let mut seen = Observation::of_replicas(Duration::ZERO, 4);
        let need = Need::of_each_replica(signal, seen.window);
        seen.report_from_all(signal, 3.0);
        assert_eq!(seen.reported(&need), 4);
        seen.replicas[0].ready = false;
        seen.replicas[1].signals.insert(signal, None);
        seen.replicas[2].signals.insert(signal, Some(f64::NAN));
        assert_eq!(seen.reported(&need), 1);
        let other = Need::of_each_replica(Signal::InFlight, seen.window);
        assert_eq!(seen.reported(&other), 0, "a signal that was not measured");
    }

    #[test]
    fn two_windows_of_one_signal_are_answered_apart() {
        let signal = Signal::RequestsPerSecond;
        let mut seen =
            Observation { window: Duration::from_secs(30), ..Observation::of_replicas(Duration::ZERO, 2) };
        seen.report_from_all(signal, 80.0);
        let short = Need::of_service(signal, Duration::from_secs(5));
        let short_of_each = Need::of_each_replica(signal, Duration::from_secs(5));
        assert_eq!(seen.service_reading(&short), None, "the other window does not stand in for it");
        seen.further = vec![
            Answer {
                need: short.clone(),
                reading: Some(Reading::fresh(200.0)),
                of_replicas: BTreeMap::new(),
                problem: None,
            },
            Answer {
                need: short_of_each.clone(),
                reading: None,
                of_replicas: [("replica-1".to_string(), Some(120.0)), ("replica-2".to_string(), None)].into(),
                problem: None,
            },
        ];
        let value = |need: &Need| seen.service_reading(need).and_then(|reading| reading.value);
        assert_eq!(value(&short), Some(200.0));
        assert_eq!(value(&Need::of_service(signal, seen.window)), Some(80.0));
        assert_eq!(seen.reported(&short_of_each), 1);
        assert_eq!(seen.reported(&Need::of_each_replica(signal, seen.window)), 2);
    }

    #[test]
    fn an_observation_survives_json() {
        let mut seen = Observation::of_replicas(Duration::from_millis(1500), 2);
        seen.report_from_all(Signal::Utilization, 0.5);
        let text = serde_json::to_string(&seen).unwrap();
        assert_eq!(serde_json::from_str::<Observation>(&text).unwrap(), seen);
    }
}
