//! The requests that took longest, with the ids of their traces.

use std::time::{Duration, Instant};

use crate::users::exchange::Exchange;
use crate::users::spans::TraceId;

/// How many are kept.
const KEPT: usize = 10;

/// A request that took long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlowRequest {
    /// The place of its name.
    pub(crate) name_index: usize,
    /// From the intended start, or from sending where there was no schedule.
    pub(crate) took: Duration,
    pub(crate) sent_at: Instant,
    pub(crate) status: Option<u16>,
    pub(crate) trace: TraceId,
}

/// The requests that took longest, the longest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slowest(Vec<SlowRequest>);

impl Slowest {
    pub(crate) fn record(&mut self, name_index: usize, exchange: &Exchange) {
        let took = exchange.since_intended();
        if self.0.len() == KEPT && self.0.last().is_some_and(|last| last.took >= took) {
            return;
        }
        let place = self.0.partition_point(|other| other.took >= took);
        let request = SlowRequest {
            name_index,
            took,
            sent_at: exchange.sent_at,
            status: exchange.status,
            trace: exchange.trace,
        };
        self.0.insert(place, request);
        self.0.truncate(KEPT);
    }

    pub(crate) fn list(&self) -> &[SlowRequest] {
        &self.0
    }
}
