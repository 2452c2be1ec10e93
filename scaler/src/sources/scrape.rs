//! Asks the gateway who is there and each replica for its metrics, and computes the signals over a window.
//!
//! Service-wide values come from the growth of all replicas together, so a mean is weighted by requests and a replica
//! that left stays counted until its share of the window has passed. A replica counts as having reported while its
//! newest scrape is at most three intervals old: one slow answer is no outage.

mod families;
mod named_family;
mod plan;
mod replica;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::{BoxFuture, join};
use futures_util::{FutureExt, StreamExt, stream};
use http_client::HttpClient;
use scaler_engine::{Answer, NamedMetric, Need, ReplicaObservation};
use scaler_signals::{
    Growth, NamedOfReplica, ReplicaInWindow, ReplicaWindow, ServiceInWindow, Wanted, answer_of_named,
};

use self::plan::ScrapePlan;
use self::replica::{Replica, Scrape};
use super::problem::ReplicaProblem;
use super::queries::Queries;
use super::replica_table::ReplicaTable;
use super::rotation::Rotation;
use super::{Endpoint, Sample, ScrapeCount, Source, answers};
use crate::clock::Clock;

/// Replicas asked at the same time.
const CONCURRENCY: usize = 8;

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
    wanted: Wanted,
    plan: ScrapePlan,
    brought_along: Queries,
    cpu_cores_per_worker: f64,
}

impl ScrapeSource {
    /// A source that has seen nothing yet.
    pub fn new(settings: ScrapeSettings, clock: Clock) -> Self {
        let wanted = Wanted::signals_over(settings.window);
        Self {
            rotation: Rotation::new(&settings.gateway_admin, clock.now(), settings.interval),
            plan: ScrapePlan::of(&wanted),
            wanted,
            settings,
            clock,
            client: HttpClient::with_idle_connections(1).with_max_body_bytes(BODY_BYTES_MAX),
            replicas: ReplicaTable::default(),
            brought_along: Queries::default(),
            cpu_cores_per_worker: 0.0,
        }
    }

    /// Puts the queries that policies bring along to this Prometheus; without one, to those that the policies name.
    #[must_use]
    pub fn with_prometheus(mut self, url: Option<String>) -> Self {
        self.brought_along = Queries::to(url);
        self
    }

    /// Counts each busy worker as this many CPU cores; 0, the default, takes what the process uses.
    #[must_use]
    pub fn with_cpu_per_worker(mut self, cores: f64) -> Self {
        self.cpu_cores_per_worker = cores;
        self
    }

    async fn look(&mut self) -> Sample {
        let mut problems = Vec::new();
        match self.rotation.refresh(&self.client, || self.clock.now()).await {
            Ok(()) => self.follow_rotation(),
            Err(problem) => problems.push(problem),
        }
        let (clock, mut brought_along) = (self.clock, std::mem::take(&mut self.brought_along));
        let wanted = self.wanted.clone();
        // At the same time: a Prometheus that hangs holds up no look longer than a replica that does.
        let asking = brought_along.ask(&wanted, || clock.now());
        let ((scrapes, silent), ()) = join(self.scrape_all(), asking).await;
        self.brought_along = brought_along;
        self.sample_of(scrapes, problems, silent)
    }

    fn follow_rotation(&mut self) {
        self.replicas.follow(self.rotation.endpoints(), self.clock.now(), self.plan.reach(), Replica::new);
    }

    async fn scrape_all(&mut self) -> (ScrapeCount, Vec<ReplicaProblem>) {
        let started = self.clock.now();
        let (clock, client, plan) = (self.clock, &self.client, &self.plan);
        let in_flight = self.rotation.in_flight_by_url();
        let asked = self.replicas.iter_mut().filter(|(_, replica)| replica.is_to_be_asked());
        let scrapes: Vec<_> = asked
            .map(|(url, replica)| {
                let in_flight = in_flight.get(url).copied().unwrap_or_default();
                replica.scrape(client, clock, plan, in_flight)
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

    fn sample_of(
        &self,
        scrapes: ScrapeCount,
        mut problems: Vec<String>,
        silent: Vec<ReplicaProblem>,
    ) -> Sample {
        let now = self.clock.now();
        let whole = self.in_window(self.wanted.window(), now);
        let growths: BTreeMap<&str, &Growth> = whole
            .replicas
            .iter()
            .filter_map(|replica| Some((replica.id, replica.growth.as_ref()?)))
            .collect();
        let further = answers::to(
            &self.wanted,
            |window| self.in_window(window, now),
            |need, query| self.brought_along.answer(need, query, now),
            |_, need, metric| self.answer_of_named(need, metric, now),
        );
        // Before there are two scrapes, nothing has a rate.
        if !growths.is_empty() {
            problems.extend(answers::problems(&further));
        }
        let endpoints = self.rotation.endpoints();
        Sample {
            window: self.wanted.window(),
            service: whole.readings(),
            replicas: endpoints.iter().map(|endpoint| self.observe(endpoint, &growths, now)).collect(),
            endpoints: endpoints.to_vec(),
            further,
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

    /// What is known of all replicas in the window that ends now.
    fn in_window(&self, window: Duration, now: Duration) -> ServiceInWindow<'_> {
        let start = now.saturating_sub(window);
        let in_flight = self.rotation.in_flight_by_url();
        let replicas = self.replicas.iter().map(|(url, known)| {
            let past = known.own.past.as_ref();
            ReplicaInWindow {
                id: url,
                is_listed: known.state.is_some(),
                has_reported: self.has_reported(&known.own, now),
                age: past.map_or(Duration::MAX, |past| now.saturating_sub(past.newest_at())),
                growth: past.and_then(|past| {
                    Some(past.growth_since(start)?.with_modelled_cpu(self.cpu_cores_per_worker))
                }),
                standstill: &known.own.standstill,
                in_flight: in_flight.get(url).copied().map_or(0.0, f64::from),
            }
        });
        ServiceInWindow { replicas: replicas.collect(), in_flight: self.rotation.in_flight(now) }
    }

    fn answer_of_named(&self, need: &Need, metric: &NamedMetric, now: Duration) -> Answer {
        let start = now.saturating_sub(need.window);
        let replicas: Vec<NamedOfReplica<'_>> = self
            .replicas
            .iter()
            .map(|(url, known)| NamedOfReplica {
                id: url,
                is_listed: known.state.is_some(),
                age: known
                    .own
                    .past
                    .as_ref()
                    .map_or(Duration::MAX, |past| now.saturating_sub(past.newest_at())),
                found: known.own.found(metric, start).filter(|_| self.has_reported(&known.own, now)),
            })
            .collect();
        answer_of_named(need, metric, &replicas, "the /metrics of the replicas")
    }

    fn observe(
        &self,
        endpoint: &Endpoint,
        growths: &BTreeMap<&str, &Growth>,
        now: Duration,
    ) -> ReplicaObservation {
        let replica = self.replicas.get(&endpoint.url);
        let past = replica.and_then(|replica| replica.own.past.as_ref());
        let has_reported = replica.is_some_and(|replica| self.has_reported(&replica.own, now));
        let growth = growths.get(endpoint.url.as_str()).copied().filter(|_| has_reported);
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
        growths: &BTreeMap<&str, &Growth>,
        now: Duration,
    ) -> Option<scaler_engine::Standstill> {
        self.rotation.standstill(|endpoint| {
            let url = endpoint.url.as_str();
            let refused_per_second = growths.get(url).map_or(0.0, |growth| growth.refused_per_second());
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

impl Source for ScrapeSource {
    fn sample(&mut self) -> BoxFuture<'_, Sample> {
        self.look().boxed()
    }

    fn set_wanted(&mut self, wanted: Wanted) {
        self.plan = ScrapePlan::of(&wanted);
        self.wanted = wanted;
    }
}
