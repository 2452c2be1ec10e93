//! Each fault does what it says, ends by itself or when cleared, and leaves probes and `/metrics` alone.

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use crate::replica::{PATIENCE, Replica, quiet};
use crate::scrape::Scrape;
use crate::wait;

async fn assert_watchable(replica: &Replica) {
    for path in ["/health", "/metrics"] {
        assert_eq!(replica.get(path).await.status, StatusCode::OK, "{path} is exempt from faults");
    }
}

#[tokio::test]
async fn latency_slows_jobs_until_it_is_over() {
    let replica = Replica::start(quiet()).await;
    replica.json("/faults/latency?add=150ms").await;
    let slow = replica.json("/").await["response_time_ms"].as_f64().unwrap();
    assert!((150.0..1000.0).contains(&slow), "{slow} ms with 150 ms added");
    assert_watchable(&replica).await;
    assert_eq!(replica.json("/faults").await["faults"]["added_latency_ms"], 150);

    replica.json("/faults/latency?add=150ms&for=300ms").await;
    let lasted = wait::until(PATIENCE, "the fault ends by itself", async || {
        replica.json("/faults").await["faults"]["added_latency_ms"] == 0
    })
    .await;
    assert!(lasted >= Duration::from_millis(250), "it ended after {lasted:?} already");
    let fast = replica.json("/").await["response_time_ms"].as_f64().unwrap();
    assert!(fast < 100.0, "{fast} ms without the fault");
}

#[tokio::test]
async fn metrics_tell_which_faults_are_on() {
    let replica = Replica::start(quiet()).await;
    let told = async |replica: &Replica| {
        let scrape = Scrape::of(replica).await;
        ["latency_seconds", "error_ratio", "unready"]
            .map(|fault| scrape.value(&format!("webapp_fault_{fault}")).to_string())
    };
    assert_eq!(told(&replica).await, ["0", "0", "0"]);
    for fault in ["latency?add=150ms", "errors?share=0.5", "unready"] {
        replica.json(&format!("/faults/{fault}")).await;
    }
    assert_eq!(told(&replica).await, ["0.15", "0.5", "1"]);
    replica.json("/faults/clear").await;
    assert_eq!(told(&replica).await, ["0", "0", "0"]);
}

#[tokio::test]
async fn errors_fail_their_share_of_the_jobs() {
    let replica = Replica::start(quiet()).await;
    replica.json("/faults/errors?share=1").await;
    let reply = replica.get("/").await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    let answer: Value = reply.json().unwrap();
    assert!(answer["error"].is_string() && answer["hint"].is_string(), "{answer}");
    assert_watchable(&replica).await;

    replica.json("/faults/errors?share=0.5").await;
    let mut failed = 0;
    for _ in 0..400 {
        failed += u32::from(replica.get("/").await.status == StatusCode::INTERNAL_SERVER_ERROR);
    }
    // Five standard deviations of 400 coins.
    assert!((150..=250).contains(&failed), "{failed} of 400 failed at a share of one half");
    let scrape = Scrape::of(&replica).await;
    let counted = scrape.value("webapp_errors_total{origin=\"user\"}");
    assert!((counted - f64::from(failed + 1)).abs() < 0.5, "{failed} + 1 failed, {counted} were counted");

    replica.json("/faults/clear").await;
    for _ in 0..50 {
        assert_eq!(replica.get("/").await.status, StatusCode::OK, "a cleared fault still fails jobs");
    }
}

#[tokio::test]
async fn unready_denies_readiness_alone() {
    let replica = Replica::start(quiet()).await;
    replica.json("/faults/unready").await;
    for path in ["/ready", "/health/ready"] {
        let reply = replica.get(path).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(!reply.headers.contains_key("retry-after"), "unreadiness is no honest refusal");
    }
    assert_eq!(replica.get("/").await.status, StatusCode::OK, "an unready replica goes on serving");
    assert_watchable(&replica).await;
    assert!(Scrape::of(&replica).await.value("webapp_health_status") < 0.5);

    replica.json("/faults/clear").await;
    assert_eq!(replica.get("/ready").await.status, StatusCode::OK, "cleared");

    replica.json("/faults/unready?for=300ms").await;
    let lasted = wait::until(PATIENCE, "the fault ends by itself", async || {
        replica.get("/ready").await.status == StatusCode::OK
    })
    .await;
    assert!(lasted >= Duration::from_millis(250), "it ended after {lasted:?} already");
}
