//! Scaling and failures under steady load lose no request that could be saved.

use std::time::{Duration, Instant};

use crate::support::traffic::SteadyTraffic;
use crate::support::{TIMEOUT, Up, send_signal};

/// Nothing scales by itself, nothing but the test's own requests is served.
const QUIET: [&str; 8] =
    ["--check-interval", "1h", "--base-rps", "0", "--service-time", "10ms", "--scale-up-checks", "1"];

#[tokio::test]
async fn twenty_scale_ups_and_scale_downs_lose_no_request() {
    let up = Up::start(&QUIET);
    up.wait_for_replicas(1, TIMEOUT).await;
    let traffic = SteadyTraffic::start(format!("{}/", up.gateway), 100);
    for _ in 0..20 {
        up.scale_by_hand(2).await;
        up.wait_for_replicas(2, TIMEOUT).await;
        up.scale_by_hand(1).await;
        up.wait_for_replicas(1, TIMEOUT).await;
    }
    let outcome = traffic.finish().await;
    assert!(outcome.problems.is_empty(), "{} lost: {:#?}", outcome.problems.len(), outcome.problems);
    assert!(outcome.succeeded > 100, "only {} requests were sent", outcome.succeeded);
}

#[tokio::test]
async fn a_replica_killed_under_load_costs_no_get() {
    let up = Up::start(&[&QUIET[..], &["--min-replicas", "3"]].concat());
    up.wait_for_replicas(3, TIMEOUT).await;
    let traffic = SteadyTraffic::start(format!("{}/", up.gateway), 150);
    for _ in 0..3 {
        let began = Instant::now();
        let (_, victim) = up.in_rotation().await[0].clone();
        send_signal(victim, "KILL");
        loop {
            let rotation = up.in_rotation().await;
            if rotation.len() == 3 && rotation.iter().all(|(_, pid)| *pid != victim) {
                break;
            }
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "it was not replaced:\n{}",
                up.lines().join("\n")
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let outcome = traffic.finish().await;
    assert!(outcome.problems.is_empty(), "{} lost: {:#?}", outcome.problems.len(), outcome.problems);
}
