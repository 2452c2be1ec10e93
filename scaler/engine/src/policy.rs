//! Says what a policy is: settings and history in one value, asked at each check for a count and a reason.

pub(crate) mod age;
mod any;
mod calendar;
mod event_log;
pub mod hpa;
pub mod keda;
pub mod knative;
mod rounding;
mod shown;
pub(crate) mod threshold;
pub mod watermark;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::decision::{Decision, Limit};
use crate::limits::Limits;
use crate::need::Need;
use crate::observation::Observation;
use crate::reason::{Cause, Reason};

pub use any::ReasonOfKind;
pub use calendar::{CronWindow, CronWindowError};
pub use event_log::{EventLog, PolicyEvent};
pub use shown::{ConditionShown, ConditionStatus, Setting, SettingValue, Threshold};

// A new kind is a `mod` line above, and one here.
any::kinds! {
    /// One signal, two thresholds, one replica at a time.
    Threshold, "ThresholdPolicy", threshold::ThresholdPolicy, threshold::ThresholdHistory, threshold::ThresholdReason;
    /// Kubernetes' own: metrics against targets, windows, rates.
    Hpa, "HorizontalPodAutoscaler", hpa::HpaPolicy, hpa::HpaHistory, hpa::HpaReason;
    /// KEDA's: activation to and from zero, and an HPA that it generates.
    ScaledObject, "ScaledObject", keda::ScaledObjectPolicy, keda::ScaledObjectHistory, keda::ScaledObjectReason;
    /// Knative's: concurrency or rate over two windows, with panic, down to zero.
    Knative, "KnativePolicy", knative::KnativePolicy, knative::KnativeHistory, knative::KnativeReason;
    /// One signal between two marks, by as many replicas as it takes.
    Watermark, "WatermarkPolicy", watermark::WatermarkPolicy, watermark::WatermarkHistory, watermark::WatermarkReason;
}

/// What is shown of a service whose policy measures nothing.
const WINDOW_WITHOUT_NEEDS: Duration = Duration::from_secs(30);

/// A scaling policy with everything it remembers.
///
/// The [`Engine`](crate::Engine) owns it and keeps what is common to all: cadence, pause, limits, the count that was
/// last asked for, and the time of the last action. At each check it calls [`Policy::begin_check`], and, unless it is
/// paused or has a count to correct, [`Policy::propose`]. What was really done arrives at [`Policy::on_scaled`], and
/// only that: a proposal that was not carried out has not happened.
///
/// The same settings, history and observations must give the same proposals: no clock, no randomness, no I/O.
pub trait Policy: Clone + fmt::Debug + PartialEq {
    /// What it remembers between checks, in a form that can be saved.
    type History: Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned;

    /// The kind as policy files name it.
    fn kind(&self) -> &'static str;

    /// The limits it was written with; they may be replaced at run time.
    fn limits(&self) -> Limits;

    /// Time between two checks.
    fn check_interval(&self) -> Duration;

    /// Everything it wants measured, in the order of importance: the first need's window is the one that charts show.
    fn needs(&self) -> Vec<Need>;

    /// The span that charts show: the one of the first need, 30 s without any.
    fn window(&self) -> Duration {
        self.needs().first().map_or(WINDOW_WITHOUT_NEEDS, |need| need.window)
    }

    /// Judges what was seen.
    fn propose(&mut self, situation: &Situation<'_>) -> Proposal;

    /// What to do where another count is found than the one asked for. Default: [`Miscount::Restore`].
    fn miscount(&self) -> Miscount {
        Miscount::Restore
    }

    /// Whether it can ask for a first replica where there is none, so that its limits may begin at 0. Default: no, because
    /// without a replica there is nothing to measure.
    fn can_leave_zero(&self) -> bool {
        false
    }

    /// Called at the beginning of each check, also while paused. Default: nothing.
    fn begin_check(&mut self, _check: Check) {}

    /// Called for each action that was carried out, in whole or in part. Default: nothing.
    fn on_scaled(&mut self, _action: &Scaled) {}

    /// The rule of its own that `decision` breaks, if any; for debug assertions, tests and simulators. `last_action_at`
    /// is the time of the last action before it. Default: none.
    fn broken_rule(
        &self,
        _decision: &Decision,
        _seen: &Observation,
        _last_action_at: Option<Duration>,
    ) -> Option<&'static str> {
        None
    }

    /// Its history, to be saved.
    fn history(&self) -> Self::History;

    /// Continues from a saved history.
    ///
    /// # Errors
    /// Gives back a history that belongs to another kind of policy; nothing is changed then.
    fn restore(&mut self, history: Self::History) -> Result<(), Self::History>;

    /// Goes on with what `before` remembers, where that was learned from the same measurements. Returns whether it does.
    /// Default: no.
    fn take_over(&mut self, _before: &Self) -> bool {
        false
    }

    /// Its settings, named and written as in a policy file, without the limits; for people to read.
    fn settings_shown(&self) -> Vec<Setting>;

    /// The values at which it acts, for charts. Default: none.
    fn thresholds(&self) -> Vec<Threshold> {
        Vec::new()
    }

    /// The state of the policy as its own system shows it (`kubectl describe`). Default: none.
    fn conditions(&self) -> Vec<ConditionShown> {
        Vec::new()
    }

    /// What it told of lately, oldest first. Default: nothing.
    fn events(&self) -> Vec<PolicyEvent> {
        Vec::new()
    }
}

/// What a policy judges.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// What was seen.
    pub seen: &'a Observation,
    /// Replicas that were last asked for, within the limits; under [`Miscount::Follow`] a platform's count may lie outside.
    pub desired: u32,
    /// The limits in force; a proposal must lie within, unless it leaves the desired count as it is.
    pub limits: Limits,
    /// When the last action happened, whatever its direction; restorations do not count. None before the first.
    pub last_action_at: Option<Duration>,
}

/// What a policy makes of a situation.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Replicas that it wants; the desired count for a hold.
    pub to: u32,
    /// Why.
    pub reason: Reason,
    /// What kept it from going further.
    pub limited_by: Option<Limit>,
}

impl Proposal {
    /// To leave the desired count as it is.
    pub const fn hold(situation: &Situation<'_>, reason: Reason, limited_by: Option<Limit>) -> Self {
        Self { to: situation.desired, reason, limited_by }
    }
}

/// The circumstances of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// When it is made (run time). Times may run backwards where a clock was set back.
    pub at: Duration,
    /// Whether automatic actions are off.
    pub is_paused: bool,
}

/// An action that was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scaled {
    /// When (run time).
    pub at: Duration,
    /// Replicas before.
    pub from: u32,
    /// Replicas after; equal to `from` if an action was only assumed, after a loss of memory.
    pub to: u32,
    /// What wanted it.
    pub cause: Cause,
}

/// What to do where another count is found than the one that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miscount {
    /// Bring the count back at once, unless the platform does that itself.
    Restore,
    /// Take the platform's own desired count as the one asked for; replicas that are missing are the platform's business.
    Adopt,
    /// Be a controller that only writes the platform's desired count: where the platform brings its replicas back itself,
    /// its count is adopted as it is, outside the limits too, and a decision goes from that count; where it does not, lost
    /// and surplus replicas are restored in its place, as under [`Miscount::Restore`].
    Follow,
}

/// A setting that contradicts the rules of its policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is {value}, expected {expected}")]
pub struct PolicyError {
    /// The setting, as policy files name it.
    pub field: &'static str,
    /// What was given.
    pub value: String,
    /// What would be accepted.
    pub expected: String,
    /// What to do about it.
    pub hint: &'static str,
}
