//! The policy and the settings put in its place, for `lab scaler`, `lab up` and `lab demo`.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use scaler::policy_file::{
    NamedPolicy, PolicyFileError, PolicyOverrides, PolicySource, parse_span, parse_threshold,
};
use scaler_engine::Signal;
use serde::{Deserialize, Serialize};

use super::classic;
use super::controller::ControllerArguments;
use super::values::duration;
use crate::failure::Failure;

/// Which policy decides, and what is changed about it.
///
/// A flag beats its LAB_ variable, that beats a classic name such as `SCALE_UP_THRESHOLD`, that beats the file. With _FILE
/// behind a classic name the value is in a file: `SCALE_UP_THRESHOLD_FILE`.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Policy (a flag beats LAB_… beats the classic variable beats the file)")]
pub(crate) struct PolicyArguments {
    /// A policy file, or a shipped policy: conservative, moderate or aggressive
    #[arg(long, value_name = "FILE", default_value = "moderate")]
    policy: String,
    /// Fewest replicas; also `MIN_REPLICAS` [moderate: 1]
    #[arg(long, value_name = "N")]
    min_replicas: Option<u32>,
    /// Most replicas; also `MAX_REPLICAS` [moderate: 6]
    #[arg(long, value_name = "N")]
    max_replicas: Option<u32>,
    /// The signal that is compared with the thresholds [moderate: `response_time_mean_seconds`]
    #[arg(long, value_name = "NAME")]
    signal: Option<Signal>,
    /// The time over which the signal is taken [moderate: 30s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    window: Option<Duration>,
    /// Time between two checks; also `CHECK_INTERVAL` [moderate: 10s]
    #[arg(long, value_name = "DURATION", value_parser = parse_span)]
    check_interval: Option<Duration>,
    /// More replicas above this; also `SCALE_UP_THRESHOLD` [moderate: 0.6, in seconds]
    #[arg(long, value_name = "VALUE", value_parser = parse_threshold)]
    scale_up_threshold: Option<f64>,
    /// Checks in a row above it before there are more replicas [moderate: 2]
    #[arg(long, value_name = "N")]
    scale_up_checks: Option<u32>,
    /// Fewer replicas below this; also `SCALE_DOWN_THRESHOLD` [moderate: 0.2, in seconds]
    #[arg(long, value_name = "VALUE", value_parser = parse_threshold)]
    scale_down_threshold: Option<f64>,
    /// Checks in a row below it before there are fewer replicas [moderate: 3]
    #[arg(long, value_name = "N")]
    scale_down_checks: Option<u32>,
    /// Time between an action and a scale-up; also `SCALE_UP_COOLDOWN` [moderate: 30s]
    #[arg(long, value_name = "DURATION", value_parser = parse_span)]
    scale_up_cooldown: Option<Duration>,
    /// Time between an action and a scale-down; also `SCALE_DOWN_COOLDOWN` [moderate: 60s]
    #[arg(long, value_name = "DURATION", value_parser = parse_span)]
    scale_down_cooldown: Option<Duration>,
    #[command(flatten)]
    controller: ControllerArguments,
}

impl PolicyArguments {
    /// The policy's file or name.
    pub(crate) fn name(&self) -> &str {
        &self.policy
    }

    /// Where the policy is read from, with what flags and the environment put in its place.
    pub(crate) fn source(&self) -> Result<PolicySource, Failure> {
        Ok(PolicySource { name_or_path: self.policy.clone(), overrides: self.overrides()? })
    }

    /// Reads the policy with these overrides.
    pub(crate) fn load(&self, overrides: &PolicyOverrides) -> Result<NamedPolicy, Failure> {
        NamedPolicy::load(&self.policy, overrides).map_err(|error| refuse(&error))
    }

    /// What flags and the environment put in the policy's place.
    pub(crate) fn overrides(&self) -> Result<PolicyOverrides, Failure> {
        let mut values = BTreeMap::new();
        for name in PolicyOverrides::VARIABLES {
            values.extend(classic::variable(name)?.map(|value| (name, value)));
        }
        let classic = PolicyOverrides::from_environment(|name| values.get(name).cloned())
            .map_err(|error| refuse(&error))?;
        let flags = PolicyOverrides {
            signal: self.signal,
            window: self.window,
            check_interval: self.check_interval,
            scale_up_threshold: self.scale_up_threshold,
            scale_up_checks: self.scale_up_checks,
            scale_down_threshold: self.scale_down_threshold,
            scale_down_checks: self.scale_down_checks,
            min_replicas: self.min_replicas,
            max_replicas: self.max_replicas,
            scale_up_cooldown: self.scale_up_cooldown,
            scale_down_cooldown: self.scale_down_cooldown,
            controller: Some(self.controller.settings()?),
        };
        Ok(flags.or(classic))
    }

    /// The same policy with these overrides, for another process, which does not see this one's variables.
    pub(crate) fn overridden(&self, overrides: &PolicyOverrides) -> Self {
        let PolicyOverrides {
            signal,
            window,
            check_interval,
            scale_up_threshold,
            scale_up_checks,
            scale_down_threshold,
            scale_down_checks,
            min_replicas,
            max_replicas,
            scale_up_cooldown,
            scale_down_cooldown,
            controller: _,
        } = *overrides;
        Self {
            policy: self.policy.clone(),
            min_replicas,
            max_replicas,
            signal,
            window,
            check_interval,
            scale_up_threshold,
            scale_up_checks,
            scale_down_threshold,
            scale_down_checks,
            scale_up_cooldown,
            scale_down_cooldown,
            controller: self.controller.clone(),
        }
    }
}

fn refuse(error: &PolicyFileError) -> Failure {
    Failure::bad_input(format!("{error}; hint: {}", error.hint))
}
