//! Counts requests by method, status code and origin: the counter that an adapter turns into requests per second.
//!
//! A process counts here what it answered to users, through [`ServerMetrics`](super::server::ServerMetrics), and what it
//! made itself, under an origin of its own.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use crate::metrics::MetricsRegistry;
use crate::names;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CountLabels {
    method: &'static str,
    status: u16,
    origin: &'static str,
}

/// The family [`names::HTTP_REQUESTS_TOTAL`] of one process.
#[derive(Clone, Debug)]
pub struct RequestCounts {
    family: Family<CountLabels, Counter>,
}

impl RequestCounts {
    /// Registers the family, without any series.
    pub fn register(registry: &mut MetricsRegistry) -> Self {
        let family = Family::default();
        registry.register(
            names::HTTP_REQUESTS_TOTAL,
            "Requests answered by method, status code and origin",
            family.clone(),
        );
        Self { family }
    }

    /// The counter of these labels; its series exists from now on.
    pub fn of(&self, method: &'static str, status: u16, origin: &'static str) -> Counter {
        self.family.get_or_create_owned(&CountLabels { method, status, origin })
    }
}
