//! Reads an entry of a recording: what is missing, null or of another type counts as absent.

use std::time::Duration;

use serde_json::value::RawValue;

use super::super::super::untyped::{Fields, Untyped};
use super::instant;

/// The longest that a single answer is believed to have taken.
const LONGEST_ANSWER: Duration = Duration::from_secs(24 * 60 * 60);

/// A request that was recorded, as far as it is needed to send it again.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// When it was sent, in microseconds since 1970.
    pub(super) started_micros: Option<i64>,
    /// How long it took until its answer was there.
    pub(super) took: Duration,
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<PostData>,
    /// How long the body was, where the recording says so.
    pub(super) body_bytes: i64,
    /// The status of the answer; none where the recording has none.
    pub(super) status: Option<i64>,
    /// Whether the answer is a page.
    pub(super) is_page: bool,
    /// Where the answer redirects to.
    pub(super) location: Option<String>,
    /// Why the request never reached a server, in the recording's own words.
    pub(super) unsent: Option<Unsent>,
}

/// Why a request never reached a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsent {
    /// The browser answered it by itself.
    Cache,
    /// It was blocked, or ended before an answer.
    Failed,
}

/// The body of a request.
#[derive(Debug, Default)]
pub(super) struct PostData {
    pub(super) media_type: String,
    pub(super) text: Option<String>,
    pub(super) is_base64: bool,
    pub(super) params: Vec<Param>,
    /// Whether the content is in a file of its own beside the recording.
    pub(super) is_elsewhere: bool,
}

/// A field of a form.
#[derive(Debug, Default)]
pub(super) struct Param {
    pub(super) name: String,
    pub(super) value: Option<String>,
    pub(super) file_name: Option<String>,
    pub(super) media_type: Option<String>,
}

/// Reads an entry; an error where it is no entry at all or its request holds what no text can.
pub(super) fn read(raw: &RawValue) -> Result<Entry, serde_json::Error> {
    let fields: Fields<'_> = serde_json::from_str(raw.get())?;
    let request = match fields.get("request") {
        Some(request) => Untyped::from_json(request.get())?,
        None => Untyped::Null,
    };
    let number = |raw: Option<&RawValue>| {
        raw.and_then(|raw| Untyped::from_json(raw.get()).ok()).and_then(|value| float(&value))
    };
    let took =
        number(fields.get("time")).and_then(|millis| Duration::try_from_secs_f64(millis / 1000.0).ok());
    let started = text_of(fields.get("startedDateTime"));
    let mut entry = Entry {
        started_micros: started.and_then(|text| instant::micros(&text)),
        took: took.filter(|took| *took <= LONGEST_ANSWER).unwrap_or_default(),
        method: field(&request, "method").unwrap_or_else(|| "GET".to_owned()),
        url: field(&request, "url").unwrap_or_default(),
        headers: headers(&request),
        body: request.get("postData").filter(|body| !body.fields().is_empty()).map(post_data),
        body_bytes: request.get("bodySize").and_then(whole).unwrap_or_default(),
        unsent: unsent(&fields),
        ..Entry::default()
    };
    // What an answer contains may be any bytes, so only what is needed is read.
    let response = fields.get("response").and_then(|raw| serde_json::from_str::<Fields<'_>>(raw.get()).ok());
    if let Some(response) = response {
        let status = response.get("status").and_then(|raw| Untyped::from_json(raw.get()).ok());
        entry.status = status.as_ref().and_then(whole);
        let content =
            response.get("content").and_then(|raw| serde_json::from_str::<Fields<'_>>(raw.get()).ok());
        let media_type = content.and_then(|content| text_of(content.get("mimeType"))).unwrap_or_default();
        let kind = text_of(fields.get("_resourceType")).unwrap_or_default();
        entry.is_page = media_type.to_ascii_lowercase().starts_with("text/html")
            && matches!(kind.as_str(), "" | "document");
        entry.location = text_of(response.get("redirectURL")).filter(|url| !url.is_empty()).or_else(|| {
            let answer = response.get("headers").map(|raw| Untyped::from_json(raw.get()))?.ok()?;
            let is_location = |name: &str| name.eq_ignore_ascii_case("location");
            pairs(&answer).find(|(name, _)| is_location(name)).map(|(_, value)| value)
        });
        let failed = ["_error", "_blocked", "_blockedReason"].iter().any(|name| is_set(response.get(name)));
        if failed {
            entry.unsent = entry.unsent.or(Some(Unsent::Failed));
        }
    }
    if entry.status.is_some_and(|status| status <= 0) {
        entry.unsent = entry.unsent.or(Some(Unsent::Failed));
    }
    Ok(entry)
}

/// What browsers write where a request did not reach a server.
fn unsent(fields: &Fields<'_>) -> Option<Unsent> {
    let by_browser = ["_fromCache", "_fromServiceWorker", "_fetchedViaServiceWorker", "_servedFromCache"];
    // Safari names the way of each.
    let way = text_of(fields.get("_fetchType")).unwrap_or_default();
    if by_browser.iter().any(|name| is_set(fields.get(name)))
        || way.contains("Cache")
        || way.contains("Service Worker")
    {
        return Some(Unsent::Cache);
    }
    let failed = ["_error", "_blocked", "_blockedReason"].iter().any(|name| is_set(fields.get(name)));
    failed.then_some(Unsent::Failed)
}

/// Whether a field says something: false, null, 0 and an empty text do not.
fn is_set(raw: Option<&RawValue>) -> bool {
    raw.is_some_and(|raw| !matches!(raw.get(), "null" | "false" | "0" | "\"\""))
}

fn post_data(body: &Untyped) -> PostData {
    let param = |param: &Untyped| Param {
        name: field(param, "name").unwrap_or_default(),
        value: field(param, "value"),
        file_name: field(param, "fileName"),
        media_type: field(param, "contentType").filter(|kind| !kind.is_empty()),
    };
    let list = body.get("params").map(Untyped::entries).unwrap_or_default();
    PostData {
        media_type: field(body, "mimeType").unwrap_or_default(),
        text: field(body, "text"),
        is_base64: field(body, "encoding").is_some_and(|encoding| encoding.eq_ignore_ascii_case("base64")),
        params: list.iter().filter(|param| !param.fields().is_empty()).map(param).collect(),
        is_elsewhere: ["_sha1", "_file"].iter().any(|name| body.get(name).is_some()),
    }
}

fn headers(request: &Untyped) -> Vec<(String, String)> {
    request.get("headers").map(|headers| pairs(headers).collect()).unwrap_or_default()
}

fn pairs(list: &Untyped) -> impl Iterator<Item = (String, String)> + '_ {
    list.entries()
        .iter()
        .filter_map(|header| Some((field(header, "name")?, field(header, "value").unwrap_or_default())))
}

/// A field that is a text; a number or a truth value is taken as one.
fn field(value: &Untyped, name: &str) -> Option<String> {
    match value.get(name)? {
        Untyped::Text(text) => Some(text.clone()),
        value @ (Untyped::Number(_) | Untyped::Bool(_)) => Some(value.as_text().into_owned()),
        _ => None,
    }
}

fn text_of(raw: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(raw?.get()).ok()
}

/// A whole number, also one that stands in a text.
fn whole(value: &Untyped) -> Option<i64> {
    match value {
        Untyped::Number(_) | Untyped::Text(_) => value.as_text().trim().parse().ok(),
        _ => None,
    }
}

/// A number, also one that stands in a text.
fn float(value: &Untyped) -> Option<f64> {
    match value {
        Untyped::Number(_) | Untyped::Text(_) => value.as_text().trim().parse().ok(),
        _ => None,
    }
}
