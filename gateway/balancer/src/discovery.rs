//! Follows the answers of DNS: adds addresses that appear, drains those that stay away, and keeps out the drained.
//!
//! One answer without an address is not yet its end: answers are cut at 512 bytes on some platforms, so with many
//! replicas each one names another subset.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::endpoint::{EndpointId, Phase};
use crate::moment::nanos;
use crate::roster::Roster;
use crate::score::Score;
use crate::settings::{BalancerSettings, DiscoverySettings};

/// A drained address that DNS must not bring back.
#[derive(Debug, Clone)]
struct DrainedAddress {
    url: Arc<str>,
    absent_answers: u32,
}

/// The addresses that were drained and not put since, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct DrainedAddresses(Vec<DrainedAddress>);

impl DrainedAddresses {
    pub(crate) fn contains(&self, url: &str) -> bool {
        self.0.iter().any(|drained| &*drained.url == url)
    }

    pub(crate) fn add(&mut self, url: Arc<str>, settings: &DiscoverySettings) {
        if self.0.len() >= settings.drained_addresses_max {
            self.0.remove(0);
        }
        self.0.push(DrainedAddress { url, absent_answers: 0 });
    }

    pub(crate) fn allow(&mut self, url: &str) {
        self.0.retain(|drained| &*drained.url != url);
    }

    /// Forgets those that have been absent from DNS for long enough: what comes back there is another replica.
    fn take_in(&mut self, named: &BTreeSet<&str>, settings: &DiscoverySettings) {
        self.0.retain_mut(|drained| {
            drained.absent_answers =
                if named.contains(&*drained.url) { 0 } else { drained.absent_answers + 1 };
            drained.absent_answers < settings.absent_answers_before_removal
        });
    }
}

/// What an answer of DNS changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovered {
    /// New endpoints.
    pub added: Vec<EndpointId>,
    /// Endpoints that are out of rotation because they have been absent; with requests in flight they drain first.
    pub absent: Vec<EndpointId>,
}

/// Takes in one answer of DNS, as the addresses it names.
pub(crate) fn follow<S: AsRef<str>>(
    roster: &mut Roster,
    drained: &mut DrainedAddresses,
    now: Duration,
    urls: &[S],
    settings: &BalancerSettings,
) -> Discovered {
    let named: BTreeSet<&str> = urls.iter().map(AsRef::as_ref).collect();
    let mut discovered = Discovered::default();
    drained.take_in(&named, &settings.discovery);

    for url in urls.iter().map(AsRef::as_ref) {
        if let Some(place) = roster.place_of_url(url) {
            roster.endpoints[place].absent_answers = 0;
            if roster.endpoints[place].forget_when_idle {
                roster.restart(place, now);
            }
        } else if !drained.contains(url) {
            let score = Score::new(nanos(now), settings.latency.assumed_max);
            discovered.added.push(roster.add(now, url, false, score));
        }
    }

    let places: Vec<usize> = roster.places().collect();
    for &place in &places {
        let endpoint = &mut roster.endpoints[place];
        if endpoint.pinned || endpoint.phase == Phase::Draining || named.contains(&*endpoint.url) {
            continue;
        }
        endpoint.absent_answers += 1;
        if endpoint.absent_answers >= settings.discovery.absent_answers_before_removal {
            endpoint.forget_when_idle = true;
            roster.set_phase(place, Phase::Draining);
            discovered.absent.push(roster.id(place));
        }
    }
    for &place in &places {
        if roster.endpoints[place].forget_when_idle && roster.scores[place].in_flight == 0 {
            roster.forget(place);
        }
    }
    discovered
}
