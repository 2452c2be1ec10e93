//! What came of a run: counts, rates, response times, and whether the thresholds held.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use loadgen_baseline::measurement::rate::per_second;
use loadgen_baseline::{ErrorSum, Latency, Observed, Quantile, Verdict};
use serde::{Deserialize, Serialize};

use crate::config::{Load, LoadConfig};
use crate::generator::GeneratorResult;
use crate::recorder::{ErrorKind, ErrorTally, Snapshot, Tally};
use crate::result::series::Point;
use crate::service_url::without_credentials;

pub(crate) mod progress;
mod remarks;
pub(crate) mod series;
mod table;

/// What came of the requests of one name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestResult {
    /// The request's name in the scenario, such as `POST /order`.
    pub name: String,
    /// Requests that ended, whatever came of them.
    pub requests: u64,
    /// Of these, failed; refusals not among them.
    pub failures: u64,
    /// Of these, refused with 503 and `Retry-After`.
    pub refusals: u64,
    /// Requests that were sent and still unanswered when the run was given up.
    pub unanswered: u64,
    /// Of the requests, ended after the measured time.
    pub late: u64,
    /// Of the requests, sent a second time because a reused connection was closed before the first byte of an answer.
    pub repeated: u64,
    /// Requests that ended, per second.
    pub requests_per_second: f64,
    /// From the intended start to the last byte; `None` without a schedule, or where there was nothing.
    pub latency_from_intended: Option<Latency>,
    /// As in [`LoadResult`]; `None` where there were none.
    pub latency_from_sent: Option<Latency>,
}

/// One kind of error of one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorResult {
    /// The request's name; `None` for what was due and never sent, which had not become a request of a name.
    pub request: Option<String>,
    /// What was wrong, such as `status 500`, `timed out`, `refused (503 with Retry-After)` or `check: …`.
    pub error: String,
    /// The status, where it says what was wrong.
    pub status: Option<u16>,
    /// How often.
    pub count: u64,
    /// When the first one ended, in seconds since measuring began; for what was never sent, when it was due.
    pub first_at_seconds: f64,
    /// When the last one did.
    pub last_at_seconds: f64,
    /// What explains one of them, such as where a redirect leads or what the system said.
    pub example: Option<String>,
}

/// A request that took long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlowRequestResult {
    /// The request's name.
    pub name: String,
    /// When it was sent, in seconds since measuring began.
    pub sent_at_seconds: f64,
    /// From the intended start, or from sending where there was no schedule, in milliseconds.
    pub took_ms: f64,
    /// The status, where there was an answer.
    pub status: Option<u16>,
    /// The id of its trace, which the lab's processes also log as the id of the request.
    pub trace_id: String,
    /// Whether whoever traces records it.
    pub trace_recorded: bool,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadResult {
    /// The version of the load generator.
    pub version: String,
    /// Base URL of the service.
    pub host: String,
    /// What the users did: the scenario's name.
    pub scenario: String,
    /// `users` or `rate`.
    pub model: String,
    /// How much load was wanted, as it was written: users or requests per second.
    pub load: String,
    /// With a rate, `poisson` or `constant`.
    pub arrivals: Option<String>,
    /// The most users there were.
    pub users: usize,
    /// The seed of what they did.
    pub seed: u64,
    /// How long was measured.
    pub duration_seconds: f64,
    /// Whether all users had started, and only what came after was measured. `false` where the run ended
    /// before: then the ramp-up was measured, with fewer users.
    pub ramped_up: bool,
    /// Whether the run was stopped before its time was over.
    pub interrupted: bool,
    /// Why the run ended itself before its time was over.
    pub gave_up: Option<String>,
    /// Requests that were due; `None` without a schedule. `sent + unsent`.
    pub scheduled: Option<u64>,
    /// Requests that were due and never sent, because no user was free in time.
    pub unsent: u64,
    /// Requests that were sent and still unanswered when the run was given up, some seconds after its end.
    pub unanswered: u64,
    /// Requests that ended, whatever came of them; those that ended late included.
    pub requests: u64,
    /// Of these, ended after the measured time, while the run waited for them. With users they are in no rate.
    pub late: u64,
    /// Of these, sent a second time because a reused connection was closed before the first byte of an answer.
    pub repeated: u64,
    /// Of these, failed; refusals not among them.
    pub failures: u64,
    /// Of these, refused with 503 and `Retry-After`.
    pub refusals: u64,
    /// What is an error, as a sum: failed, refused, unanswered and unsent.
    pub error_sum: ErrorSum,
    /// Failures by kind, such as `status 500`, `timed out` or `connection refused`, and `unanswered at the end`.
    pub errors: BTreeMap<String, u64>,
    /// Which request had which error, how often and when; in the order of requests, and of kinds of error.
    pub errors_by_request: Vec<ErrorResult>,
    /// What did not hold of answers, and how often.
    pub broken_checks: BTreeMap<String, u64>,
    /// Requests that ended, per second.
    pub requests_per_second: f64,
    /// Requests that succeeded, per second.
    pub successes_per_second: f64,
    /// From the intended start to the last byte; `None` without a schedule. Requests that timed out, were never
    /// sent or never answered are in it with the time they waited.
    pub latency_from_intended: Option<Latency>,
    /// From sending to the last byte, of all requests that were answered and not refused; `None` where there were none.
    /// Without a schedule, requests that timed out or were never answered are in it with the time they waited.
    pub latency_from_sent: Option<Latency>,
    /// The distribution of the response times that thresholds are held against.
    pub distribution: Vec<Quantile>,
    /// By the request's name, in the scenario's order.
    pub by_request: Vec<RequestResult>,
    /// One verdict for each threshold, in the order given.
    pub thresholds: Vec<Verdict>,
    /// The requests that took longest, the longest first.
    pub slowest: Vec<SlowRequestResult>,
    /// Whether the generator was the limit.
    pub generator: GeneratorResult,
    /// How it went over time.
    pub series: Vec<Point>,
    /// Reports that could not be written, and why; empty where all were.
    pub report_errors: Vec<String>,
}

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ending {
    pub(crate) interrupted: bool,
    pub(crate) gave_up: Option<String>,
}

/// One line of a table: a request, or all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) requests: u64,
    pub(crate) failures: u64,
    pub(crate) refusals: u64,
    /// Known of all requests only: what was never sent had not become one of them.
    pub(crate) unsent: Option<u64>,
    pub(crate) unanswered: u64,
    pub(crate) late: u64,
    pub(crate) repeated: u64,
    /// Its place among the scenario's names; none for all requests.
    pub(crate) index: Option<usize>,
    pub(crate) requests_per_second: f64,
    /// From the intended start where there is a schedule, or else from sending.
    pub(crate) latency: Option<Latency>,
}

impl LoadResult {
    pub(crate) fn new(
        config: &LoadConfig,
        snapshot: &Snapshot,
        ending: Ending,
        generator: GeneratorResult,
        series: Vec<Point>,
    ) -> Self {
        let all = &snapshot.all;
        let measured = snapshot.measured;
        let (model, arrivals) = match &config.load {
            Load::Users(_) => ("users", None),
            Load::Rate { arrivals, .. } => ("rate", Some(arrivals.to_string())),
        };
        let scheduled = arrivals.is_some();
        let judged = if scheduled { &all.from_intended } else { &all.from_sent };
        let error_sum = all.error_sum();
        // With users what ends late says nothing about the rate in the window; with a schedule it was due in it.
        let in_rates = |requests: u64, late: u64| if scheduled { requests } else { requests - late };
        let successes_per_second = per_second(in_rates(all.succeeded(), all.late_successes), measured);
        let observed = Observed { errors: error_sum, successes_per_second, latency: judged.latency() };
        let names = config.scenario.request_names();
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            host: without_credentials(&config.host),
            scenario: config.scenario.name().to_owned(),
            model: model.to_owned(),
            load: config.load.levels().to_string(),
            arrivals,
            users: config.pool(),
            seed: config.seed,
            duration_seconds: measured.as_secs_f64(),
            ramped_up: snapshot.begun,
            interrupted: ending.interrupted,
            gave_up: ending.gave_up,
            scheduled: scheduled.then_some(error_sum.requests),
            unsent: all.unsent,
            unanswered: all.unanswered,
            requests: all.requests,
            late: all.late,
            repeated: all.repeated,
            failures: all.failed(),
            refusals: all.refusals,
            error_sum,
            errors: errors(all),
            errors_by_request: errors_by_request(names, snapshot),
            broken_checks: all
                .broken_checks
                .iter()
                .map(|(check, count)| (check.to_string(), *count))
                .collect(),
            requests_per_second: per_second(in_rates(all.requests, all.late), measured),
            successes_per_second,
            latency_from_intended: all.from_intended.latency(),
            latency_from_sent: all.from_sent.latency(),
            distribution: judged.distribution(),
            by_request: names
                .iter()
                .zip(&snapshot.tallies)
                .map(|(name, tally)| RequestResult {
                    name: name.clone(),
                    requests: tally.requests,
                    failures: tally.failed(),
                    refusals: tally.refusals,
                    unanswered: tally.unanswered,
                    late: tally.late,
                    repeated: tally.repeated,
                    requests_per_second: per_second(in_rates(tally.requests, tally.late), measured),
                    latency_from_intended: tally.from_intended.latency(),
                    latency_from_sent: tally.from_sent.latency(),
                })
                .collect(),
            thresholds: config
                .thresholds
                .iter()
                .map(|threshold| Verdict::new(*threshold, &observed))
                .collect(),
            slowest: slowest(names, snapshot),
            generator,
            series,
            report_errors: Vec::new(),
        }
    }

    /// Whether every threshold held and the run did not give up; `true` where no threshold was set.
    pub fn held(&self) -> bool {
        self.gave_up.is_none() && self.thresholds.iter().all(|verdict| verdict.held)
    }

    /// The response times that count: from the intended start where there is a schedule, or else from sending.
    pub fn latency(&self) -> Option<Latency> {
        if self.arrivals.is_some() { self.latency_from_intended } else { self.latency_from_sent }
    }

    /// The requests by name, and all of them as the last line.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let scheduled = self.arrivals.is_some();
        let all = Row {
            name: "all requests",
            requests: self.requests,
            failures: self.failures,
            refusals: self.refusals,
            unsent: Some(self.unsent),
            unanswered: self.unanswered,
            late: self.late,
            repeated: self.repeated,
            index: None,
            requests_per_second: self.requests_per_second,
            latency: self.latency(),
        };
        let from_sent = Row { name: "all, from actual send", latency: self.latency_from_sent, ..all };
        let by_request = self.by_request.iter().enumerate().map(move |(index, request)| Row {
            name: &request.name,
            requests: request.requests,
            failures: request.failures,
            refusals: request.refusals,
            unsent: None,
            unanswered: request.unanswered,
            late: request.late,
            repeated: request.repeated,
            index: Some(index),
            requests_per_second: request.requests_per_second,
            latency: if scheduled { request.latency_from_intended } else { request.latency_from_sent },
        });
        by_request.chain(scheduled.then_some(from_sent)).chain(std::iter::once(all))
    }
}

/// Failures by kind, and what was never answered.
pub(crate) fn errors(tally: &Tally) -> BTreeMap<String, u64> {
    let failed = tally.failures.iter().map(|(kind, count)| (kind.to_string(), *count));
    let unanswered = (tally.unanswered > 0).then(|| (ErrorKind::Unanswered.to_string(), tally.unanswered));
    failed.chain(unanswered).collect()
}

fn errors_by_request(names: &[String], snapshot: &Snapshot) -> Vec<ErrorResult> {
    let seconds = |at: Instant| {
        snapshot.since.map_or(Duration::ZERO, |since| at.saturating_duration_since(since)).as_secs_f64()
    };
    let row = |request: Option<&String>, kind: &ErrorKind, tally: &ErrorTally| ErrorResult {
        request: request.cloned(),
        error: kind.to_string(),
        status: kind.status(),
        count: tally.count,
        first_at_seconds: seconds(tally.first_at),
        last_at_seconds: seconds(tally.last_at),
        example: tally.example.as_ref().map(ToString::to_string),
    };
    let by_request = names.iter().zip(&snapshot.tallies).flat_map(|(name, tally)| {
        tally.errors.iter().map(move |(kind, errors)| row(Some(name), kind, errors))
    });
    let never_sent = snapshot.all.errors.iter().filter(|(kind, _)| **kind == ErrorKind::Unsent);
    by_request.chain(never_sent.map(|(kind, errors)| row(None, kind, errors))).collect()
}

fn slowest(names: &[String], snapshot: &Snapshot) -> Vec<SlowRequestResult> {
    snapshot
        .slowest
        .iter()
        .map(|slow| SlowRequestResult {
            name: names.get(slow.name_index).cloned().unwrap_or_default(),
            sent_at_seconds: snapshot
                .since
                .map_or(Duration::ZERO, |since| slow.sent_at.saturating_duration_since(since))
                .as_secs_f64(),
            took_ms: slow.took.as_secs_f64() * 1000.0,
            status: slow.status,
            trace_id: slow.trace.to_string(),
            trace_recorded: slow.trace.recorded,
        })
        .collect()
}
