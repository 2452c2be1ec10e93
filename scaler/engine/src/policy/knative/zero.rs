//! Applies bounds to a count, and the stages on the way to zero.

use core::time::Duration;

use crate::policy::knative::ActiveState;

/// How much longer than its progress deadline an activation may take.
const ACTIVATION_BUFFER: Duration = Duration::from_secs(30);

/// Whether traffic can reach a revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reachability {
    /// Not known yet; counts as reachable.
    #[default]
    Unknown,
    /// A route leads to it.
    Reachable,
    /// No route leads to it.
    Unreachable,
}

/// What the activator answered to a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// It is in the path.
    Ok,
    /// Something else answered, or nothing did.
    Failed,
    /// It was not asked.
    NotCalled,
}

/// The settings of a revision and of its cluster.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScaleSettings {
    /// The fewest pods. Default: 0.
    pub min_scale: u32,
    /// The most pods; 0 is without limit. Default: 0.
    pub max_scale: u32,
    /// The pods a new revision starts with. Default: 1.
    pub initial_scale: u32,
    /// Whether the cluster allows zero pods. Default: true.
    pub enable_scale_to_zero: bool,
    /// The stable window. Default: 60 s.
    pub stable_window: Duration,
    /// How long the activator must have been in the path. Default: 30 s.
    pub grace_period: Duration,
    /// How long the last pod is kept after traffic ended. Default: 0 s.
    pub pod_retention: Duration,
    /// How long a deployment may take to progress. Default: 600 s.
    pub progress_deadline: Duration,
    /// The target burst capacity; −1 keeps the activator in the path. Default: 211.
    pub target_burst_capacity: f64,
}

impl Default for ScaleSettings {
    /// Source: `pkg/autoscaler/config/config.go`, `pkg/deployment/config.go`.
    fn default() -> Self {
        Self {
            min_scale: 0,
            max_scale: 0,
            initial_scale: 1,
            enable_scale_to_zero: true,
            stable_window: Duration::from_secs(60),
            grace_period: Duration::from_secs(30),
            pod_retention: Duration::ZERO,
            progress_deadline: Duration::from_secs(600),
            target_burst_capacity: 211.0,
        }
    }
}

/// What is known when a count is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaleSeen {
    /// The count asked for so far.
    pub current_replicas: u32,
    /// The count decided; none if it is not known yet.
    pub desired: Option<u32>,
    /// Whether the revision once had its initial pods.
    pub initialized: bool,
    /// Whether traffic can reach the revision.
    pub reachability: Reachability,
    /// The state of the revision.
    pub state: ActiveState,
    /// For how long it has been in that state.
    pub state_for: Duration,
    /// What the activator answered.
    pub probe: Probe,
    /// Whether traffic is set to go through the activator.
    pub proxy_mode: bool,
    /// For how long the activator has been in the path.
    pub in_path_for: Duration,
}

/// What is done about a count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScaleOutcome {
    /// The count reported to the state; none if it is not known. A reported 0 makes an active revision inactive.
    pub reported: Option<u32>,
    /// The count to write; none leaves the deployment alone.
    pub patch: Option<u32>,
    /// After how long to look again, if nothing else happens.
    pub look_again_after: Option<Duration>,
    /// Whether the activator is probed in the background.
    pub probes_in_background: bool,
}

impl ScaleOutcome {
    fn apply(seen: &ScaleSeen, count: u32) -> Self {
        let patch = (count != seen.current_replicas).then_some(count);
        Self { reported: Some(count), patch, ..Self::default() }
    }

    fn wait(reported: Option<u32>, span: Duration) -> Self {
        Self { reported, look_again_after: Some(span), ..Self::default() }
    }
}

/// Applies bounds, and brings a revision to zero in stages: active for a window, then inactive with the activator in
/// the path for the grace period. Each stage counts from its own beginning.
///
/// Source: `pkg/reconciler/autoscaling/kpa/scaler.go`, `scale`.
pub fn scale(settings: &ScaleSettings, seen: &ScaleSeen) -> ScaleOutcome {
    if seen.desired.is_none() && seen.state != ActiveState::Activating {
        return ScaleOutcome::default();
    }
    let reachable = seen.reachability != Reachability::Unreachable;
    let mut min = if reachable { settings.min_scale } else { 0 };
    if settings.initial_scale > 1 && !seen.initialized && reachable {
        min = min.max(settings.initial_scale);
    }
    // The minimum is tested first and wins over a smaller maximum; an unknown count lies below any minimum.
    let count = match seen.desired {
        Some(desired) if desired >= min => {
            if settings.max_scale != 0 {
                desired.min(settings.max_scale)
            } else {
                desired
            }
        }
        _ => min,
    };
    if count > 0 { ScaleOutcome::apply(seen, count) } else { scale_to_zero(settings, seen, reachable) }
}

/// Source: `pkg/reconciler/autoscaling/kpa/scaler.go`, `handleScaleToZero`.
fn scale_to_zero(settings: &ScaleSettings, seen: &ScaleSeen, reachable: bool) -> ScaleOutcome {
    if !settings.enable_scale_to_zero {
        return ScaleOutcome::apply(seen, 1);
    }
    match seen.state {
        ActiveState::Activating => {
            let timeout = settings.progress_deadline.saturating_add(ACTIVATION_BUFFER);
            if seen.state_for > timeout {
                ScaleOutcome::apply(seen, 0)
            } else {
                ScaleOutcome::wait(None, timeout)
            }
        }
        ActiveState::Active => match settings.stable_window.checked_sub(seen.state_for) {
            Some(left) if !left.is_zero() => {
                ScaleOutcome { look_again_after: Some(left), ..ScaleOutcome::apply(seen, 1) }
            }
            // With the activator already in the path nothing changes that would cause another look.
            _ if seen.proxy_mode => ScaleOutcome::wait(Some(0), settings.grace_period),
            _ => ScaleOutcome { reported: Some(0), ..ScaleOutcome::default() },
        },
        ActiveState::Inactive => when_inactive(settings, seen, reachable),
    }
}

#[expect(clippy::float_cmp, reason = "-1 is a mark that is written as such, not computed")]
fn when_inactive(settings: &ScaleSettings, seen: &ScaleSeen, reachable: bool) -> ScaleOutcome {
    let activator_is_permanent = settings.target_burst_capacity == -1.0;
    if !activator_is_permanent && seen.probe != Probe::Ok {
        return ScaleOutcome { reported: Some(0), probes_in_background: true, ..ScaleOutcome::default() };
    }
    let retention = if reachable { settings.pod_retention } else { Duration::ZERO };
    if seen.state_for >= settings.grace_period.max(retention) {
        return ScaleOutcome::apply(seen, 0);
    }
    if seen.state_for < retention {
        return ScaleOutcome::wait(Some(0), retention.saturating_sub(seen.state_for));
    }
    match settings.grace_period.checked_sub(seen.in_path_for) {
        Some(left) if !left.is_zero() => ScaleOutcome::wait(Some(0), left),
        _ => ScaleOutcome::apply(seen, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::knative::{Readings, active_condition};

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn seen(state: ActiveState, state_for: u64) -> ScaleSeen {
        ScaleSeen {
            current_replicas: 1,
            desired: Some(0),
            initialized: true,
            reachability: Reachability::Reachable,
            state,
            state_for: seconds(state_for),
            probe: Probe::Ok,
            proxy_mode: false,
            in_path_for: Duration::ZERO,
        }
    }

    fn settings() -> ScaleSettings {
        ScaleSettings::default()
    }

    #[test]
    fn an_activation_must_be_strictly_too_long() {
        let outcome = scale(&settings(), &seen(ActiveState::Activating, 630));
        assert_eq!(outcome, ScaleOutcome::wait(None, seconds(630)));
        assert_eq!(scale(&settings(), &seen(ActiveState::Activating, 631)).patch, Some(0));
    }

    #[test]
    fn an_active_revision_keeps_one_pod_until_its_window_has_passed() {
        let outcome = scale(&settings(), &ScaleSeen { current_replicas: 3, ..seen(ActiveState::Active, 59) });
        assert_eq!((outcome.reported, outcome.patch), (Some(1), Some(1)));
        assert_eq!(outcome.look_again_after, Some(seconds(1)));
        let outcome = scale(&settings(), &seen(ActiveState::Active, 60));
        assert_eq!((outcome.reported, outcome.patch, outcome.look_again_after), (Some(0), None, None));
    }

    #[test]
    fn the_way_to_zero_has_stages_that_each_start_the_clock_again() {
        let (mut state, mut since, mut replicas, mut zero_at) = (ActiveState::Active, 0, 1, None);
        for now in 0..300 {
            let seen = ScaleSeen { current_replicas: replicas, ..seen(state, now - since) };
            let outcome = scale(&settings(), &seen);
            replicas = outcome.patch.unwrap_or(replicas);
            let readings = Readings {
                want: outcome.reported,
                ready_pods: replicas,
                min_scale: 0,
                initial_scale: 1,
                initialized: true,
            };
            let next = active_condition(state, &readings);
            if next != state {
                (state, since) = (next, now);
            }
            if replicas == 0 {
                zero_at = Some(now);
                break;
            }
        }
        assert_eq!(zero_at, Some(90), "60 s active without a wish, then 30 s inactive");
    }

    #[test]
    fn retention_is_waited_out_but_not_by_what_nothing_can_reach() {
        let retaining = ScaleSettings { pod_retention: seconds(100), ..settings() };
        let outcome =
            scale(&retaining, &ScaleSeen { in_path_for: seconds(99), ..seen(ActiveState::Inactive, 99) });
        assert_eq!(outcome, ScaleOutcome::wait(Some(0), seconds(1)));
        assert_eq!(scale(&retaining, &seen(ActiveState::Inactive, 100)).patch, Some(0));
        let unreachable =
            ScaleSeen { reachability: Reachability::Unreachable, ..seen(ActiveState::Inactive, 30) };
        assert_eq!(scale(&retaining, &unreachable).patch, Some(0));
    }

    #[test]
    fn a_long_retention_and_a_longer_grace_both_hold() {
        // Retention over, inactive shorter than the grace period: the time in the path decides.
        let retaining = ScaleSettings { pod_retention: seconds(10), ..settings() };
        let outcome =
            scale(&retaining, &ScaleSeen { in_path_for: seconds(29), ..seen(ActiveState::Inactive, 20) });
        assert_eq!(outcome, ScaleOutcome::wait(Some(0), seconds(1)));
        let outcome =
            scale(&retaining, &ScaleSeen { in_path_for: seconds(30), ..seen(ActiveState::Inactive, 20) });
        assert_eq!(outcome.patch, Some(0));
    }

    #[test]
    fn only_a_permanent_activator_is_not_probed() {
        let silent = ScaleSeen { probe: Probe::NotCalled, ..seen(ActiveState::Inactive, 60) };
        assert!(scale(&settings(), &silent).probes_in_background);
        let permanent = ScaleSettings { target_burst_capacity: -1.0, ..settings() };
        assert_eq!(scale(&permanent, &silent).patch, Some(0));
    }

    #[test]
    fn bounds_hold_and_the_minimum_first() {
        let bounded = ScaleSettings { min_scale: 2, max_scale: 4, ..settings() };
        let count = |settings: &ScaleSettings, desired| {
            scale(settings, &ScaleSeen { desired, ..seen(ActiveState::Active, 0) }).reported
        };
        assert_eq!(count(&bounded, Some(0)), Some(2));
        assert_eq!(count(&bounded, Some(9)), Some(4));
        assert_eq!(count(&ScaleSettings { min_scale: 5, ..bounded }, Some(0)), Some(5));
        assert_eq!(count(&bounded, None), None);
        assert_eq!(count(&settings(), Some(u32::MAX)), Some(u32::MAX));
    }

    #[test]
    fn what_nothing_can_reach_has_no_minimum_and_no_initial_scale() {
        let bounded = ScaleSettings { min_scale: 2, initial_scale: 3, ..settings() };
        let fresh = ScaleSeen { initialized: false, desired: Some(1), ..seen(ActiveState::Active, 0) };
        assert_eq!(scale(&bounded, &fresh).reported, Some(3));
        let unreachable = ScaleSeen { reachability: Reachability::Unreachable, ..fresh };
        assert_eq!(scale(&bounded, &unreachable).reported, Some(1));
    }
}
