//! The ways to end: in order, by a crash that was asked for, or before it began because the port is taken.

use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use tokio::net::{TcpListener, TcpStream};
use webapp::{Webapp, WebappConfig, WebappError};

use crate::replica::{PATIENCE, Replica, quiet};
use crate::scrape::Scrape;
use crate::wait;

async fn until_a_worker_is_busy(replica: &Replica) {
    wait::until(PATIENCE, "a worker is busy", async || {
        Scrape::of(replica).await.value("webapp_workers_busy") > 0.5
    })
    .await;
}

#[tokio::test]
async fn a_stop_denies_readiness_at_once_and_serves_on_until_the_gateway_has_noticed() {
    let drain_wait = Duration::from_millis(800);
    let replica = Replica::start(WebappConfig { drain_wait, ..quiet() }).await;
    let (url, client) = (replica.url.clone(), replica.client.clone());
    let began = Instant::now();
    let ended = replica.begin_stop();
    let get = async |path: &str| {
        let reply = client.get(&format!("{url}{path}"), PATIENCE).await.expect("it serves while it drains");
        reply.status
    };
    let noticed = wait::until(Duration::from_millis(300), "unready at once", async || {
        get("/ready").await == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;
    assert_eq!(get("/").await, StatusCode::OK, "requests are served while the gateway notices");
    assert_eq!(get("/health").await, StatusCode::OK, "it lives");
    assert!(noticed < drain_wait);
    ended.await.unwrap().unwrap();
    let took = began.elapsed();
    assert!((drain_wait..drain_wait * 3).contains(&took), "the stop took {took:?}");
    assert!(client.get(&format!("{url}/health"), PATIENCE).await.is_err(), "the port is free again");
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight_and_waits_for_no_idle_connection() {
    let config = WebappConfig { service_time: Duration::from_millis(300), workers: 1, ..quiet() };
    let replica = Replica::start(config).await;
    let address = replica.url.trim_start_matches("http://").to_owned();
    let _silent = TcpStream::connect(&address).await.unwrap();
    let (client, url) = (replica.client.clone(), format!("{}/", replica.url));
    // The second one waits in the queue when the stop comes.
    let in_flight = [client.clone(), client].map(|client| {
        let url = url.clone();
        tokio::spawn(async move { client.get(&url, PATIENCE).await })
    });
    wait::until(PATIENCE, "one is served and one waits", async || {
        Scrape::of(&replica).await.value("webapp_queue_depth") > 0.5
    })
    .await;
    let began = Instant::now();
    replica.begin_stop().await.unwrap().unwrap();
    let took = began.elapsed();
    assert!(took < Duration::from_secs(3), "an idle connection held the stop up for {took:?}");
    for request in in_flight {
        let reply = request.await.unwrap().expect("what was in flight was answered");
        assert_eq!(reply.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_crash_ends_at_once_with_its_own_error() {
    let config = WebappConfig { service_time: Duration::from_secs(5), ..quiet() };
    let replica = Replica::start(config).await;
    let (client, url) = (replica.client.clone(), replica.url.clone());
    let in_flight = tokio::spawn(async move { client.get(&format!("{url}/"), PATIENCE).await });
    until_a_worker_is_busy(&replica).await;
    let began = Instant::now();
    // The answer may be lost in the crash.
    let _reply =
        replica.client.send(Method::POST, &format!("{}/faults/crash", replica.url), None, PATIENCE).await;
    let ended = replica.begin_stop().await.unwrap();
    assert!(matches!(ended, Err(WebappError::Crashed)), "{ended:?}");
    assert!(began.elapsed() < Duration::from_secs(2), "a crash finishes nothing");
    in_flight.abort();
}

#[tokio::test]
async fn a_crash_is_one_while_stopping_too() {
    let replica = Replica::start(WebappConfig { drain_wait: Duration::from_secs(20), ..quiet() }).await;
    let (client, url) = (replica.client.clone(), replica.url.clone());
    let ended = replica.begin_stop();
    let _reply = client.get(&format!("{url}/faults/crash"), PATIENCE).await;
    let ended = tokio::time::timeout(PATIENCE, ended).await.expect("it does not wait for the drain").unwrap();
    assert!(matches!(ended, Err(WebappError::Crashed)), "{ended:?}");
}

#[tokio::test]
async fn a_port_in_use_is_named_with_the_flag_that_changes_it() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let refused = Webapp::bind(WebappConfig { listen: listen.clone(), ..quiet() }).await;
    let Err(error @ WebappError::Listen { .. }) = refused else { panic!("the port was taken: {refused:?}") };
    let text = error.to_string();
    assert!(text.contains(&listen) && text.contains("--listen"), "{text}");
}
