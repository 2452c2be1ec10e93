//! Binds the two listeners, runs the parts, and stops them in order.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway_balancer::Rotation;
use observability::http::guard::AllowedHosts;
use observability::metrics::MetricsRegistry;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::{info, warn};

use crate::admin::Admin;
use crate::config::GatewayConfig;
use crate::connection::{self, ClientReading, StopSignal};
use crate::error::GatewayError;
use crate::fleet::{Fleet, PutOrder};
use crate::metrics::{Exposition, GatewayMetrics};
use crate::proxy::{Client, Proxy};
use crate::throttle::Throttle;
use crate::upstream::UpstreamLimits;
use crate::waiting_room::WaitingRoom;
use crate::{admin, discovery, probes};

/// Connections that the system holds while they wait to be accepted.
const BACKLOG: u32 = 4096;

/// Pause after an accept failed, as it does when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Time the admin server is given for its own last answers.
const ADMIN_GRACE: Duration = Duration::from_secs(1);

/// Smallest limit for a head that hyper can keep.
const HEADER_BYTES_MIN: usize = 8192;

/// Largest limit of time for a part of a request.
const TIME_LIMIT_MAX: Duration = Duration::from_hours(24);

/// A gateway that has its ports and does not serve yet.
#[derive(Debug)]
pub struct Gateway {
    config: GatewayConfig,
    service: TcpListener,
    admin: TcpListener,
    service_address: SocketAddr,
    admin_address: SocketAddr,
    throttle: Throttle,
    rotation: Rotation,
}

impl Gateway {
    /// Checks the configuration and takes both ports, or neither. To be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`GatewayError`] for a port that cannot be listened on, with the flag that changes it, and for a limit that
    /// makes no sense.
    pub fn bind(config: GatewayConfig) -> Result<Self, GatewayError> {
        let throttle = Throttle::new(&config)?;
        let rotation = Rotation::new(config.balancer)?;
        if config.header_bytes_max < HEADER_BYTES_MIN {
            return Err(GatewayError::HeaderLimitTooSmall { bytes: config.header_bytes_max });
        }
        for (flag, value) in [
            ("--try-timeout", config.try_timeout),
            ("--endpoint-wait", config.endpoint_wait),
            ("--body-pause", config.body_pause_max),
        ] {
            if value.is_zero() || value > TIME_LIMIT_MAX {
                return Err(GatewayError::BadTimeLimit { flag, value });
            }
        }
        let (service, service_address) = listen(config.listen, "--listen")?;
        let (admin, admin_address) = listen(config.admin, "--admin")?;
        Ok(Self { config, service, admin, service_address, admin_address, throttle, rotation })
    }

    /// Where requests are taken.
    pub fn service_address(&self) -> SocketAddr {
        self.service_address
    }

    /// Where the gateway itself is asked and told.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin_address
    }

    /// Serves until `stop` completes. Then it accepts nothing more, gives requests in flight
    /// [`GatewayConfig::stop_grace`], and ends; the admin port answers until then.
    ///
    /// # Errors
    /// [`GatewayError::AdminEnded`] when the admin server fails.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), GatewayError> {
        let Self { config, service, admin, service_address, admin_address, throttle, rotation } = self;
        let mut registry = MetricsRegistry::with_process_metrics();
        let metrics = Arc::new(GatewayMetrics::register(&mut registry));
        let limits = UpstreamLimits {
            connect_timeout: config.connect_timeout,
            idle_max: config.idle_connections_per_endpoint,
        };
        let seed = config.seed.unwrap_or_else(|| RandomState::new().hash_one(admin_address));
        let fleet = Fleet::new(rotation, seed, limits, metrics.upstream_connections.clone());
        let waiting_room = Arc::new(WaitingRoom::new(config.waiting_max));
        let exposition = Arc::new(Exposition::new(registry, &fleet, &waiting_room));
        for url in &config.endpoints {
            fleet.put(url, PutOrder::default());
        }

        let mut background = vec![spawn(probes::run(Arc::clone(&fleet), config.probe_timeout))];
        if let Some(target) = config.discover.clone() {
            let errors = metrics.discovery_errors.clone();
            background.push(spawn(discovery::run(Arc::clone(&fleet), target, errors)));
        }
        let admin_stop = CancellationToken::new();
        let admin_state =
            Admin { fleet: Arc::clone(&fleet), waiting_room: Arc::clone(&waiting_room), exposition };
        let router = admin::router(admin_state, AllowedHosts::new(&config.allowed_hosts));
        let admin_server =
            axum::serve(admin, router).with_graceful_shutdown(admin_stop.clone().cancelled_owned());
        let mut admin_server = spawn(admin_server.into_future());

        let proxy = Arc::new(Proxy {
            fleet,
            metrics,
            throttle,
            retry: config.balancer.retry,
            try_timeout: config.try_timeout,
            waiting_room,
            endpoint_wait: config.endpoint_wait,
            body_pause_max: config.body_pause_max,
            body_bytes_max: config.body_bytes_max,
            tunnels: TaskTracker::new(),
            end_tunnels: CancellationToken::new(),
        });
        info!(service = %service_address, admin = %admin_address, "gateway listens");
        let signal = Arc::new(StopSignal::default());
        let mut connections = JoinSet::new();
        let ended = tokio::select! {
            () = accept(&service, &config, &proxy, &signal, &mut connections) => Ok(()),
            () = stop => Ok(()),
            ended = &mut admin_server => Err(admin_ended(admin_address, ended)),
        };
        drop(service);
        signal.begin();
        finish(&mut connections, &proxy, config.stop_grace).await;
        admin_stop.cancel();
        if ended.is_ok() {
            // Whoever still holds an idle connection to the admin port does not keep the gateway.
            let _in_time = timeout(ADMIN_GRACE, admin_server).await;
        }
        info!("gateway ended");
        ended
    }
}

fn listen(address: SocketAddr, flag: &'static str) -> Result<(TcpListener, SocketAddr), GatewayError> {
    let listening = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A gateway that comes back must not wait for the old connections' last states to pass.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    listening().map_err(|source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => GatewayError::AddressInUse { address, flag },
        _ => GatewayError::CannotListen { address, flag, source },
    })
}

/// Accepts for as long as it is polled; beyond the bound, clients wait in the system's queue.
async fn accept(
    listener: &TcpListener,
    config: &GatewayConfig,
    proxy: &Arc<Proxy>,
    signal: &Arc<StopSignal>,
    connections: &mut JoinSet<()>,
) {
    let places = Arc::new(Semaphore::new(config.connections_max));
    let reading = Arc::new(ClientReading::new(config));
    loop {
        while connections.try_join_next().is_some() {}
        let place = Arc::clone(&places).acquire_owned().await.expect("the places are never closed");
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if stream.set_nodelay(true).is_err() {
            // The client is gone already.
            continue;
        }
        let (proxy, signal, reading) = (Arc::clone(proxy), Arc::clone(signal), Arc::clone(&reading));
        connections.spawn(async move {
            connection::serve(&reading, stream, Client::new(proxy, peer.ip()), &signal).await;
            drop(place);
        });
    }
}

/// Waits for requests in flight and for tunnels, at most for `grace`, and cuts off the rest.
async fn finish(connections: &mut JoinSet<()>, proxy: &Proxy, grace: Duration) {
    proxy.tunnels.close();
    let all = async {
        while connections.join_next().await.is_some() {}
        proxy.tunnels.wait().await;
    };
    if timeout(grace, all).await.is_err() {
        let cut_off = connections.len() + proxy.tunnels.len();
        warn!(cut_off, ?grace, "connections were still busy and are cut off");
        proxy.end_tunnels.cancel();
        connections.shutdown().await;
        proxy.tunnels.wait().await;
    }
}

fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> AbortOnDropHandle<T> {
    AbortOnDropHandle::new(tokio::spawn(task))
}

fn admin_ended(address: SocketAddr, ended: Result<io::Result<()>, tokio::task::JoinError>) -> GatewayError {
    let source = match ended {
        Ok(Ok(())) => io::Error::other("nobody stopped it"),
        Ok(Err(error)) => error,
        Err(panicked) => io::Error::other(panicked),
    };
    GatewayError::AdminEnded { address, source }
}
