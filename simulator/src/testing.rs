//! A small model for unit tests.

use std::num::NonZero;
use std::time::Duration;

use workload::{Arrivals, ServiceTimeDistribution, Shape};

use crate::model::{GatewayModel, Model, ReplicaRange, Service, SignalPath, SloTarget, Workload};
use crate::service::ServiceModel;

/// A minute of 40 requests/s on the default service, with a constant start-up time in seconds.
pub(crate) fn small_model(start_up_seconds: u64, initial: u32) -> Model {
    let constant = ServiceTimeDistribution::Constant;
    let lognormal = ServiceTimeDistribution::Lognormal;
    Model {
        duration: Duration::from_mins(1),
        service: Service {
            workers: NonZero::new(4).unwrap(),
            service_time: ServiceModel::new(lognormal, Duration::from_millis(50), 0.5).unwrap(),
            queue_capacity: 100,
            start_up: ServiceModel::new(constant, Duration::from_secs(start_up_seconds), 0.0).unwrap(),
        },
        workload: Workload {
            shape: Shape::default(),
            base_rate_per_second: 40.0,
            arrivals: Arrivals::Poisson,
        },
        slo: SloTarget { quantile: 0.95, response_time: Duration::from_millis(250), errors: 0.001 },
        signals: SignalPath {
            scrape_interval: Duration::from_secs(1),
            delay: Duration::ZERO,
            cpu_per_worker: 0.25,
        },
        replicas: ReplicaRange { initial, max: 10 },
        gateway: GatewayModel::DEFAULT,
        faults: Vec::new(),
    }
}
