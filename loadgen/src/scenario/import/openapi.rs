//! A description of an API, as OpenAPI 3 writes it; read as far as a request needs it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::compile::is_name;
use super::super::document::{MethodName, StepDocument, TaskDocument, Wait};
use super::super::error::Mistake;
use super::super::values::WaitTime;
use super::{Made, literal, literal_json, on_host, step};

/// The methods that a path may have, and how often each is sent.
const METHODS: [(&str, MethodName, u32); 7] = [
    ("get", MethodName::Get, 3),
    ("head", MethodName::Head, 1),
    ("options", MethodName::Options, 1),
    ("post", MethodName::Post, 1),
    ("put", MethodName::Put, 1),
    ("patch", MethodName::Patch, 1),
    ("delete", MethodName::Delete, 1),
];

/// How deep schemas are followed: they may lead back to themselves.
const DEEPEST: usize = 8;

pub(super) fn scenario(description: &Value) -> Result<Made, Mistake> {
    let version = description.get("openapi").and_then(Value::as_str).unwrap_or_default();
    if !version.starts_with("3.") {
        return Err(Mistake::new(
            None,
            format!("`openapi` is `{version}`, expected 3.0 or later"),
            "a description in Swagger 2 can be converted; the file must have `openapi: 3.…`",
        ));
    }
    let api = Api { root: description };
    let mut made = Made {
        description: api.text("/info/title").unwrap_or("An API").to_owned(),
        wait: Wait::Between([WaitTime(Duration::from_secs(1)), WaitTime(Duration::from_secs(3))]),
        ..Made::default()
    };
    let paths = description.get("paths").and_then(Value::as_object);
    for (path, item) in paths.into_iter().flatten() {
        let item = api.resolved(item);
        for (name, method, weight) in METHODS {
            if let Some(operation) = item.get(name) {
                let task = api.task(path, method, weight, item, operation, &mut made.variables);
                made.tasks.push(task);
            }
        }
    }
    if made.tasks.is_empty() {
        return Err(Mistake::new(
            None,
            "`paths` has no operation",
            "the description must have paths with methods",
        ));
    }
    Ok(made)
}

struct Api<'a> {
    root: &'a Value,
}

type Variables = std::collections::BTreeMap<String, Value>;

impl Api<'_> {
    fn text(&self, pointer: &str) -> Option<&str> {
        self.root.pointer(pointer).and_then(Value::as_str)
    }

    /// What a `$ref` within the document leads to, or the value itself.
    fn resolved<'v>(&'v self, value: &'v Value) -> &'v Value {
        let mut value = value;
        for _ in 0..DEEPEST {
            let reference = value.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
            match reference.and_then(|pointer| self.root.pointer(pointer)) {
                Some(found) => value = found,
                None => break,
            }
        }
        value
    }

    /// The path under which the operation's first server has it; empty where that is the root.
    fn server_path(&self, item: &Value, operation: &Value) -> String {
        // The nearest list counts, whole.
        let servers = [operation, item, self.root].into_iter().find_map(|place| place.get("servers"));
        let Some(server) = servers.and_then(Value::as_array).and_then(|servers| servers.first()) else {
            return String::new();
        };
        let mut url = server.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
        for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
            if let Some(default) = variable.get("default") {
                url = url.replace(&format!("{{{name}}}"), &text_of(default));
            }
        }
        path_of(&url)
    }

    fn task(
        &self,
        path: &str,
        method: MethodName,
        weight: u32,
        item: &Value,
        operation: &Value,
        variables: &mut Variables,
    ) -> TaskDocument {
        let mut fields = StepDocument { method: Some(method), ..StepDocument::default() };
        let prefix = self.server_path(item, operation);
        let mut filled = literal(&on_host(&format!("{prefix}{path}")));
        let lists = [item.get("parameters"), operation.get("parameters")];
        for parameter in lists.into_iter().flatten().filter_map(Value::as_array).flatten() {
            let parameter = self.resolved(parameter);
            let Some(name) = parameter.get("name").and_then(Value::as_str) else { continue };
            let required = parameter.get("required").and_then(Value::as_bool).unwrap_or_default();
            let example = self.example_of(parameter);
            match parameter.get("in").and_then(Value::as_str) {
                Some("path") => {
                    let variable = variable(name);
                    filled = filled.replace(&format!("{{{name}}}"), &format!("${{{variable}}}"));
                    variables.entry(variable).or_insert(literal_json(&example));
                }
                Some("query") if required => {
                    fields.query.insert(name.to_owned(), literal(&text_of(&example)).into());
                }
                Some("header") if required && !name.eq_ignore_ascii_case("authorization") => {
                    fields.headers.insert(name.to_owned(), literal(&text_of(&example)).into());
                }
                _ => {}
            }
        }
        fields.path = Some(filled.into());
        fields.name = Some(format!("{} {path}", text_of(&json!(method))).into());
        if !matches!(method, MethodName::Get | MethodName::Head) {
            self.add_body(operation, &mut fields);
        }
        let text = |field: &str| operation.get(field).and_then(Value::as_str).map(str::to_owned);
        let tags = operation.get("tags").and_then(Value::as_array).into_iter().flatten();
        TaskDocument {
            name: text("operationId").or_else(|| text("summary")),
            weight: Some(weight.into()),
            tags: tags.filter_map(Value::as_str).map(str::to_owned).collect(),
            steps: vec![step(fields)].into(),
        }
    }

    fn add_body(&self, operation: &Value, fields: &mut StepDocument) {
        let Some(body) = operation.get("requestBody").map(|body| self.resolved(body)) else { return };
        let Some(contents) = body.get("content").and_then(Value::as_object) else { return };
        let of_kind =
            |kind: &str| contents.iter().find(|(name, _)| name.contains(kind)).map(|(_, content)| content);
        if let Some(content) = of_kind("json") {
            fields.json = Some(literal_json(&self.example_of(content)).into());
        } else if let Some(content) = of_kind("urlencoded") {
            let example = self.example_of(content);
            let pairs = example.as_object().into_iter().flatten();
            fields.form =
                Some(pairs.map(|(name, value)| (name.clone(), literal(&text_of(value)).into())).collect());
        } else if let Some(content) = contents.values().next() {
            fields.body = Some(literal(&text_of(&self.example_of(content))).into());
        }
    }

    /// An example of a parameter or a content: its own, or one made after its schema.
    fn example_of(&self, described: &Value) -> Value {
        let first = described.get("examples").and_then(Value::as_object).and_then(|all| all.values().next());
        let example =
            described.get("example").or_else(|| first.and_then(|first| self.resolved(first).get("value")));
        match (example, described.get("schema")) {
            (Some(example), _) => example.clone(),
            (None, Some(schema)) => self.value_of(schema, DEEPEST),
            (None, None) => json!("1"),
        }
    }

    /// A value that a schema allows.
    fn value_of(&self, schema: &Value, depth: usize) -> Value {
        let schema = self.resolved(schema);
        let given = ["example", "default", "const"].iter().find_map(|field| schema.get(field));
        let first = |field: &str| schema.get(field).and_then(Value::as_array).and_then(|all| all.first());
        if let Some(value) = given.or_else(|| first("examples")).or_else(|| first("enum")) {
            return value.clone();
        }
        if depth == 0 {
            return Value::Null;
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            let mut fields = Map::new();
            for part in parts {
                if let Value::Object(more) = self.value_of(part, depth - 1) {
                    fields.extend(more);
                }
            }
            return Value::Object(fields);
        }
        if let Some(choice) = first("oneOf").or_else(|| first("anyOf")) {
            return self.value_of(choice, depth - 1);
        }
        let kind = schema.get("type").map(|kind| kind.as_array().and_then(|all| all.first()).unwrap_or(kind));
        match kind.and_then(Value::as_str) {
            Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
            Some("boolean") => json!(true),
            Some("null") => Value::Null,
            Some("array") => {
                json!([schema.get("items").map_or(json!("text"), |items| self.value_of(items, depth - 1))])
            }
            Some("string") => json!(match schema.get("format").and_then(Value::as_str) {
                Some("date") => "2026-01-31",
                Some("date-time") => "2026-01-31T12:00:00Z",
                Some("email") => "user@example.org",
                Some("uuid") => "5f0c1b1e-3c1d-4b67-9a51-0d3c8f6f2a11",
                _ => "text",
            }),
            _ => match schema.get("properties").and_then(Value::as_object) {
                None => json!({}),
                Some(fields) => Value::Object(
                    fields
                        .iter()
                        .filter(|(_, field)| field.get("readOnly") != Some(&Value::Bool(true)))
                        .map(|(name, field)| (name.clone(), self.value_of(field, depth - 1)))
                        .collect(),
                ),
            },
        }
    }
}

/// The path of a server's URL, which may be relative, without a slash at its end.
fn path_of(url: &str) -> String {
    let path = match url
        .split_once("://")
        .or_else(|| url.split_once("//").filter(|(before, _)| before.is_empty()))
    {
        Some((_, after_scheme)) => after_scheme.split_once('/').map_or("", |(_host, path)| path),
        None => url,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    segments.iter().flat_map(|segment| ["/", segment]).collect()
}

/// A parameter's name as a variable's.
fn variable(name: &str) -> String {
    let clean: String =
        name.chars().map(|each| if each.is_ascii_alphanumeric() { each } else { '_' }).collect();
    if is_name(&clean) { clean } else { format!("p_{clean}") }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
