//! Levels of a rate whose requests are a scenario's: the same record, by the same rules, as from the open-model engine.

use std::future::{pending, ready};
use std::time::Duration;

use loadgen::{
    FailureKind, LevelPlan, LoadError, Measurement, RequestError, Scenario, ScenarioModel, ScenarioTarget,
};
use loadgen_baseline::{Allowance, Level, LevelVerdict, Slo};
use workload::Arrivals;

use crate::service::{Answer, Service};

const PLAN: LevelPlan = LevelPlan {
    rate_rps: 100.0,
    warm_up: Duration::from_millis(500),
    hold: Duration::from_secs(2),
    arrivals: Arrivals::Constant,
    seed: 1,
};

async fn model(service: &Service, scenario: Scenario, users_of_a_kind: usize) -> ScenarioModel {
    let target = ScenarioTarget {
        base_url: service.host.clone(),
        scenario,
        users_of_a_kind,
        timeout: Duration::from_secs(1),
    };
    ScenarioModel::connect(target).await.expect("the service answers")
}

fn judged(plan: &LevelPlan, measurement: Measurement, connections: usize) -> Level {
    // A busy machine sends late, which is not what is tested here.
    let allowance = Allowance { connections, lateness: Duration::from_secs(1) };
    Level::judge(1, plan.warm_up, measurement, &Slo::default(), allowance)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_that_was_due_is_in_the_record_once() {
    let service = Service::start([]).await;
    let scenario = Scenario::load("mixed", &[]).expect("it is shipped");
    let mut model = model(&service, scenario, 50).await;
    let mut told = Vec::new();
    let level = model.run_level(&PLAN, pending(), |progress| told.push(progress)).await.expect("it runs");
    // One each 10 ms, those of the warm-up not among them.
    assert_eq!((level.scheduled, level.unsent), (200, 0), "{level:?}");
    assert_eq!(level.sent, level.send_lateness_micros.len());
    assert_eq!((level.from_intended_micros.len(), level.failed()), (200, 0));
    assert_eq!((level.measured, level.parts.len()), (PLAN.hold, 10));
    assert!(level.succeeded.abs_diff(200) <= 5, "what is in flight at the edges: {level:?}");
    assert!(level.generator_cpu_cores.is_some_and(|cores| cores > 0.0), "{level:?}");
    let last = told.last().expect("2.5 s are told twice");
    assert!(last.so_far.succeeded > 0 && last.offered_rps == Some(100.0), "{told:?}");
    let level = judged(&PLAN, level, 50);
    assert_eq!(level.verdict, LevelVerdict::Held, "{:?}", level.flaws);

    let faster = LevelPlan { rate_rps: 200.0, hold: Duration::from_secs(1), seed: 2, ..PLAN };
    let level = model.run_level(&faster, pending(), |_| {}).await.expect("one level after the other");
    assert_eq!(level.scheduled, 200, "{level:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_all_users_wait_it_is_the_service_that_is_too_slow() {
    let service = Service::start([("/api/dashboard", Answer::After(Duration::from_millis(500)))]).await;
    let scenario = Scenario::load("api-user", &["read".to_owned()]).expect("it is shipped");
    let mut model = model(&service, scenario, 2).await;
    // Two users bring 4 of 40 requests per second through.
    let plan = LevelPlan { rate_rps: 40.0, ..PLAN };
    let level = model.run_level(&plan, pending(), |_| {}).await.expect("it runs");
    assert_eq!((level.scheduled, level.sent + level.unsent), (80, 80), "{level:?}");
    assert!(level.unsent > 40, "{level:?}");
    assert!(level.from_intended_micros.max() >= 1_000_000, "they waited as long as the timeout: {level:?}");
    assert!(level.mean_in_flight > 1.8, "{level:?}");
    let level = judged(&plan, level, 2);
    assert_eq!(level.verdict, LevelVerdict::TooSlow, "{:?}", level.flaws);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_freeze_that_keeps_all_users_busy_is_not_blamed_on_the_generator() {
    let service = Service::start([("/api/dashboard", Answer::FreezesTwoSecondsOfTen)]).await;
    let scenario = Scenario::load("api-user", &["read".to_owned()]).expect("it is shipped");
    let mut model = model(&service, scenario, 4).await;
    let plan = LevelPlan { hold: Duration::from_secs(10), ..PLAN };
    let level = model.run_level(&plan, pending(), |_| {}).await.expect("it runs");
    let lateness = level.send_lateness_micros.value_at_quantile(0.99);
    assert!(lateness >= 500_000, "{lateness} µs: {level:?}");
    assert!(level.unsent > 10, "what waited for longer than the timeout: {level:?}");
    assert!(level.mean_in_flight < 3.0, "{level:?}");
    let level = judged(&plan, level, 4);
    assert!(level.flaws.iter().all(|flaw| !flaw.is_generators()), "{:?}", level.flaws);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_users_do_on_their_start_is_no_part_of_a_level() {
    const TEXT: &str = "
apiVersion: autoscale-lab/v1
kind: Scenario
spec:
  users:
    - name: Visitor
      wait: {constant: 1s}
      onStart: [{path: /}]
      tasks:
        - {name: look, steps: [{path: /api/dashboard}]}
";
    let service = Service::start([("/", Answer::Unavailable)]).await;
    let scenario = Scenario::from_text("test", "test", TEXT, None, &[]).expect("a scenario");
    let mut model = model(&service, scenario, 30).await;
    let level = model.run_level(&PLAN, pending(), |_| {}).await.expect("it runs");
    assert!(service.seen()["/"] >= 30, "each of 30 users began with it: {:?}", service.seen());
    assert_eq!((level.scheduled, level.failed()), (200, 0), "{level:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_level_that_is_stopped_has_what_was_measured_until_then() {
    let service = Service::start([]).await;
    let mut model = model(&service, Scenario::default(), 10).await;
    let plan = LevelPlan { warm_up: Duration::from_millis(100), hold: Duration::from_secs(60), ..PLAN };
    let stop = tokio::sync::Notify::new();
    let level = model
        .run_level(&plan, stop.notified(), |progress| {
            if progress.so_far.sent > 50 {
                stop.notify_one();
            }
        })
        .await
        .expect("it was stopped in the hold");
    assert!(level.measured < Duration::from_secs(30) && level.scheduled > 50, "{level:?}");
    assert_eq!(level.scheduled, level.sent + level.unsent);

    let before = model.run_level(&plan, ready(()), |_| {}).await;
    assert!(matches!(before, Err(LoadError::Stopped)), "{before:?}");
}

#[tokio::test]
async fn what_cannot_be_is_named_before_anything_starts() {
    let service = Service::start([]).await;
    let target = |base_url: &str, users_of_a_kind| ScenarioTarget {
        base_url: base_url.to_owned(),
        scenario: Scenario::default(),
        users_of_a_kind,
        timeout: Duration::from_secs(1),
    };
    for (target, part) in [
        (target("http://127.0.0.1:1", 1), "cannot be reached"),
        (target("ftp://127.0.0.1", 1), "--host"),
        (target(&service.host, 0), "connections is 0"),
        (target(&service.host, usize::MAX), "1 to 100000"),
    ] {
        let error = ScenarioModel::connect(target).await.expect_err(part).to_string();
        assert!(error.contains(part) && error.contains("hint: "), "{error}");
    }
    let mut model = model(&service, Scenario::default(), 1).await;
    let plan = LevelPlan { rate_rps: 0.0, ..PLAN };
    let error = model.run_level(&plan, pending(), |_| {}).await.expect_err("no rate").to_string();
    assert!(error.starts_with("rate is 0, expected more than 0"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_error_of_a_level_is_told_by_the_name_of_its_request() {
    let service = Service::start([("/api/dashboard", Answer::Unavailable)]).await;
    let text = "apiVersion: autoscale-lab/v1\nkind: Scenario\nspec:\n  users:\n    - name: u\n      wait: none\n      tasks:\n        \
                - steps: [{path: /}]\n        - steps: [{path: /api/dashboard, name: broken}]\n";
    let scenario = Scenario::from_text("test.yaml", "test", text, None, &[]).expect("it is a scenario");
    let broken = scenario.request_names().iter().position(|name| name == "broken");
    assert!(broken.is_some(), "{:?}", scenario.request_names());
    let mut model = model(&service, scenario, 20).await;
    let plan = LevelPlan { hold: Duration::from_secs(1), ..PLAN };
    let level = model.run_level(&plan, pending(), |_| {}).await.expect("it runs");
    let status = RequestError::Failed(FailureKind::Status(503));
    let by_request = &level.errors_by_request;
    assert_eq!(by_request.keys().collect::<Vec<_>>(), [&(broken, status)], "{by_request:?}");
    assert_eq!(by_request.values().sum::<u64>(), level.errors(), "{by_request:?}");
    assert!(level.errors() > 20, "about half of 100: {by_request:?}");
}
