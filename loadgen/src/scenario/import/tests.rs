use std::path::PathBuf;

use serde_json::{Value, json};

mod openapi;
mod recordings;

fn scenario_from_har(path: &std::path::Path) -> Result<String, super::ScenarioError> {
    super::scenario_from_har(path, None).map(|imported| imported.text)
}

fn scenario_from_openapi(path: &std::path::Path) -> Result<String, super::ScenarioError> {
    super::scenario_from_openapi(path, &[]).map(|imported| imported.text)
}

fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn a_recorded_visit_becomes_one_task_with_its_pauses_and_without_secrets() {
    let entry = |second: u32, method: &str, url: &str, body: Value| {
        json!({
            "startedDateTime": format!("2026-11-22T10:00:{second:02}.500+01:00"), "time": 300,
            "request": {
                "method": method, "url": url, "postData": body,
                "headers": [
                    {"name": "Accept", "value": "text/html"}, {"name": "Cookie", "value": "session=secret"},
                    {"name": "Authorization", "value": "Bearer secret"}, {"name": ":path", "value": "/"},
                ],
            },
            "response": {"status": 200},
        })
    };
    let order = json!({"mimeType": "application/json", "text": "{\"item\":\"book ${x}\",\"quantity\":2}"});
    let form =
        json!({"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "a", "value": "b c"}]});
    let har = json!({"log": {"version": "1.2", "entries": [
        entry(1, "GET", "https://shop.example/list?page=2&q=a%20b", Value::Null),
        entry(2, "GET", "https://elsewhere.example/ad.js", Value::Null),
        entry(4, "POST", "https://shop.example/order", order),
        entry(5, "POST", "https://shop.example/login", form),
    ]}});
    let (_folder, path) = file("visit.har", &har.to_string());
    let text = scenario_from_har(&path).expect("it is a recording");
    for part in [
        "path: /list?page=2&q=a%20b",
        "path: /order",
        "quantity: 2",
        "book $${x}",
        "path: /login",
        "b c",
        "2s700ms",
    ] {
        assert!(text.contains(part), "`{part}` is missing:\n{text}");
    }
    // That users keep cookies of their own is a field of the scenario: `cookies: true`.
    let spec = text.lines().filter(|line| !line.starts_with('#')).collect::<String>().to_lowercase();
    for part in ["secret", "elsewhere", "ad.js", "cookie:", "authorization"] {
        assert!(!spec.contains(part), "`{part}` is in:\n{text}");
    }
}

fn recording(requests: &[Value]) -> Value {
    json!({"log": {"entries": requests.iter().map(|request| json!({"request": request})).collect::<Vec<_>>()}})
}

#[test]
fn names_that_repeat_in_a_query_or_a_form_keep_all_their_values() {
    let form =
        |body: Value| json!({"method": "POST", "url": "https://shop.example/filter", "postData": body});
    let har = recording(&[
        json!({"method": "GET", "url": "https://shop.example/list?tag=a%20b&page=2&tag=${x}"}),
        form(json!({"mimeType": "application/x-www-form-urlencoded", "text": "size=s&size=m%26l"})),
        form(json!({
            "mimeType": "application/x-www-form-urlencoded; charset=utf-8",
            "params": [{"name": "colour", "value": "red"}, {"name": "colour", "value": "a b"}],
        })),
        // One browser decodes the parameters, another does not; the text is what was sent.
        form(json!({
            "mimeType": "application/x-www-form-urlencoded", "text": "name=Ann%20Lee",
            "params": [{"name": "name", "value": "Ann%20Lee"}],
        })),
    ]);
    let (_folder, path) = file("visit.har", &har.to_string());
    let text = scenario_from_har(&path).expect("it is a recording");
    for part in [
        "/list?tag=a%20b&page=2&tag=$${x}",
        "size=s&size=m%26l",
        "colour=red&colour=a+b",
        "content-type: application/x-www-form-urlencoded",
        // Written again it would be `Ann+Lee`.
        "name=Ann%20Lee",
    ] {
        assert!(text.contains(part), "`{part}` is missing:\n{text}");
    }
}

#[test]
fn a_recording_larger_than_a_scenario_is_read() {
    let mut har = recording(&[json!({"method": "GET", "url": "https://shop.example/"})]);
    har["log"]["entries"][0]["response"] = json!({"content": {"text": "x".repeat(5 * 1024 * 1024)}});
    let (_folder, path) = file("visit.har", &har.to_string());
    let text = scenario_from_har(&path).expect("it is a recording");
    assert!(text.contains("path: /"), "{text}");

    let upload = json!({"mimeType": "text/plain", "text": "x".repeat(5 * 1024 * 1024)});
    let har = recording(&[json!({"method": "PUT", "url": "https://shop.example/", "postData": upload})]);
    let (_folder, path) = file("upload.har", &har.to_string());
    let error = scenario_from_har(&path).expect_err("no scenario may be so large").to_string();
    assert!(error.contains("upload.har") && error.contains("large uploads"), "{error}");
}

#[test]
fn two_slashes_of_a_recording_lead_to_no_other_host() {
    let har = recording(&[json!({"method": "GET", "url": "https://shop.example//assets/app.js"})]);
    let (_folder, path) = file("visit.har", &har.to_string());
    let text = scenario_from_har(&path).expect("it is a recording");
    // The segment `.` stands for nothing, so both slashes are sent, and to this host.
    assert!(text.contains("path: /.//assets/app.js"), "{text}");
}

#[test]
fn a_description_in_json_is_read_and_its_first_server_begins_the_paths() {
    let operation = json!({"responses": {}});
    let own = json!({"servers": [{"url": "https://files.example.com/store/"}], "responses": {}});
    for (servers, path) in [
        (json!([{"url": "https://api.example.com/v1"}, {"url": "/other"}]), "/v1/items"),
        (json!([{"url": "https://api.example.com/v1/"}]), "/v1/items"),
        (json!([{"url": "https://api.example.com"}]), "/items"),
        (json!([{"url": "//api.example.com/v1"}]), "/v1/items"),
        (json!([{"url": "/"}]), "/items"),
        (json!([{"url": "/v1"}]), "/v1/items"),
        (json!([{"url": "./v1/../v2?x=/y"}]), "/v2/items"),
        (
            json!([{"url": "https://{tenant}.example.com:{port}/{base}/v1", "variables": {
                "tenant": {"default": "acme"}, "port": {"default": "8443"}, "base": {"default": "shop"},
            }}]),
            "/shop/v1/items",
        ),
        (json!([]), "/items"),
        (Value::Null, "/items"),
    ] {
        let description = json!({
            "openapi": "3.0.3", "servers": servers,
            "paths": {"/items": {"get": operation}, "/files": {"get": own}},
        });
        let (_folder, file) = file("shop.json", &description.to_string());
        let text = scenario_from_openapi(&file).expect("it is a description");
        assert!(text.contains(&format!("path: {path}\n")), "{servers}: {path} is missing:\n{text}");
        assert!(text.contains("path: /store/files\n"), "an operation's own server counts:\n{text}");
    }
}

#[test]
fn a_description_becomes_a_task_for_each_operation() {
    let description = "
openapi: 3.1.0
info: {title: Shop, version: '1'}
paths:
  /items/{item-id}:
    parameters:
      - {name: item-id, in: path, required: true, schema: {type: integer}, example: 7}
    get:
      operationId: readItem
      tags: [items]
      parameters:
        - {name: lang, in: query, required: true, schema: {type: string, enum: [en, de]}}
        - {name: optional, in: query, schema: {type: string}}
  /orders:
    post:
      requestBody:
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Order'}
components:
  schemas:
    Order:
      type: object
      properties:
        item: {type: string}
        quantity: {type: integer, minimum: 2}
        id: {type: string, readOnly: true}
        parent: {$ref: '#/components/schemas/Order'}
";
    let (_folder, path) = file("shop.yaml", description);
    let text = scenario_from_openapi(&path).expect("it is a description");
    for part in [
        "path: /items/${item_id}",
        "item_id: 7",
        "lang: en",
        "GET /items/{item-id}",
        "quantity: 2",
        "readItem",
        "weight: 3",
    ] {
        assert!(text.contains(part), "`{part}` is missing:\n{text}");
    }
    assert!(!text.contains("optional") && !text.contains("readOnly"), "{text}");
}

#[test]
fn what_is_neither_is_refused_with_its_name() {
    for text in [
        "",
        "[1, 2]",
        "{\"log\": {}}",
        "{\"log\": {\"entries\": []}}",
        "{\"log\": {\"entries\": [{}]}}",
        "\u{0}",
    ] {
        let (_folder, path) = file("broken.har", text);
        let error = scenario_from_har(&path).expect_err(text).to_string();
        assert!(error.contains("broken.har") && error.contains("hint"), "{error}");
        assert!(!error.contains("expected a scenario"), "it says what it is not: {error}");
    }
    let wrong_url = r#"{"log": {"entries": [{"request": {"method": "GET", "url": "::"}}]}}"#;
    let (_folder, path) = file("broken.har", wrong_url);
    assert!(scenario_from_har(&path).unwrap_err().to_string().contains("entries[0].request.url"));
    for text in
        ["", "swagger: '2.0'", "openapi: 3.0.0", "openapi: 3.0.0\npaths: {}", "openapi: [", "openapi: 3"]
    {
        let (_folder, path) = file("broken.yaml", text);
        let error = scenario_from_openapi(&path).expect_err(text).to_string();
        assert!(error.contains("broken.yaml") && error.contains("hint"), "{error}");
    }
    assert!(scenario_from_har(std::path::Path::new("no/such.har")).is_err());
}
