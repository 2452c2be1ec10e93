//! A service that freezes fails every model with the same verdict; what ends after the end is told.

use std::time::Duration;

use http::Method;
use loadgen::{Levels, Load, LoadConfig, run};
use workload::Arrivals;

use crate::engines::Asked;
use crate::server::{Manner, OK, Server};

fn asked(url: &str, run_time: Duration) -> Asked<'_> {
    Asked { url, method: Method::GET, timeout: Duration::from_secs(10), run_time }
}

fn rate(rps: f64) -> Load {
    Load::Rate { levels: Levels::steady(rps), arrivals: Arrivals::Constant, max_users: 200 }
}

fn users(count: f64) -> Load {
    Load::Users(Levels::steady(count))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_service_fails_users_and_a_rate_alike() {
    for load in [users(5.0), rate(20.0)] {
        let server = Server::start(Manner::FreezesAfter(Duration::from_secs(3))).await;
        let config = LoadConfig {
            // Each of five users waits once at the end, among some 180 answers.
            thresholds: vec!["p99=500ms".parse().unwrap(), "errors=1%".parse().unwrap()],
            ..asked(&server.url, Duration::from_secs(6)).config(load.clone())
        };
        let result = run(&config, std::future::pending(), |_| {}).await.expect("the load runs");
        let held: Vec<bool> = result.thresholds.iter().map(|verdict| verdict.held).collect();
        assert_eq!(held, [false, false], "{load:?}: {result}");
        assert!(result.unanswered >= 5, "{load:?}: {result}");
        assert_eq!(result.error_sum.unanswered, result.unanswered, "{result}");
        let waited = result.latency().expect("there were answers").max_ms;
        assert!(waited >= 2000.0, "{load:?}: the wait is missing: {result}");
        assert_eq!(result.errors["unanswered at the end"], result.unanswered, "{result}");
        let row = result.errors_by_request.iter().find(|row| row.error == "unanswered at the end");
        assert_eq!(row.and_then(|row| row.request.as_deref()), Some("GET /"), "{result}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_answered_after_the_end_is_told_in_every_format() {
    // Answers after 1.2 s, and the run has 1 s.
    let folder = tempfile::tempdir().unwrap();
    for load in [users(4.0), rate(4.0)] {
        let server = Server::start(Manner::RedirectsSlowly(0, Duration::from_millis(1200))).await;
        let names = ["late.csv", "late.html", "late.json", "late.md"];
        let config = LoadConfig {
            reports: names.iter().map(|name| folder.path().join(name)).collect(),
            ..asked(&server.url, Duration::from_secs(1)).config(load.clone())
        };
        let result = run(&config, std::future::pending(), |_| {}).await.expect("the load runs");
        assert_eq!((result.requests, result.late, result.unanswered), (4, 4, 0), "{load:?}: {result}");
        assert!(result.latency().is_some_and(|latency| latency.p50_ms >= 1000.0), "{load:?}: {result}");
        if matches!(load, Load::Users(_)) {
            assert!(result.requests_per_second.abs() < f64::EPSILON, "none ended in the second: {result}");
        }
        let last = result.series.last().expect("a second was measured");
        assert!(last.at_seconds <= 1.001 && last.users >= 3, "the drain is not the run: {last:?}");
        assert!(last.requests_per_second.abs() < f64::EPSILON, "{last:?}");
        let told = "4 requests ended after the measured time";
        assert!(result.to_string().contains(told), "{result}");
        for name in names {
            let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
            let part = match name {
                "late.csv" => ",4,0,0,",
                "late.json" => "\"late\": 4",
                _ => told,
            };
            assert!(text.contains(part), "{name} lacks {part}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evenly_spaced_requests_are_as_many_as_the_rate_says() {
    let server = Server::start(Manner::Answers(OK)).await;
    let config = LoadConfig {
        thresholds: vec!["rps=20".parse().unwrap()],
        ..asked(&server.url, Duration::from_secs(4)).config(rate(20.0))
    };
    let result = run(&config, std::future::pending(), |_| {}).await.expect("the load runs");
    assert_eq!((result.scheduled, result.error_sum.errors()), (Some(80), 0), "{result}");
    assert!(result.held(), "{result}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_of_all_requests_failing_is_said_without_a_threshold() {
    let answer = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
    let server = Server::start(Manner::Answers(answer)).await;
    let folder = tempfile::tempdir().unwrap();
    let names = ["failed.html", "failed.md"];
    let config = LoadConfig {
        reports: names.iter().map(|name| folder.path().join(name)).collect(),
        ..asked(&server.url, Duration::from_secs(1)).config(users(2.0))
    };
    let result = run(&config, std::future::pending(), |_| {}).await.expect("the load runs");
    assert!(result.held(), "nothing was asked for: {result}");
    let text = result.to_string();
    assert!(text.contains("FAILED: errors 100.00 %") && text.contains("WARNING: errors 100.00 %"), "{text}");
    assert!(text.contains("error: GET /  status 404"), "{text}");
    for name in names {
        let report = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(
            report.contains("FAILED: errors 100.00 %") && report.contains("status 404"),
            "{name}: {report}"
        );
    }
    let judged =
        LoadConfig { thresholds: vec!["errors=100%".parse().unwrap()], reports: Vec::new(), ..config };
    let result = run(&judged, std::future::pending(), |_| {}).await.expect("the load runs");
    assert!(result.held() && result.unnoticed_errors().is_none(), "who asks for it knows: {result}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_count_for_max_errors_as_they_do_for_thresholds() {
    let answer = "HTTP/1.1 503 Full\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n";
    let server = Server::start(Manner::Answers(answer)).await;
    let config = LoadConfig {
        max_errors: Some("10".parse().unwrap()),
        ..asked(&server.url, Duration::from_secs(60)).config(users(2.0))
    };
    let result = run(&config, std::future::pending(), |_| {}).await.expect("the load runs");
    assert!(result.gave_up.as_ref().is_some_and(|reason| reason.contains("refused")), "{result}");
    assert!(result.duration_seconds < 30.0, "{result}");
}
