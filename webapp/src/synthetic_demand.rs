//! Makes this replica's share of the service's synthetic demand, as Poisson arrivals.
//!
//! The rate is integrated against unit-rate exponential gaps, which is exact for a rate that changes between
//! two looks, and needs no look at every arrival when the rate is high.

use std::sync::Arc;
use std::time::Duration;

use workload::{Arrivals, Stream};

use crate::app::App;
use crate::origin::Origin;

/// Longest time between two looks at the rate, so that a change is in force at once.
const LONGEST_STEP: Duration = Duration::from_millis(20);

/// What a process that was held up makes up for at most; more would be a burst that no schedule asked for.
const LONGEST_CATCH_UP: Duration = Duration::from_millis(500);

/// Submits synthetic jobs until the process ends; an unready replica makes none.
pub(crate) async fn generate_synthetic_demand(app: Arc<App>) {
    let mut arrivals = app.streams.stream("synthetic_arrivals");
    let mut until_next = unit_gap(&mut arrivals);
    let mut seen_at = app.clock.now();
    loop {
        let rate_per_second = app.synthetic_share_rps();
        let gap = Duration::try_from_secs_f64(until_next / rate_per_second).unwrap_or(LONGEST_STEP);
        app.clock.sleep_until(seen_at + gap.min(LONGEST_STEP)).await;
        let now = app.clock.now();
        until_next -= rate_per_second * now.saturating_sub(seen_at).min(LONGEST_CATCH_UP).as_secs_f64();
        seen_at = now;
        while until_next <= 0.0 {
            // A refused synthetic job is counted where it is refused; nobody waits for it.
            let _refusal = app.replica.submit(Origin::Synthetic, None);
            until_next += unit_gap(&mut arrivals);
        }
    }
}

/// An exponential gap at rate 1.
fn unit_gap(arrivals: &mut Stream) -> f64 {
    Arrivals::Poisson.next_gap(1.0, arrivals).map_or(f64::INFINITY, |gap| gap.as_secs_f64())
}
