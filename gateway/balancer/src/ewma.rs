//! Keeps a latency that follows a rise at once and forgets it slowly (peak EWMA).
//!
//! A plain mean needs many slow answers before it admits that an endpoint is slow; the peak takes the first. The
//! formula is Finagle's (`PeakEwma`): a sample above the value replaces it, any other is blended in with the weight
//! `1 - exp(-elapsed / decay)`, so what counts is time and not the number of samples.

use core::time::Duration;

use crate::moment::seconds;
use crate::settings::LatencySettings;

/// How an estimate decays.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decay {
    decay_seconds: f64,
    floor_seconds: f64,
}

impl Decay {
    pub(crate) fn new(settings: &LatencySettings) -> Self {
        Self { decay_seconds: settings.decay.as_secs_f64(), floor_seconds: settings.floor.as_secs_f64() }
    }

    /// The share, 0 to 1, that is left after so many nanoseconds.
    #[inline]
    fn kept_share(&self, elapsed_nanos: u64) -> f64 {
        libm::exp(-seconds(elapsed_nanos) / self.decay_seconds)
    }
}

/// A latency that peaks at once and decays slowly. Times are nanoseconds since the caller's origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PeakEwma {
    value_seconds: f64,
    updated_nanos: u64,
}

impl PeakEwma {
    /// Starts at `latency`, as if sampled at `now`.
    pub(crate) fn new(now_nanos: u64, latency: Duration) -> Self {
        Self { value_seconds: latency.as_secs_f64(), updated_nanos: now_nanos }
    }

    /// Takes in one sample. A time before the last sample counts as no time passed.
    #[inline]
    pub(crate) fn record(&mut self, now_nanos: u64, latency: Duration, decay: &Decay) {
        let latency_seconds = latency.as_secs_f64();
        if latency_seconds >= self.value_seconds {
            self.value_seconds = latency_seconds;
        } else {
            let kept = decay.kept_share(now_nanos.saturating_sub(self.updated_nanos));
            self.value_seconds = self.value_seconds * kept + latency_seconds * (1.0 - kept);
        }
        self.updated_nanos = self.updated_nanos.max(now_nanos);
    }

    /// The value in seconds, at least the floor of the settings.
    ///
    /// It shrinks while no sample comes, so an endpoint that is not picked is tried again some day. Reading
    /// changes nothing: two readers at the same time see the same.
    #[inline]
    pub(crate) fn seconds_at(&self, now_nanos: u64, decay: &Decay) -> f64 {
        let kept = decay.kept_share(now_nanos.saturating_sub(self.updated_nanos));
        (self.value_seconds * kept).max(decay.floor_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::nanos;

    const SECOND: Duration = Duration::from_secs(1);
    const SETTINGS: LatencySettings = LatencySettings::DEFAULT;
    const DECAY: Duration = SETTINGS.decay;

    fn record(ewma: &mut PeakEwma, now: Duration, latency: Duration) {
        ewma.record(nanos(now), latency, &Decay::new(&SETTINGS));
    }

    fn seconds_at(ewma: &PeakEwma, now: Duration) -> f64 {
        ewma.seconds_at(nanos(now), &Decay::new(&SETTINGS))
    }

    #[test]
    fn a_rise_is_followed_at_once() {
        let mut ewma = PeakEwma::new(0, SETTINGS.assumed_max);
        record(&mut ewma, SECOND, Duration::from_millis(900));
        assert!((seconds_at(&ewma, SECOND) - 0.9).abs() < 1e-12);
    }

    #[test]
    fn a_fall_is_followed_over_the_decay_however_many_samples_come() {
        let mut few = PeakEwma::new(0, SECOND);
        record(&mut few, DECAY, Duration::from_millis(100));
        let mut many = PeakEwma::new(0, SECOND);
        for step in 1..=1000 {
            record(&mut many, DECAY * step / 1000, Duration::from_millis(100));
        }
        let expected = 0.1 + 0.9 / core::f64::consts::E;
        assert!((seconds_at(&few, DECAY) - expected).abs() < 1e-9, "{few:?}");
        assert!((seconds_at(&many, DECAY) - expected).abs() < 1e-9, "{many:?}");
    }

    #[test]
    fn it_decays_without_samples_and_reading_does_not_change_it() {
        let ewma = PeakEwma::new(0, SECOND);
        let before = ewma;
        assert!((seconds_at(&ewma, DECAY) - 1.0 / core::f64::consts::E).abs() < 1e-12);
        assert!((seconds_at(&ewma, DECAY * 100) - SETTINGS.floor.as_secs_f64()).abs() < 1e-12);
        assert_eq!(ewma, before);
    }

    #[test]
    fn time_that_goes_backwards_counts_as_no_time() {
        let mut ewma = PeakEwma::new(nanos(SECOND), SECOND);
        record(&mut ewma, Duration::ZERO, Duration::from_millis(10));
        assert!((seconds_at(&ewma, Duration::ZERO) - 1.0).abs() < 1e-12);
        assert!((seconds_at(&ewma, SECOND) - 1.0).abs() < 1e-12);
    }
}
