//! What a revision tells its autoscaler.

use core::time::Duration;

use crate::policy::knative::{
    Algorithm, KpaSpec, PANIC_WINDOW_PERCENTAGE, ScaleSettings, ScalingMetric, panic_window,
};

/// The settings of a revision that decide, its cluster's defaults included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KnativeSpec {
    /// What is scaled by. Default: concurrency.
    pub metric: ScalingMetric,
    /// What decides; its window is also the one of `scale`.
    pub kpa: KpaSpec,
    /// Bounds, and the way to zero.
    pub scale: ScaleSettings,
    /// The panic window. Default: a tenth of the stable one.
    pub panic_window: Duration,
    /// How windows average. Default: linear.
    pub algorithm: Algorithm,
}

impl Default for KnativeSpec {
    fn default() -> Self {
        let kpa = KpaSpec::default();
        Self {
            metric: ScalingMetric::default(),
            kpa,
            scale: ScaleSettings::default(),
            panic_window: panic_window(kpa.stable_window, PANIC_WINDOW_PERCENTAGE),
            algorithm: Algorithm::default(),
        }
    }
}
