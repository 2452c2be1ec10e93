//! Takes a request from a client, finds it an endpoint, and brings back the answer.

pub(crate) mod answers;
mod attempt;
mod deadline;
mod failure;
mod identity;
mod outgoing;
mod path;
mod request_check;
pub(crate) mod response_body;
mod spans;
mod tunnel;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway_balancer::{RetrySettings, Tries};
use http::{Request, Response, StatusCode, header};
use hyper::body::{Body, Incoming};
use hyper::upgrade::OnUpgrade;
use observability::traces::Span;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::attempt::{Answered, TryLimits, attempt};
use self::deadline::{Deadline, DeadlineSlot};
use self::failure::Failure;
pub(crate) use self::identity::Identity;
use self::outgoing::{ClientAddress, Outgoing};
use self::path::PathRule;

use self::request_check::{Refusal, checked_host};
use self::response_body::{Exchange, ResponseBody};
use self::tunnel::UpstreamSide;
use crate::fleet::{Fleet, Stay};
use crate::headers;
use crate::metrics::GatewayMetrics;
use crate::request_body::BodyError;
use crate::throttle::{Scope, Throttle, Throttled};
use crate::upstream::Connection;
use crate::waiting_room::WaitingRoom;
use crate::watched_stream::{HeadFlaw, HeadFlaws};

/// Most characters of a request that a message repeats.
const MESSAGE_TEXT_CHARACTERS_MAX: usize = 80;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) metrics: Arc<GatewayMetrics>,
    pub(crate) throttle: Throttle,
    pub(crate) retry: RetrySettings,
    pub(crate) try_timeout: Duration,
    /// Requests that found no endpoint in rotation.
    pub(crate) waiting_room: Arc<WaitingRoom>,
    pub(crate) endpoint_wait: Duration,
    pub(crate) body_pause_max: Duration,
    pub(crate) body_bytes_max: u64,
    /// Protocol changes that are under way.
    pub(crate) tunnels: TaskTracker,
    /// Ends them.
    pub(crate) end_tunnels: CancellationToken,
}

/// Why a request that waited for an endpoint got none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoEndpoint {
    NotInTime,
    RoomIsFull,
}

/// A client's connection, and where its requests go.
#[derive(Debug)]
pub(crate) struct Client {
    proxy: Arc<Proxy>,
    address: ClientAddress,
    deadline: DeadlineSlot,
    /// What is wrong with its heads although hyper takes them.
    pub(crate) head_flaws: Arc<HeadFlaws>,
}

impl Client {
    pub(crate) fn new(proxy: Arc<Proxy>, ip: IpAddr) -> Self {
        let address = ClientAddress::new(ip);
        Self { proxy, address, deadline: DeadlineSlot::default(), head_flaws: Arc::default() }
    }

    /// A seed for a random stream of this connection's own.
    pub(crate) fn random_seed(&self) -> u64 {
        self.proxy.fleet.random_seed()
    }

    /// Answers one request, the one with this `number` on its connection, and counts it.
    ///
    /// What needs no waiting is done before the future exists: hyper moves it, and it holds the request once.
    pub(crate) fn serve(
        self: Arc<Self>,
        identity: Identity,
        number: u64,
        mut request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<ResponseBody>, Infallible>> {
        let arrived = Instant::now();
        let span = spans::begin_request(&request, self.address.ip);
        let request_id = identity.apply(request.headers_mut(), span.as_ref());
        let mut checked = self.proxy.check(&self.address, self.head_flaws.of(number), request, arrived);
        async move {
            let (mut response, known) = match &mut checked {
                Ok(outgoing) => {
                    let mut deadline = self.deadline.take();
                    let answered = match &span {
                        None => self.proxy.dispatch(outgoing, &mut deadline, None).await,
                        // In a box, as all that is rare: hyper moves the future of each request, whatever its size.
                        Some(span) => {
                            let dispatched = self.proxy.dispatch(outgoing, &mut deadline, Some(span));
                            Box::pin(span.scope(dispatched)).await
                        }
                    };
                    self.deadline.put_back(deadline);
                    answered
                }
                Err(refusal) => (std::mem::take(&mut **refusal), arrived),
            };
            response.headers_mut().insert(&headers::X_REQUEST_ID, request_id);
            let (status, duration) = (response.status(), known.saturating_duration_since(arrived));
            if status == StatusCode::SWITCHING_PROTOCOLS {
                self.head_flaws.end();
            }
            self.proxy.metrics.observe_request(status, duration, span.as_ref());
            if let Some(span) = &span {
                spans::end_request(span, status);
            }
            Ok(response)
        }
    }
}

/// The beginning of a text, for a message.
fn shortened(text: &str) -> String {
    text.chars().take(MESSAGE_TEXT_CHARACTERS_MAX).flat_map(char::escape_debug).collect()
}

impl Proxy {
    /// Refuses what must not pass, whatever is in rotation, and makes the rest ready.
    fn check(
        &self,
        client: &ClientAddress,
        flaw: Option<HeadFlaw>,
        request: Request<Incoming>,
        arrived: Instant,
    ) -> Result<Outgoing, Box<Response<ResponseBody>>> {
        if let Err(throttled) = self.throttle.check(client.ip) {
            return Err(Box::new(self.throttled(throttled)));
        }
        let (head, incoming) = request.into_parts();
        let host = flaw.map_or_else(|| checked_host(&head), |flaw| Err(flaw.into()));
        let host = host.map_err(|Refusal { status, error, hint }| {
            Box::new(answers::closing_error(status, error, hint))
        })?;
        let rule = PathRule::of(head.uri.path());
        match rule {
            PathRule::Internal => {
                let error = format!("`{}` is not reachable through the gateway", shortened(head.uri.path()));
                let hint = "ask a replica itself; GET /endpoints on the admin port names them";
                // A body that is not read would have to be passed over before the next request.
                let answer = if incoming.is_end_stream() { answers::error } else { answers::closing_error };
                return Err(Box::new(answer(StatusCode::NOT_FOUND, error, hint)));
            }
            PathRule::Invalid => {
                let error = format!(
                    "the path `{}` leads above its root, or has an escape that is not two hexadecimal digits \
                     or is `%00`",
                    shortened(head.uri.path())
                );
                let hint = "send a path without `..`, and each `%` as `%25`";
                return Err(Box::new(answers::closing_error(StatusCode::BAD_REQUEST, error, hint)));
            }
            PathRule::NotRepeatable | PathRule::Ordinary => {}
        }
        if incoming.size_hint().exact().is_some_and(|bytes| bytes > self.body_bytes_max) {
            return Err(Box::new(Failure::Body(BodyError::TooLarge).into_answer(self.body_bytes_max)));
        }
        Ok(Outgoing::new(head, incoming, host, client, rule, self.body_bytes_max, arrived))
    }

    /// Sends to one endpoint after the other, as far as the rules of repetition go. Returns the answer, and when it
    /// was known.
    async fn dispatch(
        &self,
        outgoing: &mut Outgoing,
        deadline: &mut Deadline,
        span: Option<&Span>,
    ) -> (Response<ResponseBody>, Instant) {
        if let Err(failure) = outgoing.read_body(self.body_pause_max).await {
            return (failure.into_answer(self.body_bytes_max), Instant::now());
        }
        let mut started = outgoing.ready_at;
        // No request overtakes those that wait.
        let at_once = if self.waiting_room.waiting() == 0 { self.fleet.pick(started, &[]) } else { None };
        let mut stay = match at_once {
            Some(stay) => stay,
            None => match Box::pin(self.wait_for_endpoint()).await {
                Ok(stay) => {
                    started = Instant::now();
                    stay
                }
                Err(no_endpoint) => return (self.no_endpoint(no_endpoint), Instant::now()),
            },
        };
        let limits = TryLimits { answer: self.try_timeout, body_pause: self.body_pause_max };
        let reconnects = &self.metrics.reconnects;
        let mut tries = Tries::new(self.retry);
        loop {
            let try_span =
                span.and_then(|span| spans::begin_try(span, outgoing, &stay, tries.failed().len()));
            let (result, known) = attempt(&stay, outgoing, deadline, started, limits, reconnects).await;
            if let Some(try_span) = try_span {
                spans::end_try(&try_span, &result);
            }
            let failure = match result {
                Ok(answered) => {
                    return (self.pass_on(answered, stay, outgoing), known);
                }
                Err(failure) => failure,
            };
            let may_go_on = tries.may_go_on(stay.id, failure.of_try(), outgoing.is_safe_to_repeat());
            // The stay ends before the next begins.
            drop(stay);
            let next = if may_go_on { self.fleet.pick(known, tries.failed()) } else { None };
            let Some(next) = next else { return (failure.into_answer(self.body_bytes_max), known) };
            stay = next;
            started = known;
            self.metrics.retries.inc();
        }
    }

    /// Makes an endpoint's answer the client's.
    fn pass_on(&self, answered: Answered, stay: Stay, outgoing: &mut Outgoing) -> Response<ResponseBody> {
        let Answered { mut response, connection } = answered;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return self.switch_protocols(response, connection, stay, outgoing.client_upgrade.take());
        }
        if response.status() == StatusCode::SERVICE_UNAVAILABLE
            && response.headers().contains_key(header::RETRY_AFTER)
        {
            self.metrics.refused.inc();
        }
        headers::remove_hop_by_hop(response.headers_mut());
        let exchange = Exchange::new(stay, connection, outgoing.upload.take(), self.body_pause_max);
        response.map(|()| ResponseBody::upstream(exchange))
    }

    fn switch_protocols(
        &self,
        mut response: Response<()>,
        connection: Box<Connection>,
        stay: Stay,
        client_upgrade: Option<OnUpgrade>,
    ) -> Response<ResponseBody> {
        let agreed = headers::names_websocket(response.headers());
        let Some(client_upgrade) = client_upgrade.filter(|_| agreed) else {
            return answers::error(
                StatusCode::BAD_GATEWAY,
                "the endpoint changed the protocol without being asked to",
                "look at the endpoint's log",
            );
        };
        let upstream = UpstreamSide { connection: connection.change(), stay };
        self.tunnels.spawn(tunnel::run(client_upgrade, upstream, self.end_tunnels.clone()));
        headers::remove_hop_by_hop(response.headers_mut());
        headers::set_websocket(response.headers_mut());
        response.map(|()| ResponseBody::Own(None))
    }

    /// Waits in line, at most for the time allowed, until an endpoint is in rotation.
    async fn wait_for_endpoint(&self) -> Result<Stay, NoEndpoint> {
        let Some(place) = self.waiting_room.enter() else {
            // Where the room is being emptied, what can be served is served.
            return self.fleet.pick(Instant::now(), &[]).ok_or(NoEndpoint::RoomIsFull);
        };
        let in_line = async {
            let _first = place.be_first().await;
            self.fleet.pick_when_ready().await
        };
        timeout(self.endpoint_wait, in_line).await.map_err(|_| NoEndpoint::NotInTime)
    }

    fn no_endpoint(&self, why: NoEndpoint) -> Response<ResponseBody> {
        self.metrics.no_endpoint.inc();
        let (error, hint) = match why {
            NoEndpoint::NotInTime => (
                format!("no endpoint came into rotation within {:?}", self.endpoint_wait),
                "GET /endpoints on the admin port lists the endpoints and says why none is ready",
            ),
            NoEndpoint::RoomIsFull => (
                format!(
                    "no endpoint is in rotation, and as many requests wait for one as may: {}",
                    self.waiting_room.places_max()
                ),
                "wait as long as Retry-After says, or start the gateway with a larger --max-waiting",
            ),
        };
        answers::error_with_retry(StatusCode::SERVICE_UNAVAILABLE, error, hint, Duration::from_secs(1))
    }

    fn throttled(&self, throttled: Throttled) -> Response<ResponseBody> {
        self.metrics.observe_throttled(throttled.scope);
        let whose = match throttled.scope {
            Scope::Service => "the service receives",
            Scope::Client => "this client sends",
        };
        answers::error_with_retry(
            StatusCode::TOO_MANY_REQUESTS,
            format!("{whose} more requests than its limit allows"),
            "wait as long as Retry-After says, or raise the limit",
            throttled.retry_after,
        )
    }
}
