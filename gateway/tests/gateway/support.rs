//! A gateway, replicas that can be killed, and a client, all in this process.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gateway::{EndpointUrl, Gateway, GatewayConfig, GatewayError};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

/// Bound of every wait: a test that reaches it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Waits until `holds` does.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// What a replica does with a request.
pub(crate) type Answer = Response<Full<Bytes>>;

pub(crate) fn answer(status: u16, body: &str) -> Answer {
    let mut response = Response::new(Full::from(body.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// A replica of the service. `/ready` says what `ready` is set to; everything else is the test's.
pub(crate) struct Replica {
    pub(crate) address: SocketAddr,
    pub(crate) ready: Arc<AtomicBool>,
    /// How `/ready` names it; not at all from the start.
    shown_id: Arc<Mutex<Option<String>>>,
    /// Requests other than probes.
    pub(crate) requests: Arc<AtomicUsize>,
    pub(crate) connections: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Replica {
    pub(crate) async fn start<F>(
        handle: impl Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        Self::start_at(LOOPBACK, handle).await
    }

    async fn start_at<F>(
        address: SocketAddr,
        handle: impl Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let ready = Arc::new(AtomicBool::new(true));
        let shown_id = Arc::<Mutex<Option<String>>>::default();
        let names = Arc::clone(&shown_id);
        let requests = Arc::new(AtomicUsize::new(0));
        let connections = Arc::new(AtomicUsize::new(0));
        let (is_ready, count, accepted) =
            (Arc::clone(&ready), Arc::clone(&requests), Arc::clone(&connections));
        let serving = tokio::spawn(async move {
            // Aborting this task drops the connections with it, as the death of a process would.
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                accepted.fetch_add(1, Ordering::SeqCst);
                let (handle, is_ready, count) = (handle.clone(), Arc::clone(&is_ready), Arc::clone(&count));
                let names = Arc::clone(&names);
                let service = service_fn(move |request: Request<Incoming>| {
                    let (handle, is_ready, count) =
                        (handle.clone(), Arc::clone(&is_ready), Arc::clone(&count));
                    let name = names.lock().unwrap().clone();
                    async move {
                        if request.uri().path() == "/ready" {
                            let status = if is_ready.load(Ordering::SeqCst) { 200 } else { 500 };
                            let mut response = answer(status, "");
                            if let Some(name) = name {
                                response.headers_mut().insert("x-replica-id", name.parse().unwrap());
                            }
                            return Ok::<_, Infallible>(response);
                        }
                        count.fetch_add(1, Ordering::SeqCst);
                        Ok(handle(request).await)
                    }
                });
                open.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, ready, shown_id, requests, connections, serving }
    }

    /// A replica that answers its own address.
    pub(crate) async fn plain() -> Self {
        Self::start(async |_| answer(200, "hello")).await
    }

    /// Another server at the address of one that is gone.
    pub(crate) async fn plain_at(address: SocketAddr) -> Self {
        Self::start_at(address, async |_| answer(200, "hello")).await
    }

    /// A replica that answers so.
    pub(crate) async fn fixed(status: u16) -> Self {
        Self::start(move |_| async move { answer(status, "fixed") }).await
    }

    /// A replica that never answers anything but probes.
    pub(crate) async fn hanging() -> Self {
        Self::start(async |_| std::future::pending().await).await
    }

    /// Lets `/ready` name it so from now on.
    pub(crate) fn name(&self, id: &str) {
        *self.shown_id.lock().unwrap() = Some(id.to_owned());
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn request_count(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Ends at once, with all connections.
    pub(crate) async fn kill(&self) {
        self.serving.abort();
        eventually("the replica is gone", || async { TcpStream::connect(self.address).await.is_err() }).await;
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks that it is one of the gateway's own errors, and returns its text.
    pub(crate) fn error(&self) -> String {
        let json = self.json();
        assert!(json["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{self:?} has a hint");
        json["error"].as_str().unwrap_or_else(|| panic!("{self:?} has an error")).to_owned()
    }
}

/// A running gateway and a client of it.
pub(crate) struct Lab {
    pub(crate) service: SocketAddr,
    pub(crate) admin: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<Result<(), GatewayError>>>,
}

/// Ports of the system's choice and a fixed seed.
pub(crate) fn config() -> GatewayConfig {
    GatewayConfig { listen: LOOPBACK, admin: LOOPBACK, seed: Some(7), ..GatewayConfig::default() }
}

impl Lab {
    /// Starts a gateway, and waits until the replicas are in rotation.
    pub(crate) async fn with(mut config: GatewayConfig, replicas: &[&Replica]) -> Self {
        config.endpoints = replicas.iter().map(|replica| EndpointUrl::from(replica.address)).collect();
        let gateway = Gateway::bind(config).unwrap();
        let (service, admin) = (gateway.service_address(), gateway.admin_address());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(gateway.serve(async move { drop(stopped.await) }));
        let client = Client::builder(TokioExecutor::new()).build_http();
        let lab = Self { service, admin, client, stop: Some(stop), serving: Some(serving) };
        lab.until_ready(replicas.len()).await;
        lab
    }

    pub(crate) async fn start(replicas: &[&Replica]) -> Self {
        Self::with(config(), replicas).await
    }

    pub(crate) async fn until_ready(&self, count: usize) {
        eventually("the replicas are in rotation", || async {
            self.states().await.get("ready") == Some(&count) || count == 0
        })
        .await;
    }

    /// Endpoints by state.
    pub(crate) async fn states(&self) -> std::collections::BTreeMap<String, usize> {
        let mut states = std::collections::BTreeMap::new();
        for endpoint in self.endpoints().await {
            *states.entry(endpoint["state"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        }
        states
    }

    pub(crate) async fn endpoints(&self) -> Vec<Value> {
        self.ask_admin("GET", "/endpoints", "").await.json().as_array().unwrap().clone()
    }

    pub(crate) async fn in_flight(&self) -> u64 {
        self.endpoints().await.iter().map(|endpoint| endpoint["in_flight"].as_u64().unwrap()).sum()
    }

    pub(crate) async fn put(&self, replica: &Replica) -> Reply {
        let body = format!(r#"{{"url": "{}"}}"#, replica.url());
        self.ask_admin("PUT", "/endpoints", &body).await
    }

    pub(crate) async fn delete(&self, replica: &Replica) -> Reply {
        self.ask_admin("DELETE", &format!("/endpoints?url={}", replica.url()), "").await
    }

    pub(crate) async fn metric(&self, sample: &str) -> f64 {
        let text = self.ask_admin("GET", "/metrics", "").await.text();
        let line =
            text.lines().find(|line| line.strip_prefix(sample).is_some_and(|rest| rest.starts_with(' ')));
        let line = line.unwrap_or_else(|| panic!("`{sample}` is not in:\n{text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    pub(crate) async fn ask_admin(&self, method: &str, path: &str, body: &str) -> Reply {
        self.send_to(self.admin, method, path, &[], body.to_owned()).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], "").await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        self.send_to(self.service, method, path, headers, body.to_owned()).await.unwrap()
    }

    /// A request that may fail, as it does when a connection is reset.
    pub(crate) async fn send_to(
        &self,
        to: SocketAddr,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Reply, String> {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("http://{to}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body)).unwrap();
        let exchange = async {
            let response = self.client.request(request).await.map_err(|error| format!("{error:?}"))?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| format!("{error:?}"))?.to_bytes();
            Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
        };
        timeout(PATIENCE, exchange).await.map_err(|_| format!("no answer within {PATIENCE:?}"))?
    }

    /// Sends bytes as they are on a connection of their own, and returns all that comes back until it is closed.
    pub(crate) async fn send_raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.service).await.unwrap();
        // The gateway may answer and close before it has read everything.
        let _written = stream.write_all(bytes).await;
        let mut received = Vec::new();
        let mut part = [0; 4096];
        let reading = async {
            while let Ok(size @ 1..) = stream.read(&mut part).await {
                received.extend_from_slice(&part[..size]);
            }
        };
        timeout(PATIENCE, reading).await.expect("the gateway closes the connection");
        String::from_utf8_lossy(&received).into_owned()
    }

    /// Asks the gateway to stop, without waiting for it.
    pub(crate) fn begin_stop(&mut self) {
        let _told = self.stop.take().map(|stop| stop.send(()));
    }

    /// Waits for the gateway's end.
    pub(crate) async fn stopped(&mut self) -> Result<(), GatewayError> {
        let serving = self.serving.take().expect("it is waited for once");
        timeout(PATIENCE, serving).await.expect("the gateway ends").unwrap()
    }
}
