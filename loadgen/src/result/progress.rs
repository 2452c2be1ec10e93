//! How a run is going, once a second.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use loadgen_baseline::{ErrorSum, Latency};

/// What happened in the last second, and what was counted so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Whether users are still being started; what is counted then is forgotten afterwards.
    pub ramping_up: bool,
    /// Users who act; with a rate, requests that are unanswered.
    pub users: usize,
    /// Whether the load is a rate, and the response times count from the intended start.
    pub scheduled: bool,
    /// How long was counted.
    pub measured: Duration,
    /// How long will be counted.
    pub run_time: Duration,
    /// Requests that ended in the last second, per second.
    pub requests_per_second: f64,
    /// The response times of the last second; `None` without an answer.
    pub latency: Option<Latency>,
    /// Requests that ended so far.
    pub requests: u64,
    /// Of these, failed; refusals not among them.
    pub failures: u64,
    /// Of these, refused with 503 and `Retry-After`.
    pub refusals: u64,
    /// Requests that were due and given up before they were sent.
    pub unsent: u64,
    /// What is an error so far, as a sum.
    pub error_sum: ErrorSum,
    /// Failures of the last second, by kind.
    pub errors: BTreeMap<String, u64>,
    /// CPU time of the generator in the last second, in cores.
    pub cpu_cores: f64,
}

impl fmt::Display for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ramping_up {
            write!(formatter, "starting users: ")?;
        } else {
            let (measured, run_time) = (self.measured.as_secs_f64(), self.run_time.as_secs_f64());
            write!(formatter, "{measured:.0} of {run_time:.0} s: ")?;
        }
        write!(formatter, "{} users, {:.1}/s", self.users, self.requests_per_second)?;
        match self.latency {
            Some(Latency { p50_ms, p95_ms, p99_ms, .. }) => {
                write!(formatter, ", p50 {p50_ms:.1} p95 {p95_ms:.1} p99 {p99_ms:.1} ms")?;
            }
            None => write!(formatter, ", no answers")?,
        }
        write!(formatter, ", errors {}", self.error_sum)?;
        write!(formatter, ", generator {:.2} cores", self.cpu_cores)?;
        for (kind, count) in &self.errors {
            write!(formatter, ", {kind}: {count}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_it_is_going() {
        let progress = Progress {
            ramping_up: false,
            users: 50,
            scheduled: true,
            measured: Duration::from_secs(12),
            run_time: Duration::from_secs(60),
            requests_per_second: 48.0,
            latency: Some(Latency { mean_ms: 1.0, p50_ms: 12.0, p95_ms: 30.5, p99_ms: 88.0, max_ms: 99.0 }),
            requests: 570,
            failures: 2,
            refusals: 1,
            unsent: 0,
            error_sum: ErrorSum { failed: 2, refused: 1, requests: 570, ..ErrorSum::default() },
            errors: BTreeMap::from([("timed out".to_owned(), 2)]),
            cpu_cores: 0.123,
        };
        assert_eq!(
            progress.to_string(),
            "12 of 60 s: 50 users, 48.0/s, p50 12.0 p95 30.5 p99 88.0 ms, \
             errors 0.53 % (2 failed + 1 refused of 570 requests), generator 0.12 cores, timed out: 2"
        );
    }
}
