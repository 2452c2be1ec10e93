//! How a run is going, once a second.

use std::fmt;
use std::time::Duration;

use crate::recorder::{Snapshot, Tally};

/// What was counted so far: in the ramp-up since the first user, afterwards since the last one has started.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Whether users are still being started.
    pub ramping_up: bool,
    /// Users who act.
    pub users: usize,
    /// How long was counted.
    pub measured: Duration,
    /// How long will be counted.
    pub run_time: Duration,
    /// Requests that ended.
    pub requests: u64,
    /// Of these, failed; refusals not among them.
    pub failures: u64,
    /// Of these, refused with 503 and `Retry-After`.
    pub refusals: u64,
    /// Requests per second.
    pub requests_per_second: f64,
    /// The response time that 95 % of the answers stayed within, in milliseconds; `None` before the first answer.
    pub p95_ms: Option<f64>,
}

impl Progress {
    pub(crate) fn new(snapshot: &Snapshot, run_time: Duration) -> Self {
        let mut all = Tally::default();
        snapshot.tallies.values().for_each(|tally| all.merge(tally));
        Self {
            ramping_up: !snapshot.ramped_up,
            users: snapshot.active_users,
            measured: snapshot.measured,
            run_time,
            requests: all.requests,
            failures: all.failed(),
            refusals: all.refusals,
            requests_per_second: per_second(all.requests, snapshot.measured),
            p95_ms: all.times.latency().map(|latency| latency.p95_ms),
        }
    }
}

/// A rate; 0 where no time has passed.
pub(crate) fn per_second(count: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { count as f64 / time.as_secs_f64() }
}

impl fmt::Display for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ramping_up {
            write!(formatter, "starting users: ")?;
        } else {
            write!(
                formatter,
                "{:.0} of {:.0} s: ",
                self.measured.as_secs_f64(),
                self.run_time.as_secs_f64()
            )?;
        }
        write!(
            formatter,
            "{} users, {} requests, {:.1}/s, {} failed, {} refused",
            self.users, self.requests, self.requests_per_second, self.failures, self.refusals
        )?;
        match self.p95_ms {
            Some(p95_ms) => write!(formatter, ", p95 {p95_ms:.1} ms"),
            None => Ok(()),
        }
    }
}
