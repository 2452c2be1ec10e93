//! Follows the answers of DNS: adds who appears, drains who stays away, and keeps out who was drained.
//!
//! One answer without an address is not yet its end: answers are cut at 512 bytes on some platforms, so with many
//! replicas each one names another subset.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::endpoint::{EndpointId, Phase};
use crate::rotation::Rotation;

/// A drained address that DNS must not bring back.
#[derive(Debug, Clone)]
pub(crate) struct KeptOut {
    pub(crate) url: String,
    absent_answers: u32,
}

/// What an answer of DNS changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovered {
    /// New endpoints.
    pub added: Vec<EndpointId>,
    /// Endpoints that are out of rotation because they have been absent; with requests in flight they drain first.
    pub absent: Vec<EndpointId>,
}

impl Rotation {
    /// Takes in one answer of DNS, as the addresses it names. A failed lookup is no answer: do not call this.
    ///
    /// An endpoint that was put stays whatever DNS says; one that DNS alone brought leaves when it has been absent
    /// for as many answers as
    /// [`DiscoverySettings::absent_answers_before_removal`](crate::DiscoverySettings::absent_answers_before_removal).
    pub fn sync_discovered<S: AsRef<str>>(&mut self, now: Duration, urls: &[S]) -> Discovered {
        let named = |url: &str| urls.iter().any(|named| named.as_ref() == url);
        let mut discovered = Discovered::default();

        let absent_max = self.settings.discovery.absent_answers_before_removal;
        self.kept_out.retain_mut(|kept_out| {
            kept_out.absent_answers = if named(&kept_out.url) { 0 } else { kept_out.absent_answers + 1 };
            kept_out.absent_answers < absent_max
        });

        for url in urls.iter().map(AsRef::as_ref) {
            if let Some(position) = self.position_of_url(url) {
                let endpoint = &mut self.endpoints[position];
                endpoint.absent_answers = 0;
                if endpoint.forget_when_idle {
                    endpoint.restart(now);
                }
            } else if !self.kept_out.iter().any(|kept_out| kept_out.url == url) {
                discovered.added.push(self.add(now, url, false));
            }
        }

        for endpoint in &mut self.endpoints {
            if endpoint.pinned || endpoint.phase == Phase::Draining || named(&endpoint.url) {
                continue;
            }
            endpoint.absent_answers += 1;
            if endpoint.absent_answers >= absent_max {
                endpoint.phase = Phase::Draining;
                endpoint.forget_when_idle = true;
                discovered.absent.push(endpoint.id);
            }
        }
        while let Some(position) =
            self.endpoints.iter().position(|endpoint| endpoint.forget_when_idle && endpoint.in_flight == 0)
        {
            self.forget(position);
        }
        self.follow_phases(now);
        discovered
    }

    pub(crate) fn keep_out(&mut self, url: String) {
        if self.kept_out.len() >= self.settings.discovery.drained_addresses_max {
            self.kept_out.remove(0);
        }
        self.kept_out.push(KeptOut { url, absent_answers: 0 });
    }
}
