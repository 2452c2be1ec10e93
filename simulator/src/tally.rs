//! Counts what users got: over the whole run, each minute, and each point of the time line.
//!
//! A request counts in the interval in which it ends, as a scrape of a live service would see it.

use crate::histogram::Histogram;
use crate::model::SloTarget;
use crate::result::{TimelinePoint, Totals};
use crate::time::{Nanoseconds, nanoseconds_of, seconds_of};

/// Requests of one interval.
#[derive(Clone, Debug, Default)]
struct Interval {
    served: u64,
    slow: u64,
    refused: u64,
    failed: u64,
}

impl Interval {
    const fn unserved(&self) -> u64 {
        self.refused + self.failed
    }

    const fn all(&self) -> u64 {
        self.served + self.unserved()
    }

    const fn add(&mut self, other: &Self) {
        self.served += other.served;
        self.slow += other.slow;
        self.refused += other.refused;
        self.failed += other.failed;
    }
}

/// Good steps in a row that end a spell of bad ones.
const GOOD_STEPS_AFTER_A_SPELL: u32 = 3;

/// Everything that is counted of one run.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    slo: SloTarget,
    slo_time: Nanoseconds,
    /// Since the last step began.
    step: Interval,
    minute: Interval,
    point: Interval,
    whole: Interval,
    step_times: Histogram,
    minute_times: Histogram,
    point_times: Histogram,
    times: Histogram,
    step_time_sum: Nanoseconds,
    point_time_sum: u128,
    time_sum: u128,
    point_began_at: Nanoseconds,
    violating_minutes: u64,
    minutes: u64,
    utility_sum: f64,
    spells: Spells,
    timeline: Vec<TimelinePoint>,
}

/// Spells of steps that violate the objective.
#[derive(Clone, Copy, Debug, Default)]
struct Spells {
    began_at: Option<Nanoseconds>,
    bad_until: Nanoseconds,
    good_steps: u32,
    longest: Nanoseconds,
}

impl Spells {
    fn step(&mut self, from: Nanoseconds, to: Nanoseconds, is_good: bool) {
        if !is_good {
            self.began_at.get_or_insert(from);
            self.bad_until = to;
            self.good_steps = 0;
        } else if self.began_at.is_some() {
            self.good_steps += 1;
            if self.good_steps == GOOD_STEPS_AFTER_A_SPELL {
                self.end();
            }
        }
    }

    fn end(&mut self) {
        if let Some(began_at) = self.began_at.take() {
            self.longest = self.longest.max(self.bad_until - began_at);
        }
    }
}

/// What the time line says of replicas at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplicaMoment {
    pub(crate) desired: u32,
    pub(crate) current: u32,
    pub(crate) ready: u32,
}

impl Tally {
    pub(crate) fn new(slo: SloTarget) -> Self {
        Self {
            slo,
            slo_time: nanoseconds_of(slo.response_time),
            step: Interval::default(),
            minute: Interval::default(),
            point: Interval::default(),
            whole: Interval::default(),
            step_times: Histogram::default(),
            minute_times: Histogram::default(),
            point_times: Histogram::default(),
            times: Histogram::default(),
            step_time_sum: 0,
            point_time_sum: 0,
            time_sum: 0,
            point_began_at: 0,
            violating_minutes: 0,
            minutes: 0,
            utility_sum: 0.0,
            spells: Spells::default(),
            timeline: Vec::new(),
        }
    }

    /// A request was served after `time`, whose fine bucket is known.
    #[inline]
    pub(crate) fn serve(&mut self, time: Nanoseconds, bucket: usize) {
        self.step.served += 1;
        self.step.slow += u64::from(time > self.slo_time);
        self.step_time_sum += time;
        self.step_times.add(bucket);
    }

    pub(crate) const fn refuse(&mut self) {
        self.step.refused += 1;
    }

    pub(crate) const fn fail(&mut self) {
        self.step.failed += 1;
    }

    /// Ends the step that began at `from`; minutes and points of the time line are made of whole steps.
    pub(crate) fn end_step(&mut self, from: Nanoseconds, to: Nanoseconds) {
        let step = std::mem::take(&mut self.step);
        if step.all() > 0 {
            self.spells.step(from, to, self.slo.holds(step.served, step.slow, step.unserved()));
        }
        for sum in [&mut self.minute, &mut self.point, &mut self.whole] {
            sum.add(&step);
        }
        for times in [&mut self.minute_times, &mut self.point_times, &mut self.times] {
            times.join(&self.step_times);
        }
        self.step_times.clear();
        let time_sum = u128::from(std::mem::take(&mut self.step_time_sum));
        self.point_time_sum += time_sum;
        self.time_sum += time_sum;
    }

    /// Ends a minute, whose steps have been ended.
    pub(crate) fn end_minute(&mut self) {
        let minute = std::mem::take(&mut self.minute);
        self.minutes += 1;
        let holds = self.slo.holds(minute.served, minute.slow, minute.unserved());
        self.violating_minutes += u64::from(!holds);
        self.utility_sum += self.utility(&minute);
        self.minute_times.clear();
    }

    /// The utility of a minute, 0 to 1: the share of requests that were served, each as useful as the objective's time is to
    /// the minute's p99, at most 1. A minute without requests has lost nothing.
    fn utility(&self, minute: &Interval) -> f64 {
        if minute.all() == 0 {
            return 1.0;
        }
        let quick = self
            .minute_times
            .quantile_seconds(0.99)
            .map_or(0.0, |p99| (seconds_of(self.slo_time) / p99.max(1e-9)).min(1.0));
        quick * minute.served as f64 / minute.all() as f64
    }

    /// Ends a point of the time line, whose steps have been ended.
    pub(crate) fn end_point(&mut self, at: Nanoseconds, replicas: ReplicaMoment) {
        let point = std::mem::take(&mut self.point);
        let seconds = seconds_of(at - self.point_began_at);
        if seconds <= 0.0 {
            return;
        }
        self.timeline.push(TimelinePoint {
            at_seconds: seconds_of(self.point_began_at),
            requests_per_second: point.all() as f64 / seconds,
            desired: replicas.desired,
            current: replicas.current,
            ready: replicas.ready,
            mean_ms: (point.served > 0).then(|| self.point_time_sum as f64 * 1e-6 / point.served as f64),
            p95_ms: self.point_times.quantile_seconds(0.95).map(|seconds| seconds * 1e3),
            refused: point.refused,
            failed: point.failed,
        });
        self.point_time_sum = 0;
        self.point_times.clear();
        self.point_began_at = at;
    }

    /// The sums of the whole run; the last step, minute and point must have been ended.
    pub(crate) fn finish(mut self) -> (Totals, Vec<TimelinePoint>) {
        self.spells.end();
        let whole = &self.whole;
        let quantile_ms = |share| self.times.quantile_seconds(share).map(|seconds| seconds * 1e3);
        let totals = Totals {
            requests: whole.all(),
            served: whole.served,
            slow: whole.slow,
            refused: whole.refused,
            failed: whole.failed,
            mean_ms: (whole.served > 0).then(|| self.time_sum as f64 * 1e-6 / whole.served as f64),
            p50_ms: quantile_ms(0.5),
            p95_ms: quantile_ms(0.95),
            p99_ms: quantile_ms(0.99),
            p999_ms: quantile_ms(0.999),
            violating_minutes: self.violating_minutes,
            time_to_recover_seconds: seconds_of(self.spells.longest),
            lost_utility: if self.minutes > 0 { 1.0 - self.utility_sum / self.minutes as f64 } else { 0.0 },
        };
        debug_assert_eq!(totals.served, self.times.total(), "each served request has a time");
        (totals, self.timeline)
    }
}
