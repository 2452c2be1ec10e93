//! A gateway and a Prometheus in one, in the test's own process, whose answers the test sets.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::{PrometheusSettings, PrometheusSource, queries};
use crate::clock::Clock;

/// The moment at which the pretended Prometheus evaluates; seconds since the Unix epoch.
pub(super) const NOW: f64 = 1_700_000_000.0;

/// One replica as the pretended Prometheus knows it: figures as text, because not every figure is a number.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) instance: String,
    pub(super) state: Vec<(&'static str, String)>,
    pub(super) counters: Vec<(&'static str, String)>,
    pub(super) buckets: Vec<(&'static str, String)>,
    /// By the place of the need and the figure.
    pub(super) named: Vec<(&'static str, String)>,
}

impl Known {
    /// Scraped each `spacing` seconds, the last time `age` seconds ago; `count` samples are in the window, and one is
    /// before it.
    pub(super) fn scraped(instance: &str, spacing: f64, age: f64, count: f64) -> Self {
        let last = NOW - age;
        Self { instance: instance.to_owned(), ..Self::default() }
            .state(queries::LAST_SAMPLE, last)
            .state(queries::FIRST_SAMPLE, last - count * spacing)
            .state(queries::SAMPLES, count)
            .state(queries::JOBS, 1.0)
            .state(queries::STARTED_AT, NOW - 3600.0)
            .state(queries::WORKERS, 4.0)
            .state(queries::MEMORY_BYTES, 2000.0)
            .state(queries::LOAD_FACTOR, 5.0)
            .grown(queries::DURATION_COUNT, 0.0)
    }

    /// 100 jobs in 40 s, and everything else that can be counted.
    pub(super) fn busy(self) -> Self {
        let mut busy = self
            .state(queries::QUEUE_DEPTH, 10.0)
            .state(queries::QUEUE_GROWTH, 15.0)
            .grown(queries::DURATION_SUM, 40.0)
            .grown(queries::DURATION_COUNT, 100.0)
            .grown(queries::REFUSED, 50.0)
            .grown(queries::ERRORS, 3.0)
            .grown(queries::DEPENDENCY_WAIT_SUM, 1.0)
            .grown(queries::DEPENDENCY_WAIT_COUNT, 4.0)
            .grown(queries::BUSY_SECONDS, 60.0)
            .grown(queries::CPU_SECONDS, 3.0);
        // Not in order, and one bound written in two ways.
        busy.buckets = [("1.0", "70"), ("+Inf", "100"), ("0.1", "20"), ("0.5", "60"), ("1", "30")]
            .map(|(bound, value)| (bound, value.to_owned()))
            .to_vec();
        busy
    }

    pub(super) fn state(mut self, figure: &'static str, value: impl Display) -> Self {
        put(&mut self.state, figure, value.to_string());
        self
    }

    pub(super) fn grown(mut self, figure: &'static str, value: impl Display) -> Self {
        put(&mut self.counters, figure, value.to_string());
        self
    }
}

fn put(figures: &mut Vec<(&'static str, String)>, figure: &'static str, value: String) {
    figures.retain(|(known, _)| *known != figure);
    figures.push((figure, value));
}

/// How the pretended Prometheus behaves.
#[derive(Clone, Debug, Default)]
pub(super) enum Manner {
    #[default]
    Answers,
    Refuses(StatusCode, &'static str, &'static str),
    Hangs,
}

/// Gateway and Prometheus in one.
#[derive(Clone, Default)]
pub(super) struct World {
    pub(super) endpoints: Arc<Mutex<Value>>,
    pub(super) known: Arc<Mutex<Vec<Known>>>,
    pub(super) manner: Arc<Mutex<Manner>>,
    pub(super) asked: Arc<Mutex<String>>,
    pub(super) queries: Arc<AtomicU32>,
    /// What has passed since [`NOW`]: a second at each look, while samples go on coming.
    pub(super) seconds_passed: Arc<AtomicI64>,
    /// Whether it repeats its last answer.
    pub(super) stands_still: Arc<AtomicBool>,
}

impl World {
    pub(super) fn list(&self, endpoints: &[(&str, &str)]) {
        let list = endpoints
            .iter()
            .map(|(url, state)| json!({"url": url, "state": state, "in_flight": 3, "ewma_ms": 1.5}));
        *self.endpoints.lock().unwrap() = list.collect();
    }

    pub(super) fn know(&self, replicas: &[Known]) {
        *self.known.lock().unwrap() = replicas.to_vec();
    }

    pub(super) fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    pub(super) async fn answer(&self, query: &str) -> Response {
        let manner = self.manner.lock().unwrap().clone();
        query.clone_into(&mut self.asked.lock().unwrap());
        self.queries.fetch_add(1, Ordering::Relaxed);
        match manner {
            Manner::Hangs => std::future::pending().await,
            Manner::Refuses(status, content_type, body) => {
                (status, [("content-type", content_type)], body).into_response()
            }
            Manner::Answers => axum::Json(self.vector(query)).into_response(),
        }
    }

    pub(super) fn vector(&self, query: &str) -> Value {
        let asks_for_state = query.contains("first_sample");
        if asks_for_state && !self.stands_still.load(Ordering::Relaxed) {
            self.seconds_passed.fetch_add(1, Ordering::Relaxed);
        }
        // The first look is at `NOW` itself.
        let passed = (self.seconds_passed.load(Ordering::Relaxed) - 1) as f64;
        let moved = |name: &str, value: &String| match (name, value.parse::<f64>()) {
            (queries::FIRST_SAMPLE | queries::LAST_SAMPLE, Ok(at)) => (at + passed).to_string(),
            _ => value.clone(),
        };
        let known = self.known.lock().unwrap();
        let points: Vec<Value> = known
            .iter()
            .flat_map(|replica| {
                let (label, figures) = if asks_for_state {
                    ("figure", &replica.state)
                } else if query.contains("1_value") {
                    ("figure", &replica.named)
                } else if query.contains("webapp_workers_busy_seconds_total") {
                    ("figure", &replica.counters)
                } else {
                    ("le", &replica.buckets)
                };
                figures.iter().map(
                    move |(name, value)| json!({"metric": {"instance": replica.instance, label: name}, "value": [NOW + passed, moved(name, value)]}),
                )
            })
            .collect();
        json!({"status": "success", "data": {"resultType": "vector", "result": points}})
    }

    /// A source that looks each 100 ms over a window of 30 s.
    pub(super) async fn source(&self) -> PrometheusSource {
        let (endpoints, world) = (self.endpoints.clone(), self.clone());
        let app = Router::new()
            .route("/endpoints", get(async move || axum::Json(endpoints.lock().unwrap().clone())))
            .route("/api/v1/query", post(async move |query: String| world.answer(&query).await));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let settings = PrometheusSettings {
            prometheus_url: url.clone(),
            gateway_admin: url,
            window: Duration::from_secs(30),
            interval: Duration::from_millis(100),
        };
        PrometheusSource::new(settings, Clock::start()).unwrap()
    }
}

/// A world with one replica in rotation, known as this.
pub(super) fn world_of(known: Known) -> World {
    let world = World::default();
    world.list(&[("http://a:1", "ready")]);
    world.know(&[known]);
    world
}
