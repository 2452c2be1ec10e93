//! The service and its dependency, each with a policy of its own, scaled by one scaler.

use std::time::Duration;

use serde_json::Value;

use crate::docker::{bounded, is_there, run};
use crate::ground::fast_overlay;
use crate::project::Project;

/// Waits until this service of the scaler's has so many replicas in rotation.
async fn replicas(lab: &Project, service: &str, wanted: impl Fn(u64) -> bool, within: Duration) {
    let url = format!("{}/api/services/{service}/status", lab.scaler);
    let count = |status: &Value, which: &str| status["replicas"][which].as_u64();
    let is_reached =
        |status: &Value| ["ready", "current"].iter().all(|which| count(status, which).is_some_and(&wanted));
    lab.wait_for_status_at(&url, &format!("the replicas of {service}"), within, is_reached).await;
}

#[tokio::test]
#[ignore = "minutes; scripts/long-run.sh runs it"]
async fn a_spike_scales_the_service_and_its_dependency() {
    if !is_there() {
        return;
    }
    let overlays = format!("{} dependency", fast_overlay());
    let lab = Project::start("labcmp-several", &[("LAB_OVERLAYS", &overlays)]);
    for service in ["webapp", "dependency"] {
        replicas(&lab, service, |count| count == 1, Duration::from_secs(60)).await;
    }
    let spike = format!("{}/load/spike?factor=5&hold=60s&ramp=5s", lab.gateway);
    run(bounded(Duration::from_secs(10), "curl").args(["-fsS", "--max-time", "8", &spike]));
    let patience = Duration::from_secs(75);
    replicas(&lab, "webapp", |count| count >= 3, patience).await;
    replicas(&lab, "dependency", |count| count >= 2, patience).await;
    // To the engine each is a service of its own.
    assert!(lab.containers("webapp").len() >= 3 && lab.containers("dependency").len() >= 2);

    for service in ["webapp", "dependency"] {
        replicas(&lab, service, |count| count == 1, Duration::from_secs(180)).await;
    }
    lab.stop();
    assert_eq!(lab.leftovers(), "", "containers, networks or volumes are left");
}
