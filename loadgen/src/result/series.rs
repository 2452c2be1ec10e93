//! How a run went over time: some hundreds of points, however long it took.

use std::time::Duration;

use loadgen_baseline::measurement::rate::per_second;
use serde::{Deserialize, Serialize};

use crate::recorder::Tally;

/// About so many points are kept.
const POINTS: u32 = 600;

/// A stretch of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// When it began, in seconds since measuring began.
    pub from_seconds: f64,
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
    stretch: Stretch,
    /// The stretch of the last point.
    closed: Option<Stretch>,
    points: Vec<Point>,
}

/// A part of the run, from `begin` until it is closed.
#[derive(Clone, Debug, Default)]
struct Stretch {
    begin: Duration,
    cpu: Duration,
    tally: Tally,
}

impl SeriesBuilder {
    pub(crate) fn new(run_time: Duration, scheduled: bool) -> Self {
        let every = Duration::from_secs((run_time / POINTS).as_secs() + 1);
        Self { scheduled, every, stretch: Stretch::default(), closed: None, points: Vec::new() }
    }

    /// Adds what came since the last time.
    pub(crate) fn add(&mut self, moment: Moment, tally: &Tally) {
        self.stretch.add(moment, tally);
        // Ticks come a little early or late.
        if moment.at.saturating_sub(self.stretch.begin) + Duration::from_millis(500) >= self.every {
            self.close(moment);
        }
    }

    /// The points, up to the end of the measured time. What is left at the end and shorter than half a point belongs to
    /// the point before it: a rate over some milliseconds would be a guess that looks like a measured second.
    pub(crate) fn finish(mut self, last: Option<(Moment, Tally)>) -> Vec<Point> {
        let Some((moment, tally)) = last else { return self.points };
        self.stretch.add(moment, &tally);
        let left = moment.at.saturating_sub(self.stretch.begin);
        if left < self.every / 2
            && let Some(mut before) = self.closed.take()
        {
            before.add(Moment { cpu: self.stretch.cpu, ..moment }, &self.stretch.tally);
            self.stretch = before;
            self.points.pop();
        }
        if moment.at > self.stretch.begin {
            self.close(moment);
        }
        self.points
    }

    fn close(&mut self, moment: Moment) {
        let next = Stretch { begin: moment.at, ..Stretch::default() };
        let stretch = std::mem::replace(&mut self.stretch, next);
        let length = moment.at.saturating_sub(stretch.begin);
        let tally = &stretch.tally;
        let times = if self.scheduled { &tally.from_intended } else { &tally.from_sent };
        let latency = times.latency();
        self.points.push(Point {
            from_seconds: stretch.begin.as_secs_f64(),
            at_seconds: moment.at.as_secs_f64(),
            wanted: moment.wanted,
            users: moment.users,
            requests_per_second: per_second(tally.requests, length),
            failures_per_second: per_second(tally.failed(), length),
            refusals_per_second: per_second(tally.refusals, length),
            unsent: tally.unsent,
            p50_ms: latency.map(|latency| latency.p50_ms),
            p95_ms: latency.map(|latency| latency.p95_ms),
            p99_ms: latency.map(|latency| latency.p99_ms),
            cpu_cores: stretch.cpu.as_secs_f64() / length.as_secs_f64().max(1e-9),
        });
        self.closed = Some(stretch);
    }
}

impl Stretch {
    fn add(&mut self, moment: Moment, tally: &Tally) {
        self.tally.merge(tally);
        self.cpu += moment.cpu;
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
        let points = series.finish(Some((moment(5), tally.clone())));
        assert_eq!(points.len(), 5);
        assert!(points.iter().all(|point| (point.requests_per_second - 20.0).abs() < 1e-9));
        assert!(points.iter().all(|point| (point.cpu_cores - 0.5).abs() < 1e-9));
    }

    #[test]
    fn a_day_has_no_more_than_some_hundreds() {
        let mut series = SeriesBuilder::new(Duration::from_secs(86_400), false);
        let tally = Tally { requests: 20, ..Tally::default() };
        (1..=86_400).for_each(|second| series.add(moment(second), &tally));
        let points = series.finish(Some((moment(86_400), Tally::default())));
        assert!((590..=601).contains(&points.len()), "{}", points.len());
        assert!(points.iter().all(|point| (point.requests_per_second - 20.0).abs() < 1e-9));
    }

    #[test]
    fn a_short_rest_at_the_end_belongs_to_the_point_before_it() {
        let at = |millis: u64| Moment { at: Duration::from_millis(millis), ..moment(0) };
        let points = |millis: u64, requests: u64| {
            let mut series = SeriesBuilder::new(Duration::from_secs(3), true);
            let second = Tally { requests: 20, ..Tally::default() };
            (1..=2).for_each(|number| series.add(at(number * 1000), &second));
            series.finish(Some((at(millis), Tally { requests, ..Tally::default() })))
        };
        // 2.3 s: two points, the second of 1.3 s.
        let short = points(2300, 6);
        assert_eq!(short.len(), 2);
        assert!((short[1].at_seconds - 2.3).abs() < 1e-9 && (short[1].from_seconds - 1.0).abs() < 1e-9);
        assert!((short[1].requests_per_second - 20.0).abs() < 1e-9, "26 in 1.3 s: {short:?}");
        // 2.8 s: the last one is shorter, and its rate is one of 0.8 s.
        let long = points(2800, 16);
        assert_eq!(long.len(), 3);
        assert!((long[2].requests_per_second - 20.0).abs() < 1e-9, "16 in 0.8 s: {long:?}");
        // A run that is shorter than any point has one all the same.
        let only = SeriesBuilder::new(Duration::from_secs(3), true)
            .finish(Some((at(300), Tally { requests: 6, ..Tally::default() })));
        assert!(only.len() == 1 && (only[0].requests_per_second - 20.0).abs() < 1e-9, "{only:?}");
        assert!(SeriesBuilder::new(Duration::from_secs(3), true).finish(None).is_empty());
    }
}
