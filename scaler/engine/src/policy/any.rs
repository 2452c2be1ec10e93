//! Collects the kinds of policy behind one type: the live scaler follows whichever a file asks for.

use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Check, Miscount, Policy, Proposal, Scaled, Setting, Situation, Threshold};
use crate::decision::Decision;
use crate::limits::Limits;
use crate::need::Need;
use crate::observation::Observation;
use crate::policy::threshold::{ThresholdHistory, ThresholdPolicy};

/// A checked policy of any kind, with its history.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyPolicy {
    /// One signal, two thresholds, one replica at a time.
    Threshold(ThresholdPolicy),
}

/// What a policy remembers between checks, per kind of policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum PolicyHistory {
    /// Counters of a threshold policy.
    #[serde(rename = "ThresholdPolicy")]
    Threshold(ThresholdHistory),
}

impl PolicyHistory {
    /// The kind of policy that it belongs to, as policy files name it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Threshold(_) => ThresholdPolicy::KIND,
        }
    }
}

/// Does the same with the policy inside, of whichever kind.
macro_rules! with_policy {
    ($any:expr, $policy:ident => $what:expr) => {
        match $any {
            Self::Threshold($policy) => $what,
        }
    };
}

impl Policy for AnyPolicy {
    type History = PolicyHistory;

    fn kind(&self) -> &'static str {
        with_policy!(self, policy => policy.kind())
    }

    fn limits(&self) -> Limits {
        with_policy!(self, policy => policy.limits())
    }

    fn check_interval(&self) -> Duration {
        with_policy!(self, policy => policy.check_interval())
    }

    fn needs(&self) -> Vec<Need> {
        with_policy!(self, policy => policy.needs())
    }

    fn propose(&mut self, situation: &Situation<'_>) -> Proposal {
        with_policy!(self, policy => policy.propose(situation))
    }

    fn miscount(&self) -> Miscount {
        with_policy!(self, policy => policy.miscount())
    }

    fn can_leave_zero(&self) -> bool {
        with_policy!(self, policy => policy.can_leave_zero())
    }

    fn begin_check(&mut self, check: Check) {
        with_policy!(self, policy => policy.begin_check(check));
    }

    fn on_scaled(&mut self, action: &Scaled) {
        with_policy!(self, policy => policy.on_scaled(action));
    }

    fn broken_rule(
        &self,
        decision: &Decision,
        seen: &Observation,
        last_action_at: Option<Duration>,
    ) -> Option<&'static str> {
        with_policy!(self, policy => policy.broken_rule(decision, seen, last_action_at))
    }

    fn history(&self) -> PolicyHistory {
        match self {
            Self::Threshold(policy) => PolicyHistory::Threshold(policy.history()),
        }
    }

    fn restore(&mut self, history: PolicyHistory) -> Result<(), PolicyHistory> {
        match (self, history) {
            (Self::Threshold(policy), PolicyHistory::Threshold(history)) => {
                policy.restore(history).map_err(PolicyHistory::Threshold)
            }
        }
    }

    fn take_over(&mut self, before: &Self) -> bool {
        match (self, before) {
            (Self::Threshold(policy), Self::Threshold(before)) => policy.take_over(before),
        }
    }

    fn settings_shown(&self) -> Vec<Setting> {
        with_policy!(self, policy => policy.settings_shown())
    }

    fn thresholds(&self) -> Vec<Threshold> {
        with_policy!(self, policy => policy.thresholds())
    }
}
