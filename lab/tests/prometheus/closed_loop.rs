//! The loop closes through Prometheus, and losing Prometheus costs the service nothing.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::running_prometheus::{RunningPrometheus, is_installed};
use crate::support::traffic::SteadyTraffic;
use crate::support::{TIMEOUT, Up};

/// The classic policy with all its times a fifth, as `lab demo --fast` has it.
const FAST: [&str; 8] =
    ["--check-interval", "2s", "--window", "6s", "--scale-up-cooldown", "6s", "--scale-down-cooldown", "12s"];

async fn wait_for(up: &Up, what: &str, within: Duration, condition: impl Fn(&Value) -> bool) {
    let began = Instant::now();
    loop {
        let status = up.status().await;
        if status.as_ref().is_ok_and(&condition) {
            return;
        }
        assert!(
            began.elapsed() < within,
            "not within {within:?}: {what}\n{status:?}\n{}",
            up.lines().join("\n")
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn current(status: &Value) -> u64 {
    status["replicas"]["current"].as_u64().unwrap_or_default()
}

#[tokio::test]
async fn a_spike_scales_out_and_in_and_a_lost_prometheus_costs_no_request() {
    if !is_installed() {
        return;
    }
    let prometheus = RunningPrometheus::start().await;
    let up =
        Up::start(&[&FAST[..], &["--source", "prometheus", "--prometheus-url", &prometheus.url]].concat());
    prometheus.scrape_replicas(&up.admin);
    wait_for(&up, "values without a problem", Duration::from_secs(20), |status| {
        status["signals"]["response_time_mean_seconds"]["value"].is_f64()
            && status["problems"] == Value::Array(Vec::new())
    })
    .await;

    up.get(&format!("{}/load/spike?factor=5&hold=25s&ramp=5s", up.gateway))
        .await
        .expect("the spike is taken");
    wait_for(&up, "three replicas in the spike", Duration::from_secs(45), |status| current(status) >= 3)
        .await;
    wait_for(&up, "one replica after it", Duration::from_secs(120), |status| current(status) == 1).await;

    let traffic = SteadyTraffic::start(format!("{}/", up.gateway), 20);
    drop(prometheus);
    wait_for(&up, "a decision without data", Duration::from_secs(30), |status| {
        status["problems"][0].as_str().is_some_and(|problem| problem.starts_with("Prometheus at "))
            && status["last_decision"]["reason"] == "missing_data"
            && current(status) == 1
    })
    .await;
    let outcome = traffic.finish().await;
    assert!(outcome.problems.is_empty(), "{} lost: {:#?}", outcome.problems.len(), outcome.problems);
    assert!(outcome.succeeded > 50, "only {} requests were sent", outcome.succeeded);
    up.wait_for_replicas(1, TIMEOUT).await;
}
