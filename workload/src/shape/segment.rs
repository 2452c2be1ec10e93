//! A stretch of a shape over which one formula holds, with its integral and the inverse of that.

use core::f64::consts::{PI, TAU};
use core::time::Duration;

/// Steps of a search; as halvings of a bracket, 64 leave less than a nanosecond of any period.
const MOST_STEPS: u32 = 64;

/// One formula, from the instant it was asked for up to `end`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    /// When another formula takes over, since the shape began; later than the instant asked for. `None`:
    /// never, and then the curve is flat.
    pub(crate) end: Option<Duration>,
    /// The formula, over the seconds since the instant asked for.
    pub(crate) curve: Curve,
}

impl Segment {
    /// One level for ever.
    pub(crate) const fn flat_for_ever(level: f64) -> Self {
        Self { end: None, curve: Curve::flat(level) }
    }

    /// One level until `end`.
    pub(crate) const fn flat_until(end: Duration, level: f64) -> Self {
        Self { end: Some(end), curve: Curve::flat(level) }
    }
}

/// A level over the seconds since a segment's beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Curve {
    /// A straight line.
    Line { from: f64, slope_per_second: f64 },
    /// `mean + amplitude × cos(2π × (phase + seconds ÷ period))`, the phase as a fraction of the period.
    Wave { mean: f64, amplitude: f64, period_seconds: f64, phase: f64 },
}

impl Curve {
    const fn flat(level: f64) -> Self {
        Self::Line { from: level, slope_per_second: 0.0 }
    }

    /// The level that it keeps over the whole segment, if it keeps one.
    pub(crate) fn flat_level(self) -> Option<f64> {
        match self {
            Self::Line { from, slope_per_second: 0.0 } => Some(from),
            Self::Line { .. } | Self::Wave { .. } => None,
        }
    }

    /// The level `seconds` after the segment's beginning, not negative.
    pub(crate) fn level_after(self, seconds: f64) -> f64 {
        let level = match self {
            Self::Line { from, slope_per_second } => from + slope_per_second * seconds,
            Self::Wave { mean, amplitude, period_seconds, phase } => {
                mean + amplitude * libm::cos(TAU * (phase + seconds / period_seconds))
            }
        };
        // Rounding may leave a wave that touches 0 a hair below it.
        level.max(0.0)
    }

    /// The integral of the level over the first `seconds` of the segment, in level × seconds.
    pub(crate) fn integral(self, seconds: f64) -> f64 {
        let integral = match self {
            Self::Line { from, slope_per_second } => seconds * (from + 0.5 * slope_per_second * seconds),
            Self::Wave { mean, amplitude, period_seconds, phase } => {
                // sin(a + h) − sin(a) = 2 cos(a + h/2) sin(h/2): a short span of a long wave would cancel
                // otherwise.
                let turns = seconds / period_seconds;
                let swing = 2.0 * libm::cos(TAU * (phase + 0.5 * turns)) * libm::sin(PI * turns);
                mean * seconds + amplitude * period_seconds / TAU * swing
            }
        };
        integral.max(0.0)
    }

    /// After how many seconds the integral has grown to `area`, for an `area` reached within `span_seconds`.
    pub(crate) fn seconds_until_integral(self, area: f64, span_seconds: f64) -> f64 {
        match self {
            Self::Line { from, slope_per_second } => {
                // The root of slope/2 × t² + from × t = area in the form that does not cancel.
                let discriminant = (from * from + 2.0 * slope_per_second * area).max(0.0);
                let denominator = from + libm::sqrt(discriminant);
                if denominator > 0.0 { (2.0 * area / denominator).min(span_seconds) } else { 0.0 }
            }
            Self::Wave { .. } => self.search_integral(area, span_seconds),
        }
    }

    /// Follows Newton's steps to the point where the integral, which never falls, reaches `area`, and halves
    /// the bracket around it where a step would leave that.
    fn search_integral(self, area: f64, span_seconds: f64) -> f64 {
        let (mut low, mut high) = (0.0, span_seconds);
        let mut seconds = (area / self.level_after(0.0)).min(0.5 * span_seconds);
        for _ in 0..MOST_STEPS {
            let excess = self.integral(seconds) - area;
            if excess < 0.0 {
                low = seconds;
            } else {
                high = seconds;
            }
            let newton = seconds - excess / self.level_after(seconds);
            // Also false where the level is 0 and the step infinite or not a number.
            let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
            if (next - seconds).abs() < 1e-10 {
                return next;
            }
            seconds = next;
        }
        seconds
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn curves() -> impl Strategy<Value = (Curve, f64)> {
        let line = (0.0..100.0_f64, 0.0..100.0_f64, 0.1..1000.0_f64).prop_map(|(from, to, span_seconds)| {
            (Curve::Line { from, slope_per_second: (to - from) / span_seconds }, span_seconds)
        });
        let wave = (0.1..100.0_f64, 0.0..=1.0_f64, 0.1..1000.0_f64, 0.0..1.0_f64).prop_map(
            |(mean, share, period_seconds, phase)| {
                (Curve::Wave { mean, amplitude: share * mean, period_seconds, phase }, period_seconds)
            },
        );
        prop_oneof![line, wave]
    }

    proptest! {
        #[test]
        fn inverse_undoes_the_integral((curve, span_seconds) in curves(), share in 0.0..1.0_f64) {
            let area = share * curve.integral(span_seconds);
            let seconds = curve.seconds_until_integral(area, span_seconds);
            prop_assert!((0.0..=span_seconds).contains(&seconds));
            prop_assert!((curve.integral(seconds) - area).abs() <= 1e-7 * (1.0 + area), "{seconds} s");
        }

        #[test]
        fn integral_is_the_area_under_the_level((curve, span_seconds) in curves()) {
            let slices = 1000;
            let width = span_seconds / f64::from(slices);
            let middles = (0..slices).map(|slice| (f64::from(slice) + 0.5) * width);
            let area: f64 = middles.map(|middle| width * curve.level_after(middle)).sum();
            prop_assert!((curve.integral(span_seconds) - area).abs() <= 1e-4 * (1.0 + area));
        }
    }
}
