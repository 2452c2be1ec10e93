//! Asks the gateway, which alone knows, who is there and who is in rotation, and remembers when that changed; and how many
//! requests wait in it for a first replica.

use std::collections::BTreeMap;
use std::time::Duration;

use http_client::{HttpClient, Reply};
use scaler_engine::{Phase, Reading, ReplicaObservation, ResourceRequests, Signal, Standstill};
use scaler_signals::{Growth, ReplicaStandstill, signals_of_replica, standing_still};
use serde::Deserialize;

use super::problem::{address_of, bounded, instead_of_answering};
use super::{Endpoint, EndpointState};

/// Longest wait for the gateway.
const TIMEOUT: Duration = Duration::from_millis(800);

/// A list counts as known for this many intervals between two looks: one answer that is late is no outage.
const KNOWN_INTERVALS: u32 = 2;

/// The gateway's answer on requests that wait in it.
#[derive(Debug, Deserialize)]
struct Waiting {
    waiting_requests: u32,
}

/// The gateway's list, as it was last given.
#[derive(Debug)]
pub(super) struct Rotation {
    url: String,
    waiting_url: String,
    endpoints: Vec<Endpoint>,
    /// Requests that wait in the gateway because no replica is in rotation, as of the list.
    waiting: u32,
    /// When it was last listed; none before the first time.
    listed_at: Option<Duration>,
    is_silent: bool,
    began_at: Duration,
    interval: Duration,
    readiness_changed_at: BTreeMap<String, Duration>,
}

impl Rotation {
    /// The list of the gateway with this admin address, which has no slash at its end, to be asked for each `interval`
    /// from `began_at` (run time) on.
    pub(super) fn new(gateway_admin: &str, began_at: Duration, interval: Duration) -> Self {
        Self {
            url: format!("{gateway_admin}/endpoints"),
            waiting_url: format!("{gateway_admin}/waiting"),
            endpoints: Vec::new(),
            waiting: 0,
            listed_at: None,
            is_silent: true,
            began_at,
            interval,
            readiness_changed_at: BTreeMap::new(),
        }
    }

    /// Asks for the list; if it does not come, the last one stays.
    pub(super) async fn refresh(
        &mut self,
        client: &HttpClient,
        now: impl Fn() -> Duration,
    ) -> Result<(), String> {
        self.is_silent = true;
        let listed = client.get(&self.url, TIMEOUT).await.and_then(Reply::ok).and_then(|reply| reply.json());
        let endpoints = listed.map_err(|error| {
            let instead = instead_of_answering("the request for them", &error);
            let address = address_of(&self.url);
            bounded(&format!("the gateway did not list its endpoints: its admin API at {address} {instead}"))
        })?;
        self.take(endpoints, now());
        // Over the same connection. A gateway in which none can wait does not know the question.
        let waiting = client.get(&self.waiting_url, TIMEOUT).await.and_then(Reply::ok);
        let waiting = waiting.and_then(|reply| reply.json::<Waiting>());
        self.waiting = waiting.map_or(0, |waiting| waiting.waiting_requests);
        Ok(())
    }

    fn take(&mut self, endpoints: Vec<Endpoint>, now: Duration) {
        for endpoint in &endpoints {
            let before = self.endpoints.iter().find(|before| before.url == endpoint.url);
            if before.is_some_and(|before| before.is_ready() != endpoint.is_ready()) {
                self.readiness_changed_at.insert(endpoint.url.clone(), now);
            }
        }
        self.readiness_changed_at.retain(|url, _| endpoints.iter().any(|endpoint| endpoint.url == *url));
        self.endpoints = endpoints;
        self.listed_at = Some(now);
        self.is_silent = false;
    }

    /// The list, in the gateway's order.
    pub(super) fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// How long it has not been known which replicas are in rotation; none while the list is recent.
    pub(super) fn unknown_for(&self, now: Duration) -> Option<Duration> {
        let age = now.saturating_sub(self.listed_at.unwrap_or(self.began_at));
        let is_recent = self.listed_at.is_some() && age <= self.interval * KNOWN_INTERVALS;
        (self.is_silent && !is_recent).then_some(age)
    }

    /// Age of the list; none before the first one came.
    pub(super) fn age(&self, now: Duration) -> Option<Duration> {
        self.listed_at.map(|at| now.saturating_sub(at))
    }

    /// The replicas in rotation that stand still, taken together; `standstill_of` tells what is known of one, and the
    /// rate at which it refuses.
    pub(super) fn standstill<'a>(
        &'a self,
        standstill_of: impl Fn(&'a Endpoint) -> Option<(&'a ReplicaStandstill, f64)>,
    ) -> Option<Standstill> {
        let ready = self.endpoints.iter().filter(|endpoint| endpoint.is_ready());
        standing_still(ready.filter_map(|endpoint| {
            let (own, refused_per_second) = standstill_of(endpoint)?;
            Some((own, f64::from(endpoint.in_flight), refused_per_second))
        }))
    }

    /// Requests in flight to all of them, and those that wait for a first one.
    fn jobs_in_flight(&self) -> f64 {
        self.endpoints.iter().map(|endpoint| f64::from(endpoint.in_flight)).sum::<f64>()
            + f64::from(self.waiting)
    }

    /// Requests in flight to each endpoint, by its URL.
    pub(super) fn in_flight_by_url(&self) -> BTreeMap<&str, u32> {
        self.endpoints.iter().map(|endpoint| (endpoint.url.as_str(), endpoint.in_flight)).collect()
    }

    /// Requests being answered by all of them or waiting for a first one; none before the first list.
    pub(super) fn in_flight(&self, now: Duration) -> Option<Reading> {
        self.listed_at.map(|at| Reading { value: Some(self.jobs_in_flight()), age: now.saturating_sub(at) })
    }

    /// An endpoint as the engine sees it, with what a source measured of it: every signal that `measured` does not tell,
    /// nor the gateway counts, is one it had no value to give for.
    pub(super) fn observe(
        &self,
        endpoint: &Endpoint,
        now: Duration,
        started_at: Option<Duration>,
        sampled_at: Option<Duration>,
        measured: Option<(&Growth, &ReplicaStandstill)>,
    ) -> ReplicaObservation {
        let mut signals = signals_of_replica(measured, f64::from(endpoint.in_flight));
        let in_flight = self.unknown_for(now).is_none().then_some(f64::from(endpoint.in_flight));
        signals.insert(Signal::InFlight, in_flight);
        ReplicaObservation {
            id: endpoint.url.clone(),
            ready: endpoint.is_ready(),
            readiness_changed_at: self.readiness_changed_at.get(&endpoint.url).copied(),
            started_at,
            deleting: endpoint.state == EndpointState::Draining,
            phase: Phase::Running,
            requests: ResourceRequests::default(),
            in_flight: endpoint.in_flight,
            sampled_at,
            signals,
        }
    }
}

impl Endpoint {
    /// Whether it is in rotation.
    pub(super) fn is_ready(&self) -> bool {
        self.state == EndpointState::Ready
    }
}
