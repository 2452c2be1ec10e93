//! Coordinated omission: a service that freezes cannot hide it.

use std::future::pending;
use std::time::Duration;

use crate::service::{Service, plan};

#[tokio::test]
async fn a_freeze_of_2_s_in_every_10_s_shows_in_p99_from_the_intended_start() {
    let service = Service::start().await;
    let mut engine = service.engine("/freezing", 4).await;
    let level = engine
        .run_level(&plan(200.0, Duration::from_secs(10)), pending(), |_| {})
        .await
        .expect("the service answers most of the time");
    let p99 = level.from_intended_micros.value_at_quantile(0.99);
    assert!(p99 >= 1_500_000, "{p99} µs: a fifth of the requests wait, each up to 2 s");
    let p50 = level.from_intended_micros.value_at_quantile(0.50);
    assert!(p50 < 500_000, "{p50} µs: most are not concerned");
    // Four requests were in flight, and only they would have shown it in a closed model.
    let slow_from_sent = level.from_sent_micros.len() - level.from_sent_micros.count_between(0, 500_000);
    assert!(slow_from_sent <= 8, "{slow_from_sent} requests were sent into a freeze");
}
