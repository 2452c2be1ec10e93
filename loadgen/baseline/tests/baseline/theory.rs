//! M/M/c in closed form: the truth that searches and fits are held against.

use std::num::NonZero;

use workload::queueing::Mmc;

/// The share of answers that take longer than `seconds`, for θ = cμ − λ ≠ μ.
///
/// Source: D. Gross and C. M. Harris, "Fundamentals of Queueing Theory", section 2.3.
pub(crate) fn share_beyond(workers: u32, mean_service_seconds: f64, rate_rps: f64, seconds: f64) -> f64 {
    let waits = mmc(workers, mean_service_seconds, rate_rps).waiting_probability();
    let service = 1.0 / mean_service_seconds;
    let excess = service * f64::from(workers) - rate_rps;
    let (served, waited) = ((-service * seconds).exp(), (-excess * seconds).exp());
    (1.0 - waits) * served + waits * (excess * served - service * waited) / (excess - service)
}

/// The mean response time in seconds.
pub(crate) fn mean_seconds(workers: u32, mean_service_seconds: f64, rate_rps: f64) -> f64 {
    mmc(workers, mean_service_seconds, rate_rps).mean_response_seconds()
}

/// The rate at which 5 % of the answers take longer than `seconds`.
pub(crate) fn rate_at_p95(workers: u32, mean_service_seconds: f64, seconds: f64) -> f64 {
    let (mut within, mut beyond) = (0.0, f64::from(workers) / mean_service_seconds);
    for _ in 0..60 {
        let middle = 0.5 * (within + beyond);
        if share_beyond(workers, mean_service_seconds, middle, seconds) > 0.05 {
            beyond = middle;
        } else {
            within = middle;
        }
    }
    within
}

fn mmc(workers: u32, mean_service_seconds: f64, arrivals_per_second: f64) -> Mmc {
    let servers = NonZero::new(workers).expect("there are workers");
    Mmc { arrivals_per_second, mean_service_seconds, servers }
}
