//! Holds a process's metric families and writes them in the format that was asked for, all of them or those named.
//!
//! Each family sits in a registry of its own, so that `/metrics?name[]=…` encodes only what was asked for: a
//! scaler that looks each second at fifty replicas needs a dozen families, not all.

mod classic;
mod exemplars;
mod format;
mod on_scrape;
mod process;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Debug;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Metric, Registry};

pub use exemplars::TracedHistogram;
pub use format::{ACCEPT_OPENMETRICS, OpenMetricsVersion, TextFormat};
pub use on_scrape::OnScrape;

/// The metric families of one process.
#[derive(Debug, Default)]
pub struct MetricsRegistry {
    families: Vec<RegisteredFamily>,
    /// What every sample has besides its own labels.
    labels: Vec<(&'static str, String)>,
}

#[derive(Debug)]
struct RegisteredFamily {
    name: &'static str,
    metric_type: MetricType,
    registry: Registry,
}

impl MetricsRegistry {
    /// A registry with the `process_*` families of this process.
    pub fn with_process_metrics() -> Self {
        let mut registry = Self::default();
        process::register(&mut registry);
        registry
    }

    /// A registry whose every sample has these labels besides its own.
    pub fn with_labels(labels: Vec<(&'static str, String)>) -> Self {
        Self { families: Vec::new(), labels }
    }

    /// Adds a family under the exact `name` a scrape shows: with `_total` for a counter, `_info` for an info.
    ///
    /// `help` has no full stop at its end; the encoder adds one.
    ///
    /// # Panics
    /// In debug builds, when a counter's name lacks `_total`, an info's lacks `_info`, or the name is taken.
    pub fn register(&mut self, name: &'static str, help: &str, metric: impl Metric) {
        // The encoder adds these suffixes itself.
        let metric_type = metric.metric_type();
        let suffix = match metric_type {
            MetricType::Counter => "_total",
            MetricType::Info => "_info",
            MetricType::Gauge | MetricType::Histogram | MetricType::Unknown => "",
        };
        let stem = name.strip_suffix(suffix);
        debug_assert!(stem.is_some(), "metric `{name}` must end in `{suffix}`");
        debug_assert!(self.families.iter().all(|family| family.name != name), "metric `{name}` is taken");
        let labels = self.labels.iter().map(|(name, value)| (Cow::from(*name), Cow::from(value.clone())));
        let mut registry = Registry::with_labels(labels);
        registry.register(stem.unwrap_or(name), help, metric);
        self.families.push(RegisteredFamily { name, metric_type, registry });
    }

    /// The families as text.
    pub fn encode(&self, selection: &Selection, format: TextFormat) -> String {
        encode_joined(&[self], selection, format)
    }
}

/// The families of several registries as one text.
///
/// A family that several have is written once, with the samples of all: the text must not come back to a family.
pub fn encode_joined(registries: &[&MetricsRegistry], selection: &Selection, format: TextFormat) -> String {
    let mut text = String::with_capacity(16 * 1024);
    let all = registries.iter().flat_map(|registry| &registry.families);
    let mut written = BTreeSet::new();
    for first in all.clone().filter(|family| selection.includes(family.name)) {
        if !written.insert(first.name) {
            continue;
        }
        let mut family_text = encode_family(first);
        let same = all.clone().filter(|family| family.name == first.name).skip(1);
        for family in same {
            // Its type and help stand above already.
            let samples = encode_family(family);
            family_text.extend(samples.split_inclusive('\n').filter(|line| !line.starts_with('#')));
        }
        match format {
            TextFormat::OpenMetrics(_) => text.push_str(&family_text),
            TextFormat::Classic => classic::append(&mut text, &family_text, first.name, first.metric_type),
        }
    }
    if let TextFormat::OpenMetrics(_) = format {
        encode_eof(&mut text).expect("writing to a string does not fail");
    }
    text
}

fn encode_family(family: &RegisteredFamily) -> String {
    let mut text = String::new();
    encode_registry(&mut text, &family.registry).expect("writing to a string does not fail");
    text
}

/// Which families a scrape wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// Every family.
    #[default]
    All,
    /// The families with these names, or with a sample of such a name; unknown names select nothing.
    Named(Vec<String>),
}

impl Selection {
    /// Reads `name[]=…` pairs from a query string, percent-encoded brackets included; no pair means all.
    pub fn from_query(query: &str) -> Self {
        let names: Vec<String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .filter(|(key, _)| *key == "name[]" || key.eq_ignore_ascii_case("name%5B%5D"))
            .map(|(_, name)| name.to_owned())
            .collect();
        if names.is_empty() { Self::All } else { Self::Named(names) }
    }

    fn includes(&self, family: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.iter().any(|name| {
                name == family
                    || name
                        .strip_prefix(family)
                        .is_some_and(|suffix| matches!(suffix, "_bucket" | "_sum" | "_count"))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::histogram::Histogram;
    use prometheus_client::metrics::info::Info;

    use super::{MetricsRegistry, OnScrape, OpenMetricsVersion, Selection, TextFormat, encode_joined};

    const OPENMETRICS: TextFormat = TextFormat::OpenMetrics(OpenMetricsVersion::V1_0_0);

    fn registry() -> MetricsRegistry {
        let mut registry = MetricsRegistry::default();
        let counter: Counter = Counter::default();
        counter.inc();
        registry.register("orders_total", "Orders", counter);
        registry.register("wait_seconds", "Wait", Histogram::new([0.1, 1.0]));
        registry.register("webapp_info", "Build", Info::new([("role", "webapp")]));
        registry.register("webapp_total_requests", "Arrivals", OnScrape::unknown(|| 1.0));
        registry
    }

    #[test]
    fn names_are_exposed_exactly_as_registered() {
        let text = registry().encode(&Selection::All, OPENMETRICS);
        for line in [
            "orders_total 1",
            "wait_seconds_count 0",
            "webapp_info{role=\"webapp\"} 1",
            "# TYPE webapp_total_requests unknown",
            "webapp_total_requests 1.0",
        ] {
            assert!(text.lines().any(|found| found == line), "`{line}` is missing from:\n{text}");
        }
        assert!(text.ends_with("# EOF\n"), "the end marker is missing from:\n{text}");
    }

    #[test]
    fn the_classic_text_has_the_same_samples_and_its_own_comments() {
        let classic = registry().encode(&Selection::All, TextFormat::Classic);
        for line in [
            "# HELP orders_total Orders.",
            "# TYPE orders_total counter",
            "orders_total 1",
            "# TYPE wait_seconds histogram",
            "# TYPE webapp_info gauge",
            "# TYPE webapp_total_requests untyped",
            "webapp_total_requests 1.0",
        ] {
            assert!(classic.lines().any(|found| found == line), "`{line}` is missing from:\n{classic}");
        }
        assert!(!classic.contains("# EOF") && !classic.contains("unknown"), "{classic}");
        let samples = |text: &str| -> Vec<String> {
            text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
        };
        assert_eq!(samples(&classic), samples(&registry().encode(&Selection::All, OPENMETRICS)));
    }

    #[test]
    fn a_selection_encodes_only_what_it_names() {
        let query = "name%5B%5D=wait_seconds_bucket&name[]=nothing&other=1";
        let text = registry().encode(&Selection::from_query(query), OPENMETRICS);
        assert!(text.contains("wait_seconds_bucket"), "the family of a named sample is missing:\n{text}");
        assert!(!text.contains("orders_total"), "a family that was not named is there:\n{text}");
        assert_eq!(Selection::from_query("a=b"), Selection::All);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn process_metrics_are_plausible() {
        let text = MetricsRegistry::with_process_metrics().encode(&Selection::All, OPENMETRICS);
        let value = |name: &str| -> f64 {
            let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_else(|| {
                panic!("`{name}` is missing from:\n{text}");
            });
            line.rsplit(' ').next().unwrap().parse().unwrap()
        };
        assert!(value("process_resident_memory_bytes") > 100_000.0);
        assert!(value("process_cpu_seconds_total") > 0.0);
        assert!(value("process_open_fds") >= 3.0);
        assert!(value("process_max_fds") >= value("process_open_fds"));
        assert!(value("process_start_time_seconds") > 1.7e9);
    }

    #[test]
    fn a_family_that_several_have_is_written_once() {
        let registry = |service: &str| {
            let mut registry = MetricsRegistry::with_labels(vec![("service", service.to_owned())]);
            let gauge = prometheus_client::metrics::gauge::Gauge::<i64>::default();
            registry.register("replicas", "How many there are", gauge);
            registry
        };
        let text = encode_joined(&[&registry("web"), &registry("db")], &Selection::All, OPENMETRICS);
        let expected = "# HELP replicas How many there are.\n# TYPE replicas gauge\n\
                        replicas{service=\"web\"} 0\nreplicas{service=\"db\"} 0\n# EOF\n";
        assert_eq!(text, expected);
    }
}
