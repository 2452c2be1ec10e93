//! Keeps endpoints and the indexes over them, so that nothing that happens to one looks at all.
//!
//! An endpoint has a place, which is used again after it; its id has the place and a number that is never used again.
//! Hot and cold parts lie in arrays of their own. The indexes follow each change of a phase and of a probe: the
//! ready endpoints in the order in which they were added, the ejected by their return, and the probes by when they are due.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::endpoint::{Endpoint, EndpointId, Phase};
use crate::health::{Health, HealthChange, ProbeAnswer};
use crate::score::Score;
use crate::settings::ProbeSettings;

/// The number of a place that is free.
const FREE: u64 = 0;

/// A time at which something is due at a place; at equal times in the order in which endpoints were added.
type Due = (Duration, EndpointId);

#[derive(Debug, Default)]
pub(crate) struct Roster {
    /// By place, as the two below: what a pick reads.
    pub(crate) scores: Vec<Score>,
    /// Those of free places are left as they were.
    pub(crate) endpoints: Vec<Endpoint>,
    numbers: Vec<u64>,
    free: Vec<usize>,
    by_number: BTreeMap<u64, usize>,
    by_url: BTreeMap<Arc<str>, usize>,
    /// Places of the ready endpoints, by their numbers.
    ready: Vec<usize>,
    returns: BTreeSet<Due>,
    /// The first time in `returns`, which each pick looks at.
    next_return_at: Option<Duration>,
    probes: BTreeSet<Due>,
    last_number: u64,
}

impl Roster {
    /// The place of an endpoint, if it is still there.
    #[inline]
    pub(crate) fn place(&self, id: EndpointId) -> Option<usize> {
        let place = id.place as usize;
        (self.numbers.get(place) == Some(&id.number)).then_some(place)
    }

    pub(crate) fn place_of_url(&self, url: &str) -> Option<usize> {
        self.by_url.get(url).copied()
    }

    #[inline]
    pub(crate) fn id(&self, place: usize) -> EndpointId {
        EndpointId { number: self.numbers[place], place: as_u32(place) }
    }

    /// All places, in the order in which their endpoints were added.
    pub(crate) fn places(&self) -> impl Iterator<Item = usize> {
        self.by_number.values().copied()
    }

    /// Places of the ready endpoints, in the order in which these were added.
    #[inline]
    pub(crate) fn ready(&self) -> &[usize] {
        &self.ready
    }

    /// Positions in [`Self::ready`] of those of `ids` that are there, ascending and each once.
    pub(crate) fn ready_positions(&self, ids: &[EndpointId]) -> Vec<usize> {
        let position = |id: &EndpointId| self.ready_position(id.number).ok();
        let mut positions: Vec<usize> = ids.iter().filter_map(position).collect();
        positions.sort_unstable();
        positions.dedup();
        positions
    }

    pub(crate) fn ejected_count(&self) -> usize {
        self.returns.len()
    }

    /// When the next ejected endpoint comes back.
    #[inline]
    pub(crate) fn next_return_at(&self) -> Option<Duration> {
        self.next_return_at
    }

    /// The place of the ejected endpoint that comes back next.
    pub(crate) fn next_to_return(&self) -> Option<usize> {
        self.returns.first().map(|&(_, id)| id.place as usize)
    }

    /// Adds an address that is not there.
    pub(crate) fn add(&mut self, now: Duration, url: &str, pinned: bool, score: Score) -> EndpointId {
        debug_assert!(!self.by_url.contains_key(url), "an address is there once");
        self.last_number += 1;
        let place = self.free.pop().unwrap_or(self.numbers.len());
        let id = EndpointId { number: self.last_number, place: as_u32(place) };
        let url: Arc<str> = Arc::from(url);
        let endpoint = Endpoint::new(id, Arc::clone(&url), pinned, now);
        if place == self.numbers.len() {
            self.numbers.push(id.number);
            self.scores.push(score);
            self.endpoints.push(endpoint);
        } else {
            self.numbers[place] = id.number;
            self.scores[place] = score;
            self.endpoints[place] = endpoint;
        }
        self.by_number.insert(id.number, place);
        self.by_url.insert(url, place);
        self.follow_probe(place);
        id
    }

    /// Drops an endpoint and returns its address. Only one that is out of rotation is dropped, so nothing is owed
    /// to the invariant about ejected ones.
    pub(crate) fn forget(&mut self, place: usize) -> Arc<str> {
        debug_assert!(self.endpoints[place].phase == Phase::Draining, "only a drained endpoint is forgotten");
        let number = core::mem::replace(&mut self.numbers[place], FREE);
        self.by_number.remove(&number);
        let url = Arc::clone(&self.endpoints[place].url);
        self.by_url.remove(&url);
        self.free.push(place);
        url
    }

    pub(crate) fn set_phase(&mut self, place: usize, phase: Phase) {
        let id = self.id(place);
        match core::mem::replace(&mut self.endpoints[place].phase, phase) {
            Phase::Ready => {
                if let Ok(position) = self.ready_position(id.number) {
                    self.ready.remove(position);
                }
            }
            Phase::Ejected { until } => drop(self.returns.remove(&(until, id))),
            Phase::Starting | Phase::Draining => {}
        }
        match phase {
            Phase::Ready => {
                if let Err(position) = self.ready_position(id.number) {
                    self.ready.insert(position, place);
                }
            }
            Phase::Ejected { until } => drop(self.returns.insert((until, id))),
            Phase::Starting | Phase::Draining => {}
        }
        self.next_return_at = self.returns.first().map(|&(at, _)| at);
        self.follow_probe(place);
    }

    /// Begins again, as if just put; requests in flight and totals stay.
    pub(crate) fn restart(&mut self, place: usize, now: Duration) {
        let endpoint = &mut self.endpoints[place];
        endpoint.forget_when_idle = false;
        endpoint.absent_answers = 0;
        endpoint.health = Health::new(now);
        self.set_phase(place, Phase::Starting);
    }

    pub(crate) fn next_probe_at(&self) -> Option<Duration> {
        self.probes.first().map(|&(at, _)| at)
    }

    /// The endpoint whose probe has been due for longest, noted as probed.
    pub(crate) fn begin_probe(&mut self, now: Duration, settings: &ProbeSettings) -> Option<EndpointId> {
        let &(_, id) = self.probes.first().filter(|&&(at, _)| at <= now)?;
        let place = id.place as usize;
        self.endpoints[place].health.begin(now, settings);
        self.follow_probe(place);
        Some(id)
    }

    pub(crate) fn record_probe(
        &mut self,
        place: usize,
        now: Duration,
        answer: ProbeAnswer,
        settings: &ProbeSettings,
    ) -> Option<HealthChange> {
        let change = self.endpoints[place].health.record(now, answer, settings);
        self.follow_probe(place);
        change
    }

    /// Schedules the endpoint's probe as its phase and its health say.
    fn follow_probe(&mut self, place: usize) {
        let id = self.id(place);
        let endpoint = &mut self.endpoints[place];
        let wanted = if endpoint.phase == Phase::Draining { None } else { endpoint.health.next_probe_at() };
        let scheduled = core::mem::replace(&mut endpoint.probe_scheduled_at, wanted);
        if scheduled == wanted {
            return;
        }
        if let Some(at) = scheduled {
            self.probes.remove(&(at, id));
        }
        if let Some(at) = wanted {
            self.probes.insert((at, id));
        }
    }

    /// Where the endpoint with this number stands among the ready ones, or would stand.
    fn ready_position(&self, number: u64) -> Result<usize, usize> {
        self.ready.binary_search_by_key(&number, |&place| self.numbers[place])
    }
}

/// Places are counted in 32 bits, so that an id stays small; so many endpoints fit in no memory.
fn as_u32(place: usize) -> u32 {
    u32::try_from(place).expect("fewer than 2^32 endpoints")
}
