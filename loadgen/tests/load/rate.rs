//! Open model: requests are due at times drawn beforehand, and their response times count from there.

use std::time::Duration;

use loadgen::{Load, LoadConfig, LoadMetrics, run, run_with_metrics};
use observability::metrics::{Selection, TextFormat};
use observability::names;
use workload::Arrivals;

use crate::service::{Answer, Service};

pub(crate) fn rate(levels: &str, arrivals: Arrivals, max_users: usize) -> Load {
    Load::Rate { levels: levels.parse().expect(levels), arrivals, max_users }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_sends_what_was_drawn() {
    let service = Service::start([]).await;
    let config = LoadConfig {
        load: rate("200", Arrivals::Constant, 10),
        run_time: Some(Duration::from_secs(3)),
        ..service.config("mixed")
    };
    let result = run(&config, std::future::pending(), |_| {}).await.expect("the load runs");
    assert_eq!(result.scheduled, Some(600), "one each 5 ms: {result}");
    assert_eq!(result.requests + result.unsent + result.unanswered, 600, "{result}");
    assert_eq!(result.failures, 0, "{result}");
    let (intended, sent) = (result.latency_from_intended.unwrap(), result.latency_from_sent.unwrap());
    assert!(intended.mean_ms >= sent.mean_ms, "{result}");
    // Pauses are left out: 10 users who pause 1 to 3 s could not send so much.
    assert!(result.requests > 50, "{result}");
    for name in ["GET /api/dashboard", "POST /buy"] {
        assert!(
            result.by_request.iter().any(|request| request.name == name && request.requests > 0),
            "{result}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_freezes_cannot_hide_it() {
    let service = Service::start([("/api/dashboard", Answer::FreezesTwoSecondsOfTen)]).await;
    let config = LoadConfig {
        load: rate("100", Arrivals::Poisson, 400),
        run_time: Some(Duration::from_secs(10)),
        scenario: loadgen::Scenario::load("api-user", &["read".to_owned()]).unwrap(),
        ..service.config("api-user")
    };
    let result = run(&config, std::future::pending(), |_| {}).await.expect("the load runs");
    let intended = result.latency_from_intended.unwrap();
    assert!(intended.p99_ms >= 1500.0, "{result}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_sent_is_counted_with_its_wait() {
    let service = Service::start([("/api/dashboard", Answer::After(Duration::from_millis(500)))]).await;
    let config = LoadConfig {
        // Two users bring 4 of 40 requests per second through.
        load: rate("40", Arrivals::Constant, 2),
        run_time: Some(Duration::from_secs(4)),
        timeout: Duration::from_secs(1),
        scenario: loadgen::Scenario::load("api-user", &["read".to_owned()]).unwrap(),
        thresholds: vec!["errors=50%".parse().unwrap()],
        ..service.config("api-user")
    };
    let result = run(&config, std::future::pending(), |_| {}).await.expect("the load runs");
    assert_eq!(result.scheduled, Some(160), "{result}");
    assert!(result.unsent > 100, "{result}");
    let (intended, sent) = (result.latency_from_intended.unwrap(), result.latency_from_sent.unwrap());
    assert!(intended.p99_ms > 1000.0, "slots waited at least the timeout: {result}");
    assert!(sent.p50_ms < intended.p50_ms, "{result}");
    assert!(!result.held(), "what was not sent is no success: {result}");
    assert!(result.generator.notes.iter().any(|note| note.contains("--max-users")), "{result}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_is_given_up_counts_as_due_at_once() {
    let service = Service::start([("/api/dashboard", Answer::After(Duration::from_millis(500)))]).await;
    let config = LoadConfig {
        load: rate("40", Arrivals::Constant, 2),
        run_time: Some(Duration::from_secs(6)),
        timeout: Duration::from_secs(1),
        scenario: loadgen::Scenario::load("api-user", &["read".to_owned()]).unwrap(),
        ..service.config("api-user")
    };
    let metrics = LoadMetrics::default();
    let count = |name: &str| -> u64 {
        let text = metrics.registry().encode(&Selection::All, TextFormat::Classic);
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("`{name}` is missing:\n{text}"))
    };
    let counts = || {
        let sent = count(names::LOADGEN_SENT_TOTAL);
        (count(names::LOADGEN_SCHEDULED_TOTAL), sent)
    };
    let mut while_it_ran = (0, 0);
    let watch = |_| while_it_ran = counts();
    let result = run_with_metrics(&config, &metrics, std::future::pending(), watch).await.expect("it runs");
    let (due, sent) = while_it_ran;
    assert!(due > sent + 40, "{due} were due and {sent} sent, of 40 due and 4 sent a second: {result}");
    assert_eq!(counts(), (result.scheduled.unwrap(), result.requests + result.unanswered), "{result}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recorded_trace_is_played_as_it_was() {
    let service = Service::start([]).await;
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace.csv");
    std::fs::write(&trace, "time,requests\n0,50\n1,150\n").unwrap();
    let shape = loadgen::read_shape(&trace).expect("a trace");
    let levels = loadgen::Levels::steady(1.0).shaped(shape, "trace.csv").expect("one number");
    let config = LoadConfig {
        load: Load::Rate { levels, arrivals: Arrivals::Constant, max_users: 20 },
        run_time: None,
        ..service.config("api-user")
    };
    let result = run(&config, std::future::pending(), |_| {}).await.expect("the load runs");
    assert!((result.duration_seconds - 2.0).abs() < 0.01, "{result}");
    assert_eq!(result.scheduled, Some(200), "50 and 150: {result}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn levels_change_over_time_in_both_models() {
    let service = Service::start([]).await;
    let config = LoadConfig {
        load: rate("0/1s,200/2s", Arrivals::Constant, 20),
        run_time: None,
        ..service.config("api-user")
    };
    let result = run(&config, std::future::pending(), |_| {}).await.expect("the load runs");
    assert!((result.duration_seconds - 3.0).abs() < 0.01, "{result}");
    assert_eq!(result.scheduled, Some(400), "{result}");

    let mut most = 0;
    let config = LoadConfig {
        load: Load::Users("2/2s,12/2s,3/2s".parse().unwrap()),
        run_time: None,
        ..service.config("api-user")
    };
    let watch = |now: loadgen::Progress| most = most.max(now.users);
    let result = run(&config, std::future::pending(), watch).await.expect("the load runs");
    assert!((result.duration_seconds - 6.0).abs() < 0.01, "{result}");
    assert_eq!(most, 12);
    let last = result.series.last().unwrap();
    assert_eq!((last.users, result.users), (3, 12), "{:?}", result.series);
}
