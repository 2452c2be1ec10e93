//! The mean service time and the wait factor that fit best with so many workers.

use super::point::LatencyPoint;
use crate::fit::response_time::ResponseTime;

/// Wait factors that are taken for possible: constant service has 0.5, and 50 is a cv of 10.
const WAIT_FACTORS: (f64, f64) = (0.5, 50.0);

/// A candidate with the sum of its squared, weighted residuals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) workers: u32,
    pub(super) mean_service_seconds: f64,
    pub(super) wait_factor: f64,
    pub(super) misfit: f64,
}

impl Candidate {
    pub(super) fn parameters(&self) -> (u32, f64, f64) {
        (self.workers, self.mean_service_seconds, self.wait_factor)
    }
}

/// The mean service time and wait factor that fit best with so many workers; none where they could not keep up.
pub(super) fn best_with(workers: u32, points: &[LatencyPoint]) -> Option<Candidate> {
    const SCAN: u32 = 10;
    const GOLDEN: f64 = 0.618_033_988_749_895;
    let busiest_rps = points.iter().map(|point| point.rate_rps).fold(0.0, f64::max);
    let calmest_seconds = points.iter().map(|point| point.mean_seconds).fold(f64::INFINITY, f64::min);
    // The workers keep up with the busiest level, and service takes no longer than the fastest answers did.
    let longest = (0.9999 * f64::from(workers) / busiest_rps).min(1.2 * calmest_seconds);
    let shortest = 0.2 * calmest_seconds;
    if longest <= shortest {
        return None;
    }
    let candidate = |mean_service_seconds: f64| with_service(workers, mean_service_seconds, points);
    let step = (longest - shortest) / f64::from(SCAN);
    let scanned = (0..=SCAN)
        .map(|index| candidate(shortest + f64::from(index) * step))
        .min_by(|left, right| left.misfit.total_cmp(&right.misfit))?;
    let mut lower = (scanned.mean_service_seconds - step).max(shortest);
    let mut upper = (scanned.mean_service_seconds + step).min(longest);
    // Golden section: each evaluation narrows the bracket by the same share.
    let mut left = candidate(upper - GOLDEN * (upper - lower));
    let mut right = candidate(lower + GOLDEN * (upper - lower));
    for _ in 0..16 {
        if left.misfit < right.misfit {
            upper = right.mean_service_seconds;
            right = left;
            left = candidate(upper - GOLDEN * (upper - lower));
        } else {
            lower = left.mean_service_seconds;
            left = right;
            right = candidate(lower + GOLDEN * (upper - lower));
        }
    }
    let best = if left.misfit < right.misfit { left } else { right };
    best.misfit.is_finite().then_some(best)
}

/// The wait factor that fits best is linear in the data: T = s + k × wait.
fn with_service(workers: u32, mean_service_seconds: f64, points: &[LatencyPoint]) -> Candidate {
    let exponential = ResponseTime::of((workers, mean_service_seconds, 1.0));
    // Σ wait², Σ wait × excess and Σ excess², each in standard errors, tell the misfit of any factor.
    let (mut waits, mut both, mut excesses) = (0.0, 0.0, 0.0);
    for point in points {
        let wait =
            (exponential.mean_seconds(point.rate_rps) - mean_service_seconds) / point.standard_error_seconds;
        let excess = (point.mean_seconds - mean_service_seconds) / point.standard_error_seconds;
        waits += wait * wait;
        both += wait * excess;
        excesses += excess * excess;
    }
    let wait_factor = (both / waits).clamp(WAIT_FACTORS.0, WAIT_FACTORS.1);
    let misfit = excesses - 2.0 * wait_factor * both + wait_factor * wait_factor * waits;
    // Rounding may leave less than nothing; workers that cannot keep up leave no number at all.
    let misfit = if misfit.is_finite() { misfit.max(0.0) } else { f64::INFINITY };
    Candidate { workers, mean_service_seconds, wait_factor, misfit }
}
