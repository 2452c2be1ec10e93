//! Counts what the scaler does, for its own `/metrics`.

mod known_gauge;

use std::sync::atomic::AtomicU64;

use observability::metrics::MetricsRegistry;
use observability::names;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use scaler_engine::{Action, Decision, Limit, Reason, Signal};

use self::known_gauge::KnownGauge;
use crate::actuators::ScaleReport;
use crate::sources::ScrapeCount;
use crate::status::Status;

/// Seconds; a look at one replica takes milliseconds, at fifty slow ones seconds.
const SCRAPE_BOUNDS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5];

/// Seconds; a process is there in a tenth of one, a container in some.
const ACTUATOR_BOUNDS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    action: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    limit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SignalLabels {
    signal: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ThresholdLabels {
    signal: String,
    direction: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

type FloatGauge = Gauge<f64, AtomicU64>;

/// The `scaler_*` families of one service.
#[derive(Debug)]
pub(crate) struct ScalerMetrics {
    registry: MetricsRegistry,
    desired: Gauge,
    current: Gauge,
    ready: KnownGauge,
    min: Gauge,
    max: Gauge,
    paused: Gauge,
    decisions: Family<DecisionLabels, Counter>,
    limited: Family<LimitLabels, Counter>,
    signal_values: Family<SignalLabels, FloatGauge>,
    signal_ages: Family<SignalLabels, FloatGauge>,
    thresholds: Family<ThresholdLabels, FloatGauge>,
    scrapes: Family<ResultLabels, Counter>,
    scrape_duration: Histogram,
    actuator_duration: Family<ResultLabels, Histogram, fn() -> Histogram>,
    actuator_errors: Counter,
}

impl ScalerMetrics {
    /// The families of one service, labelled with its name where one process watches several.
    pub(crate) fn new(service_label: Option<&str>) -> Self {
        let labels = service_label.map(|service| ("service", service.to_owned()));
        let mut registry = MetricsRegistry::with_labels(labels.into_iter().collect());
        let actuator_duration: Family<ResultLabels, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(ACTUATOR_BOUNDS));
        let metrics = Self {
            desired: Gauge::default(),
            current: Gauge::default(),
            ready: KnownGauge::default(),
            min: Gauge::default(),
            max: Gauge::default(),
            paused: Gauge::default(),
            decisions: Family::default(),
            limited: Family::default(),
            signal_values: Family::default(),
            signal_ages: Family::default(),
            thresholds: Family::default(),
            scrapes: Family::default(),
            scrape_duration: Histogram::new(SCRAPE_BOUNDS),
            actuator_duration,
            actuator_errors: Counter::default(),
            registry: MetricsRegistry::default(),
        };
        metrics.start_series_at_zero();
        metrics.register_into(&mut registry);
        Self { registry, ..metrics }
    }

    /// A series that appears only with its first event would hide that event from every rate.
    fn start_series_at_zero(&self) {
        for action in [Action::Up, Action::Down, Action::Hold].map(Action::name) {
            for reason in Reason::codes() {
                drop(self.decisions.get_or_create_owned(&DecisionLabels { action, reason }));
            }
        }
        for limit in Limit::ALL {
            drop(self.limited.get_or_create_owned(&LimitLabels { limit: limit.name() }));
        }
        for result in ["ok", "failed"] {
            drop(self.scrapes.get_or_create_owned(&ResultLabels { result }));
            drop(self.actuator_duration.get_or_create_owned(&ResultLabels { result }));
        }
    }

    fn register_into(&self, registry: &mut MetricsRegistry) {
        for (name, help, gauge) in [
            (names::SCALER_DESIRED_REPLICAS, "Replicas that the scaler wants", &self.desired),
            (names::SCALER_CURRENT_REPLICAS, "Replicas that exist", &self.current),
            (names::SCALER_MIN_REPLICAS, "Fewest replicas allowed", &self.min),
            (names::SCALER_MAX_REPLICAS, "Most replicas allowed", &self.max),
            (names::SCALER_PAUSED, "1 while automatic actions are off", &self.paused),
        ] {
            registry.register(name, help, gauge.clone());
        }
        registry.register(
            names::SCALER_READY_REPLICAS,
            "Replicas that receive requests; absent while the gateway does not say which do",
            self.ready.clone(),
        );
        registry.register(
            names::SCALER_DECISIONS_TOTAL,
            "Decisions by action and reason",
            self.decisions.clone(),
        );
        registry.register(
            names::SCALER_LIMITED_TOTAL,
            "Decisions that a limit changed",
            self.limited.clone(),
        );
        registry.register(
            names::SCALER_SIGNAL_VALUE,
            "Last value of each signal, in the signal's own unit",
            self.signal_values.clone(),
        );
        registry.register(
            names::SCALER_SIGNAL_AGE_SECONDS,
            "Age of each signal's last value in seconds",
            self.signal_ages.clone(),
        );
        registry.register(
            names::SCALER_THRESHOLD,
            "Value of a signal at which the policy acts, in the signal's own unit and for the whole service",
            self.thresholds.clone(),
        );
        registry.register(
            names::SCALER_SCRAPES_TOTAL,
            "Requests for signals by result: one to each replica, or the queries to Prometheus",
            self.scrapes.clone(),
        );
        registry.register(
            names::SCALER_SCRAPE_DURATION_SECONDS,
            "Time from a look's first request for signals to its last answer in seconds",
            self.scrape_duration.clone(),
        );
        registry.register(
            names::SCALER_ACTUATOR_DURATION_SECONDS,
            "Time until the actuator's count was read back, by result, in seconds",
            self.actuator_duration.clone(),
        );
        registry.register(
            names::SCALER_ACTUATOR_ERRORS_TOTAL,
            "Actions that the actuator could not carry out",
            self.actuator_errors.clone(),
        );
    }

    pub(crate) fn registry(&self) -> &MetricsRegistry {
        &self.registry
    }

    /// Shows what a status shows.
    pub(crate) fn show(&self, status: &Status) {
        let replicas = status.replicas;
        self.desired.set(replicas.desired.into());
        self.current.set(replicas.current.into());
        self.ready.set(replicas.ready);
        self.min.set(replicas.min.into());
        self.max.set(replicas.max.into());
        self.paused.set(status.paused.into());
        for threshold in &status.policy.thresholds {
            let (signal, direction) = (threshold.signal.to_string(), threshold.direction.name());
            self.thresholds.get_or_create_owned(&ThresholdLabels { signal, direction }).set(threshold.value);
        }
        for signal in Signal::ALL {
            let labels = SignalLabels { signal: signal.name() };
            if let Some(reading) = status.signals.get(&signal) {
                self.signal_values.get_or_create_owned(&labels).set(reading.value.unwrap_or(f64::NAN));
                self.signal_ages.get_or_create_owned(&labels).set(reading.age_seconds);
            } else {
                // No series, rather than the last value for ever.
                self.signal_values.remove(&labels);
                self.signal_ages.remove(&labels);
            }
        }
    }

    pub(crate) fn count_scrapes(&self, count: ScrapeCount) {
        self.scrapes.get_or_create_owned(&ResultLabels { result: "ok" }).inc_by(count.ok.into());
        self.scrapes.get_or_create_owned(&ResultLabels { result: "failed" }).inc_by(count.failed.into());
        self.scrape_duration.observe(count.took.as_secs_f64());
    }

    pub(crate) fn count_decision(&self, decision: &Decision) {
        let labels = DecisionLabels { action: decision.action.name(), reason: decision.reason.code() };
        self.decisions.get_or_create_owned(&labels).inc();
        if let Some(limit) = decision.limited_by {
            self.limited.get_or_create_owned(&LimitLabels { limit: limit.name() }).inc();
        }
    }

    pub(crate) fn count_action(&self, report: &ScaleReport) {
        let result = if report.succeeded() { "ok" } else { "failed" };
        self.actuator_duration
            .get_or_create_owned(&ResultLabels { result })
            .observe(report.took.as_secs_f64());
        if !report.succeeded() {
            self.actuator_errors.inc();
        }
    }
}
