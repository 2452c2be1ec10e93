//! What a scenario file says is what the service sees.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use loadgen::{LoadConfig, LoadResult, Progress, Scenario};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::service::{run_until, users};

#[derive(Clone, Debug, Default)]
struct Seen(Arc<Mutex<Vec<Value>>>);

impl Seen {
    fn add(&self, value: Value) {
        self.0.lock().expect("nobody panics while it is held").push(value);
    }

    fn all(&self) -> Vec<Value> {
        self.0.lock().expect("nobody panics while it is held").clone()
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A shop with a login by cookie and redirect, a search, and an order that needs what the search said.
async fn shop() -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let host = format!("http://{}", listener.local_addr().expect("it is bound"));
    let seen = Seen::default();
    let app = Router::new()
        .route("/login", post(async |State(seen): State<Seen>, body: String| {
            seen.add(json!({"login": body}));
            ([("set-cookie", format!("session={}", body.len()))], Redirect::to("/home"))
        }))
        .route("/home", get(async |headers: HeaderMap| format!("hello {}", text(&headers, "cookie"))))
        .route("/search", get(async |State(seen): State<Seen>, headers: HeaderMap, Query(query): Query<BTreeMap<String, String>>| {
            seen.add(json!({"search": query, "cookie": text(&headers, "cookie"), "trace": text(&headers, "traceparent")}));
            ([("x-token", "t0k3n")], "{\"found\": {\"id\": \"a/b 1\", \"price\": 12.5}, \"csrf\": \"c5rf-77\"}")
        }))
        .route("/order/{id}", post(async |State(seen): State<Seen>, headers: HeaderMap, Json(order): Json<Value>| -> Response {
            seen.add(json!({"order": order, "token": text(&headers, "x-token")}));
            (StatusCode::CREATED, Json(json!({"state": "accepted", "order": order}))).into_response()
        }))
        .with_state(seen.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (host, seen)
}

async fn play(
    host: &str,
    text: &str,
    folder: Option<&std::path::Path>,
    enough: impl Fn(&Progress) -> bool,
) -> LoadResult {
    let config = LoadConfig {
        host: host.to_owned(),
        scenario: Scenario::from_text("test.yaml", "test", text, folder, &[]).expect("it is a scenario"),
        load: users(4),
        ramp_up: std::time::Duration::ZERO,
        ..LoadConfig::default()
    };
    run_until(config, enough).await
}

const SHOPPING: &str = r#"
apiVersion: autoscale-lab/v1
kind: Scenario
metadata: {name: shopping}
spec:
  variables: {currency: EUR}
  feeders:
    people: {file: people.csv, order: sequential}
  users:
    - name: Customer
      wait: {constant: 100ms}
      onStart:
        - feed: people
        - {method: POST, path: /login, form: {user: "${people.name}"}, check: {status: 200, contains: "session="}}
      tasks:
        - steps:
            - path: /search
              query: {q: "${oneOf(lamp, book)} & more", in: "${currency}"}
              extract:
                id: {json: /found/id}
                price: {json: /found/price}
                token: {header: X-Token}
                csrf: {regex: '"csrf": "([^"]+)"'}
                colour: {json: /found/colour, default: red}
            - method: POST
              path: /order/${id}
              headers: {x-token: "${token}"}
              json: {price: "${price}", note: "csrf ${csrf}", colour: "${colour}", user: "${people.name}", n: 1}
              check: {status: 201, json: {/state: accepted, /order/price: "${price}"}, matches: 'acc.pted', within: 5s}
      onStop:
        - {method: POST, path: /login, body: bye}
"#;

#[tokio::test]
async fn a_visit_carries_data_values_and_cookies_from_step_to_step() {
    let (host, seen) = shop().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("people.csv"), "name,age\nAnn,30\n\"Bo, Jr\",40\n").unwrap();
    let enough = |_: &Progress| seen.all().iter().filter(|seen| seen.get("order").is_some()).count() > 4;
    let result = play(&host, SHOPPING, Some(folder.path()), enough).await;
    assert_eq!((result.failures, result.refusals), (0, 0), "{result}");
    let names: Vec<_> = result.by_request.iter().map(|request| request.name.as_str()).collect();
    assert_eq!(names, ["POST /login", "GET /search", "POST /order/${id}"], "paths that vary share a name");

    let seen = seen.all();
    let logins: Vec<_> = seen.iter().filter_map(|seen| seen["login"].as_str()).collect();
    assert!(
        logins.contains(&"user=Ann") && logins.contains(&"user=Bo%2C+Jr") && logins.contains(&"bye"),
        "{logins:?}"
    );
    let search = seen.iter().find(|seen| seen.get("search").is_some()).expect("somebody searched");
    assert!(search["search"]["q"].as_str().unwrap().ends_with(" & more"), "{search}");
    assert_eq!(search["search"]["in"], "EUR");
    assert!(search["cookie"].as_str().unwrap().starts_with("session="), "{search}");
    let order = seen.iter().find(|seen| seen.get("order").is_some()).expect("somebody ordered");
    assert_eq!(order["token"], "t0k3n");
    let body = &order["order"];
    assert_eq!(
        (&body["price"], &body["note"], &body["n"]),
        (&json!(12.5), &json!("csrf c5rf-77"), &json!(1))
    );
    assert_eq!(body["colour"], "red");
    // Each request has a trace of its own.
    let traces: std::collections::BTreeSet<_> =
        seen.iter().filter_map(|seen| seen["trace"].as_str()).collect();
    assert_eq!(traces.len(), seen.iter().filter(|seen| seen.get("search").is_some()).count());
    assert!(traces.iter().all(|trace| trace.len() == 55 && trace.starts_with("00-")), "{traces:?}");
    assert!(result.slowest.iter().all(|slow| slow.trace_id.len() == 32), "{:?}", result.slowest);
}

#[tokio::test]
async fn a_check_that_does_not_hold_is_a_failure_with_its_reason() {
    let (host, _seen) = shop().await;
    let scenario = |step: &str| {
        format!(
            "apiVersion: autoscale-lab/v1\nkind: Scenario\nspec:\n  users:\n    - name: A\n      wait: {{constant: 200ms}}\n      \
             tasks: [{{steps: [{step}, {{path: /home}}]}}]\n"
        )
    };
    for (step, kind, reason) in [
        ("{path: /search, check: {contains: nothing like it}}", "a check did not hold", "does not contain"),
        ("{path: /search, check: {matches: '^x'}}", "a check did not hold", "does not match"),
        ("{path: /search, check: {json: {/found/id: other}}}", "a check did not hold", "is not \"other\""),
        ("{path: /search, check: {within: 1us}}", "a check did not hold", "took longer than 1us"),
        ("{path: /search, extract: {a: {json: /none}}}", "a check did not hold", "`a` is not in the answer"),
        ("{path: /search, check: {status: 404}}", "status 200", ""),
        ("{method: POST, path: /login, followRedirects: false}", "status 303", ""),
        ("{path: '/${a}', extract: {a: {json: /a}}}", "could not be sent", ""),
    ] {
        let result = play(&host, &scenario(step), None, |now| now.requests > 0).await;
        assert!(result.failures > 0 && result.failures == result.requests, "{step}: {result}");
        assert_eq!(result.errors.keys().collect::<Vec<_>>(), [kind], "{step}: {result}");
        assert!(
            reason.is_empty() || result.broken_checks.keys().any(|check| check.contains(reason)),
            "{step}: {result}"
        );
        let after = result.by_request.iter().find(|request| request.name == "GET /home").unwrap();
        assert_eq!(after.requests, 0, "a failure ends the task: {result}");
    }
}
