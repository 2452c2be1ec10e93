//! What a browser recorded, as HAR 1.2 writes it; read as far as a request needs it.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

use super::super::document::{MethodName, StepDocument, TaskDocument, TaskOrder, Wait};
use super::super::error::Mistake;
use super::super::located::Located;
use super::super::values::WaitTime;
use super::{Made, literal, literal_json, on_host, step};

/// Pauses below it were the browser's, not a person's.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);

/// A person who looks away for longer is not worth waiting for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Headers that a scenario keeps; the rest is the browser's, or secret.
const KEPT_HEADERS: [&str; 5] = ["accept", "accept-language", "content-type", "x-requested-with", "if-match"];

#[derive(Deserialize)]
pub(super) struct Har {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    started_date_time: String,
    /// Milliseconds.
    #[serde(default)]
    time: f64,
    request: HarRequest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HarRequest {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<NameAndValue>,
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
struct NameAndValue {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    #[serde(default)]
    mime_type: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    params: Vec<NameAndValue>,
}

/// Reads a recording, which is JSON.
pub(super) fn read(text: &str) -> Result<Har, Mistake> {
    serde_json::from_str(text).map_err(|error| {
        Mistake::new(
            u64::try_from(error.line()).ok().filter(|line| *line > 0),
            format!("is no recording (HAR): {error}"),
            "record a visit in the browser's network view, then save all as HAR",
        )
    })
}

pub(super) fn scenario(har: &Har) -> Result<Made, Mistake> {
    let mut origin = None;
    let mut steps = Vec::new();
    let mut last_end: Option<Duration> = None;
    for (index, entry) in har.log.entries.iter().enumerate() {
        let request = &entry.request;
        let Ok(url) = request.url.parse::<Url>() else {
            return Err(Mistake::new(
                None,
                format!("`log.entries[{index}].request.url` is `{}`, which is no URL", request.url),
                "export the recording again, as HAR 1.2",
            ));
        };
        // What went elsewhere, to other hosts and by other protocols, is not the service's load.
        if !matches!(url.scheme(), "http" | "https")
            || *origin.get_or_insert_with(|| url.origin()) != url.origin()
        {
            continue;
        }
        let Some(method) = method(&request.method) else { continue };
        let start = seconds_of_day(&entry.started_date_time);
        if let (Some(end), Some(start)) = (last_end, start) {
            let pause = start.saturating_sub(end).min(LONGEST_PAUSE);
            if pause >= SHORTEST_PAUSE {
                let wait = Wait::Constant(WaitTime(Duration::from_millis(
                    u64::try_from(pause.as_millis()).unwrap_or_default(),
                )));
                steps.push(step(StepDocument { wait: Some(wait.into()), ..StepDocument::default() }));
            }
        }
        let took = Duration::try_from_secs_f64(entry.time / 1000.0).unwrap_or_default();
        last_end = start.map(|start| start + took);
        steps.push(step(request_step(request, method, &url)));
    }
    if !steps.iter().any(|step| step.value.path.is_some()) {
        return Err(Mistake::new(
            None,
            "`log.entries` has no request over HTTP",
            "record a visit in the browser's network view, then save all as HAR",
        ));
    }
    let task =
        TaskDocument { name: Some("visit".to_owned()), steps: steps.into(), ..TaskDocument::default() };
    Ok(Made {
        description: "A recorded visit".to_owned(),
        wait: Wait::Between([WaitTime(Duration::from_secs(1)), WaitTime(Duration::from_secs(3))]),
        order: TaskOrder::Sequence,
        tasks: vec![task],
        ..Made::default()
    })
}

fn request_step(request: &HarRequest, method: MethodName, url: &Url) -> StepDocument {
    let path = literal(&on_host(url.path()));
    let (path, query) = match (by_name(url.query_pairs()), url.query()) {
        (None, Some(query)) => (format!("{path}?{}", literal(query)), BTreeMap::new()),
        (query, _) => (path, query.unwrap_or_default()),
    };
    let mut fields = StepDocument {
        method: Some(method),
        path: Some(path.into()),
        query,
        headers: request
            .headers
            .iter()
            .map(|header| (header.name.to_ascii_lowercase(), literal(&header.value).into()))
            .filter(|(name, _)| KEPT_HEADERS.contains(&name.as_str()))
            .collect(),
        ..StepDocument::default()
    };
    let body = request.post_data.as_ref().filter(|_| !matches!(method, MethodName::Get | MethodName::Head));
    if let Some(body) = body {
        add_body(body, &mut fields);
    }
    fields
}

fn add_body(body: &PostData, fields: &mut StepDocument) {
    let json = serde_json::from_str(&body.text).ok().filter(|_| body.mime_type.contains("json"));
    if let Some(json) = json {
        fields.json = Some(literal_json(&json).into());
        return;
    }
    let mut text = body.text.clone();
    if body.mime_type.contains("urlencoded") {
        if text.is_empty() {
            let pairs = body.params.iter().map(|pair| (&pair.name, &pair.value));
            text = form_urlencoded::Serializer::new(text).extend_pairs(pairs).finish();
        }
        // The text first: whether the values beside it are decoded depends on the browser.
        fields.form = by_name(form_urlencoded::parse(text.as_bytes())).filter(|form| !form.is_empty());
    }
    if fields.form.is_none() {
        fields.body = Some(literal(&text).into());
        // Without it the text would be sent as plain text.
        if !body.mime_type.is_empty() {
            let kind = || literal(&body.mime_type).into();
            fields.headers.entry("content-type".to_owned()).or_insert_with(kind);
        }
    }
}

/// The pairs of a query or a form by their name; none where a name comes twice, which would lose one.
fn by_name<T: AsRef<str>>(pairs: impl Iterator<Item = (T, T)>) -> Option<BTreeMap<String, Located<String>>> {
    let mut fields = BTreeMap::new();
    for (name, value) in pairs {
        if fields.insert(name.as_ref().to_owned(), literal(value.as_ref()).into()).is_some() {
            return None;
        }
    }
    Some(fields)
}

fn method(name: &str) -> Option<MethodName> {
    serde_json::from_value(name.to_ascii_uppercase().into()).ok()
}

/// The time of day in `2026-11-22T10:00:00.123Z`; enough for pauses, but for one over midnight.
fn seconds_of_day(text: &str) -> Option<Duration> {
    let (_, time) = text.split_once('T')?;
    let time = time.split(['Z', '+', '-']).next()?;
    let mut parts = time.split(':').map(|part| part.parse::<f64>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    Duration::try_from_secs_f64(hours * 3600.0 + minutes * 60.0 + seconds).ok()
}
