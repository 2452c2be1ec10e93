//! Shows each replica with what the gateway, the platform and its own metrics know of it.

use std::time::Duration;

use scaler_engine::{ReplicaObservation, Signal};
use serde::Serialize;

use super::{GatewayStatus, ReplicaState, ReplicaStates};
use crate::actuators::{Listing, ReplicaEntry, same_address};
use crate::sighting::Sighting;
use crate::sources::Endpoint;

/// A replica: in the gateway's list, or started and not yet there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct EndpointStatus {
    /// The platform's name for it, or its address where the platform tells none.
    pub(crate) id: String,
    /// Its address; none before it has one.
    pub(crate) url: Option<String>,
    pub(crate) state: ReplicaState,
    /// Requests it is answering, as the gateway counts them.
    pub(crate) in_flight: u32,
    /// Peak EWMA of its latency at the gateway; milliseconds.
    pub(crate) ewma_ms: Option<f64>,
    /// Its process, where it is one.
    pub(crate) pid: Option<u32>,
    /// Its own 95th percentile over the window.
    pub(crate) response_time_p95_seconds: Option<f64>,
    /// Jobs waiting in its queue, mean over the window.
    pub(crate) queue_depth: Option<f64>,
    /// Mean wait for a connection to the dependency over the window; none where nothing waited, as without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dependency_wait_seconds: Option<f64>,
    /// Busy workers ÷ workers, 0 to 1.
    pub(crate) utilization: Option<f64>,
    /// CPU time per second of time: 1.0 is one core.
    pub(crate) cpu_cores: Option<f64>,
    pub(crate) memory_bytes: Option<f64>,
    /// Time since its process started.
    pub(crate) age_seconds: Option<f64>,
}

impl EndpointStatus {
    /// All replicas of one look, at `now` (run time): in the gateway's order, then those it does not know yet.
    pub(crate) fn all(seen: &Sighting, states: &ReplicaStates, now: Duration) -> Vec<Self> {
        let sample = &seen.sample;
        let is_listed_now = GatewayStatus::of(sample).responding;
        let mut listed: Vec<&ReplicaEntry> =
            seen.listed.as_ref().map(Listing::entries).unwrap_or_default().iter().collect();
        let mut all: Vec<Self> = sample
            .endpoints
            .iter()
            .map(|endpoint| {
                let entry = listed.iter().position(|entry| is_same(entry, endpoint));
                let entry = entry.map(|place| listed.remove(place));
                let measured = sample.replicas.iter().find(|replica| replica.id == endpoint.url);
                Self::of_endpoint(endpoint, entry, measured, states, now)
            })
            .collect();
        all.extend(listed.into_iter().map(|entry| Self::of_entry(entry, now)));
        // Without the gateway it is not known which replicas are in rotation. Which do not answer, or are being
        // stopped, is known without it.
        let is_known = |state| matches!(state, ReplicaState::NotResponding | ReplicaState::Draining);
        for one in all.iter_mut().filter(|one| !is_listed_now && !is_known(one.state)) {
            one.state = ReplicaState::Unknown;
        }
        all
    }

    fn of_endpoint(
        endpoint: &Endpoint,
        entry: Option<&ReplicaEntry>,
        measured: Option<&ReplicaObservation>,
        states: &ReplicaStates,
        now: Duration,
    ) -> Self {
        let signal = |signal| measured.and_then(|replica| replica.signals.get(&signal).copied().flatten());
        // A platform may tell when the replica was made; its process may have begun anew since.
        let started_at =
            entry.and_then(|entry| entry.started_at).max(measured.and_then(|replica| replica.started_at));
        let age = started_at.map(|started| now.saturating_sub(started));
        Self {
            id: entry.map_or_else(|| endpoint.url.clone(), |entry| entry.id.clone()),
            url: Some(endpoint.url.clone()),
            state: match entry {
                Some(entry) if entry.is_stopping => ReplicaState::Draining,
                _ => states.of(endpoint, age),
            },
            in_flight: endpoint.in_flight,
            ewma_ms: endpoint.ewma_ms,
            pid: endpoint.pid,
            response_time_p95_seconds: signal(Signal::ResponseTimeP95Seconds),
            queue_depth: signal(Signal::QueueDepth),
            dependency_wait_seconds: signal(Signal::DependencyWaitSeconds).filter(|wait| *wait > 0.0),
            utilization: signal(Signal::Utilization),
            cpu_cores: signal(Signal::CpuCores),
            memory_bytes: signal(Signal::MemoryBytes),
            age_seconds: age.map(|age| age.as_secs_f64()),
        }
    }

    fn of_entry(entry: &ReplicaEntry, now: Duration) -> Self {
        Self {
            id: entry.id.clone(),
            url: entry.url.clone(),
            state: if entry.is_stopping { ReplicaState::Draining } else { ReplicaState::Starting },
            in_flight: 0,
            ewma_ms: None,
            pid: entry.pid,
            response_time_p95_seconds: None,
            queue_depth: None,
            dependency_wait_seconds: None,
            utilization: None,
            cpu_cores: None,
            memory_bytes: None,
            age_seconds: entry.started_at.map(|started| now.saturating_sub(started).as_secs_f64()),
        }
    }
}

fn is_same(entry: &ReplicaEntry, endpoint: &Endpoint) -> bool {
    match &entry.url {
        Some(url) => same_address(url, &endpoint.url),
        None => entry.pid.is_some() && entry.pid == endpoint.pid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::{EndpointState, Sample};

    #[test]
    fn the_three_who_know_a_replica_are_put_together() {
        let endpoint = |url: &str, pid, state| Endpoint {
            url: url.to_owned(),
            state,
            in_flight: 2,
            ewma_ms: Some(51.0),
            pid: Some(pid),
        };
        let entry = |id: &str, url: Option<&str>, pid, is_stopping| ReplicaEntry {
            id: id.to_owned(),
            url: url.map(str::to_owned),
            pid: Some(pid),
            is_stopping,
            started_at: Some(Duration::from_secs(40)),
            ..ReplicaEntry::default()
        };
        let measured = ReplicaObservation {
            id: "http://a:1".to_owned(),
            signals: [(Signal::MemoryBytes, Some(12e6)), (Signal::QueueDepth, None)].into(),
            started_at: Some(Duration::from_secs(75)),
            ..ReplicaObservation::default()
        };
        let seen = Sighting {
            began_at: Duration::ZERO,
            sample: Sample {
                endpoints: vec![
                    endpoint("http://a:1", 11, EndpointState::Ready),
                    endpoint("http://b:2", 12, EndpointState::Ejected),
                    endpoint("http://c:3", 13, EndpointState::Ready),
                ],
                replicas: vec![measured],
                list_age: Some(Duration::ZERO),
                ..Sample::default()
            },
            listed: Ok(Listing::of_each(vec![
                entry("webapp-1", Some("http://a:1/"), 11, false),
                entry("webapp-2", None, 12, false),
                entry("webapp-4", None, 14, false),
                entry("webapp-5", None, 15, true),
            ])),
            news: Vec::new(),
        };
        let mut states = ReplicaStates::default();
        states.notice(&seen);
        let all = EndpointStatus::all(&seen, &states, Duration::from_secs(100));
        let shown: Vec<_> = all.iter().map(|one| (one.id.as_str(), one.state, one.age_seconds)).collect();
        assert_eq!(
            shown,
            [
                ("webapp-1", ReplicaState::Ready, Some(25.0)),
                ("webapp-2", ReplicaState::Ejected, Some(60.0)),
                ("http://c:3", ReplicaState::Ready, None),
                ("webapp-4", ReplicaState::Starting, Some(60.0)),
                ("webapp-5", ReplicaState::Draining, Some(60.0)),
            ]
        );
        assert_eq!((all[0].memory_bytes, all[0].queue_depth, all[0].in_flight), (Some(12e6), None, 2));

        let silent = Sample { list_age: Some(Duration::from_secs(9)), ..seen.sample.clone() };
        let seen = Sighting { sample: silent, ..seen };
        let all = EndpointStatus::all(&seen, &states, Duration::from_secs(100));
        let (stopping, others) = all.split_last().unwrap();
        assert_eq!(stopping.state, ReplicaState::Draining, "the platform says so");
        let is_unknown = |one: &EndpointStatus| one.state == ReplicaState::Unknown;
        assert!(others.iter().all(is_unknown), "a gateway that is away says nothing about rotation: {all:?}");
    }
}
