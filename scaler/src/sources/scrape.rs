//! Asks the gateway who is there and each replica for its metrics, and computes the signals over a window.
//!
//! Service-wide values come from the growth of all replicas together, so a mean is weighted by requests and a replica
//! that left stays counted until its share of the window has passed. A replica counts as having reported while its
//! newest scrape is at most three intervals old: one slow answer is no outage.

mod families;
mod signals;
#[cfg(test)]
mod tests;
mod totals;
mod window;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use observability::http::client::HttpClient;
use scaler_engine::{Reading, ReplicaObservation, Signal};

use self::families::{FAMILIES, Scraped};
use self::window::{Growth, ReplicaWindow};
use super::{Endpoint, EndpointState, Sample, ScrapeCount, Source};
use crate::clock::Clock;

/// Replicas asked at the same time.
const CONCURRENCY: usize = 8;

/// Longest wait for one replica, or for the gateway.
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
    began_at: Duration,
    endpoints: Vec<Endpoint>,
    endpoints_at: Option<Duration>,
    replicas: BTreeMap<String, Replica>,
}

#[derive(Debug)]
struct Replica {
    metrics_url: String,
    past: Option<ReplicaWindow>,
    /// What is read into; kept, so that its memory is.
    scraped: Scraped,
    /// Its state in the gateway's list; none once it is not listed any more.
    state: Option<EndpointState>,
    readiness_changed_at: Option<Duration>,
}

impl ScrapeSource {
    /// A source that has seen nothing yet.
    pub fn new(settings: ScrapeSettings, clock: Clock) -> Self {
        Self {
            settings,
            clock,
            client: HttpClient::with_idle_connections(1).with_max_body_bytes(BODY_BYTES_MAX),
            began_at: clock.now(),
            endpoints: Vec::new(),
            endpoints_at: None,
            replicas: BTreeMap::new(),
        }
    }

    async fn look(&mut self) -> Sample {
        let mut problems = Vec::new();
        match self.list_endpoints().await {
            Ok(endpoints) => self.take_endpoints(endpoints),
            Err(problem) => problems.push(problem),
        }
        let scrapes = self.scrape_all(&mut problems).await;
        self.sample_of(scrapes, problems)
    }

    async fn list_endpoints(&self) -> Result<Vec<Endpoint>, String> {
        let url = format!("{}/endpoints", self.settings.gateway_admin);
        let reply = self.client.get(&url, TIMEOUT).await.and_then(observability::http::client::Reply::ok);
        reply
            .and_then(|reply| reply.json())
            .map_err(|error| format!("the gateway did not list its endpoints: {error}"))
    }

    fn take_endpoints(&mut self, endpoints: Vec<Endpoint>) {
        let now = self.clock.now();
        let mut before: BTreeMap<String, EndpointState> = BTreeMap::new();
        for (url, replica) in &mut self.replicas {
            before.extend(replica.state.take().map(|state| (url.clone(), state)));
        }
        for endpoint in &endpoints {
            let replica = self.replicas.entry(endpoint.url.clone()).or_insert_with(|| Replica {
                metrics_url: metrics_url(&endpoint.url),
                past: None,
                scraped: Scraped::default(),
                state: None,
                readiness_changed_at: None,
            });
            replica.state = Some(endpoint.state);
            let was_ready = before.get(&endpoint.url).map(|state| *state == EndpointState::Ready);
            if was_ready.is_some_and(|was_ready| was_ready != replica.is_ready()) {
                replica.readiness_changed_at = Some(now);
            }
        }
        self.endpoints = endpoints;
        self.endpoints_at = Some(now);
        let start = now.saturating_sub(self.settings.window);
        self.replicas.retain(|_, replica| {
            replica.state.is_some() || replica.past.as_ref().is_some_and(|past| past.newest_at() > start)
        });
    }

    async fn scrape_all(&mut self, problems: &mut Vec<String>) -> ScrapeCount {
        let started = self.clock.now();
        let (clock, client, window, began_at) =
            (self.clock, &self.client, self.settings.window, self.began_at);
        let asked = self.replicas.values_mut().filter(|replica| replica.is_to_be_asked());
        let scrapes: Vec<_> = asked.map(|replica| replica.scrape(client, clock, window, began_at)).collect();
        let mut outcomes = stream::iter(scrapes).buffer_unordered(CONCURRENCY);
        let mut count = ScrapeCount::default();
        while let Some(outcome) = outcomes.next().await {
            match outcome {
                Ok(Scrape::Answered) => count.ok += 1,
                Ok(Scrape::Left) => {}
                Err(problem) => {
                    count.failed += 1;
                    problems.push(problem);
                }
            }
        }
        count.took = clock.now().saturating_sub(started);
        count
    }

    fn sample_of(&self, scrapes: ScrapeCount, problems: Vec<String>) -> Sample {
        let now = self.clock.now();
        let start = now.saturating_sub(self.settings.window);
        let mut service = BTreeMap::new();
        let growths: BTreeMap<&str, Growth> = self
            .replicas
            .iter()
            .filter_map(|(url, replica)| Some((url.as_str(), replica.past.as_ref()?.growth_since(start)?)))
            .collect();
        let joined = growths.values().cloned().reduce(|mut sum, growth| {
            sum.join(&growth);
            sum
        });
        if let Some(joined) = joined {
            let age = now.saturating_sub(joined.to);
            let seconds = joined.to.saturating_sub(joined.from).as_secs_f64();
            for (signal, value) in signals::of(&joined, seconds) {
                service.insert(signal, Reading { value: Some(value), age });
            }
        }
        if let Some(at) = self.endpoints_at {
            let total: f64 = self.endpoints.iter().map(|endpoint| f64::from(endpoint.in_flight)).sum();
            service.insert(Signal::InFlight, Reading { value: Some(total), age: now.saturating_sub(at) });
        }
        Sample {
            window: self.settings.window,
            service,
            replicas: self.endpoints.iter().map(|endpoint| self.observe(endpoint, &growths, now)).collect(),
            endpoints: self.endpoints.clone(),
            load_factor: self.load_factor(),
            scrapes,
            problems,
        }
    }

    fn observe(
        &self,
        endpoint: &Endpoint,
        growths: &BTreeMap<&str, Growth>,
        now: Duration,
    ) -> ReplicaObservation {
        let replica = self.replicas.get(&endpoint.url);
        let past = replica.and_then(|replica| replica.past.as_ref());
        let oldest = now.saturating_sub(self.settings.interval * REPORTED_INTERVALS);
        let growth = growths.get(endpoint.url.as_str()).filter(|growth| growth.to >= oldest);
        let mut signals: BTreeMap<Signal, Option<f64>> =
            Signal::ALL.into_iter().map(|signal| (signal, None)).collect();
        if let Some(growth) = growth {
            let seconds = growth.to.saturating_sub(growth.from).as_secs_f64();
            signals.extend(signals::of(growth, seconds).map(|(signal, value)| (signal, Some(value))));
        }
        signals.insert(Signal::InFlight, Some(f64::from(endpoint.in_flight)));
        ReplicaObservation {
            id: endpoint.url.clone(),
            ready: endpoint.state == EndpointState::Ready,
            readiness_changed_at: replica.and_then(|replica| replica.readiness_changed_at),
            started_at: past.and_then(|past| past.latest().started_at),
            deleting: endpoint.state == EndpointState::Draining,
            in_flight: endpoint.in_flight,
            sampled_at: past.map(ReplicaWindow::newest_at),
            signals,
        }
    }

    /// The replicas agree on it within a second or two; until then the newest scrape of a ready one tells.
    fn load_factor(&self) -> Option<f64> {
        self.replicas
            .values()
            .filter(|replica| replica.is_ready())
            .filter_map(|replica| replica.past.as_ref())
            .filter_map(|past| Some((past.newest_at(), past.latest().load_factor?)))
            .max_by_key(|(at, _)| *at)
            .map(|(_, factor)| factor)
    }
}

/// How a scrape went that brought no problem.
enum Scrape {
    Answered,
    /// The replica was on its way out and is gone.
    Left,
}

impl Replica {
    fn is_ready(&self) -> bool {
        self.state == Some(EndpointState::Ready)
    }

    /// A replica that never served need not be able to answer yet; one that lost its readiness still has a past.
    fn is_to_be_asked(&self) -> bool {
        self.state.is_some_and(|state| state != EndpointState::Starting || self.past.is_some())
    }

    async fn scrape(
        &mut self,
        client: &HttpClient,
        clock: Clock,
        window: Duration,
        began_at: Duration,
    ) -> Result<Scrape, String> {
        match self.read(client, clock, window, began_at).await {
            Ok(()) => Ok(Scrape::Answered),
            Err(_) if self.state == Some(EndpointState::Draining) => Ok(Scrape::Left),
            Err(problem) => Err(problem),
        }
    }

    async fn read(
        &mut self,
        client: &HttpClient,
        clock: Clock,
        window: Duration,
        began_at: Duration,
    ) -> Result<(), String> {
        let problem = |error: &dyn std::fmt::Display| format!("a replica gave no metrics: {error}");
        let reply =
            client.get(&self.metrics_url, TIMEOUT).await.and_then(observability::http::client::Reply::ok);
        let reply = reply.map_err(|error| problem(&error))?;
        let text = std::str::from_utf8(&reply.body).map_err(|error| problem(&error))?;
        self.scraped.read(text).map_err(|error| problem(&format!("{}: {error}", self.metrics_url)))?;
        let at = clock.now();
        if let Some(past) = &mut self.past {
            past.add(at, &self.scraped, window);
        } else {
            // A process that started after we did was not there before: all it counted, it counted since.
            let counts_from = self.scraped.started_at.filter(|started| *started >= began_at);
            self.past = Some(ReplicaWindow::begin(at, &self.scraped, counts_from));
        }
        Ok(())
    }
}

impl Source for ScrapeSource {
    fn sample(&mut self) -> BoxFuture<'_, Sample> {
        self.look().boxed()
    }
}

fn metrics_url(endpoint: &str) -> String {
    let wanted: Vec<String> = FAMILIES.iter().map(|family| format!("name%5B%5D={family}")).collect();
    format!("{}/metrics?{}", endpoint.trim_end_matches('/'), wanted.join("&"))
}
