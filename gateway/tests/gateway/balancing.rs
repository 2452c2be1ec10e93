//! The balancer's rules hold on real sockets.

use std::time::Duration;

use http::Request;
use hyper::body::Incoming;

use crate::support::{Answer, Lab, Replica, answer, eventually};

async fn takes_5_ms(_: Request<Incoming>) -> Answer {
    tokio::time::sleep(Duration::from_millis(5)).await;
    answer(200, "served")
}

#[tokio::test]
async fn a_fast_failing_replica_attracts_no_traffic_and_is_ejected() {
    let good = [
        Replica::start(takes_5_ms).await,
        Replica::start(takes_5_ms).await,
        Replica::start(takes_5_ms).await,
    ];
    let failing = Replica::fixed(500).await;
    let lab = Lab::start(&[&good[0], &good[1], &good[2], &failing]).await;
    for _ in 0..400 {
        lab.get("/").await;
    }
    let share = f64::from(u32::try_from(failing.request_count()).unwrap()) / 400.0;
    assert!(share < 0.05, "the failing one got {share} of the requests");
    assert!(good.iter().all(|replica| replica.request_count() > 50), "the others share the rest");
}

#[tokio::test]
async fn a_replica_that_answers_404_at_once_gets_no_more_than_its_share() {
    for status in [404, 401, 429] {
        let good = [Replica::start(takes_5_ms).await, Replica::start(takes_5_ms).await];
        let rejecting = Replica::fixed(status).await;
        let lab = Lab::start(&[&good[0], &good[1], &rejecting]).await;
        for _ in 0..300 {
            lab.get("/").await;
        }
        let share = f64::from(u32::try_from(rejecting.request_count()).unwrap()) / 300.0;
        assert!(share < 0.40, "the one that answers {status} got {share} of the requests");
        let endpoint = lab.endpoints().await.remove(2);
        assert_eq!(endpoint["state"], "ready", "a 4xx ejects nothing");
        assert_eq!(endpoint["client_errors"], rejecting.request_count());
    }
}

#[tokio::test]
async fn a_clients_own_404s_are_spread_as_everything_else() {
    let missing = async |_| {
        tokio::time::sleep(Duration::from_millis(20)).await;
        answer(404, "there is no such page")
    };
    let replicas =
        [Replica::start(missing).await, Replica::start(missing).await, Replica::start(missing).await];
    let lab = Lab::start(&replicas.each_ref()).await;
    for _ in 0..20 {
        // At the same time, so that requests in flight decide more than the chance of a slow moment.
        let replies = futures_util::future::join_all((0..30).map(|_| lab.get("/no-such-page"))).await;
        assert!(replies.iter().all(|reply| reply.status == 404));
    }
    for replica in &replicas {
        assert!(replica.request_count() > 120, "{} of 600", replica.request_count());
    }
}

#[tokio::test]
async fn ejection_shows_and_never_takes_all() {
    let replicas = [Replica::fixed(500).await, Replica::fixed(500).await, Replica::fixed(500).await];
    let lab = Lab::start(&replicas.each_ref()).await;
    for _ in 0..100 {
        assert_eq!(lab.get("/").await.status, 500, "somebody is always asked");
    }
    let states = lab.states().await;
    assert_eq!((states["ejected"], states["ready"]), (1, 2), "one of three, never more than half");
    assert!((lab.metric("gateway_ejections_total").await - 1.0).abs() < 0.5);
    assert!((lab.metric("gateway_endpoints{state=\"ejected\"}").await - 1.0).abs() < 0.5);
}

#[tokio::test]
async fn an_answer_that_breaks_off_counts_as_a_failure() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let breaking = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut head = vec![0; 4096];
                while let Ok(size @ 1..) = stream.read(&mut head).await {
                    if head[..size].starts_with(b"GET /ready") {
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                    } else {
                        let _half =
                            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await;
                        return;
                    }
                }
            });
        }
    });
    let lab = Lab::start(&[]).await;
    lab.ask_admin("PUT", "/endpoints", &format!(r#"{{"url": "{url}"}}"#)).await;
    lab.until_ready(1).await;
    let broken = lab.send_to(lab.service, "GET", "/", &[], String::new()).await;
    assert!(broken.is_err(), "the client sees that it is not whole: {broken:?}");
    eventually("it is counted and released", || async {
        let endpoint = lab.endpoints().await.remove(0);
        endpoint["failed"] == 1 && endpoint["in_flight"] == 0
    })
    .await;
    breaking.abort();
}
