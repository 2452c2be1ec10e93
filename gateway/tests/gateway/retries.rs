//! A request is sent a second time only where that can do no harm.

use std::sync::Arc;
use std::time::Duration;

use gateway::GatewayConfig;
use http::Request;
use hyper::body::Incoming;

use crate::support::{Answer, Lab, Replica, Reply, answer, config, eventually};

async fn takes_10_ms(_: Request<Incoming>) -> Answer {
    tokio::time::sleep(Duration::from_millis(10)).await;
    answer(200, "served")
}

/// Sends a request that hangs at the one replica, kills that replica, and returns the answer. The other replica is
/// put beforehand and would answer 200.
async fn killed_mid_request(method: &str, path: &str, body: &str) -> (Reply, usize) {
    let doomed = Replica::hanging().await;
    let other = Replica::plain().await;
    let lab = Lab::start(&[&doomed]).await;
    let (reply, ()) = tokio::join!(lab.send(method, path, &[], body), async {
        eventually("the request hangs", || async { doomed.request_count() == 1 }).await;
        lab.put(&other).await;
        lab.until_ready(2).await;
        doomed.kill().await;
    });
    (reply, other.request_count())
}

#[tokio::test]
async fn idempotent_requests_go_elsewhere_when_their_endpoint_dies() {
    for (method, body) in [("GET", ""), ("PUT", "small enough to keep"), ("DELETE", "")] {
        let (reply, elsewhere) = killed_mid_request(method, "/x", body).await;
        assert_eq!((reply.status, elsewhere), (200, 1), "{method}: {reply:?}");
    }
}

#[tokio::test]
async fn a_post_that_was_sent_is_not_sent_again() {
    let (reply, elsewhere) = killed_mid_request("POST", "/order", "{}").await;
    assert_eq!((reply.status, elsewhere), (502, 0));
    assert!(reply.error().contains("without an answer"), "{reply:?}");
}

#[tokio::test]
async fn nothing_under_load_is_sent_again() {
    for path in ["/load/spike", "/load"] {
        let (reply, elsewhere) = killed_mid_request("GET", path, "").await;
        assert_eq!((reply.status, elsewhere), (502, 0), "{path}");
    }
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_connected_to_costs_no_request_of_any_kind() {
    let good = Replica::start(takes_10_ms).await;
    let dead = Replica::plain().await;
    let lab = Arc::new(Lab::start(&[&good, &dead]).await);
    dead.kill().await;
    for (method, path) in [("GET", "/"), ("POST", "/order"), ("GET", "/load/spike"), ("POST", "/load/spike")]
    {
        // Together, so that the balancer does not find the living one good enough for all.
        let mut together = tokio::task::JoinSet::new();
        for _ in 0..10 {
            let lab = Arc::clone(&lab);
            together.spawn(async move { lab.send(method, path, &[], "{}").await });
        }
        for reply in together.join_all().await {
            assert_eq!(reply.status, 200, "{method} {path}: {reply:?}");
        }
    }
    assert!(lab.metric("gateway_retries_total").await > 0.5, "the dead one was tried");
}

#[tokio::test]
async fn nobody_to_go_to_is_said_so() {
    let only = Replica::plain().await;
    let lab = Lab::start(&[&only]).await;
    only.kill().await;
    let reply = lab.send("POST", "/", &[], "{}").await;
    assert_eq!(reply.status, 502);
    assert!(reply.error().contains(&only.address.to_string()), "{reply:?}");
}

#[tokio::test]
async fn an_answer_is_never_asked_for_twice() {
    let (one, two) = (Replica::fixed(500).await, Replica::fixed(500).await);
    let lab = Lab::start(&[&one, &two]).await;
    assert_eq!(lab.get("/").await.status, 500, "what was answered is passed on");
    assert_eq!(one.request_count() + two.request_count(), 1);
}

#[tokio::test]
async fn a_try_that_times_out_is_repeated_once_and_elsewhere() {
    let replicas = [Replica::hanging().await, Replica::hanging().await, Replica::hanging().await];
    let config = GatewayConfig { try_timeout: Duration::from_millis(150), ..config() };
    let lab = Lab::with(config, &replicas.each_ref()).await;
    assert_eq!(lab.get("/").await.status, 504);
    let mut counts = replicas.each_ref().map(Replica::request_count);
    counts.sort_unstable();
    assert_eq!(counts, [0, 1, 1]);
}

#[tokio::test]
async fn kill_under_load_shows_no_error_on_get() {
    let replicas = [
        Replica::start(takes_10_ms).await,
        Replica::start(takes_10_ms).await,
        Replica::start(takes_10_ms).await,
    ];
    let lab = Arc::new(Lab::start(&replicas.each_ref()).await);
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let lab = Arc::clone(&lab);
        clients.spawn(async move {
            let mut bad = Vec::new();
            for _ in 0..60 {
                match lab.send_to(lab.service, "GET", "/", &[], String::new()).await {
                    Ok(reply) if reply.status == 200 => {}
                    other => bad.push(format!("{other:?}")),
                }
            }
            bad
        });
    }
    eventually("load is on", || async { replicas[0].request_count() > 50 }).await;
    replicas[0].kill().await;
    let bad = clients.join_all().await.concat();
    assert!(bad.is_empty(), "{} of 960 went wrong: {:?}", bad.len(), bad.first());
}
