//! A dependency behind a pool: its time adds to each job, its pool makes jobs wait, its death is told.

use std::time::Duration;

use futures_util::future::join_all;
use http::StatusCode;
use serde_json::Value;
use tokio::net::TcpListener;
use webapp::{Role, WebappConfig};

use crate::replica::{Replica, quiet};
use crate::scrape::Scrape;

async fn database(service_time: Duration, workers: u32, queue: usize) -> Replica {
    let config = WebappConfig {
        role: Role::Database,
        id: "database-1".to_owned(),
        service_time,
        workers,
        queue,
        ..quiet()
    };
    Replica::start(config).await
}

#[tokio::test]
async fn its_time_adds_to_the_response_time() {
    let database = database(Duration::from_millis(100), 4, 100).await;
    let config = WebappConfig {
        service_time: Duration::from_millis(50),
        dependency: Some(database.url.clone()),
        ..quiet()
    };
    let service = Replica::start(config).await;
    let took = service.json("/").await["response_time_ms"].as_f64().unwrap();
    assert!((150.0..300.0).contains(&took), "50 ms and a call of 100 ms took {took} ms");
    let scrape = Scrape::of(&service).await;
    let calls = scrape.value("webapp_dependency_duration_seconds_sum{result=\"success\"}");
    assert!((0.1..0.25).contains(&calls), "the call took {calls} s");
    assert!(Scrape::of(&database).await.value("webapp_total_requests") > 0.5, "the database was asked");
}

#[tokio::test]
async fn a_pool_of_one_lets_jobs_wait_for_each_other() {
    let database = database(Duration::from_millis(50), 4, 100).await;
    let config = WebappConfig { dependency: Some(database.url.clone()), dependency_pool: 1, ..quiet() };
    let service = Replica::start(config).await;
    let began = std::time::Instant::now();
    let replies = join_all((0..4).map(|_| service.get("/"))).await;
    assert!(replies.iter().all(|reply| reply.status == StatusCode::OK), "{replies:?}");
    assert!(
        began.elapsed() >= Duration::from_millis(200),
        "4 calls of 50 ms went over one connection at once"
    );
    let scrape = Scrape::of(&service).await;
    assert!((scrape.value("webapp_dependency_wait_seconds_count") - 4.0).abs() < 0.5);
    // 0, 1, 2 and 3 calls: at least 50 ms each, and however long they took, less than three times all of them.
    let waited = scrape.value("webapp_dependency_wait_seconds_sum");
    let calls = scrape.value("webapp_dependency_duration_seconds_sum{result=\"success\"}");
    assert!((0.3..3.0 * calls).contains(&waited), "jobs waited {waited} s in all for calls of {calls} s");
    assert!((scrape.value("webapp_dependency_connections") - 1.0).abs() < 0.5);
    assert!(scrape.value("webapp_dependency_connections_busy") < 0.5, "the connection was given back");
}

async fn assert_bad_gateway(service: &Replica) {
    let reply = service.get("/").await;
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY, "{:?}", reply.body);
    assert!(!reply.headers.contains_key("retry-after"), "a failure is no honest refusal");
    let answer: Value = reply.json().expect("an error is JSON");
    assert!(answer["error"].as_str().is_some_and(|text| text.contains("dependency")), "{answer}");
    assert!(answer["hint"].is_string(), "{answer}");
}

#[tokio::test]
async fn a_dead_or_failing_dependency_is_an_error_of_the_service() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let service = Replica::start(WebappConfig { dependency: Some(dead), ..quiet() }).await;
    assert_bad_gateway(&service).await;
    let scrape = Scrape::of(&service).await;
    for (series, expected) in [
        ("webapp_errors_total{origin=\"user\"}", 1.0),
        ("webapp_request_duration_seconds_count{origin=\"user\"}", 1.0),
        ("webapp_dependency_duration_seconds_count{result=\"failure\"}", 1.0),
        ("webapp_dependency_duration_seconds_count{result=\"success\"}", 0.0),
    ] {
        assert!((scrape.value(series) - expected).abs() < 0.5, "{series} is {}", scrape.value(series));
    }
    assert_eq!(
        service.get("/ready").await.status,
        StatusCode::OK,
        "its death takes no replica out of rotation"
    );

    let failing = database(Duration::ZERO, 1, 0).await;
    failing.json("/faults/errors?share=1").await;
    let service = Replica::start(WebappConfig { dependency: Some(failing.url.clone()), ..quiet() }).await;
    assert_bad_gateway(&service).await;
}
