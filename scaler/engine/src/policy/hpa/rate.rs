//! Limits how fast a count changes, by the policies of a behavior.

use core::time::Duration;

use crate::policy::hpa::behavior::{CompleteRules, ScalingChange, SelectPolicy};
use crate::policy::hpa::limits::Limited;
use crate::policy::hpa::{ConditionReason, ScaleEvent, change_in_period};
use crate::policy::rounding::{ceil_to_i32, to_replicas, truncate_to_i32};

/// The changes of the count that rates are measured against. Both lists count in both directions: a recent
/// scale-down enlarges the allowance of a scale-up, because rates hold from the start of their period.
#[derive(Clone, Copy, Debug)]
pub struct RecentChanges<'a> {
    /// The evaluation's instant.
    pub now: Duration,
    /// Changes upwards.
    pub up: &'a [ScaleEvent],
    /// Changes downwards.
    pub down: &'a [ScaleEvent],
}

impl RecentChanges<'_> {
    /// The count at the start of a period.
    fn at_start_of(&self, period: Duration, current: u32) -> i64 {
        i64::from(current) - change_in_period(self.now, period, self.up)
            + change_in_period(self.now, period, self.down)
    }
}

/// The count that the policies of scaling up allow; it may lie below the present one.
///
/// Without policies it is the lowest count for `Max` and the highest for `Min`, as upstream.
///
/// Source: `horizontal.go`, `calculateScaleUpLimitWithScalingRules`.
pub fn scale_up_limit(current: u32, rules: &CompleteRules, changes: &RecentChanges<'_>) -> i64 {
    let limits = rules.policies.iter().map(|policy| {
        let start = changes.at_start_of(policy.period, current);
        match policy.change {
            ScalingChange::Pods(pods) => start + i64::from(pods),
            // Rounded up, or a small count would never grow.
            ScalingChange::Percent(percent) => {
                i64::from(ceil_to_i32(start as f64 * (1.0 + f64::from(percent) / 100.0)))
            }
        }
    });
    match rules.select_policy {
        SelectPolicy::Disabled => i64::from(current),
        SelectPolicy::Max => limits.max().unwrap_or(i64::from(i32::MIN)),
        SelectPolicy::Min => limits.min().unwrap_or(i64::from(i32::MAX)),
    }
}

/// The count that the policies of scaling down allow; it may be negative or above the present one.
///
/// Source: `horizontal.go`, `calculateScaleDownLimitWithBehaviors`.
pub fn scale_down_limit(current: u32, rules: &CompleteRules, changes: &RecentChanges<'_>) -> i64 {
    let limits = rules.policies.iter().map(|policy| {
        let start = changes.at_start_of(policy.period, current);
        match policy.change {
            ScalingChange::Pods(pods) => start - i64::from(pods),
            ScalingChange::Percent(percent) => {
                i64::from(truncate_to_i32(start as f64 * (1.0 - f64::from(percent) / 100.0)))
            }
        }
    });
    match rules.select_policy {
        SelectPolicy::Disabled => i64::from(current),
        SelectPolicy::Max => limits.min().unwrap_or(i64::from(i32::MAX)),
        SelectPolicy::Min => limits.max().unwrap_or(i64::from(i32::MIN)),
    }
}

/// Applies the bounds and the rates of a behavior to a stabilised count.
///
/// Source: `horizontal.go`, `convertDesiredReplicasWithBehaviorRate`.
pub fn limit_with_behavior(
    current: u32,
    desired: u32,
    bounds: (u32, u32),
    scale_up: &CompleteRules,
    scale_down: &CompleteRules,
    changes: &RecentChanges<'_>,
) -> Limited {
    let (min, max) = bounds;
    if desired > current {
        let up_limit = to_replicas(scale_up_limit(current, scale_up, changes)).max(current);
        let (cap, reason) = if max > up_limit {
            (up_limit, ConditionReason::ScaleUpLimit)
        } else {
            (max, ConditionReason::TooManyReplicas)
        };
        if desired > cap {
            return Limited { replicas: cap, reason };
        }
    } else if desired < current {
        let down_limit = to_replicas(scale_down_limit(current, scale_down, changes)).min(current);
        let (floor, reason) = if min < down_limit {
            (down_limit, ConditionReason::ScaleDownLimit)
        } else {
            (min, ConditionReason::TooFewReplicas)
        };
        if desired < floor {
            return Limited { replicas: floor, reason };
        }
    }
    Limited::within(desired)
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::policy::hpa::behavior::ScalingPolicy;

    const NOW: Duration = Duration::from_secs(1_000);
    const MINUTE: Duration = Duration::from_secs(60);

    fn rules(select_policy: SelectPolicy, changes: &[ScalingChange]) -> CompleteRules {
        let policies = changes.iter().map(|&change| ScalingPolicy { change, period: MINUTE }).collect();
        CompleteRules { policies, select_policy, stabilization_window: None, tolerance: None }
    }

    fn event(change: u32, age_seconds: u64) -> Vec<ScaleEvent> {
        vec![ScaleEvent { change, at: NOW.saturating_sub(Duration::from_secs(age_seconds)), outdated: false }]
    }

    const NONE: RecentChanges<'_> = RecentChanges { now: NOW, up: &[], down: &[] };

    #[test]
    fn float_noise_decides_how_a_percentage_is_rounded() {
        assert_eq!(scale_up_limit(100, &rules(SelectPolicy::Max, &[ScalingChange::Percent(10)]), &NONE), 111);
    }

    #[test]
    fn max_is_the_largest_change_and_min_the_smallest_in_both_directions() {
        let both = [ScalingChange::Pods(2), ScalingChange::Percent(50)];
        assert_eq!(scale_up_limit(10, &rules(SelectPolicy::Max, &both), &NONE), 15);
        assert_eq!(scale_up_limit(10, &rules(SelectPolicy::Min, &both), &NONE), 12);
        assert_eq!(scale_down_limit(10, &rules(SelectPolicy::Max, &both), &NONE), 5);
        assert_eq!(scale_down_limit(10, &rules(SelectPolicy::Min, &both), &NONE), 8);
        assert_eq!(scale_up_limit(10, &rules(SelectPolicy::Disabled, &both), &NONE), 10);
        assert_eq!(scale_down_limit(10, &rules(SelectPolicy::Disabled, &both), &NONE), 10);
    }

    #[test]
    fn a_scale_down_limit_may_be_negative_and_is_truncated_toward_zero() {
        assert_eq!(scale_down_limit(3, &rules(SelectPolicy::Max, &[ScalingChange::Pods(5)]), &NONE), -2);
        assert_eq!(scale_down_limit(3, &rules(SelectPolicy::Max, &[ScalingChange::Percent(150)]), &NONE), -1);
        let down = rules(SelectPolicy::Max, &[ScalingChange::Pods(5)]);
        let up = CompleteRules::for_scale_up(None);
        assert_eq!(limit_with_behavior(3, 0, (0, 9), &up, &down, &NONE), Limited::within(0));
    }

    #[test]
    fn a_recent_change_of_either_direction_moves_the_start_of_the_period() {
        let (up, down) = (event(3, 10), event(2, 10));
        let changes = RecentChanges { now: NOW, up: &up, down: &down };
        let pods = rules(SelectPolicy::Max, &[ScalingChange::Pods(4)]);
        assert_eq!(scale_up_limit(10, &pods, &changes), 10 - 3 + 2 + 4);
        assert_eq!(scale_down_limit(10, &pods, &changes), 10 - 3 + 2 - 4);
    }

    #[test]
    fn a_used_up_rate_holds_the_count_where_it_is() {
        let (up, down) = (event(9, 10), event(9, 10));
        let pods = rules(SelectPolicy::Max, &[ScalingChange::Pods(4)]);
        let rising = RecentChanges { now: NOW, up: &up, down: &[] };
        let held = limit_with_behavior(10, 20, (1, 50), &pods, &pods, &rising);
        assert_eq!(held, Limited { replicas: 10, reason: ConditionReason::ScaleUpLimit });
        let falling = RecentChanges { now: NOW, up: &[], down: &down };
        let held = limit_with_behavior(10, 2, (1, 50), &pods, &pods, &falling);
        assert_eq!(held, Limited { replicas: 10, reason: ConditionReason::ScaleDownLimit });
    }

    #[test]
    fn without_policies_max_holds_and_min_sets_free() {
        let (max, min) = (rules(SelectPolicy::Max, &[]), rules(SelectPolicy::Min, &[]));
        assert_eq!(limit_with_behavior(5, 9, (1, 50), &max, &max, &NONE).replicas, 5);
        assert_eq!(limit_with_behavior(5, 2, (1, 50), &max, &max, &NONE).replicas, 5);
        assert_eq!(limit_with_behavior(5, 9, (1, 50), &min, &min, &NONE).replicas, 9);
        assert_eq!(limit_with_behavior(5, 2, (1, 50), &min, &min, &NONE).replicas, 2);
    }
}
