//! A collector that is gone, silent or mad costs no request and hardly any time at the end.

use std::time::{Duration, Instant};

use crate::collector::{Collector, Manner};
use crate::support::{TIMEOUT, Up};
use crate::tree::{QUIET, ask};

/// What all processes of a loop together may take longer to end because their last spans cannot be delivered.
const LONGER_END: Duration = Duration::from_secs(3);

/// Sends requests, of which many are traced, and tells how long the loop took to end.
async fn use_and_end(endpoint: Option<&str>) -> Duration {
    let traced = endpoint.map_or(vec![], |url| vec!["--trace-rate", "1000", "--otlp-endpoint", url]);
    let mut up = Up::start(&[&QUIET[..], &traced].concat());
    up.wait_for_replicas(1, TIMEOUT).await;
    let (began, url) = (Instant::now(), format!("{}/", up.gateway));
    // Long enough for several attempts to deliver; `ask` fails with the first request that does.
    while began.elapsed() < Duration::from_millis(2500) {
        let sent = Instant::now();
        ask(&up.client, &url).await;
        assert!(sent.elapsed() < Duration::from_secs(1), "a request took {:?}", sent.elapsed());
    }
    let ending = Instant::now();
    assert!(up.interrupt().success());
    ending.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_do_not_notice_and_the_end_comes_in_time() {
    let usual = use_and_end(None).await;
    let gone = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        format!("http://{}", listener.local_addr().expect("it is bound"))
    };
    let silent = Collector::start(Manner::Silent).await;
    let garbage = Collector::start(Manner::Garbage).await;
    for (what, url) in [("gone", &gone), ("silent", &silent.url), ("mad", &garbage.url)] {
        let took = use_and_end(Some(url)).await;
        assert!(
            took < usual + LONGER_END,
            "with a {what} collector the end took {took:?}, usually {usual:?}"
        );
    }
    assert!(silent.requests() > 0 && garbage.requests() > 0, "nobody tried to deliver");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_said_once_that_spans_are_lost() {
    let mut webapp = crate::child::Process::start(&[
        "webapp",
        "--service-time",
        "0s",
        "--drain-wait",
        "0s",
        "--otlp-endpoint",
        "http://127.0.0.1:1",
    ]);
    let url = webapp.urls()[0].clone();
    let client = http_client::HttpClient::new();
    let warned = |webapp: &crate::child::Process| webapp.log().matches("spans are not delivered").count();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(4) {
        client.get(&url, TIMEOUT).await.expect("the replica answers");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(warned(&webapp), 1, "{}", webapp.log());
    assert!(webapp.interrupt().success());
}
