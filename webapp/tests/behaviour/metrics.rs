//! `/metrics`: valid OpenMetrics under the fixed names, whose number of series no client can make grow.

use std::time::Duration;

use futures_util::StreamExt;
use http::{Method, StatusCode};
use observability::names;
use webapp::WebappConfig;

use crate::exposition::families;
use crate::replica::{PATIENCE, Replica, quiet};
use crate::scrape::Scrape;
use crate::wait;

/// What dashboards, rules and the scaler read, as the design fixes it.
const FIXED_NAMES: [&str; 23] = [
    names::WEBAPP_RESPONSE_TIME_SECONDS,
    names::WEBAPP_REQUEST_COUNT,
    names::WEBAPP_TOTAL_REQUESTS,
    names::WEBAPP_REQUEST_DURATION_SECONDS,
    names::WEBAPP_INFO,
    names::WEBAPP_HEALTH_STATUS,
    names::WEBAPP_LOAD_FACTOR,
    names::WEBAPP_QUEUE_DEPTH,
    names::WEBAPP_QUEUE_CAPACITY,
    names::WEBAPP_WORKERS_BUSY,
    names::WEBAPP_WORKERS,
    names::WEBAPP_WORKERS_BUSY_SECONDS_TOTAL,
    names::WEBAPP_REFUSED_TOTAL,
    names::WEBAPP_ERRORS_TOTAL,
    names::WEBAPP_PEERS_READY,
    names::ORDERS_TOTAL,
    names::ORDER_VALUE_DOLLARS,
    names::HTTP_SERVER_REQUEST_DURATION_SECONDS,
    names::HTTP_REQUESTS_TOTAL,
    names::ACTIVE_CONNECTIONS,
    names::PROCESS_CPU_SECONDS_TOTAL,
    names::PROCESS_RESIDENT_MEMORY_BYTES,
    names::PROCESS_OPEN_FDS,
];

async fn text(replica: &Replica, path: &str) -> String {
    let reply = replica.scrape(path).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    String::from_utf8(reply.body.to_vec()).expect("an exposition is text")
}

#[tokio::test]
async fn a_scrape_is_valid_and_has_every_fixed_name() {
    let replica = Replica::start(quiet()).await;
    replica.get("/").await;
    let text = text(&replica, "/metrics").await;
    let families = families(&text);
    let scrape = Scrape::parse(&text);
    for name in FIXED_NAMES {
        let exposed = scrape.samples.keys().any(|series| {
            series
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('{') || rest.starts_with("_count"))
        });
        assert!(exposed, "`{name}` is not exposed under exactly this name:\n{text}");
    }
    for (family, kind) in [
        ("webapp_total_requests", "unknown"),
        ("webapp_request_count", "gauge"),
        ("webapp_response_time_seconds", "gauge"),
        ("webapp_request_duration_seconds", "histogram"),
        ("http_server_request_duration_seconds", "histogram"),
        ("webapp_refused", "counter"),
        ("orders", "counter"),
        ("webapp", "info"),
    ] {
        assert_eq!(families[family], kind, "the type of {family}");
    }
    let buckets = |family: &str| {
        let start = format!("{family}_bucket{{");
        let of_one = |series: &&String| series.starts_with(&start) && !series.contains("synthetic");
        scrape.samples.keys().filter(of_one).count()
    };
    assert_eq!(
        buckets("webapp_request_duration_seconds"),
        14 + 7 + 1,
        "OpenTelemetry's bounds and seven more"
    );
}

#[tokio::test]
async fn the_numbers_are_those_of_the_replica() {
    let config = WebappConfig {
        workers: 3,
        queue: 17,
        load_factor: 2.5,
        service_time: Duration::from_millis(20),
        id: "r-1".to_owned(),
        ..quiet()
    };
    let replica = Replica::start(config).await;
    for _ in 0..3 {
        replica.get("/").await;
    }
    let scrape = Scrape::of(&replica).await;
    for (series, expected) in [
        ("webapp_total_requests", 3.0),
        ("webapp_request_count", 3.0),
        ("webapp_request_duration_seconds_count{origin=\"user\"}", 3.0),
        ("webapp_request_duration_seconds_count{origin=\"synthetic\"}", 0.0),
        ("webapp_health_status", 1.0),
        ("webapp_load_factor", 2.5),
        ("webapp_queue_depth", 0.0),
        ("webapp_queue_capacity", 17.0),
        ("webapp_workers_busy", 0.0),
        ("webapp_workers", 3.0),
        ("webapp_peers_ready", 1.0),
        ("webapp_info{version=\"0.1.0\",role=\"webapp\",replica=\"r-1\"}", 1.0),
    ] {
        assert!((scrape.value(series) - expected).abs() < 1e-9, "{series} is {}", scrape.value(series));
    }
    let busy = scrape.value("webapp_workers_busy_seconds_total");
    assert!((busy - 0.06).abs() < 0.005, "3 jobs of 20 ms kept workers busy for {busy} s");
    let mean = scrape.value("webapp_response_time_seconds");
    let total = scrape.value("webapp_request_duration_seconds_sum{origin=\"user\"}");
    assert!((mean - total / 3.0).abs() < 1e-9 && mean >= 0.02, "mean {mean}, sum {total}");
}

#[tokio::test]
async fn a_selection_brings_only_the_families_that_it_names() {
    let replica = Replica::start(quiet()).await;
    let text =
        text(&replica, "/metrics?name[]=webapp_workers&name%5B%5D=webapp_request_duration_seconds_bucket")
            .await;
    let found: Vec<String> = families(&text).into_keys().collect();
    assert_eq!(found, ["webapp_request_duration_seconds", "webapp_workers"]);
}

#[tokio::test]
async fn random_paths_make_no_series() {
    let replica = Replica::start(quiet()).await;
    // One of each kind first: these make the few series that are allowed.
    replica.get("/none").await;
    replica.send("BREW".parse().unwrap(), "/none", None).await;
    let before = Scrape::of(&replica).await.samples.len();
    futures_util::stream::iter(0..10_000)
        .for_each_concurrent(32, async |number: u32| {
            let path = format!("/{}/{number}?page={number}", number.wrapping_mul(2_654_435_761));
            let method = if number.is_multiple_of(2) { "GET".to_owned() } else { format!("M{number}") };
            let reply = replica.send(method.parse().unwrap(), &path, None).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{method} {path}");
        })
        .await;
    let scrape = Scrape::of(&replica).await;
    assert_eq!(scrape.samples.len(), before, "random paths or methods made series");
    let unmatched: f64 = scrape
        .samples
        .keys()
        .filter(|series| {
            series.starts_with("http_server_request_duration_seconds_count")
                && series.contains("http_route=\"unmatched\"")
        })
        .map(|series| scrape.value(series))
        .sum();
    assert!((unmatched - 10_002.0).abs() < 0.5, "{unmatched} requests without a route were counted");
}

/// What a scrape may weigh.
const SCRAPE_BYTES_MAX: usize = 64 * 1024;

/// ` # {trace_id="…",span_id="…"} value time`, with ids of 32 and 16 digits and numbers of up to 20.
const EXEMPLAR_BYTES_MAX: usize = 32 + 16 + 32 + 2 * 20;

/// By how much a count of many hours is longer than one of a test.
const MORE_DIGITS: usize = 7;

#[tokio::test]
async fn a_scrape_stays_small_with_all_user_routes_called_and_an_exemplar_in_every_bucket() {
    let config = WebappConfig { workers: 1, queue: 0, service_time: Duration::from_millis(50), ..quiet() };
    let replica = Replica::start(config).await;
    let routes = [
        (Method::GET, "/"),
        (Method::GET, "/api/dashboard"),
        (Method::POST, "/api/events"),
        (Method::POST, "/order"),
        (Method::POST, "/buy"),
    ];
    for (method, path) in &routes {
        // Three at once, of which two are refused.
        let together = || replica.send(method.clone(), path, None);
        tokio::join!(together(), together(), together());
    }
    let text = text(&replica, "/metrics").await;
    let refused: f64 = Scrape::parse(&text).value("webapp_refused_total{origin=\"user\"}");
    assert!(refused > 0.5, "nobody was refused");
    let buckets = text.lines().filter(|line| line.contains("_bucket{")).count();
    let most = text.len() + buckets * (EXEMPLAR_BYTES_MAX + MORE_DIGITS);
    assert!(buckets > 190, "{buckets} buckets in:\n{text}");
    assert!(most <= SCRAPE_BYTES_MAX, "{} bytes, at most {most} with {buckets} exemplars", text.len());
}

#[tokio::test]
async fn probes_and_scrapes_are_not_measured_as_requests() {
    let replica = Replica::start(quiet()).await;
    for path in ["/health", "/health/live", "/ready", "/health/ready", "/metrics"] {
        replica.get(path).await;
    }
    let scrape = Scrape::of(&replica).await;
    let measured: Vec<&String> = scrape
        .samples
        .keys()
        .filter(|series| series.starts_with("http_server_request_duration_seconds_count"))
        .filter(|series| {
            scrape.value(series) > 0.0 || series.contains("health") || series.contains("metrics")
        })
        .collect();
    assert!(measured.is_empty(), "{measured:?}");
    assert!(scrape.value("webapp_total_requests") < 0.5, "a probe is no job");
}

#[tokio::test]
async fn refusals_take_no_part_in_response_times() {
    let config = WebappConfig { workers: 1, queue: 0, service_time: Duration::from_millis(400), ..quiet() };
    let replica = Replica::start(config).await;
    let refusals = async {
        wait::until(PATIENCE, "the worker is busy", async || {
            Scrape::of(&replica).await.value("webapp_workers_busy") > 0.5
        })
        .await;
        for _ in 0..5 {
            let reply = replica.get("/").await;
            assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(reply.headers["retry-after"], "1", "an honest refusal says when to come back");
            let body: observability::http::error::ErrorBody = reply.json().unwrap();
            assert!(body.error.contains("full") && !body.hint.is_empty(), "{body:?}");
        }
    };
    let (served, ()) = tokio::join!(replica.get("/"), refusals);
    assert_eq!(served.status, StatusCode::OK);
    let scrape = Scrape::of(&replica).await;
    for (series, expected) in [
        ("webapp_request_duration_seconds_count{origin=\"user\"}", 1.0),
        ("webapp_request_count", 1.0),
        ("webapp_refused_total{origin=\"user\"}", 5.0),
        ("webapp_errors_total{origin=\"user\"}", 0.0),
        ("webapp_total_requests", 6.0),
    ] {
        assert!((scrape.value(series) - expected).abs() < 1e-9, "{series} is {}", scrape.value(series));
    }
    assert!(scrape.value("webapp_response_time_seconds") >= 0.4, "refusals in 0 ms hid the slow answer");
    let refused = scrape
        .samples
        .keys()
        .find(|series| {
            series.starts_with("http_server_request_duration_seconds_count")
                && series.contains("http_route=\"/\"")
                && series.contains("\"503\"")
        })
        .expect("refusals are requests");
    assert!((scrape.value(refused) - 5.0).abs() < 1e-9, "{refused}");
}
