//! Counts what the load generator does, for Prometheus: every request of the process, the ramp-up's included.
//!
//! The result of a run covers a window of known length; counters must never go back, so they are kept apart from it.

use std::sync::Arc;
use std::time::Duration;

use loadgen_baseline::{FailureKind, RequestOutcome};
use observability::buckets::RESPONSE_TIME_SECONDS;
use observability::metrics::{MetricsRegistry, TracedHistogram};
use observability::names;
use observability::traces::Span;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

/// The `loadgen_*` and `process_*` families of one process; clones are handles to the same ones.
#[derive(Clone, Debug)]
pub struct LoadMetrics {
    registry: Arc<MetricsRegistry>,
    users: Gauge,
    scheduled: Counter,
    sent: Counter,
    requests: Family<ResultLabel, Counter>,
    duration: TracedHistogram,
}

impl Default for LoadMetrics {
    fn default() -> Self {
        let mut registry = MetricsRegistry::with_process_metrics();
        let (users, scheduled, sent) = (Gauge::default(), Counter::default(), Counter::default());
        let requests = Family::<ResultLabel, Counter>::default();
        let duration = TracedHistogram::new(RESPONSE_TIME_SECONDS);
        // A series that appears only with its first event would hide that event from every rate.
        for outcome in [RequestOutcome::Succeeded, RequestOutcome::Refused]
            .into_iter()
            .chain(FailureKind::EACH.into_iter().map(RequestOutcome::Failed))
        {
            drop(requests.get_or_create_owned(&ResultLabel { result: code(outcome) }));
        }
        registry.register(names::LOADGEN_USERS, "Virtual users that act", users.clone());
        registry.register(names::LOADGEN_SCHEDULED_TOTAL, "Requests that were due", scheduled.clone());
        registry.register(names::LOADGEN_SENT_TOTAL, "Requests that were sent", sent.clone());
        registry.register(names::LOADGEN_REQUESTS_TOTAL, "Requests that ended, by result", requests.clone());
        registry.register(
            names::LOADGEN_REQUEST_DURATION_SECONDS,
            "Time from a request's intended start to the last byte of its answer in seconds",
            duration.clone(),
        );
        Self { registry: Arc::new(registry), users, scheduled, sent, requests, duration }
    }
}

impl LoadMetrics {
    /// What a scrape is answered from.
    pub fn registry(&self) -> &MetricsRegistry {
        &self.registry
    }

    /// So many users act.
    pub(crate) fn users(&self, count: usize) {
        self.users.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// A request is due and sent at once, or was due and is given up.
    pub(crate) fn request_due(&self) {
        self.scheduled.inc();
    }

    /// A request is sent now.
    pub(crate) fn request_sent(&self) {
        self.sent.inc();
    }

    /// A request has ended, so long after its intended start; its span, if it has one, becomes an exemplar.
    pub(crate) fn request_ended(
        &self,
        outcome: RequestOutcome,
        since_intended: Duration,
        span: Option<&Span>,
    ) {
        self.requests.get_or_create_owned(&ResultLabel { result: code(outcome) }).inc();
        if outcome.has_latency() {
            self.duration.observe(since_intended.as_secs_f64(), span);
        }
    }
}

/// The label `result`: one of few.
fn code(outcome: RequestOutcome) -> &'static str {
    match outcome {
        RequestOutcome::Succeeded => "ok",
        RequestOutcome::Refused => "refused",
        RequestOutcome::Failed(kind) => kind.code(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use loadgen_baseline::{FailureKind, RequestOutcome};
    use observability::metrics::{Selection, TextFormat};

    use super::LoadMetrics;

    fn exposed(metrics: &LoadMetrics) -> String {
        metrics.registry().encode(&Selection::All, TextFormat::Classic)
    }

    #[track_caller]
    fn assert_has(metrics: &LoadMetrics, lines: &[&str]) {
        let text = exposed(metrics);
        for line in lines {
            assert!(text.lines().any(|found| found == *line), "`{line}` is missing from:\n{text}");
        }
    }

    #[test]
    fn every_series_is_there_before_its_first_event() {
        let metrics = LoadMetrics::default();
        assert_has(
            &metrics,
            &[
                "loadgen_users 0",
                "loadgen_scheduled_total 0",
                "loadgen_sent_total 0",
                r#"loadgen_requests_total{result="ok"} 0"#,
                r#"loadgen_requests_total{result="refused"} 0"#,
                r#"loadgen_requests_total{result="timeout"} 0"#,
                "loadgen_request_duration_seconds_count 0",
            ],
        );
        let before = exposed(&metrics).lines().filter(|line| line.starts_with("loadgen_")).count();
        for status in [300, 404, 500, 599] {
            let failure = RequestOutcome::Failed(FailureKind::Status(status));
            metrics.request_ended(failure, Duration::from_millis(20), None);
        }
        let after = exposed(&metrics).lines().filter(|line| line.starts_with("loadgen_")).count();
        assert_eq!(before, after, "no series for each status:\n{}", exposed(&metrics));
    }

    #[test]
    fn what_has_no_response_time_is_counted_and_left_out_of_the_histogram() {
        let metrics = LoadMetrics::default();
        metrics.users(2);
        metrics.users(1);
        for outcome in [
            RequestOutcome::Succeeded,
            RequestOutcome::Failed(FailureKind::Status(500)),
            RequestOutcome::Refused,
            RequestOutcome::Failed(FailureKind::TimedOut),
        ] {
            metrics.request_due();
            metrics.request_sent();
            metrics.request_ended(outcome, Duration::from_millis(250), None);
        }
        assert_has(
            &metrics,
            &[
                "loadgen_users 1",
                "loadgen_scheduled_total 4",
                "loadgen_sent_total 4",
                r#"loadgen_requests_total{result="ok"} 1"#,
                r#"loadgen_requests_total{result="refused"} 1"#,
                r#"loadgen_requests_total{result="status"} 1"#,
                r#"loadgen_requests_total{result="timeout"} 1"#,
                r#"loadgen_request_duration_seconds_bucket{le="0.2"} 0"#,
                r#"loadgen_request_duration_seconds_bucket{le="0.25"} 2"#,
                "loadgen_request_duration_seconds_count 2",
            ],
        );
    }
}
