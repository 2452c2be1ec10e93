//! Asks the gateway, which alone knows, who is there and who is in rotation, and remembers when that changed.

use std::collections::BTreeMap;
use std::time::Duration;

use observability::http::client::{HttpClient, Reply};
use scaler_engine::{Reading, ReplicaObservation, Signal};

use super::problem::{address_of, bounded, instead_of_answering};
use super::{Endpoint, EndpointState};

/// Longest wait for the gateway.
const TIMEOUT: Duration = Duration::from_millis(800);

/// The gateway's list, as it was last given.
#[derive(Debug)]
pub(super) struct Rotation {
    url: String,
    endpoints: Vec<Endpoint>,
    listed_at: Option<Duration>,
    readiness_changed_at: BTreeMap<String, Duration>,
}

impl Rotation {
    /// The list of the gateway with this admin address, which has no slash at its end; nobody was asked yet.
    pub(super) fn new(gateway_admin: &str) -> Self {
        Self {
            url: format!("{gateway_admin}/endpoints"),
            endpoints: Vec::new(),
            listed_at: None,
            readiness_changed_at: BTreeMap::new(),
        }
    }

    /// Asks for the list; if it does not come, the last one stays.
    pub(super) async fn refresh(
        &mut self,
        client: &HttpClient,
        now: impl Fn() -> Duration,
    ) -> Result<(), String> {
        let listed = client.get(&self.url, TIMEOUT).await.and_then(Reply::ok).and_then(|reply| reply.json());
        let endpoints = listed.map_err(|error| {
            let instead = instead_of_answering("the request for them", &error);
            let address = address_of(&self.url);
            bounded(&format!("the gateway did not list its endpoints: its admin API at {address} {instead}"))
        })?;
        self.take(endpoints, now());
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
    }

    /// The list, in the gateway's order.
    pub(super) fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Age of the list; none before the first one came.
    pub(super) fn age(&self, now: Duration) -> Option<Duration> {
        self.listed_at.map(|at| now.saturating_sub(at))
    }

    /// Requests being answered by all of them; none before the first list.
    pub(super) fn in_flight(&self, now: Duration) -> Option<Reading> {
        let total: f64 = self.endpoints.iter().map(|endpoint| f64::from(endpoint.in_flight)).sum();
        self.listed_at.map(|at| Reading { value: Some(total), age: now.saturating_sub(at) })
    }

    /// An endpoint as the engine sees it, with what a source measured of it: every signal that is not among
    /// `measured`, nor the gateway's to count, is one it had no value to give for.
    pub(super) fn observe(
        &self,
        endpoint: &Endpoint,
        started_at: Option<Duration>,
        sampled_at: Option<Duration>,
        measured: impl IntoIterator<Item = (Signal, f64)>,
    ) -> ReplicaObservation {
        let mut signals: BTreeMap<Signal, Option<f64>> =
            Signal::ALL.into_iter().map(|signal| (signal, None)).collect();
        signals.extend(measured.into_iter().map(|(signal, value)| (signal, Some(value))));
        signals.insert(Signal::InFlight, Some(f64::from(endpoint.in_flight)));
        ReplicaObservation {
            id: endpoint.url.clone(),
            ready: endpoint.is_ready(),
            readiness_changed_at: self.readiness_changed_at.get(&endpoint.url).copied(),
            started_at,
            deleting: endpoint.state == EndpointState::Draining,
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
