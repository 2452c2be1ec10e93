//! A gateway, three replicas and a Prometheus that say whatever the test wants, and a scaler of the real binary that
//! watches them and counts with a file.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_client::{HttpClient, Reply};
use serde_json::{Value, json};

use crate::support::{TIMEOUT, lab};

/// Replicas at the start, as many as the file counts.
const REPLICAS: usize = 3;

/// What each replica has served before the scaler meets it.
const SERVED_BEFORE: f64 = 50_000.0;

/// Requests that each replica serves, per second.
const RATE: f64 = 20.0;

/// What the replicas or Prometheus say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Says {
    /// The truth: requests of this many seconds each.
    Truth(f64),
    /// This text in place of metrics, or this body in place of an answer of Prometheus.
    Text(&'static str),
    /// An error.
    Error,
    /// What it said last, again and again.
    Same,
    /// The truth, by a clock that is this many seconds ahead.
    Ahead(f64),
    /// The truth, but every figure is not a number.
    Nan,
    /// The truth, with samples that are this many seconds old.
    Old(f64),
}

#[derive(Debug)]
struct World {
    began: Instant,
    says: Says,
    /// Seconds that a request takes in truth, as last said.
    truth: f64,
    /// Seconds that passed until what was counted last.
    counted_until: f64,
    /// Requests that each replica served, and the seconds that they took.
    count: f64,
    sum: f64,
    endpoints: Vec<String>,
}

impl World {
    /// Counts what was served until now; while it repeats itself, time stands still for it.
    fn go_on(&mut self) {
        let now = self.began.elapsed().as_secs_f64();
        if self.says != Says::Same {
            let served = RATE * (now - self.counted_until);
            self.count += served;
            self.sum += served * self.truth;
            self.counted_until = now;
        }
    }

    fn ahead(&self) -> f64 {
        match self.says {
            Says::Ahead(seconds) => seconds,
            _ => 0.0,
        }
    }

    fn metrics(&mut self) -> Response {
        match self.says {
            Says::Text(text) => return text.into_response(),
            Says::Error => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            _ => {}
        }
        self.go_on();
        let started_at = epoch_seconds() - 3600.0 + self.ahead();
        let (count, sum) = (self.count, if self.says == Says::Nan { f64::NAN } else { self.sum });
        format!(
            "webapp_request_duration_seconds_sum {sum}\nwebapp_request_duration_seconds_count {count}\n\
             webapp_workers 4\nprocess_start_time_seconds {started_at}\n# EOF\n"
        )
        .into_response()
    }

    fn vector(&mut self, query: &str) -> Response {
        match self.says {
            Says::Text(text) => return ([("content-type", "application/json")], text).into_response(),
            Says::Error => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            _ => {}
        }
        self.go_on();
        let now = 1_700_000_000.0 + self.counted_until + self.ahead();
        let age = if let Says::Old(seconds) = self.says { seconds } else { 0.2 };
        let last = now - age;
        let (label, figures) = if query.contains("first_sample") {
            let state = [
                ("first_sample", last - 2.0),
                ("last_sample", last),
                ("samples", 5.0),
                ("jobs", 1.0),
                ("workers", 4.0),
            ];
            ("figure", state.to_vec())
        } else if query.contains("webapp_workers_busy_seconds_total") {
            let count = RATE * 2.5;
            let sum = if self.says == Says::Nan { f64::NAN } else { count * self.truth };
            ("figure", vec![("duration_count", count), ("duration_sum", sum)])
        } else {
            ("le", Vec::new())
        };
        let points: Vec<Value> = self
            .endpoints
            .iter()
            .flat_map(|url| {
                let instance = url.trim_start_matches("http://");
                figures.iter().map(move |(name, value)| {
                    json!({"metric": {"instance": instance, label: name}, "value": [now, value.to_string()]})
                })
            })
            .collect();
        axum::Json(json!({"status": "success", "data": {"resultType": "vector", "result": points}}))
            .into_response()
    }
}

/// The world and the scaler in it; ended when dropped.
#[derive(Debug)]
pub(crate) struct FakeService {
    world: Arc<Mutex<World>>,
    gateway: String,
    folder: tempfile::TempDir,
    /// Started so far; each has a count of its own.
    scalers: u32,
    scaler: Option<(Child, String)>,
    client: HttpClient,
}

impl FakeService {
    pub(crate) async fn start(says: Says) -> Self {
        let world = World {
            began: Instant::now(),
            says,
            truth: 0.05,
            counted_until: 0.0,
            count: SERVED_BEFORE,
            sum: SERVED_BEFORE * 0.1,
            endpoints: Vec::new(),
        };
        let world = Arc::new(Mutex::new(world));
        for _ in 0..REPLICAS {
            let told = world.clone();
            let metrics = get(async move || told.lock().expect("no answer panics").metrics());
            let url = serve(Router::new().route("/metrics", metrics)).await;
            world.lock().expect("no answer panics").endpoints.push(url);
        }
        let (listed, asked) = (world.clone(), world.clone());
        let list = get(async move || {
            let endpoint = |url: &String| json!({"url": url, "state": "ready", "in_flight": 0});
            let world = listed.lock().expect("no answer panics");
            axum::Json(world.endpoints.iter().map(endpoint).collect::<Value>())
        });
        let query = post(async move |query: String| asked.lock().expect("no answer panics").vector(&query));
        let gateway = serve(Router::new().route("/endpoints", list).route("/api/v1/query", query)).await;
        let folder = tempfile::tempdir().expect("a folder for the count");
        let service = Self { world, gateway, folder, scalers: 0, scaler: None, client: HttpClient::new() };
        service.say(says);
        service
    }

    pub(crate) fn say(&self, says: Says) {
        let mut world = self.world.lock().expect("no answer panics");
        world.go_on();
        world.says = says;
        if let Says::Truth(seconds) = says {
            world.truth = seconds;
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a scaler with these flags besides, which finds all replicas; an earlier one is ended first.
    pub(crate) fn watch(&mut self, flags: &[&str]) {
        self.end_scaler();
        self.scalers += 1;
        let count = self.path(&format!("count-{}", self.scalers)).display().to_string();
        std::fs::write(&count, REPLICAS.to_string()).expect("the count is written");
        let mut child = lab()
            .args(["scaler", "--listen", "127.0.0.1:0", "--gateway-admin", &self.gateway])
            .args(["--actuator", "command", "--count-command", &format!("cat {count}")])
            .args(["--scale-command", &format!("sh -c 'echo {{replicas}} > {count}'")])
            .args(["--prometheus-url", &self.gateway, "--scrape-interval", "300ms"])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the lab starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("standard output was piped");
        BufReader::new(output).read_line(&mut line).expect("it says where it listens");
        let url = line.trim().strip_prefix("listening on ").expect("it says where it listens").to_owned();
        self.scaler = Some((child, url));
    }

    pub(crate) fn pid(&self) -> u32 {
        self.scaler.as_ref().expect("it was started").0.id()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (_, url) = self.scaler.as_ref().expect("it was started");
        let reply = self.client.get(&format!("{url}{path}"), TIMEOUT).await;
        reply.and_then(Reply::ok).and_then(|reply| reply.json()).expect("the scaler answers")
    }

    /// The decisions so far, oldest first.
    pub(crate) async fn decisions(&self) -> Vec<Value> {
        self.get("/api/history?form=columns").await["decisions"].as_array().cloned().unwrap_or_default()
    }

    /// Waits until the status is as wanted.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let status = self.get("/api/status").await;
            if is_so(&status) {
                return status;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{what} never came: {status:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn end_scaler(&mut self) {
        if let Some((mut child, _)) = self.scaler.take() {
            let _ended = child.kill();
            let _status = child.wait();
        }
    }
}

impl Drop for FakeService {
    fn drop(&mut self) {
        self.end_scaler();
    }
}

async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await;
    let listener = listener.expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

#[expect(clippy::disallowed_methods, reason = "a replica's start is told by the wall clock")]
fn epoch_seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
