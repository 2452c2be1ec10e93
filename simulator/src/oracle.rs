//! The oracle: the cheapest plan of replicas that keeps the objective, knowing the load to come and the start-up time.
//!
//! ## What it is a bound of
//! Among plans that have, at each step, as many replicas ready as a steady load of the rate of that step needs, no plan
//! costs fewer replica-seconds. Replicas are alike, so the k-th replica is needed whenever the demand is at least k, and
//! each level is decided by itself: across a gap that is shorter than the start-up time, keeping the replica is cheaper
//! than starting it again.
//!
//! ## What it ignores
//! It plans by the rate, not by the single requests, so chance still makes some of them slow. It lets no queue build up on
//! purpose, though a policy may, and may be cheaper by that. It always keeps one replica, and it knows of no failures. A
//! load that rises before a replica can start is beyond it too.

use std::time::Duration;

use crate::capacity::{Capacity, steps_of};
use crate::model::Model;
use crate::replica::admitted_after;

/// Replicas that are needed over a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// For each step the fewest replicas that keep the objective.
    pub replicas: Vec<u32>,
    /// The length of a step.
    pub step: Duration,
}

impl Demand {
    /// The demand of a model's load: of each step by the higher of the rates at its beginning and in its middle.
    pub fn of(model: &Model, capacity: &Capacity) -> Self {
        let (steps, step) = steps_of(model.duration);
        let rate = |at: Duration| model.workload.rate_at(at);
        let replicas = (0..steps).map(|number| {
            let at = step * number;
            let needed = capacity.replicas_for(rate(at).max(rate(at + step / 2)));
            needed.min(model.replicas.max)
        });
        Self { replicas: replicas.collect(), step }
    }

    /// The cheapest plan, in the form of [`Scaling::Plan`](crate::Scaling::Plan), for a mean start-up time.
    pub fn cheapest_plan(&self, model: &Model) -> Vec<(Duration, u32)> {
        let start_up = admitted_after(model.service.start_up.description().mean());
        let levels = self.replicas.iter().copied().max().unwrap_or(1);
        let initial = model.replicas.initial;
        let mut changes: Vec<(Duration, i64)> = Vec::new();
        for level in 1..=levels.max(initial) {
            for (from, to) in self.kept(level, start_up, level <= initial) {
                changes.extend([(from, 1), (to, -1)]);
            }
        }
        changes.sort_unstable();
        let mut plan: Vec<(Duration, u32)> = Vec::new();
        let mut count = 0;
        for (at, change) in changes {
            count += change;
            let replicas = u32::try_from(count).unwrap_or(0);
            match plan.last_mut() {
                Some(last) if last.0 == at => last.1 = replicas,
                _ => plan.push((at, replicas)),
            }
        }
        let end = self.end();
        plan.retain(|(at, _)| *at < end);
        plan.dedup_by_key(|(_, replicas)| *replicas);
        if plan.first().is_none_or(|(at, _)| !at.is_zero()) {
            plan.insert(0, (Duration::ZERO, 0));
        }
        plan
    }

    /// The spans over which the replica of a level is kept, from the order to start it until it is stopped.
    fn kept(&self, level: u32, start_up: Duration, is_there: bool) -> Vec<(Duration, Duration)> {
        let mut spans: Vec<(Duration, Duration)> = Vec::new();
        for (number, needed) in (0..).zip(&self.replicas) {
            if *needed < level {
                continue;
            }
            let (from, to) = (self.step * number, (self.step * (number + 1)).min(self.end()));
            let ordered_at = from.saturating_sub(start_up);
            match spans.last_mut() {
                // The order for the next span would come before the end of this one.
                Some(last) if ordered_at <= last.1 => last.1 = to,
                None if is_there && ordered_at.is_zero() => spans.push((Duration::ZERO, to)),
                _ => spans.push((ordered_at, to)),
            }
        }
        spans
    }

    fn end(&self) -> Duration {
        self.step * u32::try_from(self.replicas.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::testing::small_model;

    const HORIZON: usize = 9;

    /// The fewest replica-steps, by trying everything: at each step any number of replicas may be ordered and any number
    /// stopped. A step in which no plan could have enough replicas ready is left out of account.
    fn by_brute_force(demand: &[u32], start_up: usize, initial: u32) -> u32 {
        fn cost(
            step: usize,
            ready: u32,
            starting: &[u32],
            demand: &[u32],
            initial: u32,
            known: &mut BTreeMap<(usize, u32, Vec<u32>), u32>,
        ) -> u32 {
            if step == demand.len() {
                return 0;
            }
            let key = (step, ready, starting.to_vec());
            if let Some(found) = known.get(&key) {
                return *found;
            }
            let most = demand.iter().copied().max().unwrap_or(0).max(initial);
            let mut best = u32::MAX;
            for stopped in 0..=ready {
                for ordered in 0..=most {
                    let mut starting = starting.to_vec();
                    let mut ready = ready - stopped;
                    if starting.is_empty() {
                        ready += ordered;
                    } else {
                        starting.push(ordered);
                        ready += starting.remove(0);
                    }
                    let alive = ready + starting.iter().sum::<u32>();
                    // Before the first order can be ready, what is there is all that there can be.
                    let reachable =
                        if step < starting.len() { demand[step].min(initial) } else { demand[step] };
                    if ready < reachable || alive > most {
                        continue;
                    }
                    let rest = cost(step + 1, ready, &starting, demand, initial, known);
                    best = best.min(rest.saturating_add(alive));
                }
            }
            known.insert(key, best);
            best
        }
        cost(0, initial, &vec![0; start_up], demand, initial, &mut BTreeMap::new())
    }

    fn replica_steps(plan: &[(Duration, u32)], steps: usize) -> u32 {
        let at = |step: usize| Duration::from_secs(step as u64);
        let count =
            |step: usize| plan.iter().rev().find(|(from, _)| *from <= at(step)).map_or(0, |(_, n)| *n);
        (0..steps).map(count).sum()
    }

    proptest! {
        #[test]
        fn no_plan_is_cheaper(
            demand in proptest::collection::vec(0_u32..=3, HORIZON),
            start_up in 0_u64..=3,
            initial in 0_u32..=2,
        ) {
            // What must be there before anything can be started is there, or is not asked for.
            let mut demand = demand;
            for needed in demand.iter_mut().take(usize::try_from(start_up).unwrap()) {
                *needed = (*needed).min(initial);
            }
            let model = small_model(start_up, initial);
            let found = Demand { replicas: demand.clone(), step: Duration::from_secs(1) };
            let plan = found.cheapest_plan(&model);
            let cheapest = by_brute_force(&demand, usize::try_from(start_up).unwrap(), initial);
            prop_assert_eq!(replica_steps(&plan, HORIZON), cheapest, "{:?}: {:?}", demand, plan);
        }
    }

    #[test]
    fn a_short_gap_is_bridged_and_a_long_one_is_not() {
        let mut replicas = vec![1; 30];
        replicas[5..8].fill(2);
        replicas[10..12].fill(2);
        replicas[20..22].fill(2);
        let demand = Demand { replicas, step: Duration::from_secs(1) };
        let seconds: Vec<(u64, u32)> = demand
            .cheapest_plan(&small_model(3, 1))
            .iter()
            .map(|(at, count)| (at.as_secs(), *count))
            .collect();
        assert_eq!(seconds, [(0, 1), (2, 2), (12, 1), (17, 2), (22, 1)]);
    }
}
