//! Holds a policy's settings and thresholds in the form in which people are shown them, whatever its kind.

use alloc::string::String;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::need::Metric;
use crate::reason::Direction;

/// One setting of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Its field in a policy file.
    pub field: &'static str,
    /// Its value.
    pub value: SettingValue,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum SettingValue {
    /// A number.
    Number(f64),
    /// A whole number.
    Count(u32),
    /// Yes or no.
    Flag(bool),
    /// A span of time.
    Span(Duration),
    /// A word or a sentence.
    Text(String),
}

impl Setting {
    pub(crate) const fn new(field: &'static str, value: SettingValue) -> Self {
        Self { field, value }
    }
}

/// Whether a condition of a policy holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not.
    False,
    /// That is not known.
    Unknown,
}

impl From<bool> for ConditionStatus {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// One condition of a policy, as `kubectl describe` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConditionShown {
    /// Its type, as its API names it.
    pub name: &'static str,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why, in one word.
    pub reason: String,
    /// Why, in a sentence.
    pub message: String,
}

/// A value that a metric has to cross before a policy acts.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// The metric.
    pub signal: Metric,
    /// Where crossing it leads.
    pub direction: Direction,
    /// In the metric's own unit.
    pub value: f64,
    /// Whether it is compared with the share of one ready replica, and not with the whole service's value.
    pub is_per_replica: bool,
}
