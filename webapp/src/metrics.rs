//! What a replica exposes: its jobs, its queue, its dependency, its orders.

mod recent;
mod synthetic;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use observability::buckets::{HTTP_DURATION_SECONDS, ORDER_VALUE_DOLLARS, RESPONSE_TIME_SECONDS};
use observability::http::request_counts::RequestCounts;
use observability::metrics::{MetricsRegistry, OnScrape, TracedHistogram};
use observability::names;
use observability::traces::Span;
use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::histogram::Histogram;

use crate::clock::RunClock;
use crate::origin::Origin;
use recent::RecentJobs;
use synthetic::SyntheticRequests;

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
    synthetic: SyntheticRequests,
}

impl JobMetrics {
    pub(crate) fn register(
        registry: &mut MetricsRegistry,
        clock: RunClock,
        requests: &RequestCounts,
    ) -> Self {
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
            synthetic: SyntheticRequests::new(requests),
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

    /// A job arrived; its end is told by [`Self::refused`] or [`Self::completed`].
    pub(crate) fn arrived(&self, origin: Origin) {
        self.arrived.fetch_add(1, Ordering::Relaxed);
        if origin == Origin::Synthetic {
            self.synthetic.entered();
        }
    }

    pub(crate) fn arrivals(&self) -> u64 {
        self.arrived.load(Ordering::Relaxed)
    }

    pub(crate) fn refused(&self, origin: Origin, status: StatusCode) {
        self.refused.of(origin).inc();
        if origin == Origin::Synthetic {
            self.synthetic.left(status);
        }
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
        status: StatusCode,
        span: Option<&Span>,
    ) {
        if origin == Origin::Synthetic {
            self.synthetic.left(status);
        }
        self.response_times.of(origin).observe(response_time.as_secs_f64(), span);
        self.recent.lock().record(now, response_time);
        if !status.is_success() {
            self.errors.of(origin).inc();
        }
    }

    /// Synthetic jobs that wait or are worked on.
    pub(crate) fn synthetic_inside(&self) -> u64 {
        self.synthetic.inside()
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
