//! Finds a metric with an open name among what replicas expose: a value by that very name, or a counter's rate.
//!
//! `orders_per_second` is the value of `orders_per_second` where there is one, and else the rate of the counter
//! `orders_total`, as the Prometheus Adapter's usual rule names it. Series that match are summed.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use scaler_engine::NamedMetric;

use crate::moments::Moments;
use crate::totals::growth;

/// The name of the counter whose rate a metric is: `orders_total` for `orders_per_second`.
pub fn counter_of(name: &str) -> Option<String> {
    Some(format!("{}_total", name.strip_suffix("_per_second")?))
}

/// Whether a metric of Prometheus can have this name.
pub fn is_metric_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let is_first = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':');
    bytes.next().is_some_and(is_first) && bytes.all(|byte| is_first(byte) || byte.is_ascii_digit())
}

/// What a replica showed of a metric at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NamedFigures {
    /// The series of that name with the labels that are asked for, summed.
    pub value: Option<f64>,
    /// Those of the counter.
    pub counter: Option<f64>,
    /// Whether there was a series of either name with other labels.
    pub has_other_labels: bool,
}

/// What is known of a metric of one replica, or in one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found {
    /// Its value, or its counter's rate.
    Value(f64),
    /// Its counter was seen at one moment only, and a rate needs two.
    CounterOnce,
    /// There are series of that name, but none with the labels that are asked for.
    OtherLabels,
    /// There are none.
    Nothing,
}

impl Found {
    /// The value, if there is a finite one.
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Value(value) => Some(value).filter(|value| value.is_finite()),
            Self::CounterOnce | Self::OtherLabels | Self::Nothing => None,
        }
    }

    /// Why there is no value, for the metric looked for in `place`.
    pub fn why_absent(self, metric: &NamedMetric, place: &str) -> Option<String> {
        let name = &metric.name;
        let counter = counter_of(name);
        let counter = counter.map(|counter| format!(" and no counter `{counter}`")).unwrap_or_default();
        match self {
            Self::Value(value) if value.is_finite() => None,
            Self::Value(value) => Some(format!("`{name}` is {value} in {place}, expected a finite number")),
            Self::CounterOnce => {
                Some(format!("the counter of `{name}` was seen once in {place}, a rate needs two scrapes"))
            }
            Self::OtherLabels => Some(format!(
                "`{name}` is in {place}, but no series has the labels of {}",
                scaler_engine::Metric::Named(metric.clone())
            )),
            Self::Nothing => Some(format!("there is no `{name}`{counter} in {place}")),
        }
    }
}

/// What one replica showed of one metric over some windows.
#[derive(Clone, Debug, Default)]
pub struct NamedWindow {
    latest: NamedFigures,
    counted: Option<Counted>,
}

/// A counter's growth since it was met.
#[derive(Clone, Debug)]
struct Counted {
    at: Duration,
    total: f64,
    past: Moments<f64>,
}

impl NamedWindow {
    /// Adds what was seen at `at`; a process that has restarted counts from zero.
    pub fn add(&mut self, at: Duration, figures: NamedFigures, has_restarted: bool, windows: &[Duration]) {
        let before = core::mem::replace(&mut self.latest, figures).counter;
        self.counted = match (figures.counter, before, self.counted.take()) {
            (None, ..) => None,
            (Some(new), Some(old), Some(mut counted)) => {
                counted.past.follow(windows);
                counted.past.add((counted.at, &counted.total), at);
                counted.total += growth(if has_restarted { 0.0 } else { old }, new);
                counted.at = at;
                Some(counted)
            }
            (Some(_), ..) => Some(Counted { at, total: 0.0, past: Moments::begin(at, 0.0) }),
        };
    }

    /// What is known of it in the window from `start`.
    pub fn found(&self, start: Duration) -> Found {
        if let Some(value) = self.latest.value {
            return Found::Value(value);
        }
        let Some(counted) = &self.counted else {
            return if self.latest.has_other_labels { Found::OtherLabels } else { Found::Nothing };
        };
        let from = counted.past.at_or_before(start, counted.at).filter(|(at, _)| *at < counted.at);
        let Some((at, total)) = from else { return Found::CounterOnce };
        Found::Value((counted.total - total) / (counted.at - *at).as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::string::ToString;

    use super::*;

    const WINDOWS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];

    fn seconds(value: u64) -> Duration {
        Duration::from_secs(value)
    }

    fn counter(value: f64) -> NamedFigures {
        NamedFigures { counter: Some(value), ..NamedFigures::default() }
    }

    #[test]
    fn a_counters_rate_is_taken_over_each_window_and_a_restart_counts_from_zero() {
        let mut named = NamedWindow::default();
        assert_eq!(named.found(seconds(0)), Found::Nothing);
        named.add(seconds(0), counter(1000.0), false, &WINDOWS);
        assert_eq!(named.found(seconds(0)), Found::CounterOnce);
        for second in 1..=40_u32 {
            // 2/s for 30 s, then 8/s.
            let count = 1000.0 + f64::from(second) * 2.0 + f64::from(second.saturating_sub(30)) * 6.0;
            named.add(seconds(second.into()), counter(count), false, &WINDOWS);
        }
        assert_eq!(named.found(seconds(30)).value(), Some(8.0));
        assert_eq!(named.found(seconds(10)).value(), Some(4.0));
        named.add(seconds(41), counter(5.0), false, &WINDOWS);
        named.add(seconds(42), counter(9.0), true, &WINDOWS);
        assert_eq!(named.found(seconds(40)).value(), Some(7.0), "5 and 9, in 2 s");
        named.add(seconds(43), NamedFigures::default(), false, &WINDOWS);
        assert_eq!(named.found(seconds(40)), Found::Nothing, "it is not exposed any more");
    }

    #[test]
    fn a_value_by_the_very_name_comes_before_a_rate() {
        let mut named = NamedWindow::default();
        let both = NamedFigures { value: Some(-3.0), counter: Some(7.0), has_other_labels: true };
        named.add(seconds(0), both, false, &WINDOWS);
        assert_eq!(named.found(seconds(0)), Found::Value(-3.0));
    }

    #[test]
    fn what_is_absent_is_told_with_what_was_looked_for_and_where() {
        let metric = NamedMetric {
            name: "orders_per_second".to_string(),
            labels: BTreeMap::from([("a".into(), "b".into())]),
        };
        let place = "the /metrics of 2 replicas";
        for (found, expected) in [
            (
                Found::Nothing,
                "there is no `orders_per_second` and no counter `orders_total` in the /metrics of 2 replicas",
            ),
            (Found::OtherLabels, "no series has the labels of orders_per_second{a=\"b\"}"),
            (Found::CounterOnce, "a rate needs two scrapes"),
            (Found::Value(f64::NAN), "is NaN in the /metrics of 2 replicas"),
        ] {
            let told = found.why_absent(&metric, place).unwrap();
            assert!(told.contains(expected), "{told}");
        }
        assert_eq!(Found::Value(1.0).why_absent(&metric, place), None);
    }

    #[test]
    fn names_that_no_metric_can_have() {
        for (name, expected) in [
            ("a", true),
            ("job:up_2", true),
            ("_x", true),
            ("", false),
            ("2a", false),
            ("a-b", false),
            ("a b", false),
            ("é", false),
        ] {
            assert_eq!(is_metric_name(name), expected, "{name}");
        }
        assert_eq!(counter_of("http_requests_per_second").as_deref(), Some("http_requests_total"));
        assert_eq!(counter_of("http_requests_total"), None);
    }
}
