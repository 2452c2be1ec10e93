//! Decides as Knative's pod autoscaler (KPA) would: from concurrency or request rate, with a panic mode, down to zero.
//!
//! [`Windows`] averages what the pods report, [`decide`] turns averages into a count every two seconds,
//! [`scale`] applies bounds and the stages on the way to zero, and [`active_condition`] keeps the state those
//! stages run through.

mod activation;
mod buckets;
mod collector;
mod decision;
mod history;
mod policy;
mod reason;
mod rules;
mod sliding_max;
mod spec;
mod target;
mod zero;

pub use activation::{
    ACTIVATOR_CAPACITY, ActiveState, Readings, activators_needed, active_condition, serves_without_activator,
};
pub use buckets::{Algorithm, WindowBuckets, WindowError};
pub use collector::{
    Averages, NoData, PANIC_WINDOW_PERCENTAGE, STABLE_WINDOW_MAX, STABLE_WINDOW_MIN, Windows, panic_window,
};
pub use decision::{Decision, KpaSpec, KpaState, TICK, decide};
pub use history::{Decided, KnativeHistory, Since};
pub use policy::KnativePolicy;
pub use reason::{KnativeLoad, KnativeReason};
pub use sliding_max::SlidingMax;
pub use spec::KnativeSpec;
pub use target::{ResolvedTarget, ScalingMetric, TargetAnnotations, TargetConfig, resolve_target};
pub use zero::{Probe, Reachability, ScaleOutcome, ScaleSeen, ScaleSettings, scale};
