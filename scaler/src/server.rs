//! Puts services and API together, and runs them until told to stop.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::api::{self, AllowedHosts, ApiState};
use crate::clock::Clock;
use crate::config::{ScalerConfig, ServiceConfig};
use crate::policy_watch::Reload;
use crate::scaler_error::ScalerError;
use crate::watched_service::{self, WatchedService};

/// Longest wait at the end for an action and requests in flight.
const DRAIN: Duration = Duration::from_secs(4);

/// A scaler that listens, and runs as soon as it is served.
#[derive(Debug)]
pub struct Scaler {
    allowed_hosts: Vec<String>,
    listener: TcpListener,
    address: SocketAddr,
    services: Vec<WatchedService>,
    clock: Clock,
    reload: Reload,
}

impl Scaler {
    /// Checks the settings, takes the address, finds the platforms and reads the saved states; nothing runs yet.
    ///
    /// A state that cannot be read is moved aside, and the scaler starts as if an action had just happened, which is
    /// the careful thing to assume.
    ///
    /// # Errors
    /// See [`ScalerError`].
    pub async fn bind(config: ScalerConfig) -> Result<Self, ScalerError> {
        check_names(&config.services)?;
        config.services.iter().try_for_each(watched_service::check)?;
        let address = config.listen;
        let listener = TcpListener::bind(address).await.map_err(|source| match source.kind() {
            std::io::ErrorKind::AddrInUse => ScalerError::AddressInUse { address },
            _ => ScalerError::Listen { address, source },
        })?;
        let address = listener.local_addr().map_err(|source| ScalerError::Listen { address, source })?;
        let clock = Clock::start();
        let mut services = Vec::with_capacity(config.services.len());
        for service in config.services {
            services.push(WatchedService::prepare(service, clock).await?);
        }
        let reload = Reload::new();
        Ok(Self { allowed_hosts: config.allowed_hosts, listener, address, services, clock, reload })
    }

    /// What has its policy files read again while it is served.
    pub fn reload(&self) -> Reload {
        self.reload.clone()
    }

    /// The address that was taken; with port 0, the one the system chose.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Runs until `stop` completes; then finishes what is in flight, for some seconds at most, and saves its state.
    ///
    /// # Errors
    /// If a part of it breaks.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), ScalerError> {
        let Self { allowed_hosts, listener, address, services, clock, reload } = self;
        info!(%address, services = services.len(), "the scaler listens on {address}");
        let stopping = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let are_several = services.len() > 1;
        let services = services
            .into_iter()
            .map(|service| service.start(are_several, clock, &reload, &stopping, &mut tasks))
            .collect();
        let app = api::router(ApiState::new(services, AllowedHosts::new(&allowed_hosts), stopping.clone()));
        let server = axum::serve(listener, app).with_graceful_shutdown(stopping.clone().cancelled_owned());
        tasks.spawn(server.into_future());
        // Each of them runs for ever: one that ends has broken, and half a scaler is worse than a restarted one.
        let broken = tokio::select! {
            () = stop => None,
            ended = tasks.join_next() => ended,
        };
        stopping.cancel();
        if tokio::time::timeout(DRAIN, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
            warn!("stopped with requests still in flight");
        }
        match broken {
            None => Ok(()),
            Some(Ok(Err(problem))) => Err(ScalerError::Broken(problem.to_string())),
            Some(Ok(Ok(()))) => Err(ScalerError::Broken("a task ended by itself".to_owned())),
            Some(Err(problem)) => Err(ScalerError::Broken(problem.to_string())),
        }
    }
}

/// Names are parts of paths and values of a label, and each means one service.
fn check_names(services: &[ServiceConfig]) -> Result<(), ScalerError> {
    let refuse = |problem: String| Err(ScalerError::ServiceNames { problem });
    if services.is_empty() {
        return refuse("there is no service to watch".to_owned());
    }
    let mut names = BTreeSet::new();
    for name in services.iter().map(|service| service.name.as_str()) {
        let is_usable = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
        if name.is_empty() || matches!(name, "." | "..") || !name.chars().all(is_usable) {
            return refuse(format!("`{name}` is no name of a service"));
        }
        if !names.insert(name) {
            return refuse(format!("two services are called `{name}`"));
        }
    }
    Ok(())
}
