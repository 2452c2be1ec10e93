//! Synthetic jobs as requests: what the counter of requests and the gauge of connections tell of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;
use observability::http::request_counts::RequestCounts;
use prometheus_client::metrics::counter::Counter;

use crate::origin::Origin;

/// A synthetic job is what a user's `GET /` would be.
const METHOD: &str = "GET";

/// How a job can end. All series exist from the start, so that no rate misses the first job of a kind.
const STATUSES: [StatusCode; 4] = [
    StatusCode::OK,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::BAD_GATEWAY,
];

/// The synthetic jobs of one replica.
#[derive(Clone, Debug)]
pub(super) struct SyntheticRequests {
    answered: [(StatusCode, Counter); 4],
    inside: Arc<AtomicU64>,
}

impl SyntheticRequests {
    pub(super) fn new(counts: &RequestCounts) -> Self {
        let counter = |status: StatusCode| counts.of(METHOD, status.as_u16(), Origin::Synthetic.name());
        Self { answered: STATUSES.map(|status| (status, counter(status))), inside: Arc::default() }
    }

    /// One arrived.
    pub(super) fn entered(&self) {
        self.inside.fetch_add(1, Ordering::Relaxed);
    }

    /// One that had arrived was refused, or has ended, with this status.
    pub(super) fn left(&self, status: StatusCode) {
        self.inside.fetch_sub(1, Ordering::Relaxed);
        let counter = self.answered.iter().find(|(known, _)| *known == status);
        debug_assert!(counter.is_some(), "a job ended with {status}, which has no series");
        if let Some((_, counter)) = counter {
            counter.inc();
        }
    }

    /// Those that wait or are worked on.
    pub(super) fn inside(&self) -> u64 {
        self.inside.load(Ordering::Relaxed)
    }
}
