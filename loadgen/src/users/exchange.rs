//! Sends one request, takes the answer to its last byte, and says what came of it.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HOST, HeaderValue,
    LOCATION, RETRY_AFTER, SET_COOKIE, USER_AGENT,
};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use loadgen_baseline::{FailureKind, RequestOutcome};
use reqwest::Url;
use reqwest::cookie::{CookieStore, Jar};
use workload::Stream;

use crate::metrics::LoadMetrics;
use crate::redirect::{MOST_REDIRECTS, Redirect, redirect};
use crate::scenario::{Body, NotSet, Request, Scope, Untyped};
use crate::service_url::ServiceUrl;
use crate::users::client::{Answered, Client, Message, NoAnswer};
use crate::users::prepared::Prepared;
use crate::users::spans::{Trace, TraceId, Traces};

/// Sent with every request.
const OUR_USER_AGENT: &str = concat!("autoscale-lab-loadgen/", env!("CARGO_PKG_VERSION"));

/// The largest body that is checked or from which values are taken; a larger one fails the check.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// One request and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// What came of it.
    pub(crate) outcome: RequestOutcome,
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
    /// What else explains a failure, such as where a redirect leads.
    pub(crate) reason: Option<Arc<str>>,
    /// Whether it was sent a second time, because a reused connection was closed.
    pub(crate) repeated: bool,
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
    pub(crate) client: Client,
    pub(crate) service: ServiceUrl,
    /// The URL of each request of the scenario, where it is always the same.
    pub(crate) fixed_urls: Vec<Option<Url>>,
    /// How long an exchange may take, redirects included, where the request does not say so itself.
    pub(crate) timeout: Duration,
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
    /// What is wrong with it besides, and what explains that.
    problem: Option<(FailureKind, Arc<str>)>,
}

/// What is said of an answer: its outcome, what did not hold, and the values to keep.
type Judgement = (RequestOutcome, Option<Arc<str>>, Vec<(usize, Untyped)>);

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
        let url = prepared.as_ref().map_or(&self.service.base, |prepared| &prepared.url);
        let trace = self.traces.begin(request, url, trace_ids);
        let sent_at = Instant::now();
        if intended_at.is_none() {
            // Slots of a schedule were counted when they were handed out.
            self.metrics.request_due();
        }
        self.metrics.request_sent();
        let mut repeated = false;
        let answered = match prepared {
            Ok(prepared) => {
                // One bound for all that it takes: a redirect does not begin the time again.
                let timeout = request.timeout.unwrap_or(self.timeout);
                let sending = self.send(request, prepared, cookies, &trace, &mut repeated);
                match tokio::time::timeout(timeout, sending).await {
                    Ok(answered) => answered,
                    Err(_) => Err(NoAnswer::new(FailureKind::TimedOut)),
                }
            }
            Err(NotSet) => Err(NoAnswer::new(FailureKind::NotSent)),
        };
        let ended_at = Instant::now();
        let mut reason = None;
        let (status, (outcome, broken_check, values)) = match answered {
            Ok(answer) => {
                let status = Some(answer.status.as_u16());
                let judged = judge(request, &answer, ended_at - sent_at, scope);
                // What a check expects is right, wherever it leads.
                match (judged, answer.problem) {
                    ((RequestOutcome::Failed(FailureKind::Status(_)), ..), Some((kind, explanation))) => {
                        reason = Some(explanation);
                        (status, (RequestOutcome::Failed(kind), None, Vec::new()))
                    }
                    (judged, _) => (status, judged),
                }
            }
            Err(NoAnswer { kind, exhausted, reason: explanation }) => {
                if exhausted {
                    self.exhausted.store(true, Ordering::Relaxed);
                }
                reason = explanation;
                (None, (RequestOutcome::Failed(kind), None, Vec::new()))
            }
        };
        let problem = match outcome {
            // A status speaks for itself.
            RequestOutcome::Succeeded
            | RequestOutcome::Refused
            | RequestOutcome::Failed(FailureKind::Status(_)) => None,
            RequestOutcome::Failed(kind) => Some(kind.code()),
        };
        let intended_at = intended_at.unwrap_or(sent_at);
        self.metrics.request_ended(outcome, ended_at.saturating_duration_since(intended_at), trace.span());
        trace.end(status, problem);
        let trace = trace.id();
        let exchange = Exchange {
            outcome,
            status,
            intended_at,
            sent_at,
            ended_at,
            trace,
            broken_check,
            reason,
            repeated,
        };
        (exchange, values)
    }

    /// The request, filled in.
    fn prepare(&self, request: &Request, scope: &mut Scope<'_>) -> Result<Prepared, NotSet> {
        let url = match self.fixed_urls.get(request.index) {
            Some(Some(url)) => url.clone(),
            // Users load the host that was named and no other.
            _ => request.url(&self.service.base, scope)?.ok_or(NotSet)?,
        };
        let mut headers = request.headers.clone();
        for (name, value) in &request.header_templates {
            let value = HeaderValue::try_from(value.fill(scope)?.as_ref()).map_err(|_| NotSet)?;
            headers.insert(name, value);
        }
        if let Some(authorization) = &self.service.authorization {
            headers.entry(AUTHORIZATION).or_insert_with(|| authorization.clone());
        }
        headers.entry(HOST).or_insert_with(|| self.service.authority.clone());
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(OUR_USER_AGENT));
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("gzip"));
        let body: Option<(&str, Bytes)> = match &request.body {
            None => None,
            Some(Body::Json(json)) => Some(("application/json", json.fill(scope)?.into())),
            Some(Body::Text(text)) => {
                Some(("text/plain; charset=utf-8", text.fill(scope)?.into_owned().into()))
            }
            Some(Body::Bytes(bytes)) => Some(("application/octet-stream", bytes.clone())),
            Some(Body::Form(fields)) => {
                let mut encoded = form_urlencoded::Serializer::new(String::new());
                for (name, value) in fields {
                    encoded.append_pair(name, &value.fill(scope)?);
                }
                Some(("application/x-www-form-urlencoded", encoded.finish().into()))
            }
        };
        let body = body.map(|(content_type, body)| {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
            body
        });
        Ok(Prepared { url, method: request.method.clone(), headers, body })
    }

    async fn send(
        &self,
        request: &Request,
        mut prepared: Prepared,
        cookies: Option<&Jar>,
        trace: &Trace,
        repeated: &mut bool,
    ) -> Result<Answer, NoAnswer> {
        let mut redirects = 0;
        loop {
            let mut message = message(&prepared)?;
            trace.inject(&mut message.headers);
            if let Some(cookie) = cookies.and_then(|cookies| cookies.cookies(&prepared.url)) {
                // A cookie of the scenario goes beside those that the service gave.
                let cookie = match message.headers.get(COOKIE) {
                    Some(own) => {
                        let both = [own.as_bytes(), b"; ", cookie.as_bytes()].concat();
                        HeaderValue::from_maybe_shared(Bytes::from(both)).unwrap_or(cookie)
                    }
                    None => cookie,
                };
                message.headers.insert(COOKIE, cookie);
            }
            let mut answered = self.client.send(&message).await?;
            *repeated |= answered.repeated;
            let headers = std::mem::take(answered.response.headers_mut());
            let status = answered.response.status();
            if let Some(cookies) = cookies {
                let mut given = headers.get_all(SET_COOKIE).iter().peekable();
                if given.peek().is_some() {
                    cookies.set_cookies(&mut given, &prepared.url);
                }
            }
            let next = if request.follow_redirects {
                redirect(&prepared, status, headers.get(LOCATION).map(HeaderValue::as_bytes), &self.service)
            } else {
                Redirect::None
            };
            let is_last = !matches!(next, Redirect::Follow(_)) || redirects == MOST_REDIRECTS;
            let body = self.take_body(answered, &headers, is_last && request.needs_body()).await?;
            let problem = match next {
                Redirect::Follow(next) if !is_last => {
                    prepared = *next;
                    redirects += 1;
                    continue;
                }
                Redirect::Follow(next) => Some((
                    FailureKind::RedirectLoop,
                    format!("after {MOST_REDIRECTS} redirects it leads to {}", next.url.path()).into(),
                )),
                Redirect::Wrong(kind, explanation) => Some((kind, explanation.into())),
                Redirect::None => None,
            };
            return Ok(Answer { status, headers, body, problem });
        }
    }

    /// Takes the body to its last byte; an answer of any length takes no memory unless its body is needed.
    async fn take_body(
        &self,
        answered: Answered,
        headers: &HeaderMap,
        needed: bool,
    ) -> Result<Option<Vec<u8>>, NoAnswer> {
        let Answered { response, connection, .. } = answered;
        let mut body: Incoming = response.into_body();
        let mut kept = Some(Vec::new());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| NoAnswer::new(FailureKind::BrokeOff))?;
            let Some(piece) = frame.data_ref().filter(|_| needed) else { continue };
            match &mut kept {
                Some(bytes) if bytes.len() + piece.len() <= LARGEST_BODY => bytes.extend_from_slice(piece),
                _ => kept = None,
            }
        }
        self.client.give_back(connection);
        let is_packed = headers.get(CONTENT_ENCODING).is_some_and(|coding| coding == "gzip");
        Ok(if needed && is_packed { kept.and_then(|bytes| unpacked(&bytes)) } else { kept })
    }
}

/// The request as it goes over a connection.
fn message(prepared: &Prepared) -> Result<Message, NoAnswer> {
    let url = &prepared.url;
    let target = match url.query() {
        None => url.path().parse(),
        Some(query) => format!("{}?{query}", url.path()).parse(),
    };
    Ok(Message {
        method: prepared.method.clone(),
        target: target.map_err(|_| NoAnswer::new(FailureKind::NotSent))?,
        headers: prepared.headers.clone(),
        body: prepared.body.clone(),
    })
}

/// A body that was sent packed; none where it is larger than is looked at. What is not packed stays as it is.
fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let most = LARGEST_BODY as u64 + 1;
    match MultiGzDecoder::new(bytes).take(most).read_to_end(&mut text) {
        Ok(_) => (text.len() <= LARGEST_BODY).then_some(text),
        Err(_) => Some(bytes.to_vec()),
    }
}

/// What came of an answer that took `took`.
fn judge(request: &Request, answer: &Answer, took: Duration, scope: &mut Scope<'_>) -> Judgement {
    let status = answer.status.as_u16();
    let right = match &request.check.status {
        Some(statuses) => statuses.contain(status),
        None => answer.status.is_success(),
    };
    if !right {
        let outcome = RequestOutcome::of_wrong_status(status, answer.headers.contains_key(RETRY_AFTER));
        return (outcome, None, Vec::new());
    }
    let failed = |check| (RequestOutcome::Failed(FailureKind::Check), Some(check), Vec::new());
    let Some(body) = &answer.body else {
        return failed(Arc::from(format!("{}: the body is larger than 8 MiB", request.name)));
    };
    if let Some((longest, description)) = &request.check.within
        && took > *longest
    {
        return failed(Arc::clone(description));
    }
    if request.check.body.is_empty() && request.extracts.is_empty() {
        return (RequestOutcome::Succeeded, None, Vec::new());
    }
    match request.judge(&answer.headers, body, scope) {
        Ok(values) => (RequestOutcome::Succeeded, None, values),
        Err(check) => failed(check),
    }
}
