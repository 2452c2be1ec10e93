//! What so many replicas can carry within the objective: measured by playing steady loads.
//!
//! The rate is found by bisection to 1 %, for one replica, two, four, and so on, because many replicas share a load better
//! than one; in between it is interpolated. Each load is played with one seed, so the result depends on the model alone.

use std::time::Duration;

use scaler_engine::AnyPolicy;
use workload::Shape;

use crate::model::{Model, ReplicaRange};
use crate::observer::Unobserved;
use crate::scaling::Scaling;
use crate::world::simulate;

/// Requests of each load that is played.
const REQUESTS: f64 = 60_000.0;
/// How near to each other the bounds of a bisection come, relative to the capacity.
const PRECISION: f64 = 0.01;
/// The seed of the loads.
const SEED: u64 = 1;

/// Rates that are within the objective, for some numbers of replicas.
#[derive(Clone, Debug, PartialEq)]
pub struct Capacity {
    /// Replicas and the rate per second that they carry, rising; not empty.
    points: Vec<(u32, f64)>,
}

impl Capacity {
    /// Measures how many replicas the load of `model` needs; none if not even a trickle is within the objective.
    pub fn measure(model: &Model) -> Option<Self> {
        let peak = peak_rate(model);
        let mut points = Vec::new();
        let mut replicas = 1;
        loop {
            let rate = largest_rate(model, replicas)?;
            points.push((replicas, rate));
            if rate >= peak || replicas >= model.replicas.max {
                return Some(Self { points });
            }
            replicas = (replicas * 2).min(model.replicas.max);
        }
    }

    /// The rate per second that one replica carries.
    pub fn of_one(&self) -> f64 {
        self.points[0].1
    }

    /// The fewest replicas, at least one, that carry `rate` per second; the most that were measured if none do.
    pub fn replicas_for(&self, rate: f64) -> u32 {
        let above = self.points.partition_point(|(_, carried)| *carried < rate);
        let Some((replicas, carried)) = self.points.get(above).copied() else {
            return self.points.last().map_or(1, |last| last.0);
        };
        let Some((fewer, carried_by_fewer)) = above.checked_sub(1).map(|below| self.points[below]) else {
            return replicas;
        };
        let share = (rate - carried_by_fewer) / (carried - carried_by_fewer);
        let between = (share * f64::from(replicas - fewer)).ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the distance")]
        let more = between as u32;
        fewer + more.max(1)
    }
}

/// The highest rate of the run, found at each second, or at 100,000 times of a long run.
fn peak_rate(model: &Model) -> f64 {
    let (steps, length) = steps_of(model.duration);
    (0..steps).map(|step| model.workload.rate_at(length * step)).fold(0.0, f64::max)
}

/// How many steps a run is cut into for the plan of replicas, and how long each is: 1 s, or longer in long runs.
pub(crate) fn steps_of(duration: Duration) -> (u32, Duration) {
    const MOST: u64 = 100_000;
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    let length = seconds.div_ceil(MOST).max(1);
    (u32::try_from(seconds.div_ceil(length)).unwrap_or(u32::MAX).max(1), Duration::from_secs(length))
}

fn largest_rate(model: &Model, replicas: u32) -> Option<f64> {
    let mean_seconds = model.service.service_time.description().mean().as_secs_f64();
    let workers = f64::from(model.service.workers.get()) * f64::from(replicas);
    let saturated = workers / mean_seconds.max(1e-9);
    if !holds(model, replicas, saturated * PRECISION) {
        return None;
    }
    let (mut good, mut bad) = (saturated * PRECISION, saturated * 1.05);
    while bad - good > saturated * PRECISION {
        let middle = f64::midpoint(good, bad);
        if holds(model, replicas, middle) { good = middle } else { bad = middle }
    }
    Some(good)
}

/// Whether a steady load is within the objective.
fn holds(model: &Model, replicas: u32, rate: f64) -> bool {
    let mut steady = model.clone();
    steady.duration = Duration::from_secs_f64(REQUESTS / rate);
    steady.workload.shape = Shape::default();
    steady.workload.base_rate_per_second = rate;
    steady.replicas = ReplicaRange { initial: replicas, max: replicas };
    steady.faults = Vec::new();
    let scaling = Scaling::<AnyPolicy>::Fixed(replicas);
    simulate(&steady, scaling, SEED, &mut Unobserved).is_some_and(|run| {
        let totals = run.totals;
        model.slo.holds(totals.served, totals.slow, totals.refused + totals.failed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_found_between_what_was_measured() {
        let capacity = Capacity { points: vec![(1, 60.0), (2, 130.0), (4, 270.0)] };
        for (rate, expected) in
            [(0.0, 1), (60.0, 1), (60.1, 2), (130.0, 2), (131.0, 3), (200.0, 3), (201.0, 4), (900.0, 4)]
        {
            assert_eq!(capacity.replicas_for(rate), expected, "{rate}/s");
        }
    }

    #[test]
    fn a_long_run_is_cut_into_longer_steps() {
        assert_eq!(steps_of(Duration::from_millis(1500)), (2, Duration::from_secs(1)));
        assert_eq!(steps_of(Duration::from_secs(1_209_600)), (93_047, Duration::from_secs(13)));
    }
}
