//! Levels against a service that is well.

use std::future::{pending, ready};
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Method;
use loadgen::{LevelPlan, LevelProgress, OpenModel, OpenModelError, WeightedRequest};
use workload::Arrivals;

use crate::service::{Service, get, plan};

#[tokio::test]
async fn a_level_sends_its_whole_schedule_and_counts_what_the_service_saw() {
    let service = Service::start().await;
    let mut engine = service.engine("/ok", 8).await;
    let level = engine
        .run_level(&plan(500.0, Duration::from_secs(2)), pending(), |_| {})
        .await
        .expect("the service is well");
    assert_eq!((level.scheduled, level.sent + level.unsent), (1000, 1000));
    // A machine that is busy just at the end may leave the last ones unsent.
    assert!(level.sent >= 500, "{} sent", level.sent);
    assert_eq!(service.seen.ok.load(Ordering::Relaxed), level.sent);
    assert_eq!((level.failed(), level.refused), (0, 0));
    assert_eq!(level.from_intended_micros.len(), 1000);
    assert_eq!(level.send_lateness_micros.len(), level.sent);
    assert_eq!(level.measured, Duration::from_secs(2));
    assert_eq!(level.parts.len(), 10);
    assert!(level.from_intended_micros.max() >= level.from_sent_micros.max());
    assert!(level.generator_cpu_cores.is_some_and(|cores| cores > 0.0));
}

#[tokio::test]
async fn the_warm_up_is_sent_but_not_measured_and_levels_follow_one_another() {
    let service = Service::start().await;
    let mut engine = service.engine("/ok", 4).await;
    let warm = LevelPlan { warm_up: Duration::from_secs(1), ..plan(200.0, Duration::from_secs(1)) };
    for round in 1..=2 {
        let level = engine.run_level(&warm, pending(), |_| {}).await.expect("the service is well");
        assert_eq!(level.scheduled, 200, "round {round}");
        let seen = service.seen.ok.load(Ordering::Relaxed);
        assert!((100 * round..=400 * round).contains(&seen), "round {round}: {seen}");
    }
}

#[tokio::test]
async fn littles_law_holds_of_a_service_that_takes_50_ms() {
    let service = Service::start().await;
    let mut engine = service.engine("/slow", 64).await;
    let poisson = LevelPlan {
        arrivals: Arrivals::Poisson,
        warm_up: Duration::from_millis(500),
        ..plan(200.0, Duration::from_secs(3))
    };
    let level = engine.run_level(&poisson, pending(), |_| {}).await.expect("the service is well");
    let expected = level.throughput_rps() * level.from_sent_micros.mean() / 1e6;
    assert!(
        (level.mean_in_flight / expected - 1.0).abs() < 0.05,
        "{} against {expected}",
        level.mean_in_flight
    );
    assert!(level.from_sent_micros.min() >= 49_000, "it takes 50 ms");
}

#[tokio::test]
async fn too_few_connections_leave_requests_unsent_that_count_with_their_waiting() {
    let service = Service::start().await;
    // Two connections at 50 ms carry 40 requests per second at most.
    let mut engine = service.engine("/slow", 2).await;
    let level = engine
        .run_level(&plan(200.0, Duration::from_secs(2)), pending(), |_| {})
        .await
        .expect("the service is well");
    assert_eq!(level.scheduled, 400);
    assert!(level.sent <= 82, "{} sent", level.sent);
    assert_eq!(level.unsent, level.scheduled - level.sent);
    assert_eq!(level.from_intended_micros.len(), 400, "each is in it once");
    assert!(level.from_intended_micros.value_at_quantile(0.9) > 1_000_000, "the queue grew for 2 s");
}

#[tokio::test]
async fn weights_and_bodies_reach_the_service() {
    let service = Service::start().await;
    let mut target = service.target("/ok", 4);
    target.requests = vec![
        WeightedRequest { weight: 3, ..get("/empty") },
        WeightedRequest {
            method: Method::POST,
            body: Some(Bytes::from_static(b"0123456789")),
            ..get("/ok?with=query")
        },
    ];
    let mut engine = OpenModel::connect(target).await.expect("the service runs");
    let level = engine
        .run_level(&plan(1_000.0, Duration::from_secs(1)), pending(), |_| {})
        .await
        .expect("the service is well");
    assert_eq!(level.failed(), 0, "{:?}", level.failures);
    let posted = service.seen.ok.load(Ordering::Relaxed);
    let share = posted as f64 / level.sent as f64;
    assert!((0.1..0.4).contains(&share), "a quarter of {}: {posted}", level.sent);
    assert_eq!(service.seen.posted_bytes.load(Ordering::Relaxed), posted * 10);
}

#[tokio::test]
async fn without_pacing_every_connection_is_kept_busy() {
    let service = Service::start().await;
    let mut engine = service.engine("/slow", 10).await;
    let level = engine
        .run_unpaced(Duration::ZERO, Duration::from_secs(2), 1, pending(), |_| {})
        .await
        .expect("the service is well");
    // Ten connections at 50 ms carry 200 requests per second at most.
    assert!((100..=400).contains(&level.succeeded), "{}", level.succeeded);
    assert!(level.mean_in_flight > 8.0, "{}", level.mean_in_flight);
    assert!((level.offered_rps - level.sent_rps()).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_stopped_level_hands_back_what_it_has() {
    let service = Service::start().await;
    let mut engine = service.engine("/never", 4).await;
    let stop = tokio::time::sleep(Duration::from_millis(700));
    let began = tokio::time::Instant::now();
    let level = engine
        .run_level(&plan(100.0, Duration::from_secs(3_600)), stop, |_| {})
        .await
        .expect("something was measured");
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_eq!((level.sent, level.succeeded), (4, 0));
    assert!(level.measured >= Duration::from_millis(600));
    assert_eq!(level.from_intended_micros.len(), level.scheduled);

    let warm = LevelPlan { warm_up: Duration::from_secs(60), ..plan(100.0, Duration::from_secs(60)) };
    let error = engine.run_level(&warm, ready(()), |_| {}).await.expect_err("nothing was measured");
    assert!(matches!(error, OpenModelError::Stopped { .. }), "{error}");
}

#[tokio::test]
async fn a_stop_while_answers_are_awaited_ends_the_level() {
    let service = Service::start().await;
    let mut target = service.target("/never", 4);
    target.timeout = Duration::from_secs(600);
    let mut engine = OpenModel::connect(target).await.expect("the service runs");
    // Progress beyond the planned end is told only while answers are awaited.
    let (ended, stop) = tokio::sync::oneshot::channel();
    let mut ended = Some(ended);
    let told = |progress: LevelProgress| {
        if progress.elapsed >= progress.planned
            && let Some(ended) = ended.take()
        {
            ended.send(()).expect("the level listens for a stop");
        }
    };
    let stop = async { stop.await.expect("progress goes on") };
    let began = tokio::time::Instant::now();
    let level = engine
        .run_level(&plan(20.0, Duration::from_secs(1)), stop, told)
        .await
        .expect("all was sent that could be");
    assert!(began.elapsed() < Duration::from_secs(60), "it waited for answers that never come");
    assert_eq!((level.scheduled, level.sent, level.succeeded), (20, 4, 0));
}

#[tokio::test]
async fn progress_is_told_each_second() {
    let service = Service::start().await;
    let mut engine = service.engine("/ok", 4).await;
    let mut told = Vec::new();
    let warm = LevelPlan { warm_up: Duration::from_millis(1_500), ..plan(100.0, Duration::from_secs(2)) };
    engine.run_level(&warm, pending(), |progress| told.push(progress)).await.expect("the service is well");
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].warming_up && !told[2].warming_up);
    assert!(told[2].so_far.succeeded > 0 && told[2].so_far.p95.is_some());
    let line = told[2].to_string();
    assert!(line.starts_with("3 of 4 s at 100.0/s: ") && line.contains("p95"), "{line}");
}
