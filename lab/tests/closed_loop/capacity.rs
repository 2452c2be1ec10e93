//! Two replicas carry twice the throughput of one, four carry four times, through the gateway.

use std::time::Duration;

use crate::support::traffic::saturated_throughput;
use crate::support::{TIMEOUT, Up};

/// 4 workers of 50 ms: what one replica can carry.
const CAPACITY_PER_REPLICA: f64 = 80.0;

#[tokio::test]
async fn throughput_grows_with_the_replicas() {
    let quiet = ["--check-interval", "1h", "--base-rps", "0", "--service-distribution", "constant"];
    let up = Up::start(&quiet);
    let mut measured = Vec::new();
    for replicas in [1, 2, 4] {
        up.scale_by_hand(replicas).await;
        up.wait_for_replicas(replicas as usize, TIMEOUT).await;
        // Enough users that no worker idles, few enough that no queue overflows.
        let users = 24 * replicas as usize;
        let url = format!("{}/", up.gateway);
        let rate = saturated_throughput(&url, users, Duration::from_secs(4), Duration::from_secs(8)).await;
        measured.push((f64::from(replicas), rate));
    }
    let (_, one) = measured[0];
    for (replicas, rate) in &measured {
        let (ratio, of_capacity) = (rate / one, rate / (CAPACITY_PER_REPLICA * replicas));
        assert!(
            (ratio / replicas - 1.0).abs() < 0.05,
            "{replicas} replicas carry {ratio:.2} times one: {measured:?}"
        );
        assert!((of_capacity - 1.0).abs() < 0.05, "{replicas} replicas carry {rate:.1}/s: {measured:?}");
    }
}
