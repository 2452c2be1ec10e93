//! Numbers and settings in words.

use std::time::Duration;

use scaler_engine::hpa::{CompleteRules, Resource, ScalingChange, SelectPolicy};

use crate::quantity::{bytes_of_milli, quantity_of_milli, trimmed};

/// A span as people write it: `15 s`, `5 min`, `5 min 30 s`.
pub(super) fn span(span: Duration) -> String {
    let (minutes, seconds) = (span.as_secs() / 60, span.as_secs_f64() % 60.0);
    match (minutes, seconds > 0.0) {
        (0, _) => format!("{} s", trimmed(seconds)),
        (_, false) => format!("{minutes} min"),
        (_, true) => format!("{minutes} min {} s", trimmed(seconds)),
    }
}

/// One replica, several replicas.
pub(super) fn replicas(count: u32) -> String {
    if count == 1 { "1 replica".to_owned() } else { format!("{count} replicas") }
}

/// An amount of a resource: cores, or bytes.
pub(super) fn amount(resource: &Resource, milli: i64) -> String {
    match resource {
        Resource::Cpu if milli == 1_000 => "1 core".to_owned(),
        Resource::Cpu => format!("{} cores", trimmed(milli as f64 / 1_000.0)),
        Resource::Memory => bytes_of_milli(milli),
        Resource::Other(_) => quantity_of_milli(milli),
    }
}

/// The rules of one direction; `window` is the one that holds.
pub(super) fn direction(name: &str, rules: &CompleteRules, window: Duration) -> String {
    if rules.select_policy == SelectPolicy::Disabled {
        return format!("{name}: never (selectPolicy is Disabled)");
    }
    let policies: Vec<String> = rules
        .policies
        .iter()
        .map(|policy| match policy.change {
            ScalingChange::Pods(1) => format!("1 pod per {}", span(policy.period)),
            ScalingChange::Pods(pods) => format!("{pods} pods per {}", span(policy.period)),
            ScalingChange::Percent(percent) => format!("{percent} % per {}", span(policy.period)),
        })
        .collect();
    let joined = match (policies.len(), rules.select_policy) {
        (0 | 1, _) => policies.join(""),
        (_, SelectPolicy::Min) => format!("{}, whichever is less", policies.join(" or ")),
        _ => format!("{}, whichever is more", policies.join(" or ")),
    };
    let held = if window.is_zero() {
        "at once".to_owned()
    } else {
        format!("only what was recommended throughout the last {}", span(window))
    };
    format!("{name}: {held}, at most {joined}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_in_the_largest_whole_unit() {
        let spans = [15, 60, 90, 300].map(|seconds| span(Duration::from_secs(seconds)));
        assert_eq!(spans, ["15 s", "1 min", "1 min 30 s", "5 min"]);
        assert_eq!(span(Duration::from_millis(500)), "0.5 s");
    }
}
