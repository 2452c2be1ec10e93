//! What a replica carries at overload, and the demand that it makes for itself: measured live, over HTTP.

#[path = "support/replica.rs"]
mod replica;
#[path = "support/scrape.rs"]
mod scrape;
#[path = "support/wait.rs"]
mod wait;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use tokio::task::JoinSet;
use tokio::time::Instant;
use webapp::WebappConfig;
use workload::{ServiceTime, ServiceTimeDistribution, Streams};

use replica::{PATIENCE, Replica, quiet};
use scrape::Scrape;

/// How far throughput may be from its ideal.
const TOLERANCE: f64 = 0.03;

const WORKERS: u32 = 4;

/// Clients that ask again as soon as they are answered. There are so many that half a second of work waits: a machine
/// that holds this process up for a moment then takes nothing from the replica's capacity.
struct Clients {
    served: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
    tasks: JoinSet<()>,
}

impl Clients {
    fn start(replica: &Arc<Replica>, count: u32) -> Self {
        let (served, refused): (Arc<AtomicU64>, Arc<AtomicU64>) = Default::default();
        let mut tasks = JoinSet::new();
        for _ in 0..count {
            let (replica, served, refused) = (Arc::clone(replica), Arc::clone(&served), Arc::clone(&refused));
            tasks.spawn(async move {
                loop {
                    let reply = replica.get("/").await;
                    if reply.status == StatusCode::OK {
                        served.fetch_add(1, Ordering::Relaxed);
                    } else {
                        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{:?}", reply.body);
                        refused.fetch_add(1, Ordering::Relaxed);
                        // Whoever is refused comes back a little later; the queue stays full meanwhile.
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            });
        }
        Self { served, refused, tasks }
    }

    fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throughput_at_overload_is_workers_divided_by_service_time() {
    let service_time = Duration::from_millis(20);
    let config = WebappConfig { service_time, workers: WORKERS, ..quiet() };
    let replica = Arc::new(Replica::start(config).await);
    let clients = Clients::start(&replica, 120);
    wait::until(PATIENCE, "the queue is full", async || clients.refused.load(Ordering::Relaxed) > 0).await;

    let (began, before) = (Instant::now(), clients.served());
    tokio::time::sleep(Duration::from_secs(6)).await;
    let (took, served) = (began.elapsed(), clients.served() - before);
    let throughput = served as f64 / took.as_secs_f64();
    let ratio = throughput * service_time.as_secs_f64() / f64::from(WORKERS);
    let refused = clients.refused.load(Ordering::Relaxed);
    println!(
        "constant service: {served} in {took:?}, {throughput:.2}/s, {ratio:.4} of the ideal, {refused} refused"
    );
    assert!((ratio - 1.0).abs() <= TOLERANCE, "{throughput}/s is {ratio} of the ideal");
}

/// How many jobs `WORKERS` ideal workers finish within `horizon`, if there is always a next one.
fn ideally_finished(mut service_times: impl FnMut() -> Duration, horizon: Duration) -> u64 {
    let mut free_at = [Duration::ZERO; WORKERS as usize];
    let mut finished = 0;
    loop {
        let worker = free_at.iter_mut().min().expect("there are workers");
        if *worker >= horizon {
            return finished;
        }
        *worker += service_times();
        finished += u64::from(*worker <= horizon);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timer_lateness_costs_no_capacity() {
    // The drawn times vary, so the ideal is that of the same draws. Nobody is refused, so each draw is served.
    let (mean, seed, id) = (Duration::from_millis(20), 42, "replica-1");
    let config = WebappConfig {
        service_time: mean,
        service_distribution: ServiceTimeDistribution::Exponential,
        workers: WORKERS,
        seed,
        id: id.to_owned(),
        ..quiet()
    };
    let replica = Arc::new(Replica::start(config).await);
    let began = Instant::now();
    let clients = Clients::start(&replica, 100);
    tokio::time::sleep(Duration::from_secs(8)).await;
    let (took, served) = (began.elapsed(), clients.served());
    assert_eq!(clients.refused.load(Ordering::Relaxed), 0);

    let law = ServiceTime::new(ServiceTimeDistribution::Exponential, mean, 1.0).unwrap();
    let mut draws = Streams::from_seed(seed).derive(id).stream("service_times");
    let ideal = ideally_finished(|| law.draw(&mut draws), took);
    let ratio = served as f64 / ideal as f64;
    println!("exponential service: {served} in {took:?}, ideally {ideal}, {ratio:.4} of that");
    assert!((ratio - 1.0).abs() <= TOLERANCE, "{served} of ideally {ideal} is {ratio}");
    drop(clients.tasks);
}

/// Jobs that arrive per second, over this span.
async fn arrivals_per_second(replica: &Replica, over: Duration) -> f64 {
    let before = Scrape::of(replica).await.value("webapp_total_requests");
    let began = Instant::now();
    tokio::time::sleep(over).await;
    let after = Scrape::of(replica).await.value("webapp_total_requests");
    (after - before) / began.elapsed().as_secs_f64()
}

/// Fails unless a Poisson process of `expected` per second may well have made `found` over this span: within five
/// standard deviations, which noise exceeds once in two million runs.
fn assert_rate(found: f64, expected: f64, over: Duration, what: &str) {
    let deviation = (expected / over.as_secs_f64()).sqrt();
    assert!((found - expected).abs() <= 5.0 * deviation, "{what}: {found}/s, expected {expected}/s");
}

const WATCHED: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn demand_follows_the_load_factor() {
    let replica = Replica::start(WebappConfig { base_rps: 200.0, ..quiet() }).await;
    for factor in [1.0, 4.0] {
        replica.json(&format!("/load/spike?factor={factor}&hold=1h")).await;
        let found = arrivals_per_second(&replica, WATCHED).await;
        assert_rate(found, 200.0 * factor, WATCHED, &format!("demand at factor {factor}"));
    }
    replica.json("/load/spike?factor=0&hold=1h").await;
    wait::until(PATIENCE, "without a factor there is no demand", async || {
        arrivals_per_second(&replica, Duration::from_millis(500)).await < 1e-9
    })
    .await;
    let scrape = Scrape::of(&replica).await;
    assert!(scrape.value("webapp_request_duration_seconds_count{origin=\"user\"}") < 0.5);
    replica.begin_stop().await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn demand_beyond_the_capacity_makes_users_see_refusals() {
    let config = WebappConfig {
        base_rps: 40.0,
        service_time: Duration::from_millis(100),
        workers: 2,
        queue: 5,
        ..quiet()
    };
    let replica = Replica::start(config).await;
    replica.json("/load/spike").await;
    wait::until(PATIENCE, "a user is refused", async || {
        let reply = replica.get("/").await;
        let refused = reply.status == StatusCode::SERVICE_UNAVAILABLE;
        if refused {
            assert_eq!(reply.headers["retry-after"], "1");
            let body: observability::http::error::ErrorBody = reply.json().expect("a refusal is JSON");
            assert!(body.error.contains("full"), "{body:?}");
        }
        refused
    })
    .await;
    assert!(Scrape::of(&replica).await.value("webapp_refused_total{origin=\"synthetic\"}") > 0.5);
    replica.send(http::Method::PUT, "/load", Some(r#"{"factor": 0}"#)).await;
    wait::until(PATIENCE, "users are served again", async || replica.get("/").await.status == StatusCode::OK)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_share_the_demand_and_an_unready_one_makes_none() {
    const DEMAND: f64 = 600.0;
    let config = |id: &str, peers| WebappConfig { id: id.to_owned(), base_rps: DEMAND, peers, ..quiet() };
    let a = Replica::start(config("a", Vec::new())).await;
    let b = Replica::start(config("b", vec![a.url.clone()])).await;
    let see = async |count: u64| {
        a.json("/load").await["ready_replicas"] == count && b.json("/load").await["ready_replicas"] == count
    };
    wait::until(PATIENCE, "both see both", async || see(2).await).await;
    let (on_a, on_b) = tokio::join!(arrivals_per_second(&a, WATCHED), arrivals_per_second(&b, WATCHED));
    assert_rate(on_a, DEMAND / 2.0, WATCHED, "one of two");
    assert_rate(on_b, DEMAND / 2.0, WATCHED, "the other of two");

    b.json("/faults/unready").await;
    wait::until(PATIENCE, "the ready one is alone", async || a.json("/load").await["ready_replicas"] == 1)
        .await;
    let (on_a, on_b) = tokio::join!(arrivals_per_second(&a, WATCHED), arrivals_per_second(&b, WATCHED));
    assert_rate(on_a, DEMAND, WATCHED, "the ready one");
    assert!(on_b < 1e-9, "an unready replica made {on_b}/s");
}
