//! Holds the connections to one endpoint: opens them, keeps idle ones, hands them out again.

mod connection;
mod inbox;
mod outbox;
pub(crate) mod readiness;
mod request_head;

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) use self::connection::{ChangedConnection, Connection, SendError};
use self::readiness::Readiness;
use crate::target::EndpointUrl;

/// Sweeps that an idle connection outlasts. Counted in sweeps, so that keeping a connection reads no clock.
const IDLE_SWEEPS_MAX: u32 = 6;

#[derive(Debug)]
struct Idle {
    connection: Box<Connection>,
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
    /// What `Host` says where the client named none.
    pub(crate) host: HeaderValue,
    /// The replica that was announced at this address, where one was.
    pub(crate) replica: Option<String>,
    pool: Mutex<Pool>,
    limits: UpstreamLimits,
    open_connections: Gauge,
}

impl Upstream {
    pub(crate) fn new(
        url: EndpointUrl,
        replica: Option<String>,
        limits: UpstreamLimits,
        open_connections: Gauge,
    ) -> Self {
        let host =
            HeaderValue::from_str(url.authority()).expect("an authority holds visible characters only");
        Self { url, host, replica, pool: Mutex::default(), limits, open_connections }
    }

    /// The most recently used idle connection that is still open, if there is one.
    pub(crate) fn check_out(&self) -> Option<Box<Connection>> {
        let mut pool = self.lock();
        while let Some(Idle { mut connection, .. }) = pool.idle.pop() {
            if connection.is_open() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection whose exchange is complete, if it can serve another one.
    pub(crate) fn check_in(&self, connection: Box<Connection>) {
        if !connection.is_reusable() {
            return;
        }
        let mut pool = self.lock();
        if !pool.closed && pool.idle.len() < self.limits.idle_max {
            let since_sweep = pool.sweeps;
            pool.idle.push(Idle { connection, since_sweep });
        }
    }

    /// Opens a connection for requests. Where a replica was announced, it has named itself over this connection: a
    /// connection never changes its other end, while an address does.
    pub(crate) async fn connect(&self) -> io::Result<Box<Connection>> {
        let mut connection = self.open().await?;
        if self.replica.is_some() {
            let asking = readiness::ask(&mut connection, &self.host);
            let readiness = timeout(self.limits.connect_timeout, asking).await.ok().flatten();
            let Some(readiness) = readiness.filter(|readiness| readiness.is_complete) else {
                let problem = format!("no answer to /ready within {:?}", self.limits.connect_timeout);
                return Err(io::Error::new(io::ErrorKind::TimedOut, problem));
            };
            self.check_replica(&readiness).map_err(io::Error::other)?;
            if !connection.is_reusable() {
                // A server that ends each connection with its answer has just proved itself on another one.
                return self.open().await;
            }
        }
        Ok(connection)
    }

    /// Whether the announced replica gave this answer, if one was announced; if not, what is wrong in words.
    pub(crate) fn check_replica(&self, readiness: &Readiness) -> Result<(), String> {
        readiness.check_replica(self.replica.as_deref())
    }

    /// Opens a connection to whatever listens at the address. It closes when it is dropped.
    pub(crate) async fn open(&self) -> io::Result<Box<Connection>> {
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
        Ok(Box::new(Connection::new(stream, self.open_connections.clone())))
    }

    /// Drops connections that ended, or have been idle for [`IDLE_SWEEPS_MAX`] of these calls.
    pub(crate) fn sweep(&self) {
        let mut pool = self.lock();
        pool.sweeps = pool.sweeps.wrapping_add(1);
        let sweeps = pool.sweeps;
        pool.idle.retain_mut(|idle| {
            sweeps.wrapping_sub(idle.since_sweep) < IDLE_SWEEPS_MAX && idle.connection.is_open()
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
