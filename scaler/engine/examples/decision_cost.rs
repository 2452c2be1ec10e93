//! Measures what one decision of an HPA costs: 1,000 pods and 4 metrics, beside 10 pods and 1.
//!
//! `cargo run --release -p scaler-engine --example decision_cost`

#![expect(clippy::print_stdout, reason = "an example shows what it measured")]

use std::time::{Duration, Instant};

use scaler_engine::hpa::{
    Behavior, ControllerSettings, HpaPolicy, HpaSpec, Metric, MetricSource, MetricTarget, RESOURCE_WINDOW,
    Resource,
};
use scaler_engine::{Action, Answer, Engine, Observation, Policy as _, Reading, ResourceRequests, Signal};

fn policy(metrics: usize) -> HpaPolicy {
    let percent = Some(MetricTarget::Utilization { percent: 70 });
    let average = Some(MetricTarget::AverageValue { milli: 40_000 });
    let all = [
        Metric { source: MetricSource::Resource(Resource::Cpu), target: percent },
        Metric { source: MetricSource::Resource(Resource::Memory), target: percent },
        Metric { source: MetricSource::Pods("http_requests_per_second".into()), target: average },
        Metric { source: MetricSource::External("orders_waiting".into()), target: average },
    ];
    let spec = HpaSpec {
        min_replicas: 1,
        max_replicas: 1_000,
        behavior: Some(Behavior::default()),
        metrics: all.into_iter().take(metrics).collect(),
    };
    HpaPolicy::new(spec, ControllerSettings::default()).expect("the policy is valid")
}

fn observation(policy: &HpaPolicy, replicas: u32) -> Observation {
    let mut seen =
        Observation { window: RESOURCE_WINDOW, ..Observation::of_replicas(Duration::ZERO, replicas) };
    for signal in Signal::ALL {
        seen.report_from_all(signal, 0.7);
    }
    for replica in &mut seen.replicas {
        replica.requests = ResourceRequests { cpu_cores: Some(1.0), memory_bytes: Some(1.0) };
        replica.started_at = Some(Duration::ZERO);
    }
    for need in policy.needs() {
        let of_replicas = seen.replicas.iter().map(|replica| (replica.id.clone(), Some(40.0))).collect();
        let reading = Some(Reading::fresh(40.0 * f64::from(replicas)));
        seen.further.push(Answer { need, reading, of_replicas, problem: None });
    }
    seen
}

fn main() {
    for (replicas, metrics, decisions) in [(10, 1, 20_000), (1_000, 4, 1_000)] {
        let policy = policy(metrics);
        let mut seen = observation(&policy, replicas);
        let mut engine = Engine::new(policy);
        let mut holds = 0;
        let began = Instant::now();
        for check in 0..decisions {
            seen.at = Duration::from_secs(10_000 + 15 * check);
            seen.replicas.iter_mut().for_each(|replica| replica.sampled_at = Some(seen.at));
            holds += u64::from(engine.decide(&seen).action == Action::Hold);
        }
        let each = began.elapsed() / u32::try_from(decisions).unwrap_or(u32::MAX);
        println!(
            "{replicas:>5} pods, {metrics} metrics: {each:?} for each decision ({holds} of {decisions} hold)"
        );
    }
}
