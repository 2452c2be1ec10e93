//! Checks what the loop must rely on before a revision's settings drive it.

use alloc::format;
use alloc::string::ToString as _;

use crate::limits::{Limits, REPLICAS_MAX};
use crate::policy::PolicyError;
use crate::policy::knative::{KnativeSpec, STABLE_WINDOW_MAX, STABLE_WINDOW_MIN};

/// The limits of a revision that obeys the rules. A maximum of 0 is none, which is the most that a service may have here.
pub(super) fn check(spec: &KnativeSpec) -> Result<Limits, PolicyError> {
    let window = spec.kpa.stable_window;
    if !(STABLE_WINDOW_MIN..=STABLE_WINDOW_MAX).contains(&window) {
        return Err(PolicyError {
            field: "window",
            value: format!("{window:?}"),
            expected: format!("{STABLE_WINDOW_MIN:?} to {STABLE_WINDOW_MAX:?}"),
            hint: "Knative's default is 60s",
        });
    }
    if spec.panic_window.is_zero() || spec.panic_window > window {
        return Err(PolicyError {
            field: "panicWindow",
            value: format!("{:?}", spec.panic_window),
            expected: format!("above 0 and at most the window, which is {window:?}"),
            hint: "Knative's default is a tenth of the window",
        });
    }
    let kpa = &spec.kpa;
    for (field, value, least) in [
        ("target", kpa.target, 0.01),
        ("panicThreshold", kpa.panic_threshold, 1.0),
        ("maxScaleUpRate", kpa.max_scale_up_rate, 1.0),
        ("maxScaleDownRate", kpa.max_scale_down_rate, 1.0),
    ] {
        if !value.is_finite() || value < least {
            return Err(PolicyError {
                field,
                value: value.to_string(),
                expected: format!("a number of at least {least}"),
                hint: "leave it out for Knative's default",
            });
        }
    }
    let min =
        if spec.scale.enable_scale_to_zero { spec.scale.min_scale } else { spec.scale.min_scale.max(1) };
    let max = if spec.scale.max_scale == 0 { REPLICAS_MAX } else { spec.scale.max_scale };
    Limits::new(min, max).map_err(|_| PolicyError {
        field: "maxScale",
        value: max.to_string(),
        expected: format!("at most {REPLICAS_MAX}, and at least `minScale`, which is {min}"),
        hint: "each replica is a process of its own here; 0 is without a maximum",
    })
}
