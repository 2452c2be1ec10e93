//! Every route answers with its status and the fields that it promises.

use http::{Method, StatusCode};
use serde_json::Value;

use crate::replica::{Replica, quiet};

/// Method, path, body, status, fields of the answer.
type Case = (Method, &'static str, Option<&'static str>, u16, &'static [&'static str]);

const ANSWER: &[&str] = &["service", "replica", "waited_ms", "response_time_ms"];
const STATE: &[&str] = &["status", "replica", "role"];
const LOAD: &[&str] = &[
    "factor",
    "lasting_factor",
    "schedule",
    "base_rps",
    "demand_rps",
    "share_rps",
    "ready_replicas",
    "replica",
    "version",
];
const DASHBOARD: &[&str] = &[
    "replica",
    "uptime_seconds",
    "response_time_ms",
    "last_5_seconds",
    "since_start",
    "queue",
    "workers",
    "load_factor",
    "ready_replicas",
];
const EVENT: &[&str] = &["event_id", "fields", "status"];
const ORDER: &[&str] = &["status", "total", "order", "replica"];
const FAULTS: &[&str] = &["replica", "faults"];

#[tokio::test]
async fn every_route_answers_with_its_status_and_fields() {
    let replica = Replica::start(quiet()).await;
    let (get, post, put, delete) = (Method::GET, Method::POST, Method::PUT, Method::DELETE);
    let cases: Vec<Case> = vec![
        (get.clone(), "/", None, 200, ANSWER),
        (get.clone(), "/?cache=off", None, 200, ANSWER),
        (get.clone(), "/health", None, 200, STATE),
        (get.clone(), "/health/live", None, 200, STATE),
        (get.clone(), "/ready", None, 200, STATE),
        (get.clone(), "/health/ready", None, 200, STATE),
        (get.clone(), "/load", None, 200, LOAD),
        (put, "/load", Some(r#"{"factor": 2}"#), 200, LOAD),
        (get.clone(), "/load/increase", None, 200, LOAD),
        (post.clone(), "/load/increase", None, 200, LOAD),
        (get.clone(), "/load/decrease", None, 200, LOAD),
        (post.clone(), "/load/decrease", Some("{}"), 200, LOAD),
        (get.clone(), "/load/reset", None, 200, LOAD),
        (post.clone(), "/load/reset", None, 200, LOAD),
        (get.clone(), "/load/spike", None, 200, LOAD),
        (post.clone(), "/load/spike?factor=8&hold=60s&ramp=10s", None, 200, LOAD),
        (get.clone(), "/api/dashboard", None, 200, DASHBOARD),
        (post.clone(), "/api/events", None, 201, EVENT),
        (post.clone(), "/api/events", Some("{}"), 201, EVENT),
        (post.clone(), "/api/events", Some(r#"{"type": "click", "at": {"x": 1}}"#), 201, EVENT),
        (post.clone(), "/order", None, 201, ORDER),
        (post.clone(), "/order", Some(" \n"), 201, ORDER),
        (post.clone(), "/order", Some("{}"), 201, ORDER),
        (post.clone(), "/order", Some(r#"{"item": "pen", "quantity": 3, "price": 2.5}"#), 201, ORDER),
        (post.clone(), "/buy", None, 201, ORDER),
        (post.clone(), "/buy", Some("{}"), 201, ORDER),
        (post.clone(), "/buy", Some(r#"{"username": "ann", "userid": 7, "price": 0}"#), 201, ORDER),
        (post.clone(), "/buy", Some(r#"{"username": "ann", "userid": "u-7", "price": 1}"#), 201, ORDER),
        (get.clone(), "/faults", None, 200, FAULTS),
        (get.clone(), "/faults/latency?add=1ms", None, 200, FAULTS),
        (post.clone(), "/faults/latency?add=0s&for=1s", None, 200, FAULTS),
        (get.clone(), "/faults/errors?share=0", None, 200, FAULTS),
        (post.clone(), "/faults/errors?share=0&for=1s", None, 200, FAULTS),
        (get.clone(), "/faults/unready?for=1ms", None, 200, FAULTS),
        (post.clone(), "/faults/unready?for=1ms", None, 200, FAULTS),
        (get.clone(), "/faults/clear", None, 200, FAULTS),
        (post, "/faults/clear", None, 200, FAULTS),
        (delete, "/faults", None, 200, FAULTS),
        (get, "/peers", None, 200, &["id", "url", "ready", "peers", "load"]),
    ];
    for (method, path, body, status, fields) in cases {
        let reply = replica.send(method.clone(), path, body).await;
        let case = format!("{method} {path} {body:?} answered {} {:?}", reply.status, reply.body);
        assert_eq!(reply.status.as_u16(), status, "{case}");
        assert_eq!(reply.headers["content-type"], "application/json", "{case}");
        let answer: Value = reply.json().expect(&case);
        let mut found: Vec<&str> = answer.as_object().expect(&case).keys().map(String::as_str).collect();
        let mut expected = fields.to_vec();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{case}");
    }
}

#[tokio::test]
async fn an_order_is_worth_its_pieces_and_defaults_fill_what_is_missing() {
    let replica = Replica::start(quiet()).await;
    for (path, body, total, order) in [
        ("/order", r#"{"item": "pen", "quantity": 3, "price": 2.5}"#, 7.5, r#"{"item":"pen","quantity":3}"#),
        ("/order", r#"{"item": "pen"}"#, 9.99, r#"{"item":"pen","quantity":1}"#),
        ("/order", "", 9.99, r#"{"item":"book","quantity":1}"#),
        ("/buy", "{}", 9.99, r#"{"userid":1,"username":"guest"}"#),
        ("/buy", r#"{"userid": "u-7", "price": 20}"#, 20.0, r#"{"userid":"u-7","username":"guest"}"#),
    ] {
        let reply = replica.send(Method::POST, path, Some(body)).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{path} {body}");
        let answer: Value = reply.json().unwrap();
        assert!((answer["total"].as_f64().unwrap() - total).abs() < 1e-9, "{path} {body}: {answer}");
        assert_eq!(answer["order"], serde_json::from_str::<Value>(order).unwrap(), "{path} {body}");
    }
}

#[tokio::test]
async fn the_role_and_the_id_are_told() {
    let config = webapp::WebappConfig { role: webapp::Role::Database, id: "db-7".to_owned(), ..quiet() };
    let replica = Replica::start(config).await;
    assert_eq!(replica.json("/").await["service"], "database");
    assert_eq!(replica.json("/ready").await["role"], "database");
    assert_eq!(replica.json("/health").await["replica"], "db-7");
}
