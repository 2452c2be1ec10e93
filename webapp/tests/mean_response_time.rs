//! Mean response time over HTTP against Erlang C: exponential service, Poisson arrivals, ρ = 0.6, for 120 s.
//!
//! Alone in its process and as long as the claim says: a shorter run would need wider bounds. The client is an open
//! model: it sends when an arrival is due, whatever became of the ones before, and counts from the intended start.

use std::time::Duration;

use http_client::HttpClient;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;
use webapp::{Webapp, WebappConfig};
use workload::queueing::Mmc;
use workload::{Arrivals, ServiceTimeDistribution, Streams};

const LASTS: Duration = Duration::from_secs(120);
const UTILIZATION: f64 = 0.6;
const TOLERANCE: f64 = 0.15;
const PATIENCE: Duration = Duration::from_secs(10);

/// Mean of the response times that the replica itself has measured, in seconds, and how many there were.
async fn measured_by_the_replica(client: &HttpClient, url: &str) -> (f64, f64) {
    let name = "webapp_request_duration_seconds";
    let reply = client
        .get(&format!("{url}/metrics?name[]={name}"), PATIENCE)
        .await
        .expect("a replica answers its scrape");
    let text = String::from_utf8(reply.body.to_vec()).expect("an exposition is text");
    let value = |suffix: &str| -> f64 {
        let series = format!("{name}_{suffix}{{origin=\"user\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&series)).expect(&text).parse().expect("a number")
    };
    (value("sum") / value("count"), value("count"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mean_response_time_is_that_of_erlang_c() {
    let config = WebappConfig {
        service_distribution: ServiceTimeDistribution::Exponential,
        base_rps: 0.0,
        drain_wait: Duration::ZERO,
        seed: 7,
        ..WebappConfig::default()
    };
    let mean_service_seconds = config.service_time.as_secs_f64();
    let arrivals_per_second = UTILIZATION * f64::from(config.workers) / mean_service_seconds;
    let servers = config.workers.try_into().unwrap();
    let expected = Mmc { arrivals_per_second, mean_service_seconds, servers }.mean_response_seconds();

    let webapp = Webapp::bind(config).await.unwrap();
    let url = format!("http://{}", webapp.address());
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = tokio::spawn(webapp.serve(async {
        let _dropped = stopped.await;
    }));
    let client = HttpClient::with_idle_connections(64);
    let page = format!("{url}/");

    let mut stream = Streams::from_seed(7).stream("arrivals");
    let began = Instant::now();
    let mut due = Duration::ZERO;
    let mut requests = JoinSet::new();
    loop {
        due += Arrivals::Poisson.next_gap(arrivals_per_second, &mut stream).unwrap();
        if due >= LASTS {
            break;
        }
        let intended_start = began + due;
        tokio::time::sleep_until(intended_start).await;
        let (client, page) = (client.clone(), page.clone());
        requests.spawn(async move {
            let reply = client.get(&page, PATIENCE).await.unwrap();
            assert!(reply.status.is_success(), "{:?}", reply.body);
            intended_start.elapsed().as_secs_f64()
        });
    }
    let response_times = requests.join_all().await;
    let by_client = response_times.iter().sum::<f64>() / response_times.len() as f64;
    let (by_replica, count) = measured_by_the_replica(&client, &url).await;
    println!(
        "{count} requests: formula {:.2} ms, client {:.2} ms ({:.3}), replica {:.2} ms ({:.3})",
        expected * 1e3,
        by_client * 1e3,
        by_client / expected,
        by_replica * 1e3,
        by_replica / expected,
    );
    assert!((count - response_times.len() as f64).abs() < 0.5, "{count} jobs of {}", response_times.len());
    for (who, mean) in [("client", by_client), ("replica", by_replica)] {
        let ratio = mean / expected;
        assert!((ratio - 1.0).abs() <= TOLERANCE, "the {who} saw {mean} s, {ratio} of the formula");
    }
    drop(stop);
    ended.await.unwrap().unwrap();
}
