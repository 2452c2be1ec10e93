//! Faults that a user switches on to see what the rest of the system does about them.
//!
//! Probes and `/metrics` stay exempt, or nobody could watch. `unready` is the one fault that readiness shows.

use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;

/// Most that a fault may add to a service time.
pub(crate) const MAX_ADDED_LATENCY: Duration = Duration::from_secs(60);

/// A fault's strength and when it ends by itself; run time.
#[derive(Clone, Copy, Debug)]
struct Timed<T> {
    value: T,
    until: Option<Duration>,
}

impl<T: Copy> Timed<T> {
    fn at(self, now: Duration) -> Option<T> {
        self.until.is_none_or(|until| now < until).then_some(self.value)
    }
}

#[derive(Debug, Default)]
struct Switched {
    added_latency: Option<Timed<Duration>>,
    error_share: Option<Timed<f64>>,
    unready: Option<Timed<()>>,
}

/// The faults of one replica.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    switched: Mutex<Switched>,
}

/// The faults in force at one moment, as `/faults` shows them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct FaultsInForce {
    /// Added to each service time, so that it takes capacity as slow code does.
    pub(crate) added_latency_ms: u128,
    /// Share of jobs that fail after they were served, 0 to 1.
    pub(crate) error_share: f64,
    /// Whether readiness is denied.
    pub(crate) unready: bool,
}

impl Faults {
    pub(crate) fn set_latency(&self, added: Duration, until: Option<Duration>) {
        self.switched.lock().added_latency = Some(Timed { value: added, until });
    }

    pub(crate) fn set_errors(&self, share: f64, until: Option<Duration>) {
        self.switched.lock().error_share = Some(Timed { value: share, until });
    }

    pub(crate) fn set_unready(&self, until: Option<Duration>) {
        self.switched.lock().unready = Some(Timed { value: (), until });
    }

    pub(crate) fn clear(&self) {
        *self.switched.lock() = Switched::default();
    }

    pub(crate) fn added_latency(&self, now: Duration) -> Duration {
        self.switched.lock().added_latency.and_then(|fault| fault.at(now)).unwrap_or_default()
    }

    pub(crate) fn error_share(&self, now: Duration) -> f64 {
        self.switched.lock().error_share.and_then(|fault| fault.at(now)).unwrap_or_default()
    }

    pub(crate) fn is_unready(&self, now: Duration) -> bool {
        self.switched.lock().unready.and_then(|fault| fault.at(now)).is_some()
    }

    pub(crate) fn in_force(&self, now: Duration) -> FaultsInForce {
        FaultsInForce {
            added_latency_ms: self.added_latency(now).as_millis(),
            error_share: self.error_share(now),
            unready: self.is_unready(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Faults;

    #[test]
    fn faults_end_by_themselves_or_when_cleared() {
        let faults = Faults::default();
        faults.set_latency(Duration::from_millis(200), Some(Duration::from_secs(10)));
        faults.set_errors(0.5, None);
        assert_eq!(faults.added_latency(Duration::from_secs(9)), Duration::from_millis(200));
        assert_eq!(faults.added_latency(Duration::from_secs(10)), Duration::ZERO);
        assert!(faults.error_share(Duration::from_secs(1_000_000)) > 0.0);
        faults.clear();
        assert!(faults.error_share(Duration::ZERO) == 0.0 && !faults.is_unready(Duration::ZERO));
    }
}
