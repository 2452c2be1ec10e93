//! A spike in containers: the scaler makes replicas of its own, Compose takes them for its own, and ends them.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::docker::{bounded, is_there, run};
use crate::project::Project;

/// The service level objective for p95; seconds.
const SLO_P95_SECONDS: f64 = 0.25;

fn ready(status: &Value) -> u64 {
    status["replicas"]["ready"].as_u64().unwrap_or_default()
}

fn current(status: &Value) -> u64 {
    status["replicas"]["current"].as_u64().unwrap_or_default()
}

fn p95(status: &Value) -> f64 {
    status["signals"]["response_time_p95_seconds"]["value"].as_f64().unwrap_or(f64::INFINITY)
}

fn curl(url: &str) {
    run(bounded(Duration::from_secs(10), "curl").args(["-fsS", "--max-time", "8", url]));
}

#[tokio::test]
async fn a_spike_scales_out_and_in_and_compose_takes_the_replicas_for_its_own() {
    if !is_there() {
        return;
    }
    let lab = Project::start("labcmp-spike", &[]);
    lab.wait_for("values from Prometheus", Duration::from_secs(60), |status| {
        status["source"] == "prometheus"
            && status["signals"]["response_time_mean_seconds"]["value"].is_f64()
            && current(status) == 1
    })
    .await;

    curl(&format!("{}/load/spike?factor=5&hold=75s&ramp=5s", lab.gateway));
    lab.wait_for("three replicas in the spike", Duration::from_secs(60), |status| ready(status) >= 3).await;
    lab.wait_for("p95 back inside the SLO during the spike", Duration::from_secs(40), |status| {
        p95(status) <= SLO_P95_SECONDS && status["load_factor"].as_f64().is_some_and(|factor| factor > 4.0)
    })
    .await;

    compose_recreates_nothing(&lab).await;
    plain_up_is_corrected(&lab).await;

    lab.wait_for("one replica after the spike", Duration::from_secs(180), |status| {
        current(status) == 1 && ready(status) == 1
    })
    .await;
    // The last one may still be ending; then it is removed.
    let began = Instant::now();
    while lab.containers("webapp").len() > 1 {
        assert!(began.elapsed() < Duration::from_secs(45), "a stopped replica was left behind");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    lab.stop();
    assert_eq!(lab.leftovers(), "", "containers, networks or volumes are left");
}

/// To Compose a replica made by the scaler is one of its own: asked for the count there is, it changes nothing.
async fn compose_recreates_nothing(lab: &Project) {
    // Without automatic actions the count stays what it is while Compose looks.
    lab.let_scaler("pause").await;
    let before = lab.containers("webapp");
    let scale = format!("webapp={}", before.len());
    lab.compose(&["up", "-d", "--no-build", "--scale", &scale]);
    let mut after = lab.containers("webapp");
    let mut expected = before;
    after.sort();
    expected.sort();
    assert_eq!(after, expected, "Compose made replicas anew");
    let listed = lab.compose(&["ps", "-q", "webapp"]);
    assert_eq!(
        listed.split_whitespace().count(),
        expected.len(),
        "Compose does not list all replicas:\n{listed}"
    );
    lab.let_scaler("resume").await;
}

/// Plain `up` goes back to the count of the file, which is Compose's rule. The scaler notices, and puts it right.
async fn plain_up_is_corrected(lab: &Project) {
    curl(&format!("{}/load/spike?factor=5&hold=75s&ramp=5s", lab.gateway));
    lab.wait_for("three replicas before the plain up", Duration::from_secs(60), |status| ready(status) >= 3)
        .await;
    // A change by hand begins a cooldown, so that no action of the policy meets Compose's.
    lab.scale_by_hand(5);
    lab.compose_beside_the_scaler(&["up", "-d", "--no-build"]);
    lab.wait_for("the lost replicas noticed", Duration::from_secs(30), |status| {
        status["last_decision"]["reason"] == "replicas_lost"
    })
    .await;
    lab.wait_for("the lost replicas replaced", Duration::from_secs(60), |status| ready(status) >= 3).await;
}
