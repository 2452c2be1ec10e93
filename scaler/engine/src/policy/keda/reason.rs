//! Says why activation decided as it did. Between the minimum and the maximum the reasons are those of the generated
//! autoscaler.

use alloc::string::String;
use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::policy::ReasonOfKind;

/// A `ScaledObject`'s own reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum ScaledObjectReason {
    /// A trigger is active, and the target was at zero or idle.
    KedaActivated {
        /// The name of the first trigger that is active; none where an annotation forces it.
        trigger: Option<String>,
    },
    /// No trigger has been active for the cooldown.
    KedaDeactivated {
        /// The cooldown.
        cooldown: Duration,
    },
    /// No trigger is active, and the count lies below the minimum.
    KedaBelowMinimum {
        /// The minimum.
        min: u32,
    },
    /// No trigger is active, and the target is at zero or idle.
    KedaInactive,
    /// A trigger failed, and no fallback stands in.
    KedaTriggerError {
        /// Why.
        error: String,
    },
    /// An annotation pauses it.
    KedaPaused,
    /// Neither activation nor the autoscaler is due at this check.
    KedaNotDue {
        /// When the next of them is.
        due_in: Duration,
    },
}

impl ReasonOfKind for ScaledObjectReason {
    const CODES: &'static [&'static str] = &[
        "keda_activated",
        "keda_deactivated",
        "keda_below_minimum",
        "keda_inactive",
        "keda_trigger_error",
        "keda_paused",
        "keda_not_due",
    ];

    fn code(&self) -> &'static str {
        match self {
            Self::KedaActivated { .. } => "keda_activated",
            Self::KedaDeactivated { .. } => "keda_deactivated",
            Self::KedaBelowMinimum { .. } => "keda_below_minimum",
            Self::KedaInactive => "keda_inactive",
            Self::KedaTriggerError { .. } => "keda_trigger_error",
            Self::KedaPaused => "keda_paused",
            Self::KedaNotDue { .. } => "keda_not_due",
        }
    }

    #[cfg(test)]
    fn one_of_each() -> alloc::vec::Vec<Self> {
        let span = Duration::from_secs(15);
        alloc::vec![
            Self::KedaActivated { trigger: Some("s0-prometheus".into()) },
            Self::KedaDeactivated { cooldown: span },
            Self::KedaBelowMinimum { min: 2 },
            Self::KedaInactive,
            Self::KedaTriggerError { error: "the query failed".into() },
            Self::KedaPaused,
            Self::KedaNotDue { due_in: span },
        ]
    }
}

/// The reason as a sentence, without capital and full stop.
impl fmt::Display for ScaledObjectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KedaActivated { trigger: Some(trigger) } => write!(f, "trigger {trigger} is active"),
            Self::KedaActivated { trigger: None } => f.write_str("an annotation forces it to be active"),
            Self::KedaDeactivated { cooldown } => {
                write!(f, "no trigger has been active for the cooldown of {} s", cooldown.as_secs())
            }
            Self::KedaBelowMinimum { min } => write!(f, "the count is below minReplicaCount, which is {min}"),
            Self::KedaInactive => f.write_str("no trigger is active"),
            Self::KedaTriggerError { error } => write!(f, "a trigger failed: {error}"),
            Self::KedaPaused => f.write_str("an annotation of the ScaledObject pauses it"),
            Self::KedaNotDue { due_in } => {
                write!(f, "neither loop is due for another {} s", due_in.as_secs_f64())
            }
        }
    }
}
