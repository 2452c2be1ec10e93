//! Keeps a value between two marks: as many replicas more as bring it below the high one, fewer while it stays below the
//! low one.
//!
//! An autoscaler with one target moves to and fro where the target lies between two counts. Between two marks nothing
//! happens, so a gap of more than one replica's share brings it to rest.

mod reason;
mod rules;

use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::decision::{Action, Decision, Limit};
use crate::invariants;
use crate::limits::Limits;
use crate::need::{Metric, Need};
use crate::observation::Observation;
use crate::policy::rounding::{ceil_to_i64, to_replicas};
use crate::policy::{
    Check, Policy, PolicyError, Proposal, Scaled, Setting, SettingValue, Situation, Threshold,
};
use crate::reason::{Cause, Direction, Reason};
use crate::signal::Signal;

pub use reason::WatermarkReason;

/// A reading of this age is still acted on, however short the window is.
const STALE_AFTER_AT_LEAST: Duration = Duration::from_secs(3);

/// The settings of a [`WatermarkPolicy`] before they are checked. Marks are in the signal's own unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatermarkSettings {
    /// The signal judged. Default: `requests_per_second`.
    pub signal: Signal,
    /// Whether the value is divided by the number of ready replicas before it is judged. Default: true.
    pub per_replica: bool,
    /// Values strictly below ask for fewer replicas. Default: 30.
    pub low: f64,
    /// Values strictly above ask for more. Default: 60.
    pub high: f64,
    /// The span over which the signal is measured, 1 s to 1 h. Default: 30 s.
    pub window: Duration,
    /// Time between two checks, 100 ms to 1 h. Default: 10 s.
    pub check_interval: Duration,
    /// Checks in a row below the low mark before replicas are removed, 1 to 1000. Default: 3.
    pub scale_down_checks: u32,
    /// How long a scale-up waits after the last action, up to 24 h. Default: 30 s.
    pub scale_up_cooldown: Duration,
    /// How long a scale-down waits after the last action, up to 24 h. Default: 60 s.
    pub scale_down_cooldown: Duration,
    /// The fewest replicas. Default: 1.
    pub min_replicas: u32,
    /// The most replicas. Default: 10.
    pub max_replicas: u32,
}

impl Default for WatermarkSettings {
    fn default() -> Self {
        Self {
            signal: Signal::RequestsPerSecond,
            per_replica: true,
            low: 30.0,
            high: 60.0,
            window: Duration::from_secs(30),
            check_interval: Duration::from_secs(10),
            scale_down_checks: 3,
            scale_up_cooldown: Duration::from_secs(30),
            scale_down_cooldown: Duration::from_secs(60),
            min_replicas: 1,
            max_replicas: 10,
        }
    }
}

/// How many checks in a row the value was below the low mark.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatermarkHistory {
    /// Checks in a row.
    pub below: u32,
}

/// A checked watermark policy.
#[derive(Clone, Debug, PartialEq)]
pub struct WatermarkPolicy {
    settings: WatermarkSettings,
    limits: Limits,
    history: WatermarkHistory,
}

impl WatermarkPolicy {
    /// The kind as policy files name it.
    pub const KIND: &'static str = "WatermarkPolicy";

    /// Checks the settings; the policy remembers nothing yet.
    ///
    /// # Errors
    /// Names the first setting that breaks a rule, with its value, what was expected, and a hint.
    pub fn new(settings: WatermarkSettings) -> Result<Self, PolicyError> {
        let limits = rules::check(&settings)?;
        Ok(Self { settings, limits, history: WatermarkHistory::default() })
    }

    fn need(&self) -> Need {
        Need::of_service(self.settings.signal, self.settings.window)
    }

    fn stale_after(&self) -> Duration {
        self.settings.window.max(STALE_AFTER_AT_LEAST)
    }

    /// The value that is judged, or why there is none.
    fn value(&self, situation: &Situation<'_>) -> Result<f64, Reason> {
        let signal = Metric::from(self.settings.signal);
        let reading = situation.seen.service_reading(&self.need());
        let Some((value, age)) = reading.and_then(|reading| Some((reading.value?, reading.age))) else {
            return Err(Reason::MissingData { signal });
        };
        let bound = self.stale_after();
        if age > bound {
            return Err(Reason::StaleData { signal, age, bound });
        }
        let shares = if self.settings.per_replica { situation.seen.ready.max(1) } else { 1 };
        let value = value / f64::from(shares);
        if value.is_finite() { Ok(value) } else { Err(Reason::NotANumber { signal }) }
    }

    fn above(&self, situation: &Situation<'_>, value: f64) -> Proposal {
        let (signal, mark) = (self.settings.signal, self.settings.high);
        let wanted = share(situation.desired, value, mark).max(situation.desired.saturating_add(1));
        let to = situation.limits.clamp(wanted);
        let limited_by = (to < wanted).then_some(Limit::Maximum);
        let reason = WatermarkReason::AboveHighMark { signal, value, mark, wanted };
        self.unless_cooling(situation, Direction::Up, Proposal { to, reason: reason.into(), limited_by })
    }

    fn below(&mut self, situation: &Situation<'_>, value: f64) -> Proposal {
        let (signal, mark) = (self.settings.signal, self.settings.low);
        let need = Need::of_each_replica(signal, self.settings.window);
        let (reported, ready) = (situation.seen.reported(&need), situation.seen.ready);
        if reported < ready || ready == 0 {
            self.history.below = 0;
            let partial = Reason::PartialData { signal: signal.into(), reported, ready };
            return Proposal::hold(situation, partial, None);
        }
        self.history.below = self.history.below.saturating_add(1);
        let (checks, needed) = (self.history.below, self.settings.scale_down_checks);
        if checks < needed {
            let pending = WatermarkReason::BelowLowMarkPending { signal, value, mark, checks, needed };
            return Proposal::hold(situation, pending.into(), None);
        }
        // The high mark decides how few may be left, so that the removal itself does not cross it.
        let wanted = share(situation.desired, value, self.settings.high)
            .max(share(situation.desired, value, mark))
            .min(situation.desired.saturating_sub(1));
        let to = situation.limits.clamp(wanted);
        let limited_by = (to > wanted).then_some(Limit::Minimum);
        let reason = WatermarkReason::BelowLowMark { signal, value, mark, wanted };
        self.unless_cooling(situation, Direction::Down, Proposal { to, reason: reason.into(), limited_by })
    }

    fn unless_cooling(
        &self,
        situation: &Situation<'_>,
        direction: Direction,
        proposal: Proposal,
    ) -> Proposal {
        let cooldown = match direction {
            Direction::Up => self.settings.scale_up_cooldown,
            Direction::Down => self.settings.scale_down_cooldown,
        };
        let since = situation.last_action_at.map(|at| situation.seen.at.saturating_sub(at));
        let remaining = since.and_then(|since| cooldown.checked_sub(since)).unwrap_or_default();
        if remaining.is_zero() || proposal.to == situation.desired {
            return proposal;
        }
        Proposal::hold(situation, Reason::CooldownActive { direction, remaining }, Some(Limit::Cooldown))
    }
}

/// The replicas at which `count` replicas with `value` would have `mark`, rounded up.
fn share(count: u32, value: f64, mark: f64) -> u32 {
    to_replicas(ceil_to_i64(f64::from(count) * value / mark))
}

impl Policy for WatermarkPolicy {
    type History = WatermarkHistory;

    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn check_interval(&self) -> Duration {
        self.settings.check_interval
    }

    fn needs(&self) -> Vec<Need> {
        let Self { settings, .. } = self;
        vec![self.need(), Need::of_each_replica(settings.signal, settings.window)]
    }

    fn propose(&mut self, situation: &Situation<'_>) -> Proposal {
        let (signal, low, high) = (self.settings.signal, self.settings.low, self.settings.high);
        match self.value(situation) {
            Ok(value) if value < low => self.below(situation, value),
            Ok(value) => {
                self.history.below = 0;
                if value > high {
                    return self.above(situation, value);
                }
                let between = WatermarkReason::BetweenMarks { signal, value, low, high };
                Proposal::hold(situation, between.into(), None)
            }
            Err(reason) => {
                self.history.below = 0;
                Proposal::hold(situation, reason, None)
            }
        }
    }

    fn begin_check(&mut self, check: Check) {
        if check.is_paused {
            self.history.below = 0;
        }
    }

    fn on_scaled(&mut self, action: &Scaled) {
        if action.cause != Cause::Restoration {
            self.history.below = 0;
        }
    }

    /// Down only on a finite, recent value to which every ready replica contributed; never within a cooldown.
    fn broken_rule(
        &self,
        decision: &Decision,
        seen: &Observation,
        last_action_at: Option<Duration>,
    ) -> Option<&'static str> {
        let cooldown = match decision.action {
            Action::Hold => Duration::ZERO,
            Action::Up => self.settings.scale_up_cooldown,
            Action::Down => self.settings.scale_down_cooldown,
        };
        if !invariants::no_scale_down_without_data(decision, seen, &self.need(), self.stale_after()) {
            Some("a scale-down needs a recent value to which every ready replica contributed")
        } else if !invariants::outside_cooldown(decision, last_action_at, cooldown) {
            Some("an action waits until the cooldown has passed")
        } else {
            None
        }
    }

    fn history(&self) -> WatermarkHistory {
        self.history.clone()
    }

    fn restore(&mut self, history: WatermarkHistory) -> Result<(), WatermarkHistory> {
        self.history = history;
        Ok(())
    }

    /// Checks are counted on while the value and the low mark are the same.
    fn take_over(&mut self, before: &Self) -> bool {
        let of = |settings: &WatermarkSettings| {
            (settings.signal, settings.per_replica, settings.window, settings.low.to_bits())
        };
        let stays = of(&self.settings) == of(&before.settings);
        if stays {
            self.history.clone_from(&before.history);
        }
        stays
    }

    fn settings_shown(&self) -> Vec<Setting> {
        let settings = &self.settings;
        vec![
            Setting::new("signal", SettingValue::Text(settings.signal.to_string())),
            Setting::new("perReplica", SettingValue::Flag(settings.per_replica)),
            Setting::new("low", SettingValue::Number(settings.low)),
            Setting::new("high", SettingValue::Number(settings.high)),
            Setting::new("window", SettingValue::Span(settings.window)),
            Setting::new("checkInterval", SettingValue::Span(settings.check_interval)),
            Setting::new("scaleDownChecks", SettingValue::Count(settings.scale_down_checks)),
            Setting::new("scaleUpCooldown", SettingValue::Span(settings.scale_up_cooldown)),
            Setting::new("scaleDownCooldown", SettingValue::Span(settings.scale_down_cooldown)),
        ]
    }

    fn thresholds(&self) -> Vec<Threshold> {
        let WatermarkSettings { signal, per_replica, low, high, .. } = self.settings;
        let mark = |direction, value| Threshold {
            signal: signal.into(),
            direction,
            value,
            is_per_replica: per_replica,
        };
        vec![mark(Direction::Up, high), mark(Direction::Down, low)]
    }
}

#[cfg(test)]
mod tests;
