//! Keeps the last 15 minutes, one point each second, and the decisions of that time.

mod columns;
mod file;

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;
use std::time::Duration;

use scaler_engine::{Action, Signal};
use serde::{Deserialize, Serialize};

pub(crate) use self::columns::Columns;
pub(crate) use self::file::HistoryFile;
use crate::status::{DecisionStatus, Status, as_rfc3339, from_rfc3339};

/// How far the past reaches.
const SPAN: Duration = Duration::from_mins(15);

/// Points kept: 15 minutes at one a second.
pub(crate) const POINTS_MAX: usize = 900;

/// Points are at least this far apart: a service that is looked at more often is not shown more often. A little
/// below one second, so that a look which comes early is not lost.
const POINTS_APART: Duration = Duration::from_millis(900);

/// Decisions kept: 15 minutes at one each 2 s.
pub(crate) const DECISIONS_MAX: usize = 450;

/// One second.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Point {
    /// When (run time).
    #[serde(serialize_with = "as_rfc3339", deserialize_with = "from_rfc3339")]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PointReplicas {
    pub(crate) current: u32,
    /// None while the gateway did not say which are ready.
    pub(crate) ready: Option<u32>,
    pub(crate) desired: u32,
}

/// The recent past, bounded.
#[derive(Debug, Default)]
pub(crate) struct History {
    points: VecDeque<Point>,
    decisions: VecDeque<DecisionStatus>,
}

impl History {
    /// Adds what a status shows; false if the last point is less than a second old.
    pub(crate) fn add(&mut self, status: &Status) -> bool {
        let at = status.at;
        if self.points.back().is_some_and(|last| at < last.at + POINTS_APART) {
            return false;
        }
        self.push(Point {
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
        true
    }

    fn push(&mut self, point: Point) {
        if self.points.len() == POINTS_MAX {
            self.points.pop_front();
        }
        self.points.push_back(point);
    }

    /// What was seen before a restart, as far as it lies in this span; bounded and in order, whatever it is given.
    fn restored(
        points: Vec<Point>,
        decisions: impl Iterator<Item = DecisionStatus>,
        span: RangeInclusive<Duration>,
    ) -> Self {
        let mut history = Self::default();
        for point in points {
            let is_next = history.points.back().is_none_or(|last| last.at < point.at);
            if is_next && span.contains(&point.at) {
                history.push(point);
            }
        }
        for decision in decisions.filter(|decision| span.contains(&decision.at)) {
            history.add_decision(decision);
        }
        history
    }

    /// Adds a decision. Those that changed nothing are forgotten first: one a second must not push out the others.
    pub(crate) fn add_decision(&mut self, decision: DecisionStatus) {
        if self.decisions.len() == DECISIONS_MAX {
            let oldest_hold = self.decisions.iter().position(|decision| decision.action == Action::Hold);
            self.decisions.remove(oldest_hold.unwrap_or(0));
        }
        self.decisions.push_back(decision);
    }

    /// Whether there is no point yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The points after `since`, oldest first.
    pub(crate) fn points_since(&self, since: Option<Duration>) -> Vec<Point> {
        self.range_since(since).cloned().collect()
    }

    /// The same and the decisions after `since`, in a tenth of the size.
    pub(crate) fn columns_since(&self, since: Option<Duration>) -> Columns {
        let decisions =
            self.decisions.iter().filter(|decision| since.is_none_or(|since| decision.at > since));
        Columns::of(self.range_since(since), decisions)
    }

    /// The decisions kept, newest first.
    pub(crate) fn decisions(&self) -> Vec<DecisionStatus> {
        self.decisions.iter().rev().cloned().collect()
    }

    fn range_since(&self, since: Option<Duration>) -> impl Iterator<Item = &Point> + Clone {
        let first = since.map_or(0, |since| self.points.partition_point(|point| point.at <= since));
        self.points.range(first..)
    }
}

#[cfg(test)]
mod tests {
    use scaler_engine::{Observed, Reason};

    use super::*;

    fn status(at: Duration) -> Status {
        Status { at, ..Status::default() }
    }

    #[test]
    fn it_is_bounded_and_cut_by_time() {
        let mut history = History::default();
        for second in 1..=1000 {
            assert!(history.add(&status(Duration::from_secs(second))));
        }
        assert_eq!(history.points_since(None).len(), POINTS_MAX);
        assert_eq!(history.points_since(None)[0].at, Duration::from_secs(101));
        let late = history.points_since(Some(Duration::from_secs(998)));
        assert_eq!(late.iter().map(|point| point.at.as_secs()).collect::<Vec<_>>(), [999, 1000]);
        assert!(history.points_since(Some(Duration::from_secs(5000))).is_empty());
        let json = serde_json::to_value(&late[0]).unwrap();
        assert_eq!(json["at"], "1970-01-01T00:16:39.000Z");
        let columns = serde_json::to_value(history.columns_since(Some(Duration::from_secs(998)))).unwrap();
        assert_eq!(columns["at_epoch_seconds"], serde_json::json!([999.0, 1000.0]));
    }

    #[test]
    fn fifteen_minutes_are_kept_however_often_is_looked() {
        let mut history = History::default();
        let taken =
            (0..9000_u64).filter(|look| history.add(&status(Duration::from_millis(look * 100)))).count();
        assert_eq!(taken, 1000, "each 900 ms of 900 s");
        assert_eq!(history.points_since(None)[0].at, Duration::from_secs(90));
    }

    #[test]
    fn holds_are_forgotten_before_actions() {
        let decision = |second: u64, to: u32| DecisionStatus {
            at: Duration::from_secs(second),
            action: Action::between(1, to),
            from: 1,
            to,
            reason: "by_hand",
            reason_text: String::new(),
            because: Reason::ByHand { asked: to },
            limited_by: None,
            observation: Observed {
                signal: Signal::InFlight,
                value: None,
                age: None,
                current: 1,
                ready: 1,
                desired: 1,
            },
        };
        let mut history = History::default();
        history.add_decision(decision(0, 2));
        for second in 1..1000 {
            history.add_decision(decision(second, 1));
        }
        let kept = history.decisions();
        assert_eq!((kept.len(), kept[0].at.as_secs()), (DECISIONS_MAX, 999));
        assert_eq!((kept[DECISIONS_MAX - 1].at.as_secs(), kept[DECISIONS_MAX - 1].to), (0, 2));
    }
}
