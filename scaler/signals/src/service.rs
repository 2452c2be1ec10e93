//! Answers needs from what is known of all replicas over one window.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::time::Duration;

use scaler_engine::{Answer, NamedMetric, Need, Reading, Scope, Signal};

use crate::growth::Growth;
use crate::named::Found;
use crate::replica::signals_of_replica;
use crate::signals::signals_of;
use crate::standstill::ReplicaStandstill;

/// What is known of one replica in one window.
#[derive(Clone, Debug)]
pub struct ReplicaInWindow<'a> {
    /// Its name.
    pub id: &'a str,
    /// Whether it is there; one that left still counts for the service until its share of the window has passed.
    pub is_listed: bool,
    /// Whether its newest sample is recent enough to say how it is now.
    pub has_reported: bool,
    /// Time since its newest sample.
    pub age: Duration,
    /// What its totals grew by; none if that is not known.
    pub growth: Option<Growth>,
    /// How long it has completed nothing.
    pub standstill: &'a ReplicaStandstill,
    /// Its requests in flight as the gateway counts them.
    pub in_flight: f64,
}

/// All replicas in one window.
#[derive(Clone, Debug)]
pub struct ServiceInWindow<'a> {
    /// Those that are there, and those that left and still count.
    pub replicas: Vec<ReplicaInWindow<'a>>,
    /// Requests in flight to the whole service, as the gateway counts them; none if it has not said.
    pub in_flight: Option<Reading>,
}

impl ServiceInWindow<'_> {
    /// The service-wide value of each signal that is known.
    pub fn readings(&self) -> BTreeMap<Signal, Reading> {
        let known = || self.replicas.iter().filter(|replica| replica.growth.is_some());
        let joined = Growth::joined(known().filter_map(|replica| replica.growth.as_ref()));
        let mut readings = BTreeMap::new();
        if let (Some(joined), Some(age)) = (joined, known().map(|replica| replica.age).min()) {
            let told = self.replicas.iter().filter(|replica| replica.has_reported);
            let jobs: f64 = told.map(|replica| replica.standstill.jobs()).sum();
            let in_flight = self.in_flight.and_then(|reading| reading.value).unwrap_or_default();
            let values = signals_of(&joined, jobs.max(in_flight));
            readings.extend(values.map(|(signal, value)| (signal, Reading { value: Some(value), age })));
        }
        readings.extend(self.in_flight.map(|reading| (Signal::InFlight, reading)));
        readings
    }

    /// The answer to a need for a signal.
    pub fn answer(&self, need: &Need, signal: Signal) -> Answer {
        let mut answer = no_answer(need);
        if need.scope == Scope::EachReplica {
            for replica in self.replicas.iter().filter(|replica| replica.is_listed) {
                let value = if signal == Signal::InFlight {
                    self.in_flight.is_some().then_some(replica.in_flight)
                } else {
                    let growth = replica.growth.as_ref().filter(|_| replica.has_reported);
                    let measured = growth.map(|growth| (growth, replica.standstill));
                    signals_of_replica(measured, replica.in_flight).get(&signal).copied().flatten()
                };
                answer.of_replicas.insert(replica.id.to_string(), value);
            }
        } else {
            answer.reading = self.readings().get(&signal).copied();
        }
        let is_unanswered = answer.reading.is_none() && answer.of_replicas.values().all(Option::is_none);
        answer.problem = is_unanswered
            .then(|| format!("no replica has told its {signal} over the last {:?}", need.window));
        answer
    }
}

/// What is known of a metric with an open name of one replica.
#[derive(Clone, Debug)]
pub struct NamedOfReplica<'a> {
    /// Its name.
    pub id: &'a str,
    /// Whether it is there.
    pub is_listed: bool,
    /// Time since its newest sample.
    pub age: Duration,
    /// What was found of it; none if it has not reported.
    pub found: Option<Found>,
}

/// The answer to a need for a metric with an open name, from what the replicas, which are in `place`, showed of it. A value
/// of the service, or from outside, is the sum over those that are there.
pub fn answer_of_named(
    need: &Need,
    metric: &NamedMetric,
    replicas: &[NamedOfReplica<'_>],
    place: &str,
) -> Answer {
    let mut answer = no_answer(need);
    let listed = || replicas.iter().filter(|replica| replica.is_listed);
    let valued = || listed().filter_map(|replica| Some((replica, replica.found?.value()?)));
    match need.scope {
        Scope::EachReplica => {
            let value = |replica: &NamedOfReplica<'_>| replica.found.and_then(Found::value);
            answer.of_replicas = listed().map(|replica| (replica.id.to_string(), value(replica))).collect();
        }
        Scope::Service | Scope::External => {
            let age = valued().map(|(replica, _)| replica.age).min();
            let sum = valued().map(|(_, value)| value).sum();
            answer.reading = age.map(|age| Reading { value: Some(sum), age });
        }
    }
    if valued().next().is_none() {
        // What comes nearest to a value says most.
        let nearest = listed().filter_map(|replica| replica.found).min_by_key(|found| match found {
            Found::Value(_) => 0,
            Found::CounterOnce => 1,
            Found::OtherLabels => 2,
            Found::Nothing => 3,
        });
        let nobody = || Some(format!("no replica has reported, so {} was not found", need.metric));
        answer.problem = nearest.map_or_else(nobody, |found| found.why_absent(metric, place));
    }
    answer
}

/// A need without anything that answers it.
fn no_answer(need: &Need) -> Answer {
    Answer { need: need.clone(), reading: None, of_replicas: BTreeMap::new(), problem: None }
}

/// A need that cannot be answered, and why.
pub fn unanswerable(need: &Need, problem: String) -> Answer {
    Answer { problem: Some(problem), ..no_answer(need) }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::totals::Totals;

    const WINDOW: Duration = Duration::from_secs(15);

    fn replica<'a>(id: &'a str, cpu_seconds: f64, standstill: &'a ReplicaStandstill) -> ReplicaInWindow<'a> {
        let by = Totals { cpu_seconds, seconds: 15.0, ..Totals::default() };
        ReplicaInWindow {
            id,
            is_listed: true,
            has_reported: true,
            age: Duration::from_secs(1),
            growth: Some(Growth { to: WINDOW, by, ..Growth::default() }),
            standstill,
            in_flight: 2.0,
        }
    }

    #[test]
    fn a_need_of_each_replica_is_answered_for_those_that_are_there() {
        let standstill = ReplicaStandstill::default();
        let mut replicas = vec![replica("a", 6.0, &standstill), replica("b", 3.0, &standstill)];
        replicas.push(ReplicaInWindow { is_listed: false, ..replica("gone", 15.0, &standstill) });
        replicas.push(ReplicaInWindow { has_reported: false, ..replica("silent", 15.0, &standstill) });
        let service = ServiceInWindow { replicas, in_flight: Some(Reading::fresh(6.0)) };
        let each = service.answer(&Need::of_each_replica(Signal::CpuCores, WINDOW), Signal::CpuCores);
        let expected =
            [("a", Some(0.4)), ("b", Some(0.2)), ("silent", None)].map(|(id, value)| (id.to_string(), value));
        assert_eq!((each.of_replicas, each.reading, each.problem), (expected.into(), None, None));
        let whole = service.answer(&Need::of_service(Signal::CpuCores, WINDOW), Signal::CpuCores);
        let reading = whole.reading.unwrap();
        assert_eq!(
            (reading.value, reading.age),
            (Some(0.65), Duration::from_secs(1)),
            "the mean of all four"
        );
        let flying = service.answer(&Need::of_each_replica(Signal::InFlight, WINDOW), Signal::InFlight);
        assert_eq!(flying.of_replicas["b"], Some(2.0));
    }

    #[test]
    fn without_growth_it_says_so() {
        let standstill = ReplicaStandstill::default();
        let silent = ReplicaInWindow { growth: None, ..replica("a", 0.0, &standstill) };
        let service = ServiceInWindow { replicas: vec![silent], in_flight: None };
        for need in
            [Need::of_service(Signal::CpuCores, WINDOW), Need::of_each_replica(Signal::CpuCores, WINDOW)]
        {
            let problem = service.answer(&need, Signal::CpuCores).problem.unwrap();
            assert_eq!(problem, "no replica has told its cpu_cores over the last 15s");
        }
    }

    #[test]
    fn a_named_metric_of_the_service_is_the_sum_of_those_that_are_there() {
        let metric = NamedMetric { name: "lag".to_string(), labels: BTreeMap::new() };
        let of = |id, is_listed, found| NamedOfReplica { id, is_listed, age: WINDOW, found };
        let replicas = [
            of("a", true, Some(Found::Value(3.0))),
            of("b", true, Some(Found::Nothing)),
            of("gone", false, Some(Found::Value(9.0))),
        ];
        let named = || scaler_engine::Metric::Named(metric.clone());
        let whole = answer_of_named(&Need::of_service(named(), WINDOW), &metric, &replicas, "here");
        assert_eq!((whole.reading.and_then(|reading| reading.value), whole.problem), (Some(3.0), None));
        let each = Need::of_each_replica(named(), WINDOW);
        let answer = answer_of_named(&each, &metric, &replicas, "here");
        assert_eq!(answer.of_replicas, [("a".to_string(), Some(3.0)), ("b".to_string(), None)].into());
        let none = answer_of_named(&each, &metric, &replicas[1..2], "here");
        assert_eq!(none.problem.as_deref(), Some("there is no `lag` in here"));
        assert!(answer_of_named(&each, &metric, &[], "here").problem.unwrap().contains("no replica"));
    }
}
