//! A request of a scenario, ready to be filled in, and what must hold of its answer.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, Method};
use regex::Regex;
use reqwest::Url;
use serde_json::Value;

use super::template::{JsonTemplate, NotSet, Scope, Template};
use super::untyped::Untyped;
use super::values::Statuses;

/// What a user knows, by the places of its variables; none where one was not set yet.
pub(crate) type Values = Vec<Option<Untyped>>;

/// What is sent as a body.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Json(JsonTemplate),
    Form(Vec<(String, Template)>),
    Text(Template),
    Bytes(bytes::Bytes),
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Its place among all requests of the scenario.
    pub(crate) index: usize,
    /// The place of its name among the scenario's names.
    pub(crate) name_index: usize,
    /// Its name in results.
    pub(crate) name: String,
    pub(crate) method: Method,
    /// What follows the host; the path as it is written serves as the template of the URL in traces.
    pub(crate) path: Template,
    pub(crate) path_as_written: String,
    pub(crate) query: Vec<(String, Template)>,
    /// Headers that are always the same.
    pub(crate) headers: HeaderMap,
    /// Headers to be filled in.
    pub(crate) header_templates: Vec<(HeaderName, Template)>,
    pub(crate) body: Option<Body>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) follow_redirects: bool,
    pub(crate) check: Check,
    pub(crate) extracts: Vec<Extract>,
}

/// What must hold of an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Check {
    pub(crate) status: Option<Statuses>,
    pub(crate) within: Option<(Duration, Arc<str>)>,
    pub(crate) body: Vec<(BodyCheck, Arc<str>)>,
}

/// What must hold of a body; each with its description in the check that holds it.
#[derive(Clone, Debug)]
pub(crate) enum BodyCheck {
    Contains(Template),
    Matches(Regex),
    Json { pointer: String, expected: JsonTemplate },
}

/// A value to keep from an answer.
#[derive(Clone, Debug)]
pub(crate) struct Extract {
    /// Where among the user's values it goes.
    pub(crate) slot: usize,
    pub(crate) source: Source,
    pub(crate) default: Option<Untyped>,
    /// What is said where it is not found.
    pub(crate) description: Arc<str>,
}

/// Where in an answer a value is.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Json(String),
    Header(HeaderName),
    Regex(Regex),
}

impl Request {
    /// The URL, where it is the same each time and on the host.
    pub(crate) fn fixed_url(&self, base: &Url) -> Option<Url> {
        let path = self.path.fixed()?;
        self.query.is_empty().then(|| on_host(base, path)).flatten()
    }

    /// The URL, filled in; none where the path leads to another host or is none at all.
    pub(crate) fn url(&self, base: &Url, scope: &mut Scope<'_>) -> Result<Option<Url>, NotSet> {
        let path = if self.path.is_single_expression() {
            self.path.fill(scope)?
        } else {
            self.path.fill_with(scope, push_encoded)?
        };
        let Some(mut url) = on_host(base, &path) else { return Ok(None) };
        if !self.query.is_empty() {
            let mut pairs = url.query_pairs_mut();
            for (name, value) in &self.query {
                pairs.append_pair(name, &value.fill(scope)?);
            }
        }
        Ok(Some(url))
    }

    /// Whether the body of the answer has to be read and not only counted.
    pub(crate) fn needs_body(&self) -> bool {
        !self.check.body.is_empty()
            || self.extracts.iter().any(|extract| !matches!(extract.source, Source::Header(_)))
    }

    /// What of the body and headers must hold and is to be kept: values with their slots, or what did not hold.
    pub(crate) fn judge(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        scope: &mut Scope<'_>,
    ) -> Result<Vec<(usize, Untyped)>, Arc<str>> {
        let text = String::from_utf8_lossy(body);
        let needs_json = self.check.body.iter().any(|(check, _)| matches!(check, BodyCheck::Json { .. }))
            || self.extracts.iter().any(|extract| matches!(extract.source, Source::Json(_)));
        let json = if needs_json { json_of(body) } else { Ok(Value::Null) };
        for (check, description) in &self.check.body {
            let held = match check {
                BodyCheck::Contains(part) => part.fill(scope).is_ok_and(|part| text.contains(part.as_ref())),
                BodyCheck::Matches(regex) => regex.is_match(&text),
                BodyCheck::Json { pointer, expected } => {
                    let expected: Option<Value> =
                        expected.fill(scope).ok().and_then(|text| serde_json::from_str(&text).ok());
                    let json = json.as_ref().map_err(|problem| self.problem(problem))?;
                    let found = json.pointer(pointer);
                    found.is_some() && found == expected.as_ref()
                }
            };
            if !held {
                return Err(Arc::clone(description));
            }
        }
        let mut values = Vec::new();
        for extract in &self.extracts {
            let found = match &extract.source {
                Source::Json(pointer) => match &json {
                    Ok(json) => json.pointer(pointer).cloned(),
                    Err(problem) if extract.default.is_none() => return Err(self.problem(problem)),
                    Err(_) => None,
                },
                Source::Header(name) => headers
                    .get(name)
                    .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned().into()),
                Source::Regex(regex) => regex
                    .captures(&text)
                    .and_then(|groups| groups.get(1).or_else(|| groups.get(0)))
                    .map(|part| part.as_str().into()),
            };
            match found.map(Untyped::from).or_else(|| extract.default.clone()) {
                Some(value) => values.push((extract.slot, value)),
                None => return Err(Arc::clone(&extract.description)),
            }
        }
        Ok(values)
    }

    fn problem(&self, problem: &str) -> Arc<str> {
        format!("{}: {problem}", self.name).into()
    }
}

/// The body as JSON, or why it is none; of few words, because answers are counted by them.
fn json_of(body: &[u8]) -> Result<Value, &'static str> {
    serde_json::from_slice(body).map_err(|_| match body {
        [] => "the body is empty, and so not JSON",
        [0xEF, 0xBB, 0xBF, ..] => {
            "the body is not JSON: it begins with a byte order mark (RFC 8259, section 8.1)"
        }
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "the body is not JSON: it is UTF-16, and JSON is UTF-8",
        [b'<', ..] => "the body is not JSON: it begins with `<`, as HTML and XML do",
        _ => "the body is not JSON",
    })
}

/// The URL of a path; none where it leads to another host, as `//elsewhere/…` does: users load the one that was named.
fn on_host(base: &Url, path: &str) -> Option<Url> {
    base.join(path).ok().filter(|url| url.origin() == base.origin())
}

/// Appends a value as one segment of a path: what would end the segment is encoded (RFC 3986, section 2.3).
fn push_encoded(text: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("a string takes whatever is written");
        }
    }
}

/// The path as it stands in a name, and so of few: without what may differ from one request to the next.
pub(crate) fn without_query(path: &str) -> Cow<'_, str> {
    Cow::Borrowed(path.split_once('?').map_or(path, |(path, _)| path))
}

#[cfg(test)]
mod tests {
    use super::json_of;

    #[test]
    fn a_body_that_is_not_json_is_said_to_be_so() {
        assert_eq!(json_of(b"{\"a\": 1}"), Ok(serde_json::json!({"a": 1})));
        for (body, part) in [
            (&b"\xef\xbb\xbf{\"a\": 1}"[..], "byte order mark"),
            (b"\xff\xfe{\0}\0", "UTF-16"),
            (b"", "empty"),
            (b"<html></html>", "HTML"),
            (b"{\"a\": 1", "not JSON"),
            (b"fine", "not JSON"),
        ] {
            assert!(json_of(body).unwrap_err().contains(part), "{body:?}");
        }
    }
}
