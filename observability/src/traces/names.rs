//! Names of spans and of their attributes: OpenTelemetry's (semantic conventions 1.44) where it has one, and the
//! lab's own under `lab.` and `scaling.` where it has none.
//!
//! A span of an HTTP request is named `{method} {route}`, or `{method}` where no route is known; never by its path,
//! which anybody can choose. See [`http_span_name`].

use std::borrow::Cow;

/// A job in the queue of a replica, from its arrival to its start. Kind internal.
pub const QUEUE_WAIT: &str = "queue wait";
/// A job at a worker, from its start to its end. Kind internal.
pub const WORK: &str = "work";
/// A job that waits for a connection of the dependency pool; only where it had to wait. Kind internal.
pub const CONNECTION_WAIT: &str = "connection wait";
/// A job of the synthetic demand, from its arrival to its end; the root of its trace. Kind internal.
pub const SYNTHETIC_JOB: &str = "synthetic job";
/// A decision of the scaler, until it is carried out; the root of its trace. Kind internal.
pub const SCALING_DECISION: &str = "scaling decision";
/// The actuator's part of a decision. Kind internal.
pub const ACTUATOR: &str = "actuator";

/// The request's method; `_OTHER` if it is none of the known ones.
pub const HTTP_REQUEST_METHOD: &str = "http.request.method";
/// Which repetition a try is, from 1; absent at the first try.
pub const HTTP_REQUEST_RESEND_COUNT: &str = "http.request.resend_count";
/// The response's status code.
pub const HTTP_RESPONSE_STATUS_CODE: &str = "http.response.status_code";
/// The pattern that a server's route has.
pub const HTTP_ROUTE: &str = "http.route";
/// Whom a client asks: the host, or the path of a Unix socket.
pub const SERVER_ADDRESS: &str = "server.address";
/// Whom a client asks: the port.
pub const SERVER_PORT: &str = "server.port";
/// Who asks a server, as it seems to the server.
pub const CLIENT_ADDRESS: &str = "client.address";
/// The whole URL that a client asks for.
pub const URL_FULL: &str = "url.full";
/// The path that a server is asked for.
pub const URL_PATH: &str = "url.path";
/// The query that a server is asked with; absent where there is none.
pub const URL_QUERY: &str = "url.query";
/// `http`: the lab speaks nothing else.
pub const URL_SCHEME: &str = "url.scheme";
/// The fixed path behind a client's URL.
pub const URL_TEMPLATE: &str = "url.template";
/// What went wrong, as one word or a status code; absent on success.
pub const ERROR_TYPE: &str = "error.type";

/// Who asked for a job: `user` or `synthetic`.
pub const ORIGIN: &str = "lab.origin";

/// `up`, `down` or `hold`.
pub const SCALING_ACTION: &str = "scaling.action";
/// Replicas before a decision.
pub const SCALING_FROM: &str = "scaling.from";
/// Replicas that a decision wants, and that an actuator is asked for.
pub const SCALING_TO: &str = "scaling.to";
/// The decision's reason as its code.
pub const SCALING_REASON: &str = "scaling.reason";
/// The decision with its reason in words.
pub const SCALING_REASON_TEXT: &str = "scaling.reason.text";
/// The limit that kept the decision from going further; absent if none did.
pub const SCALING_LIMITED_BY: &str = "scaling.limited_by";
/// The signal that the policy looks at.
pub const SCALING_SIGNAL: &str = "scaling.signal";
/// The signal's value; absent without a reading.
pub const SCALING_SIGNAL_VALUE: &str = "scaling.signal.value";
/// The age of that reading; seconds.
pub const SCALING_SIGNAL_AGE_SECONDS: &str = "scaling.signal.age_seconds";
/// Replicas that existed when the scaler decided.
pub const SCALING_REPLICAS_CURRENT: &str = "scaling.replicas.current";
/// Replicas that received requests when the scaler decided.
pub const SCALING_REPLICAS_READY: &str = "scaling.replicas.ready";
/// Replicas that had been asked for when the scaler decided.
pub const SCALING_REPLICAS_DESIRED: &str = "scaling.replicas.desired";
/// Replicas that the actuator found afterwards; absent if it could not look.
pub const SCALING_REACHED: &str = "scaling.reached";
/// The actuator that carries the decision out.
pub const SCALING_ACTUATOR: &str = "scaling.actuator";

/// The name of the whole lab, as `service.namespace`.
pub const SERVICE_NAMESPACE_VALUE: &str = "autoscale-lab";
/// `service.namespace`.
pub const SERVICE_NAMESPACE: &str = "service.namespace";
/// `service.name`: the same for all replicas of a service.
pub const SERVICE_NAME: &str = "service.name";
/// `service.instance.id`: one for each replica.
pub const SERVICE_INSTANCE_ID: &str = "service.instance.id";
/// `service.version`.
pub const SERVICE_VERSION: &str = "service.version";

/// The name of an HTTP span. An unknown method is called `HTTP`.
pub fn http_span_name(method: &'static str, route: Option<&str>) -> Cow<'static, str> {
    let method = if method == "_OTHER" { "HTTP" } else { method };
    match route {
        Some(route) => Cow::Owned(format!("{method} {route}")),
        None => Cow::Borrowed(method),
    }
}
