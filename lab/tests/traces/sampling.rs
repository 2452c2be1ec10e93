//! Who is traced and who is not, and that the decision holds for everybody behind.

use std::collections::BTreeSet;

use http::{Method, Request};
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::child::Process;
use crate::collector::{Collector, Manner, Seen, list};
use crate::support::{TIMEOUT, Up, wait_until};
use crate::tree::{QUIET, SPANS_OF_A_REQUEST, ask};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Sends a request that says it belongs to [`TRACE`].
async fn ask_within_trace(url: &str, flags: &str) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<bytes::Bytes>>();
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-{flags}");
    let request = Request::builder().method(Method::GET).uri(url).header("traceparent", traceparent);
    let response = client.request(request.body(Empty::new()).expect("a request")).await.expect("an answer");
    assert!(response.status().is_success(), "{}", response.status());
}

fn services(spans: &[Seen]) -> BTreeSet<&str> {
    spans.iter().map(Seen::service).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parents_decision_is_followed_either_way() {
    let collector = Collector::start(Manner::Good).await;
    // A rate of 0: only what is sampled elsewhere is traced.
    let flags = ["--trace-rate", "0", "--otlp-endpoint", &collector.url];
    let mut up = Up::start(&[&QUIET[..], &flags].concat());
    up.wait_for_replicas(1, TIMEOUT).await;
    let url = format!("{}/", up.gateway);
    for _ in 0..20 {
        ask(&up.client, &url).await;
        ask_within_trace(&url, "00").await;
    }
    ask_within_trace(&url, "01").await;
    let spans = collector.wait_for_trace(TRACE, SPANS_OF_A_REQUEST).await;
    assert!(spans.iter().any(|span| span.parent == "00f067aa0ba902b7"), "{}", list(&spans));
    assert!(up.interrupt().success());
    let requests: Vec<Seen> =
        collector.spans().into_iter().filter(|span| span.service() != "scaler").collect();
    assert_eq!(requests.len(), SPANS_OF_A_REQUEST, "others were traced, too: {}", list(&requests));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_begin_at_the_gateway_up_to_the_rate_and_are_whole() {
    let collector = Collector::start(Manner::Good).await;
    let flags = ["--trace-rate", "2", "--otlp-endpoint", &collector.url];
    let mut up = Up::start(&[&QUIET[..], &flags].concat());
    up.wait_for_replicas(1, TIMEOUT).await;
    let began = std::time::Instant::now();
    for _ in 0..100 {
        ask(&up.client, &format!("{}/", up.gateway)).await;
    }
    let most = 2.0 + 2.0 * began.elapsed().as_secs_f64();
    assert!(up.interrupt().success());
    let spans: Vec<Seen> = collector.spans().into_iter().filter(|span| span.service() != "scaler").collect();
    let traces: BTreeSet<&str> = spans.iter().map(|span| span.trace.as_str()).collect();
    assert!((2.0..=most.ceil()).contains(&(traces.len() as f64)), "{} traces, at most {most}", traces.len());
    assert_eq!(spans.len(), traces.len() * SPANS_OF_A_REQUEST, "not all are whole: {}", list(&spans));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opentelemetrys_sampler_takes_the_place_of_the_rate() {
    for (sampler, expected) in [("always_on", 20), ("always_off", 0), ("parentbased_always_on", 20)] {
        let collector = Collector::start(Manner::Good).await;
        let variables =
            [("OTEL_TRACES_SAMPLER", sampler), ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str())];
        let mut webapp = Process::start_with(
            &variables,
            &["webapp", "--base-rps", "0", "--service-time", "0s", "--drain-wait", "0s"],
        );
        let url = webapp.urls()[0].clone();
        let client = http_client::HttpClient::new();
        for _ in 0..20 {
            client.get(&url, TIMEOUT).await.expect("the replica answers");
        }
        assert!(webapp.interrupt().success());
        let spans = collector.spans();
        let traces: BTreeSet<&str> = spans.iter().map(|span| span.trace.as_str()).collect();
        assert_eq!(traces.len(), expected, "{sampler}: {}", list(&spans));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_environment_names_service_and_resource() {
    let collector = Collector::start(Manner::Good).await;
    let endpoint = format!("{}/v1/traces", collector.url);
    let variables = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint.as_str()),
        ("OTEL_SERVICE_NAME", "shop"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.instance.id=mine"),
    ];
    let mut webapp = Process::start_with(&variables, &["webapp", "--base-rps", "0", "--drain-wait", "0s"]);
    let url = webapp.urls()[0].clone();
    http_client::HttpClient::new().get(&url, TIMEOUT).await.expect("the replica answers");
    assert!(webapp.interrupt().success());
    let spans = collector.spans();
    assert_eq!(services(&spans), BTreeSet::from(["shop"]), "{}", list(&spans));
    let resource = &spans[0].resource;
    assert_eq!(resource["deployment.environment.name"], "test");
    assert_eq!(resource["service.instance.id"], "mine", "what the environment says beats what the lab says");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_unless_somebody_asks_for_it() {
    // Where OTLP goes by default; taken only if nobody else has it.
    let usual = tokio::net::TcpListener::bind("127.0.0.1:4318").await.ok();
    let usual = usual.map(|listener| Collector::serve(listener, Manner::Good));
    let collector = Collector::start(Manner::Good).await;
    let asked = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str());
    for variables in
        [vec![], vec![asked, ("OTEL_SDK_DISABLED", "true")], vec![asked, ("OTEL_TRACES_EXPORTER", "none")]]
    {
        let mut up = Up::start_with(&variables, &QUIET);
        up.wait_for_replicas(1, TIMEOUT).await;
        ask(&up.client, &format!("{}/", up.gateway)).await;
        for (name, pid) in &up.processes {
            let threads = threads(*pid);
            assert!(!threads.contains("OpenTelemetry"), "{name} has a thread for spans:\n{threads}");
        }
        assert!(up.interrupt().success());
    }
    assert_eq!(collector.requests(), 0, "spans arrived though tracing was off");
    assert_eq!(usual.map_or(0, |usual| usual.requests()), 0, "spans arrived where nobody had sent them");
}

/// The names of a process's threads, one a line.
fn threads(pid: u32) -> String {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("the process is there");
    threads
        .map_while(Result::ok)
        // A thread may end between being listed and being read.
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_traces_has_a_thread_for_it() {
    let collector = Collector::start(Manner::Good).await;
    let webapp = Process::start(&["webapp", "--base-rps", "0", "--otlp-endpoint", &collector.url]);
    webapp.urls();
    // A thread gives itself its name, a moment after it was started.
    let is_named = wait_until(TIMEOUT, || threads(webapp.id()).contains("OpenTelemetry"));
    assert!(is_named, "else the test above could not fail:\n{}", threads(webapp.id()));
}
