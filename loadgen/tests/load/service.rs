//! A service with the routes that the built-in users know, which checks what it is sent and counts it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use loadgen::{Levels, Load, LoadConfig, LoadResult, Progress, Scenario, run};
use serde::Deserialize;
use tokio::net::TcpListener;

/// How a route answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Ok,
    /// 503 with `Retry-After`.
    Refuse,
    /// 503 without it.
    Unavailable,
    /// Takes this long.
    After(Duration),
    Never,
    /// Serves nobody for the last two of each ten seconds since it was started.
    FreezesTwoSecondsOfTen,
}

/// A running service; it ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) host: String,
    answers: BTreeMap<&'static str, Answer>,
    started: Instant,
    seen: Arc<Mutex<BTreeMap<&'static str, u64>>>,
}

/// Runs until `enough` says so of the progress, so that a busy machine only takes longer; a minute and a half at most.
pub(crate) async fn run_until(config: LoadConfig, enough: impl Fn(&Progress) -> bool) -> LoadResult {
    let config = LoadConfig { run_time: Some(Duration::from_secs(90)), ..config };
    let reached = tokio::sync::Notify::new();
    let watch = |now: Progress| {
        if !now.ramping_up && enough(&now) {
            reached.notify_one();
        }
    };
    run(&config, reached.notified(), watch).await.expect("the load runs")
}

/// So many users all the time.
pub(crate) fn users(count: u32) -> Load {
    Load::Users(Levels::steady(f64::from(count)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    item: String,
    quantity: u32,
    price: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Purchase {
    username: String,
    userid: u64,
    price: f64,
}

impl Service {
    /// Starts a service; routes that are not named answer well at once.
    pub(crate) async fn start(answers: impl IntoIterator<Item = (&'static str, Answer)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let service = Self {
            host: format!("http://{}", listener.local_addr().expect("it is bound")),
            answers: answers.into_iter().collect(),
            started: Instant::now(),
            seen: Arc::default(),
        };
        let app = Router::new()
            .route("/", get(async |State(service): State<Self>| service.answer("/").await))
            .route(
                "/api/dashboard",
                get(async |State(service): State<Self>| service.answer("/api/dashboard").await),
            )
            .route(
                "/api/events",
                post(
                    async |State(service): State<Self>,
                           Json(event): Json<BTreeMap<String, serde_json::Value>>| {
                        assert!(event.contains_key("type"), "an event without a type: {event:?}");
                        service.answer("/api/events").await
                    },
                ),
            )
            .route(
                "/order",
                post(async |State(service): State<Self>, Json(order): Json<Order>| {
                    assert!(!order.item.is_empty() && order.quantity > 0 && order.price > 0.0);
                    service.answer("/order").await
                }),
            )
            .route(
                "/buy",
                post(async |State(service): State<Self>, Json(purchase): Json<Purchase>| {
                    assert!(!purchase.username.is_empty() && purchase.userid > 0 && purchase.price > 0.0);
                    service.answer("/buy").await
                }),
            )
            .with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        service
    }

    /// Short: no ramp-up, 20 users, 3 s.
    pub(crate) fn config(&self, scenario: &str) -> LoadConfig {
        LoadConfig {
            host: self.host.clone(),
            scenario: Scenario::load(scenario, &[]).expect("a shipped scenario"),
            load: users(20),
            run_time: Some(Duration::from_secs(3)),
            ramp_up: Duration::ZERO,
            ..LoadConfig::default()
        }
    }

    /// Requests by path, as the service saw them.
    pub(crate) fn seen(&self) -> BTreeMap<&'static str, u64> {
        self.seen.lock().expect("no handler panics while it counts").clone()
    }

    async fn answer(&self, path: &'static str) -> Response {
        *self.seen.lock().expect("no handler panics while it counts").entry(path).or_default() += 1;
        match self.answers.get(path).copied().unwrap_or(Answer::Ok) {
            Answer::Ok => "fine".into_response(),
            Answer::Refuse => {
                (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "1")], "full").into_response()
            }
            Answer::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "broken").into_response(),
            Answer::After(wait) => {
                tokio::time::sleep(wait).await;
                "late".into_response()
            }
            Answer::FreezesTwoSecondsOfTen => {
                let in_cycle = Duration::from_millis(
                    u64::try_from(self.started.elapsed().as_millis() % 10_000).expect("below 10,000"),
                );
                if in_cycle >= Duration::from_secs(8) {
                    tokio::time::sleep(Duration::from_secs(10).saturating_sub(in_cycle)).await;
                }
                "thawed".into_response()
            }
            Answer::Never => std::future::pending().await,
        }
    }
}
