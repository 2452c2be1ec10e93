//! Names what a policy wants measured: a metric, of what, and over which window.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::signal::{Amount, Signal};

/// A value that can be measured: one of the lab's signals, or a metric with an open name.
///
/// In JSON a signal is its name, a named metric an object: `"in_flight"`, `{"name": "orders_per_second"}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Metric {
    /// One of the signals that every source delivers.
    Signal(Signal),
    /// A metric that the service or another system exposes under this name.
    Named(NamedMetric),
}

/// A metric by its name and the labels that its series must have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NamedMetric {
    /// The name, as the policy's document writes it.
    pub name: String,
    /// Labels that must match; empty for every series of that name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl Metric {
    /// The signal, if it is one.
    pub const fn signal(&self) -> Option<Signal> {
        match self {
            Self::Signal(signal) => Some(*signal),
            Self::Named(_) => None,
        }
    }

    /// A value of this metric as people write it; a named metric has no unit that is known here.
    pub const fn amount(&self, value: f64) -> Amount {
        match self {
            Self::Signal(signal) => signal.amount(value),
            Self::Named(_) => Amount::without_unit(value),
        }
    }
}

impl From<Signal> for Metric {
    fn from(signal: Signal) -> Self {
        Self::Signal(signal)
    }
}

/// The metric's name, with the labels of a named one: `orders_per_second{region="eu"}`.
impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metric = match self {
            Self::Signal(signal) => return signal.fmt(f),
            Self::Named(metric) => metric,
        };
        f.write_str(&metric.name)?;
        for (index, (label, value)) in metric.labels.iter().enumerate() {
            write!(f, "{}{label}={value:?}", if index == 0 { "{" } else { "," })?;
        }
        f.write_str(if metric.labels.is_empty() { "" } else { "}" })
    }
}

/// What one value describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The service as a whole: one value.
    Service,
    /// Each replica by itself: one value for each that has one.
    EachReplica,
    /// Something outside the service, such as a queue: one value.
    External,
}

/// One thing that a policy wants to know at each check.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Need {
    /// What is measured.
    pub metric: Metric,
    /// Of what.
    pub scope: Scope,
    /// The span that a mean, rate or quantile covers; a gauge is as of the moment.
    pub window: Duration,
}

impl Need {
    /// The service-wide value of `metric` over `window`.
    pub fn of_service(metric: impl Into<Metric>, window: Duration) -> Self {
        Self { metric: metric.into(), scope: Scope::Service, window }
    }

    /// Whether an observation over `window` answers it by the signals of the service and of its replicas.
    pub fn is_answered_by_signals(&self, window: Duration) -> bool {
        self.metric.signal().is_some() && self.scope != Scope::External && self.window == window
    }

    /// The value of `metric` over `window` for each replica.
    pub fn of_each_replica(metric: impl Into<Metric>, window: Duration) -> Self {
        Self { metric: metric.into(), scope: Scope::EachReplica, window }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_signal_is_a_string_in_json_and_a_named_metric_an_object() {
        let named = Metric::Named(NamedMetric {
            name: "orders_per_second".to_string(),
            labels: [("region".to_string(), "eu".to_string())].into(),
        });
        for (metric, json, text) in [
            (Metric::from(Signal::InFlight), r#""in_flight""#, "in_flight"),
            (
                named,
                r#"{"name":"orders_per_second","labels":{"region":"eu"}}"#,
                r#"orders_per_second{region="eu"}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&metric).unwrap(), json);
            assert_eq!(serde_json::from_str::<Metric>(json).unwrap(), metric);
            assert_eq!(metric.to_string(), text);
        }
    }

    #[test]
    fn a_named_metric_is_written_without_a_unit() {
        let named = Metric::Named(NamedMetric { name: "lag".to_string(), labels: BTreeMap::new() });
        assert_eq!([named.amount(12.5).to_string(), named.amount(12.0).to_string()], ["12.5", "12"]);
        assert_eq!(Metric::from(Signal::ResponseTimeMeanSeconds).amount(0.6).to_string(), "600 ms");
    }
}
