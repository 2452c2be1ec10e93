//! Descriptions drawn at random from parts of which each says what a server must see of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rand::RngExt;
use serde_json::{Value, json};
use workload::{Stream, Streams};

use super::super::scenario_from_openapi;
use super::{Arrived, Visitor, file};

/// How many descriptions are drawn.
const DESCRIPTIONS: u64 = 60;

/// A part of a description, and what arrives of it.
struct Part {
    described: Value,
    arrives: &'static str,
}

fn part(described: Value, arrives: &'static str) -> Part {
    Part { described, arrives }
}

fn list() -> Value {
    json!({"type": "array", "items": {"type": "string", "enum": ["a b", "c"]}, "minItems": 2})
}

fn object() -> Value {
    json!({"type": "object", "properties": {"k": {"type": "string"}, "n": {"type": "integer", "minimum": 7}}})
}

fn queries() -> Vec<Part> {
    vec![
        part(json!({"name": "p", "schema": {"type": "integer"}}), "p=1"),
        part(json!({"name": "e", "example": "a/b c", "schema": {}}), "e=a/b c"),
        part(
            json!({"name": "t", "schema": {"type": "string", "format": "uuid"}}),
            "t=5f0c1b1e-3c1d-4b67-9a51-0d3c8f6f2a11",
        ),
        part(json!({"name": "l", "schema": list()}), "l=a b&l=a b"),
        part(json!({"name": "c", "explode": false, "schema": list()}), "c=a b,a b"),
        part(json!({"name": "s", "style": "spaceDelimited", "schema": list()}), "s=a b a b"),
        part(json!({"name": "i", "style": "pipeDelimited", "explode": false, "schema": list()}), "i=a b|a b"),
        part(json!({"name": "d", "style": "deepObject", "schema": object()}), "d[k]=text&d[n]=7"),
        part(json!({"name": "f", "schema": object()}), "k=text&n=7"),
        part(json!({"name": "j", "content": {"application/json": {"example": {"a": [1]}}}}), "j={\"a\":[1]}"),
        part(json!({"name": "r", "allowReserved": true, "example": "/x?y:z"}), "r=/x?y:z"),
    ]
}

/// Segments of a path with their parameter, as they arrive.
fn segments() -> Vec<Part> {
    vec![
        part(json!({"name": "id", "schema": {"type": "integer"}}), "/1"),
        part(json!({"name": "user-id", "example": "a/b ${x}"}), "/a%2Fb%20%24%7Bx%7D"),
        part(json!({"name": "l", "schema": list()}), "/a%20b,a%20b"),
        part(json!({"name": "m", "style": "matrix", "explode": true, "schema": object()}), "/;k=text;n=7"),
        part(json!({"name": "b", "style": "label", "schema": {"enum": ["v"]}}), "/.v"),
        part(json!({"name": "ü", "schema": {"type": "string"}}), "/text"),
        part(json!({"name": "uuid", "schema": {"type": "string", "format": "date"}}), "/2026-01-31"),
    ]
}

/// Media types with the body that arrives under them.
fn bodies() -> Vec<(&'static str, Value, &'static str)> {
    let schema = || json!({"schema": object()});
    vec![
        ("application/json", schema(), "{\"k\":\"text\",\"n\":7}"),
        ("application/merge-patch+json", schema(), "{\"k\":\"text\",\"n\":7}"),
        ("application/json;charset=utf-8", json!({"example": {"x": 1.5}}), "{\"x\":1.5}"),
        ("application/x-ndjson", schema(), "{\"k\":\"text\",\"n\":7}\n"),
        ("application/x-www-form-urlencoded", schema(), "k=text&n=7"),
        ("text/csv", schema(), "k,n\r\ntext,7\r\n"),
        ("text/plain", json!({"schema": {"type": "string"}}), "text"),
        ("application/octet-stream", json!({"schema": {"type": "string", "format": "binary"}}), "text"),
        ("application/xml", json!({"example": "<a/>"}), "<a/>"),
        ("image/svg+xml", json!({"example": "<svg/>"}), "<svg/>"),
    ]
}

fn pick(stream: &mut Stream, mut parts: Vec<Part>, most: usize) -> Vec<Part> {
    let mut picked = Vec::new();
    for _ in 0..stream.random_range(0..=most) {
        picked.push(parts.swap_remove(stream.random_range(0..parts.len())));
    }
    picked
}

fn with(described: &Value, place: &str) -> Value {
    let mut described = described.clone();
    described["in"] = place.into();
    described["required"] = true.into();
    described
}

/// An operation, its path, and the request that must arrive.
fn draw(stream: &mut Stream, number: usize) -> (String, String, Value, Arrived, BTreeSet<String>) {
    let segments = pick(stream, segments(), 3);
    let queries = pick(stream, queries(), 3);
    let mut path = format!("/op{number}");
    let mut target = format!("/base{path}");
    let mut parameters = Vec::new();
    for Part { described, arrives } in &segments {
        write!(path, "/{{{}}}", described["name"].as_str().expect("a name"))
            .expect("a string takes whatever is written");
        target.push_str(arrives);
        parameters.push(with(described, "path"));
    }
    parameters.extend(queries.iter().map(|part| with(&part.described, "query")));
    parameters.push(json!({"name": "ignored", "in": "query", "schema": {"type": "string"}}));
    let mut request = Arrived { target, ..Arrived::default() };
    for (name, described, arrives) in [
        ("x-one", json!({"schema": list()}), "a b,a b"),
        ("x-two", json!({"explode": true, "schema": object()}), "k=text,n=7"),
    ] {
        if stream.random_range(0..2) == 0 {
            let mut described = with(&described, "header");
            described["name"] = name.into();
            parameters.push(described);
            request.headers.insert(name.to_owned(), arrives.to_owned());
        }
    }
    for name in ["Accept", "Content-Type", "Authorization"] {
        parameters
            .push(json!({"name": name, "in": "header", "required": true, "schema": {"const": "never-sent"}}));
    }
    if stream.random_range(0..3) == 0 {
        parameters.push(json!({"name": "sid", "in": "cookie", "required": true, "schema": {"const": "s1"}}));
        request.headers.insert("cookie".to_owned(), "sid=s1".to_owned());
    }
    let mut operation = json!({"parameters": parameters, "responses": {}});
    let method = if stream.random_range(0..2) == 0 { "get" } else { "post" };
    request.method = method.to_ascii_uppercase();
    if method == "post" {
        let mut all = bodies();
        let (media_type, content, arrives) = all.swap_remove(stream.random_range(0..all.len()));
        operation["requestBody"] = json!({"content": {media_type: content}});
        request.headers.insert("content-type".to_owned(), media_type.to_owned());
        request.body = arrives.as_bytes().to_vec();
    }
    let pairs = queries.iter().flat_map(|part| part.arrives.split('&')).map(str::to_owned).collect();
    (path, method.to_owned(), operation, request, pairs)
}

#[tokio::test]
async fn a_described_operation_arrives_as_the_standard_says() {
    let mut visitor = Visitor::new().await;
    for seed in 0..DESCRIPTIONS {
        let mut stream = Streams::from_seed(seed).stream("description");
        let mut paths = serde_json::Map::new();
        let mut expected = Vec::new();
        for number in 0..stream.random_range(1..6) {
            let (path, method, operation, request, pairs) = draw(&mut stream, number);
            paths.insert(path, json!({method: operation}));
            expected.push((request, pairs));
        }
        let description =
            json!({"openapi": "3.1.0", "servers": [{"url": "https://api.test/base"}], "paths": paths});
        let text = if stream.random_range(0..2) == 0 {
            description.to_string()
        } else {
            serde_saphyr::to_string(&description).expect("it is YAML")
        };
        let (_folder, path) = file("api.yaml", &text);
        let imported =
            scenario_from_openapi(&path, &[]).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{text}"));
        let arrived = visitor.play(&imported, &[]).await;
        assert_eq!(arrived.len(), expected.len(), "seed {seed}\n{text}\n{}", imported.text);
        for (arrived, (expected, pairs)) in arrived.iter().zip(&expected) {
            let told = format!("seed {seed}\n{text}\n{}", imported.text);
            let (target, query) = arrived.target.split_once('?').unwrap_or((&arrived.target, ""));
            assert_eq!(
                (arrived.method.as_str(), target),
                (expected.method.as_str(), expected.target.as_str()),
                "{told}"
            );
            let found: BTreeSet<_> = form_urlencoded::parse(query.as_bytes())
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            assert_eq!(&found, pairs, "{told}");
            assert_eq!(
                String::from_utf8_lossy(&arrived.body),
                String::from_utf8_lossy(&expected.body),
                "{told}"
            );
            for (name, value) in &expected.headers {
                assert_eq!(arrived.header(name), Some(value.as_str()), "{name}: {told}");
            }
            assert!(!arrived.headers.values().any(|value| value.contains("never-sent")), "{told}");
        }
        assert_eq!(imported.notes[0], "described for https://api.test: play it with --host https://api.test");
    }
}
