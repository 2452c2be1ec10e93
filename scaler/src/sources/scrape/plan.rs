//! Says what a scrape asks a replica for: the families of all signals, and those that policies name.

use std::time::Duration;

use scaler_signals::Wanted;

use super::families::FAMILIES;
use super::named_family::NamedFamily;
use crate::sources::answers::can_be_looked_for;

/// What every scrape of a look has in common.
#[derive(Debug)]
pub(super) struct ScrapePlan {
    query: String,
    windows: Vec<Duration>,
    named: Vec<NamedFamily>,
}

impl ScrapePlan {
    pub(super) fn of(wanted: &Wanted) -> Self {
        let possible = wanted.named().into_iter().filter(can_be_looked_for);
        let named: Vec<NamedFamily> = possible.map(NamedFamily::of).collect();
        let mut families = FAMILIES.to_vec();
        families.extend(named.iter().flat_map(NamedFamily::names));
        let query: Vec<String> = families.iter().map(|name| format!("name%5B%5D={name}")).collect();
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use scaler_engine::{Metric, NamedMetric, Need};

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
