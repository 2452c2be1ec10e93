//! Picks the cheaper of two endpoints drawn at random (power of two choices).
//!
//! The cheapest of all would be everybody's choice at the same moment, until its latency shows; two random
//! candidates spread a burst and still avoid the bad ones (Mitzenmacher, "The Power of Two Choices in Randomized
//! Load Balancing", 2001).

use core::time::Duration;

use rand::{Rng, RngExt};

use crate::comparison::Handicap;
use crate::endpoint::{Endpoint, EndpointId};
use crate::settings::{BalancerSettings, CostSettings};
use crate::window::OutcomeCounts;

/// What [`Rotation::pick`](crate::Rotation::pick) found.
#[must_use = "a picked endpoint counts a request in flight until it is released"]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The request goes to this endpoint, which counts it as in flight.
    Endpoint(EndpointId),
    /// None is in rotation, or only those that were to be left out. One can come at any time.
    NoneReady,
}

impl Pick {
    /// The endpoint, for callers to whom it does not matter why there is none.
    pub fn endpoint(self) -> Option<EndpointId> {
        match self {
            Self::Endpoint(id) => Some(id),
            Self::NoneReady => None,
        }
    }
}

/// The weight at `now` of an endpoint admitted at `admitted_at`.
pub(crate) fn slow_start_weight(now: Duration, admitted_at: Duration, settings: &CostSettings) -> f64 {
    let min = settings.slow_start_weight_min;
    let share = now.saturating_sub(admitted_at).as_secs_f64() / settings.slow_start.as_secs_f64();
    if share.is_finite() { (min + (1.0 - min) * share).min(1.0) } else { 1.0 }
}

/// What one more request costs at each of two endpoints, in seconds.
///
/// `(latency + unserved × unserved_cost) × 2^streak × (in flight + 1) / weight`, where the latency is the EWMA, raised
/// by a [`Handicap`] where the endpoint answers more 4xx than the other one; unserved is the smoothed share of refused
/// and failed answers in the window, and the streak is how many came in a row.
///
/// The sum keeps quick refusals and failures from looking fast. The doubling matters in overload: an endpoint that
/// serves nothing has nothing in flight, and would otherwise win against every busy one. When the window holds no
/// answer any more, the streak is forgiven and the endpoint is tried again.
pub(crate) fn costs(pair: [&Endpoint; 2], now: Duration, settings: &BalancerSettings) -> [f64; 2] {
    let counts = pair.map(|endpoint| endpoint.window.counts(now, settings.cost.outcome_window));
    let seen = pair.map(|endpoint| endpoint.ewma.seconds_at(now, &settings.latency));
    let handicaps = Handicap::of(counts, pair.map(|endpoint| endpoint.last_answers), &settings.client_errors);
    [0, 1].map(|own| {
        let latency_seconds = match handicaps[own] {
            Some(handicap) => {
                handicap.apply(seen[own], seen[1 - own], pair[own].client_error_streak, &settings.cost)
            }
            None => seen[own],
        };
        cost(pair[own], counts[own], latency_seconds, now, &settings.cost)
    })
}

fn cost(
    endpoint: &Endpoint,
    counts: OutcomeCounts,
    latency_seconds: f64,
    now: Duration,
    settings: &CostSettings,
) -> f64 {
    let unserved = counts.refused + counts.failed;
    let mut latency = latency_seconds;
    if unserved > 0 {
        let share = unserved as f64 / (counts.total() + u64::from(settings.smoothing_answers)) as f64;
        let doublings = endpoint.unserved_streak.min(settings.streak_doublings_max);
        latency = (latency + share * settings.unserved_cost.as_secs_f64()) * f64::from(1_u32 << doublings);
    }
    latency * (f64::from(endpoint.in_flight) + 1.0) / slow_start_weight(now, endpoint.admitted_at, settings)
}

/// Draws two different candidates and returns the position of the cheaper one; none without candidates.
pub(crate) fn cheaper_of_two<R: Rng + ?Sized>(
    endpoints: &[Endpoint],
    candidates: &[usize],
    now: Duration,
    rng: &mut R,
    settings: &BalancerSettings,
) -> Option<usize> {
    match *candidates {
        [] => None,
        [only] => Some(only),
        _ => {
            let first = rng.random_range(0..candidates.len());
            let mut second = rng.random_range(0..candidates.len() - 1);
            if second >= first {
                second += 1;
            }
            let (first, second) = (candidates[first], candidates[second]);
            let [first_cost, second_cost] = costs([&endpoints[first], &endpoints[second]], now, settings);
            Some(if second_cost < first_cost { second } else { first })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weight_ramps_from_a_tenth_to_one_over_two_seconds() {
        let admitted_at = Duration::from_secs(7);
        for (after_ms, expected) in [(0, 0.1), (500, 0.325), (1000, 0.55), (2000, 1.0), (9000, 1.0)] {
            let weight = slow_start_weight(
                admitted_at + Duration::from_millis(after_ms),
                admitted_at,
                &CostSettings::DEFAULT,
            );
            assert!((weight - expected).abs() < 1e-12, "{weight} after {after_ms} ms");
        }
    }
}
