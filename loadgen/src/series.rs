//! How a run went over time: some hundreds of points, however long it took.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::progress::per_second;
use crate::recorder::Tally;

/// About so many points are kept.
const POINTS: u32 = 600;

/// A stretch of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// When it ended, in seconds since measuring began.
    pub at_seconds: f64,
    /// The load that was wanted at its end: users, or requests per second.
    pub wanted: f64,
    /// Users who acted at its end; with a rate, requests that were unanswered.
    pub users: usize,
    /// Requests that ended, per second.
    pub requests_per_second: f64,
    /// Requests that failed, per second.
    pub failures_per_second: f64,
    /// Requests that were refused, per second.
    pub refusals_per_second: f64,
    /// Requests that were given up before they were sent.
    pub unsent: u64,
    /// Half of the answers took at most this long, in milliseconds: from the intended start, where there is one.
    pub p50_ms: Option<f64>,
    /// 95 % of the answers took at most this long.
    pub p95_ms: Option<f64>,
    /// 99 % of the answers took at most this long.
    pub p99_ms: Option<f64>,
    /// CPU time of the generator, in cores.
    pub cpu_cores: f64,
}

/// What is known of a second besides its requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Since measuring began.
    pub(crate) at: Duration,
    pub(crate) wanted: f64,
    pub(crate) users: usize,
    /// CPU time that the second took.
    pub(crate) cpu: Duration,
}

/// Makes points of seconds.
#[derive(Debug)]
pub(crate) struct SeriesBuilder {
    scheduled: bool,
    every: Duration,
    last_at: Duration,
    cpu: Duration,
    tally: Tally,
    points: Vec<Point>,
}

impl SeriesBuilder {
    pub(crate) fn new(run_time: Duration, scheduled: bool) -> Self {
        let every = Duration::from_secs((run_time / POINTS).as_secs() + 1);
        Self {
            scheduled,
            every,
            last_at: Duration::ZERO,
            cpu: Duration::ZERO,
            tally: Tally::default(),
            points: Vec::new(),
        }
    }

    /// Adds what came since the last time.
    pub(crate) fn add(&mut self, moment: Moment, tally: &Tally) {
        self.tally.merge(tally);
        self.cpu += moment.cpu;
        // Ticks come a little early or late.
        if moment.at.saturating_sub(self.last_at) + Duration::from_millis(500) >= self.every {
            self.close(moment);
        }
    }

    /// The points, the last stretch included.
    pub(crate) fn finish(mut self, moment: Moment, tally: &Tally) -> Vec<Point> {
        self.tally.merge(tally);
        self.cpu += moment.cpu;
        // A rate over a few milliseconds would be a guess.
        if moment.at.saturating_sub(self.last_at) >= Duration::from_millis(200) {
            self.close(moment);
        }
        self.points
    }

    fn close(&mut self, moment: Moment) {
        let length = moment.at.saturating_sub(self.last_at);
        let times = if self.scheduled { &self.tally.from_intended } else { &self.tally.from_sent };
        let latency = times.latency();
        self.points.push(Point {
            at_seconds: moment.at.as_secs_f64(),
            wanted: moment.wanted,
            users: moment.users,
            requests_per_second: per_second(self.tally.requests, length),
            failures_per_second: per_second(self.tally.failed(), length),
            refusals_per_second: per_second(self.tally.refusals, length),
            unsent: self.tally.unsent,
            p50_ms: latency.map(|latency| latency.p50_ms),
            p95_ms: latency.map(|latency| latency.p95_ms),
            p99_ms: latency.map(|latency| latency.p99_ms),
            cpu_cores: self.cpu.as_secs_f64() / length.as_secs_f64().max(1e-9),
        });
        self.last_at = moment.at;
        self.cpu = Duration::ZERO;
        self.tally.reset();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Moment, SeriesBuilder};
    use crate::recorder::Tally;

    fn moment(seconds: u64) -> Moment {
        Moment { at: Duration::from_secs(seconds), wanted: 5.0, users: 5, cpu: Duration::from_millis(500) }
    }

    #[test]
    fn a_short_run_has_a_point_each_second() {
        let mut series = SeriesBuilder::new(Duration::from_secs(10), false);
        let tally = Tally { requests: 20, ..Tally::default() };
        (1..=4).for_each(|second| series.add(moment(second), &tally));
        let points = series.finish(moment(5), &tally);
        assert_eq!(points.len(), 5);
        assert!(points.iter().all(|point| (point.requests_per_second - 20.0).abs() < 1e-9));
        assert!(points.iter().all(|point| (point.cpu_cores - 0.5).abs() < 1e-9));
    }

    #[test]
    fn a_day_has_no_more_than_some_hundreds() {
        let mut series = SeriesBuilder::new(Duration::from_secs(86_400), false);
        let tally = Tally { requests: 20, ..Tally::default() };
        (1..=86_400).for_each(|second| series.add(moment(second), &tally));
        let points = series.finish(moment(86_400), &Tally::default());
        assert!((590..=601).contains(&points.len()), "{}", points.len());
        assert!(points.iter().all(|point| (point.requests_per_second - 20.0).abs() < 1e-9));
    }
}
