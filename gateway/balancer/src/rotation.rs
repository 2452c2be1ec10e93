//! Keeps the endpoints of a service: adds them, admits and ejects them, picks one for each request, and lets them leave.

use core::time::Duration;

use rand::Rng;

use crate::cost::CostRule;
use crate::discovery::{self, Discovered, DrainedAddresses};
use crate::endpoint::{EndpointId, EndpointView, Phase};
use crate::health::{HealthChange, ProbeAnswer};
use crate::moment::{Moment, StepClock, nanos};
use crate::outcome::Outcome;
use crate::pick::{Candidates, Drawn, Pick, draw};
use crate::roster::Roster;
use crate::score::Score;
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
///
/// A pick, a record and a release cost the same however many endpoints there are; a probe, an admission and a change of
/// the membership cost little more with many.
#[derive(Debug)]
pub struct Rotation {
    settings: BalancerSettings,
    costs: CostRule,
    clock: StepClock,
    roster: Roster,
    drained: DrainedAddresses,
    ejections: u64,
}

impl Default for Rotation {
    /// An empty rotation with the settings of the lab.
    fn default() -> Self {
        Self::with_usable(&BalancerSettings::DEFAULT)
    }
}

impl Rotation {
    /// An empty rotation with these settings; `Rotation::default()` is one with the lab's.
    ///
    /// # Errors
    /// [`SettingsError`] for the first setting that is not usable.
    pub fn new(settings: BalancerSettings) -> Result<Self, SettingsError> {
        settings.validate()?;
        Ok(Self::with_usable(&settings))
    }

    fn with_usable(settings: &BalancerSettings) -> Self {
        Self {
            settings: *settings,
            costs: CostRule::new(settings),
            clock: StepClock::new(settings.cost.outcome_window),
            roster: Roster::default(),
            drained: DrainedAddresses::default(),
            ejections: 0,
        }
    }

    /// Adds an address, or confirms it. One that is draining, or was drained, starts again. Idempotent.
    ///
    /// The address is only a key here; the caller makes sure that equal ones are written equally.
    pub fn put(&mut self, now: Duration, url: &str) -> Put {
        self.drained.allow(url);
        if let Some(place) = self.roster.place_of_url(url) {
            let endpoint = &mut self.roster.endpoints[place];
            endpoint.pinned = true;
            let id = endpoint.id;
            if endpoint.phase == Phase::Draining {
                self.roster.restart(place, now);
            }
            return Put { id, added: false };
        }
        let score = Score::new(nanos(now), self.settings.latency.assumed_max);
        Put { id: self.roster.add(now, url, true, score), added: true }
    }

    /// Takes in one answer of DNS, as the addresses it names. Do not call this after a failed lookup.
    ///
    /// An endpoint that was put stays whatever DNS says; one that DNS alone brought leaves when it has been absent for as
    /// many answers as
    /// [`DiscoverySettings::absent_answers_before_removal`](crate::DiscoverySettings::absent_answers_before_removal).
    pub fn sync_discovered<S: AsRef<str>>(&mut self, now: Duration, urls: &[S]) -> Discovered {
        let discovered = discovery::follow(&mut self.roster, &mut self.drained, now, urls, &self.settings);
        self.bound_ejections(now);
        discovered
    }

    /// Lets an endpoint wait for its probes as if it had just been put: another replica is expected at its address.
    pub fn restart(&mut self, now: Duration, id: EndpointId) {
        let Some(place) = self.roster.place(id) else { return };
        self.roster.restart(place, now);
        self.bound_ejections(now);
    }

    /// Whether this address was drained by an order and has not been put since: it drains, or is kept out.
    pub fn is_drained(&self, url: &str) -> bool {
        let drains = |place: usize| {
            let endpoint = &self.roster.endpoints[place];
            endpoint.phase == Phase::Draining && !endpoint.forget_when_idle
        };
        self.drained.contains(url) || self.roster.place_of_url(url).is_some_and(drains)
    }

    /// Takes an address out of rotation at once; its requests go on. Returns it, or nothing if it is not there.
    pub fn drain(&mut self, now: Duration, url: &str) -> Option<EndpointId> {
        let place = self.roster.place_of_url(url)?;
        self.roster.endpoints[place].forget_when_idle = false;
        self.roster.set_phase(place, Phase::Draining);
        self.bound_ejections(now);
        Some(self.roster.id(place))
    }

    /// Forgets a draining endpoint and keeps its address out until it is put again, or has been absent from DNS.
    /// Returns whether it did: one that was put again meanwhile, or is not there, stays as it is.
    pub fn remove(&mut self, id: EndpointId) -> bool {
        let Some(place) = self.roster.place(id) else { return false };
        if self.roster.endpoints[place].phase != Phase::Draining {
            return false;
        }
        let url = self.roster.forget(place);
        self.drained.add(url, &self.settings.discovery);
        true
    }

    /// Picks an endpoint for one request, not one of `exclude`, and counts the request as in flight there until
    /// [`Rotation::release`].
    pub fn pick<R: Rng + ?Sized>(&mut self, now: Duration, rng: &mut R, exclude: &[EndpointId]) -> Pick {
        let candidates = self.draw(now, rng, exclude);
        self.pick_of(now, candidates)
    }

    /// Draws the candidates of a pick, for a caller that learns of answers late: it records what has happened to these
    /// before [`Rotation::pick_of`] compares them. The two together are a [`Rotation::pick`].
    #[inline]
    pub fn draw<R: Rng + ?Sized>(
        &mut self,
        now: Duration,
        rng: &mut R,
        exclude: &[EndpointId],
    ) -> Candidates {
        self.advance(now);
        // Empty, and so not allocated, for all first tries.
        let left_out = self.roster.ready_positions(exclude);
        let ready = self.roster.ready();
        let candidate = |drawn| ready[past_those(drawn, &left_out)];
        Candidates(match draw(ready.len() - left_out.len(), rng) {
            Drawn::None => Drawn::None,
            Drawn::One(only) => Drawn::One(candidate(only)),
            Drawn::Two(first, second) => Drawn::Two(candidate(first), candidate(second)),
        })
    }

    /// Picks the cheaper of candidates that were drawn from this rotation, of which nothing but answers was recorded since,
    /// and counts the request as in flight there.
    #[inline]
    pub fn pick_of(&mut self, now: Duration, candidates: Candidates) -> Pick {
        let place = match candidates.0 {
            Drawn::None => return Pick::NoneReady,
            Drawn::One(only) => only,
            Drawn::Two(first, second) => {
                let at = self.clock.at(now);
                self.cheaper(first, second, at)
            }
        };
        let endpoint = &mut self.roster.endpoints[place];
        debug_assert!(endpoint.phase == Phase::Ready, "only a ready endpoint is picked");
        endpoint.picked += 1;
        self.roster.scores[place].in_flight += 1;
        Pick::Endpoint(self.roster.id(place))
    }

    #[inline]
    fn cheaper(&mut self, first: usize, second: usize, at: Moment) -> usize {
        let Roster { scores, endpoints, .. } = &mut self.roster;
        for place in [first, second] {
            scores[place].window.advance(at.step, &mut endpoints[place].past);
        }
        let [first_cost, second_cost] = self.costs.of_both([&scores[first], &scores[second]], at.nanos);
        if second_cost < first_cost { second } else { first }
    }

    /// Takes in how a request went. Returns whether the endpoint was ejected for it. An endpoint that is gone is
    /// passed over.
    pub fn record(&mut self, now: Duration, id: EndpointId, outcome: Outcome) -> bool {
        let Some(place) = self.roster.place(id) else { return false };
        let at = self.clock.at(now);
        let (score, endpoint) = (&mut self.roster.scores[place], &mut self.roster.endpoints[place]);
        score.record(at, outcome, &mut endpoint.past, &self.costs.decay);
        if !score.is_watched && !matches!(outcome, Outcome::Failed { .. }) {
            return false;
        }
        let asks_for_ejection =
            endpoint.ejection.record(outcome, score.window.counts(), &self.settings.ejection);
        score.is_watched = endpoint.ejection.counts_something();
        if !asks_for_ejection || endpoint.phase != Phase::Ready {
            return false;
        }
        if !ejection_allowed(self.roster.ready().len() - 1, self.roster.ejected_count() + 1) {
            return false;
        }
        let endpoint = &mut self.roster.endpoints[place];
        let until = endpoint.ejection.eject(now, &self.settings.ejection);
        endpoint.ejections += 1;
        self.ejections += 1;
        self.roster.set_phase(place, Phase::Ejected { until });
        true
    }

    /// Ends a request's stay in flight. Returns whether the endpoint was forgotten with it, as one that DNS no
    /// longer names is with its last request.
    pub fn release(&mut self, id: EndpointId) -> bool {
        let Some(place) = self.roster.place(id) else { return false };
        let in_flight = &mut self.roster.scores[place].in_flight;
        debug_assert!(*in_flight > 0, "released more often than picked");
        *in_flight = in_flight.saturating_sub(1);
        if *in_flight == 0 && self.roster.endpoints[place].forget_when_idle {
            self.roster.forget(place);
            return true;
        }
        false
    }

    /// When the next probe is due, if any is to be sent.
    pub fn next_probe_at(&self) -> Option<Duration> {
        self.roster.next_probe_at()
    }

    /// Takes the endpoint whose probe has been due at `now` for longest and notes it as sent; the caller owes its answer to
    /// [`Rotation::record_probe`]. Call it until it returns nothing.
    pub fn begin_probe(&mut self, now: Duration) -> Option<EndpointId> {
        self.roster.begin_probe(now, &self.settings.probes)
    }

    /// Takes in a probe's answer. Returns whether the endpoint entered the rotation by it.
    pub fn record_probe(&mut self, now: Duration, id: EndpointId, answer: ProbeAnswer) -> bool {
        let Some(place) = self.roster.place(id) else { return false };
        let change = self.roster.record_probe(place, now, answer, &self.settings.probes);
        match (change, self.roster.endpoints[place].phase) {
            (None, _) | (_, Phase::Draining) => return false,
            (Some(HealthChange::Withdrawn), _) => self.roster.set_phase(place, Phase::Starting),
            (Some(HealthChange::Admitted), _) => self.admit(now, place),
        }
        self.bound_ejections(now);
        change == Some(HealthChange::Admitted)
    }

    /// Brings back the ejected endpoints whose time is over. Picking does so too; an observer calls it first.
    #[inline]
    pub fn advance(&mut self, now: Duration) {
        if self.roster.next_return_at().is_some_and(|at| at <= now) {
            self.bring_back(now);
        }
    }

    #[inline(never)]
    fn bring_back(&mut self, now: Duration) {
        // Those that come back at the same time do not count for each other's assumed latency.
        let assumed_latency = self.assumed_latency(now);
        while self.roster.next_return_at().is_some_and(|at| at <= now)
            && let Some(place) = self.roster.next_to_return()
        {
            self.admit_with(now, place, assumed_latency);
        }
    }

    /// All endpoints, in the order in which they were added.
    pub fn endpoints(&self, now: Duration) -> impl Iterator<Item = EndpointView<'_>> {
        self.roster.places().map(move |place| self.view(now, place))
    }

    /// One endpoint, if it is there.
    pub fn endpoint(&self, now: Duration, id: EndpointId) -> Option<EndpointView<'_>> {
        self.roster.place(id).map(|place| self.view(now, place))
    }

    /// Number of endpoints in rotation.
    pub fn ready_count(&self) -> usize {
        self.roster.ready().len()
    }

    /// Ejections since the beginning, also of endpoints that are gone.
    pub fn ejections(&self) -> u64 {
        self.ejections
    }

    fn view(&self, now: Duration, place: usize) -> EndpointView<'_> {
        self.roster.endpoints[place].view(&self.roster.scores[place], nanos(now), &self.costs.decay)
    }

    /// Where ready ones left, too many may be ejected for those that remain: the nearest to their return come back early.
    fn bound_ejections(&mut self, now: Duration) {
        while !ejection_allowed(self.roster.ready().len(), self.roster.ejected_count()) {
            let Some(place) = self.roster.next_to_return() else { break };
            self.admit(now, place);
        }
    }

    fn admit(&mut self, now: Duration, place: usize) {
        let assumed_latency = self.assumed_latency(now);
        self.admit_with(now, place, assumed_latency);
    }

    fn admit_with(&mut self, now: Duration, place: usize, assumed_latency: Duration) {
        let endpoint = &mut self.roster.endpoints[place];
        endpoint.ejection.return_to_rotation(now);
        let score = &mut self.roster.scores[place];
        score.admit(nanos(now), assumed_latency, &mut endpoint.past);
        score.is_watched = endpoint.ejection.counts_something();
        self.roster.set_phase(place, Phase::Ready);
    }

    /// The latency assumed of a newcomer: the mean of those in rotation, or of a sample of these, at most the default.
    ///
    /// In a service that answers in 1 ms a newcomer at 30 ms would lose every comparison for half a minute.
    fn assumed_latency(&self, now: Duration) -> Duration {
        let settings = &self.settings.latency;
        let ready = self.roster.ready();
        if ready.is_empty() {
            return settings.assumed_max;
        }
        let sample = settings.newcomer_sample.min(ready.len());
        let seconds_of = |number: usize| {
            let place = ready[number * ready.len() / sample];
            self.roster.scores[place].ewma.seconds_at(nanos(now), &self.costs.decay)
        };
        let mean_seconds = (0..sample).map(seconds_of).sum::<f64>() / sample as f64;
        Duration::try_from_secs_f64(mean_seconds)
            .map_or(settings.assumed_max, |mean| mean.min(settings.assumed_max))
    }
}

/// The position, among all, of the candidate with this position among those that are not left out.
#[inline]
fn past_those(position: usize, left_out: &[usize]) -> usize {
    left_out.iter().fold(position, |position, &out| if position >= out { position + 1 } else { position })
}

/// Whether so many may be ejected: at most half of those that would otherwise serve, and so never the last.
fn ejection_allowed(ready: usize, ejected: usize) -> bool {
    ejected <= ready
}
