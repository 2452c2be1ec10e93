//! Turns the past into one list for each value, rounded: what a chart draws, in a size that a phone loads at once.

use std::collections::BTreeMap;
use std::time::Duration;

use scaler_engine::{Action, Limit, Signal};
use serde::Serialize;

use super::Point;
use crate::rounding::rounded;
use crate::status::{DecisionStatus, as_rfc3339};

/// The points' values; all lists are equally long, oldest first.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Columns {
    at_epoch_seconds: Vec<f64>,
    /// Each signal that any point has; null where there was no value.
    signals: BTreeMap<Signal, Vec<Option<f64>>>,
    replicas: ReplicaColumns,
    load_factor: Vec<Option<f64>>,
    decisions: Vec<DecisionColumns>,
}

#[derive(Debug, Default, Serialize)]
struct ReplicaColumns {
    current: Vec<u32>,
    ready: Vec<Option<u32>>,
    desired: Vec<u32>,
}

/// A decision without the numbers that its sentence says already.
#[derive(Debug, Serialize)]
struct DecisionColumns {
    #[serde(serialize_with = "as_rfc3339")]
    at: Duration,
    action: Action,
    from: u32,
    to: u32,
    reason: &'static str,
    reason_text: String,
    limited_by: Option<Limit>,
}

impl From<&DecisionStatus> for DecisionColumns {
    fn from(decision: &DecisionStatus) -> Self {
        Self {
            at: decision.at,
            action: decision.action,
            from: decision.from,
            to: decision.to,
            reason: decision.reason,
            reason_text: decision.reason_text.clone(),
            limited_by: decision.limited_by,
        }
    }
}

impl Columns {
    pub(super) fn of<'a>(
        points: impl Iterator<Item = &'a Point> + Clone,
        decisions: impl Iterator<Item = &'a DecisionStatus>,
    ) -> Self {
        let mut columns =
            Self { decisions: decisions.map(DecisionColumns::from).collect(), ..Self::default() };
        for signal in points.clone().flat_map(|point| point.signals.keys()) {
            columns.signals.entry(*signal).or_default();
        }
        for point in points {
            columns.at_epoch_seconds.push(point.at_epoch_seconds);
            for (signal, values) in &mut columns.signals {
                values.push(point.signals.get(signal).copied().flatten().map(rounded));
            }
            columns.replicas.current.push(point.replicas.current);
            columns.replicas.ready.push(point.replicas.ready);
            columns.replicas.desired.push(point.replicas.desired);
            columns.load_factor.push(point.load_factor.map(rounded));
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::History;
    use crate::status::{SignalStatus, Status};
    use scaler_engine::Signal;
    use serde_json::json;

    #[test]
    fn lists_are_equally_long_and_gaps_are_null() {
        let mut history = History::default();
        let reading = SignalStatus { value: Some(1.0 / 3.0), age_seconds: 0.0 };
        let signals = [[].into(), [(Signal::InFlight, reading)].into()];
        for (second, signals) in signals.into_iter().enumerate() {
            let at = Duration::from_secs(second as u64);
            history.add(&Status { at, signals, ..Status::default() });
        }
        let columns = serde_json::to_value(history.columns_since(None)).unwrap();
        assert_eq!(columns["signals"], json!({"in_flight": [null, 0.3333]}));
        assert_eq!(columns["replicas"]["ready"], json!([null, null]));
        assert_eq!(columns["load_factor"], json!([null, null]));
    }
}
