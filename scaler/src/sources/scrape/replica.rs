//! Scrapes one replica and keeps what it showed for as long as a window reaches.

use std::time::Duration;

use http_client::{HttpClient, Reply};
use scaler_engine::NamedMetric;
use scaler_signals::{Found, NamedWindow, Progress, ReplicaStandstill, ReplicaWindow};

use super::families::Scraped;
use super::plan::ScrapePlan;
use crate::clock::Clock;
use crate::sources::problem::{ReplicaProblem, instead_of_answering};
use crate::sources::replica_table::Known;
use crate::sources::{Endpoint, EndpointState};

/// Longest wait for one replica.
const TIMEOUT: Duration = Duration::from_millis(800);

/// What is known of a replica.
#[derive(Debug)]
pub(super) struct Replica {
    url: String,
    pub(super) past: Option<ReplicaWindow>,
    /// Of the last scrape that could be read.
    pub(super) load_factor: Option<f64>,
    pub(super) standstill: ReplicaStandstill,
    /// What is read into; kept, so that its memory is.
    pub(super) scraped: Scraped,
    /// What is known of each metric with an open name that is needed.
    named: Vec<(NamedMetric, NamedWindow)>,
}

/// How a scrape went that brought no problem.
pub(super) enum Scrape {
    Answered,
    /// The replica was on its way out and is gone.
    Left,
}

impl Replica {
    /// One that was never scraped.
    pub(super) fn new(endpoint: &Endpoint) -> Self {
        Self {
            url: endpoint.url.clone(),
            past: None,
            load_factor: None,
            standstill: ReplicaStandstill::default(),
            scraped: Scraped::default(),
            named: Vec::new(),
        }
    }

    /// What is known of a metric in the window from `start`; nothing before a scrape has asked for it.
    pub(super) fn found(&self, metric: &NamedMetric, start: Duration) -> Option<Found> {
        let (_, window) = self.named.iter().find(|(known, _)| known == metric)?;
        Some(window.found(start))
    }

    async fn read(
        &mut self,
        client: &HttpClient,
        clock: Clock,
        plan: &ScrapePlan,
        in_flight: u32,
    ) -> Result<(), ReplicaProblem> {
        let url = plan.metrics_url(&self.url);
        let reply = client.scrape(&url, TIMEOUT).await.and_then(Reply::ok);
        let reply = reply.map_err(|error| {
            ReplicaProblem::new(&self.url, &instead_of_answering("its metrics request", &error))
        })?;
        let unusable = |error: &dyn std::fmt::Display| {
            let predicate = format!("answered its metrics request with unusable metrics: {error}");
            ReplicaProblem::new(&self.url, &predicate)
        };
        let text = std::str::from_utf8(&reply.body).map_err(|error| unusable(&error))?;
        self.scraped.read(text, plan.named()).map_err(|error| unusable(&error))?;
        self.take(clock.now(), plan, in_flight);
        Ok(())
    }

    /// Adds what was read to what is known.
    fn take(&mut self, at: Duration, plan: &ScrapePlan, in_flight: u32) {
        let figures = &self.scraped.figures;
        let has_restarted = if let Some(past) = &mut self.past {
            past.add(at, figures, plan.windows())
        } else {
            self.past = Some(ReplicaWindow::begin(at, figures));
            false
        };
        self.load_factor = self.scraped.load_factor;
        // A replica that is not the lab's may tell of no job before it has ended; the gateway knows of them.
        let jobs = figures.jobs().max(f64::from(in_flight));
        self.standstill.see(Progress { at, completed: figures.duration_count, jobs });
        self.named.retain(|(known, _)| plan.named().iter().any(|family| family.metric == *known));
        for (family, figures) in plan.named().iter().zip(&self.scraped.named) {
            let place = self.named.iter().position(|(known, _)| *known == family.metric);
            let place = place.unwrap_or_else(|| {
                self.named.push((family.metric.clone(), NamedWindow::default()));
                self.named.len() - 1
            });
            self.named[place].1.add(at, *figures, has_restarted, plan.windows());
        }
    }
}

impl Known<Replica> {
    /// A replica that never served need not be able to answer yet; one that lost its readiness still has a past.
    pub(super) fn is_to_be_asked(&self) -> bool {
        self.state.is_some_and(|state| state != EndpointState::Starting || self.own.past.is_some())
    }

    pub(super) async fn scrape(
        &mut self,
        client: &HttpClient,
        clock: Clock,
        plan: &ScrapePlan,
        in_flight: u32,
    ) -> Result<Scrape, ReplicaProblem> {
        match self.own.read(client, clock, plan, in_flight).await {
            Ok(()) => Ok(Scrape::Answered),
            Err(_) if self.state == Some(EndpointState::Draining) => Ok(Scrape::Left),
            Err(problem) => Err(problem),
        }
    }
}
