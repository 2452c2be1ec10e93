//! Turns a rate into the instants at which requests arrive, evenly spaced or at random.
//!
//! ## One method for both processes
//! Let Λ be the integral of the rate. A process of any varying rate has arrivals where Λ has grown by one
//! unit (evenly spaced), or by an exponential variate of mean 1 (Poisson). Inverting Λ is exact, costs one
//! variate an arrival, and leaps over spans without load, where rejecting candidates (thinning) would cost by
//! the gap between rate and bound.
//!
//! Source: E. Çinlar, "Introduction to Stochastic Processes" (1975), section 4.7; P. A. W. Lewis and G. S.
//! Shedler, "Simulation of Nonhomogeneous Poisson Processes by Thinning" (1979), for the alternative.

mod cursor;

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use rand::Rng;
use serde::{Deserialize, Serialize};

pub use self::cursor::ArrivalCursor;
use crate::shape::{LONGEST_SECONDS, Shape};
use crate::variates::standard_exponential;

/// How many segments of a shape a search for the next arrival crosses at most: as many as a shape has points.
pub const LOOK_AHEAD_SEGMENTS: usize = crate::shape::MOST_POINTS;

/// How arrivals follow one another at a given rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// Evenly spaced; takes no random numbers.
    Constant,
    /// A Poisson process, what many independent users produce together: each arrival takes one random word.
    #[default]
    Poisson,
}

impl Arrivals {
    /// The time from one arrival to the next at a fixed rate, to the nanosecond.
    ///
    /// `None` where nothing ever arrives: at rate 0, at a rate that is negative or not finite, and where the
    /// gap exceeds what a `Duration` holds. Above some 10⁹ requests/s gaps round to zero.
    ///
    /// ```
    /// use core::time::Duration;
    /// use workload::{Arrivals, Streams};
    /// let mut stream = Streams::from_seed(1).stream("arrivals");
    /// assert_eq!(Arrivals::Constant.next_gap(40.0, &mut stream), Some(Duration::from_millis(25)));
    /// assert_eq!(Arrivals::Poisson.next_gap(0.0, &mut stream), None);
    /// ```
    pub fn next_gap<R: Rng + ?Sized>(self, rate_per_second: f64, rng: &mut R) -> Option<Duration> {
        is_positive(rate_per_second)
            .then(|| self.next_increment(rng) / rate_per_second)
            .and_then(|gap_seconds| Duration::try_from_secs_f64(gap_seconds).ok())
    }

    /// The time from the beginning of a process to its first arrival at a fixed rate: for even spacing half a gap, so that
    /// every span of whole gaps from the beginning has as many arrivals as the rate says, whatever rounding does.
    ///
    /// `None` as in [`next_gap`](Self::next_gap).
    pub fn first_gap<R: Rng + ?Sized>(self, rate_per_second: f64, rng: &mut R) -> Option<Duration> {
        is_positive(rate_per_second)
            .then(|| self.first_increment(rng) / rate_per_second)
            .and_then(|gap_seconds| Duration::try_from_secs_f64(gap_seconds).ok())
    }

    /// The first arrival of a process that begins at `start`, as in [`first_gap`](Self::first_gap); otherwise as
    /// [`next_arrival`](Self::next_arrival). A shape that asks for 95 requests so has 95 evenly spaced arrivals.
    pub fn first_arrival<R: Rng + ?Sized>(
        self,
        start: Duration,
        shape: &Shape,
        base_rate_per_second: f64,
        rng: &mut R,
    ) -> Option<Duration> {
        arrival_after(self.first_increment(rng), start, shape, base_rate_per_second)
    }

    /// The first arrival later than `after`, where the rate is `shape`'s level × `base_rate_per_second`.
    ///
    /// `after` and the result count from the beginning of the shape; hand in the previous arrival, or where
    /// to start. Exact for every shape, up to rounding to nanoseconds (so at extreme rates an arrival may
    /// equal `after`). Where the shape changes while an arrival is pending, drop that one and ask again from
    /// now: for a Poisson process, which has no memory, this is exact; even spacing begins anew.
    ///
    /// `None` where nothing arrives any more: the level stays 0, the base rate is 0, negative or not finite,
    /// the next arrival lies beyond [`LONGEST_SECONDS`], or it lies beyond [`LOOK_AHEAD_SEGMENTS`] segments
    /// (points of a trace, holds of a random walk, periods of a wave). Takes time in proportion to the
    /// segments crossed, most often none.
    pub fn next_arrival<R: Rng + ?Sized>(
        self,
        after: Duration,
        shape: &Shape,
        base_rate_per_second: f64,
        rng: &mut R,
    ) -> Option<Duration> {
        arrival_after(self.next_increment(rng), after, shape, base_rate_per_second)
    }

    /// By how much the integral of the rate grows until the next arrival.
    fn next_increment<R: Rng + ?Sized>(self, rng: &mut R) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Poisson => standard_exponential(rng),
        }
    }

    /// The same until the first arrival.
    fn first_increment<R: Rng + ?Sized>(self, rng: &mut R) -> f64 {
        match self {
            Self::Constant => 0.5,
            Self::Poisson => standard_exponential(rng),
        }
    }
}

/// When the integral of the rate has grown by `increment` since `after`.
fn arrival_after(
    increment: f64,
    after: Duration,
    shape: &Shape,
    base_rate_per_second: f64,
) -> Option<Duration> {
    if !is_positive(base_rate_per_second) {
        return None;
    }
    // In units of level × seconds, so that segments need not know the base rate.
    let mut missing = increment / base_rate_per_second;
    let mut start = after;
    for _ in 0..LOOK_AHEAD_SEGMENTS {
        let segment = shape.segment_at(start);
        let span_seconds = segment.end.map_or(LONGEST_SECONDS, |end| end.saturating_sub(start).as_secs_f64());
        let available = segment.curve.integral(span_seconds);
        if missing <= available && available > 0.0 {
            let seconds = segment.curve.seconds_until_integral(missing, span_seconds);
            let arrival = start.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
            return (arrival.as_secs_f64() <= LONGEST_SECONDS).then_some(arrival);
        }
        missing -= available;
        start = segment.end.filter(|end| end.as_secs_f64() <= LONGEST_SECONDS)?;
    }
    None
}

fn is_positive(rate_per_second: f64) -> bool {
    rate_per_second > 0.0 && rate_per_second.is_finite()
}

impl fmt::Display for Arrivals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Constant => "constant",
            Self::Poisson => "poisson",
        })
    }
}

/// A text that names no arrival process.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("arrivals are `{0}`, expected `constant` or `poisson`")]
pub struct UnknownArrivals(pub String);

impl FromStr for Arrivals {
    type Err = UnknownArrivals;

    fn from_str(text: &str) -> Result<Self, UnknownArrivals> {
        match text {
            "constant" => Ok(Self::Constant),
            "poisson" => Ok(Self::Poisson),
            _ => Err(UnknownArrivals(text.to_string())),
        }
    }
}
