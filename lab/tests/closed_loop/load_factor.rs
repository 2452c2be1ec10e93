//! The load factor is one for the whole service, whoever is told and whoever comes later.

use std::time::{Duration, Instant};

use crate::support::{TIMEOUT, Up};

async fn wait_for_factor(up: &Up, factor: f64, within: Duration) {
    let began = Instant::now();
    loop {
        let mut factors = Vec::new();
        for (url, _) in up.in_rotation().await {
            factors.push(up.get(&format!("{url}/load")).await.ok().and_then(|load| load["factor"].as_f64()));
        }
        if !factors.is_empty()
            && factors.iter().all(|found| found.is_some_and(|found| (found - factor).abs() < 1e-9))
        {
            return;
        }
        assert!(began.elapsed() < within, "after {within:?} the factors are {factors:?} instead of {factor}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_spike_through_the_gateway_is_in_force_everywhere_and_on_those_that_come_later() {
    let up = Up::start(&["--min-replicas", "2", "--check-interval", "1h"]);
    up.wait_for_replicas(2, TIMEOUT).await;
    up.get(&format!("{}/load/spike?factor=3&hold=60s", up.gateway)).await.expect("the spike is taken");
    wait_for_factor(&up, 3.0, Duration::from_secs(2)).await;
    up.scale_by_hand(4).await;
    up.wait_for_replicas(4, TIMEOUT).await;
    wait_for_factor(&up, 3.0, Duration::from_secs(2)).await;
    // Also through one replica that came later, and through the scaler's page.
    let (url, _) = up.in_rotation().await.pop().expect("four are in rotation");
    up.get(&format!("{url}/load/reset")).await.expect("the reset is taken");
    wait_for_factor(&up, 1.0, Duration::from_secs(2)).await;
    up.get(&format!("{}/api/load/increase", up.scaler)).await.expect("the page passes it on");
    wait_for_factor(&up, 2.0, Duration::from_secs(2)).await;
}
