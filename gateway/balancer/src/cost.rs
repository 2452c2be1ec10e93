//! What one more request costs at each of two endpoints.

use crate::comparison::Handicap;
use crate::ewma::Decay;
use crate::moment::{nanos, seconds};
use crate::score::Score;
use crate::settings::{BalancerSettings, ClientErrorSettings};
use crate::unserved::UnservedPrice;

/// The settings of a comparison, in the units that it computes in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CostRule {
    pub(crate) decay: Decay,
    slow_start: SlowStart,
    smoothing_answers: f64,
    unserved: UnservedPrice,
    client_errors: ClientErrorSettings,
}

#[derive(Debug, Clone, Copy)]
struct SlowStart {
    nanos: u64,
    seconds: f64,
    weight_min: f64,
}

impl SlowStart {
    /// The weight, up to 1, of an endpoint that was admitted so long ago.
    #[inline]
    fn weight(&self, elapsed_nanos: u64) -> f64 {
        if elapsed_nanos >= self.nanos {
            return 1.0;
        }
        let share = seconds(elapsed_nanos) / self.seconds;
        (self.weight_min + (1.0 - self.weight_min) * share).min(1.0)
    }
}

impl CostRule {
    pub(crate) fn new(settings: &BalancerSettings) -> Self {
        let cost = &settings.cost;
        Self {
            decay: Decay::new(&settings.latency),
            slow_start: SlowStart {
                nanos: nanos(cost.slow_start),
                seconds: cost.slow_start.as_secs_f64(),
                weight_min: cost.slow_start_weight_min,
            },
            smoothing_answers: f64::from(cost.smoothing_answers),
            unserved: UnservedPrice::new(cost),
            client_errors: settings.client_errors,
        }
    }

    /// The costs in seconds. Both windows have been moved to the present.
    ///
    /// `(latency + unserved × unserved_cost) × 2^streak × (in flight + 1) / weight`, where the latency is the EWMA, raised
    /// by a [`Handicap`] where the endpoint answers more 4xx than the other one; unserved is the smoothed share of refused
    /// and failed answers in the window, and the streak is how many came in a row.
    ///
    /// The sum keeps quick refusals and failures from looking fast. The doubling matters in overload: an endpoint that
    /// serves nothing has nothing in flight, and would otherwise win against every busy one. When the window holds no
    /// answer any more, the streak is forgiven and the endpoint is tried again.
    #[inline]
    pub(crate) fn of_both(&self, pair: [&Score; 2], now_nanos: u64) -> [f64; 2] {
        let seen = pair.map(|score| score.ewma.seconds_at(now_nanos, &self.decay));
        let counts = pair.map(|score| score.window.counts());
        let handicaps = Handicap::of(counts, pair.map(|score| score.last_answers), &self.client_errors);
        [0, 1].map(|own| {
            let latency_seconds = match handicaps[own] {
                Some(handicap) => {
                    handicap.apply(seen[own], seen[1 - own], pair[own].client_error_streak, &self.unserved)
                }
                None => seen[own],
            };
            self.of_one(pair[own], latency_seconds, now_nanos)
        })
    }

    #[inline]
    fn of_one(&self, score: &Score, latency_seconds: f64, now_nanos: u64) -> f64 {
        let counts = score.window.counts();
        let unserved = u64::from(counts.refused) + u64::from(counts.failed);
        let mut latency = latency_seconds;
        if unserved > 0 {
            let share = unserved as f64 / (counts.total() as f64 + self.smoothing_answers);
            latency = self.unserved.raise(latency, share, score.unserved_streak);
        }
        let weight = self.slow_start.weight(now_nanos.saturating_sub(score.admitted_nanos));
        latency * (f64::from(score.in_flight) + 1.0) / weight
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn the_weight_ramps_from_a_tenth_to_one_over_two_seconds() {
        let slow_start = CostRule::new(&BalancerSettings::DEFAULT).slow_start;
        for (after_ms, expected) in [(0, 0.1), (500, 0.325), (1000, 0.55), (2000, 1.0), (9000, 1.0)] {
            let weight = slow_start.weight(nanos(Duration::from_millis(after_ms)));
            assert!((weight - expected).abs() < 1e-12, "{weight} after {after_ms} ms");
        }
    }

    #[test]
    fn without_slow_start_a_newcomer_has_its_whole_weight_at_once() {
        let mut settings = BalancerSettings::DEFAULT;
        settings.cost.slow_start = Duration::ZERO;
        let weight = CostRule::new(&settings).slow_start.weight(0);
        assert!((weight - 1.0).abs() < f64::EPSILON);
    }
}
