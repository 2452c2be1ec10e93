//! The measures of a run: what users got, what it cost, and how well supply followed demand.

use serde::Serialize;

use crate::oracle::Demand;
use crate::result::Run;

/// What replicas and broken promises cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prices {
    /// Price of one replica for an hour.
    pub replica_hour: f64,
    /// Price of a minute that does not keep the objective.
    pub violation_minute: f64,
}

macro_rules! measures {
    ($($(#[doc = $text:literal])+ $name:ident,)+) => {
        /// The measures of one run, or their means over runs. What a run does not tell is none, and left out of a mean.
        #[derive(Clone, Debug, Default, PartialEq, Serialize)]
        pub struct Measures {
            $($(#[doc = $text])+ pub $name: Option<f64>,)+
        }

        impl Measures {
            /// The names, in the order of the fields.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];

            /// A measure by its place in [`Measures::NAMES`].
            fn values(&self) -> Vec<Option<f64>> {
                vec![$(self.$name),+]
            }

            fn of_values(values: impl IntoIterator<Item = Option<f64>>) -> Self {
                let mut values = values.into_iter();
                Self { $($name: values.next().flatten()),+ }
            }
        }
    };
}

measures! {
    /// Share of requests that were slower than the objective, refused, or failed.
    violating_request_share,
    /// Minutes that did not keep the objective.
    violating_minutes,
    /// Mean response time of served requests.
    mean_ms,
    /// Median response time of served requests.
    p50_ms,
    /// 95th percentile of the response time.
    p95_ms,
    /// 99th percentile of the response time.
    p99_ms,
    /// 99.9th percentile of the response time.
    p999_ms,
    /// All requests.
    requests,
    /// Requests that found a full queue.
    refused,
    /// Requests that brought no answer for another reason.
    failed,
    /// Replicas × time.
    replica_seconds,
    /// Busy worker time ÷ worker time of the replicas.
    utilization,
    /// Price of the replicas and of the violating minutes.
    cost,
    /// Actions that asked for more replicas.
    scale_ups,
    /// Actions that asked for fewer.
    scale_downs,
    /// Replicas added and removed, together.
    churn,
    /// From the first moment at which demand exceeds the ready replicas to the next action that asks for more.
    time_to_first_reaction_seconds,
    /// The longest spell that did not keep the objective.
    time_to_recover_seconds,
    /// SPEC's under-provisioning accuracy: missing replicas ÷ demand, mean over time.
    theta_under,
    /// SPEC's over-provisioning accuracy: surplus replicas ÷ demand, mean over time.
    theta_over,
    /// SPEC's under-provisioning time share.
    tau_under,
    /// SPEC's over-provisioning time share.
    tau_over,
    /// SPEC's instability: the share of time in which supply and demand do not change in the same direction.
    instability,
    /// 1 − the mean utility of the minutes.
    lost_utility,
}

impl Measures {
    /// The measures of a run; those that compare with the demand only where it is known.
    pub fn of(run: &Run, workers: u32, prices: Prices, demand: Option<&Demand>) -> Self {
        let totals = &run.totals;
        let count = |value: u64| Some(value as f64);
        let elasticity = demand.map(|demand| Elasticity::of(run, demand)).unwrap_or_default();
        let cost = run.replica_seconds / 3600.0 * prices.replica_hour
            + totals.violating_minutes as f64 * prices.violation_minute;
        let worker_seconds = run.replica_seconds * f64::from(workers);
        Self {
            violating_request_share: Some(totals.violating_request_share()),
            violating_minutes: count(totals.violating_minutes),
            mean_ms: totals.mean_ms,
            p50_ms: totals.p50_ms,
            p95_ms: totals.p95_ms,
            p99_ms: totals.p99_ms,
            p999_ms: totals.p999_ms,
            requests: count(totals.requests),
            refused: count(totals.refused),
            failed: count(totals.failed),
            replica_seconds: Some(run.replica_seconds),
            utilization: (worker_seconds > 0.0).then(|| run.busy_seconds / worker_seconds),
            cost: Some(cost),
            scale_ups: count(run.scale_ups),
            scale_downs: count(run.scale_downs),
            churn: count(run.churn),
            time_to_first_reaction_seconds: elasticity.first_reaction_seconds,
            time_to_recover_seconds: Some(totals.time_to_recover_seconds),
            theta_under: elasticity.theta_under,
            theta_over: elasticity.theta_over,
            tau_under: elasticity.tau_under,
            tau_over: elasticity.tau_over,
            instability: elasticity.instability,
            lost_utility: Some(totals.lost_utility),
        }
    }

    /// The mean of each measure over the runs that have it.
    pub(crate) fn mean(of: &[&Self]) -> Self {
        Self::of_values((0..Self::NAMES.len()).map(|place| mean(&Self::column(of, place))))
    }

    /// The values of one measure, of the runs that have it.
    pub(crate) fn column(of: &[&Self], place: usize) -> Vec<f64> {
        of.iter().filter_map(|measures| measures.values()[place]).collect()
    }
}

/// The mean; none of none.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// How supply follows demand, by the measures of N. Herbst et al., "Ready for Rain? A View from SPEC Research on the
/// Future of Cloud Metrics" (2016).
#[derive(Clone, Copy, Debug, Default)]
struct Elasticity {
    theta_under: Option<f64>,
    theta_over: Option<f64>,
    tau_under: Option<f64>,
    tau_over: Option<f64>,
    instability: Option<f64>,
    first_reaction_seconds: Option<f64>,
}

impl Elasticity {
    fn of(run: &Run, demand: &Demand) -> Self {
        let step_seconds = demand.step.as_secs_f64();
        let mut changes = run.ready_changes.iter().peekable();
        let (mut supply, mut before): (u32, Option<(u32, u32)>) = (0, None);
        let (mut missing, mut surplus, mut short, mut excess, mut apart) = (0.0, 0.0, 0_u32, 0_u32, 0_u32);
        let mut first_short_at = None;
        for (number, needed) in (0_u32..).zip(demand.replicas.iter().copied()) {
            let at_seconds = f64::from(number) * step_seconds;
            while let Some((_, count)) = changes.next_if(|(from, _)| *from <= at_seconds) {
                supply = *count;
            }
            let relative = (f64::from(supply) - f64::from(needed)) / f64::from(needed.max(1));
            missing += (-relative).max(0.0);
            surplus += relative.max(0.0);
            short += u32::from(supply < needed);
            excess += u32::from(supply > needed);
            if supply < needed && first_short_at.is_none() {
                first_short_at = Some(at_seconds);
            }
            if let Some((supply_before, needed_before)) = before {
                apart += u32::from(supply.cmp(&supply_before) != needed.cmp(&needed_before));
            }
            before = Some((supply, needed));
        }
        let steps = demand.replicas.len() as f64;
        let share = |sum: f64| (steps > 0.0).then(|| sum / steps);
        let reaction = first_short_at.and_then(|short_at| {
            let later =
                run.actions.iter().find(|action| action.at_seconds >= short_at && action.to > action.from);
            later.map(|action| action.at_seconds - short_at)
        });
        Self {
            theta_under: share(missing),
            theta_over: share(surplus),
            tau_under: share(f64::from(short)),
            tau_over: share(f64::from(excess)),
            instability: (steps > 1.0).then(|| f64::from(apart) / (steps - 1.0)),
            first_reaction_seconds: reaction,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::result::{ActionTaken, Totals};

    #[test]
    fn elasticity_by_hand() {
        // Demand 1, 2, 2, 1; supply 1, 1, 2, 2, which comes one step late.
        let run = Run {
            seed: 1,
            duration_seconds: 4.0,
            totals: Totals::default(),
            replica_seconds: 6.0,
            busy_seconds: 12.0,
            scale_ups: 1,
            scale_downs: 0,
            churn: 1,
            actions: vec![ActionTaken { at_seconds: 1.5, from: 1, to: 2, reason: String::new() }],
            ready_changes: vec![(0.0, 1), (2.0, 2)],
            timeline: Vec::new(),
        };
        let demand = Demand { replicas: vec![1, 2, 2, 1], step: Duration::from_secs(1) };
        let prices = Prices { replica_hour: 3600.0, violation_minute: 1.0 };
        let found = Measures::of(&run, 4, prices, Some(&demand));
        let expected = [
            (found.theta_under, 0.5 / 4.0),
            (found.theta_over, 1.0 / 4.0),
            (found.tau_under, 0.25),
            (found.tau_over, 0.25),
            // Demand rises, stays, falls; supply stays, rises, stays.
            (found.instability, 1.0),
            (found.time_to_first_reaction_seconds, 0.5),
            (found.cost, 6.0),
            (found.utilization, 0.5),
        ];
        for (place, (found, expected)) in expected.into_iter().enumerate() {
            assert!((found.unwrap() - expected).abs() < 1e-9, "{place}: {found:?}, expected {expected}");
        }
    }

    #[test]
    fn what_a_run_does_not_tell_is_left_out_of_the_mean() {
        let with = Measures { p95_ms: Some(10.0), requests: Some(4.0), ..Measures::default() };
        let without = Measures { requests: Some(2.0), ..Measures::default() };
        let mean = Measures::mean(&[&with, &without]);
        assert_eq!((mean.p95_ms, mean.requests, mean.cost), (Some(10.0), Some(3.0), None));
    }
}
