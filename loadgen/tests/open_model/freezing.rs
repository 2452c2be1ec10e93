//! Coordinated omission: a service that freezes cannot hide it, nor is it blamed on the generator.

use std::future::pending;
use std::time::Duration;

use loadgen::LevelPlan;
use loadgen_baseline::{Allowance, Check, Level, Slo};

use crate::service::{Service, plan};

#[tokio::test]
async fn a_freeze_of_2_s_in_every_10_s_shows_in_p99_from_the_intended_start() {
    let service = Service::start().await;
    let mut engine = service.engine("/freezing", 4).await;
    // The freeze of the eighth second is then in the middle, and what waited for its end is sent.
    let plan = LevelPlan { warm_up: Duration::from_secs(3), ..plan(200.0, Duration::from_secs(10)) };
    let level =
        engine.run_level(&plan, pending(), |_| {}).await.expect("the service answers most of the time");
    let p99 = level.from_intended_micros.value_at_quantile(0.99);
    assert!(p99 >= 1_500_000, "{p99} µs: a fifth of the requests wait, each up to 2 s");
    let p50 = level.from_intended_micros.value_at_quantile(0.50);
    assert!(p50 < 500_000, "{p50} µs: most are not concerned");
    // Four requests were in flight, and only they would have shown it in a closed model.
    let slow_from_sent = level.from_sent_micros.len() - level.from_sent_micros.count_between(0, 500_000);
    assert!(slow_from_sent <= 8, "{slow_from_sent} requests were sent into a freeze");
    // All four were busy for a fifth of the time only, and yet nothing could be sent in it.
    assert!(level.mean_in_flight < 2.0, "{}", level.mean_in_flight);
    let lateness = level.send_lateness_micros.value_at_quantile(0.99);
    assert!(lateness >= 1_500_000, "{lateness} µs");
    // A busy machine sends late, though not by that much, and may leave the last ones unsent.
    let allowance = Allowance { connections: 4, lateness: Duration::from_secs(1) };
    let judged = Level::judge(1, plan.warm_up, level, &Slo::default(), allowance);
    let blamed: Vec<Check> =
        judged.flaws.iter().filter(|flaw| flaw.is_generators()).map(|flaw| flaw.check).collect();
    assert!(blamed.iter().all(|check| *check == Check::Unsent), "{:?}", judged.flaws);
    assert!(judged.measurement.unsent_by_generator <= 20, "{}", judged.measurement.unsent_by_generator);
}
