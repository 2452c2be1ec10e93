//! How a run ends: before it begins, early, on Ctrl-C, and against a service that hangs.

use std::time::{Duration, Instant};

use loadgen::{LoadConfig, LoadError, run};
use tokio::net::TcpListener;

use crate::service::{Answer, Service, users};

/// Longer than any test may take.
const FOR_EVER: Duration = Duration::from_secs(600);

#[tokio::test]
async fn a_service_that_is_down_is_named_before_anything_starts() {
    // A port that was free a moment ago, and has nobody behind it.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("load.html");
    let config = LoadConfig {
        host: format!("http://{address}"),
        reports: vec![report.clone()],
        ..LoadConfig::default()
    };
    let error = run(&config, std::future::pending(), |_| {}).await.expect_err("nobody is there");
    assert!(matches!(error, LoadError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    assert!(error.to_string().contains("refused"), "the reason is missing: {error}");
    assert!(!report.exists(), "a report of nothing was begun");
}

#[tokio::test]
async fn a_setting_that_cannot_be_is_refused_before_anything_starts() {
    let service = Service::start([]).await;
    let config = LoadConfig { load: users(0), ..service.config("mixed") };
    let error = run(&config, std::future::pending(), |_| {}).await.expect_err("nobody would act");
    assert!(matches!(error, LoadError::Config(_)), "{error}");
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn a_stop_before_the_start_starts_nothing() {
    let service = Service::start([]).await;
    let error = run(&service.config("mixed"), async {}, |_| {}).await.expect_err("it was stopped at once");
    assert!(matches!(error, LoadError::Stopped), "{error}");
    assert!(service.seen().values().sum::<u64>() <= 1, "{:?}", service.seen());
}

#[tokio::test]
async fn a_stop_ends_the_run_early_with_result_and_reports() {
    let service = Service::start([]).await;
    let folder = tempfile::tempdir().unwrap();
    let reports = ["load.html", "load.csv"].map(|name| folder.path().join(name));
    let config =
        LoadConfig { run_time: Some(FOR_EVER), reports: reports.to_vec(), ..service.config("api-user") };
    let mut stopped_at = None;
    let stop = async {
        while service.seen().values().sum::<u64>() < 30 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stopped_at = Some(Instant::now());
    };
    let result = run(&config, stop, |_| {}).await.expect("the load runs");

    assert!(stopped_at.unwrap().elapsed() < Duration::from_secs(4), "it went on after the stop");
    assert!(result.interrupted && result.ramped_up, "{result}");
    assert!(result.requests > 0 && result.duration_seconds < 60.0, "{result}");
    for report in &reports {
        let text = std::fs::read_to_string(report).unwrap();
        assert!(text.contains("/api/dashboard"), "{} is incomplete", report.display());
    }
}

#[tokio::test]
async fn a_stop_in_the_ramp_up_leaves_a_result_that_says_so() {
    let service = Service::start([]).await;
    let config = LoadConfig { ramp_up: FOR_EVER, load: users(6000), ..service.config("api-user") };
    let stop = async {
        while service.seen().values().sum::<u64>() < 5 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let result = run(&config, stop, |_| {}).await.expect("the load runs");
    assert!(result.interrupted && !result.ramped_up && result.requests > 0, "{result}");
}

#[tokio::test]
async fn a_service_that_hangs_does_not_keep_the_run_from_ending() {
    let service = Service::start([("/api/dashboard", Answer::Never)]).await;
    let config = LoadConfig {
        run_time: Some(Duration::from_secs(1)),
        timeout: FOR_EVER,
        ..service.config("api-user")
    };
    let start = Instant::now();
    let result = run(&config, std::future::pending(), |_| {}).await.expect("the load runs");
    // Runs of other tests may come first, which takes far less than the timeout of a request.
    assert!(start.elapsed() < Duration::from_secs(120), "it waited for answers that never come");
    assert!(!result.interrupted, "{result}");
}

#[tokio::test]
async fn a_run_that_nobody_waits_for_makes_room_for_the_next() {
    let service = Service::start([]).await;
    let config = LoadConfig { run_time: Some(FOR_EVER), ..service.config("api-user") };
    tokio::select! {
        _ = run(&config, std::future::pending(), |_| {}) => panic!("it had minutes to go"),
        () = async {
            while service.seen().values().sum::<u64>() < 20 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        } => {}
    }
    let config = LoadConfig { run_time: Some(Duration::from_secs(1)), ..config };
    let next = run(&config, std::future::pending(), |_| {});
    let result =
        tokio::time::timeout(Duration::from_secs(120), next).await.expect("the first one never ended");
    assert!(result.expect("the load runs").requests > 0);
}

#[cfg(unix)]
#[tokio::test]
async fn control_c_ends_the_run_early_with_a_result() {
    let service = Service::start([]).await;
    let config = LoadConfig { run_time: Some(FOR_EVER), ..service.config("api-user") };
    let mut sent = false;
    // Goose has taken the signal over by the time it starts users.
    let interrupt = |_| {
        if !sent {
            sent = true;
            test_requirements::send_signal(std::process::id(), "INT");
        }
    };
    let result = run(&config, std::future::pending(), interrupt).await.expect("the load runs");
    assert!(result.interrupted, "{result}");
}
