//! Models fitted to what was measured, each number with the interval in which it lies, and never beyond the data.

pub(crate) mod interval;
pub(crate) mod latency;
pub(crate) mod response_time;
pub(crate) mod scaling;

pub use interval::Interval;
pub use latency::{FitRefusal, LatencyFit, LatencyPoint, Residual, fit_latency};
pub use response_time::ResponseTime;
pub use scaling::{ScalingFit, ScalingPoint, fit_scaling};
