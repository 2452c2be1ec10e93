//! Makes the body of an operation, under the media type that the description names.

use super::super::super::document::StepDocument;
use super::super::super::untyped::Untyped;
use super::super::body::{essence, is_json, set};
use super::super::made::{literal, quoted};
use super::super::multipart::{self, Part};
use super::api::Api;
use super::xml;

/// Which media types are taken first where there are several.
fn rank(media_type: &str) -> usize {
    let essence = essence(media_type);
    match essence.as_str() {
        "application/json" => 0,
        _ if is_json(&essence) => 1,
        "*/*" | "application/*" => 2,
        "application/x-www-form-urlencoded" => 3,
        "multipart/form-data" => 4,
        _ if essence.starts_with("text/") => 5,
        _ if is_xml(&essence) => 6,
        "application/octet-stream" => 7,
        _ => 8,
    }
}

fn is_xml(essence: &str) -> bool {
    essence.ends_with("/xml") || essence.ends_with("+xml")
}

impl<'a> Api<'a> {
    /// Adds the body, where the operation has one; an error says why none can be made.
    pub(super) fn add_body(&self, operation: &'a Untyped, fields: &mut StepDocument) -> Result<(), String> {
        let Some(body) = operation.get("requestBody") else { return Ok(()) };
        let body = self
            .follow(body)
            .map_err(|reference| format!("`requestBody` refers to {}", quoted(reference)))?;
        let contents = body.get("content").map(Untyped::fields).unwrap_or_default();
        let Some((name, content)) = contents.iter().min_by_key(|(name, _)| rank(name)) else { return Ok(()) };
        let content =
            self.follow(content).map_err(|reference| format!("`content` refers to {}", quoted(reference)))?;
        let mut media_type = match essence(name).as_str() {
            "*/*" | "application/*" => "application/json".to_owned(),
            "text/*" => "text/plain".to_owned(),
            _ => name.clone(),
        };
        let bytes = self.bytes(content, &mut media_type)?;
        set(fields, &media_type, bytes);
        // What the load generator sends by itself does not stand in the scenario.
        let is_own = fields.json.is_some() && media_type == "application/json"
            || fields.form.is_some() && media_type == "application/x-www-form-urlencoded";
        if !is_own {
            fields.headers.insert("content-type".to_owned(), literal(&media_type).into());
        }
        Ok(())
    }

    fn bytes(&self, content: &'a Untyped, media_type: &mut String) -> Result<Vec<u8>, String> {
        let kind = essence(media_type);
        let value = self.example_of(content);
        let schema = content.get("schema");
        // An example may be written out as the text that is sent.
        let written = self.given_example(content).and_then(Untyped::as_str);
        let bytes = if is_json(&kind) {
            let is_document =
                |text: &&str| matches!(Untyped::from_json(text), Ok(Untyped::Map(_) | Untyped::List(_)));
            let is_open = schema.is_none() && self.given_example(content).is_none();
            let value = if is_open { Untyped::Map(Vec::new()) } else { value };
            written.filter(is_document).map_or_else(|| value.to_json(), str::to_owned).into_bytes()
        } else if let Some(text) = written {
            text.as_bytes().to_vec()
        } else {
            match kind.as_str() {
                "application/x-ndjson"
                | "application/ndjson"
                | "application/jsonl"
                | "application/x-jsonlines" => lines(&value, |entry| format!("{}\n", entry.to_json())),
                "application/json-seq" => lines(&value, |entry| format!("\u{1e}{}\n", entry.to_json())),
                "application/x-www-form-urlencoded" => urlencoded(&value),
                "multipart/form-data" => {
                    let parts = self.parts(content, &value);
                    let boundary = multipart::free_boundary(&parts);
                    *media_type = format!("{kind}; boundary={boundary}");
                    multipart::body(&parts, &boundary)
                }
                "text/csv" => csv(&value)?,
                "application/octet-stream" => value.as_text().into_owned().into_bytes(),
                _ if is_xml(&kind) => xml::document(self, &value, schema).into_bytes(),
                _ if kind.starts_with("text/") => value.as_text().into_owned().into_bytes(),
                _ => return Err(format!("{} has no example", quoted(media_type))),
            }
        };
        Ok(bytes)
    }

    /// The parts of a form: texts and numbers as they are, objects as JSON, files with a name.
    fn parts(&self, content: &'a Untyped, value: &Untyped) -> Vec<Part> {
        let schema = content.get("schema").and_then(|schema| self.resolved(schema, "a schema"));
        let properties = schema.and_then(|schema| schema.get("properties"));
        let mut parts = Vec::new();
        for (name, value) in value.fields() {
            let property = properties.and_then(|properties| properties.get(name));
            let property = property.and_then(|property| self.resolved(property, "a schema"));
            let items = property.and_then(|property| property.get("items"));
            let item = items.and_then(|items| self.resolved(items, "a schema")).or(property);
            let has = |field: &str, text: &str| {
                item.and_then(|item| item.get(field))
                    .and_then(Untyped::as_str)
                    .is_some_and(|found| found == text)
            };
            let content_type = item.and_then(|item| item.get("contentMediaType")).and_then(Untyped::as_str);
            let is_file = has("format", "binary") || content_type.is_some();
            let encoding = content.get("encoding").and_then(|encoding| encoding.get(name));
            let declared =
                encoding.and_then(|encoding| encoding.get("contentType")).and_then(Untyped::as_str);
            // Of several types, or ranges of them, one has to be named.
            let declared = declared.map(|kinds| kinds.split(',').next().unwrap_or_default().trim());
            let declared = declared.filter(|kind| !kind.contains('*')).or(content_type);
            let entries = match value {
                Untyped::List(entries) => entries.as_slice(),
                single => std::slice::from_ref(single),
            };
            for entry in entries {
                let is_json = matches!(entry, Untyped::Map(_) | Untyped::List(_));
                let by_kind = if is_file {
                    Some("application/octet-stream")
                } else {
                    is_json.then_some("application/json")
                };
                parts.push(Part {
                    name: name.clone(),
                    file_name: is_file.then(|| "file".to_owned()),
                    media_type: declared.or(by_kind).map(str::to_owned),
                    content: entry.as_text().into_owned().into_bytes(),
                });
            }
        }
        parts
    }
}

/// The entries of a list, or the one value, each as `line` writes it.
fn lines(value: &Untyped, line: impl Fn(&Untyped) -> String) -> Vec<u8> {
    match value {
        Untyped::List(entries) => entries.iter().map(line).collect::<String>(),
        single => line(single),
    }
    .into_bytes()
}

/// The fields of a form: lists as several fields of one name, objects as JSON.
fn urlencoded(value: &Untyped) -> Vec<u8> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in value.fields() {
        match value {
            Untyped::List(entries) => {
                form.extend_pairs(entries.iter().map(|entry| (name, entry.as_text())));
            }
            value => {
                form.append_pair(name, &value.as_text());
            }
        }
    }
    form.finish().into_bytes()
}

/// A header and a row for each object (RFC 4180); a text as it is.
fn csv(value: &Untyped) -> Result<Vec<u8>, String> {
    let rows = match value {
        Untyped::List(rows) => rows.as_slice(),
        single => std::slice::from_ref(single),
    };
    if rows.iter().all(|row| row.fields().is_empty()) {
        return Ok(value.as_text().into_owned().into_bytes());
    }
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).flexible(true).from_writer(Vec::new());
    let header = rows.first().map(Untyped::fields).unwrap_or_default().iter().map(|(name, _)| name.clone());
    let records = std::iter::once(header.collect::<Vec<_>>()).chain(
        rows.iter().map(|row| row.fields().iter().map(|(_, value)| value.as_text().into_owned()).collect()),
    );
    for record in records {
        writer.write_record(&record).map_err(|error| error.to_string())?;
    }
    writer.into_inner().map_err(|error| error.to_string())
}
