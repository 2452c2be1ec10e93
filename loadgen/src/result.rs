//! What came of a run: counts, rates, response times, and whether the thresholds held.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::LoadConfig;
use crate::progress::per_second;
use crate::recorder::{Latency, Snapshot, Tally};
use crate::scenario::Scenario;
use crate::threshold::{Observed, Verdict};

mod table;

/// What came of the requests of one name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestResult {
    /// Method and path, such as `POST /order`.
    pub name: String,
    /// Requests that ended, whatever came of them.
    pub requests: u64,
    /// Of these, failed; refusals not among them.
    pub failures: u64,
    /// Of these, refused with 503 and `Retry-After`.
    pub refusals: u64,
    /// Requests that ended, per second.
    pub requests_per_second: f64,
    /// Response times of those that were answered and not refused; `None` where there were none.
    pub latency: Option<Latency>,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadResult {
    /// Base URL of the service.
    pub host: String,
    /// What the users did.
    pub scenario: Scenario,
    /// How many users there were.
    pub users: usize,
    /// The seed of what they did.
    pub seed: u64,
    /// How long was measured.
    pub duration_seconds: f64,
    /// Whether all users had started, and only what came after was measured. `false` where the run was stopped
    /// before: then the ramp-up was measured, with fewer users.
    pub ramped_up: bool,
    /// Whether the run was stopped before its time was over.
    pub interrupted: bool,
    /// Requests that ended, whatever came of them.
    pub requests: u64,
    /// Of these, failed; refusals not among them.
    pub failures: u64,
    /// Of these, refused with 503 and `Retry-After`.
    pub refusals: u64,
    /// Failures by kind: `status 500`, `timed out`, `no connection`, `broke off`, `could not be sent`.
    pub errors: BTreeMap<String, u64>,
    /// Requests that ended, per second.
    pub requests_per_second: f64,
    /// Requests that succeeded, per second.
    pub successes_per_second: f64,
    /// Response times of all requests that were answered and not refused; `None` where there were none.
    pub latency: Option<Latency>,
    /// By the request's name, in alphabetical order.
    pub by_request: Vec<RequestResult>,
    /// One verdict for each threshold, in the order given.
    pub thresholds: Vec<Verdict>,
    /// Reports that could not be written, and why; empty where all were.
    pub report_errors: Vec<String>,
}

/// One line of a table: a request, or all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) requests: u64,
    pub(crate) failures: u64,
    pub(crate) refusals: u64,
    pub(crate) requests_per_second: f64,
    pub(crate) latency: Option<Latency>,
}

impl LoadResult {
    pub(crate) fn new(config: &LoadConfig, snapshot: &Snapshot, interrupted: bool) -> Self {
        let mut all = Tally::default();
        snapshot.tallies.values().for_each(|tally| all.merge(tally));
        let (failures, latency) = (all.failed(), all.times.latency());
        let failed_or_refused = failures + all.refusals;
        let successes_per_second = per_second(all.requests - failed_or_refused, snapshot.measured);
        let observed = Observed { requests: all.requests, failed_or_refused, successes_per_second, latency };
        Self {
            host: config.host.clone(),
            scenario: config.scenario,
            users: config.users,
            seed: config.seed,
            duration_seconds: snapshot.measured.as_secs_f64(),
            ramped_up: snapshot.ramped_up,
            interrupted,
            requests: all.requests,
            failures,
            refusals: all.refusals,
            errors: all.failures.iter().map(|(kind, count)| (kind.to_string(), *count)).collect(),
            requests_per_second: per_second(all.requests, snapshot.measured),
            successes_per_second,
            latency,
            by_request: snapshot
                .tallies
                .iter()
                .map(|(name, tally)| RequestResult {
                    name: name.clone(),
                    requests: tally.requests,
                    failures: tally.failed(),
                    refusals: tally.refusals,
                    requests_per_second: per_second(tally.requests, snapshot.measured),
                    latency: tally.times.latency(),
                })
                .collect(),
            thresholds: config
                .thresholds
                .iter()
                .map(|threshold| Verdict::new(*threshold, &observed))
                .collect(),
            report_errors: Vec::new(),
        }
    }

    /// Whether every threshold held; `true` where none was set.
    pub fn held(&self) -> bool {
        self.thresholds.iter().all(|verdict| verdict.held)
    }

    /// The requests by name, and all of them as the last line.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let all = Row {
            name: "all requests",
            requests: self.requests,
            failures: self.failures,
            refusals: self.refusals,
            requests_per_second: self.requests_per_second,
            latency: self.latency,
        };
        let by_request = self.by_request.iter().map(|request| Row {
            name: &request.name,
            requests: request.requests,
            failures: request.failures,
            refusals: request.refusals,
            requests_per_second: request.requests_per_second,
            latency: request.latency,
        });
        by_request.chain(std::iter::once(all))
    }
}
