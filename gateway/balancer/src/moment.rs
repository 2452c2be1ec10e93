//! Times inside the balancer: whole nanoseconds since the caller's origin, which a comparison reads fastest.

use core::time::Duration;

use crate::window::STEPS;

/// A time, and the step of the outcome window that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) nanos: u64,
    pub(crate) step: u64,
}

/// Finds the step of a time without a division where it is the step of the time before.
#[derive(Debug)]
pub(crate) struct StepClock {
    step_nanos: u64,
    step: u64,
    step_begins_nanos: u64,
}

impl StepClock {
    /// For an outcome window of this length, above 0.
    pub(crate) fn new(window: Duration) -> Self {
        Self { step_nanos: (nanos(window) / STEPS as u64).max(1), step: 0, step_begins_nanos: 0 }
    }

    #[inline]
    pub(crate) fn at(&mut self, now: Duration) -> Moment {
        let nanos = nanos(now);
        // A time before the step's beginning wraps around to a great distance.
        if nanos.wrapping_sub(self.step_begins_nanos) >= self.step_nanos {
            self.step = nanos / self.step_nanos;
            self.step_begins_nanos = self.step * self.step_nanos;
        }
        Moment { nanos, step: self.step }
    }
}

/// Nanoseconds of a time; what does not fit, after 584 years, saturates.
#[inline]
pub(crate) fn nanos(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(time.subsec_nanos()))
}

/// Seconds of so many nanoseconds.
#[inline]
pub(crate) fn seconds(nanos: u64) -> f64 {
    Duration::from_nanos(nanos).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_found_forwards_backwards_and_far_away() {
        let mut clock = StepClock::new(Duration::from_secs(10));
        for (millis, step) in
            [(0, 0), (999, 0), (1_000, 1), (1_999, 1), (900, 0), (86_400_000, 86_400), (5, 0)]
        {
            let moment = clock.at(Duration::from_millis(millis));
            assert_eq!(moment, Moment { nanos: millis * 1_000_000, step }, "at {millis} ms");
        }
        assert_eq!(clock.at(Duration::MAX).nanos, u64::MAX);
    }
}
