//! Checks what the loop must rely on before a `ScaledObject` drives it.

use alloc::format;
use alloc::string::ToString as _;
use core::ops::RangeInclusive;
use core::time::Duration;

use crate::limits::{Limits, REPLICAS_MAX};
use crate::policy::PolicyError;
use crate::policy::hpa::{ControllerSettings, HpaSpec};
use crate::policy::keda::{ScaledObjectError, ScaledObjectSpec, TriggerSource, generate_hpa};

const POLLING_INTERVAL: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(86_400);

/// However odd the two intervals are, checks are not closer together than this.
const CHECK_INTERVAL_MIN: Duration = Duration::from_millis(100);

/// What follows from a `ScaledObject` that obeys the rules.
pub(super) struct Checked {
    pub(super) hpa: HpaSpec,
    pub(super) limits: Limits,
    pub(super) check_interval: Duration,
}

pub(super) fn check(spec: &ScaledObjectSpec, settings: &ControllerSettings) -> Result<Checked, PolicyError> {
    if !POLLING_INTERVAL.contains(&spec.polling_interval) {
        return Err(PolicyError {
            field: "pollingInterval",
            value: format!("{:?}", spec.polling_interval),
            expected: format!("{:?} to {:?}", POLLING_INTERVAL.start(), POLLING_INTERVAL.end()),
            hint: "a whole number of seconds; the default is 30",
        });
    }
    if spec.triggers.is_empty() {
        return Err(PolicyError {
            field: "triggers",
            value: "empty".into(),
            expected: "at least one that is supported".into(),
            hint: "prometheus, kafka, cron, cpu, memory and metrics-api are followed",
        });
    }
    let hpa = generate_hpa(&spec.object()).map_err(|error| refusal(spec, &error))?;
    let limits = limits(spec, &hpa)?;
    let check_interval = common_interval(settings.sync_period, spec.polling_interval);
    Ok(Checked { hpa, limits, check_interval })
}

fn refusal(spec: &ScaledObjectSpec, error: &ScaledObjectError) -> PolicyError {
    let (field, value, expected) = match error {
        ScaledObjectError::MinimumAboveMaximum { min, max } => {
            ("minReplicaCount", min.to_string(), format!("at most `maxReplicaCount`, which is {max}"))
        }
        ScaledObjectError::IdleNotBelowMinimum { idle, min } => (
            "idleReplicaCount",
            idle.to_string(),
            format!("less than `minReplicaCount`, which counts as {min}"),
        ),
        ScaledObjectError::ExternalUtilization { name } => {
            ("metricType", format!("Utilization of `{name}`"), "AverageValue or Value".into())
        }
    };
    debug_assert!(!spec.triggers.is_empty());
    PolicyError { field, value, expected, hint: error.hint() }
}

/// From the lowest count that either loop may set to the highest.
fn limits(spec: &ScaledObjectSpec, hpa: &HpaSpec) -> Result<Limits, PolicyError> {
    let min = spec.min_replicas.unwrap_or(0);
    let lowest = [spec.activation.idle_replicas, spec.paused_replicas];
    let min = lowest.into_iter().flatten().fold(min, u32::min);
    let max = hpa.max_replicas.max(spec.paused_replicas.unwrap_or(0));
    // Triggers on resources alone are always active, so a minimum of 0 is never used.
    let min = if can_leave_zero(spec) { min } else { min.max(1) };
    Limits::new(min, max).map_err(|_| PolicyError {
        field: "maxReplicaCount",
        value: max.to_string(),
        expected: format!("1 to {REPLICAS_MAX}, and at least `minReplicaCount`, which is {min}"),
        hint: "each replica is a process of its own here",
    })
}

/// Whether some trigger can ask for a first replica.
pub(super) fn can_leave_zero(spec: &ScaledObjectSpec) -> bool {
    let is_resource = |source: &TriggerSource| matches!(source, TriggerSource::Resource);
    spec.triggers.iter().any(|polled| !is_resource(&polled.source)) || spec.paused_replicas == Some(0)
}

/// The greatest common divisor of both, in milliseconds.
fn common_interval(one: Duration, other: Duration) -> Duration {
    let (mut a, mut b) = (one.as_millis(), other.as_millis());
    while b > 0 {
        (a, b) = (b, a % b);
    }
    Duration::from_millis(u64::try_from(a).unwrap_or(u64::MAX)).max(CHECK_INTERVAL_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_loops_are_due_at_checks() {
        let common =
            |one, other| common_interval(Duration::from_secs(one), Duration::from_secs(other)).as_secs();
        assert_eq!([common(15, 30), common(15, 10), common(15, 15), common(15, 7)], [15, 5, 15, 1]);
        assert_eq!(
            common_interval(Duration::from_millis(150), Duration::from_millis(101)),
            CHECK_INTERVAL_MIN
        );
    }
}
