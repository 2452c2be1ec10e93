//! The way from replicas to the policy: scrapes, their delay, windows, and the observation made of them.
//!
//! Counters become signals by the code of the live sources (`scaler-signals`). What the platform and the gateway say is
//! not delayed: the count of replicas, which of them are ready, and their requests in flight.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use scaler_engine::{
    Answer, Need, Observation, Phase, Reading, ReplicaObservation, ResourceRequests, Signal,
};
use scaler_signals::{
    Growth, Progress, ReplicaFigures, ReplicaInWindow, ReplicaStandstill, ReplicaWindow, ServiceInWindow,
    Wanted, signal_of, signals_of_replica, standing_still, unanswerable,
};

use crate::model::SignalPath;
use crate::replica::{Life, Replica};
use crate::time::{Nanoseconds, run_time};

/// A replica has reported while its newest scrape is at most this many intervals old, as in the live source.
const REPORTED_INTERVALS: u32 = 3;

/// What a simulated pod asks for, as the lab's processes do: one core and 64 MiB.
const REQUESTS: ResourceRequests =
    ResourceRequests { cpu_cores: Some(1.0), memory_bytes: Some(64.0 * 1024.0 * 1024.0) };

/// What is measured, and what of it has arrived.
#[derive(Debug)]
pub(crate) struct Measuring {
    path: SignalPath,
    wanted: Wanted,
    windows: Vec<Duration>,
    /// What is known of replicas that were scraped, those that left and still count included.
    pasts: BTreeMap<u32, Past>,
    /// Of a replica that was not scraped yet.
    no_standstill: ReplicaStandstill,
    /// Scrapes that have not arrived, in the order of time.
    under_way: VecDeque<Scrape>,
}

#[derive(Debug)]
struct Scrape {
    at: Duration,
    replica: u32,
    figures: ReplicaFigures,
}

#[derive(Debug)]
struct Past {
    name: String,
    window: ReplicaWindow,
    standstill: ReplicaStandstill,
}

/// A replica that exists, as the platform and the gateway say it.
struct Existing<'a> {
    name: String,
    replica: &'a Replica,
    in_flight: u32,
}

impl Measuring {
    /// Nothing has been measured of what is wanted.
    pub(crate) fn new(path: SignalPath, wanted: Wanted) -> Self {
        Self {
            path,
            windows: wanted.signal_windows(),
            wanted,
            pasts: BTreeMap::new(),
            no_standstill: ReplicaStandstill::default(),
            under_way: VecDeque::new(),
        }
    }

    /// Scrapes one replica that is, or was, ready.
    pub(crate) fn scrape(&mut self, now: Nanoseconds, replica: &mut Replica) {
        let figures = replica.figures(now, self.path.cpu_per_worker);
        self.under_way.push_back(Scrape { at: run_time(now), replica: replica.number, figures });
    }

    /// Takes in the scrapes that have arrived, and forgets replicas that have left every window.
    pub(crate) fn deliver(&mut self, now: Nanoseconds) {
        let now = run_time(now);
        while self.under_way.front().is_some_and(|scrape| scrape.at + self.path.delay <= now) {
            let Some(Scrape { at, replica, figures }) = self.under_way.pop_front() else { break };
            let progress = Progress { at, completed: figures.duration_count, jobs: figures.jobs() };
            if let Some(past) = self.pasts.get_mut(&replica) {
                past.window.add(at, &figures, &self.windows);
                past.standstill.see(progress);
            } else {
                let window = ReplicaWindow::begin(at, &figures);
                let mut standstill = ReplicaStandstill::default();
                standstill.see(progress);
                self.pasts.insert(replica, Past { name: name_of(replica), window, standstill });
            }
        }
        let longest = self.windows.iter().copied().fold(Duration::ZERO, Duration::max);
        let oldest = now.saturating_sub(longest + self.path.delay);
        self.pasts.retain(|_, past| past.window.newest_at() > oldest);
    }

    /// What the policy sees `now`, of the replicas that exist.
    pub(crate) fn observe<'a>(
        &self,
        now: Nanoseconds,
        at: Duration,
        desired: u32,
        replicas: impl Iterator<Item = &'a Replica>,
    ) -> Observation {
        let now = run_time(now);
        let existing: Vec<Existing<'_>> = replicas
            .map(|replica| Existing {
                name: name_of(replica.number),
                replica,
                in_flight: replica.in_flight(),
            })
            .collect();
        let service = self.in_window(self.wanted.window(), now, &existing);
        let count = |is_counted: fn(Life) -> bool| {
            let counted = existing.iter().filter(|existing| is_counted(existing.replica.life));
            u32::try_from(counted.count()).unwrap_or(u32::MAX)
        };
        let known = existing.iter().zip(&service.replicas);
        let standstill = standing_still(known.clone().filter_map(|(existing, known)| {
            let counts = existing.replica.life == Life::Ready && known.has_reported;
            let refused_per_second = known.growth.as_ref().map_or(0.0, Growth::refused_per_second);
            counts.then_some((known.standstill, known.in_flight, refused_per_second))
        }));
        Observation {
            at,
            window: self.wanted.window(),
            replicas: known.map(|(existing, known)| self.observe_replica(existing, known)).collect(),
            service: service.readings(),
            current: count(|life| life != Life::Draining),
            ready: count(|life| life == Life::Ready),
            desired,
            further: self.wanted.further().iter().map(|need| self.answer(need, now, &existing)).collect(),
            standstill,
            ..Observation::default()
        }
    }

    fn answer(&self, need: &Need, now: Duration, existing: &[Existing<'_>]) -> Answer {
        match signal_of(&need.metric) {
            Some(signal) => self.in_window(need.window, now, existing).answer(need, signal),
            None => unanswerable(need, format!("a simulated replica does not expose {}", need.metric)),
        }
    }

    /// What is known in the window that ends now: of the replicas that exist, in their order, then of those that left.
    fn in_window<'a>(
        &'a self,
        window: Duration,
        now: Duration,
        existing: &'a [Existing<'_>],
    ) -> ServiceInWindow<'a> {
        let start = now.saturating_sub(window);
        let oldest = now.saturating_sub(self.path.scrape_interval * REPORTED_INTERVALS + self.path.delay);
        let known = |id: &'a str, past: Option<&'a Past>, in_flight: Option<u32>| ReplicaInWindow {
            id,
            is_listed: in_flight.is_some(),
            has_reported: past.is_some_and(|past| past.window.newest_at() >= oldest),
            age: past.map_or(Duration::MAX, |past| now.saturating_sub(past.window.newest_at())),
            growth: past.and_then(|past| past.window.growth_since(start)),
            standstill: past.map_or(&self.no_standstill, |past| &past.standstill),
            in_flight: f64::from(in_flight.unwrap_or(0)),
        };
        let there = existing.iter().map(|existing| {
            let past = self.pasts.get(&existing.replica.number);
            known(&existing.name, past, Some(existing.in_flight))
        });
        // Replicas are numbered in the order in which they exist.
        let place_of = |number| existing.binary_search_by_key(&number, |existing| existing.replica.number);
        let left = self.pasts.iter().filter(|(number, _)| place_of(**number).is_err());
        let left = left.map(|(_, past)| known(&past.name, Some(past), None));
        let in_flight = existing.iter().map(|existing| f64::from(existing.in_flight)).sum();
        ServiceInWindow { replicas: there.chain(left).collect(), in_flight: Some(Reading::fresh(in_flight)) }
    }

    fn observe_replica(&self, existing: &Existing<'_>, known: &ReplicaInWindow<'_>) -> ReplicaObservation {
        let Existing { name, replica, in_flight } = existing;
        let growth = known.growth.as_ref().filter(|_| known.has_reported);
        let measured = growth.map(|growth| (growth, known.standstill));
        let mut signals = signals_of_replica(measured, known.in_flight);
        signals.insert(Signal::InFlight, Some(known.in_flight));
        ReplicaObservation {
            id: name.clone(),
            ready: replica.life == Life::Ready,
            readiness_changed_at: replica.readiness_changed_at.map(run_time),
            started_at: Some(run_time(replica.started_at)),
            deleting: replica.life == Life::Draining,
            phase: Phase::Running,
            requests: REQUESTS,
            in_flight: *in_flight,
            sampled_at: self.pasts.get(&replica.number).map(|past| past.window.newest_at()),
            signals,
        }
    }
}

/// The name of a replica in observations.
fn name_of(number: u32) -> String {
    format!("replica-{number}")
}
