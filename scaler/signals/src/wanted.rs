//! Says what policies want measured: the window of all signals, and what they need besides.

use alloc::vec::Vec;
use core::time::Duration;

use scaler_engine::{Metric, NamedMetric, Need, Policy, Signal};

/// What is to be measured at each look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    window: Duration,
    further: Vec<Need>,
}

impl Wanted {
    /// Every signal over one window, and nothing else.
    pub const fn signals_over(window: Duration) -> Self {
        Self { window, further: Vec::new() }
    }

    /// What this policy needs; the window of all signals is that of its charts.
    pub fn of<P: Policy>(policy: &P) -> Self {
        Self::signals_over(policy.window()).and_needs(policy.needs())
    }

    /// And these needs, such as those of a policy that only watches along.
    #[must_use]
    pub fn and_needs(mut self, needs: impl IntoIterator<Item = Need>) -> Self {
        for need in needs {
            if !need.is_answered_by_signals(self.window) && !self.further.contains(&need) {
                self.further.push(need);
            }
        }
        self
    }

    /// The span that every signal of the service and of its replicas covers.
    pub const fn window(&self) -> Duration {
        self.window
    }

    /// The needs that signals over that span do not answer.
    pub fn further(&self) -> &[Need] {
        &self.further
    }

    /// Every span that something is measured over, that of all signals first.
    pub fn windows(&self) -> Vec<Duration> {
        let mut windows = Vec::from([self.window]);
        for need in &self.further {
            if !windows.contains(&need.window) {
                windows.push(need.window);
            }
        }
        windows
    }

    /// Every span that a signal is measured over, that of all signals first. Requests in flight are as of the moment.
    pub fn signal_windows(&self) -> Vec<Duration> {
        let mut windows = Vec::from([self.window]);
        for need in &self.further {
            let is_measured = signal_of(&need.metric).is_some_and(|signal| signal != Signal::InFlight);
            if is_measured && !windows.contains(&need.window) {
                windows.push(need.window);
            }
        }
        windows
    }

    /// The metrics with open names that are needed, each once.
    pub fn named(&self) -> Vec<NamedMetric> {
        let mut named = Vec::new();
        for need in &self.further {
            if let Metric::Named(metric) = &need.metric
                && signal_of(&need.metric).is_none()
                && !named.contains(metric)
            {
                named.push(metric.clone());
            }
        }
        named
    }
}

/// The signal that a metric is; an open name without labels that is a signal's means that signal.
pub fn signal_of(metric: &Metric) -> Option<Signal> {
    match metric {
        Metric::Signal(signal) => Some(*signal),
        Metric::Named(named) if named.labels.is_empty() => named.name.parse().ok(),
        Metric::Named(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::string::ToString;

    use scaler_engine::{Scope, ThresholdPolicy};

    use super::*;

    const WINDOW: Duration = Duration::from_secs(30);

    fn named(name: &str) -> Metric {
        Metric::Named(NamedMetric { name: name.to_string(), labels: BTreeMap::new() })
    }

    #[test]
    fn what_the_signals_of_the_window_answer_is_not_asked_for_again() {
        assert_eq!(Wanted::of(&ThresholdPolicy::default()), Wanted::signals_over(WINDOW));
        let short = Duration::from_secs(15);
        let cpu = Need::of_each_replica(Signal::CpuCores, short);
        let external = Need { metric: Signal::InFlight.into(), scope: Scope::External, window: WINDOW };
        let wanted = Wanted::signals_over(WINDOW).and_needs([
            Need::of_each_replica(Signal::CpuCores, WINDOW),
            cpu.clone(),
            cpu.clone(),
            external.clone(),
        ]);
        assert_eq!(wanted.further(), [cpu, external]);
        assert_eq!(wanted.windows(), [WINDOW, short]);
    }

    #[test]
    fn a_signal_by_its_open_name_is_that_signal() {
        let wanted = Wanted::signals_over(WINDOW).and_needs(
            ["cpu_utilization", "orders_per_second"].map(|name| Need::of_service(named(name), WINDOW)),
        );
        assert_eq!(signal_of(&wanted.further()[0].metric), Some(Signal::CpuCores));
        assert_eq!(
            wanted.named().iter().map(|metric| metric.name.as_str()).collect::<Vec<_>>(),
            ["orders_per_second"]
        );
    }
}
