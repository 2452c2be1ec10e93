//! Input that cannot be is named with what would do, before anything is sent.

use std::time::Duration;

use axum::http::{HeaderValue, Method, header};
use loadgen::{OpenModel, OpenModelError, Target, WeightedRequest};

use crate::service::get;

fn target() -> Target {
    Target {
        base_url: "http://127.0.0.1:9".to_owned(),
        requests: vec![get("/")],
        connections: 1,
        timeout: Duration::from_secs(1),
    }
}

async fn refused(target: Target) -> String {
    let error = OpenModel::connect(target).await.expect_err("it cannot be");
    assert!(matches!(error, OpenModelError::Setting { .. }), "{error}");
    assert!(error.to_string().contains("; hint: "), "{error}");
    error.to_string()
}

#[tokio::test]
async fn urls() {
    for base_url in [
        "",
        "127.0.0.1:8000",
        "ftp://127.0.0.1",
        "http://",
        "http://127.0.0.1\\path",
        "http://127.0.0.1:0",
        "http://127.0.0.1:70000",
        "http://127.0.0.1/path",
        "http://127.0.0.1/?query",
    ] {
        let error = refused(Target { base_url: base_url.to_owned(), ..target() }).await;
        assert!(error.starts_with(&format!("URL is `{base_url}`, expected ")), "{error}");
    }
}

#[tokio::test]
async fn requests() {
    let with = |request| Target { requests: vec![request], ..target() };
    assert!(refused(Target { requests: Vec::new(), ..target() }).await.starts_with("requests is 0, "));
    assert!(refused(with(WeightedRequest { weight: 0, ..get("/") })).await.starts_with("weight is 0, "));
    for path in ["", "order", "/two words", "http://127.0.0.1/"] {
        assert!(refused(with(get(path))).await.starts_with(&format!("path is `{path}`, ")));
    }
    let connect = WeightedRequest { method: Method::CONNECT, ..get("/") };
    assert!(refused(with(connect)).await.starts_with("method is CONNECT, "));
    let framing = vec![(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"))];
    let framed = WeightedRequest { headers: framing, ..get("/") };
    assert!(refused(with(framed)).await.starts_with("header is `transfer-encoding`, "));
}

#[tokio::test]
async fn connections_and_timeout() {
    for connections in [0, 100_001] {
        let error = refused(Target { connections, ..target() }).await;
        assert!(error.starts_with(&format!("connections is {connections}, ")), "{error}");
    }
    for timeout in [Duration::ZERO, Duration::MAX] {
        assert!(refused(Target { timeout, ..target() }).await.starts_with("timeout is "));
    }
}
