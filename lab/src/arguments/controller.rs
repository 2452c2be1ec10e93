//! The settings of Kubernetes' controller manager that an autoscaler is followed with.

use std::time::Duration;

use clap::Args;
use scaler_engine::hpa::{ControllerSettings, Release};
use serde::{Deserialize, Serialize};

use super::values::duration;
use crate::failure::Failure;

/// How Kubernetes' controller manager is set, and which release is followed.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Kubernetes (for HorizontalPodAutoscaler and ScaledObject)")]
pub(crate) struct ControllerArguments {
    /// Release of Kubernetes to follow: 1.35, 1.36 or 1.37
    #[arg(long, value_name = "RELEASE", default_value = "1.37")]
    profile: Release,
    /// Time between two passes of the autoscaler
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration)]
    hpa_sync_period: Duration,
    /// Deviation from the target that is left alone, as a fraction
    #[arg(long, value_name = "FRACTION", default_value_t = 0.1)]
    hpa_tolerance: f64,
    /// Time after its start in which a pod's CPU counts only if measured while ready
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    hpa_cpu_initialization_period: Duration,
    /// Time after its start in which a pod that turns unready counts as never ready
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    hpa_initial_readiness_delay: Duration,
    /// Scale-down window of autoscalers that set none
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    hpa_downscale_stabilization: Duration,
}

impl ControllerArguments {
    /// The settings, checked.
    pub(crate) fn settings(&self) -> Result<ControllerSettings, Failure> {
        if !(0.0..=1.0).contains(&self.hpa_tolerance) {
            return Err(Failure::bad_input(format!(
                "--hpa-tolerance is {}, expected a fraction from 0 to 1; hint: 0.1 leaves deviations of 10 % alone",
                self.hpa_tolerance
            )));
        }
        if self.hpa_sync_period.is_zero() {
            return Err(Failure::bad_input(
                "--hpa-sync-period is 0s, expected a time above 0; hint: Kubernetes' own is 15s",
            ));
        }
        Ok(ControllerSettings {
            sync_period: self.hpa_sync_period,
            tolerance: self.hpa_tolerance,
            cpu_initialization_period: self.hpa_cpu_initialization_period,
            initial_readiness_delay: self.hpa_initial_readiness_delay,
            downscale_stabilization: self.hpa_downscale_stabilization,
            ..ControllerSettings::of(self.profile)
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use scaler_engine::hpa::ControllerSettings;

    use super::ControllerArguments;

    #[derive(Debug, Parser)]
    struct Wrapper {
        #[command(flatten)]
        controller: ControllerArguments,
    }

    fn settings<'a>(given: impl IntoIterator<Item = &'a str>) -> ControllerSettings {
        let arguments = std::iter::once("scaler").chain(given);
        Wrapper::try_parse_from(arguments).unwrap().controller.settings().unwrap()
    }

    #[test]
    fn the_defaults_are_those_of_kubernetes_and_another_process_gets_every_setting() {
        assert_eq!(settings([]), ControllerSettings::default());
        let given = [
            "--profile=1.35",
            "--hpa-sync-period=1m1s",
            "--hpa-tolerance=0.05",
            "--hpa-cpu-initialization-period=2m",
            "--hpa-initial-readiness-delay=10s",
            "--hpa-downscale-stabilization=0s",
        ];
        let arguments = Wrapper::try_parse_from(std::iter::once("scaler").chain(given)).unwrap().controller;
        assert_eq!(arguments.settings().unwrap().sync_period.as_secs(), 61, "the given value was not taken");
        let document = serde_json::to_string(&arguments).unwrap();
        let again: ControllerArguments = serde_json::from_str(&document).unwrap();
        assert_eq!(again.settings().unwrap(), arguments.settings().unwrap());
    }
}
