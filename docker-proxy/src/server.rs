//! Takes orders over HTTP, asks the engine what they are about, and passes on those that the rules allow.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, Uri, header};
use http_client::{ClientError, Reply, UnixHttpClient};
use observability::http::guard::AllowedHosts;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tracing::{info, warn};

use super::container_match;
use super::document;
use super::orders::Order;

/// Longest wait for an answer of the engine.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Longest wait for a container to end: the longest grace period that the engine is given, and some more.
const STOP_TIMEOUT: Duration = Duration::from_secs(120);

/// Largest order; bytes.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// Most orders at a time; further ones wait.
const MAX_ORDERS: usize = 16;

const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";

/// What stands between a scaler and an engine.
#[derive(Debug)]
pub struct Proxy {
    engine: UnixHttpClient,
    project: String,
    service: String,
    turns: Semaphore,
}

/// Why an order is not passed on.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    why: String,
}

impl Refusal {
    fn forbidden(why: impl Into<String>) -> Self {
        Self { status: StatusCode::FORBIDDEN, why: why.into() }
    }
}

impl From<ClientError> for Refusal {
    fn from(error: ClientError) -> Self {
        Self { status: StatusCode::BAD_GATEWAY, why: format!("the engine gave no answer: {error}") }
    }
}

impl IntoResponse for Refusal {
    /// In the form of the engine's own errors, so that its clients show the reason.
    fn into_response(self) -> Response {
        (self.status, axum::Json(json!({ "message": self.why }))).into_response()
    }
}

impl Proxy {
    /// For this service of this project, through the engine's socket.
    pub fn new(socket: &std::path::Path, project: &str, service: &str) -> Self {
        Self {
            engine: UnixHttpClient::new(socket),
            project: project.to_owned(),
            service: service.to_owned(),
            turns: Semaphore::new(MAX_ORDERS),
        }
    }

    async fn handle(&self, method: Method, uri: &Uri, body: Bytes) -> Result<Response, Refusal> {
        let _turn = self.turns.acquire().await.expect("the semaphore is never closed");
        let unknown =
            || Refusal::forbidden(format!("{method} {} is nothing that a scaler needs", uri.path()));
        let order = Order::read(&method, uri.path(), uri.query()).ok_or_else(unknown)?;
        let judged = self.judge(&order, &body).await?;
        let timeout = if matches!(order, Order::Stop { .. }) { STOP_TIMEOUT } else { TIMEOUT };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        // What was judged is what is passed on, not what came.
        let body = judged.map(|document| Bytes::from(document.to_string()));
        let reply = self.engine.send(method.clone(), path, body, timeout).await?;
        if method != Method::GET && method != Method::HEAD {
            info!(%method, path = uri.path(), status = reply.status.as_u16(), "passed on");
        }
        Ok(as_response(reply))
    }

    /// Refuses what is not allowed; the document that belongs to the order, if one does.
    async fn judge(&self, order: &Order, body: &[u8]) -> Result<Option<Value>, Refusal> {
        match order {
            Order::Greet | Order::InspectImage => Ok(None),
            Order::List { labels } => {
                let own = format!("{PROJECT}={}", self.project);
                let is_own = labels.contains(&own);
                is_own.then_some(None).ok_or_else(|| {
                    Refusal::forbidden(format!("a list must be narrowed down to the label {own}"))
                })
            }
            Order::InspectContainer { id } => self.look_at(id, false).await.map(|_| None),
            Order::Start { id } | Order::Stop { id } | Order::Remove { id } => {
                self.look_at(id, true).await.map(|_| None)
            }
            Order::Create => {
                let order = json(body)?;
                self.is_like_a_replica(|original| container_match::check(&order, original)).await?;
                Ok(Some(order))
            }
            Order::Connect { network } => {
                let request = json(body)?;
                if document::members_besides(&request, &["Container", "EndpointConfig"])
                    .is_none_or(|more| !more.is_empty())
                {
                    return Err(Refusal::forbidden(
                        "the request says more than Container and EndpointConfig",
                    ));
                }
                let id = request["Container"].as_str().unwrap_or_default();
                if id.is_empty()
                    || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
                {
                    return Err(Refusal::forbidden("the request names no container"));
                }
                self.look_at(id, true).await?;
                self.is_like_a_replica(|original| {
                    container_match::check_endpoint(network, &request["EndpointConfig"], original)
                })
                .await?;
                Ok(Some(request))
            }
        }
    }

    /// Inspects a container, and refuses one that is not the project's, or not the service's where it has to be.
    async fn look_at(&self, id: &str, of_service: bool) -> Result<Value, Refusal> {
        let reply = self.engine.send(Method::GET, &format!("/containers/{id}/json"), None, TIMEOUT).await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Err(Refusal { status: StatusCode::NOT_FOUND, why: format!("No such container: {id}") });
        }
        let found: Value = reply.ok()?.json()?;
        let labels = &found["Config"]["Labels"];
        if labels[PROJECT] != self.project.as_str() {
            return Err(Refusal::forbidden(format!("{id} is not of project `{}`", self.project)));
        }
        if of_service && labels[SERVICE] != self.service.as_str() {
            return Err(Refusal::forbidden(format!("{id} is not of service `{}`", self.service)));
        }
        Ok(found)
    }

    /// Whether a check holds against one of the service's containers; refuses with the first reason if against none.
    async fn is_like_a_replica(&self, check: impl Fn(&Value) -> Result<(), String>) -> Result<(), Refusal> {
        let filters = json!({ "label": [format!("{PROJECT}={}", self.project), format!("{SERVICE}={}", self.service)] });
        let encoded = filters.to_string().bytes().fold(String::new(), |mut text, byte| {
            write!(text, "%{byte:02X}").expect("a string can always be written to");
            text
        });
        let path = format!("/containers/json?all=true&filters={encoded}");
        let listed: Vec<Value> = self.engine.send(Method::GET, &path, None, TIMEOUT).await?.ok()?.json()?;
        let mut first_reason = None;
        for id in listed.iter().filter_map(|container| container["Id"].as_str()) {
            // One that is gone meanwhile is no measure.
            let Ok(original) = self.look_at(id, true).await else { continue };
            match check(&original) {
                Ok(()) => return Ok(()),
                Err(reason) => first_reason = first_reason.or(Some(reason)),
            }
        }
        let why =
            first_reason.unwrap_or_else(|| "there is no container of the service to compare with".to_owned());
        Err(Refusal::forbidden(format!("this is not like a replica of `{}`: {why}", self.service)))
    }
}

fn json(body: &[u8]) -> Result<Value, Refusal> {
    document::read(body).map_err(|error| Refusal {
        status: StatusCode::BAD_REQUEST,
        why: format!("the body cannot be read in one way only: {error}"),
    })
}

fn as_response(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    for name in [header::CONTENT_TYPE, header::HeaderName::from_static("api-version")] {
        if let Some(value) = reply.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

async fn answer(State(proxy): State<Arc<Proxy>>, method: Method, uri: Uri, body: Bytes) -> Response {
    proxy.handle(method.clone(), &uri, body).await.unwrap_or_else(|refusal| {
        warn!(%method, path = uri.path(), why = refusal.why, "refused");
        refusal.into_response()
    })
}

/// A page in a browser can send orders to a loopback address, so what is not reading has to come under an allowed name.
async fn guard_orders(State(allowed): State<Arc<AllowedHosts>>, request: Request, next: Next) -> Response {
    if ![Method::GET, Method::HEAD].contains(request.method())
        && let Err(reply) = allowed.judge(request.uri(), request.headers())
    {
        let why = format!("{}; hint: {}", reply.body.error, reply.body.hint);
        warn!(method = %request.method(), path = request.uri().path(), why, "refused");
        return Refusal { status: reply.status, why }.into_response();
    }
    next.run(request).await
}

/// Serves until `stop` resolves. Orders under other names than localhost and `allowed_hosts` are refused.
///
/// # Errors
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    proxy: Proxy,
    allowed_hosts: AllowedHosts,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new()
        .fallback(answer)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(Arc::new(allowed_hosts), guard_orders))
        .with_state(Arc::new(proxy));
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}
