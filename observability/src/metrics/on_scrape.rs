//! A number that is read when it is scraped, instead of being kept up to date at every change.
//!
//! It also serves counts whose fixed name ends without `_total`: OpenMetrics allows no counter without that
//! suffix, and a gauge would promise that the value may fall, so such a count has the type `unknown`.

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// A metric without labels whose value a function tells.
pub struct OnScrape {
    kind: MetricType,
    read: Box<dyn Fn() -> f64 + Send + Sync>,
}

impl OnScrape {
    /// A value that rises and falls.
    pub fn gauge(read: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self { kind: MetricType::Gauge, read: Box::new(read) }
    }

    /// A value that only rises; its name ends in `_total`.
    pub fn counter(read: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self { kind: MetricType::Counter, read: Box::new(read) }
    }

    /// A value that only rises under a name without `_total`.
    pub fn unknown(read: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self { kind: MetricType::Unknown, read: Box::new(read) }
    }
}

impl std::fmt::Debug for OnScrape {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("OnScrape").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl EncodeMetric for OnScrape {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        let value = (self.read)();
        match self.kind {
            MetricType::Counter => encoder.encode_counter::<NoLabelSet, _, f64>(&value, None),
            // A sample without suffix is what the text of a gauge and of an unknown have in common.
            _ => encoder.encode_gauge(&value),
        }
    }

    fn metric_type(&self) -> MetricType {
        self.kind
    }
}
