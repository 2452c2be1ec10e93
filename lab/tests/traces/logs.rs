//! What is logged within a sampled request carries the id of its trace.

use serde_json::Value;

use crate::child::Process;
use crate::collector::{Collector, Manner, Seen};
use crate::support::TIMEOUT;

/// The lines of a log, as objects.
fn lines(log: &str) -> Vec<Value> {
    log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_leads_to_its_trace_and_others_have_no_id() {
    let collector = Collector::start(Manner::Good).await;
    let arguments = ["webapp", "--base-rps", "0", "--drain-wait", "0s", "--log-format", "json"];
    let mut webapp = Process::start(&[&arguments[..], &["--otlp-endpoint", &collector.url]].concat());
    let url = webapp.urls()[0].clone();
    let client = http_client::HttpClient::new();
    client.get(&format!("{url}/load/increase"), TIMEOUT).await.expect("the replica answers");
    assert!(webapp.interrupt().success());
    let lines = lines(&webapp.log());
    let changed = lines.iter().find(|line| line["message"] == "load changed").expect("it was logged");
    let spans = collector.spans();
    let is_request = |span: &&Seen| span.name == "GET /load/increase";
    let request = spans.iter().find(is_request).expect("the request was traced");
    assert_eq!(changed["trace_id"].as_str(), Some(request.trace.as_str()), "{changed}");
    let stopped = lines.iter().find(|line| line["message"] == "stopped").expect("it was logged");
    assert_eq!(stopped.get("trace_id"), None, "{stopped}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_text_leads_to_its_trace_too() {
    let collector = Collector::start(Manner::Good).await;
    let arguments = ["webapp", "--base-rps", "0", "--drain-wait", "0s", "--otlp-endpoint", &collector.url];
    let mut webapp = Process::start(&arguments);
    let url = webapp.urls()[0].clone();
    let client = http_client::HttpClient::new();
    client.get(&format!("{url}/load/increase"), TIMEOUT).await.expect("the replica answers");
    assert!(webapp.interrupt().success());
    let log = webapp.log();
    let changed = log.lines().find(|line| line.contains("load changed")).expect("it was logged");
    let trace = &collector.spans()[0].trace;
    assert!(changed.ends_with(&format!(" trace_id={trace}")), "{changed}");
}
