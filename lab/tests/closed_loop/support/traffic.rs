//! Steady traffic for tests: an open model of constant rate, and a closed one that keeps replicas saturated.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http_client::HttpClient;
use tokio::task::{JoinHandle, JoinSet};

use super::TIMEOUT;

/// What came of the requests.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) succeeded: u64,
    /// What went wrong, one entry a request.
    pub(crate) problems: Vec<String>,
}

/// GET requests at a constant rate, sent whether or not earlier ones were answered.
pub(crate) struct SteadyTraffic {
    stop: Arc<AtomicBool>,
    sender: JoinHandle<Outcome>,
}

impl SteadyTraffic {
    pub(crate) fn start(url: String, requests_per_second: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let sender = tokio::spawn(async move {
            let client = HttpClient::with_idle_connections(64);
            let mut requests = JoinSet::new();
            let mut ticks = tokio::time::interval(Duration::from_secs(1) / requests_per_second);
            while !stopped.load(Ordering::Relaxed) {
                ticks.tick().await;
                let (client, url) = (client.clone(), url.clone());
                requests.spawn(async move {
                    match client.get(&url, TIMEOUT).await {
                        Ok(reply) if reply.status.is_success() => Ok(()),
                        Ok(reply) => {
                            Err(format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body)))
                        }
                        Err(error) => Err(error.to_string()),
                    }
                });
            }
            let mut outcome = Outcome::default();
            while let Some(result) = requests.join_next().await {
                match result.expect("a request does not panic") {
                    Ok(()) => outcome.succeeded += 1,
                    Err(problem) => outcome.problems.push(problem),
                }
            }
            outcome
        });
        Self { stop, sender }
    }

    pub(crate) async fn finish(self) -> Outcome {
        self.stop.store(true, Ordering::Relaxed);
        self.sender.await.expect("the sender does not panic")
    }
}

/// Completed requests per second while `users` ask again as soon as they are answered, after a warm-up.
pub(crate) async fn saturated_throughput(
    url: &str,
    users: usize,
    warm_up: Duration,
    measure: Duration,
) -> f64 {
    let completed = Arc::new(AtomicU64::new(0));
    let client = HttpClient::with_idle_connections(users);
    let mut running = JoinSet::new();
    for _ in 0..users {
        let (client, url, completed) = (client.clone(), url.to_owned(), Arc::clone(&completed));
        running.spawn(async move {
            loop {
                let reply = client.get(&url, TIMEOUT).await.expect("the service answers");
                assert!(reply.status.is_success(), "{}", reply.status);
                completed.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    tokio::time::sleep(warm_up).await;
    let (began, before) = (Instant::now(), completed.load(Ordering::Relaxed));
    tokio::time::sleep(measure).await;
    let rate = (completed.load(Ordering::Relaxed) - before) as f64 / began.elapsed().as_secs_f64();
    running.abort_all();
    while let Some(result) = running.join_next().await {
        if let Err(error) = result
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
    rate
}
