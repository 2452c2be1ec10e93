//! Says why a revision's autoscaler decided as it did.

use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::policy::ReasonOfKind;
use crate::policy::knative::ScalingMetric;

/// A revision's own reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum KnativeReason {
    /// The average over the stable window decides.
    KnativeStable(KnativeLoad),
    /// It panics: the average over the panic window decides, and the count does not fall.
    KnativePanic(KnativeLoad),
    /// Nothing is wanted any more, and the last replica is kept for a while.
    KnativeIdle {
        /// For how long; none where that depends on others.
        kept_for: Option<Duration>,
    },
    /// Nothing has been wanted for long enough.
    KnativeToZero {
        /// For how long nothing was wanted.
        idle_for: Duration,
    },
    /// Nothing was reported for longer than the window, or the ready replicas are not known.
    KnativeNoData,
}

/// The load that a decision rests on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnativeLoad {
    /// What is scaled by.
    pub metric: ScalingMetric,
    /// Its average over the window that decides, of all replicas together.
    pub average: f64,
    /// What one replica should carry.
    pub target: f64,
    /// Replicas that were ready.
    pub ready: u32,
    /// Replicas that the average asks for.
    pub wanted: u32,
}

impl ReasonOfKind for KnativeReason {
    const CODES: &'static [&'static str] =
        &["knative_stable", "knative_panic", "knative_idle", "knative_to_zero", "knative_no_data"];

    fn code(&self) -> &'static str {
        match self {
            Self::KnativeStable(_) => "knative_stable",
            Self::KnativePanic(_) => "knative_panic",
            Self::KnativeIdle { .. } => "knative_idle",
            Self::KnativeToZero { .. } => "knative_to_zero",
            Self::KnativeNoData => "knative_no_data",
        }
    }

    #[cfg(test)]
    fn one_of_each() -> alloc::vec::Vec<Self> {
        let metric = ScalingMetric::Concurrency;
        let load = KnativeLoad { metric, average: 12.5, target: 2.1, ready: 2, wanted: 6 };
        let span = Duration::from_secs(30);
        alloc::vec![
            Self::KnativeStable(load),
            Self::KnativePanic(load),
            Self::KnativeIdle { kept_for: Some(span) },
            Self::KnativeToZero { idle_for: span },
            Self::KnativeNoData,
        ]
    }
}

/// The reason as a sentence, without capital and full stop.
impl fmt::Display for KnativeReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KnativeStable(load) => load.fmt(f),
            Self::KnativePanic(load) => write!(f, "panic: {load}, and the count does not fall"),
            Self::KnativeIdle { kept_for: Some(kept_for) } => {
                write!(f, "no traffic, the last replica is kept for another {} s", kept_for.as_secs_f64())
            }
            Self::KnativeIdle { kept_for: None } => f.write_str("no traffic"),
            Self::KnativeToZero { idle_for } => {
                write!(f, "no traffic for {} s after the window was empty", idle_for.as_secs_f64())
            }
            Self::KnativeNoData => {
                f.write_str("no data for longer than the window, or it is not known which replicas are ready")
            }
        }
    }
}

/// `12.5 requests in flight at a target of 2.1 for each replica ask for 6`.
impl fmt::Display for KnativeLoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metric, average, target, wanted, .. } = self;
        let what = match metric {
            ScalingMetric::Concurrency => "requests in flight",
            ScalingMetric::Rps => "requests per second",
        };
        write!(f, "{average:.1} {what} at a target of {target:.1} for each replica ask for {wanted}")
    }
}
