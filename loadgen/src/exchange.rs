//! Sends one request, takes the answer to its last byte, and says what came of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::header::{CONTENT_TYPE, COOKIE, HeaderValue, LOCATION, RETRY_AFTER, SET_COOKIE};
use http::{HeaderMap, Method, StatusCode};
use reqwest::Url;
use reqwest::cookie::{CookieStore, Jar};
use workload::Stream;

use crate::client::{self, NoAnswer};
use crate::failure_kind::FailureKind;
use crate::metrics::LoadMetrics;
use crate::scenario::{Body, NotSet, Request, Scope, Untyped};
use crate::spans::{Trace, TraceId, Traces};

/// How many redirects are followed.
const MOST_REDIRECTS: usize = 10;

/// The largest body that is checked or from which values are taken; a larger one fails the check.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Answered with what was expected.
    Succeeded,
    /// 503 with `Retry-After`: the service's honest answer that it has no room.
    Refused,
    /// Anything else.
    Failed(FailureKind),
}

impl Outcome {
    /// Whether its duration is a response time: the service did the work, well or not.
    pub(crate) fn has_latency(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed(FailureKind::Status(_) | FailureKind::Check))
    }
}

/// One request and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// What came of it.
    pub(crate) outcome: Outcome,
    /// The status, where there was an answer.
    pub(crate) status: Option<u16>,
    /// When it should have been sent; without a schedule, when it was.
    pub(crate) intended_at: Instant,
    /// When it was sent.
    pub(crate) sent_at: Instant,
    /// When the last byte of the answer came, or what ended it.
    pub(crate) ended_at: Instant,
    /// Its trace.
    pub(crate) trace: TraceId,
    /// What did not hold of the answer.
    pub(crate) broken_check: Option<Arc<str>>,
}

impl Exchange {
    /// From sending to the end.
    pub(crate) fn since_sent(&self) -> Duration {
        self.ended_at.saturating_duration_since(self.sent_at)
    }

    /// From the intended start to the end.
    pub(crate) fn since_intended(&self) -> Duration {
        self.ended_at.saturating_duration_since(self.intended_at)
    }
}

/// What all users send with.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) client: reqwest::Client,
    pub(crate) base: Url,
    /// The URL of each request of the scenario, where it is always the same.
    pub(crate) fixed_urls: Vec<Option<Url>>,
    pub(crate) traces: Traces,
    pub(crate) metrics: LoadMetrics,
    /// Whether this process ever had no descriptor or port left.
    pub(crate) exhausted: AtomicBool,
}

/// An answer that came to its last byte.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    /// Empty unless it is needed; none where it is needed and too large.
    body: Option<Vec<u8>>,
}

/// What is said of an answer: its outcome, what did not hold, and the values to keep.
type Judgement = (Outcome, Option<Arc<str>>, Vec<(usize, Untyped)>);

impl Sender {
    /// Sends `request` as the user whose `scope` and `cookies` these are, and brings what to keep of the answer.
    pub(crate) async fn exchange(
        &self,
        request: &Request,
        intended_at: Option<Instant>,
        scope: &mut Scope<'_>,
        cookies: Option<&Jar>,
        trace_ids: &mut Stream,
    ) -> (Exchange, Vec<(usize, Untyped)>) {
        let prepared = self.prepare(request, scope);
        let url = prepared.as_ref().map_or(&self.base, |prepared| prepared.url());
        let trace = self.traces.begin(request, url, trace_ids);
        let sent_at = Instant::now();
        if intended_at.is_none() {
            // Slots of a schedule were counted when they were handed out.
            self.metrics.request_due();
        }
        self.metrics.request_sent();
        let answered = match prepared {
            Ok(prepared) => self.send(request, prepared, cookies, &trace).await,
            Err(NotSet) => Err(NoAnswer { kind: FailureKind::NotSent, exhausted: false }),
        };
        let ended_at = Instant::now();
        let (status, (outcome, broken_check, values)) = match answered {
            Ok(answer) => (Some(answer.status.as_u16()), judge(request, &answer, ended_at - sent_at, scope)),
            Err(NoAnswer { kind, exhausted }) => {
                if exhausted {
                    self.exhausted.store(true, Ordering::Relaxed);
                }
                (None, (Outcome::Failed(kind), None, Vec::new()))
            }
        };
        let problem = match outcome {
            // A status speaks for itself.
            Outcome::Succeeded | Outcome::Refused | Outcome::Failed(FailureKind::Status(_)) => None,
            Outcome::Failed(kind) => Some(kind.code()),
        };
        let intended_at = intended_at.unwrap_or(sent_at);
        self.metrics.request_ended(outcome, ended_at.saturating_duration_since(intended_at), trace.span());
        trace.end(status, problem);
        let exchange =
            Exchange { outcome, status, intended_at, sent_at, ended_at, trace: trace.id(), broken_check };
        (exchange, values)
    }

    /// The request, filled in.
    fn prepare(&self, request: &Request, scope: &mut Scope<'_>) -> Result<reqwest::Request, NotSet> {
        let url = match self.fixed_urls.get(request.index) {
            Some(Some(url)) => url.clone(),
            // Users load the host that was named and no other.
            _ => request.url(&self.base, scope)?.ok_or(NotSet)?,
        };
        let mut prepared = reqwest::Request::new(request.method.clone(), url);
        let headers = prepared.headers_mut();
        headers.clone_from(&request.headers);
        for (name, value) in &request.header_templates {
            let value = HeaderValue::try_from(value.fill(scope)?.as_ref()).map_err(|_| NotSet)?;
            headers.insert(name, value);
        }
        let (content_type, body) = match &request.body {
            None => return Ok(prepared),
            Some(Body::Json(json)) => ("application/json", json.fill(scope)?.into()),
            Some(Body::Text(text)) => ("text/plain; charset=utf-8", text.fill(scope)?.into_owned().into()),
            Some(Body::Bytes(bytes)) => ("application/octet-stream", bytes.clone()),
            Some(Body::Form(fields)) => {
                let mut encoded = form_urlencoded::Serializer::new(String::new());
                for (name, value) in fields {
                    encoded.append_pair(name, &value.fill(scope)?);
                }
                ("application/x-www-form-urlencoded", encoded.finish().into())
            }
        };
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
        *prepared.body_mut() = Some(body.into());
        Ok(prepared)
    }

    async fn send(
        &self,
        request: &Request,
        mut prepared: reqwest::Request,
        cookies: Option<&Jar>,
        trace: &Trace,
    ) -> Result<Answer, NoAnswer> {
        let mut redirects = 0;
        loop {
            let encrypted = self.base.scheme() == "https";
            let no_answer = |error: reqwest::Error| client::classify(&error, encrypted);
            trace.inject(prepared.headers_mut());
            *prepared.timeout_mut() = request.timeout;
            let url = prepared.url().clone();
            if let Some(cookie) = cookies.and_then(|cookies| cookies.cookies(&url)) {
                // A cookie of the scenario goes beside those that the service gave.
                let cookie = match prepared.headers().get(COOKIE) {
                    Some(own) => {
                        let both = [own.as_bytes(), b"; ", cookie.as_bytes()].concat();
                        HeaderValue::from_maybe_shared(both).unwrap_or(cookie)
                    }
                    None => cookie,
                };
                prepared.headers_mut().insert(COOKIE, cookie);
            }
            let again = if request.follow_redirects { prepared.try_clone() } else { None };
            let mut answer = self.client.execute(prepared).await.map_err(no_answer)?;
            if let Some(cookies) = cookies {
                let mut given = answer.headers().get_all(SET_COOKIE).iter().peekable();
                if given.peek().is_some() {
                    cookies.set_cookies(&mut given, &url);
                }
            }
            let next = again.and_then(|again| redirected(again, &answer, &self.base));
            let body =
                take_body(&mut answer, next.is_none() && request.needs_body()).await.map_err(no_answer)?;
            match next {
                Some(next) if redirects < MOST_REDIRECTS => prepared = next,
                Some(_) => return Err(NoAnswer { kind: FailureKind::NotSent, exhausted: false }),
                None => {
                    let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
                    return Ok(Answer { status, headers, body });
                }
            }
            redirects += 1;
        }
    }
}

/// The request to which an answer redirects `before`; none where it does not, or to another host.
fn redirected(before: reqwest::Request, answer: &reqwest::Response, base: &Url) -> Option<reqwest::Request> {
    let status = answer.status();
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = answer.headers().get(LOCATION)?.to_str().ok()?;
    let url = before.url().join(location).ok().filter(|url| url.origin() == base.origin())?;
    let mut next = before;
    *next.url_mut() = url;
    next.headers_mut().remove(COOKIE);
    // As browsers do: what was sent is sent again only after 307 and 308 (RFC 9110, section 15.4).
    if matches!(status.as_u16(), 301..=303) && !matches!(*next.method(), Method::GET | Method::HEAD) {
        *next.method_mut() = Method::GET;
        *next.body_mut() = None;
        next.headers_mut().remove(CONTENT_TYPE);
    }
    Some(next)
}

/// Takes the body to its last byte; an answer of any length takes no memory unless its body is needed.
async fn take_body(answer: &mut reqwest::Response, needed: bool) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Some(Vec::new());
    while let Some(piece) = answer.chunk().await? {
        match &mut body {
            Some(kept) if needed && kept.len() + piece.len() <= LARGEST_BODY => {
                kept.extend_from_slice(&piece);
            }
            _ if needed => body = None,
            _ => {}
        }
    }
    Ok(body)
}

/// What came of an answer that took `took`.
fn judge(request: &Request, answer: &Answer, took: Duration, scope: &mut Scope<'_>) -> Judgement {
    let status = answer.status.as_u16();
    let right = match &request.check.status {
        Some(statuses) => statuses.contain(status),
        None => answer.status.is_success(),
    };
    if !right {
        let refused = status == 503 && answer.headers.contains_key(RETRY_AFTER);
        let outcome = if refused { Outcome::Refused } else { Outcome::Failed(FailureKind::Status(status)) };
        return (outcome, None, Vec::new());
    }
    let failed = |check| (Outcome::Failed(FailureKind::Check), Some(check), Vec::new());
    let Some(body) = &answer.body else {
        return failed(Arc::from(format!("{}: the body is larger than 8 MiB", request.name)));
    };
    if let Some((longest, description)) = &request.check.within
        && took > *longest
    {
        return failed(Arc::clone(description));
    }
    if request.check.body.is_empty() && request.extracts.is_empty() {
        return (Outcome::Succeeded, None, Vec::new());
    }
    match request.judge(&answer.headers, body, scope) {
        Ok(values) => (Outcome::Succeeded, None, values),
        Err(check) => failed(check),
    }
}
