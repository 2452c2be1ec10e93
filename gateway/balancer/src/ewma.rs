//! Keeps a latency that follows a rise at once and forgets it slowly (peak EWMA).
//!
//! A plain mean needs many slow answers before it admits that an endpoint is slow; the peak takes the first. The
//! formula is Finagle's (`PeakEwma`): a sample above the value replaces it, any other is blended in with the weight
//! `1 - exp(-elapsed / decay)`, so what counts is time and not the number of samples.

use core::time::Duration;

use crate::settings::LatencySettings;

/// A latency that peaks at once and decays slowly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PeakEwma {
    value_seconds: f64,
    updated: Duration,
}

impl PeakEwma {
    /// Starts at `latency`, as if sampled at `now`.
    pub(crate) fn new(now: Duration, latency: Duration) -> Self {
        Self { value_seconds: latency.as_secs_f64(), updated: now }
    }

    /// Takes in one sample. A `now` before the last sample counts as no time passed.
    pub(crate) fn record(&mut self, now: Duration, latency: Duration, settings: &LatencySettings) {
        let latency_seconds = latency.as_secs_f64();
        if latency_seconds >= self.value_seconds {
            self.value_seconds = latency_seconds;
        } else {
            let kept = self.kept_share(now, settings);
            self.value_seconds = self.value_seconds * kept + latency_seconds * (1.0 - kept);
        }
        self.updated = self.updated.max(now);
    }

    /// The value at `now` in seconds, at least the floor of the settings.
    ///
    /// It shrinks while no sample comes, so an endpoint that nobody chooses is tried again some day. Reading
    /// changes nothing: two readers at the same `now` see the same.
    pub(crate) fn seconds_at(&self, now: Duration, settings: &LatencySettings) -> f64 {
        (self.value_seconds * self.kept_share(now, settings)).max(settings.floor.as_secs_f64())
    }

    fn kept_share(&self, now: Duration, settings: &LatencySettings) -> f64 {
        libm::exp(-now.saturating_sub(self.updated).as_secs_f64() / settings.decay.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const SETTINGS: LatencySettings = LatencySettings::DEFAULT;
    const DECAY: Duration = SETTINGS.decay;

    #[test]
    fn a_rise_is_followed_at_once() {
        let mut ewma = PeakEwma::new(Duration::ZERO, SETTINGS.assumed_max);
        ewma.record(SECOND, Duration::from_millis(900), &SETTINGS);
        assert!((ewma.seconds_at(SECOND, &SETTINGS) - 0.9).abs() < 1e-12);
    }

    #[test]
    fn a_fall_is_followed_over_the_decay_however_many_samples_come() {
        let mut few = PeakEwma::new(Duration::ZERO, SECOND);
        few.record(DECAY, Duration::from_millis(100), &SETTINGS);
        let mut many = PeakEwma::new(Duration::ZERO, SECOND);
        for step in 1..=1000 {
            many.record(DECAY * step / 1000, Duration::from_millis(100), &SETTINGS);
        }
        let expected = 0.1 + 0.9 / core::f64::consts::E;
        assert!((few.seconds_at(DECAY, &SETTINGS) - expected).abs() < 1e-9, "{few:?}");
        assert!((many.seconds_at(DECAY, &SETTINGS) - expected).abs() < 1e-9, "{many:?}");
    }

    #[test]
    fn it_decays_without_samples_and_reading_does_not_change_it() {
        let ewma = PeakEwma::new(Duration::ZERO, SECOND);
        let before = ewma;
        assert!((ewma.seconds_at(DECAY, &SETTINGS) - 1.0 / core::f64::consts::E).abs() < 1e-12);
        assert!((ewma.seconds_at(DECAY * 100, &SETTINGS) - SETTINGS.floor.as_secs_f64()).abs() < 1e-12);
        assert_eq!(ewma, before);
    }

    #[test]
    fn time_that_goes_backwards_counts_as_no_time() {
        let mut ewma = PeakEwma::new(SECOND, SECOND);
        ewma.record(Duration::ZERO, Duration::from_millis(10), &SETTINGS);
        assert!((ewma.seconds_at(Duration::ZERO, &SETTINGS) - 1.0).abs() < 1e-12);
        assert!((ewma.seconds_at(SECOND, &SETTINGS) - 1.0).abs() < 1e-12);
    }
}
