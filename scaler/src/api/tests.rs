//! Asks the routes as a browser, a script and a stranger would.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{Method, Request, StatusCode, Uri};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::driver::rig::{Pretence, Rig};

struct Asked {
    rig: Rig,
    app: Router,
}

fn service_api(published: Arc<Published>, commands: mpsc::Sender<Command>, gateway_url: &str) -> ServiceApi {
    ServiceApi::new("webapp".to_owned(), published, commands, gateway_url)
}

async fn asked_of(gateway_url: &str, pretence: Pretence) -> Asked {
    let rig = Rig::start(pretence, None, None);
    let state = ApiState::new(
        vec![service_api(rig.published.clone(), rig.commands.clone(), gateway_url)],
        AllowedHosts::default(),
        Clock::start(),
        rig.stop.clone(),
    );
    rig.until(|status| status.last_decision.is_some()).await;
    Asked { rig, app: router(state) }
}

async fn asked() -> Asked {
    asked_of("http://127.0.0.1:1", Pretence::default()).await
}

impl Asked {
    async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 10_000_000).await.unwrap();
        let text = String::from_utf8_lossy(&body).into_owned();
        (status, serde_json::from_slice(&body).unwrap_or(Value::String(text)))
    }

    async fn ask(&self, method: Method, path: &str, body: &str) -> (StatusCode, Value) {
        self.send(request(method, path).body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.ask(Method::GET, path, "").await
    }
}

fn request(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header(HOST, "localhost:8080")
}

#[tokio::test]
async fn the_status_has_its_fixed_shape() {
    let asked = asked().await;
    let (status, body) = asked.get("/api/status").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["replicas"], json!({"current": 1, "ready": 1, "desired": 1, "min": 1, "max": 6}));
    assert_eq!(
        (&body["policy"]["kind"], &body["policy"]["name"]),
        (&json!("ThresholdPolicy"), &json!("moderate"))
    );
    assert_eq!(body["policy"]["settings"]["scaleUpCooldown"], "30s");
    assert_eq!(body["signals"]["response_time_mean_seconds"], json!({"value": 0.4, "age_seconds": 0.0}));
    let decision = &body["last_decision"];
    assert_eq!(
        (&decision["action"], &decision["from"], &decision["to"]),
        (&json!("hold"), &json!(1), &json!(1))
    );
    assert_eq!((&decision["reason"], &decision["limited_by"]), (&json!("within_thresholds"), &Value::Null));
    assert!(decision["reason_text"].as_str().unwrap().contains("400 ms between 200 ms and 600 ms"));
    assert!(humantime::parse_rfc3339(decision["at"].as_str().unwrap()).is_ok());
    assert_eq!((&body["paused"], &body["load_factor"]), (&json!(false), &json!(1.0)));
    assert_eq!(
        (&body["endpoints"][0]["state"], &body["endpoints"][0]["id"]),
        (&json!("ready"), &json!("webapp-1"))
    );
    assert_eq!(
        (&body["slo"], &body["window_seconds"]),
        (&json!({"p95_seconds": 0.25, "success_ratio": 0.999}), &json!(30.0))
    );
    assert_eq!(
        body["policy"]["thresholds"],
        json!([
            {"signal": "response_time_mean_seconds", "direction": "up", "value": 0.6},
            {"signal": "response_time_mean_seconds", "direction": "down", "value": 0.2},
        ])
    );
}

#[tokio::test]
async fn orders_by_hand_are_events_once_each_in_order_and_in_words() {
    let asked = asked().await;
    for (method, path, body) in [
        (Method::POST, "/api/pause", ""),
        (Method::POST, "/api/pause", ""),
        (Method::PUT, "/api/limits", r#"{"min": 1, "max": 3}"#),
        (Method::PUT, "/api/replicas", r#"{"desired": 2}"#),
        (Method::PUT, "/api/replicas", r#"{"desired": 9}"#),
        (Method::POST, "/api/resume", ""),
    ] {
        asked.ask(method, path, body).await;
    }
    for path in ["/api/history", "/api/history?form=columns"] {
        let (_, history) = asked.get(path).await;
        let events = history["events"].as_array().unwrap();
        let told: Vec<_> = events.iter().map(|event| event["text"].as_str().unwrap()).collect();
        let expected = [
            "Autoscaling paused",
            "Limits set to 1–3 replicas",
            "2 replicas requested manually",
            "Autoscaling resumed",
        ];
        assert_eq!(told, expected, "a refused order is not an event");
        assert_eq!((&events[1]["kind"], &events[1]["max"]), (&json!("limits_set"), &json!(3)));
        assert!(humantime::parse_rfc3339(events[1]["at"].as_str().unwrap()).is_ok());
    }
    let (_, later) = asked.get("/api/history?form=columns&since=9999999999").await;
    assert_eq!(later["events"], json!([]));
}

#[tokio::test]
async fn an_order_that_was_given_long_before_it_arrives_is_refused() {
    let asked = asked().await;
    let (_, status) = asked.get("/api/history").await;
    let now = status["points"].as_array().unwrap().last().unwrap()["at_epoch_seconds"].as_f64().unwrap();
    let order = |path: &str, method: Method, seen: String, body: &'static str| {
        request(method, path).header("lab-seen", seen).body(Body::from(body)).unwrap()
    };
    for (seen, expected) in [
        (now.to_string(), StatusCode::OK),
        // A page whose scaler had its clock set back saw the future.
        ((now + 3600.0).to_string(), StatusCode::OK),
        ((now - 3600.0).to_string(), StatusCode::CONFLICT),
        ("soon".to_owned(), StatusCode::BAD_REQUEST),
        ("-1".to_owned(), StatusCode::BAD_REQUEST),
    ] {
        let (status, answer) = asked.send(order("/api/pause", Method::POST, seen.clone(), "")).await;
        assert_eq!(status, expected, "{seen}: {answer}");
    }
    let late = (now - 60.0).to_string();
    for (method, path, body) in [
        (Method::POST, "/api/load/spike", ""),
        (Method::PUT, "/api/limits", r#"{"min": 1, "max": 3}"#),
        (Method::PUT, "/api/replicas", r#"{"desired": 2}"#),
        (Method::POST, "/api/resume", ""),
    ] {
        let (status, answer) = asked.send(order(path, method, late.clone(), body)).await;
        assert_eq!(status, StatusCode::CONFLICT, "{path}: {answer}");
    }
    let (_, status) = asked.get("/api/status").await;
    assert_eq!(
        (&status["paused"], &status["replicas"]["max"]),
        (&json!(true), &json!(6)),
        "nothing was done"
    );
}

#[tokio::test]
async fn history_policy_probes_metrics_and_page_answer() {
    let asked = asked().await;
    let (_, history) = asked.get("/api/history").await;
    let point = &history["points"][0];
    assert_eq!(point["replicas"], json!({"current": 1, "ready": 1, "desired": 1}));
    assert_eq!(point["signals"]["response_time_mean_seconds"], 0.4);
    assert_eq!(history["decisions"][0]["reason"], "within_thresholds");
    let since = point["at_epoch_seconds"].as_f64().unwrap() + 3600.0;
    let (_, later) = asked.get(&format!("/api/history?since={since}")).await;
    assert_eq!(later["points"], json!([]));
    assert_eq!(asked.get("/api/history?since=yesterday").await.0, StatusCode::BAD_REQUEST);
    let (_, columns) = asked.get("/api/history?form=columns").await;
    assert_eq!(columns["at_epoch_seconds"][0], point["at_epoch_seconds"]);
    assert_eq!(columns["signals"]["response_time_mean_seconds"][0], 0.4);
    assert_eq!(columns["decisions"][0]["reason"], "within_thresholds");
    let (_, later) = asked.get(&format!("/api/history?form=columns&since={since}")).await;
    assert_eq!((&later["at_epoch_seconds"], &later["decisions"]), (&json!([]), &json!([])));
    assert_eq!(asked.get("/api/history?form=rows").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(asked.get("/api/policy").await.1["settings"]["maxReplicas"], 6);
    assert_eq!(asked.get("/health").await.0, StatusCode::OK);
    assert_eq!(asked.get("/ready").await.0, StatusCode::OK);
    let (_, metrics) = asked.get("/metrics?name[]=scaler_ready_replicas").await;
    let metrics = metrics.as_str().unwrap();
    assert!(metrics.ends_with("\nscaler_ready_replicas 1\n"), "the classic text without Accept:\n{metrics}");
    let (_, page) = asked.get("/").await;
    assert!(page.as_str().is_some_and(|page| page.contains("<title>Autoscale Lab</title>")), "{page}");
}

#[tokio::test]
async fn it_is_not_ready_before_it_has_scraped() {
    let asked = asked_of("http://127.0.0.1:1", Pretence { count: 0, ..Pretence::default() }).await;
    asked.rig.published.has_scraped.store(false, std::sync::atomic::Ordering::Relaxed);
    let (status, body) = asked.get("/ready").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body["hint"].as_str().is_some_and(|hint| hint.contains("problems")), "{body}");
}

#[tokio::test]
async fn people_may_scale_limit_and_pause() {
    let asked = asked().await;
    let (status, body) = asked.ask(Method::PUT, "/api/replicas", r#"{"desired": 3}"#).await;
    assert_eq!((status, &body["reached"]), (StatusCode::OK, &json!(3)), "{body}");
    assert_eq!(asked.rig.pretence.lock().unwrap().count, 3);
    let (status, body) = asked.ask(Method::PUT, "/api/replicas", r#"{"desired": 7}"#).await;
    assert_eq!(
        (status, &body["error"]),
        (StatusCode::BAD_REQUEST, &json!("7 replicas were asked for, expected 1 to 6"))
    );
    assert!(body["hint"].as_str().unwrap().contains("/api/limits"));
    let (status, body) = asked.ask(Method::PUT, "/api/limits", r#"{"min": 2, "max": 8}"#).await;
    assert_eq!((status, body), (StatusCode::OK, json!({"min": 2, "max": 8})));
    assert_eq!(asked.ask(Method::POST, "/api/pause", "").await.1, json!({"paused": true}));
    assert_eq!(asked.get("/api/status").await.1["paused"], true);
    assert_eq!(asked.ask(Method::POST, "/api/resume", "").await.1, json!({"paused": false}));
    asked.rig.pretend(|pretence| pretence.refuses = true);
    let (status, body) = asked.ask(Method::PUT, "/api/replicas", r#"{"desired": 4}"#).await;
    assert_eq!((status, &body["error"]), (StatusCode::BAD_GATEWAY, &json!("no port is free")));
}

#[tokio::test]
async fn every_mistake_is_answered_in_json_with_a_hint() {
    let asked = asked().await;
    let large = "x".repeat(BODY_BYTES_MAX + 1);
    for (method, path, body, expected) in [
        (Method::GET, "/nowhere", "", StatusCode::NOT_FOUND),
        (Method::GET, "/api/replicas", "", StatusCode::METHOD_NOT_ALLOWED),
        (Method::DELETE, "/", "", StatusCode::METHOD_NOT_ALLOWED),
        (Method::PUT, "/api/replicas", "", StatusCode::BAD_REQUEST),
        (Method::PUT, "/api/replicas", "{", StatusCode::BAD_REQUEST),
        (Method::PUT, "/api/replicas", r#"{"desired": -1}"#, StatusCode::BAD_REQUEST),
        (Method::PUT, "/api/replicas", r#"{"desired": 1.5}"#, StatusCode::BAD_REQUEST),
        (Method::PUT, "/api/replicas", r#"{"replicas": 2}"#, StatusCode::BAD_REQUEST),
        (Method::PUT, "/api/limits", r#"{"min": 0, "max": 3}"#, StatusCode::BAD_REQUEST),
        (Method::PUT, "/api/limits", r#"{"min": 4, "max": 3}"#, StatusCode::BAD_REQUEST),
        (Method::PUT, "/api/limits", r#"{"min": 1, "max": 100000}"#, StatusCode::BAD_REQUEST),
        (Method::PUT, "/api/replicas", large.as_str(), StatusCode::PAYLOAD_TOO_LARGE),
        (Method::GET, "/api/load/../faults", "", StatusCode::BAD_REQUEST),
        (Method::GET, "/api/load/%2e%2e/faults", "", StatusCode::BAD_REQUEST),
        (Method::GET, "/api/load", "", StatusCode::BAD_GATEWAY),
    ] {
        let (status, answer) = asked.ask(method.clone(), path, body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
        for part in ["error", "hint"] {
            assert!(answer[part].as_str().is_some_and(|text| !text.is_empty()), "{method} {path}: {answer}");
        }
    }
}

#[tokio::test]
async fn changes_are_refused_under_a_foreign_name_and_from_a_foreign_page() {
    let asked = asked().await;
    for (method, path) in [
        (Method::PUT, "/api/replicas"),
        (Method::PUT, "/api/limits"),
        (Method::POST, "/api/pause"),
        (Method::POST, "/api/resume"),
        (Method::GET, "/api/load/spike"),
        (Method::POST, "/api/load/reset"),
        (Method::GET, "/api/load"),
    ] {
        let rebound = Request::builder().method(method.clone()).uri(path).header(HOST, "evil.example:8080");
        let (status, body) = asked.send(rebound.body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}: {body}");
        assert!(body["hint"].is_string());
        let foreign = request(method.clone(), path).header(ORIGIN, "http://evil.example");
        let (status, body) = asked.send(foreign.body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}: {body}");
    }
    assert!(!asked.rig.status().paused);
    let reading = Request::builder().uri("/api/status").header(HOST, "scaler:8080");
    assert_eq!(asked.send(reading.body(Body::empty()).unwrap()).await.0, StatusCode::OK, "reading is free");
}

#[tokio::test]
async fn the_load_is_passed_on_with_method_query_and_body() {
    async fn echo(method: Method, uri: Uri, body: String) -> (StatusCode, axum::Json<Value>) {
        (StatusCode::ACCEPTED, axum::Json(json!([method.as_str(), uri.to_string(), body])))
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = format!("http://{}/", listener.local_addr().unwrap());
    let of_head = async || StatusCode::NO_CONTENT;
    let app = Router::new()
        .route("/load", get(echo).put(echo))
        .route("/load/{*rest}", get(echo).post(echo).head(of_head));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let asked = asked_of(&gateway, Pretence::default()).await;
    for (method, path, body, expected) in [
        (Method::GET, "/api/load", "", json!(["GET", "/load", ""])),
        (
            Method::GET,
            "/api/load/spike?factor=8&hold=60s",
            "",
            json!(["GET", "/load/spike?factor=8&hold=60s", ""]),
        ),
        (Method::POST, "/api/load/reset", "", json!(["POST", "/load/reset", ""])),
        (Method::PUT, "/api/load", "{\"factor\":2}", json!(["PUT", "/load", "{\"factor\":2}"])),
    ] {
        assert_eq!(asked.ask(method, path, body).await, (StatusCode::ACCEPTED, expected));
    }
    assert_eq!(asked.ask(Method::DELETE, "/api/load", "").await.0, StatusCode::METHOD_NOT_ALLOWED);
    let head = request(Method::HEAD, "/api/load/spike").body(Body::empty()).unwrap();
    assert_eq!(asked.send(head).await.0, StatusCode::NO_CONTENT, "the gateway was asked with HEAD");
}

#[tokio::test]
async fn events_begin_with_the_state_tell_decisions_and_end_with_the_scaler() {
    use futures_util::StreamExt;

    let asked = asked().await;
    let following = request(Method::GET, "/api/events").body(Body::empty()).unwrap();
    let response = asked.app.clone().oneshot(following).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut events = response.into_body().into_data_stream();
    let mut next = async || {
        let chunk = tokio::time::timeout(Duration::from_secs(5), events.next()).await.expect("no event came");
        chunk.map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap())
    };
    let first = next().await.unwrap();
    assert!(first.starts_with("event: status\ndata: {"), "{first}");
    assert!(first.ends_with("}\n\n") && first.contains("\"id\":\"webapp-1\""), "{first}");
    asked.rig.set_by_hand(2).await.unwrap();
    loop {
        let event = next().await.expect("the events ended early");
        if event.starts_with("event: decision") {
            assert!(event.contains("\"by_hand\""), "{event}");
            break;
        }
    }
    asked.rig.stop.cancel();
    while next().await.is_some() {}
}

/// The events of a viewer, as they come.
async fn follow(asked: &Asked) -> axum::body::BodyDataStream {
    let following = request(Method::GET, "/api/events").body(Body::empty()).unwrap();
    let response = asked.app.clone().oneshot(following).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body().into_data_stream()
}

#[tokio::test]
async fn nothing_is_kept_for_a_viewer_that_does_not_read() {
    use futures_util::StreamExt;

    let asked = asked().await;
    let mut slow = follow(&asked).await;
    let mut decision = asked.rig.decisions()[0].clone();
    for number in 0..1000 {
        decision.reason_text = format!("number {number}");
        asked.rig.published.record_decision(decision.clone());
    }
    let first = slow.next().await.unwrap().unwrap();
    assert!(first.starts_with(b"event: status"), "{first:?}");
    // What was missed stays missed; what comes from now on is told.
    asked.rig.published.record_decision(decision.clone());
    let read = async {
        let mut numbers = 0;
        while let Some(event) = slow.next().await {
            let event = event.unwrap();
            if event.starts_with(b"event: decision") {
                numbers += 1;
                assert!(event.windows(10).any(|part| part == b"number 999"), "an old event: {event:?}");
            }
            if numbers == 2 {
                return;
            }
            asked.rig.published.record_decision(decision.clone());
        }
        panic!("the events ended");
    };
    tokio::time::timeout(Duration::from_secs(20), read).await.expect("nothing new came");
}

#[tokio::test]
async fn the_number_of_viewers_is_bounded_and_places_are_given_back() {
    let asked = asked().await;
    let mut viewers = Vec::new();
    for _ in 0..EVENT_READERS_MAX {
        viewers.push(follow(&asked).await);
    }
    let (status, body) = asked.get("/api/events").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
    assert!(body["hint"].as_str().is_some_and(|hint| hint.contains("/api/status")), "{body}");
    viewers.pop();
    drop(follow(&asked).await);
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_says_that_it_is_alive() {
    use futures_util::StreamExt;

    let (commands, _asked) = mpsc::channel(1);
    let stop = CancellationToken::new();
    let published = Arc::new(Published::new(None));
    let state = ApiState::new(
        vec![service_api(published.clone(), commands, "http://127.0.0.1:1")],
        AllowedHosts::default(),
        Clock::start(),
        stop,
    );
    let following = request(Method::GET, "/api/events").body(Body::empty()).unwrap();
    let response = router(state).oneshot(following).await.unwrap();
    let mut events = response.into_body().into_data_stream();
    let began = tokio::time::Instant::now();
    for _ in 0..2 {
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event, "event: alive\ndata: {}\n\n", "nothing is told before the first look");
    }
    assert_eq!(began.elapsed().as_secs(), 4);
}
