//! A level as the file has it: durations in seconds, histograms as pairs of value and count, and a summary to read.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::honesty::Flaw;
use crate::level::{Level, LevelVerdict};
use crate::measurement::failure_kind::FailureKind;
use crate::measurement::request_error::RequestError;
use crate::measurement::{Measurement, MeasurementPart, SIGNIFICANT_DIGITS};

/// Longest response time that a file may hold, one hour; it bounds the memory of a histogram that is read.
const LONGEST_MICROS: u64 = 3_600_000_000;

/// A histogram's values in microseconds with their counts, shortest first; empty buckets are left out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct SparseHistogram(Vec<(u64, u64)>);

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FailureCount {
    kind: FailureKind,
    count: u64,
}

/// How often one request had one error.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestErrorCount {
    /// Its place among the target's requests; null for what was due and had not become a request of users yet.
    request: Option<usize>,
    error: RequestError,
    count: u64,
}

/// Writes the levels of a curve; for `#[serde(with = …)]`.
pub(crate) fn serialize<S: Serializer>(levels: &[Level], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(levels.iter().map(LevelDocument::from))
}

/// Reads the levels of a curve; for `#[serde(with = …)]`.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Level>, D::Error> {
    let levels = Vec::<ReadLevel>::deserialize(deserializer)?;
    Ok(levels.into_iter().map(|ReadLevel(level)| level).collect())
}

/// A level as it is read: element by element, so an error names the place of its level.
#[derive(Deserialize)]
#[serde(try_from = "LevelDocument")]
struct ReadLevel(Level);

/// One level in the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelDocument {
    number: u32,
    offered_rps: f64,
    verdict: LevelVerdict,
    flaws: Vec<Flaw>,
    /// Made of the other fields, for readers without a library for histograms; not read back.
    #[serde(skip_deserializing)]
    summary: Option<Summary>,
    #[serde(rename = "summary", skip_serializing, default)]
    _summary: Option<IgnoredAny>,
    warm_up_seconds: f64,
    measured_seconds: f64,
    scheduled: u64,
    sent: u64,
    unsent: u64,
    /// As the other fields with a default, not in files of before it was measured.
    #[serde(default)]
    unsent_by_generator: u64,
    succeeded: u64,
    refused: u64,
    failures: Vec<FailureCount>,
    #[serde(default)]
    ended_late: u64,
    #[serde(default)]
    late_errors: u64,
    #[serde(default)]
    errors_by_request: Vec<RequestErrorCount>,
    #[serde(default)]
    repeated: u64,
    mean_in_flight: f64,
    #[serde(default)]
    mean_refused_in_flight: f64,
    generator_cpu_cores: Option<f64>,
    /// Answers and their mean in microseconds, for each part of the measured time.
    parts: Vec<(u64, f64)>,
    from_intended_micros: SparseHistogram,
    from_sent_micros: SparseHistogram,
    send_lateness_micros: SparseHistogram,
    #[serde(default)]
    generator_lateness_micros: SparseHistogram,
}

#[derive(Clone, Debug, Serialize)]
struct Summary {
    throughput_rps: f64,
    error_share: f64,
    mean_ms: f64,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

impl From<&Level> for LevelDocument {
    fn from(level: &Level) -> Self {
        let measurement = &level.measurement;
        let histogram = &measurement.from_intended_micros;
        let milliseconds = |share| histogram.value_at_quantile(share) as f64 / 1000.0;
        let summary = Summary {
            throughput_rps: measurement.throughput_rps(),
            error_share: level.error_share(),
            mean_ms: histogram.mean() / 1000.0,
            p50_ms: milliseconds(0.50),
            p95_ms: milliseconds(0.95),
            p99_ms: milliseconds(0.99),
            max_ms: histogram.max() as f64 / 1000.0,
        };
        Self {
            number: level.number,
            offered_rps: measurement.offered_rps,
            verdict: level.verdict,
            summary: Some(summary),
            _summary: None,
            warm_up_seconds: level.warm_up.as_secs_f64(),
            measured_seconds: measurement.measured.as_secs_f64(),
            scheduled: measurement.scheduled,
            sent: measurement.sent,
            unsent: measurement.unsent,
            unsent_by_generator: measurement.unsent_by_generator,
            succeeded: measurement.succeeded,
            refused: measurement.refused,
            failures: measurement
                .failures
                .iter()
                .map(|(kind, count)| FailureCount { kind: *kind, count: *count })
                .collect(),
            ended_late: measurement.ended_late,
            late_errors: measurement.late_errors,
            errors_by_request: measurement
                .errors_by_request
                .iter()
                .map(|((request, error), count)| RequestErrorCount {
                    request: *request,
                    error: *error,
                    count: *count,
                })
                .collect(),
            repeated: measurement.repeated,
            mean_in_flight: measurement.mean_in_flight,
            mean_refused_in_flight: measurement.mean_refused_in_flight,
            generator_cpu_cores: measurement.generator_cpu_cores,
            parts: measurement
                .parts
                .iter()
                .map(|part| (part.answered, part.mean_from_intended_micros))
                .collect(),
            from_intended_micros: SparseHistogram::from(histogram),
            from_sent_micros: SparseHistogram::from(&measurement.from_sent_micros),
            send_lateness_micros: SparseHistogram::from(&measurement.send_lateness_micros),
            generator_lateness_micros: SparseHistogram::from(&measurement.generator_lateness_micros),
            flaws: level.flaws.clone(),
        }
    }
}

impl TryFrom<LevelDocument> for ReadLevel {
    type Error = String;

    fn try_from(document: LevelDocument) -> Result<Self, String> {
        let seconds = |field: &str, value: f64| {
            Duration::try_from_secs_f64(value)
                .map_err(|_| format!("`{field}` is {value}, expected seconds of at least 0"))
        };
        let histogram = |field: &str, sparse: &SparseHistogram| {
            sparse.to_histogram().map_err(|problem| format!("`{field}` {problem}"))
        };
        for (field, value) in [
            ("offered_rps", document.offered_rps),
            ("mean_in_flight", document.mean_in_flight),
            ("mean_refused_in_flight", document.mean_refused_in_flight),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(format!("`{field}` is {value}, expected a number of at least 0"));
            }
        }
        if document.offered_rps <= 0.0 || document.measured_seconds <= 0.0 {
            return Err("`offered_rps` and `measured_seconds` are expected to be more than 0".to_owned());
        }
        if let Some((_, mean)) = document.parts.iter().find(|(_, mean)| !(mean.is_finite() && *mean >= 0.0)) {
            return Err(format!("`parts` has a mean of {mean}, expected microseconds of at least 0"));
        }
        if document.flaws.is_empty() == (document.verdict == LevelVerdict::Void) {
            return Err(
                "`verdict` is expected to be `void` where `flaws` says why, and nowhere else".to_owned()
            );
        }
        let measurement = Measurement {
            offered_rps: document.offered_rps,
            measured: seconds("measured_seconds", document.measured_seconds)?,
            scheduled: document.scheduled,
            sent: document.sent,
            unsent: document.unsent,
            unsent_by_generator: document.unsent_by_generator,
            succeeded: document.succeeded,
            refused: document.refused,
            failures: document.failures.iter().map(|failure| (failure.kind, failure.count)).collect(),
            ended_late: document.ended_late,
            late_errors: document.late_errors,
            errors_by_request: document
                .errors_by_request
                .iter()
                .map(|counted| ((counted.request, counted.error), counted.count))
                .collect(),
            repeated: document.repeated,
            from_intended_micros: histogram("from_intended_micros", &document.from_intended_micros)?,
            from_sent_micros: histogram("from_sent_micros", &document.from_sent_micros)?,
            send_lateness_micros: histogram("send_lateness_micros", &document.send_lateness_micros)?,
            generator_lateness_micros: histogram(
                "generator_lateness_micros",
                &document.generator_lateness_micros,
            )?,
            mean_in_flight: document.mean_in_flight,
            mean_refused_in_flight: document.mean_refused_in_flight,
            parts: document
                .parts
                .iter()
                .map(|(answered, mean)| MeasurementPart {
                    answered: *answered,
                    mean_from_intended_micros: *mean,
                })
                .collect(),
            generator_cpu_cores: document.generator_cpu_cores,
        };
        Ok(Self(Level {
            number: document.number,
            warm_up: seconds("warm_up_seconds", document.warm_up_seconds)?,
            measurement,
            flaws: document.flaws,
            verdict: document.verdict,
        }))
    }
}

impl From<&Histogram<u64>> for SparseHistogram {
    fn from(histogram: &Histogram<u64>) -> Self {
        Self(
            histogram
                .iter_recorded()
                .map(|bucket| (bucket.value_iterated_to(), bucket.count_at_value()))
                .collect(),
        )
    }
}

impl SparseHistogram {
    fn to_histogram(&self) -> Result<Histogram<u64>, String> {
        let mut histogram = Histogram::new(SIGNIFICANT_DIGITS).expect("three digits are few enough");
        let mut before = None;
        for &(value, count) in &self.0 {
            if value > LONGEST_MICROS {
                return Err(format!("has the value {value}, expected at most {LONGEST_MICROS} µs"));
            }
            if before.is_some_and(|before| value <= before) || count == 0 {
                return Err(format!(
                    "has the pair [{value}, {count}], expected growing values, each with a count above 0"
                ));
            }
            before = Some(value);
            histogram.record_n(value, count).map_err(|error| format!("has the value {value}: {error}"))?;
        }
        Ok(histogram)
    }
}
