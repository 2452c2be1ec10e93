//! Puts what the source measured and what the platform lists together into one immutable look at the service.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use scaler_engine::{Answer, Observation, ReplicaObservation, ResourceRequests};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::actuators::{Actuator, ActuatorError, Listing, ReplicaEntry, Replicas, or, same_address};
use crate::clock::Clock;
use crate::replica_ages::ReplicaAges;
use crate::service_event::News;
use crate::sources::{Sample, Source, Wanted};

/// Longest wait for the platform's list; the signals do not wait for it longer than for a slow replica.
const OBSERVE_TIMEOUT: Duration = Duration::from_millis(800);

/// One look.
#[derive(Clone, Debug)]
pub(crate) struct Sighting {
    /// When it began (run time); what changed later is not in it.
    pub(crate) began_at: Duration,
    pub(crate) sample: Sample,
    /// What the platform tells.
    pub(crate) listed: Result<Listing, ActuatorError>,
    /// What the platform reported lately; some of it may have been in the look before.
    pub(crate) news: Vec<News>,
}

impl Sighting {
    /// What an engine may look at; none if it is unknown how many replicas there are.
    pub(crate) fn observation(&self, at: Duration, desired: Option<u32>) -> Option<Observation> {
        let listing = self.listed.as_ref().ok()?;
        let mut further = self.sample.further.clone();
        let mut replicas = match &listing.replicas {
            Replicas::Each(entries) => {
                let (mut replicas, names) = self.merge(entries);
                replicas.extend(listing.not_running.iter().map(|entry| self.listed(entry)));
                for answer in &mut further {
                    rename(answer, &names);
                }
                replicas
            }
            Replicas::Count(_) | Replicas::Unlisted => self.sample.replicas.clone(),
        };
        for replica in &mut replicas {
            replica.requests = or(replica.requests, listing.requests);
        }
        let current = listing.count().unwrap_or_else(|| {
            let staying = self.sample.replicas.iter().filter(|replica| !replica.deleting).count();
            u32::try_from(staying).unwrap_or(u32::MAX)
        });
        let ready = replicas.iter().filter(|replica| replica.ready).count();
        Some(Observation {
            at,
            window: self.sample.window,
            replicas,
            service: self.sample.service.clone(),
            current,
            ready: u32::try_from(ready).unwrap_or(u32::MAX),
            desired: listing.desired.or(desired).unwrap_or(current),
            rotation_unknown_for: self.sample.rotation_unknown_for,
            standstill: self.sample.standstill,
            platform_restores: listing.desired.is_some(),
            surge: 0,
            further,
        })
    }

    /// The platform's replicas with what the source knows of them, and those that only the source knows; and the
    /// platform's names by the source's.
    fn merge(&self, entries: &[ReplicaEntry]) -> (Vec<ReplicaObservation>, BTreeMap<String, String>) {
        let pid_of = |url: &str| {
            self.sample
                .endpoints
                .iter()
                .find(|endpoint| endpoint.url == url)
                .and_then(|endpoint| endpoint.pid)
        };
        let mut measured = self.sample.replicas.clone();
        let (mut merged, mut names) = (Vec::with_capacity(entries.len()), BTreeMap::new());
        for entry in entries {
            let is_it = |replica: &ReplicaObservation| match &entry.url {
                Some(url) => same_address(url, &replica.id),
                None => entry.pid.is_some() && pid_of(&replica.id) == entry.pid,
            };
            let found = measured.iter().position(is_it).map(|index| measured.swap_remove(index));
            let mut replica = found.unwrap_or_else(|| self.listed(entry));
            names.insert(std::mem::replace(&mut replica.id, entry.id.clone()), entry.id.clone());
            replica.deleting |= entry.is_stopping;
            replica.ready &= !entry.is_stopping;
            replica.started_at = self.started_at(entry).or(replica.started_at);
            replica.requests = entry.requests;
            merged.push(replica);
        }
        merged.append(&mut measured);
        (merged, names)
    }

    /// A replica of which only the platform knows. While no gateway has told of its replicas, the platform says who is
    /// ready.
    fn listed(&self, entry: &ReplicaEntry) -> ReplicaObservation {
        let has_gateway = self.sample.list_age.is_some();
        ReplicaObservation {
            id: entry.id.clone(),
            ready: !has_gateway && entry.is_ready.unwrap_or(false),
            started_at: self.started_at(entry),
            phase: entry.phase,
            requests: entry.requests,
            ..ReplicaObservation::default()
        }
    }

    fn started_at(&self, entry: &ReplicaEntry) -> Option<Duration> {
        entry.age.map(|age| self.began_at.saturating_sub(age))
    }
}

/// Calls the replicas of an answer by the platform's names.
fn rename(answer: &mut Answer, names: &BTreeMap<String, String>) {
    let of_replicas = std::mem::take(&mut answer.of_replicas);
    let renamed = of_replicas.into_iter().map(|(id, value)| (names.get(&id).cloned().unwrap_or(id), value));
    answer.of_replicas = renamed.collect();
}

/// How the service is looked at.
#[derive(Debug)]
pub(crate) struct Looking {
    /// Time between two looks.
    pub(crate) every: Duration,
    /// What the policy in force wants measured.
    pub(crate) wanted: watch::Receiver<Wanted>,
    /// What a replica asks for where the platform does not say.
    pub(crate) requests: ResourceRequests,
}

/// Looks again and again, without drift, until it is stopped; each look replaces the one before.
pub(crate) async fn keep_looking(
    mut source: Box<dyn Source>,
    actuator: Arc<dyn Actuator>,
    clock: Clock,
    mut looking: Looking,
    sightings: watch::Sender<Option<Arc<Sighting>>>,
    stop: CancellationToken,
) {
    let mut ticks = interval(looking.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    looking.wanted.mark_changed();
    let mut ages = ReplicaAges::default();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let began_at = clock.now();
        if looking.wanted.has_changed().unwrap_or(false) {
            source.set_wanted(looking.wanted.borrow_and_update().clone());
        }
        // News after the list: whoever left it is then among them.
        let ask_platform = async {
            let listed = timeout(OBSERVE_TIMEOUT, actuator.observe()).await;
            (listed, timeout(OBSERVE_TIMEOUT, actuator.news()).await.unwrap_or_default())
        };
        let look = async { tokio::join!(source.sample(), ask_platform) };
        let (sample, (listed, news)) = tokio::select! {
            () = stop.cancelled() => return,
            looked = look => looked,
        };
        let too_late = |_| {
            Err(ActuatorError::Platform(format!(
                "the platform did not list its replicas within {OBSERVE_TIMEOUT:?}"
            )))
        };
        let listed = listed.unwrap_or_else(too_late).map(|mut listing| {
            ages.write_into(&mut listing, began_at);
            listing.with_requests(looking.requests)
        });
        sightings.send_replace(Some(Arc::new(Sighting { began_at, sample, listed, news })));
    }
}

#[cfg(test)]
mod tests {
    use scaler_engine::{Need, Phase, Signal};

    use super::*;
    use crate::sources::{Endpoint, EndpointState};

    fn replica(url: &str, ready: bool) -> ReplicaObservation {
        ReplicaObservation { id: url.to_owned(), ready, in_flight: 2, ..ReplicaObservation::default() }
    }

    fn entry(id: &str, url: Option<&str>, pid: u32, is_stopping: bool) -> ReplicaEntry {
        ReplicaEntry {
            id: id.to_owned(),
            url: url.map(str::to_owned),
            pid: Some(pid),
            is_stopping,
            ..ReplicaEntry::default()
        }
    }

    fn sighting(listed: Result<Listing, ActuatorError>) -> Sighting {
        let urls = ["http://a:1", "http://b:2", "http://c:3"];
        let endpoints = urls
            .iter()
            .zip(11..)
            .map(|(url, pid)| Endpoint {
                url: (*url).to_owned(),
                state: EndpointState::Ready,
                in_flight: 2,
                ewma_ms: None,
                pid: Some(pid),
            })
            .collect();
        let replicas = urls.iter().map(|url| replica(url, true)).collect();
        Sighting {
            began_at: Duration::ZERO,
            sample: Sample { replicas, endpoints, ..Sample::default() },
            listed,
            news: Vec::new(),
        }
    }

    #[test]
    fn the_platform_counts_and_the_gateway_says_who_is_ready() {
        let listed = vec![
            entry("one", Some("http://a:1/"), 11, false),
            entry("two", None, 12, false),
            entry("three", Some("http://c:3"), 13, true),
            entry("four", None, 14, false),
        ];
        let seen = sighting(Ok(Listing::of_each(listed))).observation(Duration::ZERO, Some(3)).unwrap();
        let shown: Vec<_> = seen
            .replicas
            .iter()
            .map(|replica| (replica.id.as_str(), replica.ready, replica.deleting))
            .collect();
        assert_eq!(
            shown,
            [("one", true, false), ("two", true, false), ("three", false, true), ("four", false, false)],
            "by address, by process, stopping, and one the gateway does not know yet"
        );
        assert_eq!((seen.current, seen.ready, seen.desired), (3, 2, 3));
    }

    #[test]
    fn where_nobody_is_commanded_the_gateways_list_counts() {
        let seen = sighting(Ok(Listing::default())).observation(Duration::ZERO, None).unwrap();
        assert_eq!((seen.current, seen.ready, seen.desired), (3, 3, 3));
    }

    #[test]
    fn a_platform_that_only_counts_leaves_the_names_to_the_gateway() {
        let seen = sighting(Ok(Listing::of_count(4))).observation(Duration::ZERO, None).unwrap();
        assert_eq!((seen.current, seen.ready, seen.replicas.len()), (4, 3, 3));
    }

    #[test]
    fn an_unknown_count_is_not_guessed() {
        let gone = ActuatorError::Platform("gone".to_owned());
        assert!(sighting(Err(gone)).observation(Duration::ZERO, Some(1)).is_none());
    }

    #[test]
    fn answers_name_replicas_as_the_platform_does() {
        let need = Need::of_each_replica(Signal::CpuCores, Duration::from_secs(15));
        let of_replicas = [("http://a:1".to_owned(), Some(0.5)), ("http://b:2".to_owned(), None)].into();
        let answer = Answer { need: need.clone(), reading: None, of_replicas, problem: None };
        let listed = vec![entry("one", Some("http://a:1/"), 11, false)];
        let mut seen = sighting(Ok(Listing::of_each(listed)));
        seen.sample.further = vec![answer];
        let seen = seen.observation(Duration::ZERO, Some(1)).unwrap();
        let expected = [("one".to_owned(), Some(0.5)), ("http://b:2".to_owned(), None)].into();
        assert_eq!(
            seen.further[0].of_replicas, expected,
            "and one that the platform does not list by its URL"
        );
        assert_eq!(seen.reported(&need), 1);
    }

    #[test]
    fn the_platform_says_phase_age_and_requests_of_each_replica() {
        let asked = |cpu_cores, memory_bytes| ResourceRequests { cpu_cores, memory_bytes };
        let one = ReplicaEntry {
            age: Some(Duration::from_secs(7)),
            requests: asked(Some(0.5), None),
            ..entry("one", Some("http://a:1"), 11, false)
        };
        let failed = ReplicaEntry { phase: Phase::Failed, ..entry("failed", None, 99, false) };
        let listing = Listing { not_running: vec![failed], ..Listing::of_each(vec![one]) };
        let listed = Ok(listing.with_requests(asked(Some(1.0), Some(64e6))));
        let seen = Sighting { began_at: Duration::from_secs(100), ..sighting(listed) };
        let seen = seen.observation(Duration::from_secs(100), Some(1)).unwrap();
        let of = |id: &str| seen.replicas.iter().find(|replica| replica.id == id).unwrap();
        assert_eq!(of("one").started_at, Some(Duration::from_secs(93)));
        assert_eq!(
            of("one").requests,
            asked(Some(0.5), Some(64e6)),
            "its own, and what is asked for otherwise"
        );
        assert_eq!((of("failed").phase, of("failed").ready), (Phase::Failed, false));
        assert_eq!((seen.current, seen.platform_restores), (1, false), "what does not run does not count");
    }

    #[test]
    fn without_a_gateway_the_platform_says_who_is_ready() {
        let ready = |id, is_ready| ReplicaEntry { is_ready, ..entry(id, None, 99, false) };
        let listed =
            vec![ready("healthy", Some(true)), ready("unhealthy", Some(false)), ready("unknown", None)];
        let mut seen = sighting(Ok(Listing::of_each(listed)));
        seen.sample = Sample::default();
        let readiness = |seen: &Sighting| {
            let seen = seen.observation(Duration::ZERO, Some(3)).unwrap();
            seen.replicas.iter().map(|replica| replica.ready).collect::<Vec<_>>()
        };
        assert_eq!(readiness(&seen), [true, false, false]);
        seen.sample.list_age = Some(Duration::ZERO);
        assert_eq!(readiness(&seen), [false, false, false], "a gateway that lists none has none in rotation");
    }

    #[test]
    fn a_platform_that_keeps_up_a_count_says_which() {
        let listing = Listing { desired: Some(5), ..Listing::of_count(4) };
        let seen = sighting(Ok(listing)).observation(Duration::ZERO, Some(2)).unwrap();
        assert_eq!((seen.current, seen.desired, seen.platform_restores), (4, 5, true));
    }
}
