//! The admin port says who is there, and what is wrong with a question.

use crate::support::{Lab, Replica};

#[tokio::test]
async fn endpoints_are_listed_with_what_is_known_of_them() {
    let replica = Replica::plain().await;
    let lab = Lab::start(&[&replica]).await;
    lab.get("/").await;
    let endpoint = lab.endpoints().await.remove(0);
    assert_eq!(endpoint["url"], replica.url());
    assert_eq!(endpoint["state"], "ready");
    assert_eq!(endpoint["in_flight"], 0);
    assert_eq!((&endpoint["picked"], &endpoint["succeeded"]), (&1.into(), &1.into()));
    assert!(endpoint["ewma_ms"].as_f64().is_some_and(|ewma| ewma > 0.0), "{endpoint}");
    assert!(endpoint["pid"].is_null(), "{endpoint}");
    let body = format!(r#"{{"url": "{}/", "pid": 4711}}"#, replica.url());
    assert_eq!(lab.ask_admin("PUT", "/endpoints", &body).await.status, 200, "the same, spelt otherwise");
    assert_eq!(lab.endpoints().await[0]["pid"], 4711);
    lab.put(&replica).await;
    assert_eq!(lab.endpoints().await[0]["pid"], 4711, "putting without a pid keeps it");
}

#[tokio::test]
async fn an_owner_finds_its_endpoints_and_leaves_out_what_was_drained() {
    let replica = Replica::plain().await;
    let lab = Lab::start(&[&replica]).await;
    assert!(lab.endpoints().await[0]["owner"].is_null(), "nobody's, until somebody says so");
    let owned = format!(r#"{{"url": "{}", "owner": "shop/webapp", "unless_drained": true}}"#, replica.url());
    let reply = lab.ask_admin("PUT", "/endpoints", &owned).await;
    assert_eq!((reply.status, &reply.json()["drained"]), (200, &false.into()));
    lab.put(&replica).await;
    assert_eq!(lab.endpoints().await[0]["owner"], "shop/webapp", "putting without an owner keeps it");

    lab.delete(&replica).await;
    let reply = lab.ask_admin("PUT", "/endpoints", &owned).await;
    assert_eq!((reply.status, &reply.json()["drained"]), (200, &true.into()));
    assert_eq!(lab.endpoints().await.len(), 0);
    assert_eq!(lab.put(&replica).await.status, 201, "who does not say so brings it back");
    assert!(lab.endpoints().await[0]["owner"].is_null(), "it is a new stay");
}

#[tokio::test]
async fn prometheus_finds_its_targets() {
    let replica = Replica::plain().await;
    let lab = Lab::start(&[&replica]).await;
    let reply = lab.ask_admin("GET", "/sd", "").await;
    assert_eq!(reply.headers["content-type"], "application/json");
    let expected = serde_json::json!([{
        "targets": [replica.address.to_string()],
        "labels": {"__meta_autoscale_lab_state": "ready"},
    }]);
    assert_eq!(reply.json(), expected);
}

#[tokio::test]
async fn metrics_show_what_happened_and_forget_who_left() {
    let replica = Replica::plain().await;
    let lab = Lab::start(&[&replica]).await;
    for _ in 0..3 {
        lab.get("/").await;
    }
    lab.get("/faults").await;
    let url = replica.url();
    for (sample, expected) in [
        ("gateway_requests_total{code=\"2xx\"}".to_owned(), 3.0),
        ("gateway_requests_total{code=\"4xx\"}".to_owned(), 1.0),
        ("gateway_request_duration_seconds_count".to_owned(), 4.0),
        ("gateway_endpoints{state=\"ready\"}".to_owned(), 1.0),
        ("gateway_endpoints{state=\"draining\"}".to_owned(), 0.0),
        (format!("gateway_endpoint_in_flight{{endpoint=\"{url}\"}}"), 0.0),
        ("gateway_retries_total".to_owned(), 0.0),
    ] {
        let value = lab.metric(&sample).await;
        assert!((value - expected).abs() < 1e-9, "{sample} is {value}, expected {expected}");
    }
    assert!(lab.metric(&format!("gateway_endpoint_ewma_seconds{{endpoint=\"{url}\"}}")).await > 0.0);
    assert!(lab.metric("gateway_upstream_connections").await >= 1.0);
    lab.delete(&replica).await;
    let text = lab.ask_admin("GET", "/metrics", "").await.text();
    assert!(!text.contains(&url), "the series of who left are gone:\n{text}");
    assert!(!text.contains("# EOF"), "no header asks for OpenMetrics:\n{text}");
    let accept = [("accept", "application/openmetrics-text;version=1.0.0")];
    let reply = lab.send_to(lab.admin, "GET", "/metrics", &accept, String::new()).await.unwrap();
    assert!(reply.text().ends_with("# EOF\n"), "{reply:?}");
}

#[tokio::test]
async fn health_is_the_gateways_own() {
    let lab = Lab::start(&[]).await;
    let reply = lab.ask_admin("GET", "/health", "").await;
    assert_eq!((reply.status, reply.json()["ready_endpoints"].as_u64()), (200, Some(0)));
}

#[tokio::test]
async fn bad_questions_get_a_reason_and_a_hint() {
    let lab = Lab::start(&[]).await;
    for (method, path, body, status, reason) in [
        ("PUT", "/endpoints", "", 400, "not an endpoint"),
        ("PUT", "/endpoints", "{", 400, "not an endpoint"),
        ("PUT", "/endpoints", r#"{"uri": "x"}"#, 400, "uri"),
        ("PUT", "/endpoints", r#"{"url": "127.0.0.1:1"}"#, 400, "127.0.0.1:1"),
        ("PUT", "/endpoints", r#"{"url": "http://a:1", "pid": "x"}"#, 400, "not an endpoint"),
        ("PUT", "/endpoints", r#"{"url": "http://a:1", "replica": ""}"#, 400, "visible ASCII"),
        ("PUT", "/endpoints", "{\"url\": \"http://a:1\", \"replica\": \"a\\u0007b\"}", 400, "a\\u{7}b"),
        ("DELETE", "/endpoints", "", 400, "url"),
        ("DELETE", "/endpoints?url=http://a:1&replica=x", "", 404, "replica `x`"),
        ("DELETE", "/endpoints?url=x", "", 400, "`x`"),
        ("DELETE", "/endpoints?url=http://a:1&wait=soon", "", 400, "`soon`"),
        ("DELETE", "/endpoints?url=http://a:1&wait=2days", "", 400, "1h"),
        ("DELETE", "/endpoints?url=http://a:1", "", 404, "http://a:1"),
        ("GET", "/nothing", "", 404, "/nothing"),
        ("POST", "/endpoints", "", 405, "POST"),
        ("POST", "/metrics", "", 405, "POST"),
    ] {
        let reply = lab.ask_admin(method, path, body).await;
        assert_eq!(reply.status, status, "{method} {path} {body}");
        assert!(reply.error().contains(reason), "{method} {path} {body}: {reply:?}");
    }
    assert_eq!(lab.endpoints().await.len(), 0);
}
