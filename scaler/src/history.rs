//! Keeps the last 15 minutes, one point each second, and the decisions and events of that time.

mod columns;
mod file;

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;
use std::time::Duration;

use scaler_engine::{Action, Signal};
use serde::{Deserialize, Serialize};

pub(crate) use self::columns::Columns;
pub(crate) use self::file::HistoryFile;
use crate::service_event::RecordedEvent;
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

/// Events kept; more of them in 15 minutes are a crash loop, of which the newest are enough.
pub(crate) const EVENTS_MAX: usize = 200;

/// One second.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Point {
    /// When (run time).
    #[serde(serialize_with = "as_rfc3339", deserialize_with = "from_rfc3339")]
    pub(crate) at: Duration,
    /// The same as seconds since the Unix epoch, for charts.
    pub(crate) at_epoch_seconds: f64,
    /// Each signal's value; null where there was none that described that moment.
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
    /// In the order of their times.
    events: VecDeque<RecordedEvent>,
    /// Number of the newest of the platform's events that is in `events`.
    news_seen: u64,
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
            signals: status.fresh_signals(),
            replicas: PointReplicas {
                current: status.replicas.current,
                ready: status.known_ready(),
                desired: status.replicas.desired,
            },
            load_factor: status.load_factor.filter(|_| status.gateway.responding),
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
        (events, news_seen): (Vec<RecordedEvent>, u64),
        span: RangeInclusive<Duration>,
    ) -> Self {
        let mut history = Self { news_seen, ..Self::default() };
        for event in events.into_iter().filter(|event| span.contains(&event.at)) {
            history.add_event(event);
        }
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

    /// Adds an event in the order of times; the oldest is forgotten first.
    pub(crate) fn add_event(&mut self, event: RecordedEvent) {
        if self.events.len() == EVENTS_MAX {
            self.events.pop_front();
        }
        let place = self.events.partition_point(|other| other.at <= event.at);
        self.events.insert(place, event);
    }

    /// The events after `since`, oldest first.
    pub(crate) fn events_since(&self, since: Option<Duration>) -> Vec<RecordedEvent> {
        self.events.iter().filter(|event| since.is_none_or(|since| event.at > since)).cloned().collect()
    }

    /// Whether this number of the platform's is a new one; it is not from then on.
    pub(crate) fn take_news(&mut self, number: u64) -> bool {
        let is_new = number > self.news_seen;
        self.news_seen = self.news_seen.max(number);
        is_new
    }

    /// When the service was last looked at.
    pub(crate) fn newest_at(&self) -> Option<Duration> {
        self.points.back().map(|point| point.at)
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
        Columns::of(self.range_since(since), decisions, self.events_since(since))
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
    use crate::service_event::ServiceEvent;
    use crate::status::{GatewayStatus, ReplicaCounts, SignalStatus};

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
    fn only_what_described_its_moment_is_kept() {
        let reading = |age_seconds| SignalStatus { value: Some(0.05), age_seconds };
        let look = |second, age, responding| Status {
            signals: [(Signal::ResponseTimeP95Seconds, reading(age))].into(),
            replicas: ReplicaCounts { ready: Some(2), ..ReplicaCounts::default() },
            gateway: GatewayStatus { responding, list_age_seconds: None },
            ..status(Duration::from_secs(second))
        };
        let mut history = History::default();
        for (second, age, responding) in [(1, 0.5, true), (2, 5.5, true), (3, 0.5, false)] {
            history.add(&look(second, age, responding));
        }
        let p95s = history.points_since(None);
        let kept: Vec<_> = p95s
            .iter()
            .map(|point| (point.signals[&Signal::ResponseTimeP95Seconds], point.replicas.ready))
            .collect();
        assert_eq!(kept, [(Some(0.05), Some(2)), (None, Some(2)), (None, None)]);
    }

    #[test]
    fn events_are_bounded_and_in_order() {
        let event = |second| RecordedEvent { at: Duration::from_secs(second), event: ServiceEvent::Paused };
        let mut history = History::default();
        history.add_event(event(7));
        history.add_event(event(3));
        assert!(history.events_since(None).is_sorted_by_key(|event| event.at));
        assert_eq!(history.events_since(Some(Duration::from_secs(3))), [event(7)]);
        for second in 10..500 {
            history.add_event(event(second));
        }
        let kept = history.events_since(None);
        assert_eq!((kept.len(), kept[EVENTS_MAX - 1].at.as_secs()), (EVENTS_MAX, 499));
    }

    #[test]
    fn each_event_of_the_platform_is_taken_once() {
        let mut history = History::default();
        assert_eq!([1, 2, 2, 1, 3].map(|number| history.take_news(number)), [true, true, false, false, true]);
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
            observation: Observed { read: Vec::new(), current: 1, ready: 1, desired: 1 },
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
