//! Asks the gateway who is there and each replica for its metrics, and computes the signals over a window.
//!
//! Service-wide values come from the growth of all replicas together, so a mean is weighted by requests and a replica
//! that left stays counted until its share of the window has passed. A replica counts as having reported while its
//! newest scrape is at most three intervals old: one slow answer is no outage.

mod families;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use http_client::{HttpClient, Reply};
use scaler_engine::{Reading, ReplicaObservation, Signal};
use scaler_signals::{Growth, Progress, ReplicaStandstill, ReplicaWindow, signals_of};

use self::families::{FAMILIES, Scraped};
use super::problem::{ReplicaProblem, instead_of_answering};
use super::replica_table::{Known, ReplicaTable};
use super::rotation::Rotation;
use super::{Endpoint, EndpointState, Sample, ScrapeCount, Source};
use crate::clock::Clock;

/// Replicas asked at the same time.
const CONCURRENCY: usize = 8;

/// Longest wait for one replica.
const TIMEOUT: Duration = Duration::from_millis(800);

/// The largest metrics text that is read; what is asked for takes about 10 kB.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// A replica has reported while its newest scrape is at most this many intervals old.
const REPORTED_INTERVALS: u32 = 3;

/// What a scrape source needs to know.
#[derive(Clone, Debug)]
pub struct ScrapeSettings {
    /// The gateway's admin address, without a slash at its end.
    pub gateway_admin: String,
    /// The span that means, rates and quantiles cover.
    pub window: Duration,
    /// Time between two looks.
    pub interval: Duration,
}

/// Signals from the replicas' own `/metrics`.
#[derive(Debug)]
pub struct ScrapeSource {
    settings: ScrapeSettings,
    clock: Clock,
    client: HttpClient,
    rotation: Rotation,
    replicas: ReplicaTable<Replica>,
}

/// What is known of a replica.
#[derive(Debug)]
struct Replica {
    url: String,
    metrics_url: String,
    past: Option<ReplicaWindow>,
    /// Of the last scrape that could be read.
    load_factor: Option<f64>,
    standstill: ReplicaStandstill,
    /// What is read into; kept, so that its memory is.
    scraped: Scraped,
}

impl ScrapeSource {
    /// A source that has seen nothing yet.
    pub fn new(settings: ScrapeSettings, clock: Clock) -> Self {
        Self {
            rotation: Rotation::new(&settings.gateway_admin, clock.now(), settings.interval),
            settings,
            clock,
            client: HttpClient::with_idle_connections(1).with_max_body_bytes(BODY_BYTES_MAX),
            replicas: ReplicaTable::default(),
        }
    }

    async fn look(&mut self) -> Sample {
        let mut problems = Vec::new();
        match self.rotation.refresh(&self.client, || self.clock.now()).await {
            Ok(()) => self.follow_rotation(),
            Err(problem) => problems.push(problem),
        }
        let (scrapes, silent) = self.scrape_all().await;
        self.sample_of(scrapes, problems, silent)
    }

    fn follow_rotation(&mut self) {
        let (now, window) = (self.clock.now(), self.settings.window);
        self.replicas.follow(self.rotation.endpoints(), now, window, |endpoint| Replica {
            url: endpoint.url.clone(),
            metrics_url: metrics_url(&endpoint.url),
            past: None,
            load_factor: None,
            standstill: ReplicaStandstill::default(),
            scraped: Scraped::default(),
        });
    }

    async fn scrape_all(&mut self) -> (ScrapeCount, Vec<ReplicaProblem>) {
        let started = self.clock.now();
        let (clock, client, window) = (self.clock, &self.client, self.settings.window);
        let in_flight: BTreeMap<&str, u32> = self
            .rotation
            .endpoints()
            .iter()
            .map(|endpoint| (endpoint.url.as_str(), endpoint.in_flight))
            .collect();
        let asked = self.replicas.iter_mut().filter(|(_, replica)| replica.is_to_be_asked());
        let scrapes: Vec<_> = asked
            .map(|(url, replica)| {
                let in_flight = in_flight.get(url).copied().unwrap_or_default();
                replica.scrape(client, clock, window, in_flight)
            })
            .collect();
        let mut outcomes = stream::iter(scrapes).buffer_unordered(CONCURRENCY);
        let (mut count, mut silent) = (ScrapeCount::default(), Vec::new());
        while let Some(outcome) = outcomes.next().await {
            match outcome {
                Ok(Scrape::Answered) => count.ok += 1,
                Ok(Scrape::Left) => {}
                Err(problem) => {
                    count.failed += 1;
                    silent.push(problem);
                }
            }
        }
        count.took = clock.now().saturating_sub(started);
        // Replicas answer in any order; what is told stays in one.
        silent.sort_by(|one, other| one.url.cmp(&other.url));
        (count, silent)
    }

    fn sample_of(&self, scrapes: ScrapeCount, problems: Vec<String>, silent: Vec<ReplicaProblem>) -> Sample {
        let now = self.clock.now();
        let start = now.saturating_sub(self.settings.window);
        let mut service = BTreeMap::new();
        let growths: BTreeMap<&str, Growth> = self
            .replicas
            .iter()
            .filter_map(|(url, replica)| Some((url, replica.own.past.as_ref()?.growth_since(start)?)))
            .collect();
        if let Some(joined) = Growth::joined(growths.values()) {
            let age = now.saturating_sub(joined.to);
            let told = self.replicas.iter().filter(|(_, replica)| self.has_reported(&replica.own, now));
            let jobs: f64 = told.map(|(_, replica)| replica.own.standstill.jobs()).sum();
            for (signal, value) in signals_of(&joined, jobs.max(self.rotation.jobs_in_flight())) {
                service.insert(signal, Reading { value: Some(value), age });
            }
        }
        service.extend(self.rotation.in_flight(now).map(|reading| (Signal::InFlight, reading)));
        let endpoints = self.rotation.endpoints();
        Sample {
            window: self.settings.window,
            service,
            replicas: endpoints.iter().map(|endpoint| self.observe(endpoint, &growths, now)).collect(),
            endpoints: endpoints.to_vec(),
            rotation_unknown_for: self.rotation.unknown_for(now),
            standstill: self.standstill(&growths, now),
            load_factor: self.load_factor(),
            scrapes,
            problems,
            silent,
            faults: self.faults(),
            list_age: self.rotation.age(now),
            spacing: self.settings.interval,
        }
    }

    fn observe(
        &self,
        endpoint: &Endpoint,
        growths: &BTreeMap<&str, Growth>,
        now: Duration,
    ) -> ReplicaObservation {
        let replica = self.replicas.get(&endpoint.url);
        let past = replica.and_then(|replica| replica.own.past.as_ref());
        let has_reported = replica.is_some_and(|replica| self.has_reported(&replica.own, now));
        let growth = growths.get(endpoint.url.as_str()).filter(|_| has_reported);
        let started_at = past.and_then(|past| past.latest().started_at);
        let sampled_at = past.map(ReplicaWindow::newest_at);
        let measured = growth.zip(replica.map(|replica| &replica.own.standstill));
        self.rotation.observe(endpoint, now, started_at, sampled_at, measured)
    }

    /// Whether its newest scrape is recent enough to say how it is now.
    fn has_reported(&self, replica: &Replica, now: Duration) -> bool {
        let oldest = now.saturating_sub(self.settings.interval * REPORTED_INTERVALS);
        replica.past.as_ref().is_some_and(|past| past.newest_at() >= oldest)
    }

    fn standstill(
        &self,
        growths: &BTreeMap<&str, Growth>,
        now: Duration,
    ) -> Option<scaler_engine::Standstill> {
        self.rotation.standstill(|endpoint| {
            let url = endpoint.url.as_str();
            let refused_per_second = growths.get(url).map_or(0.0, Growth::refused_per_second);
            let replica = self.replicas.get(url).filter(|replica| self.has_reported(&replica.own, now))?;
            Some((&replica.own.standstill, refused_per_second))
        })
    }

    fn faults(&self) -> BTreeMap<String, Vec<String>> {
        let listed =
            self.replicas.iter().filter(|(_, known)| known.state.is_some() && known.own.past.is_some());
        listed.map(|(url, known)| (url.to_owned(), known.own.scraped.faults())).collect()
    }

    fn load_factor(&self) -> Option<f64> {
        self.replicas.newest_of_ready(|_, replica| {
            let past = replica.past.as_ref()?;
            Some((past.newest_at(), replica.load_factor?))
        })
    }
}

/// How a scrape went that brought no problem.
enum Scrape {
    Answered,
    /// The replica was on its way out and is gone.
    Left,
}

impl Known<Replica> {
    /// A replica that never served need not be able to answer yet; one that lost its readiness still has a past.
    fn is_to_be_asked(&self) -> bool {
        self.state.is_some_and(|state| state != EndpointState::Starting || self.own.past.is_some())
    }

    async fn scrape(
        &mut self,
        client: &HttpClient,
        clock: Clock,
        window: Duration,
        in_flight: u32,
    ) -> Result<Scrape, ReplicaProblem> {
        match self.own.read(client, clock, window, in_flight).await {
            Ok(()) => Ok(Scrape::Answered),
            Err(_) if self.state == Some(EndpointState::Draining) => Ok(Scrape::Left),
            Err(problem) => Err(problem),
        }
    }
}

impl Replica {
    async fn read(
        &mut self,
        client: &HttpClient,
        clock: Clock,
        window: Duration,
        in_flight: u32,
    ) -> Result<(), ReplicaProblem> {
        let reply = client.scrape(&self.metrics_url, TIMEOUT).await.and_then(Reply::ok);
        let reply = reply.map_err(|error| {
            ReplicaProblem::new(&self.url, &instead_of_answering("its metrics request", &error))
        })?;
        let unusable = |error: &dyn std::fmt::Display| {
            let predicate = format!("answered its metrics request with unusable metrics: {error}");
            ReplicaProblem::new(&self.url, &predicate)
        };
        let text = std::str::from_utf8(&reply.body).map_err(|error| unusable(&error))?;
        self.scraped.read(text).map_err(|error| unusable(&error))?;
        let at = clock.now();
        let figures = &self.scraped.figures;
        if let Some(past) = &mut self.past {
            past.add(at, figures, window);
        } else {
            self.past = Some(ReplicaWindow::begin(at, figures));
        }
        // A replica that is not the lab's may tell of no job before it has ended; the gateway knows of them.
        let jobs = figures.jobs().max(f64::from(in_flight));
        self.load_factor = self.scraped.load_factor;
        self.standstill.see(Progress { at, completed: figures.duration_count, jobs });
        Ok(())
    }
}

impl Source for ScrapeSource {
    fn sample(&mut self) -> BoxFuture<'_, Sample> {
        self.look().boxed()
    }

    fn set_window(&mut self, window: Duration) {
        self.settings.window = window;
    }
}

fn metrics_url(endpoint: &str) -> String {
    let wanted: Vec<String> = FAMILIES.iter().map(|family| format!("name%5B%5D={family}")).collect();
    format!("{}/metrics?{}", endpoint.trim_end_matches('/'), wanted.join("&"))
}
