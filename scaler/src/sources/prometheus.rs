//! Asks the gateway who is there and a Prometheus what it scraped of them, and computes the signals over a window.
//!
//! PromQL delivers each replica's growth in the window, and from there on everything is computed as for the source
//! `scrape`, so both deliver the same. A replica is known by the label `instance`, which is the `host:port` of its
//! endpoint. Nothing depends on the clocks of this machine and of Prometheus' agreeing: an age is the time between a
//! sample and the evaluation that found it, both as Prometheus tells them.

mod answer;
mod client;
mod coverage;
#[cfg(test)]
mod pretence;
mod queries;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join3};
use http_client::HttpClient;
use scaler_engine::{Reading, ReplicaObservation, Signal};
use scaler_signals::{Growth, Progress, ReplicaStandstill, signals_of};

use self::answer::{Answer, Seen};
use self::client::PrometheusClient;
pub use self::client::PrometheusUrlError;
use self::queries::Queries;
use super::replica_table::ReplicaTable;
use super::rotation::Rotation;
use super::{Endpoint, Sample, ScrapeCount, Source};
use crate::clock::Clock;

/// An answer is used for this many looks if none comes after it: one that is late is no outage.
const ANSWER_LOOKS: u32 = 3;

/// A replica has reported while its newest sample is at most this many scrapes old: one that failed is no outage.
const REPORTED_SCRAPES: f64 = 3.0;

/// A window with fewer scrapes than this says little about rates: one that comes late would be a large part of it.
const SCRAPES_PER_WINDOW_MIN: f64 = 4.0;

/// Scrapes are never exactly as far apart as they were meant to be.
const SPACING_TOLERANCE: f64 = 0.95;

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
    answer: Option<Answer>,
    /// The latest moment of evaluation that Prometheus has told.
    evaluated_at: f64,
    /// Time between two scrapes, as last seen; seconds.
    spacing_seconds: Option<f64>,
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
            settings,
            clock,
            gateway: HttpClient::with_idle_connections(1),
            asked: ReplicaTable::default(),
            answer: None,
            evaluated_at: 0.0,
            spacing_seconds: None,
        })
    }

    async fn look(&mut self) -> Sample {
        let mut problems = Vec::new();
        match self.rotation.refresh(&self.gateway, || self.clock.now()).await {
            Ok(()) => self.follow_rotation(),
            Err(problem) => problems.push(problem),
        }
        let scrapes = self.ask(&mut problems).await;
        self.sample_of(scrapes, problems)
    }

    fn follow_rotation(&mut self) {
        let (now, reach) = (self.clock.now(), self.range());
        self.asked.follow(self.rotation.endpoints(), now, reach, |_| ReplicaStandstill::default());
    }

    fn instances(&self) -> impl Iterator<Item = &str> {
        self.asked.urls().map(queries::instance_of)
    }

    /// Time between two scrapes, as far as it is known and of use: where it is longer than the window allows, nothing is
    /// computed anyway. Prometheus' own absence looks like one very long time between two scrapes; a span that reached
    /// over it would go on finding the samples from before.
    fn spacing(&self) -> Duration {
        let usable = self.settings.window.as_secs_f64() / (SPACING_TOLERANCE * SCRAPES_PER_WINDOW_MIN);
        let known = self.spacing_seconds.unwrap_or_default().min(usable);
        Duration::try_from_secs_f64(known).unwrap_or_default()
    }

    /// The span that is asked for. The samples in a span reach over one scrape interval less than it, and `increase()`
    /// scales what they tell up to it; so it is one interval longer than the window, for samples that fill the window.
    fn range(&self) -> Duration {
        self.settings.window + self.spacing()
    }

    /// Three queries at the same time; an answer is taken if all of them brought theirs.
    async fn ask(&mut self, problems: &mut Vec<String>) -> ScrapeCount {
        if self.asked.is_empty() {
            return ScrapeCount::default();
        }
        let started = self.clock.now();
        let range = self.range();
        let queries = Queries::about(self.instances(), range);
        let [state, counters, buckets] =
            [&queries.state, &queries.counters, &queries.buckets].map(|query| self.prometheus.vector(query));
        let (state, counters, buckets) = join3(state, counters, buckets).await;
        let now = self.clock.now();
        let failed = [&state, &counters, &buckets].into_iter().filter(|answer| answer.is_err()).count();
        let failed = u32::try_from(failed).unwrap_or(u32::MAX);
        match (state, counters, buckets) {
            (Ok(state), Ok(counters), Ok(buckets)) => {
                let answer = Answer::read(now, range, state, counters, buckets);
                if let Err(problem) = self.take(answer) {
                    problems.push(problem);
                }
            }
            // Where several failed, they mostly failed alike.
            (Err(problem), ..) | (_, Err(problem), _) | (.., Err(problem)) => problems.push(problem),
        }
        ScrapeCount { ok: 3 - failed, failed, took: now.saturating_sub(started) }
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
        let is_late = |answer: &Answer| now.saturating_sub(answer.at) > self.settings.interval * ANSWER_LOOKS;
        if self.answer.as_ref().is_some_and(is_late) {
            self.answer = None;
        }
        if let Some(problem) = self.window_problem() {
            problems.push(problem);
            self.answer.iter_mut().for_each(Answer::forget_growth);
        }
        problems.extend(self.sample_problems(now));
        let mut service = BTreeMap::new();
        if let Some(answer) = &self.answer {
            let with_growth = || answer.replicas.values().filter(|seen| seen.growth.is_some());
            let joined = Growth::joined(with_growth().filter_map(|seen| seen.growth.as_ref()));
            if let (Some(joined), Some(age)) = (joined, with_growth().map(|seen| seen.age).min()) {
                let age = age + now.saturating_sub(answer.at);
                let told = self.asked.iter().filter(|(url, _)| self.has_reported(url, now));
                let jobs: f64 = told.map(|(_, known)| known.own.jobs()).sum();
                for (signal, value) in signals_of(&joined, jobs.max(self.rotation.jobs_in_flight())) {
                    service.insert(signal, Reading { value: Some(value), age });
                }
            }
        }
        service.extend(self.rotation.in_flight(now).map(|reading| (Signal::InFlight, reading)));
        let endpoints = self.rotation.endpoints();
        Sample {
            window: self.settings.window,
            service,
            replicas: endpoints.iter().map(|endpoint| self.observe(endpoint, now)).collect(),
            endpoints: endpoints.to_vec(),
            rotation_unknown_for: self.rotation.unknown_for(now),
            standstill: self.standstill(now),
            load_factor: self.load_factor(),
            scrapes,
            problems,
            silent: Vec::new(),
            faults: BTreeMap::new(),
            list_age: self.rotation.age(now),
            spacing: self.spacing().max(self.settings.interval),
        }
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
        let at_most = self.settings.window.as_secs_f64() / SCRAPES_PER_WINDOW_MIN;
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

    fn window_problem(&self) -> Option<String> {
        let (window, spacing) = (self.settings.window, self.spacing_seconds?);
        let needed = SCRAPES_PER_WINDOW_MIN * spacing;
        (window.as_secs_f64() < SPACING_TOLERANCE * needed).then(|| {
            format!(
                "Prometheus scrapes the replicas each {spacing:.1} s, too seldom for the policy's window of \
                 {window:?}, expected {SCRAPES_PER_WINDOW_MIN} scrapes in it; hint: a window of at least \
                 {needed:.0} s, or a shorter scrape_interval in Prometheus' configuration"
            )
        })
    }

    /// Which replicas in rotation Prometheus does not know, or does not scrape any more.
    fn sample_problems(&self, now: Duration) -> Vec<String> {
        let Some(answer) = &self.answer else { return Vec::new() };
        let mut problems = answer.problems.clone();
        if answer.replicas.is_empty() && !self.asked.is_empty() {
            let wanted: Vec<&str> = self.instances().collect();
            problems.push(format!(
                "{} has no samples of any replica, expected series with the label `instance` {}; hint: scrape what \
                 the gateway's GET /sd lists",
                self.prometheus.name(),
                wanted.join(" or ")
            ));
            return problems;
        }
        for endpoint in self.rotation.endpoints().iter().filter(|endpoint| endpoint.is_ready()) {
            let instance = queries::instance_of(&endpoint.url);
            let Some(asked) = self.asked.get(&endpoint.url) else { continue };
            match answer.replicas.get(instance).map(|seen| self.age(seen, now)) {
                Some(age) if self.is_silent(age) => problems.push(format!(
                    "{}'s newest sample of {instance} is {:.1} s old; hint: is the replica among the targets, and up?",
                    self.prometheus.name(),
                    age.as_secs_f64()
                )),
                // A new replica is discovered and scraped a while after the gateway has it in rotation.
                None if now.saturating_sub(asked.since) > self.settings.window => problems.push(format!(
                    "{} has no samples of {instance}; hint: is the replica among the targets?",
                    self.prometheus.name()
                )),
                _ => {}
            }
        }
        problems
    }
}

impl Source for PrometheusSource {
    fn sample(&mut self) -> BoxFuture<'_, Sample> {
        self.look().boxed()
    }

    fn set_window(&mut self, window: Duration) {
        self.settings.window = window;
    }
}
