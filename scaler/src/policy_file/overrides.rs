//! Holds the settings that flags or environment variables put in place of a file's.

use std::time::Duration;

use excerpt::excerpt;
use scaler_engine::hpa::ControllerSettings;
use scaler_engine::{Signal, ThresholdSettings};

use super::error::PolicyFileError;
use super::settings::{FIELDS, parse_count, parse_span, parse_threshold};

/// Settings to put in place of a policy's own; what is none stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PolicyOverrides {
    /// In place of `signal`.
    pub signal: Option<Signal>,
    /// In place of `window`.
    pub window: Option<Duration>,
    /// In place of `checkInterval`.
    pub check_interval: Option<Duration>,
    /// In place of `scaleUpThreshold`, in the signal's unit.
    pub scale_up_threshold: Option<f64>,
    /// In place of `scaleUpChecks`.
    pub scale_up_checks: Option<u32>,
    /// In place of `scaleDownThreshold`, in the signal's unit.
    pub scale_down_threshold: Option<f64>,
    /// In place of `scaleDownChecks`.
    pub scale_down_checks: Option<u32>,
    /// In place of `minReplicas`.
    pub min_replicas: Option<u32>,
    /// In place of `maxReplicas`.
    pub max_replicas: Option<u32>,
    /// In place of `scaleUpCooldown`.
    pub scale_up_cooldown: Option<Duration>,
    /// In place of `scaleDownCooldown`.
    pub scale_down_cooldown: Option<Duration>,
    /// How Kubernetes' controller manager is set, for its own kinds.
    pub controller: Option<ControllerSettings>,
}

impl PolicyOverrides {
    /// The classic environment variables that [`PolicyOverrides::from_environment`] asks for.
    pub const VARIABLES: [&str; 7] = [
        "SCALE_UP_THRESHOLD",
        "SCALE_DOWN_THRESHOLD",
        "MIN_REPLICAS",
        "MAX_REPLICAS",
        "CHECK_INTERVAL",
        "SCALE_UP_COOLDOWN",
        "SCALE_DOWN_COOLDOWN",
    ];

    /// Reads the classic environment variables: `SCALE_UP_THRESHOLD`, `SCALE_DOWN_THRESHOLD`, `MIN_REPLICAS`,
    /// `MAX_REPLICAS`, `CHECK_INTERVAL`, `SCALE_UP_COOLDOWN` and `SCALE_DOWN_COOLDOWN`. An empty one counts as not set.
    ///
    /// `lookup` tells a variable's value, so that nothing here reads the environment itself.
    ///
    /// # Errors
    /// Names the variable, its value, what was expected, and a hint.
    pub fn from_environment(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, PolicyFileError> {
        Ok(Self {
            scale_up_threshold: read(&lookup, "SCALE_UP_THRESHOLD", parse_threshold)?,
            scale_down_threshold: read(&lookup, "SCALE_DOWN_THRESHOLD", parse_threshold)?,
            min_replicas: read(&lookup, "MIN_REPLICAS", parse_count)?,
            max_replicas: read(&lookup, "MAX_REPLICAS", parse_count)?,
            check_interval: read(&lookup, "CHECK_INTERVAL", parse_span)?,
            scale_up_cooldown: read(&lookup, "SCALE_UP_COOLDOWN", parse_span)?,
            scale_down_cooldown: read(&lookup, "SCALE_DOWN_COOLDOWN", parse_span)?,
            ..Self::default()
        })
    }

    /// These overrides, and where they have none, those of `lower`.
    #[must_use]
    pub fn or(self, lower: Self) -> Self {
        Self {
            signal: self.signal.or(lower.signal),
            window: self.window.or(lower.window),
            check_interval: self.check_interval.or(lower.check_interval),
            scale_up_threshold: self.scale_up_threshold.or(lower.scale_up_threshold),
            scale_up_checks: self.scale_up_checks.or(lower.scale_up_checks),
            scale_down_threshold: self.scale_down_threshold.or(lower.scale_down_threshold),
            scale_down_checks: self.scale_down_checks.or(lower.scale_down_checks),
            min_replicas: self.min_replicas.or(lower.min_replicas),
            max_replicas: self.max_replicas.or(lower.max_replicas),
            scale_up_cooldown: self.scale_up_cooldown.or(lower.scale_up_cooldown),
            scale_down_cooldown: self.scale_down_cooldown.or(lower.scale_down_cooldown),
            controller: self.controller.or(lower.controller),
        }
    }

    pub(super) fn apply(&self, settings: &mut ThresholdSettings) {
        put(&mut settings.signal, self.signal);
        put(&mut settings.window, self.window);
        put(&mut settings.check_interval, self.check_interval);
        put(&mut settings.scale_up_threshold, self.scale_up_threshold);
        put(&mut settings.scale_up_checks, self.scale_up_checks);
        put(&mut settings.scale_down_threshold, self.scale_down_threshold);
        put(&mut settings.scale_down_checks, self.scale_down_checks);
        put(&mut settings.min_replicas, self.min_replicas);
        put(&mut settings.max_replicas, self.max_replicas);
        put(&mut settings.scale_up_cooldown, self.scale_up_cooldown);
        put(&mut settings.scale_down_cooldown, self.scale_down_cooldown);
    }

    /// The first setting that is overridden and means something to a threshold policy only.
    pub(super) fn beyond_limits(&self) -> Option<&'static str> {
        let is_limit = |field: &&str| matches!(*field, "minReplicas" | "maxReplicas");
        FIELDS.into_iter().filter(|field| !is_limit(field)).find(|field| self.sets(field))
    }

    /// Whether the field of a policy file with this name is overridden.
    pub(super) fn sets(&self, field: &str) -> bool {
        match field {
            "signal" => self.signal.is_some(),
            "window" => self.window.is_some(),
            "checkInterval" => self.check_interval.is_some(),
            "scaleUpThreshold" => self.scale_up_threshold.is_some(),
            "scaleUpChecks" => self.scale_up_checks.is_some(),
            "scaleDownThreshold" => self.scale_down_threshold.is_some(),
            "scaleDownChecks" => self.scale_down_checks.is_some(),
            "minReplicas" => self.min_replicas.is_some(),
            "maxReplicas" => self.max_replicas.is_some(),
            "scaleUpCooldown" => self.scale_up_cooldown.is_some(),
            "scaleDownCooldown" => self.scale_down_cooldown.is_some(),
            _ => false,
        }
    }
}

fn put<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

fn read<T>(
    lookup: &impl Fn(&str) -> Option<String>,
    variable: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, PolicyFileError> {
    let Some(text) = lookup(variable).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    parse(&text).map(Some).map_err(|expected| {
        let problem = format!("the environment variable is `{}`, expected {expected}", excerpt(&text));
        let hint = format!("correct {variable}, or the file that {variable}_FILE names, or unset it");
        PolicyFileError::new(variable, None, problem, hint)
    })
}
