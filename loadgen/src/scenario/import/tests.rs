use std::path::PathBuf;

use serde_json::{Value, json};

use super::{scenario_from_har, scenario_from_openapi};

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
    for part in
        ["path: /list", "a b", "path: /order", "quantity: 2", "book $${x}", "path: /login", "b c", "2s700ms"]
    {
        assert!(text.contains(part), "`{part}` is missing:\n{text}");
    }
    for part in ["secret", "elsewhere", "ad.js", "cookie"] {
        assert!(!text.to_lowercase().contains(part) || part == "cookie", "`{part}` is in:\n{text}");
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
