//! Writes a value as XML, named as its schema says (OpenAPI's "XML Object").

use std::fmt::Write as _;

use super::super::super::untyped::Untyped;
use super::api::Api;

/// A document whose root is called as the schema says, or else `root`.
pub(super) fn document<'a>(api: &Api<'a>, value: &Untyped, schema: Option<&'a Untyped>) -> String {
    let by_reference = schema.and_then(|schema| schema.get("$ref")).and_then(Untyped::as_str);
    let by_reference = by_reference.and_then(|reference| reference.rsplit('/').next()).unwrap_or("root");
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    element(api, by_reference, value, schema, &mut text);
    text
}

fn element<'a>(api: &Api<'a>, name: &str, value: &Untyped, schema: Option<&'a Untyped>, text: &mut String) {
    let schema = schema.and_then(|schema| api.resolved(schema, "a schema"));
    let xml = |schema: Option<&'a Untyped>, field: &str| {
        schema.and_then(|schema| schema.get("xml")).and_then(|xml| xml.get(field))
    };
    let name = element_name(xml(schema, "name").and_then(Untyped::as_str).unwrap_or(name));
    match value {
        Untyped::List(entries) => {
            let items = schema.and_then(|schema| schema.get("items"));
            let is_wrapped = xml(schema, "wrapped").is_some_and(Untyped::is_true);
            if is_wrapped {
                write!(text, "<{name}>").expect("a string takes whatever is written");
            }
            for entry in entries {
                element(api, &name, entry, items, text);
            }
            if is_wrapped {
                write!(text, "</{name}>").expect("a string takes whatever is written");
            }
        }
        Untyped::Map(fields) => {
            let properties = schema.and_then(|schema| schema.get("properties"));
            let of = |field: &str| properties.and_then(|properties| properties.get(field));
            let is_attribute = |field: &str| xml(of(field), "attribute").is_some_and(Untyped::is_true);
            text.push('<');
            text.push_str(&name);
            for (field, value) in fields.iter().filter(|(field, _)| is_attribute(field)) {
                let own = xml(of(field), "name").and_then(Untyped::as_str).unwrap_or(field);
                write!(text, " {}=\"{}\"", element_name(own), escaped(&value.as_text()))
                    .expect("a string takes whatever is written");
            }
            text.push('>');
            for (field, value) in fields.iter().filter(|(field, _)| !is_attribute(field)) {
                element(api, field, value, of(field), text);
            }
            write!(text, "</{name}>").expect("a string takes whatever is written");
        }
        value => write!(text, "<{name}>{}</{name}>", escaped(&value.as_text()))
            .expect("a string takes whatever is written"),
    }
}

/// A name that XML allows.
fn element_name(name: &str) -> String {
    let allowed = |each: char| each.is_alphanumeric() || matches!(each, '_' | '-' | '.' | ':');
    let name: String = name.chars().map(|each| if allowed(each) { each } else { '_' }).collect();
    if name.starts_with(|first: char| first.is_alphabetic() || first == '_') {
        name
    } else {
        format!("_{name}")
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
