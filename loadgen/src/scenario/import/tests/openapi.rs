//! What becomes of descriptions as people and generators write them.

use serde_json::{Value, json};

use super::super::{Imported, scenario_from_openapi};
use super::file;

fn import(description: &str, tags: &[&str]) -> Result<Imported, String> {
    let (_folder, path) = file("api.yaml", description);
    let tags: Vec<_> = tags.iter().map(|&tag| tag.to_owned()).collect();
    scenario_from_openapi(&path, &tags).map_err(|error| error.to_string())
}

#[track_caller]
fn described(paths: &Value) -> Imported {
    import(&json!({"openapi": "3.0.3", "paths": paths}).to_string(), &[]).expect("it is a description")
}

#[track_caller]
fn has(imported: &Imported, parts: &[&str]) {
    for part in parts {
        assert!(imported.text.contains(part), "`{part}` is missing:\n{}", imported.text);
    }
}

#[track_caller]
fn told(imported: &Imported, parts: &[&str]) {
    for part in parts {
        assert!(
            imported.notes.iter().any(|note| note.contains(part)),
            "`{part}` is missing: {:#?}",
            imported.notes
        );
    }
}

#[test]
fn an_operations_parameter_replaces_its_paths_by_name_and_place() {
    let id = |place: &str, example: Value| json!({"name": "id", "in": place, "required": true, "example": example});
    let imported = described(&json!({"/a/{id}": {
        "parameters": [id("path", json!("of-path")), id("query", json!("q")), id("header", json!("h"))],
        "get": {"parameters": [id("path", json!("x1")), id("query", json!("own"))]},
        "post": {},
    }}));
    has(
        &imported,
        &["path: /a/${id}", "id: x1", "path: /a/${id_2}", "id_2: of-path", "id: own", "id: q", "id: h"],
    );
    assert!(!imported.text.contains("$$"), "{}", imported.text);
}

#[test]
fn examples_belong_to_their_operation_and_parameter() {
    let path = |name: &str, example: Value| json!({"get": {"parameters": [{"name": name, "in": "path", "required": true, "example": example}]}});
    let imported = described(&json!({
        "/users/{id}": path("id", json!("u-1")),
        "/orders/{id}": path("id", json!(42)),
        "/again/{id}": path("id", json!(42)),
        "/x/{a-b}": path("a-b", json!("one")),
        "/y/{a_b}": path("a_b", json!("two")),
        "/price${id}": path("id", json!(42)),
    }));
    has(
        &imported,
        &[
            "path: /users/${id_2}",
            "path: /orders/${id}",
            "path: /again/${id}",
            "path: /x/${a_b}",
            "path: /y/${a_b_2}",
            "id_2: u-1",
            "id: 42",
            "a_b: one",
            "a_b_2: two",
            "path: /price%24${id}",
        ],
    );
}

#[test]
fn what_leads_out_of_the_file_is_named_and_no_brace_is_sent() {
    let imported = described(&json!({
        "/d/{id}": {"get": {"$ref": "res/d.yml"}},
        "/e/{id}": {"$ref": "./e.yml"},
        "/f/{id}": {"get": {"parameters": [{"$ref": "p.yml#/id"}]}},
        "/g": {"post": {"requestBody": {"$ref": "#/components/requestBodies/Gone"}}},
        "/h": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "h.json"}}}}}},
        "/i/{id}/x": {"get": {}},
    }));
    has(&imported, &["path: /f/1", "path: /i/1/x", "path: /h"]);
    assert!(!imported.text.contains("path: /d") && !imported.text.contains("path: /g"), "{}", imported.text);
    assert!(
        !imported.text.lines().any(|line| line.contains("path:") && line.contains('{')),
        "{}",
        imported.text
    );
    told(
        &imported,
        &[
            "left out 1 operation whose `$ref` leads out of the file or nowhere: GET /d/{id} `res/d.yml`",
            "/e/{id} `./e.yml`",
            "GET /f/{id} `p.yml#/id`",
            "left out 1 operation for which no body can be made: POST /g: `requestBody` refers to `#/components/requestBodies/Gone`",
            "a schema `h.json`",
            "filled 2 parameters of paths that are declared nowhere with `1`",
            "{id} of /i/{id}/x",
        ],
    );
    let text = json!({
        "openapi": "3.0.3",
        "paths": {"/a": {"get": {"parameters": [
            {"$ref": "#/components/parameters/a~1b"}, {"$ref": "#/components/parameters/c%20d"}, {"$ref": "#/components/parameters/%C3%BC~0"},
        ]}}},
        "components": {"parameters": {
            "a/b": {"name": "q1", "in": "query", "required": true}, "c d": {"name": "q2", "in": "query", "required": true},
            "ü~": {"name": "q3", "in": "query", "required": true}, "unused": {"$ref": "#/components/parameters/unused"},
        }},
    });
    has(&import(&text.to_string(), &[]).expect("it is a description"), &["q1:", "q2:", "q3:"]);
}

#[test]
fn schemas_beside_properties_are_merged_and_circles_end() {
    let body = |schema: Value| json!({"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}});
    let imported = import(
        &json!({
            "openapi": "3.1.0",
            "paths": {
                "/z": body(json!({"properties": {"k": {"type": "string"}}, "oneOf": [{"properties": {"a": {"type": "integer"}}}]})),
                "/y": body(json!({"properties": {"own": {"const": 5}}, "allOf": [{"properties": {"b": {"type": ["null", "boolean"]}}}],
                                  "anyOf": [{"type": "null"}, {"properties": {"c": {"enum": [null, "e"]}}}]})),
                "/x": body(json!({"$ref": "#/components/schemas/Node"})),
                "/w": body(json!({"allOf": [{"type": "string", "minLength": 6}]})),
                "/v": body(json!({"type": "integer", "exclusiveMinimum": 4, "maximum": 9})),
            },
            "components": {"schemas": {"Node": {"type": "object", "properties": {
                "name": {"type": "string", "maxLength": 2}, "next": {"$ref": "#/components/schemas/Node"},
                "all": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
            }}}},
        })
        .to_string(),
        &[],
    )
    .expect("it is a description");
    has(
        &imported,
        &["a: 1", "k: text", "b: true", "c: e", "own: 5", "name: te", "all: []", "json: textte", "json: 5"],
    );
}

#[test]
fn a_large_description_is_imported_by_tag_and_the_rest_is_told() {
    let path = |number: usize| {
        (
            format!("/r{number}"),
            json!({"get": {"tags": [if number < 20 { "few" } else { "many" }], "operationId": format!("o{number}")}}),
        )
    };
    let paths: serde_json::Map<String, Value> = (0..501).map(path).collect();
    let text = json!({"openapi": "3.0.3", "paths": paths}).to_string();
    let all = import(&text, &[]).expect("it is a description");
    told(&all, &["made 500 of 501 operations", "left out 1 operation beyond the 500", "--tags"]);
    let few = import(&text, &["few"]).expect("it is a description");
    told(&few, &["made 20 of 501 operations"]);
    assert_eq!(few.text.matches("- few").count(), 20);
    let error = import(&text, &["fewer"]).expect_err("there is no such tag");
    assert!(error.contains("`fewer`") && error.contains("`few`, `many`"), "{error}");
}

#[test]
fn untyped_values_are_read_as_yaml_1_2() {
    let imported = import(
        "openapi: 3.0\npaths:\n  /tiles/{z}/{x}/{y}:\n    get:\n      parameters:\n        - {name: z, in: path, required: true, example: 0123}\n        \
         - {name: x, in: path, required: true, schema: {enum: [on, off]}}\n        - {name: y, in: path, required: true, example: no}\n        \
         - {name: v, in: query, required: true, example: 1.10}\n        - {name: t, in: query, required: true, example: 12:30}\n        \
         - {name: d, in: query, required: true, example: 2026-01-31}\n        - {name: u, in: query, required: true, example: 1_000}\n",
        &[],
    )
    .expect("without quotes the version is a number whose text it still is");
    has(&imported, &["path: /tiles/${z}/${x}/${y}", "z: 123"]);
    for (name, text) in
        [("x", "on"), ("y", "no"), ("v", "1.10"), ("t", "12:30"), ("u", "1_000"), ("d", "2026-01-31")]
    {
        let found =
            [format!("{name}: {text}\n"), format!("{name}: \"{text}\"\n"), format!("{name}: '{text}'\n")];
        let found = found
            .iter()
            .chain(&[format!("\"{name}\": \"{text}\"\n"), format!("\"{name}\": {text}\n")])
            .any(|line| imported.text.contains(line));
        assert!(found, "{name}: {text} is missing:\n{}", imported.text);
    }
}

#[test]
fn a_login_and_the_host_are_told() {
    let text = json!({
        "openapi": "3.0.3", "servers": [{"url": "https://api.test/v1"}], "security": [{"bearer": []}],
        "paths": {"/a": {"get": {}}, "/b": {"get": {"security": [{"key": [], "other": []}]}}, "/open": {"get": {"security": [{}, {"key": []}]}},
                  "/c": {"get": {"security": []}}},
        "components": {"securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"}, "key": {"type": "apiKey", "in": "query", "name": "k"},
        }},
    });
    let imported = import(&text.to_string(), &[]).expect("it is a description");
    told(
        &imported,
        &[
            "described for https://api.test: play it with --host https://api.test",
            "a login is needed",
            "`bearer` for 1 (header `authorization: Bearer …`)",
            "`key` for 1 (query `k`)",
            "`other` for 1 (not described)",
        ],
    );
    let bare = described(&json!({"/a": {"get": {}}}));
    told(&bare, &["names no host"]);
    assert!(!bare.notes.iter().any(|note| note.contains("login")), "{:?}", bare.notes);
}

#[test]
fn media_types_keep_their_names_and_what_has_no_example_is_told() {
    let post = |media_type: &str, content: Value| json!({"post": {"requestBody": {"content": {media_type: content}}}});
    let schema = || {
        json!({"schema": {"type": "object", "properties": {
        "id": {"type": "integer", "xml": {"attribute": true}}, "tags": {"type": "array", "items": {"type": "string"}, "xml": {"wrapped": true}},
    }, "xml": {"name": "pet"}}})
    };
    let files = json!({"schema": {"properties": {
        "f": {"type": "string", "format": "binary"}, "meta": {"properties": {"a": {"type": "integer"}}}, "n": {"type": "integer"},
    }}, "encoding": {"f": {"contentType": "image/png, image/jpeg"}}});
    let imported = described(&json!({
        "/patch": post("application/json-patch+json", json!({"example": [{"op": "remove"}]})),
        "/text-of-json": post("application/json", json!({"example": "{\"as\": \"written\"}"})),
        "/any": post("*/*", schema()),
        "/xml": post("application/xml", schema()),
        "/form": post("multipart/form-data", files),
        "/image": post("image/png", json!({"schema": {"type": "string", "format": "binary"}})),
        "/none": post("application/json", json!({})),
        "/get": {"get": {"requestBody": {"content": {"application/json": {}}}}},
    }));
    has(
        &imported,
        &[
            "content-type: application/json-patch+json",
            "{\\\"as\\\": \\\"written\\\"}",
            "<pet id=\"1\"><tags><tags>text</tags></tags></pet>",
            "json: {}",
            "multipart/form-data; boundary=autoscale-lab-part",
            "image/png",
        ],
    );
    told(
        &imported,
        &[
            "left out 1 operation for which no body can be made: POST /image: `image/png` has no example",
            "left out 1 body of methods",
        ],
    );
}

#[test]
fn other_formats_are_refused_by_their_names() {
    for (text, part) in [
        ("swagger: '2.0'\npaths: {}\n", "is Swagger `2.0`, expected OpenAPI 3.0 or later"),
        ("{\"swagger\": \"2.0\"}", "convert it first"),
        ("openapi: 3\npaths: {}\n", "in quotes"),
        ("openapi: 4.0.0\npaths: {}\n", "`4.0.0`"),
        ("{\"log\": {\"entries\": []}}", "--from-har"),
        ("info: {title: x}\n", "`openapi` is missing"),
    ] {
        let error = import(text, &[]).expect_err(text);
        assert!(error.contains(part) && error.contains("hint: "), "{error}");
    }
}
