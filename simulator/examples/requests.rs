//! Plays a steady load on replicas of four workers, for measuring how many requests a second the kernel does.
//!
//! `requests REPLICAS REQUESTS SCRAPE_SECONDS`: Poisson arrivals, exponential service times of 50 ms, utilisation 0.8, no
//! queue limit that is ever reached. With a third argument above 0 replicas are scraped so often, and a threshold policy
//! that may not change their number is asked each 10 s. `scripts/bench/simulator.sh` times it.
#![expect(clippy::print_stdout, reason = "an example prints what it found")]

use std::num::NonZero;
use std::time::Duration;

use scaler_engine::{AnyPolicy, ThresholdPolicy, ThresholdSettings};
use simulator::{
    GatewayModel, Model, ReplicaRange, Scaling, Service, ServiceModel, SignalPath, SloTarget, Unobserved,
    Workload, simulate,
};
use workload::{Arrivals, ServiceTimeDistribution, Shape};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u32| arguments.next().map_or(Ok(default), |text| text.parse());
    let (replicas, requests, scrape_seconds) = (number(1)?, number(10_000_000)?, number(0)?);
    let rate = 64.0 * f64::from(replicas);
    let exponential = ServiceTimeDistribution::Exponential;
    let model = Model {
        duration: Duration::from_secs_f64(f64::from(requests) / rate),
        service: Service {
            workers: NonZero::new(4).ok_or("four is not zero")?,
            service_time: ServiceModel::new(exponential, Duration::from_millis(50), 1.0)?,
            queue_capacity: 100_000,
            start_up: ServiceModel::new(ServiceTimeDistribution::Constant, Duration::from_secs(1), 0.0)?,
        },
        workload: Workload {
            shape: Shape::steady(1.0)?,
            base_rate_per_second: rate,
            arrivals: Arrivals::Poisson,
        },
        slo: SloTarget { quantile: 0.95, response_time: Duration::from_millis(250), errors: 0.001 },
        signals: SignalPath {
            scrape_interval: Duration::from_secs(u64::from(scrape_seconds.max(1))),
            delay: Duration::ZERO,
            cpu_per_worker: 0.25,
        },
        replicas: ReplicaRange { initial: replicas, max: replicas },
        gateway: GatewayModel::DEFAULT,
        faults: Vec::new(),
    };
    let scaling = if scrape_seconds == 0 {
        Scaling::Fixed(replicas)
    } else {
        let settings = ThresholdSettings {
            min_replicas: replicas,
            max_replicas: replicas,
            ..ThresholdSettings::default()
        };
        Scaling::Policy(AnyPolicy::Threshold(ThresholdPolicy::new(settings)?))
    };
    let run = simulate(&model, scaling, 1, &mut Unobserved).ok_or("nothing ends the run early")?;
    let totals = &run.totals;
    println!(
        "{} requests on {replicas} replicas: mean {:.3} ms, p95 {:.3} ms, {} points",
        totals.requests,
        totals.mean_ms.unwrap_or(f64::NAN),
        totals.p95_ms.unwrap_or(f64::NAN),
        run.timeline.len()
    );
    Ok(())
}
