//! The behavior of an autoscaler: its windows, rates and tolerances, and what completes them.

use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

/// The default period of a scaling policy.
const PERIOD: Duration = Duration::from_secs(15);

/// The behavior of both directions.
///
/// An autoscaler with a behavior, be it an empty one, follows other rules than one without.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Behavior {
    /// Scaling up.
    pub scale_up: Option<ScalingRules>,
    /// Scaling down.
    pub scale_down: Option<ScalingRules>,
}

impl Behavior {
    /// The rules for scaling up, completed.
    pub fn complete_scale_up(&self) -> CompleteRules {
        CompleteRules::for_scale_up(self.scale_up.as_ref())
    }

    /// The rules for scaling down, completed.
    pub fn complete_scale_down(&self) -> CompleteRules {
        CompleteRules::for_scale_down(self.scale_down.as_ref())
    }
}

/// The rules of one direction as they are written; what is left out is completed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScalingRules {
    /// The rates; a given list replaces the default as a whole.
    pub policies: Option<Vec<ScalingPolicy>>,
    /// Which of the rates holds.
    pub select_policy: Option<SelectPolicy>,
    /// The span whose recommendations are looked back at.
    pub stabilization_window: Option<Duration>,
    /// The deviation from the target that is left alone, as a fraction.
    pub tolerance: Option<f64>,
}

/// A rate: so much change in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScalingPolicy {
    /// How much.
    pub change: ScalingChange,
    /// In which span.
    pub period: Duration,
}

/// How much a policy allows to change in its period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScalingChange {
    /// So many pods.
    Pods(i32),
    /// So many percent of the count at the start of the period.
    Percent(i32),
}

/// Which of several policies holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SelectPolicy {
    /// The one that allows the largest change.
    #[default]
    Max,
    /// The one that allows the smallest change.
    Min,
    /// No change in this direction.
    Disabled,
}

/// The rules of one direction with nothing left out, but for the window of scaling down, which the controller's
/// setting completes.
#[derive(Clone, Debug, PartialEq)]
pub struct CompleteRules {
    /// The rates.
    pub policies: Vec<ScalingPolicy>,
    /// Which of the rates holds.
    pub select_policy: SelectPolicy,
    /// The span whose recommendations are looked back at; none is the controller's setting.
    pub stabilization_window: Option<Duration>,
    /// The deviation from the target that is left alone; none is the controller's setting.
    pub tolerance: Option<f64>,
}

impl CompleteRules {
    /// Completes rules for scaling up: no window, 4 pods or 100 % per 15 s, whichever is more.
    ///
    /// Source: `pkg/apis/autoscaling/v2/defaults.go`, `GenerateHPAScaleUpRules`.
    pub fn for_scale_up(rules: Option<&ScalingRules>) -> Self {
        let policies = vec![
            ScalingPolicy { change: ScalingChange::Pods(4), period: PERIOD },
            ScalingPolicy { change: ScalingChange::Percent(100), period: PERIOD },
        ];
        Self::complete(rules, policies, Some(Duration::ZERO))
    }

    /// Completes rules for scaling down: the controller's window, 100 % per 15 s.
    ///
    /// Source: `pkg/apis/autoscaling/v2/defaults.go`, `GenerateHPAScaleDownRules`.
    pub fn for_scale_down(rules: Option<&ScalingRules>) -> Self {
        let policies = vec![ScalingPolicy { change: ScalingChange::Percent(100), period: PERIOD }];
        Self::complete(rules, policies, None)
    }

    fn complete(
        rules: Option<&ScalingRules>,
        policies: Vec<ScalingPolicy>,
        window: Option<Duration>,
    ) -> Self {
        let given = rules.cloned().unwrap_or_default();
        Self {
            policies: given.policies.unwrap_or(policies),
            select_policy: given.select_policy.unwrap_or_default(),
            stabilization_window: given.stabilization_window.or(window),
            tolerance: given.tolerance,
        }
    }

    /// The longest period of a policy; older events are of no use.
    ///
    /// Source: `horizontal.go`, `getLongestPolicyPeriod`.
    pub fn longest_period(&self) -> Duration {
        self.policies.iter().map(|policy| policy.period).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_completed_by_itself_and_a_list_of_policies_as_a_whole() {
        let one = ScalingPolicy { change: ScalingChange::Pods(1), period: Duration::from_secs(60) };
        let rules = ScalingRules { policies: Some(vec![one]), ..ScalingRules::default() };
        let complete = CompleteRules::for_scale_up(Some(&rules));
        assert_eq!(complete.policies, [one]);
        assert_eq!(complete.select_policy, SelectPolicy::Max);
        assert_eq!(complete.stabilization_window, Some(Duration::ZERO));
        let rules = ScalingRules { select_policy: Some(SelectPolicy::Min), ..ScalingRules::default() };
        let complete = CompleteRules::for_scale_down(Some(&rules));
        assert_eq!(
            complete.policies,
            [ScalingPolicy { change: ScalingChange::Percent(100), period: PERIOD }]
        );
        assert_eq!((complete.select_policy, complete.stabilization_window), (SelectPolicy::Min, None));
    }

    #[test]
    fn an_empty_behavior_completes_both_directions() {
        let behavior = Behavior::default();
        assert_eq!(behavior.complete_scale_up().policies.len(), 2);
        assert_eq!(behavior.complete_scale_down().policies.len(), 1);
        assert_eq!(behavior.complete_scale_down().longest_period(), PERIOD);
    }
}
