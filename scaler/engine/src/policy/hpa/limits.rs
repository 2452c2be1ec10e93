//! Limits a count where the autoscaler has no behavior.

use crate::policy::hpa::ConditionReason;

/// Without a behavior a pass may at most double the count, or reach this.
const SCALE_UP_ALWAYS_ALLOWED: u32 = 4;

/// A count after its limits, and which of them shaped it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// The count.
    pub replicas: u32,
    /// The limit, or `DesiredWithinRange`.
    pub reason: ConditionReason,
}

impl Limited {
    pub(crate) const fn within(replicas: u32) -> Self {
        Self { replicas, reason: ConditionReason::DesiredWithinRange }
    }
}

/// Applies the bounds and the doubling of each pass. It counts per pass, not per period.
///
/// Source: `horizontal.go`, `convertDesiredReplicasWithRules` and `calculateScaleUpLimit`.
pub fn limit_without_behavior(current: u32, desired: u32, min: u32, max: u32) -> Limited {
    let up_limit = current.saturating_mul(2).max(SCALE_UP_ALWAYS_ALLOWED);
    if desired < min {
        return Limited { replicas: min, reason: ConditionReason::TooFewReplicas };
    }
    let (cap, reason) = if max > up_limit {
        (up_limit, ConditionReason::ScaleUpLimit)
    } else {
        (max, ConditionReason::TooManyReplicas)
    };
    if desired > cap { Limited { replicas: cap, reason } } else { Limited::within(desired) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_at_most_doubles_but_may_always_reach_four() {
        let limited = |current, desired| limit_without_behavior(current, desired, 0, 100);
        assert_eq!(limited(0, 9), Limited { replicas: 4, reason: ConditionReason::ScaleUpLimit });
        assert_eq!(limited(1, 4), Limited::within(4));
        assert_eq!(limited(3, 7), Limited { replicas: 6, reason: ConditionReason::ScaleUpLimit });
    }

    #[test]
    fn a_maximum_equal_to_the_doubling_is_the_reason() {
        let limited = limit_without_behavior(3, 7, 1, 6);
        assert_eq!(limited, Limited { replicas: 6, reason: ConditionReason::TooManyReplicas });
    }

    #[test]
    fn the_minimum_is_tested_first() {
        let limited = limit_without_behavior(1, 8, 9, 10);
        assert_eq!(limited, Limited { replicas: 9, reason: ConditionReason::TooFewReplicas });
    }
}
