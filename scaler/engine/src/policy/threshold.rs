//! Adds a replica after some checks above one threshold, removes one after some checks below another.

mod judgement;
mod reason;
mod rules;
mod shown;

use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::decision::{Action, Decision};
use crate::invariants;
use crate::limits::Limits;
use crate::need::Need;
use crate::observation::Observation;
use crate::policy::{Check, Policy, PolicyError, Proposal, Scaled, Setting, Situation, Threshold};
use crate::reason::Cause;
use crate::signal::Signal;

pub use judgement::ThresholdHistory;
pub use reason::ThresholdReason;

/// However short the window is, a reading of this age is still acted on: sources sample about each second, and
/// one slow answer must not read as an outage.
const STALE_AFTER_AT_LEAST: Duration = Duration::from_secs(3);

/// The settings of a [`ThresholdPolicy`] before they are checked.
///
/// Thresholds are in the signal's own unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThresholdSettings {
    /// The signal judged. Default: `response_time_mean_seconds`.
    pub signal: Signal,
    /// Whether the value is divided by the number of ready replicas before it is judged: for signals that sum the
    /// whole service up, such as `requests_per_second`. Default: false.
    #[serde(default)]
    pub per_replica: bool,
    /// The span over which it is measured, 1 s to 1 h. Default: 30 s.
    pub window: Duration,
    /// Values strictly above ask for one more replica. Default: 0.6.
    pub scale_up_threshold: f64,
    /// Values strictly below ask for one fewer. Default: 0.2.
    pub scale_down_threshold: f64,
    /// Checks in a row above before a replica is added, 1 to 1000. Default: 2.
    pub scale_up_checks: u32,
    /// Checks in a row below before one is removed, 1 to 1000. Default: 3.
    pub scale_down_checks: u32,
    /// The fewest replicas. Default: 1.
    pub min_replicas: u32,
    /// The most replicas. Default: 6.
    pub max_replicas: u32,
    /// Time between two checks, 100 ms to 1 h. Default: 10 s.
    pub check_interval: Duration,
    /// How long a scale-up waits after the last action in either direction, up to 24 h. Default: 30 s.
    pub scale_up_cooldown: Duration,
    /// How long a scale-down waits after the last action in either direction, up to 24 h. Default: 60 s.
    pub scale_down_cooldown: Duration,
}

impl Default for ThresholdSettings {
    fn default() -> Self {
        Self {
            signal: Signal::ResponseTimeMeanSeconds,
            per_replica: false,
            window: Duration::from_secs(30),
            scale_up_threshold: 0.6,
            scale_down_threshold: 0.2,
            scale_up_checks: 2,
            scale_down_checks: 3,
            min_replicas: 1,
            max_replicas: 6,
            check_interval: Duration::from_secs(10),
            scale_up_cooldown: Duration::from_secs(30),
            scale_down_cooldown: Duration::from_mins(1),
        }
    }
}

/// A checked threshold policy; its settings obey every rule.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdPolicy {
    settings: ThresholdSettings,
    limits: Limits,
    history: ThresholdHistory,
}

impl ThresholdPolicy {
    /// The kind as policy files name it.
    pub const KIND: &'static str = "ThresholdPolicy";

    /// Checks the settings; the policy remembers nothing yet.
    ///
    /// # Errors
    /// Names the first setting that breaks a rule, with its value, what was expected, and a hint.
    pub fn new(settings: ThresholdSettings) -> Result<Self, PolicyError> {
        let limits = rules::check(&settings)?;
        Ok(Self { settings, limits, history: ThresholdHistory::default() })
    }

    /// The settings.
    pub const fn settings(&self) -> &ThresholdSettings {
        &self.settings
    }

    /// The oldest reading that is acted on: one window, but at least 3 s.
    pub fn stale_after(&self) -> Duration {
        self.settings.window.max(STALE_AFTER_AT_LEAST)
    }

    fn need(&self) -> Need {
        Need::of_service(self.settings.signal, self.settings.window)
    }
}

impl Policy for ThresholdPolicy {
    type History = ThresholdHistory;

    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn check_interval(&self) -> Duration {
        self.settings.check_interval
    }

    /// The signal of the service, and of each replica: a value that is not high counts only if all reported it.
    fn needs(&self) -> Vec<Need> {
        let (signal, window) = (self.settings.signal, self.settings.window);
        vec![self.need(), Need::of_each_replica(signal, window)]
    }

    fn propose(&mut self, situation: &Situation<'_>) -> Proposal {
        self.judge(situation)
    }

    /// Breaches seen while paused do not count afterwards.
    fn begin_check(&mut self, check: Check) {
        if check.is_paused {
            self.history.reset();
        }
    }

    /// Breaches count from the last action on. A restoration changes nothing that was asked for.
    fn on_scaled(&mut self, action: &Scaled) {
        if action.cause != Cause::Restoration {
            self.history.reset();
        }
    }

    /// One replica at a time; down only on a finite, recent value to which every ready replica contributed; never within a
    /// cooldown.
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
        } else if !invariants::one_replica_at_a_time(decision) {
            Some("a threshold policy changes the count by one")
        } else {
            None
        }
    }

    fn history(&self) -> ThresholdHistory {
        self.history.clone()
    }

    fn restore(&mut self, history: ThresholdHistory) -> Result<(), ThresholdHistory> {
        self.history = history;
        Ok(())
    }

    /// Breaches are counted on while they are breaches of the same value, whatever the thresholds.
    fn take_over(&mut self, before: &Self) -> bool {
        let (one, other) = (&self.settings, &before.settings);
        let stays =
            one.signal == other.signal && one.window == other.window && one.per_replica == other.per_replica;
        if stays {
            self.history.clone_from(&before.history);
        }
        stays
    }

    fn settings_shown(&self) -> Vec<Setting> {
        shown::settings(&self.settings)
    }

    fn thresholds(&self) -> Vec<Threshold> {
        shown::thresholds(&self.settings)
    }
}

impl Default for ThresholdPolicy {
    fn default() -> Self {
        Self::new(ThresholdSettings::default()).expect("the default settings obey the rules")
    }
}
