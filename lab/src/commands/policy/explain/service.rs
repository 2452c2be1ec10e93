//! The assumed service behind an explanation: workers with a queue, as a replica of the lab has them.

use std::num::NonZero;
use std::time::Duration;

use clap::Args;
use scaler_documents::{ServiceState, parse_quantity_milli};
use workload::queueing::MmcK;

use super::sentence_of;
use crate::arguments::values::duration;
use crate::failure::Failure;

/// The service that an explanation assumes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Assumed service")]
pub(super) struct ServiceArguments {
    /// Load of the whole service, in requests per second
    #[arg(long, value_name = "RATE", default_value_t = 40.0)]
    load: f64,
    /// Requests that a replica serves at the same time
    #[arg(long, value_name = "N", default_value = "4")]
    workers: NonZero<u32>,
    /// Mean service time
    #[arg(long, value_name = "DURATION", default_value = "50ms", value_parser = duration)]
    service_time: Duration,
    /// Requests that may wait at a replica; further ones are refused
    #[arg(long, value_name = "N", default_value_t = 100)]
    queue: u32,
    /// CPU that a busy worker uses, in cores
    #[arg(long, value_name = "CORES", default_value_t = 0.25)]
    cpu_per_worker: f64,
    /// Memory that a replica uses
    #[arg(long, value_name = "QUANTITY", default_value = "48Mi", value_parser = quantity)]
    memory: i64,
    /// CPU that a pod requests where no Deployment says it
    #[arg(long, value_name = "QUANTITY", default_value = "1", value_parser = quantity)]
    cpu_request: i64,
    /// Memory that a pod requests where no Deployment says it
    #[arg(long, value_name = "QUANTITY", default_value = "64Mi", value_parser = quantity)]
    memory_request: i64,
}

/// The most requests per second, and places in a queue, that the formulas are asked about.
const LOAD_MAX: f64 = 1e9;
const QUEUE_MAX: u32 = 1_000_000;

/// A quantity above 0, in thousandths.
fn quantity(text: &str) -> Result<i64, String> {
    parse_quantity_milli(text).filter(|milli| *milli > 0).ok_or_else(|| {
        format!(
            "`{}` is not a quantity above 0, expected one such as 500m, 2 or 64Mi",
            excerpt::excerpt(text)
        )
    })
}

impl ServiceArguments {
    pub(super) const fn cpu_request_milli(&self) -> i64 {
        self.cpu_request
    }

    pub(super) const fn memory_request_milli(&self) -> i64 {
        self.memory_request
    }

    /// The service, with values that the formulas take.
    pub(super) fn checked(&self) -> Result<Service, Failure> {
        let refuse = |flag: &str, value: String, expected: &str| {
            Err(Failure::bad_input(format!(
                "{flag} is {value}, expected {expected}; hint: leave it out for the default"
            )))
        };
        if !(0.0..=LOAD_MAX).contains(&self.load) {
            return refuse("--load", self.load.to_string(), "requests per second from 0 to 1000000000");
        }
        if !(0.0..=1_000.0).contains(&self.cpu_per_worker) {
            return refuse("--cpu-per-worker", self.cpu_per_worker.to_string(), "cores from 0 to 1000");
        }
        if self.service_time.is_zero() {
            return refuse("--service-time", "0s".into(), "a time above 0");
        }
        if self.queue > QUEUE_MAX || self.workers.get() > QUEUE_MAX {
            return refuse("--queue or --workers", "above 1000000".into(), "at most 1000000");
        }
        Ok(Service(self.clone()))
    }
}

/// A service that can be asked what it does at a number of replicas.
pub(super) struct Service(ServiceArguments);

impl Service {
    /// M/M/c/K at each replica, which has its share of the load.
    pub(super) fn at(&self, replicas: u32) -> ServiceState {
        let Self(service) = self;
        let servers = service.workers;
        let share_rps = service.load / f64::from(replicas.max(1));
        let station = MmcK {
            arrivals_per_second: share_rps,
            mean_service_seconds: service.service_time.as_secs_f64(),
            servers,
            waiting_places: service.queue,
        };
        let served = station.throughput_per_second();
        let busy_workers = served * station.mean_service_seconds;
        #[expect(clippy::cast_possible_truncation, reason = "some thousand cores at most")]
        let cpu_milli = (busy_workers * service.cpu_per_worker * 1_000.0).round() as i64;
        ServiceState {
            replicas: replicas.max(1),
            load_rps: service.load,
            response_time_seconds: station.mean_wait_seconds() + station.mean_service_seconds,
            utilization: busy_workers / f64::from(servers.get()),
            refused_per_second: (share_rps - served) * f64::from(replicas.max(1)),
            waiting_per_replica: station.mean_waiting_jobs(),
            cpu_milli,
            memory_milli: service.memory,
        }
    }

    /// Where the example begins.
    pub(super) fn sentence(&self, replicas: u32) -> String {
        let state = self.at(replicas);
        let busy = sentence_of(&state, replicas.max(1));
        let at = if replicas == 0 { "at 0 replicas, of which the first would have " } else { "at " };
        format!("{at}{busy}")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Wrapper {
        #[command(flatten)]
        service: ServiceArguments,
    }

    fn service(flags: &[&str]) -> Result<Service, Failure> {
        let arguments = std::iter::once("explain").chain(flags.iter().copied());
        Wrapper::try_parse_from(arguments).unwrap().service.checked()
    }

    #[test]
    fn the_load_is_shared_and_a_full_queue_refuses() {
        let shared = service(&["--load", "120"]).unwrap().at(2);
        assert!((shared.utilization - 0.75).abs() < 1e-6 && shared.cpu_milli == 750, "{shared:?}");
        assert!((0.06..0.1).contains(&shared.response_time_seconds), "{shared:?}");
        let full = service(&["--load", "200"]).unwrap().at(1);
        assert!(full.cpu_milli == 1_000 && (full.refused_per_second - 120.0).abs() < 1.0, "{full:?}");
        assert!((1.2..1.3).contains(&full.response_time_seconds), "{full:?}");
        let idle = service(&["--load", "0"]).unwrap().at(1);
        assert_eq!((idle.cpu_milli, idle.response_time_seconds), (0, 0.05));
    }

    #[test]
    fn values_that_no_formula_takes_are_refused() {
        for flags in [
            ["--load", "NaN"],
            ["--service-time", "0s"],
            ["--cpu-per-worker", "inf"],
            ["--queue", "4000000000"],
        ] {
            assert!(service(&flags).is_err(), "{flags:?}");
        }
    }
}
