//! What a caller may watch of a run while it goes on.

use std::time::Duration;

use scaler_engine::Decision;

/// How a request ended for its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestOutcome {
    /// It was answered.
    Served,
    /// The queue of the replica was full.
    Refused,
    /// No replica was in rotation.
    NoReplica,
    /// No attempt was answered in time.
    TimedOut,
    /// The replica that worked on it died, and no attempt was left.
    ReplicaDied,
}

/// The end of one request. Times count from the beginning of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestEnd {
    /// Its place in the order of arrivals, from 1.
    pub number: u64,
    /// When it arrived at the gateway.
    pub arrived_at: Duration,
    /// When it was answered, or given up.
    pub ended_at: Duration,
    /// The number of the replica that it was sent to last; none if it was sent to none.
    pub replica: Option<u32>,
    /// How it ended.
    pub outcome: RequestOutcome,
}

/// Watches a run. Each method does nothing by default, and then costs nothing.
pub trait Observer {
    /// A request has ended. Requests are told in any order.
    fn on_request(&mut self, _end: &RequestEnd) {}

    /// A policy has decided, a hold included.
    fn on_decision(&mut self, _decision: &Decision) {}

    /// Asked some thousand times a run, `at` so long after its beginning. A run that may not go on ends at once, without
    /// a result.
    fn may_go_on(&mut self, _at: Duration) -> bool {
        true
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}
