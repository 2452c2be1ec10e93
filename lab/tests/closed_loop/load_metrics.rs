//! `lab load` tells a scraper what it does while it does it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use observability::metrics::{OpenMetricsVersion, TextFormat};

use crate::support::{TIMEOUT, Up, lab};

/// Longest that a load may take to its first counted answer.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_load_is_scraped_while_it_runs_and_not_afterwards() {
    let up = Up::start(&["--base-rps", "0", "--service-time", "5ms"]);
    up.wait_for_replicas(1, TIMEOUT).await;
    let mut load = lab()
        .args(["load", "--host", &up.gateway, "--users", "20", "--ramp-up", "0s", "--run-time", "8s"])
        .args(["--metrics-port", "0"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the lab starts");
    let url = metrics_url(&mut load);
    assert!(url.starts_with("http://127.0.0.1:"), "it listens for this machine alone: {url}");

    let began = Instant::now();
    let text = loop {
        let reply = up.client.scrape(&url, TIMEOUT).await.expect("a scrape is answered while the load runs");
        assert_eq!(
            reply.headers["content-type"],
            TextFormat::OpenMetrics(OpenMetricsVersion::V1_0_0).content_type()
        );
        let text = String::from_utf8(reply.body.to_vec()).expect("metrics are text");
        // Users are counted now and then, and so perhaps after the first answer.
        if value(&text, "loadgen_requests_total{result=\"ok\"}") > 0.0 && value(&text, "loadgen_users") > 0.0
        {
            break text;
        }
        assert!(began.elapsed() < PATIENCE, "no request ended within {PATIENCE:?}:\n{text}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert!(value(&text, "loadgen_sent_total") <= value(&text, "loadgen_scheduled_total"), "{text}");
    assert!(value(&text, "loadgen_request_duration_seconds_count") > 0.0, "{text}");
    assert!((1.0..=20.0).contains(&value(&text, "loadgen_users")), "{text}");

    let status = tokio::task::spawn_blocking(move || load.wait()).await.expect("no panic");
    assert!(status.expect("it is our child").success(), "no request failed");
    assert!(up.client.get(&url, TIMEOUT).await.is_err(), "nobody answers any more");
}

/// Where a `lab load` whose standard error is piped says that its metrics are.
pub(crate) fn metrics_url(load: &mut Child) -> String {
    let mut said = BufReader::new(load.stderr.take().expect("standard error was piped")).lines();
    let line = said.next().expect("it says where its metrics are").expect("it is text");
    // The rest is progress, which must be taken off the pipe.
    std::thread::spawn(move || said.map_while(Result::ok).count());
    line.strip_prefix("metrics on ").unwrap_or_else(|| panic!("it said `{line}`")).to_owned()
}

fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let value = line.unwrap_or_else(|| panic!("`{series}` is missing from:\n{text}"));
    value.split(' ').next().unwrap_or_default().parse().expect("a sample has a number")
}
