//! An endpoint that cannot be ends a command with status 2, before anything is started; one that needs no certificates
//! works without any.

use http_client::HttpClient;

use crate::child::Process;
use crate::collector::{Collector, Manner};
use crate::support::{TIMEOUT, lab};

#[track_caller]
fn refused(variables: &[(&str, &str)], arguments: &[&str], parts: &[&str]) {
    let output = lab().args(arguments).envs(variables.iter().copied()).output().expect("the lab runs");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "lab {}:\n{message}", arguments.join(" "));
    assert!(output.stdout.is_empty(), "something was started: {}", String::from_utf8_lossy(&output.stdout));
    for part in parts {
        assert!(message.contains(part), "lab {} does not say `{part}`:\n{message}", arguments.join(" "));
    }
}

#[test]
fn an_endpoint_that_cannot_be_is_a_usage_error() {
    for command in ["webapp", "gateway", "scaler", "load", "up", "demo"] {
        let parts = ["--otlp-endpoint", "collector:4318", "hint: ", "http://127.0.0.1:4318"];
        refused(&[], &[command, "--otlp-endpoint", "collector:4318"], &parts);
        let variable = format!("LAB_{}_OTLP_ENDPOINT", command.to_uppercase());
        refused(&[(&variable, "ftp://collector")], &[command], &["ftp://collector"]);
    }
    let endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    refused(&[(endpoint, "nonsense")], &["up"], &[endpoint, "nonsense"]);
    refused(&[(endpoint, "nonsense")], &["gateway"], &[endpoint, "nonsense"]);
}

#[test]
fn a_variable_that_cannot_be_is_named() {
    let asked = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
    for wrong in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
    ] {
        refused(&[asked, wrong], &["webapp"], &[wrong.0, wrong.1]);
    }
    refused(&[], &["up", "--trace-rate=-1"], &["--trace-rate"]);
}

/// As in an image from scratch: over plain HTTP nobody needs to be trusted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_any_certificates_spans_reach_a_plain_endpoint() {
    let collector = Collector::start(Manner::Good).await;
    let nowhere = [("SSL_CERT_FILE", "/nonexistent"), ("SSL_CERT_DIR", "/nonexistent")];
    let flags = ["webapp", "--base-rps", "0", "--drain-wait", "0s", "--otlp-endpoint", &collector.url];
    let mut webapp = Process::start_with(&nowhere, &flags);
    let url = webapp.urls()[0].clone();
    HttpClient::new().get(&url, TIMEOUT).await.expect("the replica answers");
    assert!(webapp.interrupt().success());
    assert!(!collector.spans().is_empty(), "{}", webapp.log());

    let encrypted = collector.url.replace("http://", "https://");
    refused(
        &nowhere,
        &["webapp", "--otlp-endpoint", &encrypted],
        &["traces cannot be exported", "certificates"],
    );
}
