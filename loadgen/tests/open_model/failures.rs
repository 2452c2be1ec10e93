//! Services that are not well: each way of failing is counted apart, and the level goes on.

use std::future::pending;
use std::time::Duration;

use loadgen::{FailureKind, Measurement, OpenModel, OpenModelError, RequestError};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::service::{Service, get, plan};

async fn measure(path: &str, timeout: Duration) -> Measurement {
    let service = Service::start().await;
    let mut target = service.target(path, 4);
    target.timeout = timeout;
    let mut engine = OpenModel::connect(target).await.expect("the service runs");
    engine.run_level(&plan(100.0, Duration::from_secs(1)), pending(), |_| {}).await.expect("it is measured")
}

/// How many of 100 requests must have ended before the end; a busy machine is late with others, or leaves them unsent.
const SOME: u64 = 20;

async fn assert_only_failure(path: &str, expected: FailureKind) {
    let level = measure(path, Duration::from_secs(10)).await;
    assert_eq!((level.scheduled, level.succeeded), (100, 0), "{path}");
    assert_eq!(level.failures.keys().collect::<Vec<_>>(), [&expected], "{path}");
    assert!(level.failed() >= SOME, "{path}: {}", level.failed());
    assert_eq!(
        level.from_sent_micros.len(),
        level.sent,
        "{path}: each has a latency, also if it ended after the end"
    );
}

#[tokio::test]
async fn statuses_are_failures_with_a_latency() {
    assert_only_failure("/error", FailureKind::Status(500)).await;
    assert_only_failure("/unavailable", FailureKind::Status(503)).await;
    assert_only_failure("/unknown", FailureKind::Status(404)).await;
}

#[tokio::test]
async fn a_503_with_retry_after_is_a_refusal_without_a_latency() {
    let level = measure("/refuse", Duration::from_secs(10)).await;
    assert_eq!((level.scheduled, level.failed(), level.succeeded), (100, 0, 0));
    assert!(level.refused >= SOME, "{}", level.refused);
    assert_eq!((level.from_intended_micros.len(), level.from_sent_micros.len()), (0, 0));
}

#[tokio::test]
async fn answers_of_every_form_are_taken_to_their_end() {
    for path in ["/empty", "/close", "/chunked", "/large"] {
        let level = measure(path, Duration::from_secs(10)).await;
        assert_eq!(
            (level.from_sent_micros.len(), level.failed()),
            (level.sent, 0),
            "{path}: {:?}",
            level.failures
        );
        assert!(level.succeeded >= SOME, "{path}: {}", level.succeeded);
    }
}

#[tokio::test]
async fn requests_without_an_answer_time_out_and_count_with_the_time_they_waited() {
    let level = measure("/never", Duration::from_millis(200)).await;
    let timed_out = level.failures.get(&FailureKind::TimedOut).copied().unwrap_or(0);
    assert!(timed_out >= 4 && level.failures.len() == 1, "{:?}", level.failures);
    assert!(level.unsent > 0, "four connections carry 20 of the 100 requests per second");
    assert_eq!(level.from_intended_micros.len(), level.scheduled);
    assert!(level.from_intended_micros.value_at_quantile(0.5) >= 199_000);
    assert_eq!(level.from_sent_micros.len(), 0);
}

#[tokio::test]
async fn a_connection_that_ends_before_the_answer_broke_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let service = Service::start().await;
    let mut target = service.target("/", 2);
    target.base_url = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                // Reads a request, and goes without a word.
                let mut buffer = [0; 1_024];
                stream.read(&mut buffer).await
            });
        }
    });
    let mut engine = OpenModel::connect(target).await.expect("it accepts");
    let level = engine
        .run_level(&plan(50.0, Duration::from_secs(1)), pending(), |_| {})
        .await
        .expect("it is measured");
    assert_eq!(level.failures.keys().collect::<Vec<_>>(), [&FailureKind::BrokeOff]);
    assert!((10..=50).contains(&level.failed()), "{:?}", level.failures);
}

#[tokio::test]
async fn a_service_that_goes_away_is_counted_as_refusing_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let service = Service::start().await;
    let mut target = service.target("/", 2);
    target.base_url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let mut engine = OpenModel::connect(target).await.expect("it listens");
    drop(listener);
    let level = engine
        .run_level(&plan(50.0, Duration::from_secs(1)), pending(), |_| {})
        .await
        .expect("it is measured");
    let refused = level.failures.get(&FailureKind::ConnectionRefused).copied().unwrap_or(0);
    assert!(refused >= 10, "{:?}", level.failures);
}

#[tokio::test]
async fn a_service_that_is_not_there_is_named_before_anything_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    drop(listener);
    let service = Service::start().await;
    let mut target = service.target("/", 2);
    target.base_url = format!("http://{address}");
    let error = OpenModel::connect(target.clone()).await.expect_err("nobody listens");
    assert!(
        matches!(error, OpenModelError::Unreachable { kind: FailureKind::ConnectionRefused, .. }),
        "{error}"
    );
    target.base_url = "http://no-such-host.invalid".to_owned();
    let error = OpenModel::connect(target).await.expect_err("the name does not exist");
    assert!(matches!(error, OpenModelError::Unreachable { kind: FailureKind::NameNotFound, .. }), "{error}");
}

#[tokio::test]
async fn connecting_ends_when_nobody_waits_for_it_any_more() {
    // Takes connections and never says a word, so that encrypting them takes until it is given up.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let service = Service::start().await;
    let mut target = service.target("/", 1);
    target.base_url = format!("https://{}", listener.local_addr().expect("it is bound"));
    let mut connecting = Box::pin(OpenModel::connect(target));
    let (mut stream, _) = tokio::select! {
        accepted = listener.accept() => accepted.expect("it connects"),
        connected = &mut connecting => panic!("nobody has answered: {connected:?}"),
    };
    drop(connecting);
    // By itself it would close the connection after 5 s.
    let closed = tokio::time::timeout(Duration::from_secs(3), async {
        let mut greeting = Vec::new();
        stream.read_to_end(&mut greeting).await
    });
    closed.await.expect("the connection is kept for nobody").expect("it is closed in order");
}

#[tokio::test]
async fn a_service_that_does_not_encrypt_is_named_so() {
    let service = Service::start().await;
    let mut target = service.target("/ok", 2);
    target.base_url = service.base_url.replace("http:", "https:");
    let error = OpenModel::connect(target).await.expect_err("it speaks plain HTTP");
    assert!(matches!(error, OpenModelError::Unreachable { kind: FailureKind::Tls, .. }), "{error}");
}

#[tokio::test]
async fn each_error_of_a_level_is_told_by_its_request() {
    let service = Service::start().await;
    let mut target = service.target("/ok", 4);
    target.requests.extend(["/error", "/refuse"].map(get));
    let mut engine = OpenModel::connect(target).await.expect("the service runs");
    let level = engine
        .run_level(&plan(100.0, Duration::from_secs(1)), pending(), |_| {})
        .await
        .expect("it is measured");
    let errors: Vec<_> = level.errors_by_request.keys().copied().collect();
    let status = RequestError::Failed(FailureKind::Status(500));
    assert_eq!(
        errors,
        [(Some(1), status), (Some(2), RequestError::Refused)],
        "{:?}",
        level.errors_by_request
    );
    assert_eq!(
        level.errors_by_request.values().sum::<u64>(),
        level.errors(),
        "{:?}",
        level.errors_by_request
    );
}
