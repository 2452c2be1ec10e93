//! The application with the registry that a scrape reads, and the gauges that are read from the application.

use std::sync::Arc;

use observability::metrics::{MetricsRegistry, OnScrape};
use observability::names;
use prometheus_client::metrics::info::Info;

use crate::app::App;
use crate::config::WebappConfig;

/// The application together with what it exposes; apart, because the registry reads the application.
#[derive(Clone, Debug)]
pub(crate) struct Exposed {
    pub(crate) app: Arc<App>,
    pub(crate) registry: Arc<MetricsRegistry>,
}

/// Registers what the finished application tells about itself when it is scraped.
pub(crate) fn register_app(registry: &mut MetricsRegistry, config: &WebappConfig, app: &Arc<App>) {
    registry.register(
        names::WEBAPP_INFO,
        "Version, role and id of the replica",
        Info::new(vec![
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("role", config.role.name().to_owned()),
            ("replica", config.id.clone()),
        ]),
    );
    let mut gauge = |name, help, read: fn(&App) -> f64| {
        let app = Arc::clone(app);
        registry.register(name, help, OnScrape::gauge(move || read(&app)));
    };
    gauge(names::WEBAPP_HEALTH_STATUS, "1 while the replica is ready", |app| {
        f64::from(u8::from(app.is_ready()))
    });
    gauge(names::WEBAPP_LOAD_FACTOR, "Load factor of the service", |app| app.load.factor_at(app.clock.now()));
    gauge(
        names::WEBAPP_FAULT_LATENCY_SECONDS,
        "Time that a switched-on fault adds to each service time",
        |app| app.faults.added_latency(app.clock.now()).as_secs_f64(),
    );
    gauge(names::WEBAPP_FAULT_ERROR_RATIO, "Share of jobs that a switched-on fault lets fail", |app| {
        app.faults.error_share(app.clock.now())
    });
    gauge(names::WEBAPP_FAULT_UNREADY, "1 while a switched-on fault denies readiness", |app| {
        f64::from(u8::from(app.faults.is_unready(app.clock.now())))
    });
    gauge(names::WEBAPP_QUEUE_DEPTH, "Jobs waiting for a worker", |app| {
        app.replica.occupancy().queue_depth as f64
    });
    gauge(names::WEBAPP_QUEUE_CAPACITY, "Jobs that may wait", |app| {
        app.replica.occupancy().queue_capacity as f64
    });
    gauge(names::WEBAPP_WORKERS_BUSY, "Workers that serve a job", |app| {
        f64::from(app.replica.occupancy().workers_busy)
    });
    gauge(names::WEBAPP_WORKERS, "Workers of the replica", |app| f64::from(app.replica.occupancy().workers));
    gauge(names::WEBAPP_PEERS_READY, "Ready replicas seen in the last pull, this one included", |app| {
        f64::from(app.ready_replicas())
    });
    gauge(
        names::ACTIVE_CONNECTIONS,
        "Open connections of clients, and one for each synthetic job inside",
        |app| app.active_connections() as f64,
    );
    if app.replica.dependency().is_some() {
        gauge(names::WEBAPP_DEPENDENCY_CONNECTIONS_BUSY, "Connections of the pool in use", |app| {
            app.replica.dependency().map_or(0.0, |dependency| f64::from(dependency.connections_busy()))
        });
        gauge(names::WEBAPP_DEPENDENCY_CONNECTIONS, "Connections of the pool", |app| {
            app.replica.dependency().map_or(0.0, |dependency| f64::from(dependency.pool_size()))
        });
    }
    let busy = Arc::clone(app);
    registry.register(
        names::WEBAPP_WORKERS_BUSY_SECONDS_TOTAL,
        "Time that workers have been busy, summed over the workers",
        OnScrape::counter(move || busy.replica.occupancy().busy_seconds),
    );
}
