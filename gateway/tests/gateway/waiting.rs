//! Requests to a service without a replica in rotation wait, bounded and in order, for the first.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gateway::GatewayConfig;
use http::Request;
use hyper::body::Incoming;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::support::{Lab, Replica, Reply, answer, config, eventually};

/// Longer than any of these tests waits for its first replica.
const LONG: Duration = Duration::from_secs(9);

async fn without_replicas(endpoint_wait: Duration, waiting_max: usize) -> Arc<Lab> {
    Arc::new(Lab::with(GatewayConfig { endpoint_wait, waiting_max, ..config() }, &[]).await)
}

async fn waiting(lab: &Lab) -> u64 {
    lab.ask_admin("GET", "/waiting", "").await.json()["waiting_requests"].as_u64().unwrap()
}

/// Sends requests one after the other, each when the one before waits.
async fn line_up(lab: &Arc<Lab>, count: u64) -> Vec<JoinHandle<Reply>> {
    let mut requests = Vec::new();
    for number in 1..=count {
        let sender = Arc::clone(lab);
        requests.push(tokio::spawn(async move { sender.get(&format!("/{number}")).await }));
        eventually("the request waits", || async { waiting(lab).await == number }).await;
    }
    requests
}

#[tokio::test]
async fn they_are_counted_and_sent_to_the_first_replica_in_the_order_in_which_they_came() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let replica = Replica::start(move |request: Request<Incoming>| {
        let number: usize = request.uri().path().trim_start_matches('/').parse().unwrap();
        noted.lock().unwrap().push(number);
        async { answer(200, "served") }
    })
    .await;
    let lab = without_replicas(LONG, 100).await;
    let requests = line_up(&lab, 20).await;
    assert!((lab.metric("gateway_waiting_requests").await - 20.0).abs() < 0.5);
    assert_eq!(lab.ask_admin("GET", "/waiting", "").await.json()["max"], 100);
    assert_eq!(lab.in_flight().await, 0, "they are in flight to no endpoint");

    lab.put(&replica).await;
    for request in requests {
        assert_eq!(request.await.unwrap().status, 200);
    }
    assert_eq!(waiting(&lab).await, 0);
    assert!(lab.metric("gateway_no_endpoint_total").await < 0.5);
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 20);
    // They are sent in order, each over a connection of its own, and these may overtake each other by little.
    for (position, &number) in seen.iter().enumerate() {
        assert!(number.abs_diff(position + 1) <= 4, "{seen:?}");
    }
}

#[tokio::test]
async fn a_replica_that_is_there_and_not_ready_is_waited_for_as_well() {
    let replica = Replica::plain().await;
    replica.ready.store(false, std::sync::atomic::Ordering::SeqCst);
    let lab = without_replicas(LONG, 100).await;
    lab.put(&replica).await;
    let requests = line_up(&lab, 3).await;
    replica.ready.store(true, std::sync::atomic::Ordering::SeqCst);
    for request in requests {
        assert_eq!(request.await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_request_that_finds_no_place_is_answered_at_once_and_the_others_go_on_waiting() {
    let replica = Replica::plain().await;
    let lab = without_replicas(LONG, 2).await;
    let requests = line_up(&lab, 2).await;
    let begun = Instant::now();
    let reply = lab.get("/third").await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!((reply.status, &reply.headers["retry-after"]), (503, &"1".parse().unwrap()));
    assert!(reply.error().contains("as many requests wait for one as may: 2"), "{reply:?}");
    assert!((lab.metric("gateway_no_endpoint_total").await - 1.0).abs() < 0.5);

    lab.put(&replica).await;
    for request in requests {
        assert_eq!(request.await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn each_waits_for_its_own_time_and_then_gives_up_its_place() {
    let lab = without_replicas(Duration::from_millis(600), 100).await;
    let begun = Instant::now();
    let replies = tokio::join!(lab.get("/1"), lab.get("/2"), lab.get("/3"));
    let waited = begun.elapsed();
    for reply in [replies.0, replies.1, replies.2] {
        assert_eq!(reply.status, 503);
        assert!(reply.error().contains("no endpoint came into rotation within 600ms"), "{reply:?}");
    }
    assert!(
        waited >= Duration::from_millis(600) && waited < Duration::from_millis(1_700),
        "not one after the other: {waited:?}"
    );
    assert_eq!(waiting(&lab).await, 0);
}

#[tokio::test]
async fn a_client_that_goes_away_gives_up_its_place() {
    let replica = Replica::plain().await;
    let lab = without_replicas(LONG, 1).await;
    let mut client = TcpStream::connect(lab.service).await.unwrap();
    client.write_all(b"GET /gone HTTP/1.1\r\nHost: lab\r\n\r\n").await.unwrap();
    eventually("it waits", || async { waiting(&lab).await == 1 }).await;
    drop(client);
    eventually("its place is free", || async { waiting(&lab).await == 0 }).await;
    let requests = line_up(&lab, 1).await;
    lab.put(&replica).await;
    for request in requests {
        assert_eq!(request.await.unwrap().status, 200);
    }
    assert_eq!(replica.request_count(), 1, "the request of the client that left was not sent");
}
