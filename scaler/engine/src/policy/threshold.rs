//! Adds a replica after some checks above one threshold, removes one after some checks below another.

mod judgement;
mod rules;

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::Limits;
use crate::policy::PolicyError;
use crate::signal::Signal;

pub use judgement::ThresholdHistory;

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
}

impl ThresholdPolicy {
    /// Checks the settings.
    ///
    /// # Errors
    /// Names the first setting that breaks a rule, with its value, what was expected, and a hint.
    pub fn new(settings: ThresholdSettings) -> Result<Self, PolicyError> {
        let limits = rules::check(&settings)?;
        Ok(Self { settings, limits })
    }

    /// The settings.
    pub const fn settings(&self) -> &ThresholdSettings {
        &self.settings
    }

    /// The limits in the settings.
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// The oldest reading that is acted on: one window, but at least 3 s.
    pub fn stale_after(&self) -> Duration {
        self.settings.window.max(STALE_AFTER_AT_LEAST)
    }
}

impl Default for ThresholdPolicy {
    fn default() -> Self {
        Self::new(ThresholdSettings::default()).expect("the default settings obey the rules")
    }
}
