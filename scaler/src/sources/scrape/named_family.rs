//! Finds a metric with an open name among the samples of a scrape.

use scaler_engine::NamedMetric;
use scaler_signals::{NamedFigures, counter_of};

use crate::sources::exposition::Sample;

/// A metric with an open name, and the counter whose rate it may be.
#[derive(Debug)]
pub(super) struct NamedFamily {
    pub(super) metric: NamedMetric,
    counter: Option<String>,
}

impl NamedFamily {
    pub(super) fn of(metric: NamedMetric) -> Self {
        Self { counter: counter_of(&metric.name), metric }
    }

    /// The names that it may be exposed under.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        [Some(self.metric.name.as_str()), self.counter.as_deref()].into_iter().flatten()
    }

    /// Adds a sample, if it is one of this metric.
    pub(super) fn take(&self, sample: &Sample<'_>, figures: &mut NamedFigures) {
        let sum = if sample.name == self.metric.name {
            &mut figures.value
        } else if self.counter.as_deref() == Some(sample.name) {
            &mut figures.counter
        } else {
            return;
        };
        let is_wanted = |(label, value): (&String, &String)| {
            sample.label(label).is_some_and(|found| found == value.as_str())
        };
        if self.metric.labels.iter().all(is_wanted) {
            *sum = Some(sum.unwrap_or_default() + sample.value);
        } else {
            figures.has_other_labels = true;
        }
    }
}
