//! What a run brought about.

use serde::Serialize;

/// One run of one policy with one seed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// The seed.
    pub seed: u64,
    /// For how long requests arrived.
    pub duration_seconds: f64,
    /// What users got.
    pub totals: Totals,
    /// Replicas × time, from the order to start each until it is gone; what arrives after the end is not counted.
    pub replica_seconds: f64,
    /// Time that workers were busy, summed over them, up to the end.
    pub busy_seconds: f64,
    /// Actions that asked for more replicas.
    pub scale_ups: u64,
    /// Actions that asked for fewer.
    pub scale_downs: u64,
    /// Replicas added and removed, together.
    pub churn: u64,
    /// The actions in the order of time; the first 10,000.
    pub actions: Vec<ActionTaken>,
    /// Ready replicas, from each time in seconds on.
    pub ready_changes: Vec<(f64, u32)>,
    /// At most 5,000 points.
    pub timeline: Vec<TimelinePoint>,
}

/// Requests by their outcome, and how long the served ones took.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// All requests.
    pub requests: u64,
    /// Answered ones.
    pub served: u64,
    /// Answered ones that took longer than the objective allows.
    pub slow: u64,
    /// Those that found a full queue.
    pub refused: u64,
    /// Those that brought no answer for another reason.
    pub failed: u64,
    /// Mean response time of the served ones; none without any.
    pub mean_ms: Option<f64>,
    /// Their median.
    pub p50_ms: Option<f64>,
    /// Their 95th percentile.
    pub p95_ms: Option<f64>,
    /// Their 99th percentile.
    pub p99_ms: Option<f64>,
    /// Their 99.9th percentile.
    pub p999_ms: Option<f64>,
    /// Minutes that did not keep the objective.
    pub violating_minutes: u64,
    /// The longest spell of 5 s intervals that did not keep the objective, up to 15 s that did.
    pub time_to_recover_seconds: f64,
    /// 1 − the mean over the minutes of min(1, the objective's time ÷ p99) × the share of served requests.
    pub lost_utility: f64,
}

impl Totals {
    /// The share of requests that were slow, refused or failed.
    pub fn violating_request_share(&self) -> f64 {
        if self.requests == 0 {
            return 0.0;
        }
        (self.slow + self.refused + self.failed) as f64 / self.requests as f64
    }
}

/// An action that was carried out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActionTaken {
    /// Seconds since the run began.
    pub at_seconds: f64,
    /// Replicas before.
    pub from: u32,
    /// Replicas asked for.
    pub to: u32,
    /// Why.
    pub reason: String,
}

/// One point of a time line: what happened from its time on until the next one's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimelinePoint {
    /// Seconds since the run began.
    pub at_seconds: f64,
    /// Requests that ended, per second.
    pub requests_per_second: f64,
    /// Replicas wanted at its end.
    pub desired: u32,
    /// Replicas that existed then, those that leave excepted.
    pub current: u32,
    /// Replicas that received requests then.
    pub ready: u32,
    /// Mean response time of the served requests; none without any.
    pub mean_ms: Option<f64>,
    /// Their 95th percentile.
    pub p95_ms: Option<f64>,
    /// Requests refused.
    pub refused: u64,
    /// Requests that failed.
    pub failed: u64,
}
