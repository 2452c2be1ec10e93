//! Picks what the signals need out of one replica's metrics.

use std::time::Duration;

use observability::names;
use scaler_signals::{NamedFigures, ReplicaFigures};

use super::named_family::NamedFamily;
use crate::sources::exposition::{self, ExpositionError, Sample};

/// The families that a replica is asked for.
pub(super) const FAMILIES: [&str; 16] = [
    names::WEBAPP_REQUEST_DURATION_SECONDS,
    names::WEBAPP_TOTAL_REQUESTS,
    names::WEBAPP_REFUSED_TOTAL,
    names::WEBAPP_ERRORS_TOTAL,
    names::WEBAPP_QUEUE_DEPTH,
    names::WEBAPP_WORKERS,
    names::WEBAPP_WORKERS_BUSY,
    names::WEBAPP_WORKERS_BUSY_SECONDS_TOTAL,
    names::WEBAPP_DEPENDENCY_WAIT_SECONDS,
    names::WEBAPP_LOAD_FACTOR,
    names::WEBAPP_FAULT_LATENCY_SECONDS,
    names::WEBAPP_FAULT_ERROR_RATIO,
    names::WEBAPP_FAULT_UNREADY,
    names::PROCESS_CPU_SECONDS_TOTAL,
    names::PROCESS_RESIDENT_MEMORY_BYTES,
    names::PROCESS_START_TIME_SECONDS,
];

/// More bounds than this have no histogram of the lab; further ones are not read.
const BOUNDS_MAX: usize = 64;

/// What one replica showed at one scrape, summed over its labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Scraped {
    /// What signals are computed from.
    pub(super) figures: ReplicaFigures,
    pub(super) load_factor: Option<f64>,
    /// What the switched-on fault `latency` adds to each service time; 0 while it is off.
    pub(super) fault_latency_seconds: f64,
    /// Share of jobs that the fault `errors` lets fail; 0 while it is off.
    pub(super) fault_error_ratio: f64,
    /// 1 while the fault `unready` is on.
    pub(super) fault_unready: f64,
    /// The metrics with open names that were asked for, in that order.
    pub(super) named: Vec<NamedFigures>,
}

/// Metrics that a scrape cannot be made of.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum FamilyError {
    #[error(transparent)]
    Exposition(#[from] ExpositionError),
    #[error("the metrics have no `{0}`, expected those of a webapp")]
    Missing(&'static str),
    #[error("`{name}` is {value}, expected a finite number of at least 0")]
    NotAQuantity { name: String, value: f64 },
}

impl Scraped {
    /// Reads a text into this value, keeping the memory it already has.
    pub(super) fn read(&mut self, text: &str, wanted: &[NamedFamily]) -> Result<(), FamilyError> {
        let (mut bounds, mut buckets) =
            (std::mem::take(&mut self.figures.bounds), std::mem::take(&mut self.figures.buckets));
        let mut named = std::mem::take(&mut self.named);
        bounds.clear();
        buckets.clear();
        named.clear();
        named.resize(wanted.len(), NamedFigures::default());
        let figures = ReplicaFigures { bounds, buckets, ..ReplicaFigures::default() };
        *self = Self { figures, named, ..Self::default() };
        let (mut has_durations, mut unusable) = (false, None);
        exposition::read(text, |sample| {
            // Counts, times, bytes: none of what is read can be negative, and one that is would make others too low.
            let is_unusable = !sample.value.is_finite() || sample.value < 0.0;
            if is_unusable && FAMILIES.iter().any(|family| sample.name.starts_with(family)) {
                unusable = Some((sample.name, sample.value));
            }
            for (family, figures) in wanted.iter().zip(&mut self.named) {
                family.take(sample, figures);
            }
            has_durations |= self.take(sample);
        })?;
        if let Some((name, value)) = unusable {
            return Err(FamilyError::NotAQuantity { name: name.chars().take(80).collect(), value });
        }
        if !has_durations {
            return Err(FamilyError::Missing(names::WEBAPP_REQUEST_DURATION_SECONDS));
        }
        Ok(())
    }

    /// Returns whether the sample was the count of response times, without which there is no scrape.
    fn take(&mut self, sample: &Sample<'_>) -> bool {
        let value = sample.value;
        let figures = &mut self.figures;
        if let Some(part) = sample.name.strip_prefix(names::WEBAPP_REQUEST_DURATION_SECONDS) {
            match part {
                "_bucket" => self.add_bucket(sample),
                "_sum" => figures.duration_sum += value,
                "_count" => {
                    figures.duration_count += value;
                    return true;
                }
                _ => {}
            }
            return false;
        }
        if let Some(part) = sample.name.strip_prefix(names::WEBAPP_DEPENDENCY_WAIT_SECONDS) {
            match part {
                "_sum" => figures.dependency_wait_sum += value,
                "_count" => figures.dependency_wait_count += value,
                _ => {}
            }
            return false;
        }
        match sample.name {
            names::WEBAPP_TOTAL_REQUESTS => figures.arrived += value,
            names::WEBAPP_REFUSED_TOTAL => figures.refused += value,
            names::WEBAPP_ERRORS_TOTAL => figures.errors += value,
            names::WEBAPP_QUEUE_DEPTH => figures.queue_depth += value,
            names::WEBAPP_WORKERS => figures.workers += value,
            names::WEBAPP_WORKERS_BUSY => figures.workers_busy += value,
            names::WEBAPP_WORKERS_BUSY_SECONDS_TOTAL => figures.busy_seconds += value,
            names::WEBAPP_LOAD_FACTOR => self.load_factor = Some(value),
            names::WEBAPP_FAULT_LATENCY_SECONDS => self.fault_latency_seconds = value,
            names::WEBAPP_FAULT_ERROR_RATIO => self.fault_error_ratio = value,
            names::WEBAPP_FAULT_UNREADY => self.fault_unready = value,
            names::PROCESS_CPU_SECONDS_TOTAL => figures.cpu_seconds += value,
            names::PROCESS_RESIDENT_MEMORY_BYTES => figures.memory_bytes += value,
            names::PROCESS_START_TIME_SECONDS => figures.started_at = Duration::try_from_secs_f64(value).ok(),
            _ => {}
        }
        false
    }

    /// The faults that are switched on, in words.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.fault_latency_seconds > 0.0 {
            faults.push(format!("latency +{:.0} ms", self.fault_latency_seconds * 1000.0));
        }
        if self.fault_error_ratio > 0.0 {
            faults.push(format!("errors {} %", (self.fault_error_ratio * 1000.0).round() / 10.0));
        }
        if self.fault_unready > 0.0 {
            faults.push("unready".to_owned());
        }
        faults
    }

    fn add_bucket(&mut self, sample: &Sample<'_>) {
        let bound = match sample.label("le").as_deref() {
            Some("+Inf") => f64::INFINITY,
            Some(text) => match text.parse() {
                Ok(bound) => bound,
                Err(_) => return,
            },
            None => return,
        };
        let figures = &mut self.figures;
        // Each origin writes its own buckets in rising order, so after the first origin all places are known.
        let place = figures.bounds.partition_point(|known| *known < bound);
        if figures.bounds.get(place).is_some_and(|known| known.to_bits() == bound.to_bits()) {
            figures.buckets[place] += sample.value;
        } else if figures.bounds.len() < BOUNDS_MAX {
            figures.bounds.insert(place, bound);
            figures.buckets.insert(place, sample.value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_origins_are_summed_and_exemplars_ignored() {
        let text = concat!(
            "webapp_request_duration_seconds_sum{origin=\"user\"} 1.5\n",
            "webapp_request_duration_seconds_count{origin=\"user\"} 3\n",
            "webapp_request_duration_seconds_bucket{le=\"0.5\",origin=\"user\"} 2 # {trace_id=\"ab\"} 0.4\n",
            "webapp_request_duration_seconds_bucket{le=\"+Inf\",origin=\"user\"} 3\n",
            "webapp_request_duration_seconds_sum{origin=\"synthetic\"} 0.5\n",
            "webapp_request_duration_seconds_count{origin=\"synthetic\"} 1\n",
            "webapp_request_duration_seconds_bucket{le=\"0.5\",origin=\"synthetic\"} 1\n",
            "webapp_request_duration_seconds_bucket{le=\"+Inf\",origin=\"synthetic\"} 1\n",
            "webapp_refused_total{origin=\"user\"} 4\nwebapp_refused_total{origin=\"synthetic\"} 5\n",
            "process_start_time_seconds 1700000000.25\nsomething_else 9\n# EOF\n",
        );
        let stale = ReplicaFigures { errors: 7.0, bounds: vec![9.0], ..ReplicaFigures::default() };
        let mut scraped = Scraped { figures: stale, ..Scraped::default() };
        scraped.read(text, &[]).unwrap();
        let expected = ReplicaFigures {
            duration_sum: 2.0,
            duration_count: 4.0,
            bounds: vec![0.5, f64::INFINITY],
            buckets: vec![3.0, 4.0],
            refused: 9.0,
            started_at: Some(Duration::from_millis(1_700_000_000_250)),
            ..ReplicaFigures::default()
        };
        let expected = Scraped { figures: expected, ..Scraped::default() };
        assert_eq!(scraped, expected, "and nothing is left of what was read before");
    }

    #[test]
    fn faults_are_read_and_said_in_words() {
        let mut scraped = Scraped::default();
        let count = "webapp_request_duration_seconds_count 0\n";
        for (metrics, words) in [
            ("", &[][..]),
            ("webapp_fault_latency_seconds 0.2\nwebapp_fault_error_ratio 0\n", &["latency +200 ms"]),
            ("webapp_fault_error_ratio 0.125\nwebapp_fault_unready 1\n", &["errors 12.5 %", "unready"]),
        ] {
            scraped.read(&format!("{count}{metrics}# EOF\n"), &[]).unwrap();
            assert_eq!(scraped.faults(), words);
        }
    }

    #[test]
    fn metrics_of_something_else_are_refused() {
        let mut scraped = Scraped::default();
        let missing = scraped.read("node_load1 0.5\n# EOF\n", &[]).unwrap_err();
        assert!(missing.to_string().contains("webapp_request_duration_seconds"), "{missing}");
        let not_finite = scraped.read("webapp_queue_depth NaN\n# EOF\n", &[]).unwrap_err();
        assert!(not_finite.to_string().contains("webapp_queue_depth"), "{not_finite}");
        let negative = scraped.read("webapp_request_duration_seconds_sum -3\n# EOF\n", &[]).unwrap_err();
        assert!(negative.to_string().contains("is -3, expected a finite number of at least 0"), "{negative}");
    }
}
