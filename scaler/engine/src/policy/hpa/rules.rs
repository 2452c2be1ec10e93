//! Checks what the loop must rely on before an autoscaler drives it.

use alloc::format;
use alloc::string::{String, ToString as _};
use core::ops::RangeInclusive;
use core::time::Duration;

use crate::limits::{Limits, REPLICAS_MAX};
use crate::policy::PolicyError;
use crate::policy::hpa::{ControllerSettings, HpaSpec, ScaleToZero};

const SYNC_PERIOD: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(3_600);

/// The limits of an autoscaler that obeys the rules.
///
/// Source: `pkg/apis/autoscaling/validation/validation.go`, `validateHorizontalPodAutoscalerSpec`, for the counts; the
/// rest is the lab's own.
pub(super) fn check(spec: &HpaSpec, settings: &ControllerSettings) -> Result<Limits, PolicyError> {
    if !SYNC_PERIOD.contains(&settings.sync_period) {
        return Err(PolicyError {
            field: "syncPeriod",
            value: format!("{:?}", settings.sync_period),
            expected: format!("{:?} to {:?}", SYNC_PERIOD.start(), SYNC_PERIOD.end()),
            hint: "Kubernetes' default is 15s",
        });
    }
    if !settings.tolerance.is_finite() || settings.tolerance < 0.0 {
        return Err(PolicyError {
            field: "tolerance",
            value: settings.tolerance.to_string(),
            expected: "a fraction of at least 0".into(),
            hint: "Kubernetes' default is 0.1, which is 10 percent of the target",
        });
    }
    let (min, max) = (spec.min_replicas, spec.max_replicas);
    if min == 0 && !can_leave_zero(spec, settings) {
        return Err(no_zero(settings));
    }
    let refuse = |expected: String, hint| {
        Err(PolicyError { field: "maxReplicas", value: max.to_string(), expected, hint })
    };
    match Limits::new(min, max) {
        Ok(limits) => Ok(limits),
        Err(_) if max > REPLICAS_MAX => {
            refuse(format!("at most {REPLICAS_MAX}"), "each replica is a process of its own here")
        }
        Err(_) => refuse(
            format!("at least 1 and `minReplicas`, which is {min}"),
            "set both to the same number to fix the count",
        ),
    }
}

/// Whether a minimum of 0 is taken: the release allows it, and some metric needs no pods.
pub(super) fn can_leave_zero(spec: &HpaSpec, settings: &ControllerSettings) -> bool {
    settings.scale_to_zero != ScaleToZero::Off && spec.can_leave_zero()
}

fn no_zero(settings: &ControllerSettings) -> PolicyError {
    let (expected, hint) = if settings.scale_to_zero == ScaleToZero::Off {
        ("at least 1 in this release", "scale to zero is on from 1.37: leave `--profile` at its default")
    } else {
        (
            "at least 1 without a metric of type Object or External",
            "without pods nothing but an Object or External metric can ask for one",
        )
    };
    PolicyError { field: "minReplicas", value: "0".into(), expected: expected.into(), hint }
}
