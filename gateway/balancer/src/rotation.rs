//! Keeps the set of endpoints: who is there, who is in rotation, who is picked, who leaves.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use rand::Rng;

use crate::discovery::KeptOut;
use crate::endpoint::{Endpoint, EndpointId, EndpointView, Phase};
use crate::health::{HealthChange, ProbeAnswer};
use crate::outcome::Outcome;
use crate::pick::{self, Pick};
use crate::settings::{BalancerSettings, SettingsError};

/// What [`Rotation::put`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Put {
    /// The endpoint, new or known.
    pub id: EndpointId,
    /// Whether it was not there before.
    pub added: bool,
}

/// The endpoints of a service, in the order in which they were added.
///
/// Invariants: an ejected endpoint exists only beside at least as many ready ones; a draining or ejected endpoint
/// is never picked; each pick raises `in_flight` by one until its release.
#[derive(Debug, Default)]
pub struct Rotation {
    pub(crate) settings: BalancerSettings,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) kept_out: Vec<KeptOut>,
    /// Positions of the ready endpoints; follows every change of a phase.
    ready: Vec<usize>,
    /// When the next ejected endpoint comes back.
    next_return_at: Option<Duration>,
    last_id: u64,
    ejections: u64,
}

impl Rotation {
    /// An empty rotation with these settings; `Rotation::default()` is one with the lab's.
    ///
    /// # Errors
    /// [`SettingsError`] for the first setting that is not usable.
    pub fn new(settings: BalancerSettings) -> Result<Self, SettingsError> {
        settings.validate()?;
        Ok(Self { settings, ..Self::default() })
    }

    /// Adds an address, or confirms it. One that is draining, or was drained, starts anew. Idempotent.
    ///
    /// The address is only a key here; the caller makes sure that equal ones are written equally.
    pub fn put(&mut self, now: Duration, url: &str) -> Put {
        self.kept_out.retain(|kept_out| kept_out.url != url);
        if let Some(position) = self.position_of_url(url) {
            let endpoint = &mut self.endpoints[position];
            endpoint.pinned = true;
            if endpoint.phase == Phase::Draining {
                endpoint.restart(now);
            }
            return Put { id: endpoint.id, added: false };
        }
        Put { id: self.add(now, url, true), added: true }
    }

    /// Lets an endpoint wait for its probes as if it had just been put: another replica is expected at its address.
    pub fn restart(&mut self, now: Duration, id: EndpointId) {
        let Some(position) = self.position(id) else { return };
        self.endpoints[position].restart(now);
        self.follow_phases(now);
    }

    /// Whether somebody drained this address and nobody has put it since: it drains, or is kept out.
    pub fn is_drained(&self, url: &str) -> bool {
        let drains = |endpoint: &Endpoint| endpoint.phase == Phase::Draining && !endpoint.forget_when_idle;
        self.kept_out.iter().any(|kept_out| kept_out.url == url)
            || self.position_of_url(url).is_some_and(|position| drains(&self.endpoints[position]))
    }

    /// Takes an address out of rotation at once; its requests go on. Returns it, or nothing if it is not there.
    pub fn drain(&mut self, now: Duration, url: &str) -> Option<EndpointId> {
        let position = self.position_of_url(url)?;
        self.endpoints[position].phase = Phase::Draining;
        self.endpoints[position].forget_when_idle = false;
        self.follow_phases(now);
        Some(self.endpoints[position].id)
    }

    /// Forgets a draining endpoint and keeps its address out until it is put again, or has been absent from DNS.
    /// Returns whether it did: one that was put again meanwhile, or is not there, stays as it is.
    pub fn remove(&mut self, id: EndpointId) -> bool {
        let Some(position) = self.position(id) else { return false };
        if self.endpoints[position].phase != Phase::Draining {
            return false;
        }
        let url = self.forget(position);
        self.keep_out(url);
        true
    }

    /// Picks an endpoint for one request, not one of `exclude`, and counts the request as in flight there until
    /// [`Rotation::release`].
    pub fn pick<R: Rng + ?Sized>(&mut self, now: Duration, rng: &mut R, exclude: &[EndpointId]) -> Pick {
        self.advance(now);
        let position = if exclude.is_empty() {
            pick::cheaper_of_two(&self.endpoints, &self.ready, now, rng, &self.settings)
        } else {
            let mut candidates = self.ready.clone();
            candidates.retain(|&position| !exclude.contains(&self.endpoints[position].id));
            pick::cheaper_of_two(&self.endpoints, &candidates, now, rng, &self.settings)
        };
        let Some(position) = position else { return Pick::NoneReady };
        let endpoint = &mut self.endpoints[position];
        debug_assert!(endpoint.phase == Phase::Ready, "only a ready endpoint is picked");
        endpoint.in_flight += 1;
        endpoint.picked += 1;
        Pick::Endpoint(endpoint.id)
    }

    /// Takes in how a request went. Returns whether the endpoint was ejected for it. An endpoint that is gone is
    /// passed over.
    pub fn record(&mut self, now: Duration, id: EndpointId, outcome: Outcome) -> bool {
        let Some(position) = self.position(id) else { return false };
        let endpoint = &mut self.endpoints[position];
        endpoint.answers.add(outcome);
        endpoint.window.record(now, outcome, self.settings.cost.outcome_window);
        endpoint.unserved_streak = match outcome {
            Outcome::Success { .. } | Outcome::ClientError { .. } => 0,
            Outcome::Refused | Outcome::Failed { .. } => endpoint.unserved_streak.saturating_add(1),
        };
        let is_client_error = matches!(outcome, Outcome::ClientError { .. });
        endpoint.client_error_streak =
            if is_client_error { endpoint.client_error_streak.saturating_add(1) } else { 0 };
        endpoint.last_answers.add(is_client_error);
        match outcome {
            Outcome::Success { latency } | Outcome::ClientError { latency } => {
                endpoint.ewma.record(now, latency, &self.settings.latency);
            }
            // A quick failure must not look fast: it is taken in only where it is slower than what is known.
            Outcome::Failed { after }
                if after.as_secs_f64() > endpoint.ewma.seconds_at(now, &self.settings.latency) =>
            {
                endpoint.ewma.record(now, after, &self.settings.latency);
            }
            Outcome::Refused | Outcome::Failed { .. } => {}
        }
        let counts = endpoint.window.counts(now, self.settings.cost.outcome_window);
        if !endpoint.ejection.record(outcome, counts, &self.settings.ejection)
            || endpoint.phase != Phase::Ready
        {
            return false;
        }
        if !ejection_allowed(self.ready.len() - 1, self.ejected_count() + 1) {
            return false;
        }
        let endpoint = &mut self.endpoints[position];
        endpoint.phase = Phase::Ejected { until: endpoint.ejection.eject(now, &self.settings.ejection) };
        endpoint.ejections += 1;
        self.ejections += 1;
        self.follow_phases(now);
        true
    }

    /// Ends a request's stay in flight. Returns whether the endpoint was forgotten with it, as one that DNS no
    /// longer names is with its last request.
    pub fn release(&mut self, id: EndpointId) -> bool {
        let Some(position) = self.position(id) else { return false };
        let endpoint = &mut self.endpoints[position];
        debug_assert!(endpoint.in_flight > 0, "released more often than picked");
        endpoint.in_flight = endpoint.in_flight.saturating_sub(1);
        if endpoint.forget_when_idle && endpoint.in_flight == 0 {
            self.forget(position);
            return true;
        }
        false
    }

    /// When the next probe is due, if any is to be sent.
    pub fn next_probe_at(&self) -> Option<Duration> {
        self.probed().filter_map(|endpoint| endpoint.health.next_probe_at()).min()
    }

    /// Takes one endpoint whose probe is due at `now` and notes it as sent; the caller owes its answer to
    /// [`Rotation::record_probe`]. Call it until it returns nothing.
    pub fn begin_probe(&mut self, now: Duration) -> Option<EndpointId> {
        let due = |endpoint: &&Endpoint| endpoint.health.next_probe_at().is_some_and(|at| at <= now);
        let id = self.probed().find(due)?.id;
        let position = self.position(id)?;
        self.endpoints[position].health.begin(now, &self.settings.probes);
        Some(id)
    }

    /// Takes in a probe's answer. Returns whether the endpoint entered the rotation by it.
    pub fn record_probe(&mut self, now: Duration, id: EndpointId, answer: ProbeAnswer) -> bool {
        let Some(position) = self.position(id) else { return false };
        let endpoint = &mut self.endpoints[position];
        let change = endpoint.health.record(now, answer, &self.settings.probes);
        match (change, endpoint.phase) {
            (None, _) | (_, Phase::Draining) => return false,
            (Some(HealthChange::Withdrawn), _) => endpoint.phase = Phase::Starting,
            (Some(HealthChange::Admitted), _) => self.admit(now, position),
        }
        self.follow_phases(now);
        change == Some(HealthChange::Admitted)
    }

    /// Brings back the ejected endpoints whose time is over. Picking does so too; an observer calls it first.
    pub fn advance(&mut self, now: Duration) {
        if self.next_return_at.is_none_or(|at| at > now) {
            return;
        }
        for position in 0..self.endpoints.len() {
            if matches!(self.endpoints[position].phase, Phase::Ejected { until } if until <= now) {
                self.admit(now, position);
            }
        }
        self.follow_phases(now);
    }

    /// All endpoints, in the order in which they were added.
    pub fn endpoints(&self, now: Duration) -> impl Iterator<Item = EndpointView<'_>> {
        self.endpoints.iter().map(move |endpoint| endpoint.view(now, &self.settings.latency))
    }

    /// One endpoint, if it is there.
    pub fn endpoint(&self, now: Duration, id: EndpointId) -> Option<EndpointView<'_>> {
        self.position(id).map(|position| self.endpoints[position].view(now, &self.settings.latency))
    }

    /// Number of endpoints in rotation.
    pub fn ready_count(&self) -> usize {
        self.ready.len()
    }

    /// Ejections since the beginning, also of endpoints that are gone.
    pub fn ejections(&self) -> u64 {
        self.ejections
    }

    pub(crate) fn add(&mut self, now: Duration, url: &str, pinned: bool) -> EndpointId {
        self.last_id += 1;
        let id = EndpointId(self.last_id);
        let assumed_latency = self.settings.latency.assumed_max;
        self.endpoints.push(Endpoint::new(id, String::from(url), pinned, now, assumed_latency));
        id
    }

    pub(crate) fn position_of_url(&self, url: &str) -> Option<usize> {
        self.endpoints.iter().position(|endpoint| endpoint.url == url)
    }

    /// Drops an endpoint and returns its address. Only one that is out of rotation is dropped, so nothing is owed
    /// to the invariant about ejected ones.
    pub(crate) fn forget(&mut self, position: usize) -> String {
        debug_assert!(
            self.endpoints[position].phase == Phase::Draining,
            "only a drained endpoint is forgotten"
        );
        let endpoint = self.endpoints.remove(position);
        self.index_phases();
        endpoint.url
    }

    /// Restores the invariants after phases changed at `now`.
    pub(crate) fn follow_phases(&mut self, now: Duration) {
        self.index_phases();
        // When ready ones leave, too many may be ejected for those that remain: the nearest to their return come
        // back early.
        while !ejection_allowed(self.ready.len(), self.ejected_count()) {
            let Some(position) = self.next_to_return() else { break };
            self.admit(now, position);
            self.index_phases();
        }
    }

    fn admit(&mut self, now: Duration, position: usize) {
        let assumed_latency = self.assumed_latency(now);
        self.endpoints[position].admit(now, assumed_latency);
    }

    /// The latency assumed of a newcomer: the mean of those in rotation, at most the default.
    ///
    /// In a service that answers in 1 ms a newcomer at 30 ms would lose every comparison for half a minute.
    fn assumed_latency(&self, now: Duration) -> Duration {
        let assumed_max = self.settings.latency.assumed_max;
        if self.ready.is_empty() {
            return assumed_max;
        }
        let sum: f64 = self
            .ready
            .iter()
            .map(|&ready| self.endpoints[ready].ewma.seconds_at(now, &self.settings.latency))
            .sum();
        let mean_seconds = sum / self.ready.len() as f64;
        Duration::try_from_secs_f64(mean_seconds).map_or(assumed_max, |mean| mean.min(assumed_max))
    }

    fn index_phases(&mut self) {
        self.ready.clear();
        self.next_return_at = None;
        for (position, endpoint) in self.endpoints.iter().enumerate() {
            match endpoint.phase {
                Phase::Ready => self.ready.push(position),
                Phase::Ejected { until } => {
                    self.next_return_at = Some(self.next_return_at.map_or(until, |at| at.min(until)));
                }
                Phase::Starting | Phase::Draining => {}
            }
        }
    }

    fn next_to_return(&self) -> Option<usize> {
        let ejected =
            self.endpoints.iter().enumerate().filter_map(|(position, endpoint)| match endpoint.phase {
                Phase::Ejected { until } => Some((until, position)),
                _ => None,
            });
        ejected.min().map(|(_, position)| position)
    }

    fn ejected_count(&self) -> usize {
        self.endpoints.iter().filter(|endpoint| matches!(endpoint.phase, Phase::Ejected { .. })).count()
    }

    fn probed(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().filter(|endpoint| endpoint.phase != Phase::Draining)
    }

    fn position(&self, id: EndpointId) -> Option<usize> {
        // Identifiers only grow and are appended.
        self.endpoints.binary_search_by_key(&id, |endpoint| endpoint.id).ok()
    }
}

/// Whether so many may be ejected: at most half of those that would otherwise serve, and so never the last.
fn ejection_allowed(ready: usize, ejected: usize) -> bool {
    ejected <= ready
}
