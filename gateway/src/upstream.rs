//! Holds the connections to one endpoint: opens them, keeps idle ones, hands them out again.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::proxy::request_body::RequestBody;
use crate::target::EndpointUrl;

/// Sweeps that an idle connection outlasts. Counted in sweeps, so that keeping a connection reads no clock.
const IDLE_SWEEPS_MAX: u32 = 6;

/// A connection to an endpoint, ready for one request after the other.
pub(crate) type Connection = SendRequest<RequestBody>;

#[derive(Debug)]
struct Idle {
    connection: Connection,
    /// The pool's sweeps when it became idle.
    since_sweep: u32,
}

#[derive(Debug, Default)]
struct Pool {
    idle: Vec<Idle>,
    sweeps: u32,
    closed: bool,
}

/// Limits that all upstreams share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UpstreamLimits {
    pub(crate) connect_timeout: Duration,
    pub(crate) idle_max: usize,
}

/// The connections to one endpoint.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) url: EndpointUrl,
    /// What `Host` says where the client sent none.
    pub(crate) host: HeaderValue,
    pool: Mutex<Pool>,
    limits: UpstreamLimits,
    open_connections: Gauge,
}

impl Upstream {
    pub(crate) fn new(url: EndpointUrl, limits: UpstreamLimits, open_connections: Gauge) -> Self {
        let host =
            HeaderValue::from_str(url.authority()).expect("an authority holds visible characters only");
        Self { url, host, pool: Mutex::default(), limits, open_connections }
    }

    /// The most recently used idle connection, if there is one.
    pub(crate) fn check_out(&self) -> Option<Connection> {
        let mut pool = self.lock();
        loop {
            // One that has just served may not be ready yet: it is passed over and used later.
            let position = pool.idle.iter().rposition(|idle| idle.connection.is_ready())?;
            let idle = pool.idle.remove(position);
            if !idle.connection.is_closed() {
                return Some(idle.connection);
            }
        }
    }

    /// Keeps a connection whose exchange is complete.
    pub(crate) fn check_in(&self, connection: Connection) {
        if connection.is_closed() {
            return;
        }
        let mut pool = self.lock();
        if !pool.closed && pool.idle.len() < self.limits.idle_max {
            let since_sweep = pool.sweeps;
            pool.idle.push(Idle { connection, since_sweep });
        }
    }

    /// Opens a connection. It closes when its handle is dropped and its exchange is over.
    pub(crate) async fn connect(&self) -> io::Result<Connection> {
        let connecting = async {
            match self.url.socket_address() {
                Some(address) => TcpStream::connect(address).await,
                None => TcpStream::connect(self.url.host_and_port()).await,
            }
        };
        let stream = timeout(self.limits.connect_timeout, connecting).await.unwrap_or_else(|_| {
            let problem = format!("no connection within {:?}", self.limits.connect_timeout);
            Err(io::Error::new(io::ErrorKind::TimedOut, problem))
        })?;
        stream.set_nodelay(true)?;
        let (sender, connection) =
            http1::Builder::new().handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let open = OpenConnection::count(self.open_connections.clone());
        tokio::spawn(async move {
            let _open = open;
            // Its errors reach whoever waits for an answer; an idle connection that breaks is only dropped.
            let _ended = connection.with_upgrades().await;
        });
        Ok(sender)
    }

    /// Drops connections that ended, or have been idle for [`IDLE_SWEEPS_MAX`] of these calls.
    pub(crate) fn sweep(&self) {
        let mut pool = self.lock();
        pool.sweeps = pool.sweeps.wrapping_add(1);
        let sweeps = pool.sweeps;
        pool.idle.retain(|idle| {
            !idle.connection.is_closed() && sweeps.wrapping_sub(idle.since_sweep) < IDLE_SWEEPS_MAX
        });
    }

    /// Closes all idle connections and keeps none from now on.
    pub(crate) fn close(&self) {
        let mut pool = self.lock();
        pool.closed = true;
        pool.idle.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        // Each change is complete before anything can panic.
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a connection for as long as it lives.
struct OpenConnection(Gauge);

impl OpenConnection {
    fn count(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}
