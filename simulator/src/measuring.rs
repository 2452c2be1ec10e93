//! The way from replicas to the policy: scrapes, their delay, windows, and the observation made of them.
//!
//! Counters become signals by the code of the live sources (`scaler-signals`). What the platform and the gateway say is
//! not delayed: the count of replicas, which of them are ready, and their requests in flight.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use scaler_engine::{
    Answer, Metric, Need, Observation, Phase, Reading, ReplicaObservation, ResourceRequests, Scope, Signal,
};
use scaler_signals::{
    Growth, Progress, ReplicaFigures, ReplicaStandstill, ReplicaWindow, signals_of, signals_of_replica,
    standing_still,
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
    needs: Vec<Need>,
    /// The window of most signals.
    window: Duration,
    /// The longest window that anything is needed over.
    longest: Duration,
    /// All windows that are looked back over.
    windows: Vec<Duration>,
    pasts: BTreeMap<u32, Past>,
    /// Scrapes that have not arrived, in the order of time.
    under_way: VecDeque<Scrape>,
}

#[derive(Debug)]
struct Scrape {
    at: Duration,
    replica: u32,
    figures: ReplicaFigures,
}

/// What is known of one replica.
#[derive(Debug)]
struct Past {
    window: ReplicaWindow,
    standstill: ReplicaStandstill,
}

impl Measuring {
    /// Nothing has been measured. `needs` is what the policy wants, `window` that of its first need.
    pub(crate) fn new(path: SignalPath, needs: Vec<Need>, window: Duration) -> Self {
        let longest = needs.iter().map(|need| need.window).fold(window, Duration::max);
        let windows = needs.iter().map(|need| need.window).chain([window]).collect();
        Self { path, needs, window, longest, windows, pasts: BTreeMap::new(), under_way: VecDeque::new() }
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
            let past = self
                .pasts
                .entry(replica)
                .and_modify(|past| {
                    past.window.add(at, &figures, &self.windows);
                })
                .or_insert_with(|| Past {
                    window: ReplicaWindow::begin(at, &figures),
                    standstill: ReplicaStandstill::default(),
                });
            past.standstill.see(progress);
        }
        let oldest = now.saturating_sub(self.longest + self.path.delay);
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
        let growths = self.growths(now, self.window);
        let existing: Vec<&Replica> = replicas.collect();
        let staying = existing.iter().filter(|replica| replica.life != Life::Draining).count();
        let ready = || existing.iter().filter(|replica| replica.life == Life::Ready);
        let observed: Vec<ReplicaObservation> =
            existing.iter().map(|replica| self.observe_replica(replica, now, &growths)).collect();
        let in_flight: f64 = observed.iter().map(|replica| f64::from(replica.in_flight)).sum();
        let mut service = self.service_readings(now, &growths, in_flight);
        service.insert(Signal::InFlight, Reading::fresh(in_flight));
        let standstill = standing_still(ready().filter_map(|replica| {
            let past = self.reported(replica.number, now)?;
            let refused_per_second = growths.get(&replica.number).map_or(0.0, Growth::refused_per_second);
            Some((&past.standstill, f64::from(replica.in_flight()), refused_per_second))
        }));
        let mut observation = Observation {
            at,
            window: self.window,
            replicas: observed,
            service,
            current: u32::try_from(staying).unwrap_or(u32::MAX),
            ready: u32::try_from(ready().count()).unwrap_or(u32::MAX),
            desired,
            standstill,
            ..Observation::default()
        };
        observation.further = self.further(now, &observation);
        observation
    }

    /// Answers to the needs whose window is another than that of the observation.
    fn further(&self, now: Duration, seen: &Observation) -> Vec<Answer> {
        let others = self.needs.iter().filter(|need| need.window != self.window);
        others
            .filter_map(|need| {
                let Metric::Signal(signal) = need.metric else { return None };
                let growths = self.growths(now, need.window);
                let mut answer =
                    Answer { need: need.clone(), reading: None, of_replicas: BTreeMap::new(), problem: None };
                if need.scope == Scope::Service {
                    let jobs = seen.replicas.iter().map(|replica| f64::from(replica.in_flight)).sum();
                    answer.reading = self.service_readings(now, &growths, jobs).get(&signal).copied();
                } else {
                    answer.of_replicas = seen
                        .replicas
                        .iter()
                        .map(|replica| {
                            let number = number_of(&replica.id);
                            let own = self.own_signals(number, now, &growths, f64::from(replica.in_flight));
                            (replica.id.clone(), own.get(&signal).copied().flatten())
                        })
                        .collect();
                }
                Some(answer)
            })
            .collect()
    }

    fn growths(&self, now: Duration, window: Duration) -> BTreeMap<u32, Growth> {
        let start = now.saturating_sub(window);
        let pasts = self.pasts.iter();
        pasts.filter_map(|(number, past)| Some((*number, past.window.growth_since(start)?))).collect()
    }

    fn service_readings(
        &self,
        now: Duration,
        growths: &BTreeMap<u32, Growth>,
        in_flight: f64,
    ) -> BTreeMap<Signal, Reading> {
        let Some(joined) = Growth::joined(growths.values()) else { return BTreeMap::new() };
        let age = now.saturating_sub(joined.to);
        let reported = self.pasts.values().filter(|past| self.is_recent(past, now));
        let jobs: f64 = reported.map(|past| past.standstill.jobs()).sum();
        signals_of(&joined, jobs.max(in_flight))
            .map(|(signal, value)| (signal, Reading { value: Some(value), age }))
            .collect()
    }

    fn observe_replica(
        &self,
        replica: &Replica,
        now: Duration,
        growths: &BTreeMap<u32, Growth>,
    ) -> ReplicaObservation {
        let in_flight = replica.in_flight();
        let mut signals = self.own_signals(replica.number, now, growths, f64::from(in_flight));
        signals.insert(Signal::InFlight, Some(f64::from(in_flight)));
        ReplicaObservation {
            id: name_of(replica.number),
            ready: replica.life == Life::Ready,
            readiness_changed_at: replica.readiness_changed_at.map(run_time),
            started_at: Some(run_time(replica.started_at)),
            deleting: replica.life == Life::Draining,
            phase: Phase::Running,
            requests: REQUESTS,
            in_flight,
            sampled_at: self.pasts.get(&replica.number).map(|past| past.window.newest_at()),
            signals,
        }
    }

    fn own_signals(
        &self,
        number: u32,
        now: Duration,
        growths: &BTreeMap<u32, Growth>,
        in_flight: f64,
    ) -> BTreeMap<Signal, Option<f64>> {
        let past = self.reported(number, now);
        let measured = past.and_then(|past| Some((growths.get(&number)?, &past.standstill)));
        signals_of_replica(measured, in_flight)
    }

    fn reported(&self, number: u32, now: Duration) -> Option<&Past> {
        self.pasts.get(&number).filter(|past| self.is_recent(past, now))
    }

    fn is_recent(&self, past: &Past, now: Duration) -> bool {
        let oldest = self.path.scrape_interval * REPORTED_INTERVALS + self.path.delay;
        past.window.newest_at() >= now.saturating_sub(oldest)
    }
}

/// The name of a replica in observations.
fn name_of(number: u32) -> String {
    format!("replica-{number}")
}

fn number_of(name: &str) -> u32 {
    name.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
