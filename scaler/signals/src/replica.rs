//! Computes the signals of a single replica, without those that its own standstill contradicts.

use alloc::collections::BTreeMap;

use scaler_engine::{Signal, Unit};

use crate::growth::Growth;
use crate::signals::signals_of;
use crate::standstill::ReplicaStandstill;

/// A replica's own signals, an entry for each; none where it had no value to give.
///
/// `measured` is its growth in the window and its standstill, none where it has not reported; `in_flight` its requests
/// in flight as the gateway counts them, which is not a signal that growth tells. A replica that has stood still for
/// longer than the jobs it completed took has no value for them: those tell nothing of the jobs that wait.
pub fn signals_of_replica(
    measured: Option<(&Growth, &ReplicaStandstill)>,
    in_flight: f64,
) -> BTreeMap<Signal, Option<f64>> {
    let mut signals: BTreeMap<Signal, Option<f64>> =
        Signal::ALL.into_iter().map(|signal| (signal, None)).collect();
    let Some((growth, standstill)) = measured else { return signals };
    let waited = standstill.at_least().as_secs_f64();
    // A quantile may lie above the mean.
    let is_contradicted = |signal: Signal, value: f64| {
        let usual = if signal.unit() == Unit::Seconds { value } else { 0.0 };
        signal.needs_completions() && waited > usual.max(growth.mean_seconds())
    };
    let known = signals_of(growth, standstill.jobs().max(in_flight));
    let believed = known.filter(|(signal, value)| !is_contradicted(*signal, *value));
    signals.extend(believed.map(|(signal, value)| (signal, Some(value))));
    signals
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::standstill::Progress;
    use crate::totals::Totals;

    #[test]
    fn a_standstill_longer_than_its_jobs_took_hides_what_they_told() {
        let by = Totals { duration_sum: 20.0, duration_count: 10.0, seconds: 30.0, ..Totals::default() };
        let growth = Growth { to: Duration::from_secs(30), by, ..Growth::default() };
        let mut standstill = ReplicaStandstill::default();
        for (at, has_mean) in [(10, true), (12, true), (13, false)] {
            standstill.see(Progress { at: Duration::from_secs(at), completed: 5.0, jobs: 3.0 });
            let signals = signals_of_replica(Some((&growth, &standstill)), 0.0);
            let mean = signals[&Signal::ResponseTimeMeanSeconds];
            assert_eq!(mean, has_mean.then_some(2.0), "after {at} s, with jobs that took 2 s");
            assert_eq!(signals[&Signal::QueueDepth], Some(0.0));
        }
    }

    #[test]
    fn a_replica_that_has_not_reported_has_an_empty_entry_for_each_signal() {
        let signals = signals_of_replica(None, 3.0);
        assert_eq!(signals.len(), Signal::ALL.len());
        assert!(signals.values().all(Option::is_none));
    }
}
