//! Measures what a scaler costs that scrapes 50 replicas each second: CPU share of one core, and resident memory.
//!
//! `cargo run --profile dist -p scaler --example scaler_cost [SECONDS] [REPLICAS]`
//!
//! The replicas and the gateway run in a child process, so that their cost is not counted; the numbers are the scaler's
//! own `process_*` metrics, as a Prometheus would see them, the first 5 s left out.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a measuring program talks to whoever started it"
)]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::routing::get;
use axum::{Json, Router};
use http_client::HttpClient;
use observability::buckets::RESPONSE_TIME_SECONDS;
use observability::names;
use scaler::policy_file::{NamedPolicy, PolicyOverrides};
use scaler::{Scaler, ScalerConfig, ServiceConfig};
use serde_json::json;
use tokio::time::Instant;

const WARM_UP: Duration = Duration::from_secs(5);

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be started");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default: u64| {
        arguments.get(index).map_or(default, |text| text.parse().expect("a whole number"))
    };
    if arguments.first().is_some_and(|first| first == "replicas") {
        runtime.block_on(play_replicas(number(1, 50)));
    } else {
        runtime.block_on(measure(Duration::from_secs(number(0, 30)), number(1, 50)));
    }
}

async fn measure(span: Duration, replicas: u64) {
    let mut child = Command::new(std::env::current_exe().expect("this program has a path"))
        .args(["replicas", &replicas.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the replicas can be started");
    let mut gateway_admin = String::new();
    BufReader::new(child.stdout.take().expect("its output is piped"))
        .read_line(&mut gateway_admin)
        .expect("the replicas tell their address");
    let policy =
        NamedPolicy::load("moderate", &PolicyOverrides::default()).expect("a shipped policy is valid");
    let service =
        ServiceConfig { gateway_admin: gateway_admin.trim().to_owned(), ..ServiceConfig::new(policy) };
    let config = ScalerConfig {
        listen: "127.0.0.1:0".parse().expect("an address"),
        ..ScalerConfig::new(vec![service])
    };
    let scaler = Scaler::bind(config).await.expect("a free port");
    let url = format!("http://{}", scaler.local_addr());
    let serving = tokio::spawn(scaler.serve(std::future::pending()));
    tokio::time::sleep(WARM_UP).await;
    let (started, before) = (Instant::now(), own_metric(&url, names::PROCESS_CPU_SECONDS_TOTAL).await);
    tokio::time::sleep(span).await;
    let cpu = own_metric(&url, names::PROCESS_CPU_SECONDS_TOTAL).await - before;
    let seconds = started.elapsed().as_secs_f64();
    let memory = own_metric(&url, names::PROCESS_RESIDENT_MEMORY_BYTES).await;
    println!(
        "{replicas} replicas scraped each second for {seconds:.0} s: {:.2} % of a core, {:.1} MiB resident, {} scrapes, {} failed",
        cpu / seconds * 100.0,
        memory / 1024.0 / 1024.0,
        own_metric(&url, "scaler_scrapes_total{result=\"ok\"}").await,
        own_metric(&url, "scaler_scrapes_total{result=\"failed\"}").await
    );
    serving.abort();
    drop(child.stdin.take());
    child.wait().expect("the replicas end with their input");
}

async fn own_metric(url: &str, series: &str) -> f64 {
    let reply = HttpClient::new()
        .get(&format!("{url}/metrics"), Duration::from_secs(5))
        .await
        .expect("the scaler answers");
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.expect("the metric is there").parse().expect("a number")
}

/// Plays gateway and replicas until its input is closed.
async fn play_replicas(count: u64) {
    let mut urls = Vec::new();
    for _ in 0..count {
        let scrapes = Arc::new(AtomicU64::new(0));
        let metrics = async move || metrics_text(scrapes.fetch_add(1, Ordering::Relaxed));
        urls.push(serve(Router::new().route("/metrics", get(metrics))).await);
    }
    let endpoints: Vec<_> = urls
        .iter()
        .map(|url| json!({"url": url, "state": "ready", "in_flight": 2, "ewma_ms": 50.0, "pid": 1}))
        .collect();
    println!(
        "{}",
        serve(Router::new().route("/endpoints", get(async move || Json(endpoints.clone())))).await
    );
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    drop(ended.await);
}

async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

/// What a replica answers to the scaler's selection, with an exemplar at each bucket.
fn metrics_text(scrapes: u64) -> String {
    let (mut text, count) = (String::with_capacity(8 * 1024), scrapes * 40);
    let mut line = |line: std::fmt::Arguments<'_>| writeln!(text, "{line}").expect("writing to a string");
    let family = names::WEBAPP_REQUEST_DURATION_SECONDS;
    line(format_args!("# HELP {family} Response time.\n# TYPE {family} histogram"));
    for origin in ["user", "synthetic"] {
        line(format_args!("{family}_sum{{origin=\"{origin}\"}} {}", count as f64 * 0.05));
        line(format_args!("{family}_count{{origin=\"{origin}\"}} {count}"));
        for bound in RESPONSE_TIME_SECONDS {
            let below = if bound < 0.05 { count / 2 } else { count };
            line(format_args!(
                "{family}_bucket{{le=\"{bound}\",origin=\"{origin}\"}} {below} # {{trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"}} 0.05"
            ));
        }
        line(format_args!("{family}_bucket{{le=\"+Inf\",origin=\"{origin}\"}} {count}"));
        line(format_args!("{}{{origin=\"{origin}\"}} 0", names::WEBAPP_REFUSED_TOTAL));
        line(format_args!("{}{{origin=\"{origin}\"}} 0", names::WEBAPP_ERRORS_TOTAL));
    }
    for (name, value) in [
        (names::WEBAPP_QUEUE_DEPTH, 1.0),
        (names::WEBAPP_WORKERS, 4.0),
        (names::WEBAPP_WORKERS_BUSY_SECONDS_TOTAL, count as f64 * 0.05),
        (names::WEBAPP_LOAD_FACTOR, 1.0),
        (names::PROCESS_CPU_SECONDS_TOTAL, count as f64 * 0.001),
        (names::PROCESS_RESIDENT_MEMORY_BYTES, 1.2e7),
        (names::PROCESS_START_TIME_SECONDS, 1.7e9),
    ] {
        line(format_args!("# TYPE {name} gauge\n{name} {value}"));
    }
    text.push_str("# EOF\n");
    text
}
