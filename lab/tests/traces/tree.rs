//! One request of a user, from the gateway to the database, is one tree.

use std::collections::BTreeSet;

use http_client::{HttpClient, Reply};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use crate::child::Process;
use crate::collector::{Collector, Manner, Seen, list};
use crate::support::{TIMEOUT, Up};

/// Spans of a request that goes through everything: gateway and try; server, wait, work and call of the replica;
/// server, wait and work of the database.
pub(crate) const SPANS_OF_A_REQUEST: usize = 9;

/// Nothing but the test's own requests is served, and nothing scales by itself.
pub(crate) const QUIET: [&str; 7] =
    ["--with-dependency", "--base-rps", "0", "--service-time", "5ms", "--check-interval", "1h"];

/// The id of the trace of a request, which is the id of the request as well.
pub(crate) async fn ask(client: &HttpClient, url: &str) -> String {
    let reply = client.get(url, TIMEOUT).await.and_then(Reply::ok).expect("the service answers");
    reply.headers["x-request-id"].to_str().expect("an id is text").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_request_is_one_tree_with_exemplars_that_lead_to_it() {
    let collector = Collector::start(Manner::Good).await;
    let up = Up::start(&[&QUIET[..], &["--otlp-endpoint", &collector.url]].concat());
    up.wait_for_replicas(1, TIMEOUT).await;
    let trace = ask(&up.client, &format!("{}/?x=1", up.gateway)).await;
    let spans = collector.wait_for_trace(&trace, SPANS_OF_A_REQUEST).await;
    check_tree(&spans);

    let (replica, _) = up.in_rotation().await[0].clone();
    let mut leads = BTreeSet::new();
    for (url, family) in [
        (&up.admin, "gateway_request_duration_seconds"),
        (&replica, "http_server_request_duration_seconds"),
        (&replica, "webapp_request_duration_seconds"),
    ] {
        let reply =
            up.client.scrape(&format!("{url}/metrics?name[]={family}"), TIMEOUT).await.expect("metrics");
        let text = String::from_utf8(reply.body.to_vec()).expect("metrics are text");
        let found = exemplars(&text);
        assert!(!found.is_empty(), "{family} has no exemplar:\n{text}");
        leads.extend(found);
    }
    let exported: BTreeSet<(String, String)> =
        collector.spans().into_iter().map(|span| (span.trace, span.id)).collect();
    let lost: Vec<_> = leads.difference(&exported).collect();
    assert!(lost.is_empty(), "exemplars lead nowhere: {lost:?}");
}

/// Trace and span of each exemplar in a text of metrics.
fn exemplars(text: &str) -> Vec<(String, String)> {
    let of_line = |line: &str| {
        let (_, labels) = line.split_once(" # {trace_id=\"")?;
        let (trace, rest) = labels.split_once("\",span_id=\"")?;
        let (span, rest) = rest.split_once("\"} ")?;
        let (_value, time) = rest.split_once(' ')?;
        assert!(time.parse::<f64>().is_ok_and(|time| time > 1.7e9), "an exemplar has a time: {line}");
        Some((trace.to_owned(), span.to_owned()))
    };
    text.lines().filter_map(of_line).collect()
}

/// The one span that fits.
#[track_caller]
fn only<'a>(spans: &'a [Seen], service: &str, kind: SpanKind, name: &str) -> &'a Seen {
    let fits = |span: &&Seen| span.service() == service && span.kind == kind && span.name == name;
    let found: Vec<&Seen> = spans.iter().filter(fits).collect();
    assert_eq!(found.len(), 1, "one {kind:?} `{name}` of {service} in {}", list(spans));
    found[0]
}

/// What is true of the spans of any request for `/?x=1` through a whole loop with a dependency.
pub(crate) fn check_tree(spans: &[Seen]) {
    assert_eq!(spans.len(), SPANS_OF_A_REQUEST, "{}", list(spans));
    let entry = only(spans, "gateway", SpanKind::Server, "GET");
    let attempt = only(spans, "gateway", SpanKind::Client, "GET");
    let server = only(spans, "webapp", SpanKind::Server, "GET /");
    let wait = only(spans, "webapp", SpanKind::Internal, "queue wait");
    let work = only(spans, "webapp", SpanKind::Internal, "work");
    let call = only(spans, "webapp", SpanKind::Client, "GET");
    let database = only(spans, "database", SpanKind::Server, "GET /");
    let database_wait = only(spans, "database", SpanKind::Internal, "queue wait");
    let database_work = only(spans, "database", SpanKind::Internal, "work");
    for (child, parent) in [
        (attempt, entry),
        (server, attempt),
        (wait, server),
        (work, server),
        (call, work),
        (database, call),
        (database_wait, database),
        (database_work, database),
    ] {
        assert_eq!(
            child.parent,
            parent.id,
            "`{}` is not below `{}` in {}",
            child.name,
            parent.name,
            list(spans)
        );
        assert!(
            parent.start_nanos <= child.start_nanos && child.end_nanos <= parent.end_nanos + 2_000_000,
            "`{}` is not within `{}`: {child:?} {parent:?}",
            child.name,
            parent.name
        );
    }
    assert_eq!(wait.end_nanos, work.start_nanos, "the work begins where the wait ends");
    for span in spans {
        check_resource(span);
        check_http(span);
        assert!(!span.failed && span.attribute("error.type").is_none(), "{span:?}");
    }
    assert_eq!(entry.attribute("client.address"), Some("127.0.0.1"));
    assert_eq!(entry.attribute("url.query"), Some("x=1"));
    assert_eq!(server.attribute("http.route"), Some("/"));
    assert_eq!(attempt.attribute("http.request.resend_count"), None, "nothing was sent again");
}

fn check_resource(span: &Seen) {
    let value = |key: &str| span.resource.get(key).map(String::as_str);
    assert_eq!(value("service.namespace"), Some("autoscale-lab"));
    assert_eq!(value("service.version"), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(value("telemetry.sdk.language"), Some("rust"));
    let instance = value("service.instance.id").expect("each process has an id");
    match span.service() {
        "webapp" => assert_eq!(instance, "webapp-1"),
        "database" => assert_eq!(instance, "dependency-1"),
        service => assert!(instance.starts_with(service), "{instance}"),
    }
}

/// What OpenTelemetry requires of HTTP spans.
fn check_http(span: &Seen) {
    let required: &[&str] = match span.kind {
        SpanKind::Server => &["http.request.method", "url.path", "url.scheme", "http.response.status_code"],
        SpanKind::Client => {
            &["http.request.method", "server.address", "server.port", "url.full", "http.response.status_code"]
        }
        _ => return,
    };
    for key in required {
        assert!(span.attribute(key).is_some(), "{key} is missing: {span:?}");
    }
    assert_eq!(span.attribute("http.request.method"), Some("GET"));
    assert_eq!(span.attribute("http.response.status_code"), Some("200"));
    assert!(!span.name.contains("x=1"), "a name holds a query: {}", span.name);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_virtual_users_request_is_the_root_of_its_tree() {
    let collector = Collector::start(Manner::Good).await;
    let traced = ["--otlp-endpoint", &collector.url];
    let up = Up::start(&[&QUIET[..], &traced].concat());
    up.wait_for_replicas(1, TIMEOUT).await;
    let load =
        ["load", "buyer", "--host", &up.gateway, "--users", "2", "--run-time", "3s", "--ramp-up", "100ms"];
    let mut load = Process::start(&[&load[..], &traced].concat());
    assert!(load.wait(std::time::Duration::from_secs(30)).success(), "{}", load.log());
    let is_root = |span: &&Seen| span.service() == "loadgen" && span.parent.is_empty();
    let spans =
        collector.wait_for("a request of a user", |spans| spans.iter().any(|span| is_root(&span))).await;
    let root = spans.iter().find(is_root).expect("it was waited for");
    assert_eq!(root.kind, SpanKind::Client);
    assert_eq!(root.attribute("url.template").map(|path| root.name.ends_with(path)), Some(true), "{root:?}");
    let spans = collector.wait_for_trace(&root.trace, SPANS_OF_A_REQUEST + 1).await;
    let entry = spans.iter().find(|span| span.parent == root.id).expect("the gateway's span is below");
    assert_eq!((entry.service(), entry.kind), ("gateway", SpanKind::Server));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_synthetic_job_is_a_tree_of_its_own() {
    let collector = Collector::start(Manner::Good).await;
    let _replica = Process::start(&["webapp", "--base-rps", "100", "--otlp-endpoint", &collector.url]);
    let is_root = |span: &&Seen| span.name == "synthetic job";
    let spans = collector.wait_for("a synthetic job", |spans| spans.iter().any(|span| is_root(&span))).await;
    let root = spans.iter().find(is_root).expect("it was waited for");
    assert!(root.parent.is_empty() && root.attribute("lab.origin") == Some("synthetic"), "{root:?}");
    let spans = collector.wait_for_trace(&root.trace, 3).await;
    for name in ["queue wait", "work"] {
        assert_eq!(only(&spans, "webapp", SpanKind::Internal, name).parent, root.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_are_sent_before_a_process_ends() {
    let collector = Collector::start(Manner::Good).await;
    // Nothing is sent while it runs: only the end can bring it.
    let slow = [("OTEL_BSP_SCHEDULE_DELAY", "3600000")];
    let mut up = Up::start_with(&slow, &[&QUIET[..], &["--otlp-endpoint", &collector.url]].concat());
    up.wait_for_replicas(1, TIMEOUT).await;
    let trace = ask(&up.client, &format!("{}/?x=1", up.gateway)).await;
    assert!(up.interrupt().success());
    check_tree(&collector.trace(&trace));
}
