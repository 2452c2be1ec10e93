//! How a level is going, once a second.

use std::fmt;
use std::time::Duration;

/// What came of the requests of the measured time so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoFar {
    /// Requests sent in the measured time.
    pub sent: u64,
    /// Requests of the measured time that were given up before they were sent.
    pub unsent: u64,
    /// Requests that ended in the measured time with a success.
    pub succeeded: u64,
    /// Requests that ended in the measured time with 503 and `Retry-After`.
    pub refused: u64,
    /// Requests that ended in the measured time with a failure.
    pub failed: u64,
    /// Median of the time from the intended start; none before the first answer, as the other two.
    pub p50: Option<Duration>,
    /// Of 95 % of the requests at most.
    pub p95: Option<Duration>,
    /// Of 99 % of the requests at most.
    pub p99: Option<Duration>,
}

/// How far a level is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevelProgress {
    /// Requests per second that were asked for; none without pacing.
    pub offered_rps: Option<f64>,
    /// Whether nothing is measured yet.
    pub warming_up: bool,
    /// How long the level has run, its warm-up included.
    pub elapsed: Duration,
    /// How long it will, its warm-up included.
    pub planned: Duration,
    /// Requests in flight now.
    pub in_flight: usize,
    /// What came of the requests of the measured time.
    pub so_far: SoFar,
    /// CPU time of this process in the last second, in cores; none where it is not known.
    pub generator_cpu_cores: Option<f64>,
}

impl fmt::Display for LevelProgress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.0} of {:.0} s", self.elapsed.as_secs_f64(), self.planned.as_secs_f64())?;
        if let Some(offered_rps) = self.offered_rps {
            write!(formatter, " at {offered_rps:.1}/s")?;
        }
        if self.warming_up {
            return write!(formatter, ": warming up, {} in flight", self.in_flight);
        }
        let so_far = &self.so_far;
        write!(
            formatter,
            ": {} sent, {} unsent, {} failed, {} refused, {} in flight",
            so_far.sent, so_far.unsent, so_far.failed, so_far.refused, self.in_flight
        )?;
        for (name, time) in [("p50", so_far.p50), ("p95", so_far.p95), ("p99", so_far.p99)] {
            if let Some(time) = time {
                write!(formatter, ", {name} {:.1} ms", time.as_secs_f64() * 1e3)?;
            }
        }
        match self.generator_cpu_cores {
            Some(cores) => write!(formatter, ", generator {cores:.2} cores"),
            None => Ok(()),
        }
    }
}
