//! Follows one shape from arrival to arrival, for callers that make millions of them.

use core::time::Duration;

use super::{LOOK_AHEAD_SEGMENTS, is_positive};
use crate::shape::segment::Segment;
use crate::shape::{LONGEST_SECONDS, Shape};

const NANOSECONDS_PER_SECOND: f64 = 1e9;

/// The arrivals of one shape in the order of time.
///
/// Gives the arrivals of [`Arrivals::next_arrival`](super::Arrivals::next_arrival), up to rounding: it keeps the segment
/// that it is in and how much of its integral has passed, where that method looks both up at each call.
#[derive(Clone, Debug)]
pub struct ArrivalCursor {
    shape: Shape,
    base_rate_per_second: f64,
    segment: Segment,
    /// Where the segment begins.
    origin: Duration,
    span_seconds: f64,
    /// The segment's whole integral.
    available: f64,
    /// The part of it that lies before the last arrival.
    passed: f64,
    /// Seconds per unit of the integral where the segment is flat and above 0.
    seconds_per_unit: Option<f64>,
}

impl ArrivalCursor {
    /// Before the first arrival, at the beginning of the shape. The rate is the shape's level × `base_rate_per_second`.
    pub fn new(shape: Shape, base_rate_per_second: f64) -> Self {
        let segment = shape.segment_at(Duration::ZERO);
        let mut cursor = Self {
            shape,
            base_rate_per_second,
            segment,
            origin: Duration::ZERO,
            span_seconds: 0.0,
            available: 0.0,
            passed: 0.0,
            seconds_per_unit: None,
        };
        cursor.enter(segment, Duration::ZERO);
        cursor
    }

    /// The arrival before which the integral of the rate grows by `increment` from the one before, or from the beginning:
    /// 1 for even spacing, an exponential variate of mean 1 for a Poisson process. Nanoseconds since the shape began.
    ///
    /// `None` where nothing arrives any more, as in [`Arrivals::next_arrival`](super::Arrivals::next_arrival).
    pub fn next_nanoseconds(&mut self, increment: f64) -> Option<u64> {
        if !is_positive(self.base_rate_per_second) {
            return None;
        }
        let mut until = self.passed + increment / self.base_rate_per_second;
        if until > self.available {
            until = self.next_segment_with(until)?;
        }
        self.passed = until;
        let seconds = match self.seconds_per_unit {
            Some(seconds_per_unit) => until * seconds_per_unit,
            None => self.segment.curve.seconds_until_integral(until, self.span_seconds),
        };
        // The longest shape has some 3 × 10¹⁷ ns.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive and below 2^63"
        )]
        let nanoseconds = (seconds * NANOSECONDS_PER_SECOND) as u64;
        let origin = u64::try_from(self.origin.as_nanos()).ok()?;
        Some(origin + nanoseconds)
    }

    /// Enters the segment in which the integral reaches `until`, counted from the beginning of the present one; returns
    /// what of it lies in that segment.
    #[cold]
    fn next_segment_with(&mut self, mut until: f64) -> Option<f64> {
        for _ in 0..LOOK_AHEAD_SEGMENTS {
            if until <= self.available && self.available > 0.0 {
                return Some(until);
            }
            until -= self.available;
            let end = self.segment.end.filter(|end| end.as_secs_f64() <= LONGEST_SECONDS)?;
            self.enter(self.shape.segment_at(end), end);
        }
        None
    }

    fn enter(&mut self, segment: Segment, origin: Duration) {
        let span_seconds =
            segment.end.map_or(LONGEST_SECONDS, |end| end.saturating_sub(origin).as_secs_f64());
        self.segment = segment;
        self.origin = origin;
        self.span_seconds = span_seconds;
        self.available = segment.curve.integral(span_seconds);
        self.passed = 0.0;
        self.seconds_per_unit = segment.curve.flat_level().filter(|level| *level > 0.0).map(f64::recip);
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::variates::standard_exponential;
    use crate::{Arrivals, Ramp, Sine, Spike, Streams};

    #[test]
    fn arrivals_are_those_that_are_asked_for_one_by_one() {
        let spike = Spike { base: 0.5, peak: 5.0, hold_seconds: 20.0, ramp_seconds: 15.0 };
        let sine = Sine { mean: 1.0, amplitude: 1.0, period_seconds: 17.0 };
        let ramp = Ramp { from: 0.0, to: 3.0, over_seconds: 30.0 };
        let shapes = [
            Shape::default(),
            Shape::try_from(spike).unwrap(),
            Shape::try_from(sine).unwrap(),
            Shape::try_from(ramp).unwrap(),
        ];
        for shape in shapes {
            let mut one_by_one = Streams::from_seed(7).stream("arrivals");
            let mut increments = one_by_one.clone();
            let mut cursor = ArrivalCursor::new(shape.clone(), 40.0);
            let mut after = Duration::ZERO;
            for number in 0..5000 {
                let Some(expected) = Arrivals::Poisson.next_arrival(after, &shape, 40.0, &mut one_by_one)
                else {
                    panic!("{shape:?} goes on");
                };
                let found = cursor.next_nanoseconds(standard_exponential(&mut increments)).unwrap();
                let off = Duration::from_nanos(found).abs_diff(expected);
                assert!(off < Duration::from_micros(10), "arrival {number} of {shape:?} is {off:?} off");
                after = expected;
            }
        }
    }

    #[test]
    fn a_trace_ends_and_its_silence_is_crossed() {
        let shape = crate::replay::shape_from_csv("minute,requests\n0,2\n5,3\n").unwrap();
        let mut cursor = ArrivalCursor::new(shape, 1.0);
        let first = cursor.next_nanoseconds(0.5);
        let found: Vec<_> = core::iter::successors(first, |_| cursor.next_nanoseconds(1.0))
            .map(|at| at / 1_000_000)
            .collect();
        assert_eq!(found, [15_000, 45_000, 310_000, 330_000, 350_000]);
    }

    #[test]
    fn without_a_rate_nothing_arrives() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(ArrivalCursor::new(Shape::default(), rate).next_nanoseconds(1.0), None, "{rate}");
        }
        assert_eq!(ArrivalCursor::new(Shape::steady(0.0).unwrap(), 1.0).next_nanoseconds(1.0), None);
    }
}
