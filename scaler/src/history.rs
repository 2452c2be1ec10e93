//! Keeps the last 15 minutes, one point each second, and the last decisions.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use scaler_engine::Signal;
use serde::Serialize;

use crate::clock::rfc3339;
use crate::status::{DecisionStatus, Status};

/// Points kept: 15 minutes at one a second.
pub(crate) const POINTS_MAX: usize = 900;

/// Decisions kept.
pub(crate) const DECISIONS_MAX: usize = 100;

/// One second.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Point {
    /// When (run time).
    #[serde(serialize_with = "as_rfc3339")]
    pub(crate) at: Duration,
    /// The same as seconds since the Unix epoch, for charts.
    pub(crate) at_epoch_seconds: f64,
    /// Each signal's value; null where there was none.
    pub(crate) signals: BTreeMap<Signal, Option<f64>>,
    /// Replicas at that time.
    pub(crate) replicas: PointReplicas,
    /// The service's load factor.
    pub(crate) load_factor: Option<f64>,
}

/// Replicas at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct PointReplicas {
    pub(crate) current: u32,
    pub(crate) ready: u32,
    pub(crate) desired: u32,
}

/// The recent past, bounded.
#[derive(Debug, Default)]
pub(crate) struct History {
    points: VecDeque<Point>,
    decisions: VecDeque<DecisionStatus>,
}

impl History {
    /// Adds what a status shows.
    pub(crate) fn add(&mut self, at: Duration, status: &Status) {
        if self.points.len() == POINTS_MAX {
            self.points.pop_front();
        }
        self.points.push_back(Point {
            at,
            at_epoch_seconds: at.as_secs_f64(),
            signals: status.signals.iter().map(|(signal, reading)| (*signal, reading.value)).collect(),
            replicas: PointReplicas {
                current: status.replicas.current,
                ready: status.replicas.ready,
                desired: status.replicas.desired,
            },
            load_factor: status.load_factor,
        });
    }

    /// Adds a decision.
    pub(crate) fn add_decision(&mut self, decision: DecisionStatus) {
        if self.decisions.len() == DECISIONS_MAX {
            self.decisions.pop_front();
        }
        self.decisions.push_back(decision);
    }

    /// The points after `since`, oldest first.
    pub(crate) fn points_since(&self, since: Option<Duration>) -> Vec<Point> {
        let first = since.map_or(0, |since| self.points.partition_point(|point| point.at <= since));
        self.points.range(first..).cloned().collect()
    }

    /// The decisions kept, newest first.
    pub(crate) fn decisions(&self) -> Vec<DecisionStatus> {
        self.decisions.iter().rev().cloned().collect()
    }
}

fn as_rfc3339<S: serde::Serializer>(at: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_and_cut_by_time() {
        let mut history = History::default();
        let status = Status::default();
        for second in 1..=1000 {
            history.add(Duration::from_secs(second), &status);
        }
        assert_eq!(history.points_since(None).len(), POINTS_MAX);
        assert_eq!(history.points_since(None)[0].at, Duration::from_secs(101));
        let late = history.points_since(Some(Duration::from_secs(998)));
        assert_eq!(late.iter().map(|point| point.at.as_secs()).collect::<Vec<_>>(), [999, 1000]);
        assert!(history.points_since(Some(Duration::from_secs(5000))).is_empty());
        let json = serde_json::to_value(&late[0]).unwrap();
        assert_eq!(json["at"], "1970-01-01T00:16:39.000Z");
    }
}
