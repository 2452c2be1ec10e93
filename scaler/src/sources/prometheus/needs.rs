//! Puts together what Prometheus said of all replicas over one window, or of one metric by its name.

use std::time::Duration;

use scaler_engine::{Answer, NamedMetric, Need, Scope};
use scaler_signals::{NamedOfReplica, ReplicaInWindow, ServiceInWindow, answer_of_named};

use super::{PrometheusSource, queries};

impl PrometheusSource {
    /// What is known of all replicas in this window.
    pub(super) fn in_window(&self, window: Duration, now: Duration) -> ServiceInWindow<'_> {
        let answer =
            if window == self.wanted.window() { self.answer.as_ref() } else { self.others.get(&window) };
        let in_flight = self.rotation.in_flight_by_url();
        let replicas = self.asked.iter().map(|(url, known)| {
            let seen = answer.and_then(|answer| answer.replicas.get(queries::instance_of(url)));
            let since = answer.map_or(Duration::ZERO, |answer| now.saturating_sub(answer.at));
            ReplicaInWindow {
                id: url,
                is_listed: known.state.is_some(),
                has_reported: self.has_reported(url, now),
                age: seen.map_or(Duration::MAX, |seen| seen.age + since),
                growth: seen.and_then(|seen| seen.growth.clone()),
                standstill: &known.own,
                in_flight: in_flight.get(url).copied().map_or(0.0, f64::from),
            }
        });
        ServiceInWindow { replicas: replicas.collect(), in_flight: self.rotation.in_flight(now) }
    }

    pub(super) fn answer_of_named(
        &self,
        place: usize,
        need: &Need,
        metric: &NamedMetric,
        now: Duration,
    ) -> Answer {
        let name = self.prometheus.name();
        match &self.named {
            Some(answer) if need.scope == Scope::External => answer.external(place, need, metric, &name, now),
            answer => {
                let replicas: Vec<NamedOfReplica<'_>> = self
                    .asked
                    .iter()
                    .map(|(url, known)| NamedOfReplica {
                        id: url,
                        is_listed: known.state.is_some(),
                        age: self.seen(url).map_or(Duration::MAX, |seen| self.age(seen, now)),
                        found: answer
                            .as_ref()
                            .filter(|_| self.has_reported(url, now))
                            .map(|answer| answer.found(place, Some(queries::instance_of(url)))),
                    })
                    .collect();
                answer_of_named(need, metric, &replicas, &name)
            }
        }
    }
}
