//! What users send, and what is counted of it.

use std::time::Duration;

use loadgen::{LoadConfig, LoadResult, RequestResult, run};

use crate::service::{Answer, Service, users};

async fn load(config: &LoadConfig) -> LoadResult {
    run(config, std::future::pending(), |_| {}).await.expect("the load runs")
}

fn request<'a>(result: &'a LoadResult, name: &str) -> &'a RequestResult {
    result.by_request.iter().find(|request| request.name == name).expect(name)
}

#[tokio::test]
async fn both_user_types_send_what_the_service_takes() {
    let service = Service::start([]).await;
    let mut progress = Vec::new();
    let config = LoadConfig { load: users(40), ..service.config("mixed") };
    let result = run(&config, std::future::pending(), |now| progress.push(now)).await.expect("the load runs");

    let seen = service.seen();
    for path in ["/", "/api/dashboard", "/api/events", "/order", "/buy"] {
        assert!(seen.contains_key(path), "nobody asked for {path}: {seen:?}");
    }
    assert_eq!((result.failures, result.refusals), (0, 0), "{result}");
    assert_eq!(result.requests, result.by_request.iter().map(|request| request.requests).sum::<u64>());
    // Users who pause 2 s on average act more than once in 3 s, even without their very first action.
    assert!(result.requests >= 30, "{result}");
    assert!(result.requests < seen.values().sum(), "the first request, before the load, counts for nothing");
    assert!((result.duration_seconds - 3.0).abs() < 0.01, "{result}");
    let in_time = (result.requests - result.late) as f64;
    assert!((result.requests_per_second * result.duration_seconds - in_time).abs() < 1e-6, "{result}");
    assert!(result.ramped_up && !result.interrupted && result.held());
    assert!(
        progress.iter().any(|now| now.users == 40 && now.requests > 0 && !now.ramping_up),
        "{progress:?}"
    );
}

#[tokio::test]
async fn an_api_user_only_uses_the_api() {
    let service = Service::start([]).await;
    let result = load(&LoadConfig { load: users(5), ..service.config("api-user") }).await;
    let names: Vec<_> = result.by_request.iter().map(|request| request.name.as_str()).collect();
    assert_eq!(names, ["GET /api/dashboard", "POST /api/events"]);
    assert!(!service.seen().contains_key("/order"), "{:?}", service.seen());
}

#[tokio::test]
async fn a_refusal_is_counted_apart_from_a_failure_and_has_no_response_time() {
    let service = Service::start([("/order", Answer::Refuse), ("/buy", Answer::Unavailable)]).await;
    let config = LoadConfig {
        thresholds: vec!["errors=1%".parse().unwrap()],
        load: users(40),
        ..service.config("buyer")
    };
    let result = load(&config).await;

    let order = request(&result, "POST /order");
    assert!(order.refusals > 0, "{result}");
    assert_eq!(
        (order.refusals, order.failures, order.latency_from_sent),
        (order.requests, 0, None),
        "{result}"
    );
    let buy = request(&result, "POST /buy");
    assert!(buy.failures > 0 && buy.refusals == 0 && buy.latency_from_sent.is_some(), "{result}");
    assert_eq!(result.errors.keys().collect::<Vec<_>>(), ["status 503"], "{result}");
    assert!(!result.held(), "refusals and failures are both errors: {result}");
}

#[tokio::test]
async fn thresholds_hold_or_do_not() {
    let service = Service::start([("/api/dashboard", Answer::After(Duration::from_millis(80)))]).await;
    let thresholds = ["p50=79ms", "p99=2s", "errors=0%", "rps=1", "rps=1000"];
    let config = LoadConfig {
        thresholds: thresholds.map(|text| text.parse().unwrap()).to_vec(),
        ..service.config("api-user")
    };
    let result = load(&config).await;
    let held: Vec<_> = result.thresholds.iter().map(|verdict| verdict.held).collect();
    assert_eq!(held, [false, true, true, true, false], "{result}");
    assert!(!result.held());
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_a_failure_and_counts_with_the_time_it_waited() {
    let service = Service::start([("/api/dashboard", Answer::Never)]).await;
    let config = LoadConfig { timeout: Duration::from_millis(300), ..service.config("api-user") };
    let result = load(&config).await;
    let dashboard = request(&result, "GET /api/dashboard");
    assert!(dashboard.failures > 0, "{result}");
    assert_eq!(dashboard.failures, dashboard.requests, "{result}");
    assert!(dashboard.latency_from_sent.is_some_and(|latency| latency.p50_ms >= 299.0), "{result}");
    assert_eq!(result.errors.keys().collect::<Vec<_>>(), ["timed out"], "{result}");
}
