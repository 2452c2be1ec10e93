//! A `lab scaler` that commands nobody, and what it measured, moment by moment.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use http_client::{HttpClient, Reply};
use serde_json::Value;

use crate::support::{TIMEOUT, Up, lab};

/// Longest until a Prometheus that was just told of its targets has scraped them.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// The signals at one moment; none where one had no value.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Duration,
    pub(crate) signals: BTreeMap<String, f64>,
}

/// Ended when dropped.
#[derive(Debug)]
pub(crate) struct WatchingScaler {
    child: Child,
    url: String,
    client: HttpClient,
    pub(crate) seen: Vec<Seen>,
}

impl WatchingScaler {
    /// Watches the same service as the scaler of this loop does, with these flags.
    pub(crate) fn start(up: &Up, flags: &[&str]) -> Self {
        let mut child = lab()
            .args(["scaler", "--listen", "127.0.0.1:0", "--actuator", "none", "--check-interval", "1h"])
            .args(["--gateway", &up.gateway, "--gateway-admin", &up.admin])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the lab starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("standard output was piped"))
            .read_line(&mut line)
            .expect("it says where it listens");
        let url = line.trim().strip_prefix("listening on ").expect("it says where it listens").to_owned();
        Self { child, url, client: HttpClient::new(), seen: Vec::new() }
    }

    pub(crate) async fn status(&self) -> Value {
        let reply = self.client.get(&format!("{}/api/status", self.url), TIMEOUT).await;
        reply.and_then(Reply::ok).and_then(|reply| reply.json()).expect("the scaler answers")
    }

    /// Waits until it has a first value of what is measured of replicas.
    pub(crate) async fn wait_for_values(&self) {
        let began = Instant::now();
        loop {
            let status = self.status().await;
            if status["signals"]["response_time_mean_seconds"]["value"].is_f64() {
                return;
            }
            assert!(began.elapsed() < START_TIMEOUT, "no values within {START_TIMEOUT:?}: {status}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Notes what it shows now.
    pub(crate) async fn note(&mut self, began: Instant) {
        let status = self.status().await;
        let signals = status["signals"].as_object().expect("an object").iter();
        let signals =
            signals.filter_map(|(name, reading)| Some((name.clone(), reading["value"].as_f64()?))).collect();
        self.seen.push(Seen { at: began.elapsed(), signals });
    }
}

impl Drop for WatchingScaler {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}
