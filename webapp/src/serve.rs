//! Starts a replica and ends it in order: bind, take over the peers' state, be ready; then be unready, wait for
//! the gateway to notice, finish what is in flight, say goodbye.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use observability::http::guard::AllowedHosts;
use observability::http::request_counts::RequestCounts;
use observability::http::server::ServerMetrics;
use observability::metrics::MetricsRegistry;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tower::Layer;
use tracing::{info, warn};
use webapp_queue::Station;
use workload::Streams;

use crate::app::App;
use crate::clock::RunClock;
use crate::config::{ConfigError, WebappConfig};
use crate::counted_listener::OpenConnections;
use crate::dependency::Dependency;
use crate::exposed::{Exposed, register_app};
use crate::faults::Faults;
use crate::load::Load;
use crate::metrics::{DependencyMetrics, JobMetrics, ShopMetrics};
use crate::origin::Origin;
use crate::peers::{self, Peers};
use crate::replica::{Draws, Replica};
use crate::routes;
use crate::synthetic_demand::generate_synthetic_demand;

/// Longest that a stop may take in all.
const MAX_STOP: Duration = Duration::from_secs(30);

/// Why a replica could not serve, or ended.
#[derive(Debug, thiserror::Error)]
pub enum WebappError {
    /// A setting cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}; hint: another process may have it, choose one with --listen"
    )]
    Listen {
        /// The address.
        address: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The listener broke.
    #[error("serving on {address} ended: {source}")]
    Serve {
        /// The address.
        address: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The fault `crash` was asked for.
    #[error("crashed as asked by the fault `crash`")]
    Crashed,
}

/// A replica whose port is taken and whose parts are ready to run.
#[derive(Debug)]
pub struct Webapp {
    listener: TcpListener,
    address: String,
    drain_wait: Duration,
    allowed_hosts: AllowedHosts,
    exposed: Exposed,
    server_metrics: ServerMetrics,
}

impl Webapp {
    /// Checks the configuration, takes the port and builds the replica. Nothing is served yet.
    ///
    /// # Errors
    /// [`WebappError::Config`] and [`WebappError::Listen`].
    pub async fn bind(config: WebappConfig) -> Result<Self, WebappError> {
        let service_time = config.validate()?;
        let refuse = |source| WebappError::Listen { address: config.listen.clone(), source };
        let listener = TcpListener::bind(&config.listen).await.map_err(refuse)?;
        let listening = listener.local_addr().map_err(refuse)?;
        let address = listening.to_string();
        let own_url = match &config.advertise {
            Some(url) => url.clone(),
            None => peers::own_url(listening, config.discover.as_ref(), &config.peers).await,
        };

        let clock = RunClock::start();
        let streams = Streams::from_seed(config.seed).derive(&config.id);
        let faults = Arc::new(Faults::default());
        let mut registry = MetricsRegistry::with_process_metrics();
        let requests = RequestCounts::register(&mut registry);
        let jobs = JobMetrics::register(&mut registry, clock, &requests);
        let server_metrics =
            ServerMetrics::register_counting(&mut registry, routes::MEASURED, requests, Origin::User.name());
        let dependency = config.dependency.as_ref().map(|url| {
            let pool_size = config.dependency_pool.try_into().expect("validated: at least one connection");
            Dependency::new(url, pool_size, clock, DependencyMetrics::register(&mut registry))
        });
        let workers = config.workers.try_into().expect("validated: at least one worker");
        let replica = Replica::new(
            clock,
            Station::new(workers, config.queue),
            service_time,
            Draws { service_times: streams.stream("service_times"), failures: streams.stream("failures") },
            config.cpu_share,
            dependency,
            Arc::clone(&faults),
            jobs.clone(),
        );
        let app = Arc::new(App {
            clock,
            role: config.role,
            id: config.id.clone(),
            base_rps: config.base_rps,
            streams,
            replica: Arc::new(replica),
            load: Load::new(&config.id, config.load_factor),
            peers: Peers::new(&config.id, &own_url, &config.peers, config.discover.clone()),
            faults,
            jobs,
            shop: ShopMetrics::register(&mut registry),
            events: AtomicU64::new(0),
            serving: AtomicBool::new(false),
            crash: Notify::new(),
            connections: OpenConnections::default(),
        });
        register_app(&mut registry, &config, &app);
        let exposed = Exposed { app, registry: Arc::new(registry) };
        // Peers, and users behind a gateway, name it by addresses and by the names of a network of containers.
        let allowed_hosts = AllowedHosts::new(&config.allowed_hosts).with_private_names();
        Ok(Self { listener, address, drain_wait: config.drain_wait, allowed_hosts, exposed, server_metrics })
    }

    /// Where it listens, as `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Serves until `stop` resolves, then ends in order: within 30 s, or at once when `stop` has resolved because
    /// of an emergency and the caller drops this future.
    ///
    /// # Errors
    /// [`WebappError::Serve`] when the listener breaks, [`WebappError::Crashed`] when a user asked for it.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send) -> Result<(), WebappError> {
        let Self { listener, address, drain_wait, allowed_hosts, exposed, server_metrics } = self;
        let app = Arc::clone(&exposed.app);
        let stop_accepting = CancellationToken::new();
        let application = server_metrics.layer(routes::router(exposed, allowed_hosts));
        let application = axum::ServiceExt::<axum::extract::Request>::into_make_service(application);
        let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
            // An answer of two small writes must not wait for the client's delayed acknowledgement.
            if let Err(error) = stream.set_nodelay(true) {
                warn!(%error, "a connection could not be set to send at once");
            }
        });
        let server = axum::serve(app.connections.of(listener), application)
            .with_graceful_shutdown(stop_accepting.clone().cancelled_owned())
            .into_future();
        tokio::pin!(server);
        tokio::pin!(stop);
        let broken = |source| WebappError::Serve { address: address.clone(), source };

        // The server answers from here on, so that peers can greet back during the first pull.
        let starting = async {
            app.peers.first_pull(&app.load, app.clock).await;
            app.serving.store(true, Ordering::Release);
            info!(replica = app.id, role = %app.role, address, "ready");
            let _demand = AbortOnDropHandle::new(tokio::spawn(generate_synthetic_demand(Arc::clone(&app))));
            let agreeing = Arc::clone(&app);
            let _agreement = AbortOnDropHandle::new(tokio::spawn(async move {
                agreeing.peers.keep_agreeing(&agreeing.load, agreeing.clock).await;
            }));
            std::future::pending::<()>().await;
        };
        tokio::select! {
            result = &mut server => return result.map_err(broken),
            () = app.crash.notified() => return Err(WebappError::Crashed),
            () = starting => unreachable!("the background tasks never end"),
            () = &mut stop => {}
        }

        app.serving.store(false, Ordering::Release);
        info!(replica = app.id, "stopping: not ready any more");
        let ending = async {
            tokio::select! {
                result = &mut server => return result,
                () = tokio::time::sleep(drain_wait) => {}
            }
            app.peers.say_goodbye().await;
            stop_accepting.cancel();
            server.await
        };
        let ended = tokio::select! {
            ended = tokio::time::timeout(MAX_STOP, ending) => ended,
            () = app.crash.notified() => return Err(WebappError::Crashed),
        };
        match ended {
            Ok(result) => result.map_err(broken)?,
            Err(_) => {
                warn!(replica = app.id, "requests were still in flight after {MAX_STOP:?} and were cut off");
            }
        }
        info!(replica = app.id, "stopped");
        Ok(())
    }
}
