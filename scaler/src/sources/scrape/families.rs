//! Picks what the signals need out of one replica's metrics.

use std::time::Duration;

use observability::names;

use crate::sources::exposition::{self, ExpositionError, Sample};

/// The families that a replica is asked for.
pub(super) const FAMILIES: [&str; 13] = [
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
    names::PROCESS_CPU_SECONDS_TOTAL,
    names::PROCESS_RESIDENT_MEMORY_BYTES,
    names::PROCESS_START_TIME_SECONDS,
];

/// More bounds than this have no histogram of the lab; further ones are not read.
const BOUNDS_MAX: usize = 64;

/// What one replica showed at one scrape, summed over its labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Scraped {
    pub(super) duration_sum: f64,
    pub(super) duration_count: f64,
    /// Upper bounds of the response-time buckets, rising, `+Inf` last.
    pub(super) bounds: Vec<f64>,
    /// Cumulative counts, one per bound.
    pub(super) buckets: Vec<f64>,
    /// Jobs that arrived, whatever came of them; 0 if it does not say.
    pub(super) arrived: f64,
    pub(super) refused: f64,
    pub(super) errors: f64,
    pub(super) queue_depth: f64,
    pub(super) workers: f64,
    pub(super) workers_busy: f64,
    pub(super) busy_seconds: f64,
    pub(super) dependency_wait_sum: f64,
    pub(super) dependency_wait_count: f64,
    pub(super) load_factor: Option<f64>,
    pub(super) cpu_seconds: f64,
    pub(super) memory_bytes: f64,
    /// Start of its process (time since the Unix epoch); none if it does not say.
    pub(super) started_at: Option<Duration>,
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
    /// Jobs waiting or being worked on.
    pub(super) fn jobs(&self) -> f64 {
        self.queue_depth + self.workers_busy
    }

    /// Whether `self` cannot be a later moment of the process that showed `old`: something that only grows has fallen.
    pub(super) fn fell_below(&self, old: &Self) -> bool {
        let totals = |of: &Self| {
            [
                of.duration_count,
                of.duration_sum,
                of.arrived,
                of.refused,
                of.errors,
                of.busy_seconds,
                of.dependency_wait_count,
                of.dependency_wait_sum,
                of.cpu_seconds,
            ]
        };
        let have_fallen = totals(self).iter().zip(totals(old)).any(|(new, old)| *new < old);
        let are_alike = self.bounds == old.bounds;
        have_fallen || are_alike && self.buckets.iter().zip(&old.buckets).any(|(new, old)| new < old)
    }

    /// Reads a text into this value, keeping the memory it already has.
    pub(super) fn read(&mut self, text: &str) -> Result<(), FamilyError> {
        let (mut bounds, mut buckets) = (std::mem::take(&mut self.bounds), std::mem::take(&mut self.buckets));
        bounds.clear();
        buckets.clear();
        *self = Self { bounds, buckets, ..Self::default() };
        let (mut has_durations, mut unusable) = (false, None);
        exposition::read(text, |sample| {
            // Counts, times, bytes: none of what is read can be negative, and one that is would make others too low.
            let is_unusable = !sample.value.is_finite() || sample.value < 0.0;
            if is_unusable && FAMILIES.iter().any(|family| sample.name.starts_with(family)) {
                unusable = Some((sample.name, sample.value));
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
        if let Some(part) = sample.name.strip_prefix(names::WEBAPP_REQUEST_DURATION_SECONDS) {
            match part {
                "_bucket" => self.add_bucket(sample),
                "_sum" => self.duration_sum += value,
                "_count" => {
                    self.duration_count += value;
                    return true;
                }
                _ => {}
            }
            return false;
        }
        if let Some(part) = sample.name.strip_prefix(names::WEBAPP_DEPENDENCY_WAIT_SECONDS) {
            match part {
                "_sum" => self.dependency_wait_sum += value,
                "_count" => self.dependency_wait_count += value,
                _ => {}
            }
            return false;
        }
        match sample.name {
            names::WEBAPP_TOTAL_REQUESTS => self.arrived += value,
            names::WEBAPP_REFUSED_TOTAL => self.refused += value,
            names::WEBAPP_ERRORS_TOTAL => self.errors += value,
            names::WEBAPP_QUEUE_DEPTH => self.queue_depth += value,
            names::WEBAPP_WORKERS => self.workers += value,
            names::WEBAPP_WORKERS_BUSY => self.workers_busy += value,
            names::WEBAPP_WORKERS_BUSY_SECONDS_TOTAL => self.busy_seconds += value,
            names::WEBAPP_LOAD_FACTOR => self.load_factor = Some(value),
            names::PROCESS_CPU_SECONDS_TOTAL => self.cpu_seconds += value,
            names::PROCESS_RESIDENT_MEMORY_BYTES => self.memory_bytes += value,
            names::PROCESS_START_TIME_SECONDS => self.started_at = Duration::try_from_secs_f64(value).ok(),
            _ => {}
        }
        false
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
        // Each origin writes its own buckets in rising order, so after the first origin all places are known.
        let place = self.bounds.partition_point(|known| *known < bound);
        if self.bounds.get(place).is_some_and(|known| known.to_bits() == bound.to_bits()) {
            self.buckets[place] += sample.value;
        } else if self.bounds.len() < BOUNDS_MAX {
            self.bounds.insert(place, bound);
            self.buckets.insert(place, sample.value);
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
        let mut scraped = Scraped { errors: 7.0, bounds: vec![9.0], ..Scraped::default() };
        scraped.read(text).unwrap();
        let expected = Scraped {
            duration_sum: 2.0,
            duration_count: 4.0,
            bounds: vec![0.5, f64::INFINITY],
            buckets: vec![3.0, 4.0],
            refused: 9.0,
            started_at: Some(Duration::from_millis(1_700_000_000_250)),
            ..Scraped::default()
        };
        assert_eq!(scraped, expected, "and nothing is left of what was read before");
    }

    #[test]
    fn metrics_of_something_else_are_refused() {
        let mut scraped = Scraped::default();
        let missing = scraped.read("node_load1 0.5\n# EOF\n").unwrap_err();
        assert!(missing.to_string().contains("webapp_request_duration_seconds"), "{missing}");
        let not_finite = scraped.read("webapp_queue_depth NaN\n# EOF\n").unwrap_err();
        assert!(not_finite.to_string().contains("webapp_queue_depth"), "{not_finite}");
        let negative = scraped.read("webapp_request_duration_seconds_sum -3\n# EOF\n").unwrap_err();
        assert!(negative.to_string().contains("is -3, expected a finite number of at least 0"), "{negative}");
    }
}
