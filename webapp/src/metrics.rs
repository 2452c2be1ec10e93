//! What a replica exposes: its jobs, its queue, its dependency, its orders.

mod recent;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use observability::buckets::{HTTP_DURATION_SECONDS, ORDER_VALUE_DOLLARS, RESPONSE_TIME_SECONDS};
use observability::metrics::{MetricsRegistry, OnScrape, TracedHistogram};
use observability::names;
use observability::traces::Span;
use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;

use crate::app::App;
use crate::clock::RunClock;
use crate::config::WebappConfig;
use crate::replica::Origin;
use recent::RecentJobs;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OriginLabel {
    origin: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Clone, Debug)]
struct NewTracedHistogram(&'static [f64]);

impl MetricConstructor<TracedHistogram> for NewTracedHistogram {
    fn new_metric(&self) -> TracedHistogram {
        TracedHistogram::new(self.0.iter().copied())
    }
}

/// A counter or histogram for each origin, looked up once.
#[derive(Clone, Debug)]
struct ByOrigin<M> {
    user: M,
    synthetic: M,
}

impl<M> ByOrigin<M> {
    fn new(mut metric: impl FnMut(&OriginLabel) -> M) -> Self {
        let mut of = |origin: Origin| metric(&OriginLabel { origin: origin.name() });
        Self { user: of(Origin::User), synthetic: of(Origin::Synthetic) }
    }

    fn of(&self, origin: Origin) -> &M {
        match origin {
            Origin::User => &self.user,
            Origin::Synthetic => &self.synthetic,
        }
    }
}

/// The jobs of a replica.
#[derive(Clone, Debug)]
pub(crate) struct JobMetrics {
    arrived: Arc<AtomicU64>,
    response_times: ByOrigin<TracedHistogram>,
    refused: ByOrigin<Counter>,
    errors: ByOrigin<Counter>,
    recent: Arc<Mutex<RecentJobs>>,
}

impl JobMetrics {
    pub(crate) fn register(registry: &mut MetricsRegistry, clock: RunClock) -> Self {
        let response_times: Family<OriginLabel, TracedHistogram, _> =
            Family::new_with_constructor(NewTracedHistogram(&RESPONSE_TIME_SECONDS));
        let (refused, errors) =
            (Family::<OriginLabel, Counter>::default(), Family::<OriginLabel, Counter>::default());
        let metrics = Self {
            arrived: Arc::default(),
            response_times: ByOrigin::new(|label| response_times.get_or_create_owned(label)),
            refused: ByOrigin::new(|label| refused.get_or_create_owned(label)),
            errors: ByOrigin::new(|label| errors.get_or_create_owned(label)),
            recent: Arc::default(),
        };
        registry.register(
            names::WEBAPP_REQUEST_DURATION_SECONDS,
            "Response time of admitted and completed jobs by origin",
            response_times,
        );
        registry.register(names::WEBAPP_REFUSED_TOTAL, "Jobs refused because the queue was full", refused);
        registry.register(names::WEBAPP_ERRORS_TOTAL, "Jobs that were served and failed", errors);
        let of = metrics.clone();
        registry.register(
            names::WEBAPP_RESPONSE_TIME_SECONDS,
            "Mean response time of the jobs completed in the last 5 s",
            OnScrape::gauge(move || of.recent(clock.now()).mean_seconds),
        );
        let of = metrics.clone();
        registry.register(
            names::WEBAPP_REQUEST_COUNT,
            "Jobs completed in the last 5 s",
            OnScrape::gauge(move || of.recent(clock.now()).count as f64),
        );
        let of = metrics.clone();
        registry.register(
            names::WEBAPP_TOTAL_REQUESTS,
            "Jobs that arrived since the start",
            OnScrape::unknown(move || of.arrivals() as f64),
        );
        metrics
    }

    pub(crate) fn arrived(&self) {
        self.arrived.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn arrivals(&self) -> u64 {
        self.arrived.load(Ordering::Relaxed)
    }

    pub(crate) fn refused(&self, origin: Origin) {
        self.refused.of(origin).inc();
    }

    pub(crate) fn refusals(&self) -> u64 {
        Origin::ALL.iter().map(|origin| self.refused.of(*origin).get()).sum()
    }

    pub(crate) fn errors(&self) -> u64 {
        Origin::ALL.iter().map(|origin| self.errors.of(*origin).get()).sum()
    }

    pub(crate) fn completed(
        &self,
        origin: Origin,
        now: Duration,
        response_time: Duration,
        succeeded: bool,
        span: Option<&Span>,
    ) {
        self.response_times.of(origin).observe(response_time.as_secs_f64(), span);
        self.recent.lock().record(now, response_time);
        if !succeeded {
            self.errors.of(origin).inc();
        }
    }

    pub(crate) fn recent(&self, now: Duration) -> recent::Summary {
        self.recent.lock().summary(now)
    }
}

/// The calls to the dependency.
#[derive(Clone, Debug)]
pub(crate) struct DependencyMetrics {
    wait: TracedHistogram,
    succeeded: TracedHistogram,
    failed: TracedHistogram,
}

impl DependencyMetrics {
    pub(crate) fn register(registry: &mut MetricsRegistry) -> Self {
        let wait = TracedHistogram::new(RESPONSE_TIME_SECONDS);
        let calls: Family<ResultLabel, TracedHistogram, _> =
            Family::new_with_constructor(NewTracedHistogram(&HTTP_DURATION_SECONDS));
        let metrics = Self {
            wait: wait.clone(),
            succeeded: calls.get_or_create_owned(&ResultLabel { result: "success" }),
            failed: calls.get_or_create_owned(&ResultLabel { result: "failure" }),
        };
        registry.register(
            names::WEBAPP_DEPENDENCY_WAIT_SECONDS,
            "Time a job waited for a connection of the dependency pool",
            wait,
        );
        registry.register(
            names::WEBAPP_DEPENDENCY_DURATION_SECONDS,
            "Time of a call to the dependency by result",
            calls,
        );
        metrics
    }

    /// A job of this span has got its connection.
    pub(crate) fn waited(&self, wait: Duration, span: Option<&Span>) {
        self.wait.observe(wait.as_secs_f64(), span);
    }

    /// A call of a job of this span has ended.
    pub(crate) fn called(&self, took: Duration, succeeded: bool, span: Option<&Span>) {
        let calls = if succeeded { &self.succeeded } else { &self.failed };
        calls.observe(took.as_secs_f64(), span);
    }
}

/// Orders and purchases.
#[derive(Clone, Debug)]
pub(crate) struct ShopMetrics {
    orders: Counter,
    value_dollars: Histogram,
}

impl ShopMetrics {
    pub(crate) fn register(registry: &mut MetricsRegistry) -> Self {
        let metrics = Self { orders: Counter::default(), value_dollars: Histogram::new(ORDER_VALUE_DOLLARS) };
        registry.register(names::ORDERS_TOTAL, "Orders placed and purchases made", metrics.orders.clone());
        registry.register(
            names::ORDER_VALUE_DOLLARS,
            "Value of an order or purchase in dollars",
            metrics.value_dollars.clone(),
        );
        metrics
    }

    pub(crate) fn ordered(&self, value_dollars: f64) {
        self.orders.inc();
        self.value_dollars.observe(value_dollars);
    }

    pub(crate) fn orders(&self) -> u64 {
        self.orders.get()
    }
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
    if app.replica.dependency().is_some() {
        gauge(names::WEBAPP_DEPENDENCY_CONNECTIONS_BUSY, "Connections of the pool in use", |app| {
            app.replica.dependency().map_or(0.0, |dependency| dependency.connections_busy() as f64)
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
