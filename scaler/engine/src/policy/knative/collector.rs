//! Keeps the stable and the panic window of a revision.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::policy::knative::{Algorithm, WindowBuckets, WindowError};

/// Pods are asked once a second, and what falls into one second is added up.
const BUCKET: Duration = Duration::from_secs(1);

/// The share of the stable window that the panic window takes, in percent, where nothing else is set.
///
/// Source: `pkg/autoscaler/config/config.go`.
pub const PANIC_WINDOW_PERCENTAGE: f64 = 10.0;

/// The shortest stable window that Knative accepts.
///
/// Source: `pkg/apis/autoscaling/register.go`.
pub const STABLE_WINDOW_MIN: Duration = Duration::from_secs(6);

/// The longest stable window that Knative accepts.
pub const STABLE_WINDOW_MAX: Duration = Duration::from_secs(3_600);

/// The averages a decision is made from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Averages {
    /// Over the stable window.
    pub stable: f64,
    /// Over the panic window.
    pub panic: f64,
}

/// Nothing was reported for longer than the window although there are pods to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no data for longer than the window")]
pub struct NoData;

/// The length of the panic window: a share of the stable one, rounded to seconds (halves away from zero), at least
/// one second.
///
/// Source: `pkg/reconciler/autoscaling/resources/metric.go`, `MakeMetric`.
pub fn panic_window(stable_window: Duration, percentage: f64) -> Duration {
    let seconds = libm::round(stable_window.as_secs_f64() * percentage / 100.0);
    Duration::try_from_secs_f64(seconds.max(1.0)).unwrap_or(Duration::MAX)
}

/// Both windows of one metric. What is recorded is the revision's total at that second.
///
/// Source: `pkg/autoscaler/metrics/collector.go`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Windows {
    stable: WindowBuckets,
    panic: WindowBuckets,
}

impl Windows {
    /// Empty windows.
    ///
    /// # Errors
    /// If one of the lengths is zero.
    pub fn new(algorithm: Algorithm, stable: Duration, panic: Duration) -> Result<Self, WindowError> {
        Ok(Self {
            stable: WindowBuckets::new(algorithm, stable, BUCKET)?,
            panic: WindowBuckets::new(algorithm, panic, BUCKET)?,
        })
    }

    /// Adds the revision's total of one second.
    pub fn record(&mut self, now: Duration, value: f64) {
        self.stable.record(now, value);
        self.panic.record(now, value);
    }

    /// Changes the lengths of the windows.
    ///
    /// # Errors
    /// If one of the lengths is zero; the windows stay as they are then.
    pub fn resize(&mut self, stable: Duration, panic: Duration) -> Result<(), WindowError> {
        let mut resized = self.clone();
        resized.stable.resize(stable)?;
        resized.panic.resize(panic)?;
        *self = resized;
        Ok(())
    }

    /// The averages at a time. Without pods to ask (a target burst capacity of −1 with the activator always in the
    /// path) no data is an ordinary 0.
    ///
    /// # Errors
    /// If there is no data although there are pods to ask; the evaluation is invalid then.
    pub fn averages(&self, now: Duration, has_scrape_target: bool) -> Result<Averages, NoData> {
        if has_scrape_target && self.stable.is_empty(now) {
            return Err(NoData);
        }
        Ok(Averages { stable: self.stable.average(now), panic: self.panic.average(now) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_panic_window_is_rounded_to_seconds_and_at_least_one() {
        assert_eq!(panic_window(at(60), 10.0), at(6));
        assert_eq!(panic_window(at(25), 10.0), at(3), "2.5 s");
        assert_eq!(panic_window(at(6), 1.0), at(1));
        assert_eq!(panic_window(at(6), f64::NAN), at(1));
        assert_eq!(panic_window(Duration::MAX, f64::MAX), Duration::MAX);
    }

    #[test]
    fn no_data_is_invalid_only_where_there_is_something_to_ask() {
        let mut windows = Windows::new(Algorithm::Linear, at(60), at(6)).unwrap();
        assert_eq!(windows.averages(at(100), true), Err(NoData));
        assert_eq!(windows.averages(at(100), false), Ok(Averages { stable: 0.0, panic: 0.0 }));
        windows.record(at(100), 7.0);
        assert_eq!(windows.averages(at(160), true), Ok(Averages { stable: 0.0, panic: 0.0 }));
        assert_eq!(windows.averages(at(161), true), Err(NoData));
    }

    #[test]
    fn a_length_of_zero_changes_neither_window() {
        let mut windows = Windows::new(Algorithm::Linear, at(60), at(6)).unwrap();
        let before = windows.clone();
        assert!(windows.resize(at(30), Duration::ZERO).is_err());
        assert_eq!(windows, before);
        windows.resize(at(30), at(3)).unwrap();
        assert_ne!(windows, before);
    }
}
