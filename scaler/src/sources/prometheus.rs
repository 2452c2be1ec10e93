//! Asks the gateway who is there and a Prometheus what it scraped of them, and computes the signals over a window.
//!
//! PromQL delivers each replica's growth in the window, and from there on everything is computed as for the source
//! `scrape`, so both deliver the same. A replica is known by the label `instance`, which is the `host:port` of its
//! endpoint. Nothing depends on the clocks of this machine and of Prometheus' agreeing: an age is the time between a
//! sample and the evaluation that found it, both as Prometheus tells them.

mod answer;
mod client;
mod coverage;
mod named;
mod needs;
#[cfg(test)]
mod pretence;
mod problems;
mod queries;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join, join_all, join3};
use http_client::HttpClient;
use scaler_engine::ReplicaObservation;
use scaler_signals::{Growth, Progress, ReplicaStandstill, Wanted};

use self::answer::{Answer, Seen};
pub(super) use self::client::PrometheusClient;
pub use self::client::PrometheusUrlError;
use self::named::NamedAnswer;
use self::queries::Queries;
use super::queries::Queries as BroughtAlong;
use super::replica_table::ReplicaTable;
use super::rotation::Rotation;
use super::{Endpoint, Sample, ScrapeCount, Source, answers};
use crate::clock::Clock;

/// An answer is used for this many looks if none comes after it: one that is late is no outage.
const ANSWER_LOOKS: u32 = 3;

/// A replica has reported while its newest sample is at most this many scrapes old: one that failed is no outage.
const REPORTED_SCRAPES: f64 = 3.0;

/// A window with fewer scrapes than this says little about rates: one that comes late would be a large part of it.
const SCRAPES_PER_WINDOW_MIN: f64 = 4.0;

/// Scrapes are never exactly as far apart as they were meant to be.
const SPACING_TOLERANCE: f64 = 0.95;

/// Queries for the signals of one window.
const WINDOW_QUERIES: u32 = 3;

/// What a Prometheus source needs to know.
#[derive(Clone, Debug)]
pub struct PrometheusSettings {
    /// Where Prometheus is: `http://` or `https://`, with a path prefix if it has one.
    pub prometheus_url: String,
    /// The gateway's admin address, without a slash at its end.
    pub gateway_admin: String,
    /// The span that means, rates and quantiles cover.
    pub window: Duration,
    /// Time between two looks.
    pub interval: Duration,
}

/// Signals from a Prometheus that scrapes the replicas.
#[derive(Debug)]
pub struct PrometheusSource {
    settings: PrometheusSettings,
    clock: Clock,
    gateway: HttpClient,
    prometheus: PrometheusClient,
    rotation: Rotation,
    /// Replicas that are asked about; one that left is, until its share of the window has passed.
    asked: ReplicaTable<ReplicaStandstill>,
    wanted: Wanted,
    /// Over the window of all signals.
    answer: Option<Answer>,
    /// Over the other windows that a signal is needed over.
    others: BTreeMap<Duration, Answer>,
    named: Option<NamedAnswer>,
    brought_along: BroughtAlong,
    cpu_cores_per_worker: f64,
    /// The latest moment of evaluation that Prometheus has told.
    evaluated_at: f64,
    /// Time between two scrapes, as last seen; seconds.
    spacing_seconds: Option<f64>,
}

/// What the queries for one window brought.
struct WindowLook {
    answer: Result<Answer, String>,
    /// Queries that brought no answer.
    failed: u32,
}

impl PrometheusSource {
    /// A source that has asked nothing yet.
    ///
    /// # Errors
    /// If the URL is none of an HTTP server, or no client of it can be made.
    pub fn new(settings: PrometheusSettings, clock: Clock) -> Result<Self, PrometheusUrlError> {
        Ok(Self {
            prometheus: PrometheusClient::new(&settings.prometheus_url)?,
            rotation: Rotation::new(&settings.gateway_admin, clock.now(), settings.interval),
            wanted: Wanted::signals_over(settings.window),
            brought_along: BroughtAlong::to(Some(settings.prometheus_url.clone())),
            settings,
            clock,
            gateway: HttpClient::with_idle_connections(1),
            asked: ReplicaTable::default(),
            answer: None,
            others: BTreeMap::new(),
            named: None,
            cpu_cores_per_worker: 0.0,
            evaluated_at: 0.0,
            spacing_seconds: None,
        })
    }

    /// Counts each busy worker as this many CPU cores; 0, the default, takes what the process uses.
    #[must_use]
    pub fn with_cpu_per_worker(mut self, cores: f64) -> Self {
        self.cpu_cores_per_worker = cores;
        self
    }

    async fn look(&mut self) -> Sample {
        let mut problems = Vec::new();
        match self.rotation.refresh(&self.gateway, || self.clock.now()).await {
            Ok(()) => self.follow_rotation(),
            Err(problem) => problems.push(problem),
        }
        let scrapes = self.ask(&mut problems).await;
        let clock = self.clock;
        self.brought_along.ask(&self.wanted, || clock.now()).await;
        self.sample_of(scrapes, problems)
    }

    fn follow_rotation(&mut self) {
        let reach = self.wanted.windows().into_iter().map(|window| self.range(window)).max();
        let (now, reach) = (self.clock.now(), reach.unwrap_or_default());
        self.asked.follow(self.rotation.endpoints(), now, reach, |_| ReplicaStandstill::default());
    }

    fn instances(&self) -> impl Iterator<Item = &str> {
        self.asked.urls().map(queries::instance_of)
    }

    /// Time between two scrapes, as far as it is known and of use for a window: where it is longer than the window allows,
    /// nothing is computed anyway. Prometheus' own absence looks like one very long time between two scrapes; a span that
    /// reached over it would go on finding the samples from before.
    fn spacing(&self, window: Duration) -> Duration {
        let usable = window.as_secs_f64() / (SPACING_TOLERANCE * SCRAPES_PER_WINDOW_MIN);
        let known = self.spacing_seconds.unwrap_or_default().min(usable);
        Duration::try_from_secs_f64(known).unwrap_or_default()
    }

    /// The span that is asked for. The samples in a span reach over one scrape interval less than it, and `increase()`
    /// scales what they tell up to it; so it is one interval longer than the window, for samples that fill the window.
    fn range(&self, window: Duration) -> Duration {
        window + self.spacing(window)
    }

    /// Three queries for each window of signals and one for all metrics with open names, at the same time; a window's answer
    /// is taken if all of its queries brought theirs.
    async fn ask(&mut self, problems: &mut Vec<String>) -> ScrapeCount {
        if self.asked.is_empty() {
            return ScrapeCount::default();
        }
        let started = self.clock.now();
        let windows = self.wanted.signal_windows();
        let looks = join_all(windows.iter().map(|window| self.ask_window(*window)));
        let (looks, named) = join(looks, self.ask_named()).await;
        let took = self.clock.now().saturating_sub(started);
        let mut count = ScrapeCount { took, ..ScrapeCount::default() };
        let (mut told, mut is_new) = (Vec::new(), false);
        for (place, (window, look)) in windows.into_iter().zip(looks).enumerate() {
            let WindowLook { answer, failed } = look;
            count.ok += WINDOW_QUERIES - failed;
            count.failed += failed;
            let outcome = answer.and_then(|answer| match place {
                0 => self.take(answer).inspect(|()| is_new = true),
                _ => {
                    // Evaluated with the first one, and so as new, or old, as that.
                    if is_new {
                        self.others.insert(window, answer);
                    }
                    Ok(())
                }
            });
            told.extend(outcome.err());
        }
        match named {
            None => {}
            Some(Ok(answer)) => {
                count.ok += 1;
                if is_new {
                    self.named = Some(answer);
                }
            }
            Some(Err(problem)) => {
                count.failed += 1;
                told.push(problem);
            }
        }
        // Where several failed, they mostly failed alike.
        told.dedup();
        problems.append(&mut told);
        count
    }

    async fn ask_window(&self, window: Duration) -> WindowLook {
        let range = self.range(window);
        let queries = Queries::about(self.instances(), range);
        let [state, counters, buckets] =
            [&queries.state, &queries.counters, &queries.buckets].map(|query| self.prometheus.vector(query));
        let (state, counters, buckets) = join3(state, counters, buckets).await;
        let now = self.clock.now();
        let failed = [&state, &counters, &buckets].into_iter().filter(|answer| answer.is_err()).count();
        let answer = match (state, counters, buckets) {
            (Ok(state), Ok(counters), Ok(buckets)) => {
                let answer = Answer::read(now, range, state, counters, buckets);
                Ok(answer.with_modelled_cpu(self.cpu_cores_per_worker))
            }
            (Err(problem), ..) | (_, Err(problem), _) | (.., Err(problem)) => Err(problem),
        };
        WindowLook { answer, failed: u32::try_from(failed).unwrap_or(WINDOW_QUERIES) }
    }

    async fn ask_named(&self) -> Option<Result<NamedAnswer, String>> {
        let query = named::query(&self.wanted, self.instances(), |window| self.range(window))?;
        let points = self.prometheus.vector(&query).await;
        Some(points.map(|points| NamedAnswer::read(self.clock.now(), points)))
    }

    /// Takes an answer, unless it is one that was given before: time must have passed for Prometheus, too. Where its
    /// clock was set back, the next answer is later than this one again.
    fn take(&mut self, answer: Answer) -> Result<(), String> {
        let before = std::mem::replace(&mut self.evaluated_at, answer.evaluated_at);
        if answer.evaluated_at > 0.0 && answer.evaluated_at <= before {
            return Err(format!(
                "{} evaluated at a moment that is not later than that of its last answer, so nothing in it is known to \
                 be new; hint: is something in between keeping answers, or was its clock set back?",
                self.prometheus.name()
            ));
        }
        let in_flight = |url: &str| {
            let endpoint = self.rotation.endpoints().iter().find(|endpoint| endpoint.url == url);
            endpoint.map_or(0.0, |endpoint| f64::from(endpoint.in_flight))
        };
        for (url, known) in self.asked.iter_mut() {
            let seen = answer.replicas.get(queries::instance_of(url));
            if let Some(progress) = seen.and_then(|seen| seen.progress) {
                known.own.see(Progress { jobs: progress.jobs.max(in_flight(url)), ..progress });
            }
        }
        self.spacing_seconds = answer.spacing_seconds.or(self.spacing_seconds);
        self.answer = Some(answer);
        Ok(())
    }

    fn sample_of(&mut self, scrapes: ScrapeCount, mut problems: Vec<String>) -> Sample {
        let now = self.clock.now();
        self.forget_late(now);
        for window in self.wanted.signal_windows() {
            if let Some(problem) = self.window_problem(window) {
                problems.push(problem);
                let answer = self.others.get_mut(&window);
                let answer = if window == self.wanted.window() { self.answer.as_mut() } else { answer };
                answer.into_iter().for_each(Answer::forget_growth);
            }
        }
        problems.extend(self.sample_problems(now));
        let further = answers::to(
            &self.wanted,
            |window| self.in_window(window, now),
            |need, query| self.brought_along.answer(need, query, now),
            |place, need, metric| self.answer_of_named(place, need, metric, now),
        );
        if self
            .answer
            .as_ref()
            .is_some_and(|answer| answer.replicas.values().any(|seen| seen.growth.is_some()))
        {
            problems.extend(answers::problems(&further));
        }
        let endpoints = self.rotation.endpoints();
        Sample {
            window: self.wanted.window(),
            service: self.in_window(self.wanted.window(), now).readings(),
            replicas: endpoints.iter().map(|endpoint| self.observe(endpoint, now)).collect(),
            endpoints: endpoints.to_vec(),
            further,
            rotation_unknown_for: self.rotation.unknown_for(now),
            standstill: self.standstill(now),
            load_factor: self.load_factor(),
            scrapes,
            problems,
            silent: Vec::new(),
            faults: BTreeMap::new(),
            list_age: self.rotation.age(now),
            spacing: self.spacing(self.wanted.window()).max(self.settings.interval),
        }
    }

    fn forget_late(&mut self, now: Duration) {
        let is_late = |at: Duration| now.saturating_sub(at) > self.settings.interval * ANSWER_LOOKS;
        self.answer = self.answer.take().filter(|answer| !is_late(answer.at));
        self.named = self.named.take().filter(|answer| !is_late(answer.at));
        self.others.retain(|_, answer| !is_late(answer.at));
    }

    fn observe(&self, endpoint: &Endpoint, now: Duration) -> ReplicaObservation {
        let seen = self.seen(&endpoint.url);
        let age = |seen: &Seen| self.age(seen, now);
        let reported = seen.filter(|_| self.has_reported(&endpoint.url, now));
        let growth = reported.and_then(|seen| seen.growth.as_ref());
        let started_at = seen.and_then(|seen| seen.started_at);
        let sampled_at = seen.map(|seen| now.saturating_sub(age(seen)));
        let standstill = self.asked.get(&endpoint.url).map(|known| &known.own);
        self.rotation.observe(endpoint, now, started_at, sampled_at, growth.zip(standstill))
    }

    fn standstill(&self, now: Duration) -> Option<scaler_engine::Standstill> {
        self.rotation.standstill(|endpoint| {
            let growth = self.seen(&endpoint.url).and_then(|seen| seen.growth.as_ref());
            let refused_per_second = growth.map_or(0.0, Growth::refused_per_second);
            let known = self.asked.get(&endpoint.url).filter(|_| self.has_reported(&endpoint.url, now))?;
            Some((&known.own, refused_per_second))
        })
    }

    fn seen(&self, url: &str) -> Option<&Seen> {
        self.answer.as_ref()?.replicas.get(queries::instance_of(url))
    }

    /// The age of a replica's newest sample.
    fn age(&self, seen: &Seen, now: Duration) -> Duration {
        seen.age + now.saturating_sub(self.answer.as_ref().map_or(now, |answer| answer.at))
    }

    /// Whether a replica's newest sample is recent enough to say how it is now.
    fn has_reported(&self, url: &str, now: Duration) -> bool {
        self.seen(url).is_some_and(|seen| !self.is_silent(self.age(seen, now)))
    }

    /// Whether a newest sample of this age means that the replica is not scraped any more.
    fn is_silent(&self, age: Duration) -> bool {
        let at_most = self.wanted.window().as_secs_f64() / SCRAPES_PER_WINDOW_MIN;
        let spacing = self.spacing_seconds.unwrap_or(at_most).max(self.settings.interval.as_secs_f64());
        age.as_secs_f64() > REPORTED_SCRAPES * spacing
    }

    fn load_factor(&self) -> Option<f64> {
        let asked_at = self.answer.as_ref()?.at;
        self.asked.newest_of_ready(|url, _| {
            let seen = self.seen(url)?;
            Some((asked_at.saturating_sub(seen.age), seen.load_factor?))
        })
    }
}

impl Source for PrometheusSource {
    fn sample(&mut self) -> BoxFuture<'_, Sample> {
        self.look().boxed()
    }

    fn set_wanted(&mut self, wanted: Wanted) {
        let windows = wanted.signal_windows();
        if wanted.window() != self.wanted.window() {
            self.answer = None;
        }
        self.others.retain(|window, _| windows.contains(window));
        // Its figures are told apart by the places of the needs.
        self.named = None;
        self.wanted = wanted;
    }
}
