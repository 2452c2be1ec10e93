//! Makes a value that a schema allows: its example, or a plain one of the right type.

use super::super::super::untyped::{Number, Untyped};
use super::api::Api;

/// How deep schemas are followed.
const DEEPEST: usize = 12;

/// How many values are made for one body or parameter before only what a schema requires is added, and how many at most.
const VALUES: usize = 200;
const VALUES_MAX: usize = 800;

/// What is made for one body or parameter.
struct Making<'a> {
    count: usize,
    /// Schemas that are being made: one that leads back to itself is left out there.
    open: Vec<&'a Untyped>,
}

impl<'a> Api<'a> {
    /// An example of a parameter or a content: its own, or one made after its schema.
    pub(super) fn example_of(&self, described: &'a Untyped) -> Untyped {
        if let Some(example) = self.given_example(described) {
            return example.clone();
        }
        let made = described.get("schema").and_then(|schema| self.value_of(schema));
        made.unwrap_or_else(|| Untyped::from("1"))
    }

    /// The example that a parameter or a content has itself.
    pub(super) fn given_example(&self, described: &'a Untyped) -> Option<&'a Untyped> {
        let all = described.get("examples").map(Untyped::fields).unwrap_or_default();
        let first = all.iter().find_map(|(_, example)| {
            let example = self.resolved(example, "an example")?;
            example.get("value").or_else(|| example.get("dataValue"))
        });
        described.get("example").or(first).filter(|example| **example != Untyped::Null)
    }

    /// A value that a schema allows; none where it leads back to itself at once.
    pub(super) fn value_of(&self, schema: &'a Untyped) -> Option<Untyped> {
        self.make(schema, &mut Making { count: 0, open: Vec::new() })
    }

    fn make(&self, schema: &'a Untyped, making: &mut Making<'a>) -> Option<Untyped> {
        let Some(schema) = self.resolved(schema, "a schema") else { return Some(Untyped::from("text")) };
        let is_enough = making.open.len() >= DEEPEST || making.count >= VALUES_MAX;
        if is_enough || making.open.iter().any(|open| std::ptr::eq(*open, schema)) {
            return None;
        }
        making.count += 1;
        if let Some(given) = given(schema) {
            return Some(given.clone());
        }
        making.open.push(schema);
        let value = self.made(schema, making);
        making.open.pop();
        value
    }

    fn made(&self, schema: &'a Untyped, making: &mut Making<'a>) -> Option<Untyped> {
        let list = |field: &str| schema.get(field).map(Untyped::entries).unwrap_or_default();
        let mut fields: Vec<(String, Untyped)> = Vec::new();
        let mut single = None;
        let mut is_object = schema.get("properties").is_some();
        let choices = [list("oneOf"), list("anyOf")];
        let chosen =
            choices.iter().filter_map(|choices| choices.iter().find(|choice| kind(choice) != Some("null")));
        for part in list("allOf").iter().chain(chosen) {
            match self.make(part, making) {
                Some(Untyped::Map(more)) => {
                    is_object = true;
                    for (name, value) in more {
                        put(&mut fields, name, value);
                    }
                }
                other => single = single.or(other),
            }
        }
        let required: Vec<_> = list("required").iter().filter_map(Untyped::as_str).collect();
        for (name, property) in schema.get("properties").map(Untyped::fields).unwrap_or_default() {
            let is_needed = required.contains(&name.as_str());
            let is_read_only = |schema: &Untyped| schema.get("readOnly").is_some_and(Untyped::is_true);
            let resolved = self.resolved(property, "a schema").unwrap_or(property);
            if is_read_only(property) || is_read_only(resolved) || (making.count >= VALUES && !is_needed) {
                continue;
            }
            if let Some(value) = self.make(property, making) {
                put(&mut fields, name.clone(), value);
            }
        }
        if is_object {
            return Some(Untyped::Map(fields));
        }
        if single.is_some() {
            return single;
        }
        Some(match kind(schema) {
            Some("integer" | "number") => number(schema),
            Some("boolean") => Untyped::Bool(true),
            Some("null") => Untyped::Null,
            Some("array") => {
                let entry = match schema.get("items").or_else(|| list("prefixItems").first()) {
                    Some(items) => self.make(items, making),
                    None => Some(Untyped::from("text")),
                };
                let count =
                    schema.get("minItems").and_then(|least| least.as_text().parse().ok()).unwrap_or(1_usize);
                Untyped::List(entry.map(|entry| vec![entry; count.clamp(1, 20)]).unwrap_or_default())
            }
            Some("string") => Untyped::Text(text(schema)),
            _ => Untyped::Map(Vec::new()),
        })
    }
}

/// The value that a schema names itself; null only where there is no other.
fn given(schema: &Untyped) -> Option<&Untyped> {
    let lists = ["examples", "enum"].iter().filter_map(|field| schema.get(field)).flat_map(Untyped::entries);
    let mut named: Vec<_> =
        ["example", "default", "const"].iter().filter_map(|field| schema.get(field)).collect();
    named.extend(lists);
    named.iter().find(|value| ***value != Untyped::Null).copied()
}

/// The type, or what its other fields say it is; of several types the first that is not null.
fn kind(schema: &Untyped) -> Option<&str> {
    let has = |fields: &[&str]| fields.iter().any(|field| schema.get(field).is_some());
    match schema.get("type") {
        Some(Untyped::List(kinds)) => {
            let mut kinds = kinds.iter().filter_map(Untyped::as_str);
            let first = kinds.next();
            if first == Some("null") { kinds.next().or(first) } else { first }
        }
        Some(kind) => kind.as_str().or(matches!(kind, Untyped::Null).then_some("null")),
        None if has(&["items", "prefixItems"]) => Some("array"),
        None if has(&["format", "pattern", "minLength", "maxLength"]) => Some("string"),
        None if has(&["minimum", "maximum", "multipleOf"]) => Some("number"),
        None => None,
    }
}

fn put(fields: &mut Vec<(String, Untyped)>, name: String, value: Untyped) {
    match fields.iter_mut().find(|(known, _)| *known == name) {
        Some((_, earlier)) => *earlier = value,
        None => fields.push((name, value)),
    }
}

/// 1, or the number nearest to it that the bounds allow.
fn number(schema: &Untyped) -> Untyped {
    let bound = |field: &str| schema.get(field).and_then(|bound| bound.as_text().parse::<f64>().ok());
    let (least, most) = (bound("minimum"), bound("maximum"));
    // A number since OpenAPI 3.1; before, whether the bound itself is left out.
    let above = bound("exclusiveMinimum")
        .or(least.filter(|_| schema.get("exclusiveMinimum").is_some_and(Untyped::is_true)));
    let below = bound("exclusiveMaximum")
        .or(most.filter(|_| schema.get("exclusiveMaximum").is_some_and(Untyped::is_true)));
    let is_whole = kind(schema) == Some("integer");
    let step = if is_whole { 1.0 } else { 0.5 };
    let mut value = 1.0_f64;
    value = least.map_or(value, |least| value.max(if is_whole { least.ceil() } else { least }));
    value = above.map_or(value, |above| {
        if value > above { value } else { (above + step).floor().max(above + step / 2.0) }
    });
    value = most.map_or(value, |most| value.min(if is_whole { most.floor() } else { most }));
    value = below.map_or(value, |below| if value < below { value } else { below - step });
    if let Some(multiple) = bound("multipleOf").filter(|multiple| *multiple > 0.0) {
        value = (value / multiple).ceil() * multiple;
    }
    if is_whole {
        value = value.round();
    }
    Untyped::Number(Number::plain(format!("{value}")))
}

fn text(schema: &Untyped) -> String {
    let fixed = match schema.get("format").and_then(Untyped::as_str) {
        Some("date") => Some("2026-01-31"),
        Some("date-time") => Some("2026-01-31T12:00:00Z"),
        Some("time") => Some("12:00:00Z"),
        Some("duration") => Some("PT1M"),
        Some("email" | "idn-email") => Some("user@example.org"),
        Some("uuid") => Some("5f0c1b1e-3c1d-4b67-9a51-0d3c8f6f2a11"),
        Some("uri" | "url" | "iri") => Some("https://example.org/"),
        Some("uri-reference") => Some("/"),
        Some("hostname" | "idn-hostname") => Some("example.org"),
        Some("ipv4") => Some("192.0.2.1"),
        Some("ipv6") => Some("2001:db8::1"),
        Some("byte") => Some("dGV4dA=="),
        _ => None,
    };
    if let Some(fixed) = fixed {
        return fixed.to_owned();
    }
    let length = |field: &str| schema.get(field).and_then(|length| length.as_text().parse::<usize>().ok());
    let least = length("minLength").unwrap_or(0).min(1000);
    let most = length("maxLength").unwrap_or(usize::MAX);
    let count = 4.max(least).min(most);
    "text".chars().cycle().take(count).collect()
}
