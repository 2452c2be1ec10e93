//! What a browser recorded, as HAR 1.2 writes it, as the steps of one visit.

use std::borrow::Cow;
use std::time::Duration;

use excerpt::{excerpt, sentence};
use percent_encoding::percent_decode_str;
use reqwest::Url;
use serde_json::value::RawValue;

use super::super::document::{CheckDocument, StepDocument, TaskDocument, TaskOrder, Wait};
use super::super::error::Mistake;
use super::super::method::MethodName;
use super::super::untyped::Fields;
use super::super::values::{Statuses, WaitTime};
use super::body;
use super::credential::is_credential;
use super::made::{Made, literal, on_host, step};
use super::notes::{Kind, Notes};
use entry::{Entry, Unsent};
use origin::Sent;

mod charset;
mod entry;
mod headers;
mod instant;
mod origin;
mod post_data;

/// Pauses below it were the browser's, not a person's.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);

/// A person who looks away for longer is not worth waiting for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The most requests with names of their own; those that follow share one.
const NAMES_MAX: usize = 490;

const ENTRIES: [&str; 2] = ["entry", "entries"];
const REQUESTS: [&str; 2] = ["request", "requests"];

const fn left_out(which: &'static str) -> Kind {
    Kind { verb: "left out", noun: ENTRIES, which }
}

const UNREADABLE: Kind = left_out("that cannot be read");
const NO_URL: Kind = left_out("whose `request.url` is not a URL");
const WEBSOCKETS: Kind = left_out("that became a websocket or another protocol");
const NOT_HTTP: Kind = left_out("that did not go over HTTP");
const FROM_CACHE: Kind = left_out("that the browser answered from its cache or a service worker");
const NEVER_ANSWERED: Kind = left_out("that never got an answer, as when a browser blocks it");
const ELSEWHERE: Kind = left_out("to other origins (--har-origin URL takes another one)");
const UNKNOWN_METHOD: Kind = left_out("whose method cannot be sent");
const UNKNOWN_STATUS: Kind = left_out("whose status no check can name");
const BODY_NOT_RECORDED: Kind = left_out("whose body the recording does not have");
const BODY_OF_GET: Kind =
    Kind { verb: "left out", noun: ["body", "bodies"], which: "of requests that have none" };
const MOVED: Kind = Kind { verb: "moved", noun: ENTRIES, which: "into the order of the start times" };
const OTHER_STATUS: Kind = Kind {
    verb: "expect",
    noun: REQUESTS,
    which: "to be answered as recorded, with another status than 2xx",
};
const NOT_FOLLOWED: Kind = Kind {
    verb: "do not follow",
    noun: ["redirect", "redirects"],
    which: "whose targets are requests of their own",
};
const REWRITTEN: Kind =
    Kind { verb: "changed", noun: ["URL", "URLs"], which: "to what a request line can hold" };
const UNTYPED: Kind =
    Kind { verb: "added `text/plain` to", noun: ["body", "bodies"], which: "without a media type" };
const SHARED_NAME: Kind =
    Kind { verb: "named", noun: REQUESTS, which: "alike, for a scenario has at most 500 names" };

/// Makes the visit of a recording; `origin` is the one that the user chose.
pub(super) fn scenario(text: &str, origin: Option<&str>) -> Result<Made, Mistake> {
    let raw_entries = entries(text)?;
    let mut notes = Notes::default();
    let mut entries = Vec::new();
    for (index, raw) in raw_entries.iter().enumerate() {
        match entry::read(raw) {
            Ok(entry) => entries.push((index, entry)),
            Err(error) => notes.count(UNREADABLE, &format!("log.entries[{index}]: {error}")),
        }
    }
    sort_by_start(&mut entries, &mut notes);
    let parsed: Vec<_> =
        entries.iter().filter_map(|(index, entry)| over_http(*index, entry, &mut notes)).collect();
    let sent: Vec<_> = parsed.iter().map(|(entry, url)| Sent { entry, url }).collect();
    let chosen = match origin {
        Some(text) => Some(origin::named(text, &sent)?),
        None => origin::of_visit(&sent),
    };
    let mut visit = Visit { notes, ..Visit::default() };
    for Sent { entry, url } in &sent {
        if Some(origin::of(url)) == chosen {
            visit.add(entry, url);
        } else {
            visit.notes.count(ELSEWHERE, &origin::of(url));
        }
    }
    let Some(origin) = chosen.filter(|_| visit.requests > 0) else {
        let counted = visit.notes.counted();
        let reason = if counted.is_empty() { String::new() } else { format!(": {counted}") };
        return Err(Mistake::new(
            None,
            format!("`log.entries` has no request over HTTP{reason}"),
            "record a visit in the browser's network view, then save all as HAR",
        ));
    };
    let total = raw_entries.len();
    let kept = visit.requests;
    visit.notes.say(format!("recorded from {origin}: play it with --host {origin}"));
    visit.notes.say(format!("kept {kept} of {total} {}", if total == 1 { "entry" } else { "entries" }));
    let task =
        TaskDocument { name: Some("visit".to_owned()), steps: visit.steps.into(), ..TaskDocument::default() };
    Ok(Made {
        description: format!("A recorded visit of {origin}"),
        wait: Wait::Between([WaitTime(Duration::from_secs(1)), WaitTime(Duration::from_secs(3))]),
        order: TaskOrder::Sequence,
        tasks: vec![task],
        notes: visit.notes,
        ..Made::default()
    })
}

/// The entries of a recording, each unread.
fn entries(text: &str) -> Result<Vec<&RawValue>, Mistake> {
    const HINT: &str = "record a visit in the browser's network view, then save all as HAR";
    let no_recording = |line: Option<u64>, reason: String| {
        Mistake::new(line, format!("is not a recording (HAR): {reason}"), HINT)
    };
    let whole: Fields<'_> = serde_json::from_str(text).map_err(|error| {
        let line = u64::try_from(error.line()).ok().filter(|line| *line > 0);
        no_recording(line, sentence(&error.to_string()))
    })?;
    if ["openapi", "swagger"].iter().any(|name| whole.get(name).is_some()) {
        let hint = "a description becomes a scenario by --from-openapi";
        return Err(Mistake::new(None, "is not a recording (HAR), but a description of an API", hint));
    }
    let log = whole.get("log").and_then(|log| serde_json::from_str::<Fields<'_>>(log.get()).ok());
    let entries = log.as_ref().and_then(|log| log.get("entries"));
    let list = entries.and_then(|entries| serde_json::from_str(entries.get()).ok());
    list.ok_or_else(|| no_recording(None, "`log.entries` is not a list".to_owned()))
}

/// Puts the entries into the order in which they were sent; one without a time stays behind the one before it.
fn sort_by_start(entries: &mut [(usize, Entry)], notes: &mut Notes) {
    let mut latest = i64::MIN;
    let mut last = i64::MIN;
    for (_, entry) in entries.iter_mut() {
        last = *entry.started_micros.get_or_insert(last);
        if last < latest {
            notes.count(MOVED, &shown(&entry.url));
        }
        latest = latest.max(last);
    }
    entries.sort_by_key(|(_, entry)| entry.started_micros);
}

/// The entry with its URL, where it was a request over HTTP that a server answered.
fn over_http<'a>(index: usize, entry: &'a Entry, notes: &mut Notes) -> Option<(&'a Entry, Url)> {
    let place = || format!("`log.entries[{index}].request.url` is `{}`", excerpt(&shown(&entry.url)));
    let Ok(url) = entry.url.parse::<Url>() else {
        notes.count(NO_URL, &place());
        return None;
    };
    let kind = match url.scheme() {
        "ws" | "wss" => Some(WEBSOCKETS),
        "http" | "https" => match (entry.unsent, entry.status) {
            (Some(Unsent::Cache), _) => Some(FROM_CACHE),
            (Some(Unsent::Failed), _) => Some(NEVER_ANSWERED),
            (None, Some(100..=199)) => Some(WEBSOCKETS),
            (None, _) if entry.method.eq_ignore_ascii_case("CONNECT") => Some(UNKNOWN_METHOD),
            (None, _) => None,
        },
        _ => Some(NOT_HTTP),
    };
    match kind {
        Some(NOT_HTTP) => notes.count(NOT_HTTP, &format!("{}:", url.scheme())),
        Some(kind) => notes.count(kind, &shown(&entry.url)),
        None => return Some((entry, url)),
    }
    None
}

/// The steps that were made, and what there is to say of them.
#[derive(Default)]
struct Visit {
    steps: Vec<super::super::located::Located<StepDocument>>,
    requests: usize,
    names: std::collections::BTreeSet<String>,
    /// When the last of the answers was there, in microseconds since 1970.
    end_micros: Option<i64>,
    notes: Notes,
}

impl Visit {
    fn add(&mut self, entry: &Entry, url: &Url) {
        let Some(mut fields) = self.request(entry, url) else { return };
        let name = format!("{} {}", entry.method, url.path());
        if self.names.len() < NAMES_MAX || self.names.contains(&name) {
            self.names.insert(name);
        } else {
            self.notes.count(SHARED_NAME, &name);
            fields.name = Some("further requests".to_owned().into());
        }
        let start = entry.started_micros.filter(|start| *start > i64::MIN);
        if let (Some(end), Some(start)) = (self.end_micros, start) {
            let micros = u64::try_from(start.saturating_sub(end)).unwrap_or_default();
            // Whole milliseconds read better, and no browser measures more closely.
            let pause = Duration::from_millis(micros / 1000).min(LONGEST_PAUSE);
            if pause >= SHORTEST_PAUSE {
                let wait = Wait::Constant(WaitTime(pause));
                self.steps.push(step(StepDocument { wait: Some(wait.into()), ..StepDocument::default() }));
            }
        }
        let took = i64::try_from(entry.took.as_micros()).unwrap_or_default();
        let end = start.map(|start| start.saturating_add(took));
        self.end_micros = self.end_micros.max(end);
        self.steps.push(step(fields));
        self.requests += 1;
    }

    /// The request as a step; none where it cannot be sent again.
    fn request(&mut self, entry: &Entry, url: &Url) -> Option<StepDocument> {
        let notes = &mut self.notes;
        let shown = format!("{} {}", entry.method, url.path());
        let Some(method) = MethodName::from_name(&entry.method) else {
            notes.count(UNKNOWN_METHOD, &shown);
            return None;
        };
        let mut fields = StepDocument { method: Some(method.clone()), ..StepDocument::default() };
        if !add_check(entry, &shown, &mut fields, notes) {
            notes.count(UNKNOWN_STATUS, &shown);
            return None;
        }
        let recorded_type = entry.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let recorded_type = recorded_type.map(|(_, value)| value.as_str());
        let body = match &entry.body {
            None if entry.body_bytes > 0 && !method.is_without_body() => {
                notes.count(BODY_NOT_RECORDED, &shown);
                return None;
            }
            None => None,
            Some(body) => match post_data::bytes(body, recorded_type, notes) {
                Ok((bytes, _)) if bytes.is_empty() => None,
                Ok(_) if method.is_without_body() => {
                    notes.count(BODY_OF_GET, &shown);
                    None
                }
                Ok(body) => Some(body),
                Err(reason) => {
                    notes.count(left_out(reason), &shown);
                    return None;
                }
            },
        };
        fields.headers = headers::kept(&entry.headers, notes);
        set_path(&mut fields, &entry.url, url, notes);
        if let Some((bytes, media_type)) = body {
            body::set(&mut fields, &media_type, bytes);
            if media_type.is_empty() {
                notes.count(UNTYPED, &shown);
            } else {
                fields.headers.insert("content-type".to_owned(), literal(&media_type).into());
            }
        }
        Some(fields)
    }
}

/// Expects the recorded status again; false where no check can name it.
fn add_check(entry: &Entry, shown: &str, fields: &mut StepDocument, notes: &mut Notes) -> bool {
    let Some(status) = entry.status.filter(|status| !(200..300).contains(status)) else { return true };
    let Some(mut statuses) = u16::try_from(status).ok().and_then(Statuses::one) else { return false };
    if status == 304 {
        // Whether it was changed since is the service's to say.
        statuses = statuses.or_success();
    } else if (300..400).contains(&status) {
        notes.count(NOT_FOLLOWED, &format!("{status} {shown}"));
        fields.follow_redirects = Some(false);
    }
    notes.count(OTHER_STATUS, &format!("{status} {shown}"));
    let check = CheckDocument { status: Some(statuses), ..CheckDocument::default() };
    fields.check = Some(check.into());
    true
}

/// Sets path and query as they were recorded, without credentials.
fn set_path(fields: &mut StepDocument, recorded: &str, url: &Url, notes: &mut Notes) {
    let query = url.query().map_or(String::new(), |query| format!("?{query}"));
    let sent = format!("{}{query}", url.path());
    let target = request_target(recorded);
    if target != sent {
        let (target, sent) = (without_secrets(&target), without_secrets(&sent));
        notes.count(REWRITTEN, &format!("`{}` is sent as `{}`", excerpt(&target), excerpt(&sent)));
    }
    if !url.username().is_empty() || url.password().is_some() {
        headers::credential_left_out(notes, "user and password", "URL");
    }
    let path = literal(&on_host(url.path()));
    let Some(query) = url.query() else {
        fields.path = Some(path.into());
        return;
    };
    let pairs: Vec<_> = query.split('&').collect();
    for secret in pairs.iter().filter(|pair| is_secret_pair(pair)) {
        headers::credential_left_out(notes, secret.split('=').next().unwrap_or_default(), "query");
    }
    let kept: Vec<_> = pairs.iter().copied().filter(|pair| !is_secret_pair(pair)).collect();
    let query = if kept.len() == pairs.len() { query.to_owned() } else { kept.join("&") };
    match body::by_name(&query).filter(|pairs| !pairs.is_empty()) {
        Some(pairs) => {
            fields.path = Some(path.into());
            fields.query = pairs;
        }
        None if kept.is_empty() => fields.path = Some(path.into()),
        None => fields.path = Some(format!("{path}?{}", literal(&query)).into()),
    }
}

/// Whether a pair of a query carries a credential.
fn is_secret_pair(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    is_credential(&percent_decode_str(name).decode_utf8_lossy())
}

/// A path and query as notes show it.
fn without_secrets(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let kept: Vec<_> = query.split('&').filter(|pair| !is_secret_pair(pair)).collect();
    format!("{path}?{}", kept.join("&"))
}

/// A URL as notes show it: what may be secret is behind the path or before the host.
fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.find('/').unwrap_or(rest.len());
            let user = rest[..host].rfind('@').map_or(0, |at| at + 1);
            format!("{scheme}://{}", &rest[user..])
        }
        None => url.to_owned(),
    }
}

/// What of a recorded URL stood in the request line.
fn request_target(recorded: &str) -> Cow<'_, str> {
    let after_scheme = recorded.split_once("://").map_or(recorded, |(_, rest)| rest);
    let target = after_scheme.find(['/', '?', '#']).map_or("", |at| &after_scheme[at..]);
    let target = target.split('#').next().unwrap_or_default();
    match target.as_bytes().first() {
        Some(b'/') => Cow::Borrowed(target),
        _ => Cow::Owned(format!("/{target}")),
    }
}
