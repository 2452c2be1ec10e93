//! Endpoints come and go under load, and no request is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Request;
use hyper::body::Incoming;
use tokio::task::JoinSet;

use crate::support::{Answer, Lab, Replica, answer, eventually};

async fn takes_20_ms(_: Request<Incoming>) -> Answer {
    tokio::time::sleep(Duration::from_millis(20)).await;
    answer(200, "served")
}

/// Clients that post one request after the other, and note what goes wrong.
struct SteadyLoad {
    clients: JoinSet<Vec<String>>,
    stop: Arc<AtomicBool>,
    served: Arc<AtomicUsize>,
}

impl SteadyLoad {
    fn start(lab: &Arc<Lab>, clients: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let served = Arc::new(AtomicUsize::new(0));
        let mut load = Self { clients: JoinSet::new(), stop, served };
        for _ in 0..clients {
            let (lab, stop, served) = (Arc::clone(lab), Arc::clone(&load.stop), Arc::clone(&load.served));
            load.clients.spawn(async move {
                let mut bad = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    match lab.send_to(lab.service, "POST", "/order", &[], "{}".into()).await {
                        Ok(reply) if reply.status == 200 => drop(served.fetch_add(1, Ordering::SeqCst)),
                        other => bad.push(format!("{other:?}")),
                    }
                }
                bad
            });
        }
        load
    }

    async fn served_more(&self, more: usize) {
        let goal = self.served.load(Ordering::SeqCst) + more;
        eventually("load goes on", || async { self.served.load(Ordering::SeqCst) >= goal }).await;
    }

    async fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::SeqCst);
        self.clients.join_all().await.concat()
    }
}

#[tokio::test]
async fn an_endpoint_is_in_rotation_some_milliseconds_after_it_was_put() {
    let replica = Replica::plain().await;
    let lab = Lab::start(&[]).await;
    let begun = Instant::now();
    assert_eq!(lab.put(&replica).await.status, 201);
    assert_eq!(lab.get("/").await.status, 200);
    // Far more than it takes, and less than a waiting probe would.
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    assert_eq!(lab.put(&replica).await.status, 200, "putting again changes nothing");
}

#[tokio::test]
async fn an_endpoint_that_is_not_ready_gets_nothing_until_it_is() {
    let replica = Replica::plain().await;
    replica.ready.store(false, Ordering::SeqCst);
    let lab = Lab::start(&[]).await;
    lab.put(&replica).await;
    assert_eq!(lab.get("/").await.status, 503);
    assert_eq!(lab.states().await["starting"], 1);
    replica.ready.store(true, Ordering::SeqCst);
    lab.until_ready(1).await;
    assert_eq!(lab.get("/").await.status, 200);
}

#[tokio::test]
async fn an_endpoint_that_becomes_unready_leaves_and_comes_back() {
    let (one, two) = (Replica::plain().await, Replica::plain().await);
    let lab = Lab::start(&[&one, &two]).await;
    one.ready.store(false, Ordering::SeqCst);
    lab.until_ready(1).await;
    let before = one.request_count();
    for _ in 0..20 {
        assert_eq!(lab.get("/").await.status, 200);
    }
    assert_eq!(one.request_count(), before);
    one.ready.store(true, Ordering::SeqCst);
    lab.until_ready(2).await;
}

#[tokio::test]
async fn a_drain_waits_for_what_is_in_flight_and_loses_nothing() {
    let (one, two) = (Replica::start(takes_20_ms).await, Replica::start(takes_20_ms).await);
    let lab = Arc::new(Lab::start(&[&one, &two]).await);
    let load = SteadyLoad::start(&lab, 12);
    load.served_more(50).await;
    let reply = lab.delete(&one).await;
    assert_eq!((reply.status, reply.json()["in_flight"].as_u64()), (200, Some(0)));
    one.kill().await;
    let after = one.request_count();
    load.served_more(50).await;
    assert_eq!(load.end().await, Vec::<String>::new());
    assert_eq!(one.request_count(), after, "nothing was sent after the drain");
    assert_eq!(lab.endpoints().await.len(), 1, "it is forgotten");
}

#[tokio::test]
async fn twenty_come_and_twenty_go_and_no_request_is_lost() {
    let first = Replica::start(takes_20_ms).await;
    let lab = Arc::new(Lab::start(&[&first]).await);
    let load = SteadyLoad::start(&lab, 12);
    let mut newest = first;
    for _ in 0..20 {
        let next = Replica::start(takes_20_ms).await;
        lab.put(&next).await;
        lab.until_ready(2).await;
        load.served_more(10).await;
        assert_eq!(lab.delete(&newest).await.status, 200);
        newest.kill().await;
        newest = next;
        load.served_more(10).await;
    }
    let served = load.served.load(Ordering::SeqCst);
    assert_eq!(load.end().await, Vec::<String>::new(), "beside {served} that were served");
}

#[tokio::test]
async fn a_drain_that_takes_too_long_says_what_was_left() {
    let replica = Replica::hanging().await;
    let lab = Arc::new(Lab::start(&[&replica]).await);
    let hanging = tokio::spawn({
        let lab = Arc::clone(&lab);
        async move { lab.get("/").await }
    });
    eventually("the request hangs", || async { lab.in_flight().await == 1 }).await;
    let reply = lab.ask_admin("DELETE", &format!("/endpoints?url={}&wait=100ms", replica.url()), "").await;
    assert_eq!((reply.status, reply.json()["in_flight"].as_u64()), (200, Some(1)));
    assert_eq!(lab.endpoints().await.len(), 0);
    hanging.abort();
}

#[tokio::test]
async fn a_drained_endpoint_comes_back_when_it_is_put_again() {
    let replica = Replica::plain().await;
    let lab = Lab::start(&[&replica]).await;
    lab.delete(&replica).await;
    assert_eq!(lab.get("/").await.status, 503);
    assert_eq!(lab.put(&replica).await.status, 201);
    assert_eq!(lab.get("/").await.status, 200);
}
