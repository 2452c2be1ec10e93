//! Refuses what would take too long, and says how long that would be.

use simulator::{Experiment, REQUESTS_MAX};

use crate::failure::Failure;

/// Requests per second that one core plays at least, through the balancer.
const REQUESTS_PER_SECOND: f64 = 3e6;

/// Bytes of a request in flight.
const REQUEST_BYTES: f64 = 64.0;

/// Whether the experiment is one that ends.
pub(super) fn check(experiment: &Experiment, policies: usize) -> Result<(), Failure> {
    let one_run = experiment.expected_requests();
    // The oracle's plan is played beside the policies.
    let runs = (policies + 1) * experiment.seeds.len();
    let requests = one_run * runs as f64;
    if requests <= REQUESTS_MAX {
        return Ok(());
    }
    let hours = requests / REQUESTS_PER_SECOND / 3600.0;
    let service = &experiment.model.service;
    let places = (f64::from(service.workers.get()) + service.queue_capacity as f64)
        * f64::from(experiment.model.replicas.max);
    Err(Failure::bad_input(format!(
        "the experiment has {one_run:.3e} requests a run and {requests:.3e} in {runs} runs, expected at most {REQUESTS_MAX:.0e}; \
         they would take about {hours:.0} hours of one core and up to {:.0} MiB a run; hint: lower the rate, --scale, the \
         duration, or --seeds",
        places * REQUEST_BYTES / (1024.0 * 1024.0)
    )))
}
