//! What answers that serve nothing add to the cost of an endpoint.

use crate::settings::CostSettings;

/// The price of answers that serve nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnservedPrice {
    cost_seconds: f64,
    doublings_max: u32,
}

impl UnservedPrice {
    pub(crate) fn new(settings: &CostSettings) -> Self {
        Self {
            cost_seconds: settings.unserved_cost.as_secs_f64(),
            doublings_max: settings.streak_doublings_max,
        }
    }

    /// `(latency + share × price) × 2^streak`, in seconds, for the share of answers that served nothing and how many of
    /// them came in a row.
    #[inline]
    pub(crate) fn raise(&self, latency_seconds: f64, share: f64, streak: u32) -> f64 {
        let factor = f64::from(1_u32 << streak.min(self.doublings_max));
        (latency_seconds + share * self.cost_seconds) * factor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_price_grows_with_the_share_and_doubles_with_the_streak_up_to_its_bound() {
        let price = UnservedPrice::new(&CostSettings::DEFAULT);
        for (share, streak, expected) in [(0.0, 0, 0.5), (0.5, 0, 1.0), (0.5, 3, 8.0), (0.5, 10, 1024.0)] {
            assert!((price.raise(0.5, share, streak) - expected).abs() < 1e-12, "{share}, {streak}");
        }
        assert!((price.raise(0.5, 0.5, u32::MAX) - 1024.0).abs() < 1e-12);
    }
}
