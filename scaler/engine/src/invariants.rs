//! States what no decision may ever do; one predicate each, shared by debug assertions, tests and simulators.

use core::time::Duration;

use crate::decision::{Action, Decision};
use crate::limits::Limits;
use crate::need::{Need, Scope};
use crate::observation::Observation;
use crate::reason::Cause;

/// An action ends within the limits, both ends included.
pub fn within_limits(decision: &Decision, limits: Limits) -> bool {
    decision.action == Action::Hold || limits.contains(decision.to)
}

/// A policy removes a replica only on a finite, recent value of `need` to which every ready replica contributed.
///
/// Limits, restorations and orders by hand rest on no reading and are not meant here.
pub fn no_scale_down_without_data(
    decision: &Decision,
    seen: &Observation,
    need: &Need,
    stale_after: Duration,
) -> bool {
    if decision.action != Action::Down || decision.reason.cause() != Cause::Policy {
        return true;
    }
    let is_usable = seen
        .service_reading(need)
        .is_some_and(|reading| reading.age <= stale_after && reading.value.is_some_and(f64::is_finite));
    let of_each = Need { scope: Scope::EachReplica, ..need.clone() };
    is_usable && seen.ready > 0 && seen.reported(&of_each) >= seen.ready
}

/// Nothing is removed while it is not known which replicas are in rotation, except by hand.
pub fn no_removal_while_rotation_is_unknown(decision: &Decision, seen: &Observation) -> bool {
    decision.action != Action::Down
        || decision.reason.cause() == Cause::ByHand
        || seen.rotation_unknown_for.is_none()
}

/// A policy acts only when `cooldown` has passed since `last_action_at`, the last action in either direction.
pub fn outside_cooldown(decision: &Decision, last_action_at: Option<Duration>, cooldown: Duration) -> bool {
    decision.action == Action::Hold
        || decision.reason.cause() != Cause::Policy
        || last_action_at.is_none_or(|at| decision.at.saturating_sub(at) >= cooldown)
}

/// A policy changes the count that was asked for by one at most.
pub fn one_replica_at_a_time(decision: &Decision) -> bool {
    let asked_before = decision.observation.desired;
    decision.reason.cause() != Cause::Policy
        || decision.action == Action::Hold
        || asked_before.abs_diff(decision.to) <= 1
}

/// The action says what the counts say.
pub fn action_matches_counts(decision: &Decision) -> bool {
    decision.action == Action::between(decision.from, decision.to)
}
