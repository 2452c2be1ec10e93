//! Says what a scrape asks a replica for: the families of all signals, and those that policies name.

use std::time::Duration;

use scaler_engine::NamedMetric;
use scaler_signals::{NamedFigures, Wanted, counter_of};

use super::families::FAMILIES;
use crate::sources::answers::can_be_looked_for;
use crate::sources::exposition::Sample;

/// What every scrape of a look has in common.
#[derive(Debug)]
pub(super) struct ScrapePlan {
    query: String,
    windows: Vec<Duration>,
    named: Vec<NamedFamily>,
}

/// A metric with an open name, and the counter whose rate it may be.
#[derive(Debug)]
pub(super) struct NamedFamily {
    pub(super) metric: NamedMetric,
    counter: Option<String>,
}

impl ScrapePlan {
    pub(super) fn of(wanted: &Wanted) -> Self {
        let possible = wanted.named().into_iter().filter(can_be_looked_for);
        let named: Vec<NamedFamily> =
            possible.map(|metric| NamedFamily { counter: counter_of(&metric.name), metric }).collect();
        let mut names = FAMILIES.to_vec();
        names.extend(named.iter().flat_map(NamedFamily::names));
        let query: Vec<String> = names.iter().map(|name| format!("name%5B%5D={name}")).collect();
        Self { query: query.join("&"), windows: wanted.windows(), named }
    }

    pub(super) fn metrics_url(&self, endpoint: &str) -> String {
        format!("{}/metrics?{}", endpoint.trim_end_matches('/'), self.query)
    }

    pub(super) fn windows(&self) -> &[Duration] {
        &self.windows
    }

    pub(super) fn named(&self) -> &[NamedFamily] {
        &self.named
    }

    /// The longest span that is measured over.
    pub(super) fn reach(&self) -> Duration {
        self.windows.iter().copied().max().unwrap_or_default()
    }
}

impl NamedFamily {
    fn names(&self) -> impl Iterator<Item = &str> {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use scaler_engine::{Metric, Need};

    use super::*;

    #[test]
    fn a_scrape_asks_for_the_metric_and_its_counter_and_for_no_name_that_cannot_be_one() {
        let window = Duration::from_secs(30);
        let need = |name: &str| {
            let metric = NamedMetric { name: name.to_owned(), labels: BTreeMap::new() };
            Need::of_each_replica(Metric::Named(metric), window)
        };
        let wanted = Wanted::signals_over(Duration::from_secs(15))
            .and_needs(["http_requests_per_second", "active_connections", "a&b=c", "cpu_cores"].map(need));
        let plan = ScrapePlan::of(&wanted);
        let url = plan.metrics_url("http://a:1/");
        assert!(url.starts_with("http://a:1/metrics?name%5B%5D=webapp_request_duration_seconds&"), "{url}");
        let added = "&name%5B%5D=http_requests_per_second&name%5B%5D=http_requests_total\
                     &name%5B%5D=active_connections";
        assert!(url.ends_with(added), "{url}");
        assert_eq!((plan.named().len(), plan.reach()), (2, window));
    }
}
