//! What a `Pods` metric of an HPA reads: requests by status and origin, and active connections.

use std::time::Duration;

use futures_util::future::join_all;
use http::{Method, StatusCode};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use webapp::WebappConfig;

use crate::replica::{PATIENCE, Replica, quiet};
use crate::scrape::Scrape;
use crate::wait;

fn counted(scrape: &Scrape, method: &str, status: u16, origin: &str) -> f64 {
    scrape
        .value(&format!("http_requests_total{{method=\"{method}\",status=\"{status}\",origin=\"{origin}\"}}"))
}

#[tokio::test]
async fn users_requests_are_counted_by_method_and_status_and_probes_are_not() {
    let replica = Replica::start(quiet()).await;
    for path in ["/", "/", "/api/dashboard", "/nowhere", "/health", "/ready", "/metrics", "/peers"] {
        replica.get(path).await;
    }
    replica.send(Method::POST, "/order", None).await;
    let scrape = Scrape::of(&replica).await;
    for (method, status, expected) in
        [("GET", 200, 3.0), ("GET", 503, 0.0), ("GET", 404, 1.0), ("POST", 201, 1.0), ("POST", 503, 0.0)]
    {
        let found = counted(&scrape, method, status, "user");
        assert!((found - expected).abs() < 0.5, "{method} {status}: {found}, expected {expected}");
    }
    let requests: f64 = scrape
        .samples
        .iter()
        .filter(|(series, _)| series.starts_with("http_server_request_duration_seconds_count"))
        .map(|(_, count)| count)
        .sum();
    assert!((requests - 5.0).abs() < 0.5, "{requests} requests were measured, and 5 were counted");
}

#[tokio::test]
async fn synthetic_jobs_are_counted_as_the_requests_for_which_they_stand() {
    let config = WebappConfig {
        base_rps: 200.0,
        workers: 1,
        queue: 0,
        service_time: Duration::from_millis(20),
        ..quiet()
    };
    let replica = Replica::start(config).await;
    wait::until(PATIENCE, "synthetic jobs were served and refused", async || {
        let scrape = Scrape::of(&replica).await;
        counted(&scrape, "GET", 200, "synthetic") > 4.5 && counted(&scrape, "GET", 503, "synthetic") > 4.5
    })
    .await;
    replica.send(Method::PUT, "/load", Some(r#"{"factor": 0}"#)).await;
    wait::until(PATIENCE, "the last job has ended", async || {
        Scrape::of(&replica).await.value("webapp_workers_busy") < 0.5
    })
    .await;
    let scrape = Scrape::of(&replica).await;
    for (status, series) in [
        (200, "webapp_request_duration_seconds_count{origin=\"synthetic\"}"),
        (503, "webapp_refused_total{origin=\"synthetic\"}"),
    ] {
        let (found, expected) = (counted(&scrape, "GET", status, "synthetic"), scrape.value(series));
        assert!((found - expected).abs() < 0.5, "{status}: {found}, but {series} is {expected}");
    }
    assert!(counted(&scrape, "GET", 500, "synthetic") < 0.5);

    replica.get("/faults/errors?share=1").await;
    replica.send(Method::PUT, "/load", Some(r#"{"factor": 1}"#)).await;
    wait::until(PATIENCE, "synthetic jobs have failed", async || {
        counted(&Scrape::of(&replica).await, "GET", 500, "synthetic") > 0.5
    })
    .await;
}

#[tokio::test]
async fn an_open_connection_and_a_synthetic_job_are_one_active_connection_each() {
    let replica = Replica::start(quiet()).await;
    let active = async || Scrape::of(&replica).await.value("active_connections");
    let before = active().await;
    assert!(before > 0.5, "the connection that asks is open itself");

    let address = replica.url.trim_start_matches("http://").to_owned();
    let clients = join_all((0..5).map(|_| TcpStream::connect(&address))).await;
    let clients: Vec<TcpStream> = clients.into_iter().map(|client| client.expect("it listens")).collect();
    wait::until(PATIENCE, "five more connections are open", async || active().await > before + 4.5).await;
    drop(clients);
    wait::until(PATIENCE, "they are closed", async || active().await < before + 0.5).await;

    let mut cut = TcpStream::connect(&address).await.expect("it listens");
    tokio::io::AsyncWriteExt::write_all(&mut cut, b"no HTTP\r\n\r\n").await.expect("it reads");
    let mut answer = Vec::new();
    cut.read_to_end(&mut answer).await.expect("it ends the connection");
    wait::until(PATIENCE, "a refused connection is closed too", async || active().await < before + 0.5).await;
}

#[tokio::test]
async fn synthetic_jobs_inside_are_active_and_leave_again() {
    let config = WebappConfig {
        base_rps: 100.0,
        workers: 1,
        queue: 20,
        service_time: Duration::from_millis(100),
        ..quiet()
    };
    let replica = Replica::start(config).await;
    wait::until(PATIENCE, "the queue is full", async || {
        let scrape = Scrape::of(&replica).await;
        scrape.value("webapp_queue_depth") > 19.5 && scrape.value("active_connections") > 20.5
    })
    .await;
    assert_eq!(replica.send(Method::PUT, "/load", Some(r#"{"factor": 0}"#)).await.status, StatusCode::OK);
    wait::until(PATIENCE, "the queue is empty", async || {
        let scrape = Scrape::of(&replica).await;
        scrape.value("webapp_workers_busy") < 0.5 && scrape.value("active_connections") < 5.5
    })
    .await;
}
