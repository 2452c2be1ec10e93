//! Whatever is wrong with a request is answered with a 4xx status and `{"error", "hint"}`, and changes nothing.

use http::Method;
use serde_json::{Value, json};
use webapp::{Webapp, WebappConfig, WebappError};

use crate::replica::{Replica, quiet};
use crate::scrape::Scrape;

/// What no bad request may change: load, faults, peers, and what was counted.
async fn state(replica: &Replica) -> Value {
    let load = replica.json("/load").await;
    let scrape = Scrape::of(replica).await;
    json!({
        "factor": load["factor"],
        "schedule": load["schedule"],
        "version": load["version"],
        "faults": replica.json("/faults").await,
        "peers": replica.json("/peers").await["peers"],
        "orders": scrape.value("orders_total"),
        "arrived": scrape.value("webapp_total_requests"),
    })
}

async fn assert_all_refused(replica: &Replica, cases: &[(Method, &str, &str, u16)]) {
    let before = state(replica).await;
    for (method, path, body, status) in cases {
        let reply = replica.send(method.clone(), path, Some(body)).await;
        let case = format!("{method} {path} {:.60} answered {} {:?}", body, reply.status, reply.body);
        assert_eq!(reply.status.as_u16(), *status, "{case}");
        assert_eq!(reply.headers["content-type"], "application/json", "{case}");
        let answer: Value = reply.json().expect(&case);
        let fields = answer.as_object().expect(&case);
        assert_eq!(fields.len(), 2, "{case}");
        for field in ["error", "hint"] {
            assert!(fields[field].as_str().is_some_and(|text| !text.is_empty()), "{case}");
        }
        assert_eq!(state(replica).await, before, "a bad request changed something: {case}");
    }
}

#[tokio::test]
async fn routes_and_methods_that_do_not_exist() {
    let replica = Replica::start(quiet()).await;
    assert_all_refused(
        &replica,
        &[
            (Method::GET, "/nothing", "", 404),
            (Method::GET, "/load/", "", 404),
            (Method::POST, "/orders", "{}", 404),
            (Method::GET, "/%00%ff/..%2f", "", 404),
            (Method::GET, "/order", "", 405),
            (Method::GET, "/buy", "", 405),
            (Method::GET, "/api/events", "", 405),
            (Method::POST, "/", "", 405),
            (Method::POST, "/metrics", "", 405),
            (Method::POST, "/load", r#"{"factor": 2}"#, 405),
            (Method::DELETE, "/load/spike", "", 405),
            (Method::PATCH, "/order", "{}", 405),
        ],
    )
    .await;
    let reply = replica.send(Method::PATCH, "/load", None).await;
    let allowed = reply.headers["allow"].to_str().unwrap();
    assert!(allowed.contains("GET") && allowed.contains("PUT"), "a 405 says what is allowed: {allowed}");
}

#[tokio::test]
async fn what_a_request_said_is_repeated_shortly() {
    let replica = Replica::start(quiet()).await;
    let long = "x".repeat(200_000);
    for value in [long.as_str(), "\u{1b}[31mred\u{202e}\0"] {
        for body in [
            json!({"replay_csv": value}),
            json!({"replay_csv": format!("time,requests\n0,{value}")}),
            json!({"replay_csv": format!("time,requests\n{value}")}),
            json!({"factor": value}),
            json!({"hold": value}),
            json!({"shape": {"kind": value}}),
            json!({value: 1}),
        ] {
            let reply = replica.send(Method::PUT, "/load", Some(&body.to_string())).await;
            assert_eq!(reply.status.as_u16(), 400, "{body:.100}");
            let answer: Value = reply.json().expect("an error is JSON");
            let error = answer["error"].as_str().expect("what is wrong");
            assert!(error.chars().count() < 500, "{} characters: {error:.200}", error.chars().count());
            assert!(!error.contains(['\u{1b}', '\u{202e}', '\0', '\n']), "{error:?}");
        }
    }
}

#[tokio::test]
async fn queries_that_are_not_understood() {
    let replica = Replica::start(quiet()).await;
    let paths = [
        "/load/spike?factor=-1",
        "/load/spike?factor=1e9",
        "/load/spike?factor=1000.001",
        "/load/spike?factor=abc",
        "/load/spike?factor=NaN",
        "/load/spike?factor=inf",
        "/load/spike?factor=",
        "/load/spike?factor=2&factor=3",
        "/load/spike?hold=soon",
        "/load/spike?hold=60",
        "/load/spike?hold=-5s",
        "/load/spike?hold=25h",
        "/load/spike?hold=999999999999999999999s",
        "/load/spike?ramp=",
        "/load/spike?factor=8&hold=60s&ramp=10x",
        "/load/spike?peak=8",
        "/load/increase?factor=3",
        "/load/decrease?by=2",
        "/load/reset?factor=2",
        "/faults/latency",
        "/faults/latency?add=1",
        "/faults/latency?add=2h",
        "/faults/latency?add=10ms&for=ever",
        "/faults/latency?add=10ms&until=9",
        "/faults/errors",
        "/faults/errors?share=1.5",
        "/faults/errors?share=-0.1",
        "/faults/errors?share=NaN",
        "/faults/errors?share=0.5&for=tomorrow",
        "/faults/unready?for=1",
        "/faults/unready?since=1s",
        "/faults/clear?fault=latency",
        "/faults/crash?when=now",
    ];
    let cases: Vec<_> = paths.iter().map(|path| (Method::POST, *path, "", 400)).collect();
    assert_all_refused(&replica, &cases).await;
}

#[tokio::test]
async fn bodies_that_are_not_understood() {
    let replica = Replica::start(quiet()).await;
    let long_text = format!(r#"{{"item": "{}"}}"#, "x".repeat(201));
    let deep = "[".repeat(100_000);
    let mut cases = Vec::new();
    for (path, bodies) in [
        (
            "/order",
            [
                "{",
                "[]",
                "null",
                "item=pen",
                "\u{1f4a5}",
                r#"{"item": 7}"#,
                r#"{"item": ""}"#,
                r#"{"quantity": "3"}"#,
                r#"{"quantity": 0}"#,
                r#"{"quantity": -1}"#,
                r#"{"quantity": 2.5}"#,
                r#"{"quantity": 1001}"#,
                r#"{"quantity": 99999999999}"#,
                r#"{"price": -0.01}"#,
                r#"{"price": 1e7}"#,
                r#"{"price": 1e999}"#,
                r#"{"price": null}"#,
                r#"{"price": "9.99"}"#,
                r#"{"colour": "red"}"#,
                &long_text,
                &deep,
            ]
            .as_slice(),
        ),
        (
            "/buy",
            &[
                "{} {}",
                r#"{"price": -1}"#,
                r#"{"userid": []}"#,
                r#"{"userid": -1}"#,
                r#"{"userid": ""}"#,
                r#"{"username": ""}"#,
                r#"{"username": null}"#,
                r#"{"name": "ann"}"#,
            ],
        ),
        ("/api/events", &["[]", "7", "\"text\"", "{\"a\":}"]),
        (
            "/peers",
            &["", "{}", r#"{"id": "x", "url": "ftp://x", "version": {"counter": 1, "replica": "x"}}"#],
        ),
    ] {
        cases.extend(bodies.iter().map(|body| (Method::POST, path, *body, 400)));
    }
    for body in [
        "",
        "{}",
        r#"{"factor": -1}"#,
        r#"{"factor": 1e9}"#,
        r#"{"factor": "3"}"#,
        r#"{"factor": 3, "shape": {"kind": "steady", "level": 2}}"#,
        r#"{"factor": 3, "hold": "soon"}"#,
        r#"{"factor": 3, "hold": 60}"#,
        r#"{"shape": {"kind": "square"}}"#,
        r#"{"shape": {"kind": "steady", "level": -1}}"#,
        r#"{"shape": {"kind": "steady", "level": 1001}}"#,
        r#"{"shape": {"kind": "sine", "mean": 900, "amplitude": 200, "period_seconds": 60}}"#,
        r#"{"shape": {"kind": "steps", "steps": []}}"#,
        r#"{"replay_csv": "time,requests\n0,40\n60,200"}"#,
        r#"{"replay_csv": "no,header\n1,2"}"#,
        r#"{"load": 3}"#,
    ] {
        cases.push((Method::PUT, "/load", body, 400));
    }
    cases.push((Method::PUT, "/peers/load", r#"{"version": 1, "factor": 2}"#, 400));
    assert_all_refused(&replica, &cases).await;
}

#[tokio::test]
async fn bodies_that_are_too_large() {
    let replica = Replica::start(WebappConfig { base_rps: 40.0, load_factor: 0.0, ..quiet() }).await;
    let event = format!(r#"{{"text": "{}"}}"#, "x".repeat(3 * 1024 * 1024));
    // Small enough as text, too large as the JSON that other replicas would get.
    let rows: String = (0..100_000).fold(String::new(), |rows, second| rows + &format!("{second},7\n"));
    let trace = json!({"replay_csv": format!("time,requests\n{rows}")}).to_string();
    let cases = [
        (Method::POST, "/api/events", event.as_str(), 413),
        (Method::POST, "/order", &event, 413),
        (Method::PUT, "/load", &event, 413),
        (Method::PUT, "/peers/load", &event, 413),
        (Method::PUT, "/load", &trace, 413),
    ];
    assert_all_refused(&replica, &cases).await;
}

#[tokio::test]
async fn a_setting_that_cannot_be_is_named_before_the_port_is_taken() {
    let refused = Webapp::bind(WebappConfig { workers: 0, ..quiet() }).await;
    let Err(error @ WebappError::Config(_)) = refused else { panic!("no workers were taken: {refused:?}") };
    let text = error.to_string();
    for part in ["--workers", "0", "1 to 10000", "hint"] {
        assert!(text.contains(part), "`{part}` is missing from `{text}`");
    }
}
