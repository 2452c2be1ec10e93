//! The state of a revision between idle and serving, and when traffic goes through the activator.

use serde::{Deserialize, Serialize};

use crate::policy::rounding::{ceil_to_i64, to_replicas};

/// The load that one activator carries, where nothing else is set.
///
/// Source: `pkg/autoscaler/config/config.go`.
pub const ACTIVATOR_CAPACITY: f64 = 100.0;

/// There are always so many activators.
const ACTIVATORS_MIN: u32 = 2;

/// The condition Active of a revision's autoscaler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActiveState {
    /// True: it serves.
    Active,
    /// Unknown: pods are on their way.
    Activating,
    /// False: there is no traffic.
    Inactive,
}

/// What the state follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readings {
    /// The count that was reported; none if it is not known.
    pub want: Option<u32>,
    /// The pods that are ready.
    pub ready_pods: u32,
    /// The fewest pods.
    pub min_scale: u32,
    /// The pods a new revision starts with.
    pub initial_scale: u32,
    /// Whether the revision once had its initial pods.
    pub initialized: bool,
}

/// The next state.
///
/// Source: `pkg/reconciler/autoscaling/kpa/kpa.go`, `computeActiveCondition` and `activeThreshold`.
pub fn active_condition(state: ActiveState, readings: &Readings) -> ActiveState {
    let floor = if readings.initialized { 1 } else { readings.initial_scale };
    let needed = readings.min_scale.max(floor);
    // An initial scale of 0 needs nothing, and its count is not known.
    if readings.want == Some(0) || needed == 0 {
        return ActiveState::Inactive;
    }
    let is_wanted = readings.want.is_some() || state != ActiveState::Inactive;
    match (is_wanted, readings.ready_pods >= needed) {
        (false, _) => ActiveState::Inactive,
        (true, true) => ActiveState::Active,
        (true, false) => ActiveState::Activating,
    }
}

/// Whether traffic goes to the pods directly: something is wanted, and the burst fits.
///
/// Source: `pkg/reconciler/autoscaling/kpa/kpa.go`, `ReconcileKind`.
pub const fn serves_without_activator(want: Option<u32>, excess_burst_capacity: i32) -> bool {
    matches!(want, Some(1..)) && excess_burst_capacity >= 0
}

/// How many activators the revision uses.
///
/// Source: `pkg/reconciler/autoscaling/kpa/kpa.go`, `computeNumActivators`.
pub fn activators_needed(
    ready_pods: u32,
    total: f64,
    target_burst_capacity: f64,
    activator_capacity: f64,
) -> u32 {
    if target_burst_capacity == 0.0 {
        return ACTIVATORS_MIN;
    }
    let capacity = f64::from(ready_pods) * total + target_burst_capacity.max(0.0);
    to_replicas(ceil_to_i64(capacity / activator_capacity)).max(ACTIVATORS_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const READINGS: Readings =
        Readings { want: Some(3), ready_pods: 0, min_scale: 0, initial_scale: 1, initialized: true };

    fn next(state: ActiveState, want: Option<u32>, ready_pods: u32) -> ActiveState {
        active_condition(state, &Readings { want, ready_pods, ..READINGS })
    }

    #[test]
    fn an_unknown_count_leaves_an_inactive_revision_inactive() {
        assert_eq!(next(ActiveState::Inactive, None, 5), ActiveState::Inactive);
        assert_eq!(next(ActiveState::Inactive, None, 0), ActiveState::Inactive);
        assert_eq!(next(ActiveState::Active, None, 0), ActiveState::Activating);
        assert_eq!(next(ActiveState::Activating, None, 1), ActiveState::Active);
    }

    #[test]
    fn a_wanted_count_activates_and_zero_ends_it() {
        assert_eq!(next(ActiveState::Inactive, Some(1), 0), ActiveState::Activating);
        assert_eq!(next(ActiveState::Inactive, Some(1), 1), ActiveState::Active);
        assert_eq!(next(ActiveState::Active, Some(0), 9), ActiveState::Inactive);
    }

    #[test]
    fn before_the_start_the_initial_scale_is_needed_and_afterwards_the_minimum() {
        let fresh =
            Readings { ready_pods: 2, min_scale: 1, initial_scale: 3, initialized: false, ..READINGS };
        assert_eq!(active_condition(ActiveState::Active, &fresh), ActiveState::Activating);
        let started = Readings { initialized: true, ..fresh };
        assert_eq!(active_condition(ActiveState::Active, &started), ActiveState::Active);
        let none = Readings { min_scale: 0, initial_scale: 0, ..fresh };
        assert_eq!(active_condition(ActiveState::Active, &none), ActiveState::Inactive);
    }

    #[test]
    fn traffic_is_direct_only_if_something_is_wanted_and_the_burst_fits() {
        assert!(serves_without_activator(Some(1), 0));
        assert!(!serves_without_activator(Some(1), -1));
        assert!(!serves_without_activator(Some(0), 5) && !serves_without_activator(None, 5));
    }

    #[test]
    fn there_are_always_two_activators() {
        assert_eq!(activators_needed(0, 100.0, -1.0, 100.0), 2);
        assert_eq!(activators_needed(9, 100.0, -1.0, 100.0), 9);
        assert_eq!(activators_needed(9, f64::NAN, 1.0, 0.0), 2);
        assert_eq!(activators_needed(u32::MAX, 1e30, 1.0, 1.0), i32::MAX.unsigned_abs());
    }
}
