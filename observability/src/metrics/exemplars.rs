//! A histogram whose buckets remember the trace of a request that fell into them, so that a slow bucket on a
//! dashboard leads to a slow trace.

use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::{MetricType, TypedMetric};

use crate::traces::{Span, wall_clock};

/// What leads from an exemplar to its trace; the names are OpenTelemetry's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TraceLabels {
    trace_id: String,
    span_id: String,
}

/// A histogram with one exemplar a bucket: the last sampled request that fell into it. Clones are handles to the
/// same one.
#[derive(Clone, Debug)]
pub struct TracedHistogram(HistogramWithExemplars<TraceLabels>);

impl TracedHistogram {
    /// An empty histogram with these bounds, which rise.
    pub fn new(bounds: impl IntoIterator<Item = f64>) -> Self {
        Self(HistogramWithExemplars::new(bounds.into_iter()))
    }

    /// Observes a value, of a request with this span if it has one. A span that is not sampled leaves no exemplar: it
    /// would lead nowhere.
    pub fn observe(&self, value: f64, span: Option<&Span>) {
        match span.filter(|span| span.is_sampled()) {
            Some(span) => {
                let labels = TraceLabels { trace_id: span.trace_id(), span_id: span.span_id() };
                self.0.observe(value, Some(labels), Some(wall_clock()));
            }
            None => self.0.observe(value, None, None),
        }
    }
}

impl TypedMetric for TracedHistogram {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for TracedHistogram {
    fn encode(&self, encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.encode(encoder)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}
